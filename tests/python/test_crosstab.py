"""Tables of answers by answers: against R, by brute force, and by tables that are not full."""

import math

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from r_values import OF_R, near, of_r, schools, survey

import steelyard as sy
from steelyard.errors import ColumnNotFound, EmptyDomain, ReservedName, TooManyLevels

TESTS = ("F", "chi2", "first-order-F", "second-order-chi2", "saddlepoint", "exact")
WALD = ("wald", "adjusted-wald")


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    """Schools with answers missing, never given, in numbers, and with weights of 0."""
    frame = schools("strat_fpc").with_row_index()
    i = pl.col("index").cast(pl.Int64)
    return frame.with_columns(
        passed=i % 3 == 0,
        score=i * 7 % 4,
        holes=pl.when(i % 5 != 0).then(pl.col("sch.wide")),
        offered=pl.when(i % 2 == 0).then(pl.lit("a")).otherwise(pl.lit("c")),
        weight=pl.when(i % 4 == 0).then(0.0).otherwise(pl.col("pw")),
        one=pl.lit("same"),
    ).with_columns(pl.col("offered").cast(pl.Enum(["a", "b", "c", "d"])))


@pytest.fixture(scope="module")
def svy(rows: pl.DataFrame) -> sy.Survey:
    return sy.Survey(rows, weights="pw", strata="stype")


def weighted(frame: pl.DataFrame, names: list[str], weight: str = "pw") -> dict[tuple, float]:
    """Sums of weights by answers, without rows that lack one."""
    sums: dict[tuple, float] = {}
    for *answers, w in frame.select(*names, weight).drop_nulls().iter_rows():
        sums[tuple(answers)] = sums.get(tuple(answers), 0.0) + w
    return sums


# Figures of R


@pytest.mark.parametrize("design", OF_R)
@pytest.mark.parametrize("figure", ["cell", "row", "column", "count"])
def test_shares_and_counts_equal_r(design: str, figure: str) -> None:
    got = getattr(survey(design).tabulate(["stype", "sch.wide"]), figure)
    near(got.estimate, of_r(design, figure, "coef"))
    near(got.se, of_r(design, figure, "se"))


@pytest.mark.parametrize("design", OF_R)
def test_three_way_counts_equal_r(design: str) -> None:
    # R shows all combinations, we show those of the rows that occur.
    table = survey(design).tabulate(["awards", "comp.imp", "stype"])
    wanted = of_r(design, "three", "count").reshape(4, 3)
    occurring = wanted[wanted.sum(axis=1) > 0]
    near(table.count.estimate.reshape(-1, 3), occurring)
    assert table.n.shape == occurring.shape


@pytest.mark.parametrize("design", OF_R)
@pytest.mark.parametrize(
    ("test", "r"), [("F", "F"), ("chi2", "Chisq"), ("wald", "Wald"), ("adjusted-wald", "adjWald")]
)
def test_tests_in_a_domain_equal_r(design: str, test: str, r: str) -> None:
    # R takes the degrees of freedom of the domain.
    svy = survey(design, df="domain")
    table = svy.tabulate(["comp.imp", "sch.wide"], where=pl.col("stype") != "M")
    found = table.test(test)
    assert found.p_value == pytest.approx(of_r(design, f"domain_{r}", "p")[0], rel=1e-9)
    if test != "chi2":  # R prints X2 as it was before the correction
        assert found.statistic == pytest.approx(of_r(design, f"domain_{r}", "statistic")[0])
        near([found.ndf, found.ddf], of_r(design, f"domain_{r}", "parameter"))


@pytest.mark.parametrize("design", OF_R)
def test_answers_true_and_false_equal_r(design: str) -> None:
    frame = schools(design).with_columns(many=pl.col("ell") > 20, poor=pl.col("meals") > 50)
    found = survey(design, frame).tabulate(["many", "poor"]).test()
    assert found.statistic == pytest.approx(of_r(design, "bool", "statistic")[0], rel=1e-9)
    assert found.p_value == pytest.approx(of_r(design, "bool", "p")[0], rel=1e-9)


