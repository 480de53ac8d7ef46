"""Weighting: its weights, its errors through every step, and what it refuses."""

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from reference import REFERENCE, TOTALS, TYPES, WEIGHTED, WIDE, frame_of, survey_of, weighting_of

import steelyard as sy

Chain = Callable[[sy.Weighting], sy.Weighting]


def schools(name: str = "apiclus1") -> pl.DataFrame:
    frame: pl.DataFrame = sy.datasets.load(name, backend="polars")
    return frame


def kish(weights: Any) -> float:
    w = np.asarray(weights)
    w = w[w > 0]
    return float(len(w) * (w**2).sum() / w.sum() ** 2)


@pytest.mark.parametrize("design", [d for d in WEIGHTED if not d.startswith("clus1_jk1")])
def test_weights_are_those_of_r(design: str) -> None:
    wanted = pl.read_csv(REFERENCE / "data" / f"calw_{design}.csv")["w"].to_numpy()
    found = weighting_of(design, frame_of(design))
    assert found.weights == pytest.approx(wanted, rel=1e-10)
    assert found.steps[-1].largest_error < 1e-12


@pytest.mark.parametrize("design", [d for d in WEIGHTED if d.startswith("clus1_jk1")])
def test_replayed_weights_are_those_of_r(design: str) -> None:
    data = REFERENCE / "data"
    base = pl.read_csv(data / f"repbase_{design}.csv")
    every = pl.read_csv(data / f"repw_{design}.csv").select(pl.all().cast(pl.Float64))
    wanted = pl.concat([base, every], how="horizontal").to_numpy()
    found = np.asarray(survey_of(design).weights_frame())

    def in_one_order(weights: Any) -> Any:
        """Replicates in the order of the rows that each leaves out."""
        return weights[:, np.lexsort(weights[::-1] == 0)]

    assert in_one_order(found) == pytest.approx(in_one_order(wanted), rel=1e-9, abs=1e-9)


CALIBRATED: dict[str, Chain] = {
    "post-stratify twice": lambda w: w.poststratify("stype", TYPES).poststratify("sch.wide", WIDE),
    "rake": lambda w: w.rake({"stype": TYPES, "sch.wide": WIDE}),
    "greg": lambda w: w.calibrate(TOTALS),
    "rake, trim, rake": lambda w: (
        w.rake({"stype": TYPES, "sch.wide": WIDE})
        .trim(high=2.2, unit="mean")
        .rake({"stype": TYPES, "sch.wide": WIDE})
    ),
    "classes, greg, normalise": lambda w: (
        w.nonresponse("answers", classes="stype").calibrate(TOTALS).normalize()
    ),
    "propensity": lambda w: w.nonresponse("answers", formula="meals + stype"),
    "propensity, rake": lambda w: w.nonresponse("answers", formula="meals").rake(
        {"stype": TYPES, "sch.wide": WIDE}
    ),
    "heteroscedastic": lambda w: w.calibrate({"enroll": 3811472, "stype": TYPES}, scale="enroll"),
    "household": lambda w: w.calibrate({"stype": TYPES}, clusters="snum"),
}


def answering(frame: pl.DataFrame) -> pl.DataFrame:
    """A part of the schools, as if they had answered."""
    rng = np.random.default_rng(11)
    chance = 0.55 + 0.4 * (frame["meals"].to_numpy() < 50)
    return frame.with_columns(answers=rng.random(len(frame)) < chance)


@pytest.mark.parametrize("chain", CALIBRATED)
@pytest.mark.parametrize("statistic", ["mean", "total"])
def test_linearised_errors_are_those_of_the_replayed_jackknife(chain: str, statistic: str) -> None:
    """Many units, so that what is not linear is small: the two know the same steps."""
    rng = np.random.default_rng(5)
    frame = answering(schools("apistrat"))
    frame = pl.concat([frame] * 3).with_columns(
        api00=pl.col("api00") + rng.normal(0, 40, 600), pw=pl.col("pw") * rng.uniform(0.4, 1.6, 600)
    )
    weighting = CALIBRATED[chain](sy.weight(frame, base="pw"))
    svy = sy.Survey(frame, weights=weighting, strata="stype")
    jack = svy.replicated(mse=True)
    for name in ("api00", "enroll"):
        linear = getattr(svy, statistic)(name).se[0]
        replayed = getattr(jack, statistic)(name).se[0]
        assert linear == pytest.approx(replayed, rel=0.04, abs=1e-6), name
    if chain == "greg" and statistic == "total":  # not by chance: the steps matter
        plain = sy.Survey(frame.with_columns(w=weighting.weights), weights="w", strata="stype")
        assert svy.total("api00").se[0] < 0.5 * plain.total("api00").se[0]


def test_derivative_residuals_are_right_where_factors_are_far_from_one() -> None:
    """Respondents alone are raked to the population: factors are near 2, not 1."""
    rng = np.random.default_rng(3)
    n = 1500
    rows = pl.DataFrame(
        {
            "a": rng.integers(0, 2, n).astype(str),
            "b": rng.integers(0, 3, n).astype(str),
            "w": rng.uniform(1, 3, n),
        }
    )
    rows = rows.with_columns(
        y=pl.col("a").cast(pl.Float64) * 3
        + pl.col("b").cast(pl.Float64)
        + pl.Series(rng.normal(0, 1 + 3 * (rows["a"] == "1").to_numpy(), n))
    )
    margins = {"a": {"0": 900, "1": 8100}, "b": {"0": 6000, "1": 2400, "2": 600}}
    errors = {}
    for residuals in ("before", "derivative"):
        chain = sy.weight(rows, base="w").rake(margins, residuals=residuals)
        errors[residuals] = sy.Survey(rows, weights=chain).total("y").se[0]
    chain = sy.weight(rows, base="w").rake(margins)
    jack = sy.Survey(rows, weights=chain).replicated(mse=True).total("y").se[0]
    assert errors["derivative"] == pytest.approx(jack, rel=0.01)
    assert abs(errors["before"] / jack - 1) > abs(errors["derivative"] / jack - 1)


