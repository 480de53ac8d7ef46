"""Choosing a sample: draws by their probabilities, balance, and the surveys they become."""

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from reference import REFERENCE

import steelyard as sy


def population() -> pl.DataFrame:
    rng = np.random.default_rng(4)
    n = 60
    return pl.DataFrame(
        {
            "activity": np.arange(n),
            "topic": rng.choice(["a", "b", "c"], n),
            "modality": rng.choice(["online", "blended"], n),
            "people": rng.integers(5, 80, n),
            "y": rng.normal(70, 12, n),
        }
    )


def often(method: Any, draws: int = 2500, **arguments: Any) -> tuple[Any, Any, Any]:
    """How often each unit, and each two, are drawn; and their probabilities."""
    frame = population().head(14)
    counts = np.zeros((14, 14))
    probability = np.zeros(14)
    for seed in range(draws):
        drawn = sy.select(frame, 5, method=method, seed=seed, **arguments)
        counts[np.ix_(drawn.rows, drawn.rows)] += 1
        probability[drawn.rows] = np.asarray(drawn.frame["probability"])
    return counts / draws, probability, frame


@pytest.mark.parametrize("method", ["srs", "systematic", "sampford", "brewer", "tille", "cube"])
def test_units_are_drawn_by_their_probabilities(method: Any) -> None:
    arguments: dict[str, Any] = {} if method == "srs" else {"size": "people"}
    if method == "cube":
        arguments["balance"] = ["y"]
    found, probability, frame = often(method, **arguments)
    error = 4 * np.sqrt(probability * (1 - probability) / 2500)
    assert (np.abs(np.diag(found) - probability) <= error + 1e-12).all()
    if method == "srs":
        assert probability == pytest.approx(np.full(14, 5 / 14))
        assert found[0, 1] == pytest.approx(5 * 4 / (14 * 13), abs=0.02)
    else:
        people = frame["people"].to_numpy()
        open_units = probability < 1
        ratio = probability[open_units] / people[open_units]
        assert ratio == pytest.approx(np.full(len(ratio), ratio[0]))
        assert probability.sum() == pytest.approx(5)


@pytest.mark.parametrize("method", ["systematic", "sampford", "tille"])
def test_joint_probabilities_are_how_often_two_are_drawn(method: Any) -> None:
    found, probability, frame = often(method, size="people")
    joint = np.full((14, 14), np.nan)
    for seed in range(200):
        drawn = sy.select(frame, 5, method=method, size="people", seed=seed, joint=True)
        assert drawn.joint is not None
        joint[np.ix_(drawn.rows, drawn.rows)] = drawn.joint
    known = np.isfinite(joint)
    error = 4.5 * np.sqrt(joint * (1 - joint) / 2500)
    assert (np.abs(found - joint) <= error + 1e-9)[known].all()
    if known.all():  # sum over others of joint probabilities: (n - 1) p
        assert joint.sum(axis=1) == pytest.approx(5 * probability, rel=1e-9)


def test_poisson_draws_each_on_its_own() -> None:
    sizes = [
        len(sy.select(population(), 12, method="poisson", size="people", seed=s).rows)
        for s in range(800)
    ]
    assert np.mean(sizes) == pytest.approx(12, abs=0.5)
    assert np.std(sizes) > 1


def test_a_balanced_sample_mirrors_the_population() -> None:
    rng = np.random.default_rng(9)
    n = 500
    frame = pl.DataFrame(
        {
            "topic": rng.choice(["a", "b", "c", "d"], n),
            "modality": rng.choice(["online", "blended", "on site"], n),
            "language": rng.choice(["en", "es", "fr"], n, p=[0.6, 0.25, 0.15]),
            "price": rng.lognormal(6, 0.5, n),
        }
    )
    balance = ["price", "modality", "language"]
    balanced, plain = [], []
    for seed in range(40):
        drawn = sy.select(frame, 50, method="cube", strata="topic", balance=balance, seed=seed)
        other = sy.select(frame, 50, strata="topic", seed=seed)
        assert drawn.sizes == other.sizes
        for found, into in ((drawn, balanced), (other, plain)):
            table = pl.DataFrame(found.frame)
            into.append(
                [
                    (table["price"] * table["weight"]).sum() / frame["price"].sum() - 1,
                    table.filter(pl.col("modality") == "online")["weight"].sum()
                    / (frame["modality"] == "online").sum()
                    - 1,
                ]
            )
    assert (np.std(balanced, axis=0) < 0.4 * np.std(plain, axis=0)).all()