# Brute force


@pytest.mark.parametrize("names", [["score"], ["passed", "score"], ["holes", "passed", "score"]])
@pytest.mark.parametrize("where", [None, {"stype": ["H", "M"]}])
def test_figures_are_sums_of_weights(rows: pl.DataFrame, names: list[str], where: object) -> None:
    svy = sy.Survey(rows, weights="pw", strata="stype")
    table = svy.tabulate(names, where=where)
    inside = rows if where is None else rows.filter(pl.col("stype") != "E")
    sums = weighted(inside, names)
    numbers: dict[tuple, int] = {}
    for row in inside.select(names).drop_nulls().iter_rows():
        numbers[row] = numbers.get(row, 0) + 1
    shown = table.to_dict()
    by = [shown[name] for name in names[:-1]]
    keys = list(zip(*by, shown["level"], strict=True))
    whole = sum(sums.values())
    assert set(sums) <= set(keys)
    for i, key in enumerate(keys):
        in_row = sum(w for other, w in sums.items() if other[:-1] == key[:-1])
        in_column = sum(w for other, w in sums.items() if other[-1] == key[-1])
        assert shown["n"][i] == numbers.get(key, 0)
        assert shown["count"][i] == pytest.approx(sums.get(key, 0), rel=1e-12)
        assert shown["cell"][i] == pytest.approx(sums.get(key, 0) / whole, rel=1e-12)
        assert shown["row"][i] == pytest.approx(sums.get(key, 0) / in_row, rel=1e-12)
        assert shown["column"][i] == pytest.approx(sums.get(key, 0) / in_column, rel=1e-12)


def test_errors_are_those_of_the_proportions(rows: pl.DataFrame) -> None:
    svy = sy.Survey(rows, weights="pw", strata="stype")
    where = {"stype": ["H", "M"]}
    table = svy.tabulate(["passed", "score"], where=where)
    near(table.row.cov, svy.proportion("score", by="passed", where=where).cov)
    near(table.column.cov, svy.proportion("passed", by="score", where=where).cov)
    near(table.count.cov, svy.count("score", by="passed", where=where).cov)
    assert table.cell.labels.by["passed"] == [False] * 4 + [True] * 4
    assert table.cell.labels.level == [0, 1, 2, 3] * 2
    assert table.column.labels.level == [0, 0, 1, 1, 2, 2, 3, 3]
    assert table.column.labels.by["passed"] == [False, True] * 4


def test_g2_is_the_likelihood_ratio(svy: sy.Survey) -> None:
    table = svy.tabulate(["passed", "score"])
    p = table.cell.estimate.reshape(2, 4)
    fitted = p.sum(axis=1, keepdims=True) * p.sum(axis=0, keepdims=True)
    g2 = 2 * 200 * (p * np.log(p / fitted)).sum()
    x2 = 200 * ((p - fitted) ** 2 / fitted).sum()
    pearson, ratio = table.test("exact"), table.test("exact", "likelihood-ratio")
    assert pearson.name == ratio.name == "X2"
    assert pearson.statistic == pytest.approx(x2, rel=1e-12)
    assert ratio.statistic == pytest.approx(g2, rel=1e-12)
    # The same correction to both: their ratio remains.
    for test in TESTS[:4]:
        both = [table.test(test, s).statistic for s in ("pearson", "likelihood-ratio")]
        assert both[1] / both[0] == pytest.approx(g2 / x2, rel=1e-12)


