"""Unequal probabilities within strata, in clusters, domains and comparisons."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

import steelyard as sy
from steelyard import errors

Floats = npt.NDArray[np.float64]

DATA = Path(__file__).parent.parent / "data"
NAMES = ["Bush", "Kerry"]
METHODS: list[Any] = [
    "brewer",
    "overton",
    "hartley-rao",
    sy.Pps("overton", "yates-grundy"),
    sy.Pps("hartley-rao", "yates-grundy"),
]


def election() -> pl.DataFrame:
    """40 counties, the first 20 in one stratum; `large` has more than 60 000 votes."""
    frame = pl.read_csv(DATA / "election_pps.csv")
    return frame.with_columns(
        st=pl.Series(["a"] * 20 + ["b"] * 20),
        large=pl.col("votes") > 60_000,
        both=pl.col("Bush") + pl.col("Kerry"),
    )


def joint() -> Floats:
    return np.loadtxt(DATA / "election_joint.csv", delimiter=",")


def name_of(value: Any) -> str | None:
    return f"{value.method} {value.variance}" if isinstance(value, sy.Pps) else None


every_method = pytest.mark.parametrize("method", METHODS, ids=name_of)


# Strata


# R 4.2.2, survey 4.1.1: e <- election_pps; e$st <- rep(c("a","b"), each=20);
# d <- svydesign(id=~1, strata=~st, fpc=~p, data=e, pps="brewer"); svytotal(~Bush+Kerry+Nader, d),
# svymean(~Bush, d), svyratio(~Bush, ~Kerry, d), svymean(~Kerry, subset(d, votes > 60000)).
def test_brewer_in_strata_equals_r() -> None:
    svy = sy.Survey(election(), strata="st", fpc="p", pps="brewer")
    assert svy.degrees_of_freedom == 38
    totals = svy.total(["Bush", "Kerry", "Nader"])
    assert totals.se == pytest.approx(
        [2404048.8729690658, 2410327.3838795889, 103200.44110355321], rel=1e-9
    )
    assert svy.mean("Bush").se[0] == pytest.approx(2566.5008032710116, rel=1e-9)
    assert svy.ratio("Bush", "Kerry").se[0] == pytest.approx(0.10624588419679852, rel=1e-9)
    where = svy.mean("Kerry", where="large")
    assert where.value == pytest.approx(92600.067821562916, rel=1e-9)
    assert where.se[0] == pytest.approx(16779.084120440399, rel=1e-9)


# R refuses strata with these ("non-numeric argument to binary operator" in n - fbar): here the
# variances of svytotal(~Bush+Kerry+I(Bush+Kerry)) from each half alone, svydesign(id=~1, fpc=~p,
# data=e[e$st == "a", ], pps="overton" or HR(), variance="HT" or "YG").
@pytest.mark.parametrize(
    ("method", "first", "second"),
    [
        (
            sy.Pps("overton"),
            (5905044396103.3203, 1482808369342.8931, -54351392161.364502),
            (2821803238451.3242, 2109738317423.1279, -28439986338.37619),
        ),
        (
            sy.Pps("overton", "yates-grundy"),
            (3564959398225.293, 3635262804421.9453, 3078476834.9163818),
            (2464527074467.3252, 2432186710691.1626, 7296367456.5583801),
        ),
        (
            sy.Pps("hartley-rao"),
            (3544660878037.8145, 3159436416404.7803, -2540221232.8089142),
            (2504526221772.1191, 2402751398240.2656, 3873929997.3009949),
        ),
        (
            sy.Pps("hartley-rao", "yates-grundy"),
            (3310652378250.0645, 3374681859912.7192, 3202765666.9765472),
            (2468798605373.7783, 2434996237567.1152, 7447565376.9825745),
        ),
    ],
    ids=name_of,
)
def test_variances_of_strata_add_up_to_those_of_r(
    method: sy.Pps, first: tuple[float, ...], second: tuple[float, ...]
) -> None:
    svy = sy.Survey(election(), strata="st", fpc="p", pps=method)
    both = svy.total([*NAMES, "both"])
    sums = np.add(first, second)
    assert both.se[:2] ** 2 == pytest.approx(sums[:2], rel=1e-9)
    # The variance of a sum, kept apart from rounding by the sizes of its parts.
    if sums[2] > 0:
        assert both.se[2] ** 2 == pytest.approx(sums[2], rel=1e-6)
    else:
        assert np.isnan(both.se[2])
        assert both.notes[2] is not None
    groups = svy.total(NAMES, by="st")
    assert groups["a"].se ** 2 == pytest.approx(first[:2], rel=1e-9)
    assert groups["b"].se ** 2 == pytest.approx(second[:2], rel=1e-9)


def quadratic(z: Floats, p: Floats, strata: npt.NDArray[Any], yates_grundy: bool) -> float:
    """Overton's variance of a total of z: pi_ij = pi_i pi_j (n - 1) / (n - (pi_i + pi_j) / 2)."""
    variance = 0.0
    for h in np.unique(strata):
        q, x = p[strata == h], z[strata == h]
        n = len(q)
        pairs = np.outer(q, q) * (n - 1) / (n - (q[:, None] + q[None, :]) / 2)
        for i in range(n):
            for j in range(n):
                if yates_grundy:
                    weight = (q[i] * q[j] - pairs[i, j]) / pairs[i, j]
                    variance += weight * (x[i] - x[j]) ** 2 / 2 if i != j else 0.0
                elif i == j:
                    variance += (1 - q[i]) * x[i] ** 2
                else:
                    variance += (pairs[i, j] - q[i] * q[j]) / pairs[i, j] * x[i] * x[j]
    return variance


