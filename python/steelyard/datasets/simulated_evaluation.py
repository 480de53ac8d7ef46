"""SIMULATED responses to the yearly evaluation of an international training centre.

The real microdata are not public. What is imitated: 50 sampled activities, 627 responses in 2023,
and four published percentages of 2022 and 2023 (management response to the external evaluation of
the 2022 training activities, Turin, September 2023; figures from the final report, ITCILO training
evaluation 2023, p. 6). Everything else is invented.
"""

from __future__ import annotations

from math import fsum, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

_Column = NDArray[Any]
_Table = dict[str, _Column]

FIRST_YEAR, LAST_YEAR = 2015, 2035
_RESPONSES = {2022: 589, 2023: 627}  # the years with published figures
_FEWEST_RESPONSES = 4  # in an activity

_MODALITIES = np.array(["Face-to-face", "Distance", "Blended"])
_PRICES = np.array(["Free", "Paid"])
# One row a stratum: modality, price, activities in the population of a middling year, sampled.
_STRATA = np.array([[0, 0, 62, 7], [0, 1, 98, 11],
                    [1, 0, 84, 10], [1, 1, 96, 11],
                    [2, 0, 34, 5], [2, 1, 51, 6]])  # fmt: skip
_STRATUM_NAMES = np.array([f"{_MODALITIES[m]} / {_PRICES[p]}" for m, p, _, _ in _STRATA])
_STRATUM_OF_PANEL = np.repeat(np.arange(6), 2)
_ENROLLED_PER_CORE_MEMBER = 3  # in panel activities; nearly all of the core respond

_TOPICS = np.array(["Social protection", "Employment policy", "Labour standards",
                    "Social dialogue", "Management"])  # fmt: skip
_TOPIC_SHARES = np.array([0.22, 0.20, 0.24, 0.18, 0.16])
_LANGUAGES = np.array(["EN", "ES", "FR"])
_LANGUAGE_SHARES = np.array([0.58, 0.20, 0.22])
_REGIONS = np.array(["Africa", "Americas", "Arab States", "Asia and the Pacific",
                     "Europe and Central Asia"])  # fmt: skip
_REGION_SHARES = np.array([[0.32, 0.10, 0.13, 0.27, 0.18],
                           [0.03, 0.93, 0.00, 0.00, 0.04],
                           [0.80, 0.05, 0.07, 0.01, 0.07]])  # fmt: skip  # one row a language
_LDC_SHARES = np.array([0.55, 0.03, 0.12, 0.28, 0.00])  # one a region
_GENDERS = np.array(["Female", "Male", "Other"])
_GENDER_SHARES = np.array([0.46, 0.53, 0.01])
_MEDIAN_ENROLLED = np.array([23.0, 46.0, 31.0])  # one a modality, as the next two
_RESPONSE_BY_MODALITY = np.array([0.50, -0.40, 0.10])  # log rate
_OPINION_BY_MODALITY = np.array([0.02, -0.12, 0.18])  # standard deviations of an opinion
_PERSONS_PER_TOPIC = 6

# Opinions in order: the four published questions, satisfaction, gain in competence.
_AGREEMENT = ("relevance", "theory_practice", "application")
_QUESTIONS = (*_AGREEMENT, "example_given")
_OPINIONS = 6
_MISSING_SHARES = (0.020, 0.030, 0.035, 0.025)
# Weighted percentages of positive answers, interpolated between these years. Those of 2023 are the
# published ones; those of 2022 round to the published ones, which have no decimal.
_LEVEL_YEARS = (2015, 2019, 2021, 2022, 2023, 2027, 2035)
_LEVELS = {
    "relevance": (93.0, 94.0, 94.6, 95.1, 96.9, 96.4, 96.0),
    "theory_practice": (86.0, 88.0, 89.3, 90.1, 93.8, 93.0, 92.5),
    "application": (92.0, 93.2, 93.8, 94.1, 93.6, 94.0, 94.5),
    "example_given": (58.0, 60.0, 50.0, 52.2, 75.4, 74.0, 72.0),
}
_TOLERANCE = 0.02  # percentage points; less than half the width of the last printed digit
_LIKERT = np.array(["Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree"])
_NO_YES = np.array(["No", "Yes"])


