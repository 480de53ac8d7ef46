"""Bad input: one clear exception each, which names the column, counts the rows and says what to do.

And what is no error but must not pass in silence: groups without answers, groups inside one
cluster, proportions of 0 and 1.
"""

import datetime
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import steelyard as sy
from steelyard import errors, notes

BACKENDS = ("pandas", "polars", "pyarrow")
NAN, INFINITY = math.nan, math.inf

# Twelve answers from six activities in two strata.
COLUMNS: dict[str, list[Any]] = {
    "weight": [2.0, 3.0, 2.0, 1.0, 2.5, 2.0, 4.0, 1.0, 2.0, 3.0, 2.0, 1.5],
    "region": ["north"] * 6 + ["south"] * 6,
    "activity": ["A1", "A1", "A2", "A2", "A3", "A3", "B1", "B1", "B2", "B2", "B3", "B3"],
    "activities": [30.0] * 6 + [12.0] * 6,
    "hours": [4.0, 6.0, None, 8.0, 5.0, 7.0, 2.0, None, 6.0, 3.0, 9.0, 4.0],
    "days": [1, 2, 1, 2, 1, 2, 1, 1, 2, 1, 3, 1],
    "opinion": ["Agree", "Agree", "Neutral", None, "Disagree", "Agree"] * 2,
    "online": [True, False, True, False, True, True, False, False, True, False, True, False],
}
DESIGN: dict[str, Any] = {"weights": "weight", "strata": "region", "clusters": "activity"}


def frame_of(columns: dict[str, Any], backend: str = "polars") -> Any:
    if backend == "pandas":
        return pd.DataFrame(columns)
    if backend == "polars":
        return pl.DataFrame(columns, strict=False)
    return pa.table(columns)


def survey(backend: str = "polars", design: Any = DESIGN, **columns: Any) -> sy.Survey:
    return sy.Survey(frame_of(COLUMNS | columns, backend), **design)


def changed(name: str, **values: Any) -> list[Any]:
    """A column with other values in some rows, given as r3=..., r7=..."""
    column = list(COLUMNS[name])
    for row, value in values.items():
        column[int(row[1:])] = value
    return column


# Weights


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("weights", "message", "count", "rows"),
    [
        (
            changed("weight", r3=None, r7=None),
            r"missing \(null or NaN\) in 2 rows \(3, 7\)",
            2,
            (3, 7),
        ),
        (changed("weight", r3=NAN), r"missing \(null or NaN\) in 1 row \(row 3\)", 1, (3,)),
        (changed("weight", r2=-0.5), r"negative in 1 row \(row 2\).*cannot be negative", 1, (2,)),
        (changed("weight", r1=INFINITY), r"infinite in 1 row \(row 1\).*division by zero", 1, (1,)),
        ([-1.0] * 12, r"negative in 12 rows \(first: 0, 1, 2, 3, 4\)", 12, (0, 1, 2, 3, 4)),
        ([0.0] * 12, "zero everywhere.*at least one row must stand", 12, (0, 1, 2, 3, 4)),
        ([0] * 12, "zero everywhere", 12, (0, 1, 2, 3, 4)),
    ],
)
def test_weights(
    backend: str, weights: list[Any], message: str, count: int, rows: tuple[int, ...]
) -> None:
    with pytest.raises(errors.InvalidWeights, match=f"^weights column 'weight' is {message}") as e:
        survey(backend, weight=weights)
    assert (e.value.column, e.value.count, e.value.rows) == ("weight", count, rows)


@pytest.mark.parametrize("backend", BACKENDS)
def test_weights_kept_as_text(backend: str) -> None:
    text = [str(w) for w in COLUMNS["weight"]]
    message = "weights column 'weight' is .* numbers are needed: convert it first"
    with pytest.raises(errors.InvalidWeights, match=message) as e:
        survey(backend, weight=text)
    assert e.value.column == "weight"


# Columns


CALLS: dict[str, Callable[[], object]] = {
    "weights": lambda: survey(design=DESIGN | {"weights": "weigth"}),
    "strata": lambda: survey(design=DESIGN | {"strata": "regoin"}),
    "second stratum": lambda: survey(design=DESIGN | {"strata": ["region", "oninle"]}),
    "clusters": lambda: survey(design=DESIGN | {"clusters": "activty"}),
    "fpc": lambda: survey(design=DESIGN | {"fpc": "activites"}),
    "mean": lambda: survey().mean("huors"),
    "one of several": lambda: survey().mean(["days", "huors"]),
    "total": lambda: survey().total("huors"),
    "ratio": lambda: survey().ratio("days", "huors"),
    "proportion": lambda: survey().proportion("opinoin"),
    "count": lambda: survey().count("opinoin"),
    "estimate": lambda: survey().estimate({"time": sy.mean("huors")}),
    "by": lambda: survey().mean("hours", by="regoin"),
    "second by": lambda: survey().mean("hours", by=["region", "oninle"]),
    "where": lambda: survey().mean("hours", where="oninle"),
    "where mapping": lambda: survey().mean("hours", where={"oninle": True}),
}
NEAREST = {
    **{"weights": "weight", "strata": "region", "second stratum": "online", "by": "region"},
    **{"clusters": "activity", "fpc": "activities", "proportion": "opinion", "count": "opinion"},
    **{"second by": "online", "where": "online", "where mapping": "online"},
}


@pytest.mark.parametrize("call", CALLS)
def test_a_missing_column_offers_the_nearest(call: str) -> None:
    nearest = NEAREST.get(call, "hours")
    with pytest.raises(errors.ColumnNotFound, match=r"there is no column '.*Did you mean '") as e:
        CALLS[call]()
    assert f"Did you mean '{nearest}'? There are: 'weight', " in str(e.value)
    assert isinstance(e.value, KeyError)
    assert e.value.column is not None


@pytest.mark.parametrize("expression", [nw.col("huors") > 3, pl.col("huors") > 3])
def test_a_missing_column_of_an_expression_offers_the_nearest(expression: Any) -> None:
    with pytest.raises(errors.ColumnNotFound, match="Did you mean 'hours'"):
        survey().mean("days", where=expression)