@pytest.mark.parametrize("yates_grundy", [False, True])
@pytest.mark.parametrize("where", [None, "large"])
def test_overton_in_strata_by_brute_force(yates_grundy: bool, where: str | None) -> None:
    form = "yates-grundy" if yates_grundy else "horvitz-thompson"
    frame = election()
    svy = sy.Survey(frame, strata="st", fpc="p", pps=sy.Pps("overton", form))  # type: ignore[arg-type]
    p, st = frame["p"].to_numpy(), frame["st"].to_numpy()
    bush, kerry = frame["Bush"].to_numpy(), frame["Kerry"].to_numpy()
    inside = frame["large"].to_numpy() if where else np.ones(40, dtype=bool)
    w = inside / p
    mean = w @ bush / w.sum()
    ratio = w @ bush / (w @ kerry)
    for got, z in (
        (svy.mean("Bush", where=where), w * (bush - mean) / w.sum()),
        (svy.ratio("Bush", "Kerry", where=where), w * (bush - ratio * kerry) / (w @ kerry)),
        (svy.total("Nader", where=where), w * frame["Nader"].to_numpy()),
        (svy.count(where=where), w),
    ):
        expected = quadratic(z, p, st, yates_grundy)
        assert got.se[0] == pytest.approx(np.sqrt(expected), rel=1e-9, nan_ok=True)


def test_sums_of_squares_by_stratum() -> None:
    sums = {"a": 2.0, "b": 2.2}
    whole = sy.Survey(
        election(), strata="st", fpc="p", pps=sy.Pps("hartley-rao", sum_of_squares=sums)
    ).total(NAMES, by="st")
    for st, value in sums.items():
        alone = sy.Survey(
            election().filter(pl.col("st") == st),
            fpc="p",
            pps=sy.Pps("hartley-rao", sum_of_squares=value),
        ).total(NAMES)
        assert whole[st].se == pytest.approx(alone.se, rel=1e-9)
    for wrong, message in (({"a": 2.0}, "lacks stratum 'b'"), (4.2, "a number for each stratum")):
        with pytest.raises(errors.DesignMismatch, match=message):
            sy.Survey(
                election(), strata="st", fpc="p", pps=sy.Pps("hartley-rao", sum_of_squares=wrong)
            )
    with pytest.raises(errors.DesignMismatch, match="one number where there are no strata"):
        sy.Survey(election(), fpc="p", pps=sy.Pps("hartley-rao", sum_of_squares=sums))


@every_method
def test_a_stratum_of_one_unit_is_refused(method: Any) -> None:
    frame = election().with_columns(st=pl.Series(["a"] * 39 + ["b"]))
    with pytest.raises((errors.LonelyStratum, errors.DesignMismatch), match="single"):
        sy.Survey(frame, strata="st", fpc="p", pps=method)


# Units that were certain to be sampled


def some_certain() -> pl.DataFrame:
    return election().with_columns(
        p=pl.when(pl.int_range(pl.len()) < 3).then(1.0).otherwise(pl.col("p"))
    )


