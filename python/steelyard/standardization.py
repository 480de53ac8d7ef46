"""Direct standardisation: what groups would show with one composition of the population."""

from collections.abc import Mapping, Sequence

import numpy as np

from steelyard.columns import as_names
from steelyard.condition import Where
from steelyard.errors import EmptyDomain, UnknownLevel, nearest_text
from steelyard.estimates import Estimates
from steelyard.evidence import Evidence, Floats
from steelyard.labels import Labels
from steelyard.levels import Level
from steelyard.sample import Sample
from steelyard.statistic import Statistic

Shares = Mapping[Level, float] | Mapping[tuple[Level, ...], float]


def standardized(
    sample: Sample,
    statistics: Sequence[Statistic],
    adjust: Sequence[str],
    shares: Shares,
    by: str | Sequence[str] | None,
    where: Where | None,
    level: float,
) -> Estimates:
    """Combine the estimates of each group's strata by the shares of the standard population."""
    for statistic in statistics:
        if statistic.kind not in ("mean", "proportion", "likert"):
            raise ValueError(
                f"{statistic.variable!r} is a {statistic.kind}: means, proportions and rating "
                "questions are standardised, as weighted means of what their groups show"
            )
    groups = () if by is None else as_names(by)
    both = [name for name in adjust if name in groups]
    if both:
        raise ValueError(f"{both[0]!r} is held fixed by adjust=, so it makes no groups in by=")
    standard = _standard(shares, adjust)
    parts = sample.estimate(statistics, [*groups, *adjust], where, level)
    keys = parts.labels.keys()
    names = list(parts.labels.by)
    at = [names.index(name) for name in adjust]
    rows: dict[tuple[Level, ...], dict[tuple[Level, ...], int]] = {}
    for i, key in enumerate(keys):
        stratum = tuple(key[j] for j in at)
        if stratum not in standard:
            raise UnknownLevel(
                f"shares= has no share for {_text(stratum)} of {', '.join(adjust)}."
                f"{nearest_text(_text(stratum), [_text(s) for s in standard])}",
                column=adjust[0],
            )
        group = tuple(part for j, part in enumerate(key) if j not in at)
        rows.setdefault(group, {})[stratum] = i
    weights = np.zeros((len(rows), len(parts)))
    for r, (group, found) in enumerate(rows.items()):
        for stratum, share in standard.items():
            row = found.get(stratum)
            if share > 0 and (row is None or parts.n[row] == 0):
                raise EmptyDomain(
                    f"no answer to {group[-3]!r} in {_text(stratum)} of {', '.join(adjust)}"
                    + (f" for {_text(group[:-3])}" if groups else "")
                    + ": merge it with another, or leave the group out",
                    column=str(adjust[0]),
                )
            if row is not None:
                weights[r, row] = share
    labels = Labels(
        {name: [group[i] for group in rows] for i, name in enumerate(groups)},
        [str(group[-3]) for group in rows],
        [group[-2] for group in rows],
        [str(group[-1]) for group in rows],
    )
    codes = sample.domain([*groups, *adjust], where).codes
    known = where if codes is None else codes.to_numpy() >= 0
    whole = sample.estimate(statistics, groups or None, known, level)
    at_group = [whole.labels.keys().index(group) for group in rows]
    evidence = _evidence(parts.evidence, weights, whole.evidence.select(at_group))
    return Estimates(parts.core.contrast(weights), labels, evidence, parts.presentation)


def _standard(shares: Shares, adjust: Sequence[str]) -> dict[tuple[Level, ...], float]:
    """Shares of the standard population, adding up to 1."""
    standard = {
        key if isinstance(key, tuple) else (key,): float(share) for key, share in shares.items()
    }
    total = sum(standard.values())
    if min(standard.values(), default=-1) < 0 or not 0 < total < float("inf"):
        raise ValueError("shares= are numbers of people, or shares: none negative, one positive")
    if any(len(key) != len(adjust) for key in standard):
        raise ValueError(
            f"shares= are by {', '.join(adjust)}: with several columns, keys are tuples of one "
            "label for each"
        )
    return {key: share / total for key, share in standard.items()}


def _evidence(parts: Evidence, weights: Floats, whole: Evidence) -> Evidence:
    """Counts of the cells that have a share, and the units and strata of each whole group."""
    used = weights > 0
    nothing = np.full(len(weights), np.nan)
    return Evidence(
        used @ parts.n,
        used @ parts.missing,
        whole.units,
        whole.strata,
        nothing,
        nothing.copy(),
        np.array([bool(parts.certain[row].all()) for row in used]),
        np.array([bool(parts.census[row].all()) for row in used]),
    )


def _text(labels: Sequence[Level]) -> str:
    return " / ".join(str(label) for label in labels)
