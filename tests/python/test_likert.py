"""Rating questions and scales: shares, net and mean scores, Cronbach's alpha."""

import math
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import steelyard as sy
from steelyard import errors

Floats = npt.NDArray[np.float64]

WORDS = ["Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree"]
SUMMARY = ["positive", "negative", "net score", "mean score"]
DESIGN = {"weights": "w", "strata": "region", "clusters": "class"}


@cache
def answers() -> pl.DataFrame:
    """120 answers to questions that go together, in 24 classes of 2 regions."""
    random = np.random.default_rng(11)
    mood = np.repeat(random.normal(0, 0.6, 24), 5) + random.normal(0, 0.8, 120)

    def asked(shift: float) -> npt.NDArray[np.int64]:
        return np.clip(np.rint(3 + shift + mood + random.normal(0, 0.7, 120)), 1, 5).astype(int)

    first, second, third = asked(0.5), asked(0.0), asked(0.3)
    frame = pl.DataFrame(
        {
            "q1": first,
            "q2": second,
            "q3": third,
            "against": 6 - asked(0.2),
            "text": [WORDS[i - 1] for i in first],
            "w": random.uniform(0.5, 3, 120),
            "class": np.repeat(np.arange(24), 5),
            "region": np.repeat(["north", "south"], 60),
            "gender": random.choice(["f", "m"], 120),
            "year": random.choice([1, 2], 120),
        }
    )
    return frame.with_columns(
        enum=pl.col("text").cast(pl.Enum(WORDS)),
        real=pl.col("q1").cast(pl.Float64),
        hole=pl.when(pl.int_range(pl.len()) % 9 == 0).then(None).otherwise(pl.col("q1")),
        three=pl.col("q1").clip(2, 4),
        met=pl.col("q1") >= 4,
    )


@cache
def survey() -> sy.Survey:
    return sy.Survey(answers(), **DESIGN)


def same(got: sy.Estimates, wanted: sy.Estimates, rel: float = 1e-12) -> None:
    np.testing.assert_allclose(got.estimate, wanted.estimate, rtol=rel)
    np.testing.assert_allclose(got.se, wanted.se, rtol=rel)
    np.testing.assert_allclose(got.ci(), wanted.ci(), rtol=1e-10)
    assert got.n.tolist() == wanted.n.tolist()
    assert got.missing.tolist() == wanted.missing.tolist()


# One question


@pytest.mark.parametrize("by", [None, "gender", ["gender", "region"]])
def test_every_figure_is_what_it_would_be_alone(by: Any) -> None:
    got = survey().likert("q1", levels=range(1, 6), by=by)
    groups = len(got) // 9
    assert got.labels.level == [1, 2, 3, 4, 5, *SUMMARY] * groups
    same(got["positive"], survey().proportion("q1", positive=[4, 5], by=by))
    same(got["negative"], survey().proportion("q1", positive=[1, 2], by=by))
    same(got["mean score"], survey().mean("q1", by=by))
    shares = survey().proportion("q1", levels=range(1, 6), by=by)
    levels = [i for i, level in enumerate(got.labels.level) if not isinstance(level, str)]
    same(got.rows(levels), shares)
    np.testing.assert_allclose(got.cov[np.ix_(levels, levels)], shares.cov, atol=1e-15)


@pytest.mark.parametrize("by", [None, "gender"])
def test_the_net_score_is_the_difference_with_its_covariance(by: str | None) -> None:
    got = survey().likert("q1", levels=range(1, 6), by=by)
    difference = got["positive"] - got["negative"]
    np.testing.assert_allclose(got["net score"].estimate, difference.estimate, rtol=1e-12)
    np.testing.assert_allclose(got["net score"].se, difference.se, rtol=1e-12)
    np.testing.assert_allclose(got["net score"].ci(), difference.ci(), rtol=1e-12)
    # The shares exclude each other: the net score is less sure than if they were independent.
    independent = np.sqrt(got["positive"].se ** 2 + got["negative"].se ** 2)
    assert (got["net score"].se > independent).all()
    coded = answers().with_columns(
        net=(pl.col("q1") >= 4).cast(pl.Int8) - (pl.col("q1") <= 2).cast(pl.Int8)
    )
    alone = sy.Survey(coded, **DESIGN).mean("net", by=by)
    np.testing.assert_allclose(got["net score"].se, alone.se, rtol=1e-12)