def test_certain_units_are_always_drawn() -> None:
    frame = population().with_columns(
        people=pl.when(pl.col("activity") == 7).then(10_000).otherwise(pl.col("people"))
    )
    for method in ("systematic", "sampford", "brewer", "tille"):
        drawn = sy.select(frame, 10, method=method, size="people", seed=3)  # type: ignore[arg-type]
        assert 7 in drawn.rows
        assert len(drawn.rows) == 10
        table = pl.DataFrame(drawn.frame)
        assert table.filter(pl.col("activity") == 7)["weight"].to_list() == [1.0]


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_the_sample_feeds_a_survey(backend: Any) -> None:
    schools = sy.datasets.load("apistrat", backend=backend)
    drawn = sy.select(schools, 60, strata="stype", seed=5)
    svy = drawn.survey()
    assert svy.count().value == pytest.approx(200)
    assert svy.degrees_of_freedom == 57
    by_hand = sy.Survey(drawn.frame, weights="weight", strata="stype", fpc="population")
    assert svy.mean("api00").se == pytest.approx(by_hand.mean("api00").se, rel=1e-12)


def test_errors_of_a_pps_sample_are_right_on_average() -> None:
    """Over many samples, the mean of the variance estimates is the variance of the estimates."""
    frame = population().with_columns(y=pl.col("people") * 3 + pl.col("y"))
    found = []
    for seed in range(600):
        drawn = sy.select(frame, 12, method="sampford", size="people", seed=seed, joint=True)
        total = drawn.survey().total("y")
        found.append((total.value, total.se[0] ** 2))
    totals, variances = np.array(found).T
    assert totals.mean() == pytest.approx(frame["y"].sum(), rel=0.01)
    assert variances.mean() == pytest.approx(totals.var(), rel=0.15)


def test_a_seed_settles_the_sample() -> None:
    frame = population()
    for method, more in (("srs", {}), ("cube", {"balance": ["y"]}), ("brewer", {"size": "people"})):
        draws = [
            sy.select(frame, 9, method=method, seed=s, **more).rows.tolist()  # type: ignore[arg-type]
            for s in (1, 1, 2)
        ]
        assert draws[0] == draws[1] != draws[2]
    # Written down once: the same on every machine.
    assert sy.select(frame, 6, seed=1).rows.tolist() == KNOWN


KNOWN = [8, 20, 21, 29, 39, 58]


def test_what_cannot_be_drawn_is_refused() -> None:
    frame = population()
    mismatch = sy.errors.DesignMismatch
    with pytest.raises(mismatch, match="61 units cannot be drawn from a list of 60"):
        sy.select(frame, 61, seed=1)
    with pytest.raises(mismatch, match="needs size="):
        sy.select(frame, 5, method="tille", seed=1)
    with pytest.raises(mismatch, match="equal probabilities"):
        sy.select(frame, 5, size="people", seed=1)
    with pytest.raises(mismatch, match="balance= goes with"):
        sy.select(frame, 5, method="cube", seed=1)
    with pytest.raises(mismatch, match="which the list has not"):
        sy.select(frame, {"z": 3}, strata="topic", seed=1)
    with pytest.raises(mismatch, match="no unit is drawn from stratum"):
        sy.select(frame, {"a": 3}, strata="topic", seed=1)
    with pytest.raises(mismatch, match="at least 6 units"):
        sy.select(frame, 5, strata="topic", seed=1)
    with pytest.raises(sy.errors.ReservedName, match="'weight'"):
        sy.select(frame.with_columns(weight=1.0), 5, seed=1)
    none = frame.with_columns(
        people=pl.when(pl.col("activity") == 3).then(0).otherwise(pl.col("people"))
    )
    with pytest.raises(
        sy.errors.MissingValues, match="'people' is missing or not above 0 in 1 row"
    ):
        sy.select(none, 5, method="brewer", size="people", seed=1)
    with pytest.raises(ValueError, match="is none of"):
        sy.select(frame, 5, method="pps", seed=1)  # type: ignore[arg-type]