@pytest.mark.parametrize(
    "call",
    [
        lambda: survey(design=DESIGN | {"clusters": [["region", "activity"]]}),
        lambda: survey(design=DESIGN | {"weights": ["weight"]}),
        lambda: survey().proportion(["opinion", "online"]),  # type: ignore[arg-type]
    ],
)
def test_a_list_of_columns_where_one_is_needed(call: Callable[[], object]) -> None:
    with pytest.raises((errors.SteelyardError, TypeError), match="one column"):
        call()


# The design


def test_a_cluster_in_two_strata() -> None:
    torn = changed("activity", r6="A1", r9="A2")
    with pytest.raises(errors.ClusterInTwoStrata, match="nest=True") as e:
        survey(activity=torn)
    message = str(e.value)
    assert "cluster 'A1', 'A2' of column 'activity' stands in more than one stratum" in message
    assert "of 'region': 2 rows (6, 9) in a second one" in message
    assert (e.value.column, e.value.count, e.value.rows) == ("activity", 2, (6, 9))


def test_nested_clusters_are_different_clusters() -> None:
    names = ["1", "1", "2", "2", "3", "3"] * 2
    nested = survey(design=DESIGN | {"nest": True}, activity=names)
    assert nested.mean("hours").to_dict() == survey().mean("hours").to_dict()


LONELY = changed("activity", r8="B1", r9="B1", r10="B1", r11="B1")


def test_a_stratum_with_one_cluster() -> None:
    with pytest.raises(errors.LonelyStratum, match=r"\(1 such strata\)") as e:
        survey(activity=LONELY)
    message = str(e.value)
    assert "stratum 'south' of 'region' has a single sampled cluster of 'activity'" in message
    assert all(f"'{way}'" in message for way in ("adjust", "average", "certainty", "remove"))
    assert e.value.column == "region"


@pytest.mark.parametrize("lonely", ["remove", "certainty", "adjust", "average"])
def test_every_policy_for_a_lonely_cluster_works(lonely: str) -> None:
    svy = survey(design=DESIGN | {"lonely": lonely}, activity=LONELY)
    est = svy.mean("hours")
    assert est.value == survey().mean("hours").value
    assert est.se[0] > 0
    assert est.conventions["lonely strata"] == lonely


def test_an_unknown_policy_lists_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match=r"lonely='ignore' is none of 'fail', 'remove', 'certainty'"
    ):
        survey(design=DESIGN | {"lonely": "ignore"})


def test_a_single_row() -> None:
    with pytest.raises(errors.LonelyStratum, match="single sampled row"):
        sy.Survey(pl.DataFrame({"y": [1.0]}))


def test_as_many_strata_as_units() -> None:
    each = [f"stratum {i // 2}" for i in range(12)]
    with pytest.raises(errors.NoDegreesOfFreedom, match="merge strata, or check the weights"):
        survey(design=DESIGN | {"lonely": "remove"}, region=each)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_empty_frame(backend: str) -> None:
    with pytest.raises(errors.EmptyFrame, match="the frame has no rows"):
        sy.Survey(frame_of({"weight": [], "hours": []}, backend), weights="weight")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("role", "name"), [("strata", "region"), ("clusters", "activity")])
def test_a_missing_stratum_or_cluster(backend: str, role: str, name: str) -> None:
    with pytest.raises(errors.MissingValues, match="fill it in or leave the row out") as e:
        sy.Survey(frame_of(COLUMNS | {name: changed(name, r4=None, r11=None)}, backend), **DESIGN)
    assert f"{role} column '{name}' is missing in 2 rows (4, 11)" in str(e.value)
    assert (e.value.column, e.value.count, e.value.rows) == (name, 2, (4, 11))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (changed("activities", r4=None), r"is missing \(null or NaN\) in 1 row \(row 4\): every"),
        (changed("activities", r4=NAN), r"is missing \(null or NaN\) in 1 row \(row 4\): every"),
        (
            changed("activities", r4=31.0),
            "is not constant in stratum 'north' of 'region': 1 row .*one popul",
        ),
        ([0.1] * 6 + [12.0] * 6, r"mixes values above 1 \(6 rows .*counts everywhere, or"),
        (
            [30.0] * 6 + [2.0] * 6,
            "says that stratum 'south' of 'region' has fewer units .*not respondents",
        ),
        (
            [0.0] * 12,
            "says that stratum 'north', 'south' of 'region' has fewer units in the population",
        ),
        (
            [0.1] * 6 + [0.0] * 6,
            "says that stratum 'south' of 'region' has fewer units in the population",
        ),
        ([-30.0] * 12, "is negative in 12 rows"),
        ([INFINITY] * 12, "is infinite in 12 rows"),
    ],
)
def test_fpc(values: list[Any], message: str) -> None:
    with pytest.raises(errors.InvalidFpc, match=f"fpc column 'activities' {message}") as e:
        survey(design=DESIGN | {"fpc": "activities"}, activities=values)
    assert e.value.column == "activities"


def test_fpc_kept_as_text() -> None:
    with pytest.raises(errors.SteelyardError, match="fpc column 'activities' is "):
        survey(design=DESIGN | {"fpc": "activities"}, activities=["30"] * 12)


def test_errors_of_a_design_without_strata_read_well() -> None:
    with pytest.raises(errors.InvalidFpc) as fpc:
        sy.Survey(pl.DataFrame({"n": [9, 8]}), fpc="n")
    with pytest.raises(errors.LonelyStratum) as lonely:
        sy.Survey(pl.DataFrame({"n": [9]}))
    assert "stratum the only" not in str(fpc.value)
    assert "no column" not in str(lonely.value)


def test_fractions_and_counts_are_the_same_correction() -> None:
    # Powers of two, so that no rounding tells them apart.
    counts, fractions = [12.0] * 6 + [24.0] * 6, [0.25] * 6 + [0.125] * 6
    for weights in ("weight", None):
        design = DESIGN | {"fpc": "activities", "weights": weights}
        by_count = survey(design=design, activities=counts).mean(["hours", "days"], by="online")
        by_share = survey(design=design, activities=fractions).mean(["hours", "days"], by="online")
        assert by_count.to_dict() == by_share.to_dict()


# Answers


