"""Changes judged: verdicts in words, many changes at once, margins, groups, frames and pictures."""

from functools import cache
from typing import get_args

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

import steelyard as sy
from steelyard import _core
from steelyard.change import Judged
from steelyard.errors import LabelNotFound
from steelyard.multiplicity import Adjustment

Floats = npt.NDArray[np.float64]


def frame(seed: int, shift: float = 0.0, share: float = 0.5, n: int = 60) -> pl.DataFrame:
    """Answers of n people whose level lasts, in four groups by site and by gender."""
    level = np.random.default_rng(99).normal(5, 1, n)
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "who": [f"p{i}" for i in range(n)],
            "g": ["F", "M", "X"] * (n // 3),
            "site": ["north"] * (n // 2) + ["south"] * (n - n // 2),
            "y": level + shift + rng.normal(0, 0.5, n),
            "yes": rng.random(n) < share,
        }
    )


@cache
def panel() -> dict[int, sy.Survey]:
    frames = {2021: frame(1), 2022: frame(2, 0.1), 2023: frame(3, 0.25), 2024: frame(4, 0.3)}
    return {year: sy.Survey(f, clusters="who") for year, f in frames.items()}


def shares(**counts: int) -> dict[str, sy.Survey]:
    """Surveys of 100 answers, of which so many are positive."""
    return {
        period: sy.Survey(pl.DataFrame({"yes": [True] * k + [False] * (100 - k)}))
        for period, k in counts.items()
    }


def of_shares(adjust: Adjustment = "holm", **counts: int) -> sy.Comparison:
    return sy.compare(shares(**counts), sy.proportion("yes", positive=True), adjust=adjust)


def of_means(before: list[float], after: list[float]) -> sy.Comparison:
    waves = {i: sy.Survey(pl.DataFrame({"y": y})) for i, y in enumerate((before, after))}
    return sy.compare(waves, sy.mean("y"))


# Verdicts


def test_verdicts_on_shares_are_in_points() -> None:
    # By hand: sqrt((0.5 * 0.5 + 0.8 * 0.2) / 99) = 6.4354 points, t(198) = 1.97202: 12.7 points.
    assert of_shares(a=50, b=80).verdicts == ["rose by 30.0 points, 95 % CI 17.3 to 42.7"]
    assert of_shares(a=80, b=50).verdicts == ["fell by 30.0 points, 95 % CI 17.3 to 42.7"]
    assert of_shares(a=50, b=51).verdicts == [
        "no clear change: +1.0 points, 95 % CI -13.0 to +15.0"
    ]
    assert of_shares(a=51, b=50).verdicts == [
        "no clear change: -1.0 points, 95 % CI -15.0 to +13.0"
    ]


def test_a_verdict_on_means_has_no_points() -> None:
    low, high = [1.0, 2.0, 3.0, 4.0], [11.0, 12.0, 13.0, 14.0]
    # By hand: variance 5/3 in each, sqrt(2 * 5/12) = 0.9129, t(6) = 2.44691: 2.23.
    assert of_means(low, high).verdicts == ["rose by 10.0, 95 % CI 7.77 to 12.2"]
    assert of_means(high, low).verdicts == ["fell by 10.0, 95 % CI 7.77 to 12.2"]


def test_no_change_has_no_sign() -> None:
    assert of_shares(a=50, b=50).verdicts == ["no clear change: 0.0 points, 95 % CI -14.0 to +14.0"]
    (verdict,) = of_means([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]).verdicts
    assert verdict is not None
    assert verdict.startswith("no clear change: 0, 95 % CI -2.27 to +2.27")


def test_a_change_that_is_clear_only_alone_says_so() -> None:
    compared = of_shares(a=50, b=64, c=52, d=49, e=51)
    assert compared.judged().p_value[0] < 0.05 < compared.judged().p_adjusted[0]
    verdict = compared.verdicts[0]
    assert verdict == (
        "rose by 14.0 points, 95 % CI 0.3 to 27.7, taken alone; not clear among 4 changes looked "
        "at (adjusted p = 0.18)"
    )
    assert (
        of_shares("none", a=50, b=64, c=52, d=49, e=51).verdicts[0] == verdict.split(", taken")[0]
    )