@pytest.mark.parametrize("test", TESTS)
def test_variants_by_formula(svy: sy.Survey, test: str) -> None:
    """Rao and Scott's corrections from the eigenvalues of a covariance made here."""
    table = svy.tabulate(["passed", "score"])
    p, cov = table.cell.estimate, table.cell.cov
    fitted = np.outer(p.reshape(2, 4).sum(axis=1), p.reshape(2, 4).sum(axis=0)).ravel()
    # Log odds ratios: no effect of a row or of a column alone is in them.
    log_odds = np.kron([[1, -1]], [[1, -1, 0, 0], [1, 0, -1, 0], [1, 0, 0, -1]]) / p
    multinomial = (np.diag(p) - np.outer(p, p)) / 200
    simple, design = (log_odds @ v @ log_odds.T for v in (multinomial, cov))
    effects = np.linalg.eigvals(np.linalg.solve(simple, design)).real
    x2 = 200 * ((p - fitted) ** 2 / fitted).sum()
    df, trace, square = 197, effects.sum(), (effects**2).sum()
    found = table.test(test)
    wanted, ndf, ddf = {
        "F": (x2 / trace, trace**2 / square, df * trace**2 / square),
        "chi2": (x2 / (trace / 3), 3, math.inf),
        "first-order-F": (x2 / trace, 3, df * 3),
        "second-order-chi2": (x2 / (square / trace), trace**2 / square, math.inf),
        "saddlepoint": (x2, 3, found.ddf),
        "exact": (x2, 3, found.ddf),
    }[test]
    assert found.statistic == pytest.approx(wanted, rel=1e-9)
    assert found.ndf == pytest.approx(ndf, rel=1e-9)
    assert found.ddf == pytest.approx(ddf, rel=1e-9)
    assert 0 < found.p_value < 1


@pytest.mark.parametrize("test", WALD)
def test_wald_tests_by_formula(svy: sy.Survey, test: str) -> None:
    """Koch, Freeman and Freeman's residuals n_ij - n_i n_j / n, by the delta method."""
    table = svy.tabulate(["passed", "score"])

    def excess(n: list) -> list:
        r, c = (
            [sum(n[4 * a + 1 : 4 * a + 4], n[4 * a]) for a in (0, 1)],
            [n[j] + n[4 + j] for j in range(4)],
        )
        return [n[j] - r[0] * c[j] / (r[0] + r[1]) for j in range(3)]

    wald = table.count.transform(excess).wald_test()
    found = table.test(test)
    factor, lost = (1, 0) if test == "wald" else ((197 - 3 + 1) / 197, 2)
    assert found.statistic == pytest.approx(wald.statistic * factor, rel=1e-9)
    assert (found.ndf, found.ddf) == (3, 197 - lost)


@pytest.mark.parametrize("design", OF_R)
@pytest.mark.parametrize("statistic", ["pearson", "likelihood-ratio"])
def test_two_by_two_has_one_design_effect(design: str, statistic: str) -> None:
    # With a single eigenvalue all corrections are the same; F is chi-square over a variance.
    table = survey(design).tabulate(["comp.imp", "sch.wide"])
    found = {test: table.test(test, statistic) for test in TESTS}
    first = found["F"]
    assert first.ndf == pytest.approx(1, rel=1e-12)
    for test in ("chi2", "first-order-F", "second-order-chi2"):
        assert found[test].statistic == pytest.approx(first.statistic, rel=1e-9)
    assert found["exact"].p_value == pytest.approx(first.p_value, rel=1e-6)
    assert found["saddlepoint"].p_value == pytest.approx(first.p_value, rel=0.15)


def test_order_of_questions_does_not_matter(svy: sy.Survey) -> None:
    one, other = svy.tabulate(["passed", "score"]), svy.tabulate(["score", "passed"])
    assert one.n.T.tolist() == other.n.tolist()
    near(one.row.se.reshape(2, 4).T, other.column.se.reshape(2, 4).T)
    for test in TESTS + WALD:
        assert one.test(test).p_value == pytest.approx(other.test(test).p_value, rel=1e-8)


# Goodness of fit