def test_numbers_kept_as_text_are_refused() -> None:
    text = [str(d) for d in COLUMNS["days"]]
    calls: list[Callable[[sy.Survey], object]] = [
        lambda s: s.mean("days"),
        lambda s: s.total("days"),
        lambda s: s.ratio("hours", "days"),
    ]
    for backend in BACKENDS:
        for call in calls:
            svy = survey(backend, days=text)
            with pytest.raises(
                errors.NotNumeric, match=r"'days' is .* not parsed.*proportion"
            ) as e:
                call(svy)
            assert e.value.column == "days"
            assert isinstance(e.value, TypeError)


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(COLUMNS["days"], dtype=object),
        pd.Series(COLUMNS["days"]).astype("category"),
        pd.date_range("2023-01-01", periods=12),
    ],
    ids=["object", "category", "dates"],
)
def test_other_columns_that_are_not_numbers(values: Any) -> None:
    with pytest.raises(errors.NotNumeric, match=r"column 'days' is .* and numbers are needed"):
        survey("pandas", days=values).mean("days")


@pytest.mark.parametrize(
    "call",
    [
        lambda s: s.mean("hours"),
        lambda s: s.total("hours"),
        lambda s: s.ratio("hours", "days"),
        lambda s: s.ratio("days", "hours"),
        lambda s: s.mean("hours", by="region"),
    ],
)
def test_infinite_values(call: Callable[[sy.Survey], object]) -> None:
    values = changed("hours", r1=INFINITY, r8=-INFINITY)
    with pytest.raises(errors.InfiniteValues, match=r"is infinite in 2 rows \(1, 8\)") as e:
        call(survey(hours=values))
    assert "'hours'" in str(e.value)
    assert "division by zero, or make these values missing" in str(e.value)
    assert (e.value.column, e.value.rows) == ("hours", (1, 8))


def test_infinite_values_as_levels() -> None:
    with pytest.raises(errors.InfiniteValues, match="'hours' is infinite in 1 row"):
        survey(hours=changed("hours", r1=INFINITY)).proportion("hours")