def test_without_an_error_there_is_no_verdict() -> None:
    f = pl.DataFrame({"g": ["a"] * 4 + ["b"], "y": [1.0, 2.0, 3.0, 4.0, 5.0]})
    waves = {i: sy.Survey(f, strata="g", lonely="remove") for i in (1, 2)}
    known, unknown = sy.compare(waves, sy.mean("y"), by="g", overlap="none").verdicts
    assert known is not None
    assert unknown is None


def test_the_verdict_goes_by_the_level_asked_for() -> None:
    compared = sy.compare(shares(a=50, b=62), sy.proportion("yes", positive=True), level=0.9)
    (verdict,) = compared.verdicts
    assert verdict is not None
    assert verdict.startswith("rose by 12.0 points, 90 % CI 0.4 to 23.6")
    assert of_shares(a=50, b=62).verdicts[0] != verdict
    with pytest.raises(ValueError, match="level=95 is not a confidence level"):
        sy.compare(shares(a=50, b=62), sy.proportion("yes", positive=True), level=95)


# Several changes at once


def by_hand(p: Floats, adjust: str) -> Floats:
    m, order = len(p), np.argsort(p)
    rank = np.arange(1, m + 1)
    ordered = p[order]
    if adjust == "bonferroni":
        found = m * ordered
    elif adjust == "holm":
        found = np.maximum.accumulate((m - rank + 1) * ordered)
    else:
        factor = m - rank + 1 if adjust == "hochberg" else m / rank
        found = np.minimum.accumulate((factor * ordered)[::-1])[::-1]
    result = np.empty(m)
    result[order] = np.minimum(found, 1)
    return result


@pytest.mark.parametrize("adjust", ["bonferroni", "holm", "hochberg", "benjamini-hochberg"])
def test_p_values_are_adjusted_as_by_hand(adjust: Adjustment) -> None:
    compared = sy.compare(panel(), sy.mean("y"), by="g", adjust=adjust)
    judged = compared.judged()
    assert len(judged.p_value) == 9
    assert judged.p_adjusted == pytest.approx(by_hand(judged.p_value, adjust), rel=1e-12)
    assert (judged.p_adjusted >= judged.p_value).all()
    assert judged.low == pytest.approx(judged.estimates.ci()[:, 0], rel=1e-12)


def test_adjustments_that_are_none_or_unknown() -> None:
    alone = sy.compare(panel(), sy.mean("y"), adjust="none").judged()
    assert alone.p_adjusted.tolist() == alone.p_value.tolist()
    with pytest.raises(ValueError, match=r"adjust='fdr' is none of 'none', 'bonferroni'"):
        sy.compare(panel(), sy.mean("y"), adjust="fdr")  # type: ignore[arg-type]


@pytest.mark.parametrize("adjust", get_args(Adjustment))
def test_what_has_no_p_value_does_not_count(adjust: Adjustment) -> None:
    single = pl.DataFrame({"g": ["a"] * 6 + ["b"] * 6 + ["c"], "y": [*range(12), 3]})
    later = single.with_columns(pl.col("y") + pl.Series([0, 1, 3, 2, 0, 4, 1, 2, 2, 5, 1, 1, 1]))
    pair = {1: single, 2: later}
    all_of = {k: sy.Survey(f, strata="g", lonely="remove") for k, f in pair.items()}
    known = {k: sy.Survey(f[:12], strata="g", lonely="remove") for k, f in pair.items()}
    judged = sy.compare(all_of, sy.mean("y"), by="g", adjust=adjust).judged()
    expected = sy.compare(known, sy.mean("y"), by="g", adjust=adjust).judged()
    assert np.isnan(judged.p_value).tolist() == [False, False, True]
    assert np.isnan(judged.p_adjusted[2])
    assert judged.p_adjusted[:2] == pytest.approx(expected.p_adjusted, abs=5e-3)