def test_figures_of_one_question_and_of_separate_calls_covary_alike() -> None:
    got = survey().likert("q1", levels=range(1, 6))
    position = got.labels.level.index
    apart = got["mean score"] - survey().mean("q2")
    both = survey().mean(["q1", "q2"])
    assert apart.se == pytest.approx((both["q1"] - both["q2"]).se, rel=1e-12)
    weights = np.array([1, 2, 3, 4, 5])
    shares = [position(i) for i in range(1, 6)]
    covariance = got.cov[np.ix_(shares, shares)]
    variance = got.cov[position("mean score"), position("mean score")]
    assert weights @ covariance @ weights == pytest.approx(variance, rel=1e-12)


def test_several_questions_are_each_alone() -> None:
    both = survey().likert(["q1", "q2"], levels=range(1, 6), by="gender")
    for name in ("q1", "q2"):
        same(both[name], survey().likert(name, levels=range(1, 6), by="gender"))
    gap = both["q1", "net score", "f"] - both["q2", "net score", "f"]
    assert 0 < gap.se[0] < np.hypot(*both["net score", "f"].se)  # they go together


def test_three_answers_have_one_at_each_end() -> None:
    got = survey().likert("three", levels=[2, 3, 4])
    same(got["positive"], survey().proportion("three", positive=4))
    same(got["negative"], survey().proportion("three", positive=2))


def test_yes_and_no_score_2_and_1() -> None:
    got = survey().likert("met")
    share = survey().proportion("met", positive=True)
    same(got["positive"], share)
    assert got["mean score"].value == pytest.approx(1 + share.value, rel=1e-12)
    assert got["net score"].value == pytest.approx(2 * share.value - 1, rel=1e-12)
    assert got["net score"].se == pytest.approx(2 * share.se, rel=1e-12)


def test_what_counts_is_chosen() -> None:
    got = survey().likert("enum", positive="Strongly agree", negative=WORDS[:3])
    same(got["positive"], survey().proportion("enum", positive=WORDS[4]))
    same(got["negative"], survey().proportion("enum", positive=WORDS[:3]))
    assert got["net score"].value == pytest.approx(
        got["positive"].value - got["negative"].value, rel=1e-12
    )


def test_scores_are_chosen() -> None:
    plain = survey().likert("enum")["mean score"]
    centred = survey().likert("enum", scores=[-2, -1, 0, 1, 2])["mean score"]
    assert centred.value == pytest.approx(plain.value - 3, rel=1e-12)
    assert centred.se == pytest.approx(plain.se, rel=1e-12)
    percent = survey().likert("enum", scores=[0, 25, 50, 75, 100])["mean score"]
    assert percent.value == pytest.approx(25 * (plain.value - 1), rel=1e-12)
    assert percent.se == pytest.approx(25 * plain.se, rel=1e-12)
    uneven = survey().likert("q1", levels=range(1, 6), scores=[0, 0, 0, 1, 1])
    assert uneven["mean score"].se == pytest.approx(uneven["positive"].se, rel=1e-12)


def test_what_nobody_answered_is_0_with_its_exact_bound() -> None:
    got = survey().likert("q1", levels=range(7))
    for level in (0, 6):
        assert got[level].value == 0
        assert got[level].notes == ["nobody gave this answer: exact one-sided interval"]
        assert 0 < got[level].ci()[0, 1] < 0.15
    assert got["mean score"].value == pytest.approx(survey().mean("q1").value, rel=1e-12)
    same(got["positive"], survey().proportion("q1", positive=5))