def test_a_total_that_is_met_has_no_error() -> None:
    frame = schools()
    chain = sy.weight(frame, base="pw").calibrate(TOTALS)
    svy = sy.Survey(frame, weights=chain, clusters="dnum", fpc="fpc")
    for survey in (svy, svy.replicated()):
        counts = survey.count("stype")
        assert counts.estimate.tolist() == pytest.approx([4421, 755, 1018], rel=1e-12)
        assert counts.se == pytest.approx(np.zeros(3), abs=1e-6)
        assert survey.total("api99").se[0] < 1e-4


def test_trimming_keeps_the_sum_and_its_errors_know() -> None:
    frame = schools()
    chain = sy.weight(frame, base="pw").calibrate(TOTALS).trim(high=1.4, unit="mean")
    step = chain.steps[-1]
    assert step.summary.sum == pytest.approx(6194, rel=1e-12)
    assert step.summary.largest <= 1.4 * chain.steps[-2].summary.mean * (1 + 1e-9)
    svy = sy.Survey(frame, weights=chain, clusters="dnum")
    assert svy.count().se[0] < 1e-6
    fixed = (
        sy.weight(frame, base="pw").calibrate(TOTALS).trim(high=1.4, unit="mean", factors="fixed")
    )
    assert sy.Survey(frame, weights=fixed, clusters="dnum").count().se[0] > 1
    loose = sy.weight(frame, base="pw").calibrate(TOTALS).trim(high=40, share="none")
    assert loose.steps[-1].summary.sum < 6194


def test_weighting_classes_divide_by_weighted_response_rates() -> None:
    frame = answering(schools("apistrat"))
    chain = sy.weight(frame, base="pw").nonresponse("answers", classes=["stype", "awards"])
    for key, part in frame.with_columns(new=chain.weights).group_by("stype", "awards"):
        rate = part.filter("answers")["pw"].sum() / part["pw"].sum()
        wanted = part["pw"].to_numpy() * part["answers"].to_numpy() / rate
        assert part["new"].to_numpy() == pytest.approx(wanted, rel=1e-12), key
    classes = chain.steps[-1].classes
    assert classes is not None
    assert sum(classes.rows) == 200
    assert sum(classes.responded) == frame["answers"].sum()


def test_small_classes_are_merged_and_named() -> None:
    frame = answering(schools("apistrat"))
    few = sy.weight(frame, base="pw").nonresponse(
        "answers", classes=["stype", "awards"], minimum=25
    )
    classes = few.steps[-1].classes
    assert classes is not None
    assert min(classes.responded) >= 25
    assert "merged: " in few.steps[-1].text
    assert any(len(parts) > 1 for parts in classes.labels)
    one = sy.weight(frame, base="pw").nonresponse("answers", classes="stype", minimum=10_000)
    assert one.steps[-1].classes is not None
    assert len(one.steps[-1].classes.labels) == 1
    # The first column is kept as long as may be.
    assert all(
        len({label[0] for label in parts}) == 1 for parts in classes.labels if len(parts) == 2
    )


def test_propensities_are_those_of_the_regression() -> None:
    frame = answering(schools("apistrat"))
    chain = sy.weight(frame, base="pw").nonresponse("answers", formula="meals + stype")
    fit = sy.Survey(frame, weights="pw").glm(
        "answers ~ meals + stype", family="binomial", positive=True
    )
    chance = fit.predict(frame).estimate
    wanted = frame["pw"].to_numpy() * frame["answers"].to_numpy() / chance
    assert chain.weights == pytest.approx(wanted, rel=1e-9)
    # The score of the regression makes respondents' totals of the regressors those of the sample.
    five = sy.weight(frame, base="pw").nonresponse("answers", formula="meals + stype", quantiles=5)
    group = np.searchsorted(np.sort(chance)[[40, 80, 120, 160]], chance, side="right")
    for g in range(5):
        w, answered = frame["pw"].to_numpy()[group == g], frame["answers"].to_numpy()[group == g]
        wanted = w * answered * w.sum() / (w * answered).sum()
        assert five.weights[group == g] == pytest.approx(wanted, rel=1e-10)


def test_unknown_eligibility_then_response() -> None:
    """A hand-made example: two classes, of which some rows are of unknown eligibility."""
    rows = pl.DataFrame(
        {
            "class": ["a"] * 4 + ["b"] * 4,
            "state": ["answer", "refused", "unknown", "out"] * 2,
            "w": [1.0, 2.0, 3.0, 4.0, 1.0, 1.0, 2.0, 2.0],
        }
    )
    chain = sy.weight(rows, base="w").unknown_eligibility(
        {"state": ["answer", "refused", "out"]}, classes="class"
    )
    assert chain.weights == pytest.approx([10 / 7, 20 / 7, 0, 40 / 7, 1.5, 1.5, 0, 3])
    answered = chain.nonresponse(
        {"state": "answer"}, eligible={"state": ["answer", "refused"]}, classes="class"
    )
    assert answered.weights == pytest.approx([30 / 7, 0, 0, 40 / 7, 3, 0, 0, 3])


