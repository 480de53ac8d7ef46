"""The cases in svy (https://pypi.org/project/svy), with Taylor linearisation, its default.

svy codes the design when a sample is first used, not when it is made.
"""

from importlib.metadata import version
from typing import Any

import polars as pl

from . import job
from .data import SCORES, totals_of_margins, totals_of_scores
from .job import Answer, Job, Tool, mean_by, ready


def svy_tool(frame: pl.DataFrame) -> Tool | None:
    """Return nothing where svy is not installed."""
    try:
        import svy
    except ImportError:
        return None

    def text() -> Any:
        return svy.Sample(frame, svy.Design(stratum="stratum", psu="unit", wgt="weight"))

    def integer() -> Any:
        return svy.Sample(frame, svy.Design(stratum="stratum_id", psu="unit_id", wgt="weight"))

    def elements_of(rows: pl.DataFrame) -> Any:
        return svy.Sample(rows, svy.Design(wgt="weight"))

    margins = totals_of_margins(frame)
    totals = {svy.Cat("domain"): margins["domain"], **totals_of_scores(frame)}
    warm = ready(text())
    elements = ready(svy.Sample(frame, svy.Design(stratum="stratum", wgt="weight")))
    jobs = {
        job.CONSTRUCTION_TEXT: Job(ready(None), lambda _: text(), _read_sample),
        job.CONSTRUCTION_INTEGER: Job(ready(None), lambda _: integer(), _read_sample),
        job.CONSTRUCTION_AND_MEAN: Job(ready(None), lambda _: _mean(text()), _read),
        job.MEAN: Job(warm, _mean, _read),
        job.MEAN_BY_GROUP: Job(warm, _mean_by_group, _read),
        job.MEAN_BY_GROUP_FIRST: Job(lambda: _used_once(text()), _mean_by_group, _read),
        job.TEN_MEANS: Job(warm, lambda s: s.estimation.mean(SCORES, method="taylor"), _read_all),
        job.RATIO: Job(warm, _ratio, _read),
        job.PROPORTION: Job(warm, _proportion_by_domain, _read),
        job.MEAN_ELEMENTS: Job(elements, _mean, _read),
        job.RAKING: Job(
            ready(elements_of(frame)),
            lambda s: s.weighting.rake(controls=margins, tol=1e-12, update_design_wgts=False),
            lambda s: mean_by(frame, s.data["rk_wgt"].to_numpy()),
        ),
        job.CALIBRATION: Job(
            ready(elements_of(frame)),
            lambda s: s.weighting.calibrate(controls=totals, update_design_wgts=False),
            lambda s: mean_by(frame, s.data["calib_wgt"].to_numpy()),
        ),
    }
    return Tool("svy", version("svy"), jobs)


def _mean(sample: Any) -> Any:
    return sample.estimation.mean(SCORES[0], method="taylor")


def _mean_by_group(sample: Any) -> Any:
    return sample.estimation.mean(SCORES[0], by="group", method="taylor")


def _ratio(sample: Any) -> Any:
    return sample.estimation.ratio(SCORES[0], SCORES[1], method="taylor")


def _proportion_by_domain(sample: Any) -> Any:
    return sample.estimation.prop("answer", by="domain", method="taylor")


def _used_once(sample: Any) -> Any:
    """Its design is warm; the columns of `by=` are not."""
    _mean(sample)
    return sample


def _read_sample(sample: Any) -> Answer:
    return _read(_mean(sample))


def _read_all(estimates: Any) -> Answer:
    return {label: pair for estimate in estimates for label, pair in _read(estimate).items()}


def _read(estimate: Any) -> Answer:
    answer = {}
    for row in estimate.estimates:
        variable = row.y if row.x is None else f"{row.y}/{row.x}"
        levels = () if row.y_level is None else (str(row.y_level),)
        answer[*map(str, row.by_level or ()), variable, *levels] = (row.est, row.se)
    return answer