def test_missing_answers_are_out_of_the_base_and_counted() -> None:
    got = survey().likert("hole", levels=range(1, 6), by="region")
    same(got["positive"], survey().proportion("hole", positive=[4, 5], by="region"))
    assert got["positive"].missing.tolist() == [7, 7]
    assert got["positive"].n.tolist() == [53, 53]
    with pytest.raises(errors.MissingValues, match="'hole' is missing in 14 rows"):
        survey().likert("hole", levels=range(1, 6), missing="fail")
    with pytest.raises(errors.NotNumeric, match="missing='level' has no meaning"):
        survey().likert("hole", levels=range(1, 6), missing="level")


def test_a_condition_is_one_group() -> None:
    groups = survey().likert("q1", levels=range(1, 6), by="gender")
    same(survey().likert("q1", levels=range(1, 6), where={"gender": "f"}), groups["f"])


# Columns of answers in order


def test_words_in_order_whatever_the_frame() -> None:
    frame: Any = answers().to_pandas()
    frame["ordered"] = pd.Categorical(frame["text"], WORDS, ordered=True)
    frame["unordered"] = pd.Categorical(frame["text"], WORDS)
    wanted = survey().likert("q1", levels=range(1, 6))
    pandas = sy.Survey(frame, **DESIGN)
    for got in (
        survey().likert("enum"),
        survey().likert("text", levels=WORDS),
        pandas.likert("ordered"),
        pandas.likert("text", levels=WORDS),
        pandas.likert("unordered", levels=WORDS),
        sy.Survey(answers().to_arrow(), **DESIGN).likert("text", levels=WORDS),
    ):
        assert got.labels.level == [*WORDS, *SUMMARY]
        same(got, wanted)
    same(survey().likert("real", levels=range(1, 6)), wanted)


def test_words_in_the_other_order_turn_the_signs() -> None:
    up, down = survey().likert("enum"), survey().likert("enum", levels=WORDS[::-1])
    assert down.labels.level == [*WORDS[::-1], *SUMMARY]
    assert down["net score"].value == pytest.approx(-up["net score"].value, rel=1e-12)
    assert down["mean score"].value == pytest.approx(6 - up["mean score"].value, rel=1e-12)


@pytest.mark.parametrize("kind", ["polars", "unordered pandas", "pyarrow"])
def test_words_without_an_order_are_refused(kind: str) -> None:
    frame: Any = answers()
    if kind == "unordered pandas":
        frame = frame.to_pandas()
        frame["text"] = pd.Categorical(frame["text"], WORDS)
    elif kind == "pyarrow":
        frame = frame.to_arrow()
    with pytest.raises(errors.UnorderedLevels, match="words without an order") as caught:
        sy.Survey(frame, **DESIGN).likert("text")
    assert "levels=" in str(caught.value)
    assert "'Agree'" in str(caught.value)
    with pytest.raises(errors.UnorderedLevels, match="words without an order"):
        sy.Survey(frame, **DESIGN).scale(["q1", "text"])


def test_an_ordered_dictionary_is_in_order() -> None:
    codes = pa.array([i - 1 for i in answers()["q1"]])
    ordered = pa.DictionaryArray.from_arrays(codes, pa.array(WORDS), ordered=True)
    got = sy.Survey(pa.table({"text": ordered})).likert("text")
    assert got.labels.level == [*WORDS, *SUMMARY]


def test_an_answer_that_nobody_gave_does_not_move_what_is_negative() -> None:
    frame = answers().filter(pl.col("q1") != 2)
    named = sy.Survey(frame, "w").likert("q1", positive=[4, 5], negative=[1])
    declared = sy.Survey(frame, "w").likert("q1", levels=range(1, 6))
    assert named["negative"].value == declared["negative"].value