def test_goodness_of_fit_needs_ratios_only(svy: sy.Survey) -> None:
    table = svy.tabulate("score")
    shares = {0: 1, 1: 2, 2: 3, 3: 4}
    tenths = {level: share / 10 for level, share in shares.items()}
    for test in TESTS:
        one, other = table.goodness_of_fit(shares, test), table.goodness_of_fit(tenths, test)
        assert one.p_value == pytest.approx(other.p_value, rel=1e-12)
        assert 0 < one.p_value < 1


def test_goodness_of_fit_of_the_own_shares(svy: sy.Survey) -> None:
    table = svy.tabulate("score")
    own = dict(zip(table.cell.labels.level, table.cell.estimate, strict=True))
    found = table.goodness_of_fit(own)
    assert found.statistic == pytest.approx(0, abs=1e-12)
    assert found.p_value == pytest.approx(1, abs=1e-12)


def test_goodness_of_fit_of_two_answers_is_a_test_of_one_share(svy: sy.Survey) -> None:
    share = svy.proportion("passed", positive=True)
    table = svy.tabulate("passed")
    found = table.goodness_of_fit({True: 0.4, False: 0.6}, "first-order-F")
    assert found.statistic == pytest.approx(((share.value - 0.4) / share.se[0]) ** 2, rel=1e-9)
    assert found.p_value == pytest.approx(share.p_value(0.4)[0], rel=1e-9)