# R counts units that are certain in n of Overton's approximation, which then adds an error where
# there is none: the first three counties beside the others give 3522646.9 for Bush.
@pytest.mark.parametrize(
    "method",
    [
        sy.Pps("overton"),
        sy.Pps("overton", "yates-grundy"),
        pytest.param(sy.Pps("hartley-rao")),
        pytest.param(sy.Pps("hartley-rao", "yates-grundy")),
    ],
    ids=name_of,
)
def test_units_that_are_certain_have_no_error(method: Any) -> None:
    frame = some_certain()
    certain = sy.Survey(frame, fpc="p", pps=method).total("Nader")
    others = sy.Survey(frame[3:], fpc="p", pps=method).total("Nader")
    assert certain.se == pytest.approx(others.se, rel=1e-9)
    assert certain.value == pytest.approx(others.value + frame["Nader"][:3].sum(), rel=1e-12)


# e$p[1:3] <- 1; SE(svytotal(~Bush+Kerry, svydesign(id=~1, fpc=~p, data=e, pps="brewer"))).
def test_brewer_with_units_that_are_certain_equals_r() -> None:
    got = sy.Survey(some_certain(), fpc="p", pps="brewer").total(NAMES)
    assert got.se == pytest.approx([2415348.3003219138, 2304791.3166952673], rel=1e-9)


CERTAIN = """
import polars as pl
import steelyard as sy
frame = pl.DataFrame(
    {{"y": [1.0, 5.0, 3.0, 8.0, 2.0, 7.0], "p": {p}, "g": ["a"] * 3 + ["b"] * 3}}
)
total = sy.Survey(frame, strata="g", fpc="p", pps={method!r}).total("y", by="g")
assert total["a"].se[0] == 0
"""


@pytest.mark.parametrize("p", [[1.0] * 6, [1.0] * 3 + [0.2, 0.3, 0.4]], ids=["all", "one"])
@pytest.mark.parametrize(
    "method",
    [
        "brewer",
        "overton",
        "hartley-rao",
    ],
)
def test_a_stratum_that_was_taken_whole(method: str, p: list[float]) -> None:
    code = CERTAIN.format(method=method, p=p)
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert found.returncode == 0, found.stderr.decode()


# Clusters


def halves() -> pl.DataFrame:
    """Each county in two rows, with 0.3 and 0.7 of its votes, in another order."""
    parts = [election().with_columns(pl.col(NAMES) * share) for share in (0.3, 0.7)]
    return pl.concat(parts).sample(fraction=1, shuffle=True, seed=4)


@every_method
@pytest.mark.parametrize("strata", [None, "st"])
def test_clusters_are_units(method: Any, strata: str | None) -> None:
    rows = sy.Survey(election(), strata=strata, fpc="p", pps=method)
    clusters = sy.Survey(halves(), strata=strata, clusters="County", fpc="p", pps=method)
    wanted, got = rows.total(NAMES), clusters.total(NAMES)
    assert got.estimate == pytest.approx(wanted.estimate, rel=1e-12)
    assert got.cov == pytest.approx(wanted.cov, rel=1e-9)
    assert got.df == wanted.df
    assert got.n.tolist() == [80, 80]
    ratio = clusters.ratio("Bush", "Kerry")
    assert ratio.se == pytest.approx(rows.ratio("Bush", "Kerry").se, rel=1e-9)


def test_joint_probabilities_of_clusters_go_by_their_first_rows() -> None:
    data = halves()
    order = data["County"].unique(maintain_order=True).to_list()
    position = [election()["County"].to_list().index(name) for name in order]
    given = sy.Pps("joint", joint=joint()[np.ix_(position, position)])
    got = sy.Survey(data, clusters="County", fpc="p", pps=given).total(NAMES)
    wanted = sy.Survey(election(), fpc="p", pps=sy.Pps("joint", joint=joint())).total(NAMES)
    assert got.cov == pytest.approx(wanted.cov, rel=1e-8)


def test_joint_probabilities_of_clusters_that_are_equally_probable() -> None:
    frame = pl.DataFrame({"y": [1.0, 5.0, 9.0, 2.0], "u": ["d", "c", "b", "a"], "p": [0.5] * 4})
    pairs = np.full((4, 4), 0.2)
    pairs[[0, 1, 2, 3], [1, 0, 3, 2]] = (0.1, 0.1, 0.3, 0.3)
    np.fill_diagonal(pairs, 0.5)
    given = sy.Pps("joint", joint=pairs)
    z = frame["y"].to_numpy() / 0.5
    form = np.where(np.eye(4), 0.5, (pairs - 0.25) / pairs)
    expected = np.sqrt(z @ form @ z)
    rows = sy.Survey(frame, fpc="p", pps=given).total("y")
    assert rows.se[0] == pytest.approx(expected, rel=1e-9)
    clusters = sy.Survey(frame, clusters="u", fpc="p", pps=given).total("y")
    assert clusters.se[0] == pytest.approx(expected, rel=1e-9)