@pytest.mark.parametrize("kind", ["mean", "total", "proportion", "count"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_missing_answers_may_be_refused(backend: str, kind: str) -> None:
    with pytest.raises(errors.MissingValues, match="missing='fail' was asked for") as e:
        getattr(survey(backend), kind)("hours", missing="fail")
    assert "column 'hours' is missing in 2 rows (2, 7)" in str(e.value)
    assert "use missing='exclude'" in str(e.value)
    assert (e.value.column, e.value.count, e.value.rows) == ("hours", 2, (2, 7))


@pytest.mark.parametrize("backend", BACKENDS)
def test_missing_fail_passes_where_nothing_is_missing(backend: str) -> None:
    svy = survey(backend)
    assert svy.mean("days", missing="fail").to_dict() == svy.mean("days").to_dict()


@pytest.mark.parametrize(
    "backend",
    [
        "pandas",
        pytest.param("polars"),
        pytest.param("pyarrow"),
    ],
)
def test_nan_counts_as_missing_for_missing_fail(backend: str) -> None:
    svy = survey(backend, hours=[NAN] + [1.0, 2.0, 3.0] * 3 + [1.0, 2.0])
    assert svy.mean("hours").missing.tolist() == [1]
    with pytest.raises(errors.MissingValues, match=r"missing in 1 row \(row 0\)"):
        svy.mean("hours", missing="fail")


@pytest.mark.parametrize("backend", BACKENDS)
def test_missing_may_be_a_level(backend: str) -> None:
    svy = survey(backend)
    est = svy.proportion("opinion", missing="level")
    assert est.labels.level == ["Agree", "Disagree", "Neutral", "(missing)"]
    assert math.fsum(est.estimate) == pytest.approx(1, abs=1e-15)
    assert est.n.tolist() == [12] * 4
    assert est.missing.tolist() == [0] * 4
    weights = np.array(COLUMNS["weight"])
    assert est["(missing)"].value == pytest.approx(weights[[3, 9]].sum() / weights.sum(), abs=1e-15)
    assert svy.proportion("opinion").n.tolist() == [10] * 3
    assert svy.proportion("opinion").missing.tolist() == [2] * 3
    counted = svy.count("opinion", missing="level")
    assert math.fsum(counted.estimate) == pytest.approx(svy.count().value, abs=1e-12)


def test_missing_is_no_level_of_a_number() -> None:
    svy = survey()
    for call in (svy.mean, svy.total):
        with pytest.raises(errors.NotNumeric, match=r"missing='level' has no meaning .*'hours'"):
            call("hours", missing="level")
    with pytest.raises(errors.NotNumeric, match="missing='level' has no meaning for the ratio"):
        svy.ratio("hours", "days", missing="level")


@pytest.mark.parametrize("kind", ["mean", "proportion"])
def test_an_unknown_policy_for_missing_answers(kind: str) -> None:
    with pytest.raises(ValueError, match=r"'drop'.*'exclude'"):
        getattr(survey(), kind)("hours", missing="drop")


@pytest.mark.parametrize("kind", ["proportion", "count"])
def test_a_level_that_does_not_occur(kind: str) -> None:
    with pytest.raises(errors.UnknownLevel, match="'Agre' does not occur in column 'opinion'") as e:
        getattr(survey(), kind)("opinion", positive=["Neutral", "Agre"])
    message = str(e.value)
    assert "Did you mean 'Agree'? There are: 'Agree', 'Disagree', 'Neutral'." in message
    assert "make the column categorical with all its categories" in message
    assert e.value.column == "opinion"


def test_a_level_of_another_type_does_not_occur() -> None:
    for name, level in (("opinion", 1), ("days", "1"), ("online", "True")):
        with pytest.raises(errors.UnknownLevel, match=f"does not occur in column '{name}'"):
            survey().proportion(name, positive=level)


def test_a_declared_level_that_nobody_chose_is_a_level() -> None:
    levels = ["Disagree", "Neutral", "Agree", "Strongly agree"]
    opinion = COLUMNS["opinion"]
    for frame in (
        frame_of(COLUMNS).with_columns(pl.Series("opinion", opinion, pl.Enum(levels))),
        frame_of(COLUMNS, "pandas").assign(opinion=pd.Categorical(opinion, levels)),
    ):
        svy = sy.Survey(frame, **DESIGN)
        assert svy.proportion("opinion").labels.level == levels
        assert svy.proportion("opinion", positive="Strongly agree").value == 0
        assert svy.count("opinion")["Strongly agree"].value == 0


def test_positive_answers_must_be_named() -> None:
    with pytest.raises((errors.SteelyardError, ValueError), match="positive"):
        survey().proportion("opinion", positive=[])


@pytest.mark.parametrize(
    "levels", [{"Agree", "Neutral"}, np.array(["Agree", "Neutral"]), pd.Index(["Agree", "Neutral"])]
)
def test_levels_in_a_set_or_an_array(levels: Any) -> None:
    expected = survey().proportion("opinion", positive=["Agree", "Neutral"]).estimate
    assert survey().proportion("opinion", positive=levels).estimate == expected


@pytest.mark.parametrize("nothing", [[], {}])
def test_something_must_be_asked_for(nothing: Any) -> None:
    with pytest.raises(ValueError, match="statistic"):
        survey().estimate(nothing)


# Domains


@pytest.mark.parametrize(
    "where", [nw.col("hours") > 99, [False] * 12, lambda f: f["hours"] > 99, pl.col("days") < 0]
)
def test_a_condition_that_holds_nowhere(where: Any) -> None:
    with pytest.raises(errors.EmptyDomain, match="where= holds for no row"):
        survey().mean("hours", where=where)


def test_a_domain_without_answers() -> None:
    hours = COLUMNS["hours"][:6] + [None] * 6
    with pytest.raises(errors.EmptyDomain, match="'hours' has no answers where they were asked"):
        survey(hours=hours).mean("hours", where={"region": "south"})
    with pytest.raises(errors.EmptyDomain, match="'hours' has no answers: there is nothing") as e:
        survey(hours=[NAN] * 12).mean("hours")
    assert e.value.column == "hours"
    nobody = pl.Series([None] * 12, dtype=pl.String)
    with pytest.raises(errors.EmptyDomain, match="column 'opinion' has no answers at all"):
        survey(opinion=nobody).proportion("opinion")
    with pytest.raises(
        errors.EmptyDomain, match=r"every row is missing in one of .*'opinion'.*by="
    ):
        survey(opinion=nobody).mean("hours", by="opinion")


@pytest.mark.parametrize(
    "backend",
    [pytest.param(b) for b in ("polars", "pyarrow")],
)
def test_a_column_without_any_answer_has_no_type(backend: str) -> None:
    svy = survey(backend, hours=[None] * 12)
    with pytest.raises(errors.EmptyDomain, match="'hours' has no answers"):
        svy.mean("hours")


def test_a_level_of_where_that_does_not_occur() -> None:
    with pytest.raises(errors.UnknownLevel, match=r"'nort' does not occur .*Did you mean 'north'"):
        survey().mean("hours", where={"region": "nort"})


def test_rows_without_a_group_are_counted() -> None:
    est = survey().mean("days", by="opinion")
    assert est.n.tolist() == [6, 2, 2]
    assert "2 rows belong to no group: a label is missing" in repr(est)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ([True] * 11, r"must be 12 booleans, one a row; it is bool of shape \(11,\)"),
        ([1, 0] * 6, r"must be 12 booleans, one a row; it is int64"),
        (np.ones(12), r"must be 12 booleans, one a row; it is float64"),
        (np.ones((12, 1), dtype=bool), r"it is bool of shape \(12, 1\)"),
        ([True, None] * 6, r"must be 12 booleans, one a row; it is object"),
        (
            "region",
            r"true or false in each row; 'region' is String.*mapping such as \{'region': value\}",
        ),
        ("days", r"true or false in each row; 'days' is Int64"),
        (pl.col("days"), r"true or false in each row; 'days' is Int64"),
        (pl.Series([True] * 11), r"must be 12 booleans, one a row; it is bool of shape \(11,\)"),
        (nw.col("days").max() > 1, r"must be 12 booleans, one a row; it is bool of shape \(1,\)"),
        (lambda f: f["days"], r"true or false in each row; 'days' is Int64"),
    ],
)
def test_conditions_that_are_none(where: Any, message: str) -> None:
    with pytest.raises(errors.InvalidCondition, match=f"where= .*{message}|{message}"):
        survey().mean("hours", where=where)


@pytest.mark.parametrize(
    "where", [True, 3, lambda f: "north", lambda f: [1] * 12, pd.array([1] * 12), object()]
)
def test_where_of_a_type_that_makes_no_sense(where: Any) -> None:
    with pytest.raises(TypeError, match="where="):
        survey().mean("hours", where=where)


def test_where_is_a_polars_expression_on_a_pandas_frame() -> None:
    with pytest.raises(TypeError, match=r"where=.*narwhals"):
        survey("pandas").mean("hours", where=pl.col("days") > 1)


def test_where_is_an_expression_of_several_columns() -> None:
    with pytest.raises(errors.SteelyardError, match="where="):
        survey().mean("hours", where=pl.col("days", "weight") > 1)


def test_where_is_a_series_with_another_index() -> None:
    frame = frame_of(COLUMNS, "pandas").iloc[::-1]
    where = frame.sort_index()["region"] == "north"
    try:
        got = sy.Survey(frame, **DESIGN).mean("hours", where=where).value
    except (errors.SteelyardError, ValueError) as error:
        assert "index" in str(error)  # noqa: PT017
        return
    assert got == sy.Survey(frame, **DESIGN).mean("hours", where={"region": "north"}).value