@pytest.mark.parametrize("distance", ["linear", "raking", "logit", "sinh"])
def test_bounds_hold_and_totals_are_met(distance: Any) -> None:
    frame = schools()
    chain = sy.weight(frame, base="pw").calibrate(TOTALS, distance=distance, bounds=(0.5, 2))
    factors = chain.factors
    assert factors.min() >= 0.5 - 1e-12
    assert factors.max() <= 2 + 1e-12
    weights = chain.weights
    assert (weights * frame["api99"].to_numpy()).sum() == pytest.approx(3914069, rel=1e-10)
    on_weights = sy.weight(frame, base="pw").calibrate(
        TOTALS, distance=distance, bounds=(20, 62), bounds_on="weight"
    )
    assert on_weights.weights.min() >= 20 - 1e-9
    assert on_weights.weights.max() <= 62 + 1e-9


def test_raking_is_iterative_proportional_fitting() -> None:
    frame = schools("apistrat")
    w = frame["pw"].to_numpy().copy()
    margins = {
        "stype": TYPES,
        "awards": {"No": 2100, "Yes": 4094},
        "comp.imp": {"No": 1900, "Yes": 4294},
    }
    for _ in range(500):
        for name, totals in margins.items():
            for level, total in totals.items():
                own = (frame[name] == level).to_numpy()
                w[own] *= total / w[own].sum()
    found = sy.weight(frame, base="pw").rake(margins)
    assert found.weights == pytest.approx(w, rel=1e-9)
    assert found.steps[-1].iterations < 10
    shares = {
        name: {level: total / 6194 for level, total in totals.items()}
        for name, totals in margins.items()
    }
    again = sy.weight(frame, base="pw").rake(shares)
    assert again.weights == pytest.approx(w / w.sum() * frame["pw"].sum(), rel=1e-8)


def test_crossed_margins_frames_and_estimates_are_totals_too() -> None:
    frame = schools("apistrat")
    crossed = {
        ("E", "No"): 1500,
        ("E", "Yes"): 2921,
        ("H", "No"): 400,
        ("H", "Yes"): 355,
        ("M", "No"): 500,
        ("M", "Yes"): 518,
    }
    by_dict = sy.weight(frame, base="pw").poststratify(("stype", "awards"), crossed)
    table = pd.DataFrame(
        [(*key, total) for key, total in crossed.items()], columns=["stype", "awards", "schools"]
    )
    by_frame = sy.weight(frame, base="pw").poststratify(("stype", "awards"), table)
    assert by_frame.weights == pytest.approx(by_dict.weights, rel=1e-14)
    svy = sy.Survey(frame, weights=by_dict, strata="stype")
    counts = svy.count("awards", by="stype")
    by_estimates = sy.weight(frame, base="pw").poststratify(("stype", "awards"), counts)
    assert by_estimates.weights == pytest.approx(by_dict.weights, rel=1e-12)


def test_totals_of_groups_are_met_in_each() -> None:
    frame = schools("apistrat")
    totals = {
        "No": {"stype": {"E": 1000, "H": 300, "M": 300}, "api99": 1.0e6},
        "Yes": {"stype": {"E": 3421, "H": 455, "M": 718}, "api99": 3.0e6},
    }
    chain = sy.weight(frame, base="pw").calibrate(totals, by="awards")
    for group, wanted in totals.items():
        own = frame.with_columns(w=chain.weights).filter(pl.col("awards") == group)
        assert (own["w"] * own["api99"]).sum() == pytest.approx(wanted["api99"], rel=1e-10)
        apart = sy.weight(own.drop("w"), base="pw").calibrate(wanted)
        assert own["w"].to_numpy() == pytest.approx(apart.weights, rel=1e-10)
    svy = sy.Survey(frame, weights=chain, strata="stype")
    assert svy.count("stype", by="awards").se == pytest.approx(np.zeros(6), abs=1e-5)


def test_rows_of_a_household_get_one_factor() -> None:
    rng = np.random.default_rng(2)
    rows = pl.DataFrame(
        {
            "home": np.repeat(np.arange(60), 3),
            "sex": rng.choice(["f", "m"], 180),
            "w": np.repeat(rng.uniform(1, 2, 60), 3),
        }
    )
    chain = sy.weight(rows, base="w").calibrate({"sex": {"f": 150, "m": 140}}, clusters="home")
    factors = rows.with_columns(g=chain.factors).group_by("home").agg(pl.col("g").std())
    assert factors["g"].max() < 1e-14
    assert (chain.weights * (rows["sex"] == "f").to_numpy()).sum() == pytest.approx(150, rel=1e-12)


def test_slack_goes_part_of_the_way() -> None:
    frame = schools()
    exact, half, loose = (
        sy.weight(frame, base="pw").calibrate(TOTALS, slack=slack) for slack in (0, 1, 1e6)
    )
    assert exact.weights == pytest.approx(sy.weight(frame, base="pw").calibrate(TOTALS).weights)
    assert loose.weights == pytest.approx(frame["pw"].to_numpy(), rel=1e-3)
    before = float(frame["pw"] @ frame["api99"])
    came_to = float(half.weights @ frame["api99"].to_numpy())
    assert before < came_to < 3914069 or before > came_to > 3914069
    # Totals that no bounded weights meet are met as nearly as slack lets them.
    narrow = sy.weight(frame, base="pw").calibrate(TOTALS, bounds=(0.9, 1.1), slack=0.1)
    assert narrow.factors.min() >= 0.9
    assert narrow.factors.max() <= 1.1