def test_answers_that_are_called_positive_and_negative_are_to_be_renamed() -> None:
    words = ["negative", "neutral", "positive"]
    frame = pl.DataFrame({"mood": words * 10}, schema={"mood": pl.Enum(words)})
    with pytest.raises(errors.UnknownLevel, match=r"'negative' of column 'mood' .* rename it"):
        sy.Survey(frame).likert("mood")


def test_numbers_without_their_range_are_refused() -> None:
    with pytest.raises(errors.UnorderedLevels, match="name all that could be in levels="):
        survey().likert("q1")
    named = survey().likert("q1", positive=[4, 5], negative=[1, 2])
    same(named, survey().likert("q1", levels=range(1, 6)))


# Bad input


def test_answers_that_are_not_known() -> None:
    typo = [*WORDS[:4], "Strongly Agree"]
    with pytest.raises(errors.UnknownLevel, match=r"Did you mean 'Strongly Agree'") as caught:
        survey().likert("text", levels=typo)
    assert "'Strongly agree'" in str(caught.value)
    for choice in ("positive", "negative"):
        with pytest.raises(errors.UnknownLevel, match="'Agreed' does not occur in column 'enum'"):
            survey().likert("enum", **{choice: ["Agreed"]})  # type: ignore[arg-type]
    with pytest.raises(errors.UnknownLevel, match="6 does not occur"):
        survey().likert("q1", levels=range(1, 6), positive=[5, 6])


@pytest.mark.parametrize(
    "choice",
    [
        {"positive": ["Neutral", "Agree"], "negative": ["Neutral"]},
        {"positive": WORDS[1:]},  # the default negative answers
        {"negative": WORDS[:4]},
    ],
)
def test_an_answer_is_not_positive_and_negative(choice: dict[str, Any]) -> None:
    with pytest.raises(errors.UnknownLevel, match="counts as positive and as negative"):
        survey().likert("enum", **choice)


def test_only_one_answer_has_no_ends() -> None:
    frame = answers().with_columns(same=pl.lit(3))
    with pytest.raises(errors.UnknownLevel, match="3 of column 'same' counts as positive and"):
        sy.Survey(frame).likert("same", positive=3, negative=3)
    got = sy.Survey(frame).likert("same", levels=range(1, 6))
    assert got[3].value == 1
    assert got["net score"].value == 0


def test_scores_that_do_not_fit() -> None:
    with pytest.raises(errors.UnknownLevel, match="scores= has 4 values and column 'q1' has 5"):
        survey().likert("q1", levels=range(1, 6), scores=[1, 2, 3, 4])
    with pytest.raises(ValueError, match="positive= is empty"):
        survey().likert("q1", levels=range(1, 6), positive=[])


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_scores_that_are_not_numbers(wrong: float) -> None:
    with pytest.raises(ValueError, match="scores="):
        survey().likert("q1", levels=range(1, 6), scores=[1, 2, 3, 4, wrong])


def test_columns_without_answers() -> None:
    frame = answers().with_columns(nothing=pl.lit(None, dtype=pl.Int64))
    with pytest.raises(errors.EmptyDomain, match="'nothing' has no answers"):
        sy.Survey(frame).likert("nothing")
    with pytest.raises(errors.ColumnNotFound, match="Did you mean 'text'"):
        survey().likert("txet")


# Scales