MASK = [d > 1 for d in COLUMNS["days"]]
CONDITIONS: dict[str, Any] = {
    "column": "more",
    "mapping": {"days": [2, 3]},
    "mapping of a boolean": {"more": True},
    "list": MASK,
    "tuple": tuple(MASK),
    "numpy": np.array(MASK),
    "pandas Series": pd.Series(MASK),
    "polars Series": pl.Series(MASK),
    "arrow": pa.chunked_array([pa.array(MASK)]),
    "narwhals": nw.col("days") > 1,
    "narwhals of two columns": (nw.col("days") > 1) & ~(nw.col("region") == "nowhere"),
}
NATIVE: dict[str, dict[str, Any]] = {
    "polars": {
        "expression": pl.col("days") > 1,
        "function": lambda f: f["days"] > 1,
        "function giving an expression": lambda f: pl.col("days") > 1,
    },
    "pandas": {
        "function": lambda f: f["days"] > 1,
        "nullable": pd.Series(MASK, dtype="boolean"),
        "by position": pd.Series(MASK),
    },
    "pyarrow": {"function": lambda f: pa.chunked_array([[d.as_py() > 1 for d in f["days"]]])},
}


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_form_of_a_condition_gives_the_same(backend: str) -> None:
    svy = survey(backend, more=MASK)
    expected = svy.mean("hours", by="more").rows([1]).to_dict()
    del expected["more"]
    for form, where in (CONDITIONS | NATIVE[backend]).items():
        assert svy.mean("hours", where=where).to_dict() == expected, form


@pytest.mark.parametrize(
    "where", [lambda f: np.array(MASK), lambda f: MASK, pd.array(MASK), pa.array(MASK)]
)
def test_more_forms_of_a_condition(where: Any) -> None:
    expected = survey().mean("hours", where=MASK)
    assert survey().mean("hours", where=where).to_dict() == expected.to_dict()


def test_a_missing_condition_does_not_hold() -> None:
    for backend in BACKENDS:
        more: Any = [m if i else None for i, m in enumerate(MASK)]
        if backend == "pandas":
            more = pd.array(more, dtype="boolean")
        got = survey(backend, more=more).mean("hours", where="more")
        assert got.to_dict() == survey(backend).mean("hours", where=[False, *MASK[1:]]).to_dict()


# Intervals, labels, selections


def test_intervals_that_do_not_exist() -> None:
    mean, share = survey().mean("hours"), survey().proportion("opinion")
    for est in (mean, share):
        with pytest.raises(ValueError, match=r"no interval .*'bogus'.*'t', 'normal'"):
            est.ci(method="bogus")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'wilson' are for proportions only; use 't'"):
        mean.ci(method="wilson")
    with pytest.raises(ValueError, match=r"no side 'left'.*'two', 'lower', 'upper'"):
        share.ci(side="left")  # type: ignore[arg-type]


def test_an_unknown_interval_of_a_mean_offers_what_a_mean_can_have() -> None:
    with pytest.raises(ValueError, match="bogus") as e:
        survey().mean("hours").ci(method="bogus")  # type: ignore[arg-type]
    assert "wilson" not in str(e.value)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 95.0, NAN])
def test_levels_of_confidence(level: float) -> None:
    for est in (survey().mean("hours"), survey().proportion("opinion")):
        with pytest.raises(ValueError, match="confidence level must lie between 0 and 1"):
            est.ci(level)


def test_a_bad_level_is_refused_where_it_is_given() -> None:
    with pytest.raises(ValueError, match="confidence level"):
        survey().mean("hours", level=95)


def test_a_label_that_does_not_exist() -> None:
    est = survey().mean("hours", by="region")
    with pytest.raises(errors.LabelNotFound, match="no estimate is labelled 'sout'") as e:
        est["sout"]
    assert "Did you mean 'south'? There are: 'north', 'south', 'hours'." in str(e.value)
    assert str(e.value)[0] != '"'  # KeyError alone would show its message in quotes
    assert isinstance(e.value, KeyError)
    with pytest.raises(errors.LabelNotFound):
        est["north", "south"]
    with pytest.raises(errors.LabelNotFound):
        est.contrast({"north": 1, "sout": -1})
    with pytest.raises(errors.LabelNotFound, match="labelled 0"):
        est[0]


def test_one_value_of_several() -> None:
    with pytest.raises(ValueError, match="there are 2 estimates: select one by its labels"):
        _ = survey().mean("hours", by="region").value


def test_positions_outside_the_table() -> None:
    est = survey().mean("hours", by="region")
    try:
        last = est.rows([-1])
    except IndexError:
        return
    assert last.to_dict() == est.rows([1]).to_dict()


def test_the_core_checks_positions() -> None:
    with pytest.raises((IndexError, ValueError)):
        survey().mean("hours").core.select([-1])


def test_unlike_numbers_of_estimates() -> None:
    three, two = survey().mean("hours", by="opinion"), survey().mean("hours", by="region")
    with pytest.raises(ValueError, match="cannot combine 3 with 2 estimates: select one"):
        three - two


@pytest.mark.parametrize("name", ["variable", "level", "estimate", "n", "note"])
def test_groups_by_a_column_named_like_one_of_the_table(name: str) -> None:
    svy = sy.Survey(frame_of(COLUMNS | {name: COLUMNS["region"]}), **DESIGN)
    with pytest.raises(errors.ReservedName, match=f"by='{name}' .*: rename the column"):
        svy.proportion("opinion", by=name)


@pytest.mark.parametrize("frame", [{"y": [1.0]}, "answers.csv", None, [1, 2], np.ones(3)])
def test_no_frame(frame: Any) -> None:
    with pytest.raises(TypeError):
        sy.Survey(frame)


def test_a_lazy_frame() -> None:
    with pytest.raises(TypeError, match="collect"):
        sy.Survey(frame_of(COLUMNS).lazy())


def test_a_frame_with_two_columns_of_one_name() -> None:
    with pytest.raises(errors.SteelyardError, match="'a'"):
        sy.Survey(pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]))


def test_every_class_is_a_steelyard_error_and_one_of_python() -> None:
    classes = [getattr(errors, name) for name in errors.__all__]
    assert all(issubclass(c, errors.SteelyardError) for c in classes)
    python = (KeyError, ValueError, TypeError, OSError)
    assert all(issubclass(c, python) for c in classes if c is not errors.SteelyardError)


# The same figures whatever the frame and its types