def test_the_chain_reads_as_it_was_done() -> None:
    frame = answering(schools("apistrat"))
    chain = (
        sy.weight(frame, base="pw")
        .nonresponse("answers", classes="stype")
        .rake({"stype": TYPES})
        .trim(high=3, unit="median")
        .normalize()
    )
    assert [step.name for step in chain.steps] == [
        "base",
        "nonresponse",
        "rake",
        "trim",
        "normalize",
    ]
    assert chain.weights.sum() == pytest.approx(frame["answers"].sum())
    table = chain.to_dict()
    assert table["rows"] == [200] + [int(frame["answers"].sum())] * 4
    assert table["kish_deff"][-1] == pytest.approx(kish(chain.weights))
    assert "rake: to stype" in repr(chain)
    svy = sy.Survey(frame, weights=chain, strata="stype")
    assert (
        svy.mean("api00").conventions["weighting"]
        == "nonresponse, then rake, then trim, then normalize"
    )
    assert svy.is_weighted


def test_nothing_is_changed() -> None:
    frame = schools()
    before = frame.clone()
    start = sy.weight(frame, base="pw")
    chain = start.calibrate(TOTALS)
    assert frame.equals(before)
    assert len(start.steps) == 1
    assert start.weights.tolist() == frame["pw"].to_list()
    weights = chain.weights
    weights[:] = 0
    assert chain.weights.sum() == pytest.approx(6194)


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_any_frame_serves(backend: Any) -> None:
    frame = sy.datasets.load("apiclus1", backend=backend)
    chain = sy.weight(frame, base="pw").rake({"stype": TYPES, "sch.wide": WIDE})
    svy = sy.Survey(frame, weights=chain, clusters="dnum", fpc="fpc")
    assert svy.total("api00").se[0] == pytest.approx(146820.20300379195, rel=1e-9)


def test_replicates_that_came_with_the_data_are_calibrated_each() -> None:
    frame = schools()
    made = sy.Survey(frame, weights="pw", clusters="dnum").replicated()
    every = np.asarray(made.weights_frame())[:, 1:]
    chain = sy.weight(frame, base="pw").calibrate(TOTALS)
    given = sy.ReplicateWeights(every, "jk1")
    found = sy.Survey(frame, weights=chain, replicates=given)
    wanted = survey_of("clus1_jk1_cal")
    assert found.mean("enroll").se == pytest.approx(wanted.mean("enroll").se, rel=1e-10)


def test_a_replicate_that_empties_a_margin_is_left_out_and_said() -> None:
    rows = pl.DataFrame(
        {
            "unit": np.repeat(np.arange(6), 3),
            "kind": ["rare"] * 3 + ["common"] * 15,
            "y": np.arange(18.0) ** 1.3,
        }
    )
    chain = sy.weight(rows).poststratify("kind", {"rare": 10, "common": 50})
    svy = sy.Survey(rows, weights=chain, clusters="unit").replicated()
    found = svy.total("y")
    assert found.notes == ["not defined under 1 of the replicates, which are left out"]
    assert np.isfinite(found.se).all()
    fit = svy.glm("y ~ kind").coefficients
    assert fit.notes[0] == "not defined under 1 of the replicates, which are left out"