STRATA = {"a": 900, "b": 60, "c": 40}


def test_allocations_add_up_and_keep_their_limits() -> None:
    assert sy.allocate(STRATA, 100) == {"a": 90, "b": 6, "c": 4}
    assert sy.allocate(STRATA, 100, method="equal") == {"a": 34, "b": 33, "c": 33}
    assert sy.allocate(STRATA, 150, method="equal") == {"a": 55, "b": 55, "c": 40}
    neyman = sy.allocate(STRATA, 100, method="neyman", sd={"a": 1, "b": 10, "c": 5})
    assert neyman == {"a": 53, "b": 35, "c": 12}
    assert sy.allocate(STRATA, 100, minimum=10)["c"] == 10
    power = sy.allocate(STRATA, 100, method="power", power=0.5)
    assert power == {"a": 68, "b": 18, "c": 14}
    with pytest.raises(sy.errors.DesignMismatch, match="at most 1000"):
        sy.allocate(STRATA, 1001)
    with pytest.raises(sy.errors.DesignMismatch, match="lacks stratum 'c'"):
        sy.allocate(STRATA, 100, method="neyman", sd={"a": 1, "b": 1})


def errors_of(sizes: dict[str, int], sd: dict[str, float]) -> float:
    total = sum(STRATA.values())
    return math.sqrt(
        sum((STRATA[h] / total) ** 2 * sd[h] ** 2 * (1 / sizes[h] - 1 / STRATA[h]) for h in STRATA)
    )


def test_precise_allocations_meet_every_error_and_none_is_cheaper() -> None:
    sd = {"score": {"a": 10.0, "b": 30.0, "c": 12.0}, "hours": {"a": 4.0, "b": 2.0, "c": 25.0}}
    se = {"score": 1.2, "hours": 0.5}
    found = sy.allocate_for_precision(STRATA, sd, se)
    for name, error in se.items():
        assert errors_of(found, sd[name]) <= error
    cost = sum(found.values())
    rng = np.random.default_rng(2)
    for _ in range(20_000):  # whole numbers near by
        other = {h: int(np.clip(found[h] + rng.integers(-6, 7), 2, STRATA[h])) for h in STRATA}
        if sum(other.values()) < cost - len(STRATA):  # each may have been rounded up
            assert any(errors_of(other, sd[name]) > error for name, error in se.items())
    # One variable: Neyman's shares.
    one = sy.allocate_for_precision(STRATA, {"score": sd["score"]}, {"score": 1.2})
    share = {h: STRATA[h] * sd["score"][h] for h in STRATA}
    assert one["a"] / one["b"] == pytest.approx(share["a"] / share["b"], rel=0.05)