def figures(svy: sy.Survey, labels: bool = True) -> list[object]:
    """Figures of every kind of statistic and domain: estimates, errors, counts, labels."""
    tables = [
        svy.mean(["days", "hours"]),
        svy.total("days", by="region"),
        svy.ratio("days", "hours"),
        svy.proportion("opinion"),
        svy.proportion("opinion", positive=["Agree", "Neutral"], by="region"),
        svy.count("opinion", missing="level"),
        svy.mean("online", by="opinion"),
        svy.proportion("online", positive=True),
        svy.mean("days", where={"online": True, "opinion": "Agree"}),
        svy.proportion("days"),
    ]
    return [t.to_dict() if labels else [t.estimate.tolist(), t.se.tolist()] for t in tables]


LEVELS = ["Agree", "Disagree", "Neutral"]
TEXT, DAYS = COLUMNS["opinion"], COLUMNS["days"]


def pandas_frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(COLUMNS).assign(**columns)


def polars_frame(**columns: Any) -> pl.DataFrame:
    return frame_of(COLUMNS).with_columns(**columns)  # type: ignore[no-any-return]


def arrow_table(**columns: Any) -> pa.Table:
    return pa.table(COLUMNS | columns)


FRAMES: dict[str, Callable[[], Any]] = {
    "pandas": lambda: pandas_frame(),
    "pandas object": lambda: pandas_frame(opinion=pd.Series(TEXT, dtype=object)),
    "pandas string": lambda: pandas_frame(opinion=pd.Series(TEXT, dtype="string")),
    "pandas arrow": lambda: pandas_frame(
        opinion=pd.Series(TEXT, dtype=pd.ArrowDtype(pa.string())),
        days=pd.Series(DAYS, dtype=pd.ArrowDtype(pa.int32())),
    ),
    "pandas categorical": lambda: pandas_frame(opinion=pd.Categorical(TEXT, LEVELS)),
    "pandas ordered": lambda: pandas_frame(opinion=pd.Categorical(TEXT, LEVELS, ordered=True)),
    "pandas nullable": lambda: pandas_frame(
        days=pd.array(DAYS, dtype="Int64"),
        hours=pd.array(COLUMNS["hours"], dtype="Float64"),
        online=pd.array(COLUMNS["online"], dtype="boolean"),
    ),
    "pandas small": lambda: pandas_frame(days=np.array(DAYS, dtype=np.int8)),
    "pandas duplicated index": lambda: pandas_frame().set_index(pd.Index([7] * 12)),
    "pandas reversed index": lambda: pandas_frame().set_index(pd.Index(range(12, 0, -1))),
    "pandas strided": lambda: pd.concat([pandas_frame()] * 2).iloc[np.arange(24) < 12],
    "polars": lambda: polars_frame(),
    "polars enum": lambda: polars_frame(opinion=pl.Series(TEXT, dtype=pl.Enum(LEVELS))),
    "polars categorical": lambda: polars_frame(opinion=pl.Series(TEXT, dtype=pl.Categorical())),
    "polars chunked": lambda: pl.concat(
        [polars_frame()[:5], polars_frame()[5:]], how="vertical", rechunk=False
    ),
    **{
        f"polars {dtype}": partial(polars_frame, days=pl.Series(DAYS).cast(dtype))
        for dtype in (pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt32, pl.UInt64)
    },
    "polars Float32": lambda: polars_frame(weight=pl.col("weight").cast(pl.Float32)),
    "polars Decimal": lambda: polars_frame(hours=pl.col("hours").cast(pl.Decimal(10, 2))),
    "polars NaN": lambda: polars_frame(hours=pl.col("hours").fill_null(NAN)),
    "arrow": lambda: arrow_table(),
    "arrow dictionary": lambda: arrow_table(opinion=pa.array(TEXT).dictionary_encode()),
    "arrow chunked": lambda: pa.concat_tables([arrow_table()[:5], arrow_table()[5:]]),
    "arrow chunked dictionary": lambda: arrow_table(
        opinion=pa.chunked_array(
            [pa.array(part).dictionary_encode() for part in (TEXT[:1], TEXT[1:6], TEXT[6:])]
        )
    ),
    "arrow large string": lambda: arrow_table(opinion=pa.array(TEXT, pa.large_string())),
    "arrow decimal": lambda: arrow_table(
        hours=pa.array(COLUMNS["hours"]).cast(pa.decimal128(10, 2))
    ),
    "arrow small": lambda: arrow_table(days=pa.array(DAYS, pa.uint8())),
}


@pytest.mark.parametrize("name", FRAMES)
def test_the_same_figures_from_every_frame(name: str) -> None:
    assert figures(sy.Survey(FRAMES[name](), **DESIGN)) == figures(survey())


def test_integers_of_128_bits() -> None:
    svy = sy.Survey(polars_frame(days=pl.Series(DAYS).cast(pl.Int128)), **DESIGN)
    assert figures(svy) == figures(survey())


SOMETIMES = [None, *COLUMNS["online"][1:]]


@pytest.mark.parametrize(
    "online",
    [
        pd.array(SOMETIMES, dtype="boolean"),
        pytest.param(pd.Series(SOMETIMES, dtype=object)),
    ],
    ids=["nullable", "object"],
)
def test_booleans_with_missing_ones_in_pandas(online: Any) -> None:
    svy = sy.Survey(pandas_frame(online=online), **DESIGN)
    expected = survey(online=SOMETIMES)
    assert svy.proportion("online").to_dict() == expected.proportion("online").to_dict()
    by = svy.mean("days", by="online")
    assert by.to_dict() == expected.mean("days", by="online").to_dict()


@pytest.mark.parametrize(
    "days",
    [
        pd.Categorical(DAYS),
        pytest.param(pd.Series(DAYS, dtype=object)),
        pytest.param(pa.array(DAYS).dictionary_encode()),
    ],
    ids=["pandas categorical", "pandas object", "arrow dictionary"],
)
def test_levels_that_are_numbers_stay_numbers(days: Any) -> None:
    arrow = isinstance(days, pa.Array)
    svy = sy.Survey(arrow_table(days=days) if arrow else pandas_frame(days=days), **DESIGN)
    assert svy.proportion("days").to_dict() == survey().proportion("days").to_dict()
    assert svy.proportion("days", positive=[2, 3]).value > 0


