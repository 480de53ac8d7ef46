"""Comparisons: what earlier versions got wrong, held in place."""

import io

import numpy as np
import polars as pl
import pytest

import steelyard as sy
from steelyard import Break, Link, Published

YES = sy.proportion("yes", positive=True)


def shares(k: int, n: int = 100) -> sy.Survey:
    return sy.Survey(pl.DataFrame({"yes": [True] * k + [False] * (n - k)}))


def means(seed: int, n: int) -> sy.Survey:
    return sy.Survey(pl.DataFrame({"y": np.random.default_rng(seed).normal(3, 1, n)}))


def test_a_change_has_the_df_of_its_two_waves() -> None:
    waves = {1: means(1, 5), 2: means(2, 6), 3: means(3, 400)}
    compared = sy.compare(waves, sy.mean("y"), adjust="none")
    alone = compared.differences[2]
    assert compared.judged().p_value[0] == pytest.approx(alone.p_value()[0])
    assert compared.judged().low[0] == pytest.approx(alone.ci()[0, 0])


def test_an_average_has_the_df_of_its_periods() -> None:
    waves = {1: means(1, 5), 2: means(2, 6), 3: means(3, 400)}
    found = sy.compare(waves, sy.mean("y")).average(periods=[1, 2])
    assert found.degrees_of_freedom()[0] == 9


def test_a_net_change_of_periods_that_are_on_both_sides() -> None:
    waves = {1: means(1, 50), 2: means(2, 60), 3: means(3, 40)}
    compared = sy.compare(waves, sy.mean("y"))
    found = compared.net_change([1, 2], [2, 3])
    levels = [level.value for level in compared.levels.values()]
    assert found.value == pytest.approx((levels[2] - levels[0]) / 2)


def test_a_period_averaged_twice() -> None:
    compared = sy.compare({1: means(1, 50), 2: means(2, 60)}, sy.mean("y"))
    try:
        found = compared.average(periods=[1, 1])
    except ValueError:
        return
    assert found.value == pytest.approx(compared.levels[1].value)


def test_a_break_where_the_latest_wave_is_shown_first() -> None:
    waves = {2023: shares(50), 2022: shares(70)}
    with pytest.raises(sy.errors.BreakInSeries):
        sy.compare(waves, YES, breaks=[Break(2023, "new")])


def test_a_link_where_the_latest_wave_is_shown_first() -> None:
    link = Break(2023, "new", Link.shift(0.1, se=0.0))
    forth = sy.compare({2022: shares(70), 2023: shares(50)}, YES, breaks=[link])
    back = sy.compare({2023: shares(50), 2022: shares(70)}, YES, breaks=[link])
    assert back.differences[2022].value == pytest.approx(-forth.differences[2023].value)


def test_printed_figures_alone_are_no_trend() -> None:
    printed = sy.compare({1: "95 %", 2: "96 %", 3: "97 %", 4: "98 %"})
    with pytest.raises(ValueError, match="has no sampling error"):
        printed.monotonicity()  # 95.5 and 95.5 print so


def test_a_ratio_has_no_margins_around_0() -> None:
    same = sy.compare({1: means(1, 500), 2: means(1, 500)}, sy.mean("y"))  # by rows: independent
    with pytest.raises(ValueError, match="margins count from no change"):
        same.equivalence(0.2, kind="ratio")  # type: ignore[arg-type]
    assert same.equivalence(0.2, kind="relative")["verdict"] == ["within the margin"]


def test_shares_beside_means_have_points() -> None:
    frame = pl.DataFrame({"yes": [True] * 50 + [False] * 50, "y": range(100)})
    waves = {1: sy.Survey(frame), 2: sy.Survey(frame.with_columns(~pl.col("yes")))}
    verdicts = sy.compare(waves, {"p": YES, "m": sy.mean("y")}).verdicts
    assert "points" in verdicts[0]


def test_no_change_has_no_sign_in_the_table() -> None:
    assert "-0.0 " not in repr(sy.compare({1: shares(5001, 10000), 2: shares(5000, 10000)}, YES))