def simulated_columns(year: int, seed: int) -> dict[str, Any]:
    """Return the columns of the simulated evaluation; see `datasets.simulate_evaluation`."""
    # What lasts over the years is drawn from a stream of its own, which does not know the year.
    lasting = Generator(PCG64(SeedSequence(seed)))
    yearly = Generator(PCG64(SeedSequence([seed, year])))
    persons = lasting.standard_normal(len(_TOPICS) * _PERSONS_PER_TOPIC)
    panel = _activities(lasting, _STRATUM_OF_PANEL)
    core = _participants(lasting, panel, panel["enrolled"] // _ENROLLED_PER_CORE_MEMBER)
    activities = _sampled_activities(yearly, panel, year)
    people = _respondents(yearly, activities, core, year)
    answers = _answers(yearly, people, _opinions(activities, people, persons), year)
    return _described(activities, people, year) | answers


def _sampled_activities(rng: Generator, panel: _Table, year: int) -> _Table:
    """Draw the year's population of activities and sample it, panel first.

    The panel is taken as drawn in its first year, so every activity of a stratum has the same
    chance n_h / N_h.
    """
    in_population = _STRATA[:, 2] + rng.integers(-4, 5, size=len(_STRATA))
    in_panel = np.bincount(_STRATUM_OF_PANEL)
    stratum = np.repeat(np.arange(len(_STRATA)), in_population - in_panel)
    others = _activities(rng, stratum)
    others["id"] = np.array([f"A{year}-{number:03d}" for number in range(1, len(stratum) + 1)])
    chosen = [
        np.sort(rng.permutation(np.flatnonzero(stratum == h))[: _STRATA[h, 3] - in_panel[h]])
        for h in range(len(_STRATA))
    ]
    again = dict(panel)
    again["id"] = np.array([f"P-{number:02d}" for number in range(1, len(_STRATUM_OF_PANEL) + 1)])
    again["enrolled"] = panel["enrolled"] + rng.integers(-2, 3, size=len(_STRATUM_OF_PANEL))
    sample = _stack(again, _take(others, np.concatenate(chosen)))
    sample["in_population"] = in_population[sample["stratum"]]
    sample["quality"] = _carried_over(rng, sample["quality"], 0.8)
    return sample


def _activities(rng: Generator, stratum: _Column) -> _Table:
    """Draw activities of the given strata: what is known of them, and how good they are."""
    n = len(stratum)
    modality = _STRATA[stratum, 0]
    topic = _draw(rng, np.tile(_TOPIC_SHARES, (n, 1)))
    lead = rng.integers(0, _PERSONS_PER_TOPIC, size=n)
    second = (lead + rng.integers(1, _PERSONS_PER_TOPIC, size=n)) % _PERSONS_PER_TOPIC
    size = _MEDIAN_ENROLLED[modality] * np.exp(0.35 * rng.standard_normal(n))
    shared, own = rng.standard_normal((n, 1)), rng.standard_normal((n, _OPINIONS))
    return {
        "stratum": stratum,
        "modality": modality,
        "price": _STRATA[stratum, 1],
        "topic": topic,
        "language": _draw(rng, np.tile(_LANGUAGE_SHARES, (n, 1))),
        "persons": topic[:, None] * _PERSONS_PER_TOPIC + np.stack([lead, second], axis=1),
        "enrolled": np.clip(np.rint(size), 16, 120).astype(np.int64),
        "eagerness": 0.3 * rng.standard_normal(n),
        "quality": sqrt(0.6) * shared + sqrt(0.4) * own,
    }


def _participants(rng: Generator, activities: _Table, counts: _Column) -> _Table:
    """Draw `counts` participants of each activity."""
    activity = np.repeat(np.arange(len(counts)), counts)
    n = len(activity)
    region = _draw(rng, _REGION_SHARES[activities["language"][activity]])
    taught_by = (rng.random(n) < 0.35).astype(np.int64)
    shared, own = rng.standard_normal((n, 1)), rng.standard_normal((n, _OPINIONS))
    return {
        "activity": activity,
        "number": np.arange(1, n + 1),
        "gender": _draw(rng, np.tile(_GENDER_SHARES, (n, 1))),
        "region": region,
        "person": activities["persons"][activity, taught_by],
        "ldc": rng.random(n) < _LDC_SHARES[region],
        "competence": rng.standard_normal(n),
        "attitude": sqrt(0.5) * shared + sqrt(0.5) * own,
    }


def _respondents(rng: Generator, activities: _Table, core: _Table, year: int) -> _Table:
    """Draw everyone enrolled and keep those who respond, a few at least in each activity."""
    counts = activities["enrolled"].copy()
    counts[: len(_STRATUM_OF_PANEL)] -= np.bincount(core["activity"])
    people = _stack(core, _participants(rng, activities, counts))
    activity = people["activity"]
    people["in_core"] = np.arange(len(activity)) < len(core["activity"])
    people["attitude"] = _carried_over(rng, people["attitude"], 0.6)
    log_rate = activities["eagerness"][activity] + 0.25 * (people["gender"] == 0)
    log_rate += _RESPONSE_BY_MODALITY[activities["modality"][activity]] + 2.0 * people["in_core"]
    delay = rng.standard_exponential(len(activity)) / np.exp(log_rate)
    queue = np.lexsort((delay, activity))
    first = np.cumsum(activities["enrolled"]) - activities["enrolled"]
    delay[queue[(first[:, None] + np.arange(_FEWEST_RESPONSES)).ravel()]] = 0.0
    wanted = _RESPONSES.get(year) or int(rng.integers(575, 626))
    kept = np.argsort(delay, kind="stable")[:wanted]
    in_order = np.lexsort([people[key][kept] for key in ("number", "in_core", "activity")])
    people = _take(people, kept[in_order])
    # Design weight times the adjustment for non-response within the activity.
    represented = activities["in_population"] * activities["enrolled"]
    answering = _STRATA[activities["stratum"], 3] * np.bincount(people["activity"])
    people["weight"] = (represented / answering)[people["activity"]]
    return people


def _opinions(activities: _Table, people: _Table, persons: _Column) -> _Column:
    """Return people x opinions, each of variance near 1, a tenth of it between activities."""
    activity = people["activity"]
    groups = _OPINION_BY_MODALITY[activities["modality"][activity]]
    groups = groups + 0.06 * (people["gender"] == 0) + 0.10 * people["ldc"] - 0.05
    opinions: _Column = groups[:, None] + sqrt(0.09) * activities["quality"][activity]
    opinions += sqrt(0.89) * people["attitude"]
    opinions[:, 4] += 0.30 * persons[people["person"]]
    return opinions


def _answers(rng: Generator, people: _Table, opinions: _Column, year: int) -> dict[str, Any]:
    """Turn opinions into answers."""
    columns: dict[str, Any] = {}
    for question, opinion, missing in zip(_QUESTIONS, opinions.T, _MISSING_SHARES, strict=False):
        answered = rng.random(len(opinion)) >= missing
        level = float(np.interp(year, _LEVEL_YEARS, _LEVELS[question]))
        positive = opinion > NormalDist().inv_cdf(1 - level / 100)
        if year in _RESPONSES:
            positive = _calibrated(opinion, people["weight"], answered, level, question)
        if question in _AGREEMENT:
            texts = _LIKERT[_agreement(opinion, positive, answered)].tolist()
        else:
            texts = _NO_YES[positive.astype(np.int64)].tolist()
        columns[question] = [t if a else None for t, a in zip(texts, answered, strict=True)]
    before = np.clip(np.rint(2.7 + 0.9 * people["competence"]), 1, 5)
    gain = np.rint(1.15 + 0.75 * opinions[:, 5] - 0.25 * (before - 2.7))
    columns["competence_before"] = before.astype(np.int64)
    columns["competence_after"] = np.clip(before + gain, 1, 5).astype(np.int64)
    columns["resource_person"] = [f"R-{person + 1:03d}" for person in people["person"]]
    bars = [NormalDist().inv_cdf(share) for share in (0.01, 0.04, 0.14, 0.55)]
    columns["satisfaction"] = np.searchsorted(bars, opinions[:, 4]).astype(np.int64) + 1
    return columns


def _agreement(opinion: _Column, positive: _Column, answered: _Column) -> _Column:
    """Return the place of each answer on the five-point scale."""
    lowest, low = np.quantile(opinion[answered & ~positive], (0.12, 0.42))
    disagree = np.where(opinion < lowest, 0, np.where(opinion < low, 1, 2))
    return np.where(positive, np.where(opinion > 0.15, 4, 3), disagree)


def _calibrated(
    opinion: _Column, weight: _Column, answered: _Column, target: float, name: str
) -> _Column:
    """Choose who answers positively so that the weighted percentage is the published one.

    The highest opinions are positive, but for one exchange across the bar. Where no exchange
    meets the target, the bar moves by a person.
    """
    order = np.flatnonzero(answered)[np.argsort(-opinion[answered], kind="stable")]
    share = 100 * weight[order] / fsum(weight[order])
    bar = int(np.searchsorted(np.cumsum(share), target))
    positive = np.zeros(len(opinion), dtype=bool)
    for cut in (bar, bar - 1, bar + 1, bar - 2, bar + 2, bar - 3, bar + 3):
        swap = _exchange(share[:cut][::-1], share[cut:], target - fsum(share[:cut]))
        if swap is not None:
            leaves, joins = swap
            positive[order[:cut]] = True
            if leaves > 0:
                positive[order[cut - leaves]] = False
            if joins > 0:
                positive[order[cut + joins - 1]] = True
            return positive
    raise RuntimeError(f"no exchange of answers brings {name!r} to {target} %; change the seed.")


def _exchange(above: _Column, below: _Column, needed: float) -> tuple[int, int] | None:
    """Return which person above the bar leaves and which below joins, counted from the bar.

    Zero is nobody. Of all exchanges that add what is needed, the one nearest to the bar.
    """
    lost, gained = np.append(0.0, above), np.append(0.0, below)
    places = np.argwhere(np.abs(gained[None, :] - lost[:, None] - needed) < _TOLERANCE)
    if len(places) == 0:
        return None
    leaves, joins = places[np.argmin(places.sum(axis=1))]
    return int(leaves), int(joins)


def _described(activities: _Table, people: _Table, year: int) -> dict[str, Any]:
    """Return the columns that describe the design, the activity and the participant."""
    activity = people["activity"]
    of = _take(activities, activity)
    return {
        "simulated": ["simulated"] * len(activity),
        "year": np.full(len(activity), year, dtype=np.int64),
        "activity": of["id"].tolist(),
        "topic": _TOPICS[of["topic"]].tolist(),
        "modality": _MODALITIES[of["modality"]].tolist(),
        "language": _LANGUAGES[of["language"]].tolist(),
        "price": _PRICES[of["price"]].tolist(),
        "stratum": _STRATUM_NAMES[of["stratum"]].tolist(),
        "activities_in_stratum": of["in_population"],
        "enrolled": of["enrolled"],
        "weight": people["weight"],
        "participant": [
            f"C-{number:03d}" if recurs else f"N{year}-{number:04d}"
            for number, recurs in zip(people["number"], people["in_core"], strict=True)
        ],
        "gender": _GENDERS[people["gender"]].tolist(),
        "region": _REGIONS[people["region"]].tolist(),
        "ldc": _NO_YES[people["ldc"].astype(np.int64)].tolist(),
    }


def _carried_over(rng: Generator, values: _Column, share: float) -> _Column:
    """Keep `share` of the variance and draw the rest anew, so that years correlate."""
    return np.asarray(sqrt(share) * values + sqrt(1 - share) * rng.standard_normal(values.shape))


def _draw(rng: Generator, shares: _Column) -> _Column:
    """Draw one category a row; `shares` is rows x categories, each row summing to 1."""
    passed = rng.random((len(shares), 1)) >= np.cumsum(shares, axis=1)[:, :-1]
    return np.asarray(passed.sum(axis=1, dtype=np.int64))


def _take(table: _Table, rows: _Column) -> _Table:
    return {name: column[rows] for name, column in table.items()}


def _stack(first: _Table, second: _Table) -> _Table:
    return {name: np.concatenate([column, second[name]]) for name, column in first.items()}