def test_numbers_and_texts_that_look_alike() -> None:
    mixed = pd.Series([1, "1"] * 6, dtype=object)
    with pytest.raises(errors.MixedLevels, match="'days' mixes values of several types"):
        sy.Survey(pandas_frame(days=mixed)).mean("hours", by="days")


def test_a_null_in_an_arrow_dictionary_is_missing() -> None:
    dictionary = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0] * 4), pa.array(["Agree", None]))
    est = sy.Survey(arrow_table(opinion=dictionary), **DESIGN).proportion("opinion")
    assert est.labels.level == ["Agree"]
    assert est.missing.tolist() == [4]


DATES = [datetime.datetime(2023, 1 + i % 2, 1) for i in range(12)]


def test_groups_by_a_date() -> None:
    for name in BACKENDS:
        svy = survey(name, started=DATES)
        est = svy.mean("hours", by="started")
        half = survey(name, started=[d.month for d in DATES]).mean("hours", by="started")
        assert est.estimate.tolist() == half.estimate.tolist()
        assert est.cov.tolist() == half.cov.tolist()


def test_groups_by_a_date_have_the_same_labels() -> None:
    tables = [survey(name, started=DATES).mean("hours", by="started") for name in BACKENDS]
    assert tables[0].to_dict() == tables[1].to_dict() == tables[2].to_dict()


# Whole numbers that a double cannot hold


