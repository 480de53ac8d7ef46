"""Degrees of freedom of intervals and tests, by every rule."""

import math
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

import steelyard as sy
from steelyard import errors

Floats = npt.NDArray[np.float64]

RULES = ("design", "domain", "satterthwaite", "normal", 7.5)
STRATIFIED = {"weights": "pw", "strata": "stype", "fpc": "fpc"}
# qt(.975, df) of R 4.2.2.
T = {
    7.5: 2.3330396268649736,
    49.0: 2.0095752371292401,
    99.0: 1.9842169515864165,
    197.0: 1.9720790337785104,
    math.inf: 1.9599639845400545,
}


@cache
def schools() -> pl.DataFrame:
    frame = sy.datasets.load("apistrat", backend="polars")
    assert isinstance(frame, pl.DataFrame)
    return frame


@cache
def survey(df: Any = "design") -> sy.Survey:
    return sy.Survey(schools(), df=df, **STRATIFIED)  # type: ignore[arg-type]


def cochran(
    z: Floats, strata: npt.NDArray[Any], units: npt.NDArray[Any], fraction: dict[Any, float]
) -> float:
    """(sum of v_h)^2 over sum of v_h^2 / (n_h - 1), v_h the variance that a stratum adds."""
    added = []
    for h in np.unique(strata):
        mine = strata == h
        totals = np.array([z[mine & (units == u)].sum() for u in np.unique(units[mine])])
        n = len(totals)
        spread = ((totals - totals.mean()) ** 2).sum() * n / (n - 1)
        added.append(((1 - fraction.get(h, 0.0)) * spread, n))
    total = sum(v for v, _ in added)
    return float(total**2 / sum(v**2 / (n - 1) for v, n in added))


def mean_influence(y: Floats, w: Floats, inside: npt.NDArray[np.bool_]) -> Floats:
    total = (w * inside).sum()
    result: Floats = inside * w * (y - (w * inside) @ y / total) / total
    return result


# Rules


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("design", [197, 197, 197]),
        ("domain", [99, 49, 49]),
        ("satterthwaite", [99, 49, 49]),  # each group is a stratum
        ("normal", [math.inf] * 3),
        (7.5, [7.5] * 3),
        (3, [3] * 3),
    ],
)
def test_a_rule_holds_for_the_survey_or_for_one_question(rule: Any, expected: list[float]) -> None:
    before, after = survey(rule).mean("api00", by="stype"), survey().mean("api00", by="stype")
    assert before.degrees_of_freedom() == pytest.approx(expected, rel=1e-12)
    assert after.degrees_of_freedom(rule) == pytest.approx(expected, rel=1e-12)
    assert after.degrees_of_freedom().tolist() == [197] * 3
    np.testing.assert_array_equal(before.ci(), after.ci(df=rule))
    np.testing.assert_array_equal(before.p_value(600), after.p_value(600, df=rule))
    np.testing.assert_array_equal(before.se, after.se)
    # One question may ask for another rule than the survey's.
    np.testing.assert_array_equal(before.ci(df="design"), after.ci())
    assert before.df == after.df == 197


@pytest.mark.parametrize("rule", RULES)
def test_intervals_are_t_on_them(rule: Any) -> None:
    got = survey(rule).mean("api00", by="stype")
    t = np.array([T[round(df, 6)] for df in got.degrees_of_freedom()])
    wanted = np.column_stack([got.estimate - t * got.se, got.estimate + t * got.se])
    assert got.ci() == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_p_values_agree_with_intervals(rule: Any) -> None:
    got = survey(rule).mean("api00", by="stype")
    for low, high in zip(*got.ci().T, strict=True):
        at_ends = [got.p_value(float(bound)) for bound in (low, high)]
        found = [p for ends in at_ends for p in ends if abs(p - 0.05) < 1e-9]
        assert len(found) == 2


