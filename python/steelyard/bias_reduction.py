"""Errors for few clusters: Bell and McCaffrey's bias-reduced linearisation."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Literal, TypeAlias, get_args

import numpy as np

from steelyard import _core
from steelyard.columns import as_names
from steelyard.condition import Where
from steelyard.errors import DesignMismatch
from steelyard.estimates import Estimates
from steelyard.evidence import Floats
from steelyard.explain import CORE_ERRORS, explain
from steelyard.propagation import join
from steelyard.sample import Sample
from steelyard.statistic import Statistic

Errors: TypeAlias = Literal["linearized", "bell-mccaffrey"]

_VARIANCE = "Bell–McCaffrey (CR2) bias-reduced linearisation"
_FREEDOM = "Bell and McCaffrey's of each; of a combination of several, the smallest of theirs"


def check_errors(errors: Errors) -> Errors:
    """Refuse what is no way to estimate errors."""
    if errors not in get_args(Errors):
        known = ", ".join(map(repr, get_args(Errors)))
        raise ValueError(f"errors={errors!r} is none of {known}")
    return errors


def reduced_means(
    sample: Sample,
    statistics: list[Statistic],
    by: str | list[str] | tuple[str, ...] | None,
    where: Where | None,
    level: float,
) -> Estimates:
    """Means with bias-reduced errors, each with its degrees of freedom."""
    linearised = sample.estimate(statistics, by, where, level)
    codes = sample.domain(None if by is None else as_names(by), where).codes
    core, free = None, []
    for statistic in statistics:
        name = statistic.columns[0]
        part, df = _reduced(
            sample,
            partial(
                _core.reduce_bias_of_means,
                name,
                sample.columns.numbers(name),
                sample.design,
                sample.keys(),
                codes,
            ),
        )
        core = part if core is None else join(core, part)
        free.append(df)
    groups = len(linearised) // len(statistics)
    order = [v * groups + d for d in range(groups) for v in range(len(statistics))]
    if core is None:
        return linearised
    return with_errors(linearised, core.select(order), np.concatenate(free)[order])


def reduced_coefficients(
    sample: Sample, linearised: Estimates, fit: _core.Regression, codes: _core.Codes | None
) -> Estimates:
    """Coefficients with bias-reduced errors, each with its degrees of freedom."""
    core, free = _reduced(
        sample, partial(_core.reduce_bias, fit, sample.design, sample.keys(), codes)
    )
    return with_errors(linearised, core, free)


def with_errors(linearised: Estimates, core: _core.Estimates, df: Floats) -> Estimates:
    """The same estimates with other deviations and degrees of freedom."""
    nothing = np.full(len(linearised), np.nan)
    evidence = replace(
        linearised.evidence,
        deff=nothing,
        deff_replace=nothing.copy(),
        df=np.where(np.isnan(df), linearised.df, df),
    )
    shown = linearised.presentation
    conventions = {
        **shown.conventions,
        "variance": _VARIANCE,
        "degrees of freedom": _FREEDOM,
    }
    return Estimates(core, linearised.labels, evidence, replace(shown, conventions=conventions))


def _reduced(
    sample: Sample, reduce: Callable[[], tuple[_core.Estimates, Floats]]
) -> tuple[_core.Estimates, Floats]:
    try:
        return reduce()
    except CORE_ERRORS as error:
        raise explain(error, sample.names) from None
    except ValueError as error:
        raise DesignMismatch(f"errors='bell-mccaffrey': {error}") from None