BIG = 2**53
IDS = [BIG + i // 2 for i in range(12)]
BIG_IDS: dict[str, Callable[[list[int]], Any]] = {
    "pandas": lambda ids: pandas_frame(activity=ids),
    "pandas nullable": lambda ids: pandas_frame(activity=pd.array(ids, dtype="Int64")),
    "polars": lambda ids: polars_frame(activity=pl.Series(ids)),
    "polars unsigned": lambda ids: polars_frame(
        activity=pl.Series([i + 2**63 for i in ids], dtype=pl.UInt64)
    ),
    "polars negative": lambda ids: polars_frame(activity=pl.Series([-i for i in ids])),
    "arrow": lambda ids: arrow_table(activity=ids),
}


@pytest.mark.parametrize("name", BIG_IDS)
def test_clusters_that_differ_in_the_last_digit_stay_apart(name: str) -> None:
    svy = sy.Survey(BIG_IDS[name](IDS), **DESIGN)
    assert svy.degrees_of_freedom == 4
    assert svy.mean(["hours", "days"]).se.tolist() == pytest.approx(
        survey().mean(["hours", "days"]).se.tolist(), rel=1e-14
    )


@pytest.mark.parametrize("name", BIG_IDS)
def test_groups_that_differ_in_the_last_digit_stay_apart(name: str) -> None:
    est = sy.Survey(BIG_IDS[name](IDS)).mean("days", by="activity")
    assert est.n.tolist() == [2] * 6
    assert len(set(est.labels.by["activity"])) == 6


@pytest.mark.parametrize(
    "frame",
    [
        lambda: polars_frame(activity=pl.Series([None, *IDS[1:]])),
        lambda: pandas_frame(activity=pd.array([None, *IDS[1:]], dtype="Int64")),
        lambda: arrow_table(activity=[None, *IDS[1:]]),
    ],
    ids=["polars", "pandas", "arrow"],
)
def test_groups_stay_apart_where_one_is_missing(frame: Callable[[], Any]) -> None:
    est = sy.Survey(frame()).mean("days", by="activity")
    assert est.n.tolist() == [1, 2, 2, 2, 2, 2]


# The caller's frame


@pytest.mark.parametrize("name", FRAMES)
def test_the_callers_frame_is_not_changed(name: str) -> None:
    mine, untouched = FRAMES[name](), FRAMES[name]()
    figures(sy.Survey(mine, **DESIGN))
    if isinstance(mine, pd.DataFrame):
        pd.testing.assert_frame_equal(mine, untouched)
    else:
        assert mine.equals(untouched)


def test_later_changes_of_a_pandas_frame_change_nothing() -> None:
    frame = pandas_frame()
    svy = sy.Survey(frame, **DESIGN)
    frame["days"] = 100
    frame["opinion"] = "Agree"
    frame["weight"] = 0.0
    del frame["hours"]
    assert figures(svy) == figures(survey())


def test_later_changes_of_a_polars_frame_change_nothing() -> None:
    frame = polars_frame()
    svy = sy.Survey(frame, **DESIGN)
    frame[0, "days"] = 100
    frame.drop_in_place("hours")
    assert figures(svy) == figures(survey())


def test_changes_of_a_result_change_nothing() -> None:
    est = survey().proportion("opinion", by="region")
    before = repr(est)
    table = est.to_dict()
    table["region"][0] = table["level"][0] = "changed"
    assert repr(est) == before


# Never a NaN without a reason


def said(est: sy.Estimates) -> None:
    """Every figure that is not there has a note beside it."""
    table = est.to_dict()
    for name in ("estimate", "se", "ci_low", "ci_high"):
        for value, note in zip(table[name], table["note"], strict=True):
            assert value is not None or note
            assert value is None or math.isfinite(float(str(value)))
    assert "nan" not in repr(est).lower()
    assert "nan" not in est._repr_html_().lower()


@pytest.mark.parametrize("kind", ["mean", "proportion"])
def test_a_group_without_answers_stays_with_a_reason(kind: str) -> None:
    hours = COLUMNS["hours"][:6] + [None] * 6
    est = getattr(survey(hours=hours), kind)("hours", by="region")
    said(est)
    table = est.to_dict()
    south = [i for i, region in enumerate(table["region"]) if region == "south"]
    assert south
    for i in south:
        assert (table["estimate"][i], table["se"][i], table["note"][i]) == (
            None,
            None,
            "no answers",
        )
        assert (table["n"][i], table["missing"][i]) == (0, 6)
    assert "no answers" in repr(est)
    north = est["north"]
    assert north.n[0] == 5
    assert north.se[0] > 0


def test_a_total_over_a_group_without_answers_has_a_reason() -> None:
    hours = COLUMNS["hours"][:6] + [None] * 6
    est = survey(hours=hours).total("hours", by="region")
    assert est.to_dict()["note"][1] == "no answers"
    said(est)


def test_a_group_without_weight_has_a_reason() -> None:
    est = survey(weight=COLUMNS["weight"][:6] + [0.0] * 6).mean("days", by="region")
    assert est.notes == [None, "no answers"]
    said(est)


def test_a_domain_inside_one_cluster_has_no_error() -> None:
    est = survey().mean("days", by="activity")
    said(est)
    table = est.to_dict()
    assert table["se"] == table["ci_low"] == table["ci_high"] == [None] * 6
    assert all("one unit only: error not estimable" in str(note) for note in table["note"])
    assert all(value is not None for value in table["estimate"])
    assert np.isnan(est.p_value()).all()
    share = survey().proportion("online", positive=True, where={"activity": "A1"})
    assert share.to_dict()["se"] == [None]
    said(share)


def test_what_is_made_from_it_has_no_error_either() -> None:
    by = survey().mean("days", by="activity")
    all_together = survey().mean("days")
    for est in (
        by["A1"] - by["B1"],
        by["A1"] - all_together,
        all_together / by["A1"],
        by["A1"].log(),
        by.contrast({"A1": 1, "B1": -1}),
        by.transform(lambda x: x[0] * x[1]),
    ):
        said(est)
        assert est.to_dict()["se"] == [None]
        assert "one unit only" in str(est.notes[0])
    waves = sy.compare({"A": by["A1"], "B": by["A1"]})
    assert waves.to_dict()["p_value"] == [None] * 5


def test_what_is_made_of_the_others_has_one() -> None:
    activity = changed("activity", r2="A1", r3="A1", r6="B2", r7="B3")
    group = ["one"] * 4 + ["two"] * 4 + ["three"] * 4
    svy = sy.Survey(pl.DataFrame({"y": range(12), "c": activity, "g": group}), clusters="c")
    by = svy.mean("y", by="g")
    assert [note is None for note in by.notes] == [False, True, True]
    assert by.contrast({"two": 1, "three": -1}).se[0] > 0
    assert by.contrast({"two": 1, "three": -1}).notes == [None]


def test_a_contrast_of_other_groups_than_the_empty_one_has_no_note() -> None:
    opinion_of_nobody = changed("days", r4=None, r10=None)  # all who disagree
    by = survey(days=opinion_of_nobody).mean("days", by="opinion")
    assert by.notes == [None, "no answers", None]
    gap = by.contrast({"Agree": 1, "Neutral": -1})
    assert gap.se[0] > 0
    assert gap.n[0] > 0
    assert gap.notes == [None]


def test_a_root_of_nothing_gives_its_own_reason() -> None:
    everybody = survey(online=[False] * 12).proportion("online", positive=False)
    nobody = everybody.transform(lambda x: 1 - x[0])
    assert nobody.value == 0
    root = nobody.sqrt()
    assert "one unit" not in str(root.notes[0])


def test_a_logarithm_of_less_than_nothing_gives_its_own_reason() -> None:
    est = (-survey().mean("hours")).log()
    assert "division" not in str(est.notes[0])


def test_a_ratio_to_nothing_has_a_reason() -> None:
    est = survey(days=[0] * 6 + DAYS[6:]).ratio("hours", "days", by="region")
    said(est)
    assert est.notes == [notes.UNDEFINED, None]


METHODS = ("t", "normal", "logit", "wilson", "beta", "korn-graubard", "clopper-pearson")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_a_share_of_all_or_nothing_has_the_exact_one_sided_interval(
    method: Any, level: float
) -> None:
    answers = pl.Series(["No"] * 11 + [None], dtype=pl.Enum(["No", "Yes"]))
    est = survey(opinion=answers).proportion("opinion")
    said(est)
    assert est.estimate.tolist() == [1.0, 0.0]
    far = (1 - level) ** (1 / 11)  # P(11 of 11 alike) = 1 - level at the far end
    np.testing.assert_allclose(est.ci(level, method), [[far, 1], [0, 1 - far]], rtol=1e-14)
    assert all("exact one-sided interval" in str(note) for note in est.notes)


def test_a_difference_to_a_share_of_all_or_nothing_says_so() -> None:
    svy = survey(online=[True] * 6 + COLUMNS["online"][6:])
    by = svy.proportion("online", positive=True, by="region")
    assert by["north"].value == 1
    assert by["south"].notes == [None]
    gap = by["north"] - by["south"]
    assert gap.notes[0] is not None


def test_units_that_do_not_differ_do_not_make_a_figure_certain() -> None:
    half = survey(online=[True, False] * 6, weight=[1.0] * 12).proportion("online", positive=True)
    assert half.value == 0.5
    assert half.notes[0] is not None


def test_a_design_effect_without_weights_is_there_or_has_a_reason() -> None:
    est = survey(design={"clusters": "activity"}).mean("days")
    assert est.to_dict()["deff"] == [None]
    assert "no deff: the weights add up to the sample" in repr(est)


def test_declared_levels_set_the_order_and_find_strangers() -> None:
    scale = ["Disagree", "Neutral", "Agree", "Strongly agree"]
    est = survey().proportion("opinion", levels=scale)
    assert est.labels.level == scale
    assert est["Strongly agree"].value == 0
    with pytest.raises(errors.UnknownLevel, match=r"'Neutral' \(2 rows\) .* not among"):
        survey().proportion("opinion", levels=["Agree", "Disagree"])


def test_what_looks_like_an_expression_is_not_read_as_a_column() -> None:
    with pytest.raises(errors.InvalidCondition, match="pass a mapping such as"):
        survey().mean("hours", where="region == 'north'")


def test_a_statistic_is_made_by_its_function() -> None:
    with pytest.raises(TypeError, match=r"make one, as in sy.mean"):
        sy.Survey(pl.DataFrame({"y": [1.0, 2.0]})).estimate("y")  # type: ignore[arg-type]


def test_pandas_intervals_are_labels() -> None:
    import pandas as pd

    frame = pd.DataFrame({"age": [15, 25, 35, 45], "y": [1.0, 2.0, 3.0, 4.0]})
    frame["band"] = pd.cut(frame["age"], [10, 30, 50])
    assert sy.Survey(frame).mean("y", by="band").labels.by["band"] == ["(10, 30]", "(30, 50]"]