def test_statistics_of_goodness_of_fit_have_one_scale(svy: sy.Survey) -> None:
    table = svy.tabulate("score")
    p, q = table.cell.estimate, np.full(4, 0.25)
    x2, g2 = ((p - q) ** 2 / q).sum(), 2 * (p * np.log(p / q)).sum()
    both = [
        table.goodness_of_fit(dict.fromkeys(range(4), 1), "F", statistic).statistic
        for statistic in ("pearson", "likelihood-ratio")
    ]
    assert both[1] / both[0] == pytest.approx(g2 / x2, rel=1e-9)


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({0: 1, 1: 1, 2: 1}, r"3 has no share, or is no answer of 'score'"),
        ({0: 1, 1: 1, 2: 1, 3: 1, 4: 1}, r"4 has no share, or is no answer of 'score'"),
        ({0: 0, 1: 1, 2: 1, 3: 1}, "needs a positive proportion for each category"),
        ({0: -1, 1: 1, 2: 1, 3: 1}, "needs a positive proportion for each category"),
        ({0: math.nan, 1: 1, 2: 1, 3: 1}, "needs a positive proportion for each category"),
    ],
)
def test_shares_of_goodness_of_fit_are_checked(
    svy: sy.Survey, shares: dict[int, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        svy.tabulate("score").goodness_of_fit(shares)


def test_goodness_of_fit_is_of_one_variable(svy: sy.Survey) -> None:
    with pytest.raises(ValueError, match="goodness of fit is tested for a table of one variable"):
        svy.tabulate(["passed", "score"]).goodness_of_fit({0: 1, 1: 1, 2: 1, 3: 1})


# Tables that are not full


def test_missing_answers_are_left_out_and_counted(svy: sy.Survey) -> None:
    table = svy.tabulate(["holes", "passed"])
    assert table.n.sum() == 160
    assert table.cell.n.tolist() == [160] * 4
    assert table.cell.missing.tolist() == [40] * 4


def test_answers_that_nobody_gave_are_shown_and_not_tested(svy: sy.Survey) -> None:
    table = svy.tabulate(["offered", "passed"])
    assert table.cell.labels.by["offered"] == ["a", "a", "b", "b", "c", "c", "d", "d"]
    assert (table.n.sum(axis=1) == [100, 0, 100, 0]).all()
    assert np.isnan(table.row.estimate).tolist() == [False, False, True, True] * 2
    assert table.row.notes[2] == "no answers"
    assert table.to_dict()["row"][2] is None
    given = svy.tabulate(["offered", "passed"], where=pl.col("offered").is_in(["a", "c"]))
    for test in TESTS + WALD:
        found = table.test(test)
        assert found.p_value == pytest.approx(given.test(test).p_value, rel=1e-12)
        assert any("left out as empty: 2 rows and 0 columns" in note for note in found.notes)
    across = svy.tabulate(["passed", "offered"])
    assert across.test().p_value == pytest.approx(table.test().p_value, rel=1e-9)


def test_all_declared_levels_of_arrow_and_pandas(rows: pl.DataFrame) -> None:
    levels = ["a", "b", "c", "d"]
    pandas = rows.select("pw", "passed").to_pandas()
    pandas["offered"] = rows["offered"].cast(pl.String).to_pandas().astype("category")
    pandas["offered"] = pandas["offered"].cat.set_categories(levels)
    arrow = rows.select("pw", "passed").to_arrow()
    codes = pa.DictionaryArray.from_arrays(
        pa.array(rows["offered"].to_physical().to_list()), pa.array(levels), ordered=True
    )
    arrow = arrow.append_column("offered", codes)
    wanted = sy.Survey(rows, weights="pw").tabulate(["offered", "passed"])
    for frame in (pandas, arrow):
        got = sy.Survey(frame, weights="pw").tabulate(["offered", "passed"])
        assert got.n.tolist() == wanted.n.tolist()
        assert got.cell.cov.tolist() == wanted.cell.cov.tolist()
        assert got.test().p_value == wanted.test().p_value


def test_rows_of_weight_0_are_nobody(rows: pl.DataFrame) -> None:
    svy = sy.Survey(rows, weights="weight")
    table = svy.tabulate(["passed", "score"])
    inside = rows.filter(pl.col("weight") > 0)
    assert table.n.sum() == len(inside) == 150
    # Rows of index 0, 4, 8 ... have score 0, and no other rows do.
    assert table.n.sum(axis=0).tolist() == [0, 50, 50, 50]
    assert table.cell.estimate[0] == 0
    wanted = weighted(inside, ["passed", "score"])
    assert table.count.estimate.reshape(2, 4)[1, 1] == pytest.approx(wanted[True, 1], rel=1e-12)
    assert any("1 columns" in note for note in table.test().notes)


@pytest.mark.parametrize("names", ["score", ["one", "score"], ["score", "one"]])
def test_one_row_or_column_has_no_test(svy: sy.Survey, names: str | list[str]) -> None:
    table = svy.tabulate(names)
    near(np.sort(table.cell.estimate), np.sort(svy.proportion("score").estimate))
    near(np.sort(table.cell.se), np.sort(svy.proportion("score").se))
    for test in TESTS + WALD:
        with pytest.raises(ValueError, match="needs at least two rows and two columns that are"):
            table.test(test)
    assert ("no test of independence" in repr(table)) == (names != "score")


def test_a_table_fixed_by_the_design_has_no_test() -> None:
    table = survey("strat_fpc").tabulate("stype")
    assert table.cell.se == pytest.approx(0, abs=1e-15)
    with pytest.raises(ValueError, match="without sampling error there is nothing to test"):
        table.goodness_of_fit({"E": 1, "H": 1, "M": 1})


def test_empty_cells_within_the_table_are_tested() -> None:
    # clus1 has no school that met the comparative target and not the school-wide one.
    table = survey("clus1_fpc").tabulate(["comp.imp", "sch.wide"])
    assert 0 in table.n
    for test in ("F", "chi2", "exact"):
        pearson, ratio = table.test(test), table.test(test, "likelihood-ratio")
        assert 0 < pearson.p_value < 1
        assert 0 < ratio.p_value < 1
        assert np.isfinite(ratio.statistic)


# Refusals


def test_nobody_has_all_answers(rows: pl.DataFrame) -> None:
    frame = rows.with_columns(nothing=pl.lit(None, pl.String))
    svy = sy.Survey(frame, weights="pw")
    for names in (["nothing", "score"], ["score", "nothing"], ["score", "passed", "nothing"]):
        with pytest.raises(EmptyDomain, match="no row has an answer to all of"):
            svy.tabulate(names)
    with pytest.raises(EmptyDomain, match="where= holds for no row"):
        svy.tabulate("score", where=pl.col("score") > 9)


def test_refusals_name_the_cause(svy: sy.Survey) -> None:
    with pytest.raises(ColumnNotFound, match=r"no column 'scor'. Did you mean 'score'"):
        svy.tabulate(["passed", "scor"])
    with pytest.raises(TooManyLevels, match=r"has 25,272 cells: take columns with fewer levels"):
        svy.tabulate(["api00", "api99"])
    with pytest.raises(ValueError, match="no statistic 'chi'"):
        svy.tabulate(["passed", "score"]).test("F", "chi")


def test_unknown_tests_are_refused_by_name(svy: sy.Survey) -> None:
    with pytest.raises(ValueError, match="'Chisq'"):
        svy.tabulate(["passed", "score"]).test("Chisq")


def test_no_variables_are_refused(svy: sy.Survey) -> None:
    with pytest.raises(ValueError, match="variable"):
        svy.tabulate([])


def test_level_is_checked(svy: sy.Survey) -> None:
    with pytest.raises(ValueError, match="confidence level between 0 and 1"):
        svy.tabulate(["passed", "score"], level=95)


@pytest.mark.parametrize("name", ["level", "variable", "n", "count", "cell", "se", "row", "column"])
def test_names_of_the_result_are_reserved(rows: pl.DataFrame, name: str) -> None:
    svy = sy.Survey(rows.rename({"passed": name}), weights="pw")
    with pytest.raises(ReservedName, match=name):
        svy.tabulate([name, "score"])


# What is shown


@pytest.mark.parametrize(
    "names",
    ["score", ["passed", "score"], ["sch.wide", "comp.imp", "stype", "passed", "score"]],
)
def test_text_fits_80_columns(svy: sy.Survey, names: str | list[str]) -> None:
    table = svy.tabulate(names)
    assert max(map(len, repr(table).splitlines())) <= 80
    if isinstance(names, list):
        assert max(map(len, repr(table.test("exact")).splitlines())) <= 80


def test_long_labels_fit_80_columns(rows: pl.DataFrame) -> None:
    long = rows.with_columns(
        pl.format("Neither agree nor disagree with the statement number {}", "score").alias("q"),
        pl.format("A programme whose name is far too long for a table {}", "passed").alias("p"),
    )
    text = repr(sy.Survey(long, weights="pw").tabulate(["p", "q"]))
    assert max(map(len, text.splitlines())) <= 80


def test_html_escapes_answers_and_names(rows: pl.DataFrame) -> None:
    bad = rows.with_columns(
        pl.when("passed")
        .then(pl.lit("<script>alert(1)</script>"))
        .otherwise(pl.lit("a & b"))
        .alias("<b>q</b>")
    )
    table = sy.Survey(bad, weights="pw").tabulate(["<b>q</b>", "score"])
    for html in (table._repr_html_(), table.test()._repr_html_()):
        assert "<script>" not in html
        assert "<b>" not in html
        assert "&lt;b&gt;q&lt;/b&gt;" in html
    assert "a &amp; b" in table._repr_html_()


def test_native_frame_has_a_row_a_cell(svy: sy.Survey) -> None:
    frame = svy.tabulate(["passed", "score"]).to_polars()
    assert frame.columns == [
        *["passed", "variable", "level"],
        *["n", "count", "cell", "se", "row", "column"],
    ]
    assert frame.shape == (8, 9)
    assert frame["cell"].sum() == pytest.approx(1)
    assert frame.group_by("passed").agg(pl.col("row").sum())["row"].to_list() == pytest.approx(
        [1, 1]
    )
    assert frame.group_by("level").agg(pl.col("column").sum())["column"].to_list() == pytest.approx(
        [1] * 4
    )