@cache
def simultaneous() -> Judged:
    return sy.compare(panel(), sy.mean("y"), adjust="max-t", seed=5).judged()


def test_simultaneous_intervals_are_wider() -> None:
    single, judged = sy.compare(panel(), sy.mean("y"), adjust="none").judged(), simultaneous()
    assert (judged.low < single.low).all()
    assert (judged.high > single.high).all()
    assert (judged.p_adjusted >= single.p_value - 2e-3).all()
    bonferroni = single.estimates.ci(1 - 0.05 / 3)
    assert (judged.low > bonferroni[:, 0]).all()
    assert (judged.high < bonferroni[:, 1]).all()
    clear = (judged.low > 0) | (judged.high < 0)
    assert clear.tolist() == (judged.p_adjusted < 0.05).tolist()


def test_draws_depend_on_the_seed_alone() -> None:
    first = simultaneous()
    again, other = (
        sy.compare(panel(), sy.mean("y"), adjust="max-t", seed=seed).judged() for seed in (5, 6)
    )
    assert first.low.tolist() == again.low.tolist()
    assert first.p_adjusted.tolist() == again.p_adjusted.tolist()
    assert first.low.tolist() != other.low.tolist()
    assert first.low == pytest.approx(other.low, abs=0.01)


def test_one_change_alone_has_its_t_interval() -> None:
    two = {year: panel()[year] for year in (2021, 2023)}
    single = sy.compare(two, sy.mean("y"), adjust="none").judged()
    compared = sy.compare(two, sy.mean("y"), adjust="max-t")
    judged = compared.judged()
    assert "intervals, simultaneous" in repr(compared)
    assert judged.p_adjusted == pytest.approx(single.p_value, abs=2e-3)
    assert judged.high - judged.low == pytest.approx(single.high - single.low, rel=0.02)


# Margins


def test_equivalence_is_two_one_sided_t_tests() -> None:
    compared = sy.compare(panel(), sy.mean("y"))
    found = compared.equivalence(0.2)
    for i, change in enumerate(compared.differences.values()):
        value, se, df = change.value, change.se[0], change.df
        p = max(_core.t_upper_tail(x / se, df) for x in (value + 0.2, 0.2 - value))
        assert found["p_value"][i] == pytest.approx(p, rel=1e-12)
        t = _core.t_quantile(0.95, df)
        assert found["ci_low"][i] == pytest.approx(value - t * se, rel=1e-12)
        assert found["ci_high"][i] == pytest.approx(value + t * se, rel=1e-12)


def test_verdicts_on_either_side_of_the_margin() -> None:
    compared = sy.compare({y: panel()[y] for y in (2021, 2024)}, sy.mean("y"))
    change = compared.differences[2024]
    half = _core.t_quantile(0.95, change.df) * change.se[0]
    low, high = change.value - half, change.value + half
    assert low > 0
    for margin, verdict in (
        (1.001 * high, "within the margin"),
        (0.999 * high, "undetermined"),
        (1.001 * low, "undetermined"),
        (0.999 * low, "beyond the margin"),
    ):
        assert compared.equivalence(margin)["verdict"] == [verdict]


def test_noninferiority_is_one_sided() -> None:
    waves = {y: panel()[y] for y in (2024, 2021)}
    compared = sy.compare(waves, sy.mean("y"))  # a fall
    change = compared.differences[2021]
    bound = change.value - _core.t_quantile(0.9, change.df) * change.se[0]
    assert bound < 0
    for factor, verdict in ((1.001, "within the margin"), (0.999, "undetermined")):
        found = compared.noninferiority(-factor * bound, alpha=0.1)
        assert found["verdict"] == [verdict]
        assert found["ci_low"] == pytest.approx([bound], rel=1e-12)
        assert found["ci_high"] == [None]
    p = _core.t_upper_tail((change.value + 0.4) / change.se[0], change.df)
    assert compared.noninferiority(0.4)["p_value"] == pytest.approx([p], rel=1e-12)