def test_no_change_has_no_plus() -> None:
    text = sy.compare({1: "80.00 %", 2: shares(80)}, YES).verdicts[0]
    assert text is not None
    assert text.startswith("no clear change: 0.0 points, 95 % CI -8.0 to +8.0; without")


def test_second_stage_units_add_no_degrees_of_freedom() -> None:
    def wave(activities: str, seed: int) -> sy.Survey:
        rng = np.random.default_rng(seed)
        n = 4 * len(activities)
        return sy.Survey(
            pl.DataFrame(
                {
                    "a": [a for a in activities for _ in range(4)],
                    "p": [f"{seed}-{i}" for i in range(n)],
                    "who": rng.permutation(20)[:n],
                    "y": rng.normal(size=n),
                    "n1": [8] * n,
                    "n2": [20] * n,
                }
            ),
            clusters=["a", "p"],
            fpc=["n1", "n2"],
        )

    waves = {1: wave("abcd", 1), 2: wave("efgh", 2)}
    apart = sy.compare(waves, sy.mean("y")).differences[2].df
    assert sy.compare(waves, sy.mean("y"), overlap="who").differences[2].df <= apart  # 7 > 6


def test_a_published_share_of_all_has_a_note() -> None:
    compared = sy.compare({1: Published("100 %", n=50), 2: shares(90)}, YES)
    assert compared.differences[2].notes[0] is not None  # as with microdata: interval too narrow


def test_by_and_where_are_not_ignored() -> None:
    estimates = {1: shares(50).proportion("yes"), 2: shares(60).proportion("yes")}
    with pytest.raises((TypeError, ValueError)):
        sy.compare(estimates, by="g", where={"g": "a"})


def test_conventions_name_all_links() -> None:
    links = [Break(2, "A", Link.shift(0.01, se=0.01)), Break(3, "B", Link.shift(0.02, se=0.01))]
    compared = sy.compare({1: shares(50), 2: shares(60), 3: shares(70)}, YES, breaks=links)
    conventions = compared.changes[1].pair.before.conventions
    assert "A" in conventions["link in 2"]
    assert "B" in conventions["link in 3"]


@pytest.mark.parametrize(
    ("kind", "group", "period"), [("slope", "$\\foo$", "1"), ("dumbbell", "a", "$\\foo$")]
)
def test_labels_are_no_formulas(kind: str, group: str, period: str) -> None:
    frame = pl.DataFrame({"g": [group, "b"] * 20, "y": range(40)})
    compared = sy.compare({period: sy.Survey(frame), "2": sy.Survey(frame)}, sy.mean("y"), by="g")
    compared.plot(kind).figure.savefig(io.BytesIO())


def test_a_seed_that_is_none() -> None:
    with pytest.raises(ValueError, match="seed"):
        sy.compare({1: means(1, 9), 2: means(2, 9)}, sy.mean("y"), adjust="max-t", seed=-1).judged()


def test_a_kind_that_is_none() -> None:
    with pytest.raises(ValueError, match="log-odds"):
        sy.compare({1: means(1, 9), 2: means(2, 9)}, sy.mean("y")).equivalence(1, kind="logodds")


def test_numpy_counts_and_no_booleans() -> None:
    assert Published("95 %", n=np.int64(10)).n == 10
    with pytest.raises(sy.errors.FigureError):
        Published("95 %", n=True)


def drawn(units: np.ndarray, values: np.ndarray, population: int) -> sy.Survey:  # type: ignore[type-arg]
    size = np.full(len(units), population)
    return sy.Survey(
        pl.DataFrame({"u": units, "y": values[units], "N": size}), clusters="u", fpc="N"
    )