def test_a_unit_has_one_probability() -> None:
    data = halves().with_columns(
        p=pl.when(pl.int_range(pl.len()) == 0).then(0.5).otherwise(pl.col("p"))
    )
    for method in ("brewer", "overton"):
        with pytest.raises(errors.InvalidFpc, match="'p'"):
            sy.Survey(data, clusters="County", fpc="p", pps=method)  # type: ignore[arg-type]


# Domains


# svyby(~Bush, ~big, d, svymean) and svytotal, big being votes > 60000: FALSE, TRUE.
@pytest.mark.parametrize(
    ("method", "means", "totals", "ratio"),
    [
        (
            "overton",
            (1083.2820342388311, 12570.385381877457),
            (5960267.3867895473, 4591497.9992239531),
            0.10809341531017451,
        ),
        (
            sy.Pps("hartley-rao", sum_of_squares=4.128410906493994),
            (1084.6582716696278, 12566.85269850558),
            (5822454.4040178359, 4737160.8272840371),
            0.10799827857982792,
        ),
        (
            "brewer",
            (1083.2820342388311, 12570.385381877457),
            (5799522.5239114789, 4711214.8532968387),
            0.10809341531017454,
        ),
    ],
    ids=["overton", "hartley-rao", "brewer"],
)
def test_groups_and_ratios_equal_r(
    method: Any, means: tuple[float, ...], totals: tuple[float, ...], ratio: float
) -> None:
    svy = sy.Survey(election(), fpc="p", pps=method)
    assert svy.mean("Bush", by="large").se == pytest.approx(means, rel=1e-9)
    assert svy.total("Bush", by="large").se == pytest.approx(totals, rel=1e-9)
    assert svy.ratio("Bush", "Kerry").value == pytest.approx(1.2600746793414832, rel=1e-12)
    assert svy.ratio("Bush", "Kerry").se[0] == pytest.approx(ratio, rel=1e-9)


@every_method
def test_a_condition_is_one_group(method: Any) -> None:
    svy = sy.Survey(election(), strata="st", fpc="p", pps=method)
    groups = svy.mean("Bush", by="large")
    where = svy.mean("Bush", where="large")
    assert groups[True].value == where.value
    assert groups[True].se == pytest.approx(where.se, rel=1e-9)
    zero = election().with_columns(
        y=pl.when("large").then(pl.col("Bush")).otherwise(0), x=pl.col("large").cast(pl.Int8)
    )
    as_ratio = sy.Survey(zero, strata="st", fpc="p", pps=method).ratio("y", "x")
    assert as_ratio.se == pytest.approx(where.se, rel=1e-9)


@every_method
def test_missing_answers_are_another_domain(method: Any) -> None:
    frame = election().with_columns(hole=pl.when("large").then(pl.col("Bush")))
    svy = sy.Survey(frame, fpc="p", pps=method)
    got, wanted = svy.mean("hole"), svy.mean("Bush", where="large")
    assert got.se == pytest.approx(wanted.se, rel=1e-9)
    assert (got.n[0], got.missing[0]) == (26, 14)


@every_method
def test_one_county_has_no_error(method: Any) -> None:
    first = sy.Survey(election(), fpc="p", pps=method).mean(
        "Bush", where=pl.int_range(pl.len()) == 0
    )
    assert first.value == pytest.approx(election()["Bush"][0], rel=1e-12)
    assert np.isnan(first.se[0])
    assert first.notes == ["answers from one unit only: error not estimable"]


@every_method
def test_groups_covary(method: Any) -> None:
    groups = sy.Survey(election(), fpc="p", pps=method).mean("Bush", by="large")
    gap = groups[True] - groups[False]
    expected = groups.cov[0, 0] + groups.cov[1, 1] - 2 * groups.cov[0, 1]
    assert gap.se[0] ** 2 == pytest.approx(expected, rel=1e-9)


@every_method
def test_shares_of_everybody_and_of_groups(method: Any) -> None:
    svy = sy.Survey(election().with_columns(yes=pl.lit(value=True)), fpc="p", pps=method)
    everybody = svy.proportion("yes", positive=True)
    assert everybody.notes == ["everybody gave this answer: exact one-sided interval"]
    assert everybody.ci()[0, 0] == pytest.approx(0.05 ** (1 / 40), rel=1e-9)
    shares = svy.proportion("large")
    assert shares.estimate.sum() == pytest.approx(1, rel=1e-14)
    assert np.abs(shares.cov.sum(axis=0)).max() < 1e-12