def refused(call: Callable[[], object], kind: type[Exception], *words: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    for word in words:
        assert word in str(caught.value), str(caught.value)


def test_what_cannot_be_met_is_named() -> None:
    frame = schools()
    w = sy.weight(frame, base="pw")
    empty = {**TYPES, "K": 12}
    refused(
        lambda: w.rake({"stype": empty}),
        sy.errors.WeightingFailed,
        "rake",
        "no row with a weight",
        "stype 'K' (wanted 12",
        "merge",
    )
    refused(
        lambda: w.rake({"stype": TYPES, "sch.wide": {"No": 1000, "Yes": 5000}}),
        sy.errors.DesignMismatch,
        "stype adds up to 6,194",
        "sch.wide to 6,000",
    )
    refused(
        lambda: w.rake({"stype": {"E": 4421, "H": 755}}),
        sy.errors.UnknownLevel,
        "stype 'M' has no total",
        "25 rows",
    )
    refused(
        lambda: w.calibrate({"stype": TYPES, "api99": 5.5e6}, bounds=(0.8, 1.2)),
        sy.errors.WeightingFailed,
        "no weights within the bounds",
        "api99 (wanted 5,500,000",
    )
    refused(
        lambda: w.calibrate({"api99": 3914069}, distance="logit"),
        sy.errors.DesignMismatch,
        "needs bounds=",
    )
    refused(lambda: w.calibrate(TOTALS, bounds=(1.1, 2)), sy.errors.DesignMismatch, "around 1")
    refused(lambda: w.calibrate({"api99": math.nan}), sy.errors.DesignMismatch, "api99")
    refused(
        lambda: w.poststratify("stype", {"E": -1, "H": 2, "M": 3}),
        sy.errors.DesignMismatch,
        "at least 0",
    )
    refused(
        lambda: w.calibrate({"api99": 1.0, ("stype", "awards"): 3.0}),
        sy.errors.DesignMismatch,
        "a total for each combination",
    )
    refused(lambda: w.rake({}), sy.errors.DesignMismatch, "totals= is a mapping")
    refused(lambda: w.trim(low=50, high=60), sy.errors.WeightingFailed, "leave nobody")
    refused(lambda: w.trim(), ValueError, "low=, high=")
    refused(lambda: w.trim(low=3, high=2), sy.errors.DesignMismatch, "the upper above the lower")
    refused(lambda: w.rake({"stypo": TYPES}), sy.errors.ColumnNotFound, "Did you mean 'stype'")


def test_contradicting_columns_are_named() -> None:
    frame = schools().with_columns(twice=2 * pl.col("api99"))
    w = sy.weight(frame, base="pw")
    fine = w.calibrate({"api99": 3914069, "twice": 2 * 3914069})
    assert fine.weights == pytest.approx(w.calibrate({"api99": 3914069}).weights, rel=1e-12)
    refused(
        lambda: w.calibrate({"api99": 3914069, "twice": 7.0e6}),
        sy.errors.WeightingFailed,
        "contradict",
        "twice",
    )


def test_missing_answers_of_controls_are_refused_where_there_is_a_weight() -> None:
    frame = schools().with_columns(
        stype=pl.when(pl.col("snum") < 300).then(None).otherwise(pl.col("stype")),
        number=pl.when(pl.col("snum") < 300).then(None).otherwise(pl.col("api99")),
    )
    missing = frame["stype"].null_count()
    w = sy.weight(frame, base="pw")
    refused(
        lambda: w.rake({"stype": TYPES}),
        sy.errors.MissingValues,
        "'stype' is missing",
        f"{missing} row",
    )
    refused(lambda: w.calibrate({"number": 1e6}), sy.errors.MissingValues, "'number' is missing")
    # Those who did not answer need none.
    answered = frame.with_columns(a=pl.col("stype").is_not_null())
    chain = sy.weight(answered, base="pw").nonresponse("a").rake({"stype": TYPES})
    assert chain.weights.sum() == pytest.approx(6194)


def test_zero_weights_stay_zero_and_negative_ones_are_said() -> None:
    frame = schools().with_columns(w=pl.when(pl.col("snum") < 300).then(0).otherwise(pl.col("pw")))
    chain = sy.weight(frame, base="w").calibrate(TOTALS)
    assert (chain.weights[(frame["w"] == 0).to_numpy()] == 0).all()
    far = sy.weight(frame, base="w").calibrate({"stype": TYPES, "api99": 5.2e6})
    assert (far.weights < 0).any()
    assert "weights are negative: bounds=" in far.steps[-1].text
    refused(lambda: far.rake({"stype": TYPES}), sy.errors.WeightingFailed, "negative weights")
    for bad, fault in (([None], "missing"), ([-1.0], "negative"), ([math.inf], "infinite")):
        rows = pl.DataFrame({"w": [1.0, 2.0, *bad]})
        refused(
            lambda rows=rows: sy.weight(rows, base="w"), sy.errors.InvalidWeights, fault, "row 2"
        )
    refused(
        lambda: sy.weight(pl.DataFrame({"w": ["1"]}), base="w"), sy.errors.InvalidWeights, "text"
    )


def test_a_class_without_respondents_is_refused_with_the_way_out() -> None:
    rows = pl.DataFrame({"k": ["a", "a", "b", "b"], "r": [True, False, False, False]})
    refused(
        lambda: sy.weight(rows).nonresponse("r", classes="k"),
        sy.errors.WeightingFailed,
        "nonresponse",
        "b (wanted 2.000, found 0)",
        "merge",
    )
    merged = sy.weight(rows).nonresponse("r", classes="k", minimum=1)
    assert merged.weights.tolist() == [4, 0, 0, 0]


def test_a_weighting_belongs_to_its_frame_and_design() -> None:
    frame = schools()
    chain = sy.weight(frame, base="pw").rake({"stype": TYPES})
    refused(
        lambda: sy.Survey(frame.head(100), weights=chain),
        sy.errors.DesignMismatch,
        "183 rows",
        "100",
    )
    other = frame.with_columns(pw=pl.col("pw") * 2)
    refused(
        lambda: sy.Survey(other, weights=chain, clusters="dnum"),
        sy.errors.DesignMismatch,
        "column 'pw' of the frame is not as it was",
    )


def test_regressions_and_tables_follow_the_weighting() -> None:
    """A model on groups is their means, after calibration too."""
    frame = schools()
    chain = sy.weight(frame, base="pw").calibrate(TOTALS)
    svy = sy.Survey(frame, weights=chain, clusters="dnum", fpc="fpc")
    means = svy.mean("enroll", by="stype")
    fit = svy.glm("enroll ~ 0 + stype").coefficients
    assert fit.cov == pytest.approx(means.cov, rel=1e-7)
    both = svy.mean(["api00", "enroll"])
    assert both.se == pytest.approx(
        np.concatenate([svy.mean("api00").se, svy.mean("enroll").se]), rel=1e-12
    )
    table = svy.tabulate(["stype", "awards"])
    joint = svy.proportion("awards", by="stype")
    assert table.row.cov == pytest.approx(joint.cov, rel=1e-9, abs=1e-15)
    as_ratio = svy.ratio("enroll", "api00", where={"stype": "E"})
    assert as_ratio.se[0] > 0
    elements = sy.Survey(frame, weights=chain)
    assert elements.mean("enroll").se[0] > 0


def test_errors_of_estimated_totals_are_added() -> None:
    """A large survey tells the totals of a small one: Var = V(residuals) + B' V(totals) B."""
    frame = schools()
    other = sy.Survey(schools("apistrat"), weights="pw", strata="stype", fpc="fpc")
    totals = other.count("awards")
    known = dict(zip(totals.labels.level, totals.estimate.tolist(), strict=True))
    uncertain, certain = (
        sy.Survey(
            frame,
            weights=sy.weight(frame, base="pw").poststratify("awards", given),
            clusters="dnum",
            fpc="fpc",
        )
        for given in (totals, known)
    )
    assert uncertain.total("enroll").estimate == pytest.approx(certain.total("enroll").estimate)
    # The coefficients of post-stratification are the means of the strata.
    b = certain.mean("enroll", by="awards").estimate
    wanted = certain.total("enroll").se[0] ** 2 + b @ totals.cov @ b
    assert uncertain.total("enroll").se[0] ** 2 == pytest.approx(wanted, rel=1e-9)
    assert uncertain.count("awards").cov == pytest.approx(totals.cov, rel=1e-9)
    assert uncertain.total("enroll").df == certain.total("enroll").df
    jack = uncertain.replicated()
    plain = certain.replicated()
    assert jack.count("awards").se == pytest.approx(totals.se, rel=1e-9)
    assert jack.total("enroll").se[0] > plain.total("enroll").se[0]
    # Shares with errors, of a total that is known.
    shares = other.proportion("awards")
    by_shares = sy.weight(frame, base="pw").rake({"awards": shares, "stype": TYPES})
    svy = sy.Survey(frame, weights=by_shares, clusters="dnum")
    assert svy.proportion("awards").se == pytest.approx(shares.se, rel=1e-9)
    assert svy.proportion("stype").se == pytest.approx(np.zeros(3), abs=1e-9)


def test_a_survey_and_the_totals_it_was_weighted_to_covary() -> None:
    other = sy.Survey(schools("apistrat"), weights="pw", strata="stype", fpc="fpc")
    totals = other.count("awards")
    frame = schools()
    chain = sy.weight(frame, base="pw").poststratify("awards", totals)
    counts = sy.Survey(frame, weights=chain, clusters="dnum").count("awards")
    difference = counts["Yes"] - totals["Yes"]
    assert difference.se[0] < 1e-6 * totals["Yes"].se[0]


def test_balance_compares_means_in_standard_deviations() -> None:
    frame = answering(schools("apistrat"))
    chain = sy.weight(frame, base="pw").nonresponse("answers").rake({"stype": TYPES})
    found = chain.balance(["stype", "meals"], against={"stype": TYPES})
    w, kept = frame["pw"].to_numpy(), frame["answers"].to_numpy()
    meals = frame["meals"].to_numpy()
    at = found.variable.index("meals")
    assert found.target[at] == pytest.approx(np.average(meals, weights=w))
    assert found.before[at] == pytest.approx(np.average(meals[kept], weights=w[kept]))
    assert found.after[at] == pytest.approx(np.average(meals, weights=chain.weights))
    sd = math.sqrt(np.average((meals - found.target[at]) ** 2, weights=w) * 200 / 199)
    assert found.sd[at] == pytest.approx(sd, rel=1e-3)
    assert found.difference_before[at] == pytest.approx(
        (found.before[at] - found.target[at]) / found.sd[at]
    )
    assert found.target[:3] == pytest.approx([4421 / 6194, 755 / 6194, 1018 / 6194])
    assert np.abs(found.difference_after[:3]).max() < 1e-9
    with pytest.raises(sy.errors.DesignMismatch, match="no share of stype 'M'"):
        chain.balance(against={"stype": {"E": 0.7, "H": 0.3}})
    with pytest.raises(sy.errors.DesignMismatch, match="'X', which does not occur"):
        chain.balance(against={"stype": {**TYPES, "X": 3}})
    with pytest.raises(ValueError, match="name the columns"):
        chain.balance()
    answers = chain.balance(against={"answers": {True: 0.6, False: 0.4}})
    assert answers.target == pytest.approx([0.4, 0.6])
    far = sy.weight(frame, base="pw").calibrate({"stype": TYPES, "api99": 5.2e6})
    assert (far.weights < 0).any()
    met = far.balance(against={"api99": 5.2e6 / 6194, "stype": TYPES})
    assert np.abs(met.difference_after).max() < 1e-9


def test_pictures_of_weighting_show_each_row_and_both_states() -> None:
    frame = schools()
    chain = sy.weight(frame, base="pw").calibrate(TOTALS)
    love = chain.balance(["stype", "meals"]).plot()
    assert [label.get_text() for label in love.get_yticklabels()] == [
        "stype: E",
        "stype: H",
        "stype: M",
        "meals",
    ]
    weights = chain.plot()
    assert [text.get_text() for text in weights.get_legend().get_texts()] == [
        "before weighting",
        "after",
    ]


# AAPOR's own calculator's example of the definitions, by hand.
CALLS = {"complete": 500, "partial": 50, "refusal": 200, "noncontact": 100, "other": 20}


def test_response_rates_are_those_of_aapor() -> None:
    counts = {**CALLS, "unknown": 80, "ineligible": 50}
    rows = pl.DataFrame({"what": [name for name, n in counts.items() for _ in range(n)]})
    codes: dict[Any, Any] = {name: name for name in counts}
    found = sy.response_rates(rows, "what", codes)
    e = 870 / 920
    assert found.e == pytest.approx(e)
    assert found.rates == pytest.approx(
        {
            "RR1": 500 / 950,
            "RR2": 550 / 950,
            "RR3": 500 / (870 + e * 80),
            "RR4": 550 / (870 + e * 80),
            "RR5": 500 / 870,
            "RR6": 550 / 870,
        }
    )
    assert sy.response_rates(rows, "what", codes, e=1).rates["RR3"] == found.rates["RR1"]
    doubled = rows.with_columns(w=pl.lit(2.0))
    assert sy.response_rates(doubled, "what", codes, weights="w").rates == found.rates
    assert "RR5" in repr(found)
    del codes["other"]
    with pytest.raises(sy.errors.UnknownLevel, match=r"'other' .*20 rows.* has no disposition"):
        sy.response_rates(rows, "what", codes)
    with pytest.raises(sy.errors.DesignMismatch, match="is both"):
        sy.response_rates(rows, "what", {**codes, "other": ["other", "refusal"]})
    with pytest.raises(sy.errors.DesignMismatch, match="none of"):
        sy.response_rates(rows, "what", {"done": "complete"})  # type: ignore[dict-item]


def test_what_the_rows_count_is_what_trimming_sees() -> None:
    """A row drawn twice is two rows of its weight, not one of twice its weight."""
    rng = np.random.default_rng(1)
    rows = pl.DataFrame({"w": rng.lognormal(0, 1, 400), "y": rng.normal(10, 2, 400)})
    chain = sy.weight(rows, base="w").trim(high=2, unit="median", share="none")
    svy = sy.Survey(rows, weights=chain)
    boot = svy.replicated("rao-wu", replicates=2000)
    assert boot.mean("y").se == pytest.approx(svy.mean("y").se, rel=0.06)
    # By brute force: rows resampled, weighted and trimmed anew.
    found = []
    w, y = rows["w"].to_numpy(), rows["y"].to_numpy()
    for _ in range(3000):
        drawn = rng.integers(0, 400, 399)
        cut = np.minimum(w[drawn], 2 * np.median(w[drawn]))
        found.append(np.average(y[drawn], weights=cut))
    assert float(svy.mean("y").se[0]) == pytest.approx(np.std(found), rel=0.06)


def test_a_step_that_changes_nothing_changes_no_error() -> None:
    frame = schools()
    plain = sy.Survey(frame, weights="pw", clusters="dnum")
    none = sy.weight(frame, base="pw").normalize("base")
    for svy in (sy.Survey(frame, weights=none, clusters="dnum"),):
        assert svy.total("enroll").se == pytest.approx(plain.total("enroll").se, rel=1e-12)
        assert svy.replicated().count().se == pytest.approx(plain.count().se, rel=1e-10)
    after = sy.weight(frame, base="pw").trim(high=30, share="none").normalize("base")
    both = sy.Survey(frame, weights=after, clusters="dnum")
    assert both.count().se == pytest.approx(plain.count().se, rel=1e-10)


def test_shares_leave_the_sum_of_weights_to_the_sample() -> None:
    frame = schools()
    shares = {level: total / 6194 for level, total in TYPES.items()}
    chain = sy.weight(frame, base="pw").rake({"stype": shares})
    plain = sy.Survey(frame, weights="pw", clusters="dnum")
    svy = sy.Survey(frame, weights=chain, clusters="dnum")
    assert svy.count().se == pytest.approx(plain.count().se, rel=1e-10)
    assert svy.proportion("stype").se == pytest.approx(np.zeros(3), abs=1e-12)
    jack = svy.replicated()
    assert jack.count().se == pytest.approx(plain.count().se, rel=1e-10)
    assert svy.mean("enroll").se == pytest.approx(jack.mean("enroll").se, rel=0.25)


def test_negative_weights_count_in_tables_and_summaries() -> None:
    frame = schools()
    far = sy.weight(frame, base="pw").calibrate({"stype": TYPES, "api99": 5.2e6})
    assert (far.weights < 0).any()
    step = far.steps[-1]
    assert step.summary.sum == pytest.approx(float(far.weights.sum()))
    assert step.summary.smallest == far.weights.min()
    svy = sy.Survey(frame, weights=far, clusters="dnum")
    table = svy.tabulate("stype").cell
    assert table.estimate == pytest.approx(svy.proportion("stype").estimate, rel=1e-12)
    for call in (lambda: svy.poverty("enroll"), lambda: svy.ranktest("api00", "comp.imp")):
        refused(call, sy.errors.WeightingFailed, "negative weights", "bounds=")


def test_levels_with_a_total_of_zero_get_no_weight() -> None:
    frame = schools()
    margins = {"stype": {"E": 5000, "H": 0, "M": 1194}, "sch.wide": WIDE}
    for chain in (
        sy.weight(frame, base="pw").rake(margins),
        sy.weight(frame, base="pw").calibrate(margins),
    ):
        assert (chain.weights[(frame["stype"] == "H").to_numpy()] == 0).all()
        assert chain.steps[-1].summary.rows == 183 - (frame["stype"] == "H").sum()
    w = sy.weight(frame, base="pw")
    refused(
        lambda: w.poststratify("stype", dict.fromkeys("EHM", 0)),
        sy.errors.DesignMismatch,
        "all totals are 0",
    )
    refused(lambda: w.normalize(0), ValueError, "above 0")


def test_estimates_that_are_no_totals_of_the_margin_are_refused() -> None:
    svy = sy.Survey(schools("apistrat"), weights="pw", strata="stype", fpc="fpc")
    w = sy.weight(schools(), base="pw")
    mismatch = sy.errors.DesignMismatch
    refused(lambda: w.poststratify("stype", svy.count("awards", by="stype")), mismatch, "'awards'")
    refused(lambda: w.poststratify("stype", svy.mean("api00", by="stype")), mismatch, "mean")
    refused(
        lambda: w.poststratify(("stype", "awards"), svy.proportion("awards", by="stype")),
        mismatch,
        "within groups",
    )
    pupils = w.poststratify("stype", svy.total("enroll", by="stype"))
    assert pupils.weights.sum() == pytest.approx(svy.total("enroll").value)
    half = pd.DataFrame({"stype": ["E", "H", None], "n": [1.0, 2.0, 3.0]})
    refused(lambda: w.poststratify("stype", half), sy.errors.MissingValues, "'stype' is missing")
    refused(lambda: w.poststratify("stype", 3 * [1.0]), mismatch, "not list")
    refused(lambda: w.poststratify("stype", {"E": None}), mismatch, "a number is needed")


def test_regressors_of_response_must_be_known() -> None:
    frame = answering(schools("apistrat")).with_columns(
        x=pl.when(pl.col("snum") % 7 == 0).then(None).otherwise(pl.col("meals"))
    )
    missing = frame["x"].null_count()
    refused(
        lambda: sy.weight(frame, base="pw").nonresponse("answers", formula="x"),
        sy.errors.MissingValues,
        "nonresponse",
        f"{missing} rows",
    )


def test_rows_in_another_order_are_refused() -> None:
    frame = schools()
    chain = sy.weight(frame).poststratify("stype", TYPES)
    shuffled = frame.sample(fraction=1, shuffle=True, seed=1)
    refused(
        lambda: sy.Survey(shuffled, weights=chain), sy.errors.DesignMismatch, "'stype'", "order"
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda w: w.trim(high=2, factors="x"),
        lambda w: w.trim(high=2, unit="x"),
        lambda w: w.trim(high=2, share="x"),
        lambda w: w.normalize("x"),
        lambda w: w.calibrate({"api99": 1e6}, distance="x"),
        lambda w: w.calibrate({"api99": 1e6}, bounds_on="weights"),
        lambda w: w.calibrate({"api99": 1e6}, residuals="x"),
    ],
)
def test_unknown_choices_are_refused_with_the_known_ones(call: Any) -> None:
    refused(lambda: call(sy.weight(schools(), base="pw")), ValueError, "is none of")