@pytest.mark.parametrize(("shared", "exact"), [(9, True), (18, True), (30, True), (4, False)])
def test_samples_of_one_finite_population_share_what_is_beyond_chance(
    shared: int, exact: bool
) -> None:
    # Qualité and Tillé (2008), section 3: Cov = S12 (m / (n1 n2) - 1 / N); N = 100, n = 30, so that
    # chance alone gives 9. Over many draws, as one sample only estimates S12.
    size, n = 100, 30
    rng = np.random.default_rng(4)
    first = rng.normal(size=size)
    second = 0.8 * first + 0.6 * rng.normal(size=size)
    s12 = np.cov(first, second)[0, 1]
    found = []
    for _ in range(300):
        order = rng.permutation(size)
        one, two = order[:n], order[n - shared : 2 * n - shared]
        change = sy.compare({1: drawn(one, first, size), 2: drawn(two, second, size)}, sy.mean("y"))
        pair = change.changes[0]
        errors = pair.pair.before.se[0] * pair.pair.after.se[0]
        found.append(pair.correlation[0] * errors)
    truth = max(0.0, s12 * (shared / n**2 - 1 / size))
    assert np.mean(found) == pytest.approx(truth, rel=0.06, abs=1e-9 if not exact else 2e-4)


def test_a_panel_of_a_finite_population_is_a_panel() -> None:
    rng = np.random.default_rng(5)
    first, second = rng.normal(size=50), rng.normal(size=50)
    units = np.arange(20)
    compared = sy.compare({1: drawn(units, first, 50), 2: drawn(units, second, 50)}, sy.mean("y"))
    paired = drawn(units, second - first, 50).mean("y")
    assert compared.differences[2].se[0] == pytest.approx(paired.se[0], rel=1e-12)


def test_years_of_any_library_are_years() -> None:
    import pandas as pd

    one, two = means(1, 9), means(2, 9)
    for first, second in (
        (np.int64(2021), np.int64(2022)),
        (2021.0, 2022.0),
        (pd.Period("2021"), pd.Period("2022")),
    ):
        compared = sy.compare({first: one, second: two}, sy.mean("y"))  # type: ignore[dict-item]
        assert [str(period) for period in compared.periods] == ["2021", "2022"]
    with pytest.raises(TypeError, match="no period"):
        sy.compare({None: one, 2: two}, sy.mean("y"))  # type: ignore[dict-item]


def test_a_share_is_no_target_of_a_mean() -> None:
    mean = means(1, 50).mean("y")
    with pytest.raises(sy.errors.FigureError, match="give a number in its unit"):
        sy.judge(mean, "48 %")
    frame = pl.DataFrame({"yes": [True, False] * 20, "y": range(40)})
    both = sy.Survey(frame).estimate([YES, sy.mean("y")])
    with pytest.raises(ValueError, match="judge them apart"):
        sy.judge(both, 3)
    with pytest.raises(TypeError, match="judge one of its levels"):
        sy.judge(sy.compare({1: shares(5), 2: shares(6)}, YES), "75 %")  # type: ignore[arg-type]


def test_a_link_is_about_one_figure() -> None:
    frame = pl.DataFrame({"yes": [True, False] * 20, "y": range(40)})
    pair = {1: sy.Survey(frame), 2: sy.Survey(frame)}
    link = Break(2, "new", Link.shift(0.1, se=0.01))
    with pytest.raises(ValueError, match="of one figure"):
        sy.compare(pair, [YES, sy.mean("y")], breaks=link)


def test_a_break_that_nothing_crosses_is_not_said() -> None:
    link = Break(1999, "old", Link.shift(0.1, se=0.01))
    assert "1999" not in repr(sy.compare({2022: shares(5), 2023: shares(6)}, YES, breaks=link))


def test_margins_in_points_are_refused() -> None:
    compared = sy.compare({1: shares(50), 2: shares(52)}, YES)
    with pytest.raises(ValueError, match=r"two points are 0\.02"):
        compared.equivalence(2)


def test_groups_left_out_are_named() -> None:
    def grouped(groups: str, seed: int) -> sy.Survey:
        y = np.random.default_rng(seed).normal(size=len(groups))
        return sy.Survey(pl.DataFrame({"g": list(groups), "y": y}))

    waves = {1: grouped("aabbzz", 1), 2: grouped("aabb", 2), 3: grouped("aabb", 3)}
    compared = sy.compare(waves, sy.mean("y"), by="g")
    assert "z / y" in repr(compared.average())
    assert "fewer than 2 periods with an error, so left out: z / y" in repr(compared.trend())