# 2 * pt(-abs(coef(m) - 450) / SE(m), df), m <- svymean(~api00, d).
@pytest.mark.parametrize(
    ("df", "expected"),
    [
        ("design", 1.6539796120147185e-56),
        (49, 1.5485910346740714e-27),
        (7.5, 3.6288100444859533e-08),
        ("normal", 1.0169111360367112e-112),
    ],
)
def test_small_p_values_equal_r(df: Any, expected: float) -> None:
    assert survey().mean("api00").p_value(450, df=df)[0] == pytest.approx(expected, rel=1e-9)
    assert survey(df).mean("api00").p_value(450)[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("rule", RULES)
def test_every_kind_of_estimate_follows_the_rule(rule: Any) -> None:
    by_rule, plain = survey(rule), survey()
    for call in (
        lambda svy: svy.proportion("sch.wide", positive="Yes", by="stype"),
        lambda svy: svy.total("enroll", by="stype"),
        lambda svy: svy.variance("api00", by="stype"),
        lambda svy: svy.cdf("api00", 600, by="stype"),
        lambda svy: svy.ratio("api00", "api99", by="stype"),
    ):
        before, after = call(by_rule), call(plain)
        np.testing.assert_allclose(before.ci(), after.ci(df=rule), rtol=1e-13)
        np.testing.assert_allclose(before.se, after.se, rtol=1e-13)
        assert before.to_dict()["df"] == [
            df if math.isfinite(df) else None for df in after.degrees_of_freedom(rule).tolist()
        ]


def test_intervals_of_proportions_use_them_by_any_method() -> None:
    share = survey().proportion("sch.wide", positive="Yes")
    for method in ("t", "logit", "wilson", "beta", "arcsine", "agresti-coull", "likelihood"):
        width = [np.ptp(share.ci(0.95, method, df=df)) for df in (2, 10, "design", "normal")]  # type: ignore[arg-type]
        assert width == sorted(width, reverse=True)
        assert width[0] > 1.2 * width[2]


def test_one_sided_intervals_use_them() -> None:
    mean = survey().mean("api00")
    lower = mean.ci(0.975, side="lower", df=7.5)[0, 0]
    assert lower == pytest.approx(mean.value - T[7.5] * mean.se[0], rel=1e-12)


def test_whole_numbers_and_those_of_numpy() -> None:
    mean = survey().mean("api00")
    for df in (5, 5.0, np.int64(5), np.float64(5)):
        assert mean.degrees_of_freedom(df).tolist() == [5]  # type: ignore[arg-type]
        assert survey(float(df)).mean("api00").degrees_of_freedom().tolist() == [5]
    np.testing.assert_array_equal(mean.ci(df=math.inf), mean.ci(df="normal"))
    np.testing.assert_array_equal(mean.ci(df="normal"), mean.ci(method="normal"))


# Domains


def test_in_a_domain_units_with_an_answer_count() -> None:
    frame: Any = sy.datasets.load("apiclus1", backend="polars")
    frame = frame.with_columns(
        hole=pl.when(pl.col("dnum").is_in([61, 135])).then(None).otherwise(pl.col("api00"))
    )
    svy = sy.Survey(frame, "pw", clusters="dnum", df="domain")
    got = svy.mean("hole", by="stype")
    for stype in ("E", "H", "M"):
        mine = frame.filter(pl.col("stype") == stype).drop_nulls("hole")
        assert got[stype].degrees_of_freedom()[0] == mine["dnum"].n_unique() - 1
    assert got.df_domain.tolist() == got.degrees_of_freedom().tolist()
    assert (got.degrees_of_freedom() <= 12).all()


def test_a_domain_has_at_least_1() -> None:
    one = survey("domain").mean("api00", where=pl.int_range(pl.len()) == 0)
    assert one.df_domain[0] == 0
    assert one.degrees_of_freedom()[0] == 1
    assert np.isnan(one.ci()).all()
    two = survey("domain").mean("api00", where=pl.int_range(pl.len()) < 2)
    assert two.degrees_of_freedom()[0] == 1


# Satterthwaite's


def unequal(strata: int = 4, seed: int = 5) -> pl.DataFrame:
    """Strata of 3 to 12 clusters of 1 to 6 rows, whose answers vary more and more."""
    random = np.random.default_rng(seed)
    rows = []
    for h in range(strata):
        for cluster in range(int(random.integers(3, 13))):
            centre = random.normal(10 * h, 2.0**h)
            for _ in range(int(random.integers(1, 7))):
                rows.append((h, f"{h}/{cluster}", random.normal(centre, 1), random.uniform(1, 4)))
    frame = pl.DataFrame(rows, schema=["h", "u", "y", "w"], orient="row")
    return frame.with_columns(
        half=pl.Series(random.random(len(rows)) < 0.5),
        population=pl.col("h").replace_strict({h: 20 * (h + 1) for h in range(strata)}),
    )


@pytest.mark.parametrize("fpc", [None, "population"])
@pytest.mark.parametrize("clusters", [None, "u"])
@pytest.mark.parametrize("where", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_satterthwaites_by_brute_force(
    fpc: str | None, clusters: str | None, where: bool, seed: int
) -> None:
    frame = unequal(seed=seed)
    size = pl.col("u").n_unique().over("h") if clusters else pl.len().over("h")
    frame = frame.with_columns(population=5 * size * (pl.col("h") + 1))
    svy = sy.Survey(frame, "w", strata="h", clusters=clusters, fpc=fpc, df="satterthwaite")
    y, w, h = (frame[name].to_numpy() for name in ("y", "w", "h"))
    units = frame["u"].to_numpy() if clusters else np.arange(len(frame))
    fraction = {} if fpc is None else {k: 1 / (5 * (k + 1)) for k in range(4)}
    inside = frame["half"].to_numpy() if where else np.ones(len(frame), dtype=bool)
    z = mean_influence(y, w, inside)
    expected = cochran(z, h, units, fraction)  # units without rows in the domain add their 0
    got = svy.mean("y", where="half" if where else None)
    assert got.degrees_of_freedom()[0] == pytest.approx(expected, rel=1e-9)
    assert 2 < got.degrees_of_freedom()[0] < got.df
    total = svy.total("y", where="half" if where else None)
    expected = cochran(w * y * inside, h, units, fraction)
    assert total.degrees_of_freedom()[0] == pytest.approx(expected, rel=1e-9)


def test_strata_that_are_alike_have_units_minus_strata() -> None:
    # The same rows in every stratum: every stratum adds the same variance to the total.
    one = pl.DataFrame({"y": [1.0, 4.0, 2.0, 8.0, 3.0]})
    frame = pl.concat([one.with_columns(h=pl.lit(h)) for h in range(6)])
    got = sy.Survey(frame, strata="h", df="satterthwaite").mean("y")
    assert got.df == 24
    assert got.degrees_of_freedom()[0] == pytest.approx(24, rel=1e-12)


def test_without_strata_they_are_units_minus_1() -> None:
    frame = unequal()
    for clusters, units in ((None, len(frame)), ("u", frame["u"].n_unique())):
        got = sy.Survey(frame, "w", clusters=clusters, df="satterthwaite").mean("y", by="half")
        assert got.degrees_of_freedom() == pytest.approx([units - 1] * 2, rel=1e-12)


def test_one_stratum_that_varies_has_its_own() -> None:
    frame = unequal().with_columns(
        y=pl.when(pl.col("h") == 3).then(pl.col("y")).otherwise(0.0), w=pl.lit(1.0)
    )
    got = sy.Survey(frame, "w", strata="h", clusters="u", df="satterthwaite").total("y")
    units = frame.filter(pl.col("h") == 3)["u"].n_unique()
    assert got.degrees_of_freedom()[0] == pytest.approx(units - 1, rel=1e-12)


def test_where_nothing_varies_they_are_the_designs() -> None:
    frame = unequal().with_columns(same=pl.lit(3.0))
    got = sy.Survey(frame, "w", strata="h", clusters="u", df="satterthwaite").mean("same")
    assert got.degrees_of_freedom()[0] == got.df


def test_contrasts_have_satterthwaites_of_their_own() -> None:
    got = survey("satterthwaite").mean("api00", by="stype")
    difference = got["E"] - got["H"]
    # Two independent strata: Welch's degrees of freedom, (v1 + v2)^2 / (v1^2 / f1 + v2^2 / f2).
    v1, v2 = got["E"].se[0] ** 2, got["H"].se[0] ** 2
    welch = (v1 + v2) ** 2 / (v1**2 / 99 + v2**2 / 49)
    assert difference.degrees_of_freedom()[0] == pytest.approx(welch, rel=1e-12)
    contrast = got.contrast({"E": 1, "H": -1})
    assert contrast.degrees_of_freedom()[0] == pytest.approx(welch, rel=1e-12)
    log = (got["E"] / got["H"]).log()
    a, b = v1 / got["E"].value ** 2, v2 / got["H"].value ** 2
    assert log.degrees_of_freedom()[0] == pytest.approx(
        (a + b) ** 2 / (a**2 / 99 + b**2 / 49), rel=1e-12
    )


@pytest.mark.parametrize(
    ("rule", "expected"), [("design", 197), ("domain", 49), ("normal", math.inf), (7.5, 7.5)]
)
def test_contrasts_by_other_rules(rule: Any, expected: float) -> None:
    got = survey(rule).mean("api00", by="stype")
    for combined in (
        got["E"] - got["H"],
        got.contrast({"E": 1, "H": -1}),
        got["E"] / got["H"],
        got.transform(lambda x: x[0] - x[1]),
    ):
        assert combined.degrees_of_freedom().tolist() == [expected]


def test_welchs_test_of_two_samples() -> None:
    # R 4.2.2: t.test(c(3,5,8,4,9), c(7,12,5,20,9,15,2)).
    first, second = [3, 5, 8, 4, 9], [7, 12, 5, 20, 9, 15, 2]
    frame = pl.DataFrame({"y": [*first, *second], "g": ["a"] * 5 + ["b"] * 7})
    groups = sy.Survey(frame, strata="g", df="satterthwaite").mean("y", by="g")
    difference = groups["a"] - groups["b"]
    assert difference.degrees_of_freedom()[0] == pytest.approx(8.54656496803315058, rel=1e-12)
    assert difference.value / difference.se[0] == pytest.approx(-1.61436146446466622, rel=1e-12)
    assert difference.p_value()[0] == pytest.approx(0.14269476108779933, rel=1e-12)


def large(df: Any) -> sy.Estimates:
    y = np.random.default_rng(1).normal(size=300_000)
    frame = pl.DataFrame({"y": y, "h": np.arange(len(y)) % 5, "g": np.arange(len(y)) % 70})
    means = sy.Survey(frame, strata="h", df=df).mean("y", by="g")
    assert not means.core.by_unit
    return means


def test_too_many_units_to_keep() -> None:
    means = large("design")
    with pytest.raises(ValueError, match="too many units"):
        means.ci(df="satterthwaite")
    assert means.ci(df="domain").shape == (70, 2)


def test_estimates_of_too_many_units_have_no_rule_that_needs_each() -> None:
    with pytest.raises(errors.CovarianceUnknown, match="choose df='design'"):
        large("satterthwaite")


# How it is said


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("design", "units minus strata of the whole design"),
        ("domain", "units minus strata among those with an answer in the domain"),
        ("satterthwaite", "Satterthwaite's"),
        ("normal", "infinitely many"),
        (7.5, "7.5, as given"),
    ],
)
def test_the_rule_is_named_in_the_output(rule: Any, text: str) -> None:
    got = survey(rule).mean("api00", by="stype")
    assert text in got.conventions["degrees of freedom"]
    assert text in repr(got)
    assert text in (got["E"] - got["H"]).conventions["degrees of freedom"]