def test_sample_sizes_are_those_of_the_textbook() -> None:
    # Cochran (1977), section 4.4: 1.96^2 p q / d^2, and n / (1 + n / N).
    assert sy.sample_size(0.05).answers == 385
    assert sy.sample_size(0.05, population=4000).answers == math.ceil(
        384.1459 / (1 + 384.1459 / 4000)
    )
    assert sy.sample_size(2.0, sd=15).answers == math.ceil((1.959964 * 15 / 2) ** 2)
    plan = sy.sample_size(
        0.03,
        proportion=0.8,
        deff=1.4,
        domains={"online": 0.5, "blended": 0.1},
        domain_margin=0.08,
        response_rate=0.5,
    )
    needed = 1.4 * 0.16 * (1.959964 / 0.08) ** 2 / 0.1
    assert plan.answers == math.ceil(needed)
    assert plan.invitations == 2 * plan.answers
    assert plan.domains["blended"][1] == pytest.approx(0.08, rel=1e-3)
    assert plan.margin < 0.03
    assert "invitations" in repr(plan)
    # Fleiss, Levin and Paik (2003), section 4.2, without the correction for continuity: unpooled.
    z = 1.959963984540054 + 0.8416212335729143
    wanted = z**2 * (0.75 * 0.25 + 0.8 * 0.2) / 0.05**2
    assert sy.sample_size_for_change(0.75, 0.8) == math.ceil(wanted)
    change = sy.detectable_change(627, 0.75, overlap=0.4, correlation=0.5, deff=2)
    assert sy.sample_size_for_change(
        0, change, sd=math.sqrt(0.75 * 0.25), overlap=0.4, correlation=0.5, deff=2
    ) in (627, 628)


@pytest.mark.parametrize(
    "call",
    [
        lambda: sy.sample_size(0),
        lambda: sy.sample_size(0.03, proportion=1.2),
        lambda: sy.sample_size(0.03, sd=-1),
        lambda: sy.sample_size(0.03, level=1),
        lambda: sy.sample_size(0.03, response_rate=0),
        lambda: sy.sample_size(0.03, domains={"a": 2}),
        lambda: sy.sample_size(0.03, proportion=0.5, sd=2),
        lambda: sy.sample_size_for_change(0.7, 0.7),
        lambda: sy.sample_size_for_change(70, 75),
        lambda: sy.detectable_change(0, 0.5),
    ],
)
def test_sizes_out_of_range_are_refused(call: Any) -> None:
    with pytest.raises(ValueError, match=r"\w+ .*(0|1|between|above|give one)"):
        call()


def test_a_margin_is_what_so_many_answers_give() -> None:
    """By simulation from a real list."""
    schools = pl.read_csv(REFERENCE / "data" / "apistrat.csv", infer_schema_length=None)
    share = float((schools["awards"] == "Yes").mean())
    plan = sy.sample_size(0.1, proportion=share, population=200)
    found = [
        abs(
            float(
                (
                    pl.DataFrame(sy.select(schools, plan.answers, seed=s).frame)["awards"] == "Yes"
                ).mean()
            )
            - share
        )
        for s in range(500)
    ]
    assert np.mean(np.array(found) <= 0.1) == pytest.approx(0.95, abs=0.04)


@pytest.mark.parametrize("size", [None, "people"])
def test_errors_of_a_poisson_sample_know_that_its_size_varies(size: str | None) -> None:
    frame = population()
    p = np.full(60, 12 / 60) if size is None else None
    found = []
    for seed in range(300):
        drawn = sy.select(frame, 12, method="poisson", size=size, seed=seed)
        found.append(drawn.survey().total("y").se[0] ** 2)
    if p is None:
        people = frame["people"].to_numpy()
        p = people * 12 / people.sum()
    wanted = ((1 - p) / p * frame["y"].to_numpy() ** 2).sum()
    assert np.mean(found) == pytest.approx(wanted, rel=0.1)


def test_numbers_of_units_are_whole() -> None:
    frame = population()
    with pytest.raises(ValueError, match="whole number"):
        sy.select(frame, 12.7, seed=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="whole number"):
        sy.allocate(STRATA, 100.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="whole number"):
        sy.select(frame, 12, seed=1.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="allocation='neyman' is none of"):
        sy.select(frame, 12, allocation="neyman", seed=1)  # type: ignore[arg-type]
    flat = dict.fromkeys(STRATA, 0.0)
    assert sy.allocate_for_precision(STRATA, {"x": flat}, {"x": 1.0}) == dict.fromkeys(STRATA, 2)
    for sd, se in (({"x": {**flat, "a": -1.0}}, {"x": 1.0}), ({}, {})):
        with pytest.raises(sy.errors.DesignMismatch):
            sy.allocate_for_precision(STRATA, sd, se)
