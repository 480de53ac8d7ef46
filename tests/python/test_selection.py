"""Unequal probabilities and two phases, against R 4.2.2 and its package survey 4.1.1."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

import steelyard as sy
from steelyard import errors

DATA = Path(__file__).parent.parent / "data"
SUM_OF_SQUARES = 4.128410906493994  # sum(election$p^2)


def election() -> pl.DataFrame:
    return pl.read_csv(DATA / "election_pps.csv")


def joint() -> npt.NDArray[np.float64]:
    return np.loadtxt(DATA / "election_joint.csv", delimiter=",")


def two_phase() -> pl.DataFrame:
    return pl.read_csv(DATA / "nwtco_two_phase.csv")


# SE(svytotal(~Bush+Kerry+Nader, d)) and SE(svymean(~Bush, d)), d <- svydesign(id=~1, fpc=~p,
# data=election_pps, pps=..., variance=...).
@pytest.mark.parametrize(
    ("pps", "totals", "mean"),
    [
        ("brewer", (2447628.8886561524, 2450786.5390824075, 102420.2435154058), 2536.42096463239),
        (
            "overton",
            (2939607.8499393649, 1964631.6287417104, 104372.8352622504),
            2536.420964632389,
        ),
        (
            sy.Pps("overton", "yates-grundy"),
            (2483725.7383834356, 2489098.1431885, 100874.7943001508),
            2468.686365530876,
        ),
        (
            sy.Pps("hartley-rao", sum_of_squares=SUM_OF_SQUARES),
            (2624661.6443617046, 2525222.4561397796, 102793.0389246602),
            2539.522855990237,
        ),
        (
            sy.Pps("hartley-rao", "yates-grundy", sum_of_squares=SUM_OF_SQUARES),
            (2436738.1568115982, 2439844.6962183630, 102015.9556214546),
            2526.894236744726,
        ),
        (
            "hartley-rao",
            (2472752.9627886885, 2426842.1979311071, 102595.3435226677),
            2539.760275449266,
        ),
        (
            sy.Pps("joint", joint=joint()),
            (2604404.4778003809, 2523712.3694576435, 102325.5618221468),
            2531.010024206827,
        ),
        (
            sy.Pps("joint", "yates-grundy", joint=joint()),
            (2406525.809216371, 2408090.520598380, 101663.663722092),
            2522.907241778531,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_equals_r(pps: sy.Pps, totals: tuple[float, ...], mean: float) -> None:
    svy = sy.Survey(election(), fpc="p", pps=pps)
    assert svy.total(["Bush", "Kerry", "Nader"]).se == pytest.approx(totals, rel=1e-9)
    assert svy.mean("Bush").se[0] == pytest.approx(mean, rel=1e-9)
    assert svy.degrees_of_freedom == 39


def test_simple_random_sampling_has_known_joint_probabilities() -> None:
    n, population = 40, 100
    frame = election().with_columns(f=pl.lit(n / population))
    pairs = np.full((n, n), n * (n - 1) / (population * (population - 1)))
    np.fill_diagonal(pairs, n / population)
    simple = sy.Survey(frame, fpc="f").total(["Bush", "Kerry"])
    for variance in ("horvitz-thompson", "yates-grundy"):
        given = sy.Survey(frame, fpc="f", pps=sy.Pps("joint", variance, joint=pairs))
        assert given.total(["Bush", "Kerry"]).cov == pytest.approx(simple.cov, rel=1e-9)


def test_estimates_of_separate_calls_covary() -> None:
    svy = sy.Survey(election(), fpc="p", pps="overton")
    both = svy.total(["Bush", "Kerry"])
    apart = svy.total("Bush") - svy.total("Kerry")
    together = both["Bush"] - both["Kerry"]
    assert apart.se == pytest.approx(together.se, rel=1e-9)
    assert apart.df == together.df == 39


def test_a_variance_that_comes_out_negative_is_not_a_number() -> None:
    svy = sy.Survey(election(), fpc="p", pps="overton")
    vector = np.linalg.eigh(_coefficients())[1][:, 0]
    frame = election().with_columns(worst=vector * election()["p"].to_numpy())
    estimate = sy.Survey(frame, fpc="p", pps="overton").total("worst")
    assert np.isnan(estimate.se[0])
    assert estimate.notes[0] is not None
    assert np.isfinite(svy.total("Bush").se[0])


def _coefficients() -> npt.NDArray[np.float64]:
    p = election()["p"].to_numpy()
    n = len(p)
    matrix = 1 - (n - (p[:, None] + p[None, :]) / 2) / (n - 1)
    np.fill_diagonal(matrix, 1 - p)
    return matrix


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pps": "brewer"}, "pps= needs fpc="),
        ({"pps": "overton"}, "pps= needs fpc="),
        ({"pps": "brewer", "fpc": "votes"}, "not a probability"),
        ({"pps": "overton", "fpc": "votes"}, "not a probability"),
        ({"pps": "overton", "fpc": ["p", "p"], "clusters": ["County", None]}, "one stage"),
    ],
)
def test_refusals(arguments: dict[str, object], message: str) -> None:
    with pytest.raises((errors.DesignMismatch, errors.InvalidFpc), match=message):
        sy.Survey(election(), **arguments)  # type: ignore[arg-type]


def test_joint_probabilities_that_cannot_be() -> None:
    wrong = joint()
    wrong[0, 1] = wrong[1, 0] = 1.0
    with pytest.raises(errors.DesignMismatch, match="units 0 and 1"):
        sy.Survey(election(), fpc="p", pps=sy.Pps("joint", joint=wrong))
    with pytest.raises(errors.DesignMismatch, match="shape"):
        sy.Survey(election(), fpc="p", pps=sy.Pps("joint", joint=joint()[:5, :5]))
    with pytest.raises(ValueError, match="goes with method='joint'"):
        sy.Pps("overton", joint=joint())


# twophase(id=list(~1,~1), strata=list(NULL,~rel), subset=~in.s, data=nw), and with
# fpc=list(~N,NULL): SE(svymean(~age)), SE(svytotal(~age)).
@pytest.mark.parametrize(
    ("arguments", "mean", "total"),
    [
        ({}, 3.313711064428901, 1214.530927971783),
        ({"fpc": "N"}, 3.284098048222617, 13228.3469382407),
    ],
)
def test_two_phases_equal_r(arguments: dict[str, str], mean: float, total: float) -> None:
    svy = sy.Survey(two_phase(), subsample=sy.Subsample("in_subsample", strata="rel"), **arguments)
    assert svy.mean("age").value == pytest.approx(40.28333333333333, rel=1e-12)
    assert svy.mean("age").se[0] == pytest.approx(mean, rel=1e-9)
    assert svy.total("age").se[0] == pytest.approx(total, rel=1e-9)
    assert svy.degrees_of_freedom == 101


def test_two_phases_with_strata_in_both_are_the_formula() -> None:
    # R 4.1.1 takes the sizes of first-phase strata from the wrong rows where there are several
    # (Dcheck_subset indexes the whole sample by positions in the subsample): 3.2425830239875655.
    frame = two_phase()
    svy = sy.Survey(frame, strata="st", fpc="Nst", subsample=sy.Subsample("in_subsample", "rel"))
    drawn = frame["in_subsample"].to_numpy()
    first, second = frame["st"].to_numpy(), frame["rel"].to_numpy()
    size_one = {h: (first == h).sum() for h in set(first)}
    size_two = {g: ((second == g) & drawn).sum() for g in set(second)}
    p_one = np.array([size_one[h] for h in first]) / frame["Nst"].to_numpy()
    p_two = np.array([size_two[g] / (second == g).sum() for g in second])
    rows = np.flatnonzero(drawn)

    def independent(p: npt.NDArray[np.float64], strata: object, size: dict[int, int]) -> object:
        s, q = np.asarray(strata)[rows], p[rows]
        n = np.array([size[h] for h in s])
        same = s[:, None] == s[None, :]
        left = np.where(same, -((1 - q) / (n - 1))[:, None], 0.0)
        np.fill_diagonal(left, 1 - q)
        return 1 - left

    form = 1 - independent(p_one, first, size_one) * independent(p_two, second, size_two)
    y, w = frame["age"].to_numpy()[rows], 1 / (p_one * p_two)[rows]
    z = w * (y - (w * y).sum() / w.sum()) / w.sum()
    assert svy.mean("age").se[0] == pytest.approx(np.sqrt(z @ form @ z), rel=1e-9)


def test_a_subsample_of_all_rows_is_the_sample() -> None:
    frame = two_phase().with_columns(everyone=pl.lit(True))
    whole = sy.Survey(frame, fpc="N").mean("age", by="rel")
    again = sy.Survey(frame, fpc="N", subsample=sy.Subsample("everyone")).mean("age", by="rel")
    assert again.cov == pytest.approx(whole.cov, rel=1e-9)


def test_subsamples_that_cannot_be() -> None:
    frame = two_phase().with_columns(nobody=pl.lit(False), only=pl.col("rel") == 0)
    with pytest.raises(errors.DesignMismatch, match="empty"):
        sy.Survey(frame, subsample=sy.Subsample("nobody"))
    with pytest.raises(errors.DesignMismatch, match="stratum 1 of the second phase"):
        sy.Survey(frame, subsample=sy.Subsample("only", strata="rel"))
    with pytest.raises(errors.InvalidFpc, match="not a probability"):
        sy.Survey(frame, subsample=sy.Subsample("in_subsample", fpc="age"))


def test_a_subsample_reads_its_design_with_care() -> None:
    frame = (
        two_phase()
        .with_row_index()
        .with_columns(
            pair=pl.col("index") // 2, light=pl.lit(0.5), chance=0.5 + pl.col("index") % 2 / 4
        )
    )

    def survey(*, weights: str | None = None, **arguments: str) -> sy.Survey:
        return sy.Survey(
            frame, weights=weights, subsample=sy.Subsample("in_subsample", **arguments)
        )

    with pytest.raises(errors.InvalidWeights, match=r"'light' is below 1 in .* first phase"):
        survey(weights="light")
    with pytest.raises(errors.ClusterInTwoStrata, match="more than one stratum of 'rel'"):
        survey(strata="rel", clusters="pair")
    drawn = frame.with_columns(in_subsample=pl.lit(True))
    with pytest.raises(errors.InvalidFpc, match="'chance' is not constant in cluster 0"):
        sy.Survey(drawn, subsample=sy.Subsample("in_subsample", clusters="pair", fpc="chance"))
    with pytest.raises(TypeError, match="one stage"):
        sy.Subsample("in_subsample", clusters=["a", "b"])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="subsample= is a Subsample, not str"):
        sy.Survey(frame, subsample="in_subsample")  # type: ignore[arg-type]


def test_rows_of_a_subsample_are_those_of_the_frame() -> None:
    frame = pl.DataFrame({"y": [1.0, 2, 3, 4, 5], "drawn": [False, True, True, False, True]})
    bad = frame.with_columns(p=pl.Series([0.5, 0.5, 1.5, 0.5, 0.5]))
    with pytest.raises(errors.InvalidFpc) as caught:
        sy.Survey(bad, subsample=sy.Subsample("drawn", fpc="p"))
    assert caught.value.rows == (2,)


def test_a_stratum_drawn_once_is_lonely_in_both_phases() -> None:
    frame = pl.DataFrame(
        {
            "y": [1.0, 2, 3, 4, 5, 6],
            "h": ["a", "a", "a", "b", "b", "b"],
            "one": ["a", "a", "a", "a", "a", "b"],
            "drawn": [True, True, False, True, False, False],
            "most": [True, True, True, True, False, True],
        }
    )
    with pytest.raises(errors.LonelyStratum, match="stratum 'b' of 'h'"):
        sy.Survey(frame, subsample=sy.Subsample("drawn", strata="h"))
    with pytest.raises(errors.LonelyStratum, match="stratum 'b' of 'one'"):
        sy.Survey(frame, strata="one", subsample=sy.Subsample("most"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lonely": "adjust"}, "no lonely= or lonely_domain="),
        ({"lonely_domain": "remove"}, "no lonely= or lonely_domain="),
        ({"df": "satterthwaite"}, "'satterthwaite' is not defined"),
        ({"pps": "brewer"}, "not combined"),
    ],
)
def test_what_goes_by_strata_is_refused_for_pairs(arguments: dict, message: str) -> None:
    with pytest.raises(errors.DesignMismatch, match=message):
        sy.Survey(two_phase(), subsample=sy.Subsample("in_subsample", strata="rel"), **arguments)


def test_pairs_of_too_many_units_are_refused_before_they_are_made() -> None:
    frame = pl.DataFrame({"y": np.arange(9000.0), "drawn": np.arange(9000) % 3 > 0, "p": 0.01})
    with pytest.raises(errors.DesignMismatch, match=r"6000 are too many \(at most 5000"):
        sy.Survey(frame, subsample=sy.Subsample("drawn"))
    with pytest.raises(errors.DesignMismatch, match=r"9000 are too many"):
        sy.Survey(frame, fpc="p", pps="overton")