def test_margins_of_relative_changes() -> None:
    compared = sy.compare(panel(), sy.mean("y"))
    found = compared.equivalence(0.05, kind="relative")
    relative = [change.value for change in compared.relative_changes.values()]
    assert found["estimate"] == pytest.approx(relative, rel=1e-12)


def test_margins_that_are_none() -> None:
    compared = sy.compare(panel(), sy.mean("y"))
    for wrong in (0.0, -0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="margin"):
            compared.equivalence(wrong)
    with pytest.raises(ValueError, match=r"one-sided test lies between 0 and 0\.5"):
        compared.noninferiority(0.1, alpha=0.5)


def test_no_worse_where_lower_is_better_and_far_worse() -> None:
    compared = sy.compare(dict(list(panel().items())[:2]), sy.mean("y"))
    change = compared.changes[0].difference
    value, error = change.value, change.se[0]
    far = abs(value) + 10 * error
    assert compared.noninferiority(far, better="lower")["verdict"] == ["within the margin"]
    assert compared.noninferiority(far)["verdict"] == ["within the margin"]
    tiny = error / 1000
    verdict = compared.noninferiority(tiny)["verdict"][0]
    t = (value + tiny) / error
    limit = _core.t_quantile(0.95, change.df)
    assert (verdict == "beyond the margin") == (t < -limit)
    assert (verdict == "within the margin") == (t > limit)
    with pytest.raises(ValueError, match="neither 'higher' nor 'lower'"):
        compared.noninferiority(far, better="more")  # type: ignore[arg-type]


def test_what_could_be_detected() -> None:
    compared = sy.compare(panel(), sy.mean("y"), level=0.9)
    for power in (0.8, 0.9):
        found = compared.detectable(power)
        expected = [
            (_core.t_quantile(0.95, c.df) + _core.t_quantile(power, c.df)) * c.se[0]
            for c in compared.differences.values()
        ]
        assert found["detectable"] == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match="power"):
        compared.detectable(1.0)


# Changes of changes


def test_a_difference_in_differences_is_a_contrast_of_one_pooled_survey() -> None:
    frames = [frame(5), frame(6, 0.2)]
    both = pl.concat([f.with_columns(year=pl.lit(i)) for i, f in enumerate(frames)])
    pooled = sy.Survey(both, clusters="who").mean("y", by=["year", "g"])
    expected = pooled.contrast({(1, "M"): 1, (0, "M"): -1, (1, "F"): -1, (0, "F"): 1})
    waves = {i: sy.Survey(f, clusters="who") for i, f in enumerate(frames)}
    found = sy.compare(waves, sy.mean("y"), by="g").between_groups("F")
    assert found.labels.by == {"period": [1, 1], "g": ["M - F", "X - F"]}
    assert found.estimate[0] == pytest.approx(expected.value, rel=1e-10)
    assert found.se[0] == pytest.approx(expected.se[0], rel=1e-10)
    assert found.degrees_of_freedom()[0] == expected.df == 59
    assert found.cov[0, 1] > 0


def test_differences_in_differences_over_several_periods_and_columns() -> None:
    compared = sy.compare(panel(), sy.mean("y"), by=["site", "g"])
    found = compared.between_groups("south", "site")
    assert found.labels.by["period"] == [2022] * 3 + [2023] * 3 + [2024] * 3
    assert found.conventions["changes"] == "2022 from 2021, 2023 from 2021, 2024 from 2021"
    assert found.labels.by["g"] == ["F", "M", "X"] * 3
    assert set(found.labels.by["site"]) == {"north - south"}
    change = compared.differences[2023]
    by_hand = change["north", "M"].value - change["south", "M"].value
    assert found[2023, "M"].value == pytest.approx(by_hand, rel=1e-12)


