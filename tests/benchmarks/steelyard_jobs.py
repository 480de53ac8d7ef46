"""The cases in steelyard."""

from functools import partial

import polars as pl

import steelyard as sy

from . import job
from .data import SCORES, totals_of_margins, totals_of_scores
from .job import Answer, Job, Tool, mean_by, ready


def steelyard_tool(frame: pl.DataFrame) -> Tool:
    text = partial(sy.Survey, frame, weights="weight", strata="stratum", clusters="unit")
    integer = partial(sy.Survey, frame, weights="weight", strata="stratum_id", clusters="unit_id")
    warm = ready(text())
    margins = totals_of_margins(frame)
    totals = {"domain": margins["domain"], **totals_of_scores(frame)}
    weighting = sy.weight(frame, base="weight")
    weighting.rake(margins)  # its columns are coded
    elements = ready(sy.Survey(frame, weights="weight", strata="stratum"))
    jobs = {
        job.CONSTRUCTION_TEXT: Job(ready(None), lambda _: text(), _read_survey),
        job.CONSTRUCTION_INTEGER: Job(ready(None), lambda _: integer(), _read_survey),
        job.CONSTRUCTION_AND_MEAN: Job(ready(None), lambda _: _mean(text()), _read),
        job.MEAN: Job(warm, _mean, _read),
        job.MEAN_BY_GROUP: Job(warm, _mean_by_group, _read),
        job.MEAN_BY_GROUP_FIRST: Job(lambda: _used_once(text()), _mean_by_group, _read),
        job.TEN_MEANS: Job(warm, lambda s: s.mean(SCORES), _read),
        job.RATIO: Job(warm, lambda s: s.ratio(SCORES[0], SCORES[1]), _read),
        job.PROPORTION: Job(warm, lambda s: s.proportion("answer", by="domain"), _read),
        job.MEAN_ELEMENTS: Job(elements, _mean, _read),
        job.BOOTSTRAP: Job(
            ready(text().replicated("rao-wu", replicates=200)), lambda s: s.mean(SCORES), _read
        ),
        job.RAKING: Job(
            ready(weighting), lambda w: w.rake(margins), lambda w: mean_by(frame, w.weights)
        ),
        job.CALIBRATION: Job(
            ready(weighting), lambda w: w.calibrate(totals), lambda w: mean_by(frame, w.weights)
        ),
    }
    return Tool("steelyard", sy.__version__, jobs)


def _mean(survey: sy.Survey) -> sy.Estimates:
    return survey.mean(SCORES[0])


def _mean_by_group(survey: sy.Survey) -> sy.Estimates:
    return survey.mean(SCORES[0], by="group")


def _used_once(survey: sy.Survey) -> sy.Survey:
    """Its design is warm; the columns of `by=` are not."""
    _mean(survey)
    return survey


def _read_survey(survey: sy.Survey) -> Answer:
    return _read(_mean(survey))


def _read(estimates: sy.Estimates) -> Answer:
    table = estimates.to_polars()
    names = [name for name in ("group", "domain", "variable", "level") if name in table.columns]
    labels = table.select(pl.col(names).cast(pl.String)).rows()
    return dict(zip(labels, table.select("estimate", "se").rows(), strict=True))