# R 4.2.2, survey 4.1.1: svycralpha(~ell+mobility+meals, d), d <- svydesign(id=~1, strata=~stype,
# weights=~pw, data=apistrat, fpc=~fpc) and svydesign(id=~dnum, weights=~pw, data=apiclus1,
# fpc=~fpc); its error from vcov(svyvar(~ell+mobility+meals, d)) and the gradient of alpha for d.
@pytest.mark.parametrize(
    ("name", "design", "alpha", "error"),
    [
        (
            "apistrat",
            {"strata": "stype"},
            0.64565078129964248,
            0.030370010303130097,
        ),
        (
            "apiclus1",
            {"clusters": "dnum"},
            0.62149746185170951,
            0.027187879757925769,
        ),
    ],
)
def test_alpha_equals_r(name: str, design: dict[str, str], alpha: float, error: float) -> None:
    svy = sy.Survey(sy.datasets.load(name), weights="pw", fpc="fpc", **design)  # type: ignore[arg-type]
    got = svy.scale(["ell", "mobility", "meals"])
    assert got.labels.level == ["mean score", "alpha"]
    assert got["alpha"].value == pytest.approx(alpha, rel=1e-12)
    assert got["alpha"].se[0] == pytest.approx(error, rel=1e-9)
    both = svy.mean(["ell", "mobility", "meals"])
    third = both.transform(lambda x: (x[0] + x[1] + x[2]) / 3)
    assert got["mean score"].value == pytest.approx(third.value, rel=1e-12)
    assert got["mean score"].se == pytest.approx(third.se, rel=1e-9)


# svycralpha(~hole+ell+mobility, d, na.rm=TRUE), hole being meals without the schools whose
# enrolment 7 divides.
@pytest.mark.parametrize(
    ("name", "design", "alpha"),
    [
        ("apistrat", {"strata": "stype"}, 0.65188229543191989),
        ("apiclus1", {"clusters": "dnum"}, 0.62578596430156619),
    ],
)
def test_rows_that_lack_an_item_are_out(name: str, design: dict[str, str], alpha: float) -> None:
    frame: Any = sy.datasets.load(name, backend="polars")
    frame = frame.with_columns(
        hole=pl.when(pl.col("enroll") % 7 == 0).then(None).otherwise(pl.col("meals"))
    )
    svy = sy.Survey(frame, weights="pw", fpc="fpc", **design)  # type: ignore[arg-type]
    got = svy.scale(["hole", "ell", "mobility"])
    assert got["alpha"].value == pytest.approx(alpha, rel=1e-12)
    without = frame["hole"].null_count()
    assert got.n.tolist() == [len(frame) - without] * 2
    assert got.missing.tolist() == [without] * 2
    with pytest.raises(errors.MissingValues, match="'hole' is missing in"):
        svy.scale(["hole", "ell"], missing="fail")


def alpha_by_hand(items: Floats, weights: Floats) -> float:
    """Cronbach (1951): k / (k - 1) (1 - sum of variances / variance of the sum)."""
    covariance = np.cov(items, aweights=weights)
    k = len(items)
    return k / (k - 1) * (1 - float(np.trace(covariance) / covariance.sum()))


@pytest.mark.parametrize("gender", ["f", "m"])
def test_alpha_of_groups(gender: str) -> None:
    items = ["q1", "q2", "q3"]
    got = survey().scale(items, by="gender")
    mine = answers().filter(pl.col("gender") == gender)
    expected = alpha_by_hand(mine.select(items).to_numpy().T, mine["w"].to_numpy())
    assert got["alpha", gender].value == pytest.approx(expected, rel=1e-12)
    alone = survey().scale(items, where={"gender": gender})
    np.testing.assert_allclose(got[gender].se, alone.se, rtol=1e-12)


def test_alpha_of_two_items_is_their_correlation_by_spearman_and_brown() -> None:
    # Of items of one variance: 2 r / (1 + r).
    frame = answers().with_columns(
        (pl.col(name) - pl.col(name).mean()) / pl.col(name).std() for name in ("q1", "q2")
    )
    svy = sy.Survey(frame)
    r = svy.correlation("q1", "q2").value
    assert svy.scale(["q1", "q2"])["alpha"].value == pytest.approx(2 * r / (1 + r), rel=1e-9)


def test_an_item_asked_the_other_way_round() -> None:
    items = ["q1", "q2", "against"]
    turned = sy.Survey(answers().with_columns(against=6 - pl.col("against")), **DESIGN)
    wanted = turned.scale(items)
    for reverse in (["against"], ("against",)):
        got = survey().scale(items, reverse=reverse, levels=range(1, 6))
        np.testing.assert_allclose(got.estimate, wanted.estimate, rtol=1e-12)
        np.testing.assert_allclose(got.se, wanted.se, rtol=1e-12)
    assert survey().scale(items)["alpha"].value < got["alpha"].value