# Bad values


@pytest.mark.parametrize("rule", ["welch", "Design", 0, -1, float("nan"), ""])
def test_rules_that_are_not_known(rule: Any) -> None:
    mean = survey().mean("api00")
    for call in (mean.ci, mean.p_value, mean.degrees_of_freedom):
        name = "rule" if call == mean.degrees_of_freedom else "df"
        with pytest.raises(ValueError, match="is no rule for degrees of freedom") as caught:
            call(**{name: rule})
        for known in ("'design'", "'domain'", "'satterthwaite'", "'normal'", "positive number"):
            assert known in str(caught.value)


@pytest.mark.parametrize("rule", ["welch", 0, -1, float("nan"), None, [5]])
def test_a_survey_refuses_rules_that_are_not_known(rule: Any) -> None:
    with pytest.raises(ValueError, match="is no rule for degrees of freedom"):
        sy.Survey(schools(), df=rule, **STRATIFIED)  # type: ignore[arg-type]


def test_true_is_not_a_number_of_degrees_of_freedom() -> None:
    with pytest.raises((TypeError, ValueError), match="degrees of freedom"):
        survey().mean("api00").ci(df=True)


# Changes


def test_a_change_between_surveys_follows_their_rule() -> None:
    waves = {
        year: sy.Survey(unequal(seed=year), "w", "h", "u", nest=True, df="satterthwaite")
        for year in (1, 2)
    }
    change = waves[2].mean("y") - waves[1].mean("y")
    assert change.degrees_of_freedom()[0] > 2
    compared = sy.compare(waves, sy.mean("y"))
    difference = compared.changes[0].difference
    assert difference.degrees_of_freedom() == pytest.approx(change.degrees_of_freedom(), rel=1e-12)


def test_a_change_between_surveys_of_two_rules_is_refused() -> None:
    waves = {1: survey(3), 2: survey("normal")}
    with pytest.raises(ValueError, match="different rules for degrees of freedom"):
        sy.compare(waves, sy.mean("api00"))
