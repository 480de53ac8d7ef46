"""The designs of the reference tables, as surveys of ours."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

import steelyard as sy

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


# Designs with replicates: their kind, the data set, and how we make the same replicates where no
# chance is in them.
CLUSTERS: dict[str, Any] = {"weights": "pw", "clusters": "dnum"}
STRATA: dict[str, Any] = {"weights": "pw", "strata": "stype"}
AMBULANCES: dict[str, Any] = {"strata": "ESA", "clusters": "ambulance", "nest": True}
SUPPLIED: dict[str, tuple[str, str]] = {
    "clus1_jk1": ("jk1", "apiclus1"),
    "clus1_jk1_mse": ("jk1", "apiclus1"),
    "clus1_jk1_fpc": ("jk1", "apiclus1"),
    "strat_jkn": ("jkn", "apistrat"),
    "strat_jkn_fpc": ("jkn", "apistrat"),
    "clus1_boot_canty": ("bootstrap", "apiclus1"),
    "strat_subboot": ("bootstrap", "apistrat"),
    "clus2_mrb": ("bootstrap", "apiclus2"),
    "scd_brr_hand": ("brr", "scd"),
    "scd_brr": ("brr", "scd"),
    "scd_jkn": ("jkn", "scd"),
}
MADE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "clus1_jk1": (CLUSTERS, {}),
    "clus1_jk1_mse": (CLUSTERS, {"mse": True}),
    "clus1_jk1_fpc": ({**CLUSTERS, "fpc": "fpc"}, {}),
    "strat_jkn": (STRATA, {}),
    "strat_jkn_fpc": ({**STRATA, "fpc": "fpc"}, {}),
    "scd_brr": (AMBULANCES, {"method": "brr"}),
    "scd_brr_hand": (AMBULANCES, {"method": "brr"}),
    "scd_jkn": (AMBULANCES, {}),
}
REPLICATED = [f"{name} supplied" for name in SUPPLIED] + [f"{name} made" for name in MADE]


# Designs with weights that were calibrated after sampling.
TYPES = {"E": 4421, "H": 755, "M": 1018}
WIDE = {"No": 1072, "Yes": 5122}
TOTALS: dict[Any, Any] = {"stype": TYPES, "api99": 3914069}
STEPS: dict[str, Callable[[sy.Weighting], sy.Weighting]] = {
    "ps": lambda w: w.poststratify("stype", TYPES),
    "rake": lambda w: w.rake({"stype": TYPES, "sch.wide": WIDE}),
    "cal_lin_stype": lambda w: w.calibrate({"stype": TYPES}),
    "cal_lin": lambda w: w.calibrate(TOTALS),
    "cal": lambda w: w.calibrate(TOTALS),
    "cal_rak": lambda w: w.calibrate(TOTALS, distance="raking"),
    "cal_logit": lambda w: w.calibrate(TOTALS, distance="logit", bounds=(0.4, 2.5)),
    "cal_linb": lambda w: w.calibrate(TOTALS, bounds=(0.6, 1.8)),
    "cal_sinh": lambda w: w.calibrate(TOTALS, distance="sinh", bounds=(0.1, 10)),
    "cal_hetero": lambda w: w.calibrate({"enroll": 3811472}, scale="enroll"),
    "trim": lambda w: w.calibrate(TOTALS).trim(25, 50, share="equal", factors="fixed"),
}
SAMPLED: dict[str, tuple[str, dict[str, Any]]] = {
    "clus1": ("apiclus1", {"clusters": "dnum", "fpc": "fpc"}),
    "clus1n": ("apiclus1", {"clusters": "dnum"}),
    "clus2": ("apiclus2", {"clusters": ["dnum", "snum"], "fpc": ["fpc1", "fpc2"]}),
    "strat": ("apistrat", {"strata": "stype", "fpc": "fpc"}),
}
WEIGHTED = [
    *(f"clus1_{step}" for step in STEPS if step != "cal"),
    *("clus1n_ps", "clus1n_rake", "clus1n_cal_lin", "clus2_ps", "clus2_cal_lin"),
    *("strat_rake", "strat_cal_lin", "strat_cal_rak"),
    *("clus1_jk1_ps", "clus1_jk1_rake", "clus1_jk1_cal"),
]


def weighting_of(design: str, frame: pl.DataFrame) -> sy.Weighting:
    """The chain of weighting of a design."""
    step = design.removeprefix("clus1_jk1_").split("_", 1)[-1]
    return STEPS[step](sy.weight(frame, base="pw"))


def _weighted_survey(design: str, frame: pl.DataFrame, changes: dict[str, Any]) -> sy.Survey:
    weighting = weighting_of(design, frame)
    if design.startswith("clus1_jk1"):
        return sy.Survey(frame, weights=weighting, clusters="dnum", **changes).replicated()
    arguments = SAMPLED[design.split("_")[0]][1]
    return sy.Survey(frame, weights=weighting, **{**arguments, **changes})


def sources(design: str) -> list[str]:
    """The designs of ours that a design of the tables is compared with."""
    made = [f"{design} made"] if design in MADE else []
    return [*made, f"{design} supplied"] if design in SUPPLIED else [design]


def frame_of(design: str) -> pl.DataFrame:
    """The rows of a design, with replicate weights and base weights where it has them."""
    name = design.split()[0]
    if name in SUPPLIED:
        dataset = SUPPLIED[name][1]
    else:
        dataset = (DESIGNS[name] if name in DESIGNS else SAMPLED[name.split("_")[0]])[0]
    data = REFERENCE / "data"
    frame = pl.read_csv(data / f"{dataset}.csv", infer_schema_length=None)
    if not design.endswith(" supplied"):
        return frame
    parts = [pl.read_csv(data / f"{kind}_{name}.csv") for kind in ("repbase", "repw")]
    weights = [part.select(pl.all().cast(pl.Float64)) for part in parts]
    return pl.concat([frame, *weights], how="horizontal")


def survey_of(design: str, frame: pl.DataFrame | None = None, **changes: Any) -> sy.Survey:
    """A design of the tables; "made" and "supplied" say where its replicates come from."""
    rows = frame_of(design) if frame is None else frame
    name, _, source = design.partition(" ")
    if source == "made":
        arguments, method = MADE[name]
        return sy.Survey(rows, **{**arguments, **changes}).replicated(**method)
    if source == "supplied":
        scales = read(f"data/repscale_{name}.csv")
        given = sy.ReplicateWeights(
            "rep",
            SUPPLIED[name][0],
            scale=float(scales[0]["scale"]),
            rscales=[float(row["rscales"]) for row in scales],
            combined=name != "scd_brr_hand",
            mse=scales[0]["mse"] == "TRUE",
        )
        return sy.Survey(rows, weights="w", replicates=given, **changes)
    if name in WEIGHTED:
        return _weighted_survey(name, rows, changes)
    return sy.Survey(rows, **{**DESIGNS[name][1], **changes})