def test_groups_that_cannot_be_compared() -> None:
    plain = sy.compare(panel(), sy.mean("y"))
    grouped = sy.compare(panel(), sy.mean("y"), by=["site", "g"])
    with pytest.raises(ValueError, match=r"there are no groups: compare\(\.\.\., by=\.\.\.\)"):
        plain.between_groups("F")
    with pytest.raises(ValueError, match="several columns of groups"):
        grouped.between_groups("F")
    with pytest.raises(ValueError, match=r"column='sight' makes no groups\. Did you mean 'site'"):
        grouped.between_groups("north", "sight")
    with pytest.raises(LabelNotFound, match="no group of 'g' is 'f'"):
        grouped.between_groups("f", "g")
    one = sy.compare(panel(), lambda s: s.mean("y", by="g", where={"g": "F"}))
    with pytest.raises(ValueError, match="no other group of 'g'"):
        one.between_groups("F")


# What is compared


def test_conditions_and_groups_reach_every_wave() -> None:
    found = sy.compare(panel(), sy.mean("y"), by="g", where={"site": "north"})
    known = sy.compare(panel(), lambda s: s.mean("y", by="g", where={"site": "north"}))
    assert found.to_dict() == known.to_dict()
    several = sy.compare(panel(), {"level": sy.mean("y"), "agree": sy.proportion("yes")})
    assert dict.fromkeys(several.levels[2021].labels.variable) == {"level": None, "agree": None}
    with pytest.raises(TypeError, match="a function says them itself"):
        sy.compare(panel(), lambda s: s.mean("y"), by="g")


def test_labels_are_escaped_in_html() -> None:
    for period, group in (("<script>", "a"), ("b", "<script>alert(1)</script>")):
        f = frame(1).with_columns(g=pl.lit(group))
        waves = {"first": sy.Survey(f), period: sy.Survey(f)}
        html = sy.compare(waves, sy.mean("y"), by="g")._repr_html_()
        assert "<script" not in html
        assert "&lt;script" in html


def test_long_labels_fit_on_eighty_columns() -> None:
    f = frame(1).with_columns(g=pl.col("g") + " " + "very long name of a group " * 4)
    waves = {"baseline of the programme": sy.Survey(f), "endline of the programme": sy.Survey(f)}
    compared = sy.compare(waves, sy.mean("y"), by=["g", "site"])
    for shown in (compared, compared.equivalence(0.2), compared.detectable()):
        assert max(map(len, repr(shown).splitlines())) <= 80


def test_pictures_draw_the_numbers() -> None:
    compared = sy.compare(panel(), sy.proportion("yes", positive=True), by="g")
    dumbbell = [line.get_xydata() for line in compared.plot("dumbbell").lines]
    slope = [line.get_xydata() for line in compared.plot("slope").lines]
    for i, year in enumerate(panel()):
        level = 100 * compared.levels[year].estimate
        drawn = [float(xy[0, 1]) for xy in slope if len(xy) == 1 and abs(xy[0, 0] - year) < 0.1]
        assert drawn == pytest.approx(level.tolist())
        if i in (0, 3):  # base and last
            xs = [float(xy[0, 0]) for xy in dumbbell if len(xy) == 1][i // 3 :: 2]
            assert xs == pytest.approx(level.tolist())
    with pytest.raises(ValueError, match="kind='pie' is neither 'dumbbell' nor 'slope'"):
        compared.plot("pie")  # type: ignore[arg-type]


def test_mistakes_that_are_no_waves() -> None:
    svy = panel()[2021]
    with pytest.raises(TypeError, match="waves= maps each period to a Survey"):
        sy.compare([svy, svy], sy.mean("y"))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="2022 is a DataFrame: make a Survey of it first"):
        sy.compare({2021: svy, 2022: frame(1)}, sy.mean("y"))  # type: ignore[dict-item]
    other = {2021: svy, 2022: sy.Survey(frame(1), clusters="who", df="domain")}
    with pytest.raises(ValueError, match="different rules for degrees of freedom"):
        sy.compare(other, sy.mean("y"))
