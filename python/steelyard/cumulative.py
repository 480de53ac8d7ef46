"""Several years taken together: the share of all their answers."""

from collections.abc import Sequence

import numpy as np

from steelyard import _core
from steelyard.condition import Where
from steelyard.errors import UnknownLevel, nearest_text
from steelyard.estimates import Estimates
from steelyard.evidence import Evidence
from steelyard.labels import Labels
from steelyard.levels import Level
from steelyard.propagation import join, propagate
from steelyard.survey import Survey


def cumulative_proportion(
    surveys: Sequence[Survey],
    question: str,
    positive: Sequence[Level],
    *,
    levels: Sequence[Level] = (),
    where: Where | None = None,
    level: float = 0.95,
) -> Estimates:
    """Estimate a share over several surveys: weighted positive answers over weighted answers.

    Each survey enters with its own weights, so a year counts by the population it stands for.

    Parameters
    ----------
    surveys : sequence of Survey
        One a year. Clusters of the same name covary.
    question : str
        Categorical column of every survey.
    positive : sequence of levels
        Answers to take together. Each must occur in at least one survey, or be among `levels`.
    levels, where, level
        As for :meth:`Survey.mean`.

    Returns
    -------
    Estimates
        One, with a logit interval; n counts the answers of all surveys.

    Raises
    ------
    UnknownLevel
        A positive answer occurs in no survey.

    Notes
    -----
    A function of the weighted counts of answers in every survey, by the delta method.
    """
    counts = [survey.count(question, levels=levels, where=where, level=level) for survey in surveys]
    answers = [answer for table in counts for answer in table.labels.level]
    for answer in positive:
        if answer not in answers:
            raise UnknownLevel(
                f"{answer!r} does not occur in column {question!r} of any year."
                f"{nearest_text(answer, answers)}",
                column=question,
            )
    together = counts[0].core
    for table in counts[1:]:
        together = join(together, table.core)
    terms = _core.variables(together.values)
    yes = [x for x, answer in zip(terms, answers, strict=True) if answer in positive]
    share = sum(yes[1:], start=yes[0]) / sum(terms[1:], start=terms[0])
    labels = Labels({}, [question], [" + ".join(map(str, positive))], ["proportion"])
    certain = any(_share_of(table, positive) in (0.0, 1.0) for table in counts)
    evidence = Evidence.pooled([table.evidence for table in counts], certain=certain)
    core = propagate(together, [share])
    if any(table.evidence.units[0] < 2 for table in counts):
        # One unit shows nothing of its error, so neither do the years together.
        core = core.delta(core.values, np.array([[np.nan]]))
    return Estimates(core, labels, evidence, counts[0].presentation)


def _share_of(counts: Estimates, positive: Sequence[Level]) -> float:
    pairs = list(zip(counts.labels.level, counts.estimate.tolist(), strict=True))
    yes = float(sum(c for answer, c in pairs if answer in positive))
    return yes / float(sum(c for _, c in pairs))