# Order, weights, comparisons


@every_method
def test_the_order_of_rows_does_not_matter(method: Any) -> None:
    mixed = election().sample(fraction=1, shuffle=True, seed=9)
    wanted = sy.Survey(election(), strata="st", fpc="p", pps=method).mean(NAMES)
    got = sy.Survey(mixed, strata="st", fpc="p", pps=method).mean(NAMES)
    assert got.cov == pytest.approx(wanted.cov, rel=1e-9)


@every_method
def test_weights_are_the_inverse_of_the_probabilities(method: Any) -> None:
    frame = election().with_columns(weight=1 / pl.col("p"))
    given = sy.Survey(frame, weights="weight", fpc="p", pps=method).total(NAMES)
    wanted = sy.Survey(frame, fpc="p", pps=method).total(NAMES)
    assert given.estimate == pytest.approx(wanted.estimate, rel=1e-13)
    assert given.cov == pytest.approx(wanted.cov, rel=1e-9)


@every_method
def test_two_samples_are_independent(method: Any) -> None:
    later = election().with_columns(pl.col("Bush") * 1.1)
    waves = {2004: election(), 2008: later}
    surveys = {year: sy.Survey(frame, fpc="p", pps=method) for year, frame in waves.items()}
    compared = sy.compare(surveys, sy.mean("Bush"))
    change = compared.differences[2008]
    first, second = (svy.mean("Bush").se[0] for svy in surveys.values())
    assert change.se[0] == pytest.approx(np.hypot(first, second), rel=1e-9)
    assert compared.overlap == {2008: 0}


@pytest.mark.parametrize("strata", [None, "st"])
@pytest.mark.parametrize(
    "method",
    [
        "brewer",
        "overton",
        pytest.param(
            sy.Pps("overton", "yates-grundy"),
        ),
    ],
    ids=name_of,
)
def test_a_change_has_the_degrees_of_freedom_of_both(method: Any, strata: str | None) -> None:
    first, second = (
        sy.Survey(election(), strata=strata, fpc="p", pps=method).total("Bush") for _ in range(2)
    )
    assert first.df == second.df == (38 if strata else 39)
    assert (second - first).df == first.df + second.df


@every_method
def test_a_sample_compared_with_itself_has_not_changed(method: Any) -> None:
    svy = sy.Survey(election(), fpc="p", pps=method)
    change = sy.compare({1: svy, 2: svy}, sy.mean("Bush")).differences[2]
    assert (change.value, change.df) == (0, 39)
    assert change.se[0] == pytest.approx(0, abs=1e-9 * svy.mean("Bush").se[0])


# Rows of a quadratic form mix units, so that none of them can be found in another sample.
@pytest.mark.parametrize(("method", "shared"), [("brewer", 10), ("overton", 0)])
def test_clusters_that_two_samples_share_are_counted(method: Any, shared: int) -> None:
    waves = {
        1: sy.Survey(election()[:25], clusters="County", fpc="p", pps=method),
        2: sy.Survey(election()[15:], clusters="County", fpc="p", pps=method),
    }
    assert sy.compare(waves, sy.mean("Bush")).overlap == {2: shared}


@every_method
def test_the_method_is_named_in_the_output(method: Any) -> None:
    svy = sy.Survey(election(), strata="st", fpc="p", pps=method)
    expected = (sy.Pps(method) if isinstance(method, str) else method).text
    assert expected in svy.mean("Bush").conventions["variance"]


def test_methods_that_are_not_known() -> None:
    with pytest.raises(ValueError, match="'brewer', 'overton', 'hartley-rao', 'joint'"):
        sy.Pps("sampford")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'horvitz-thompson', 'yates-grundy'"):
        sy.Pps("overton", "sen")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="goes with method='hartley-rao'"):
        sy.Pps("overton", sum_of_squares=4.1)


@pytest.mark.parametrize("value", [-1.0, 0.0, float("nan"), 1e6])
def test_sums_of_squares_that_cannot_be(value: float) -> None:
    # Of 40 units the sum of squares is at most the sum of probabilities, 40.
    with pytest.raises((ValueError, errors.DesignMismatch), match="sum_of_squares"):
        sy.Survey(election(), fpc="p", pps=sy.Pps("hartley-rao", sum_of_squares=value))