def test_scores_of_words() -> None:
    items = ["enum", "text"]
    got = survey().scale(items, levels=WORDS, scores=[-2, -1, 0, 1, 2])
    assert got["mean score"].value == pytest.approx(survey().mean("q1").value - 3, rel=1e-12)
    assert got["alpha"].value == pytest.approx(1, rel=1e-12)
    turned = survey().scale(items, levels=WORDS, scores=[0, 1, 2, 3, 10], reverse=items)
    plain = survey().scale(items, levels=WORDS, scores=[0, 1, 2, 3, 10])
    assert turned["mean score"].value == pytest.approx(10 - plain["mean score"].value, rel=1e-12)


def test_the_mean_score_is_that_of_the_rows_mean() -> None:
    frame = answers().with_columns(mean=pl.mean_horizontal("q1", "q2", "q3"))
    wanted = sy.Survey(frame, **DESIGN).mean("mean", by="gender")
    got = survey().scale(["q1", "q2", "q3"], by="gender")["mean score"]
    np.testing.assert_allclose(got.estimate, wanted.estimate, rtol=1e-12)
    np.testing.assert_allclose(got.se, wanted.se, rtol=1e-12)


def test_scales_have_names() -> None:
    assert survey().scale(["q1", "q2"]).labels.variable == ["q1 + q2"] * 2
    got = survey().estimate({"trust": sy.scale(["q1", "q2"]), "q3": sy.mean("q3")})
    assert got["trust", "alpha"].value == survey().scale(["q1", "q2"])["alpha"].value
    assert (got["trust", "mean score"] - got["q3"]).se[0] > 0


def test_items_that_do_not_vary_have_no_alpha() -> None:
    frame = answers().with_columns(same=pl.lit(3), also=pl.lit(3))
    got = sy.Survey(frame, **DESIGN).scale(["same", "also"])
    assert got["mean score"].value == 3
    assert np.isnan(got["alpha"].value)
    assert got["alpha"].notes == ["not defined for these values"]


def test_scales_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="at least two items"):
        survey().scale(["q1"])
    with pytest.raises(ValueError, match="'q4', which is not among the items"):
        survey().scale(["q1", "q2"], reverse=["q4"])
    with pytest.raises(errors.UnknownLevel, match="not among the declared answers"):
        survey().scale(["q1", "q2"], levels=[1, 2, 3], scores=[1, 2, 3], reverse=["q2"])


def test_one_name_is_not_several_items() -> None:
    with pytest.raises((TypeError, ValueError), match="several columns, not one"):
        survey().scale("q1")


def test_an_item_is_reversed_alike_whoever_answered() -> None:
    few = sy.Survey(answers().filter(pl.col("against") > 1))
    with pytest.raises(errors.UnorderedLevels, match="name all of them in levels="):
        few.scale(["q1", "against"], reverse=["against"])
    frame = answers().filter(pl.col("against") > 1).with_columns(turned=6 - pl.col("against"))
    declared = few.scale(["q1", "against"], reverse=["against"], levels=range(1, 6))
    turned = sy.Survey(frame).scale(["q1", "turned"])
    assert declared["mean score"].value == pytest.approx(turned["mean score"].value, rel=1e-12)


def test_a_question_does_not_have_thousands_of_answers() -> None:
    frame = pl.DataFrame({"id": range(1_001)})
    with pytest.raises(errors.TooManyLevels, match="1,001 distinct values"):
        sy.Survey(frame).likert("id")


def test_an_item_is_named_once() -> None:
    with pytest.raises(ValueError, match="each of them once"):
        survey().scale(["q1", "q1", "q2"])