def test_slack_is_of_the_columns_that_it_names() -> None:
    frame = schools().with_columns((pl.col("api99") > 600).alias("api99 group"))
    w = sy.weight(frame, base="pw")
    totals = {"api99": 3.9e6, "api99 group": {True: 3500, False: 2694}, ("stype", "awards"): None}
    del totals[("stype", "awards")]
    chain = w.calibrate(totals, slack={"api99": 1})
    own = chain.weights[frame["api99 group"].to_numpy()].sum()
    assert own == pytest.approx(3500, rel=1e-10)
    assert (chain.weights * frame["api99"].to_numpy()).sum() != pytest.approx(3.9e6, rel=1e-6)
    refused(lambda: w.calibrate(totals, slack={"x": 1}), sy.errors.DesignMismatch, "no total")
    refused(lambda: w.calibrate(totals, slack=math.nan), sy.errors.DesignMismatch, "slack=nan")


def test_margins_of_many_levels_are_quick() -> None:
    rng = np.random.default_rng(7)
    n = 20_000
    sizes = (1000, 300, 40)
    rows = pl.DataFrame(
        {name: rng.integers(0, size, n) for name, size in zip("abc", sizes, strict=True)}
    )
    weights = rng.uniform(0.7, 1.3, n)
    margins = {
        name: dict(enumerate(np.bincount(rows[name], weights, size).tolist()))
        for name, size in zip("abc", sizes, strict=True)
    }
    begin = time.perf_counter()
    chain = sy.weight(rows).rake(margins)
    assert chain.steps[-1].largest_error < 1e-12
    many = pl.DataFrame({"a": rng.integers(0, 4000, n)})
    sy.weight(many).poststratify("a", dict.fromkeys(many["a"].unique().to_list(), 10.0))
    assert time.perf_counter() - begin < 20  # seconds; was minutes


@pytest.mark.parametrize(("method", "more"), [("brr", {}), ("fay", {"rho": 0.5}), ("rao-wu", {})])
def test_bounds_that_count_in_means_move_with_the_replicate(method: Any, more: Any) -> None:
    rng = np.random.default_rng(4)
    rows = pl.DataFrame({"w": rng.lognormal(0, 0.8, 600), "y": rng.normal(10, 2, 600)})
    rows = rows.with_columns(y=pl.col("y") + pl.col("w").log())
    chain = sy.weight(rows, base="w").trim(high=2, unit="mean")
    svy = sy.Survey(rows, weights=chain)
    jack = svy.replicated().mean("y").se[0]
    assert svy.replicated(method, **more).mean("y").se[0] == pytest.approx(jack, rel=0.1)
