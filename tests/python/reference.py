"""The designs of the reference tables, as surveys of ours."""

import csv
from pathlib import Path
from typing import Any

REFERENCE = Path(__file__).parent.parent / "reference"

# One Survey for each design of designs.csv, with the same meaning as its R call.
DESIGNS: dict[str, tuple[str, dict[str, Any]]] = {
    "strat_fpc": ("apistrat", {"weights": "pw", "strata": "stype", "fpc": "fpc"}),
    "strat_nofpc": ("apistrat", {"weights": "pw", "strata": "stype"}),
    "srs_fpc": ("apisrs", {"weights": "pw", "fpc": "fpc"}),
    "clus1_fpc": ("apiclus1", {"weights": "pw", "clusters": "dnum", "fpc": "fpc"}),
    "clus1_nofpc": ("apiclus1", {"weights": "pw", "clusters": "dnum"}),
    "clus2_fpc2": ("apiclus2", {"clusters": ["dnum", "snum"], "fpc": ["fpc1", "fpc2"]}),
    "clus2_fpc2_pw": (
        "apiclus2",
        {"weights": "pw", "clusters": ["dnum", "snum"], "fpc": ["fpc1", "fpc2"]},
    ),
    "clus2_nofpc": ("apiclus2", {"weights": "pw", "clusters": ["dnum", "snum"]}),
    "fpc_with": (
        "fpc",
        {"weights": "weight", "strata": "stratid", "clusters": "psuid", "fpc": "Nh", "nest": True},
    ),
    "fpc_without": (
        "fpc",
        {"weights": "weight", "strata": "stratid", "clusters": "psuid", "nest": True},
    ),
    "hospital": ("hospital", {"weights": "weighta", "strata": "oblevel", "fpc": "tothosp"}),
    "scd": ("scd", {"strata": "ESA", "clusters": "ambulance", "nest": True}),
    "indep_waves": ("indep_waves", {"weights": "pw", "strata": "stratum", "clusters": "psu"}),
    "overlap_clus1": ("overlap_clus1", {"weights": "pw", "clusters": "dnum"}),
}
for _policy in ("remove", "certainty", "adjust", "average"):
    _lonely = {"weights": "w", "strata": "stratum", "clusters": "psu", "nest": True}
    DESIGNS[f"lonely__{_policy}"] = ("lonely", {**_lonely, "lonely": _policy})
    DESIGNS[f"lonely_fpc__{_policy}"] = ("lonely", {**_lonely, "fpc": "N1", "lonely": _policy})
    if _policy in ("adjust", "average"):
        _in_domain = {**_lonely, "lonely": _policy, "lonely_domain": _policy}
        DESIGNS[f"lonely__adjdomain_{_policy}"] = ("lonely", _in_domain)
# Under "remove", R does the same to such strata with survey.adjust.domain.lonely as without it.
DESIGNS["lonely__adjdomain_remove"] = ("lonely", {**_lonely, "lonely": "remove"})

Row = dict[str, str]


def read(name: str) -> list[Row]:
    with (REFERENCE / name).open() as file:
        return list(csv.DictReader(file))
