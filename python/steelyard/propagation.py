"""Functions of estimates: joined, and with their deviations carried along."""

from collections.abc import Sequence

import numpy as np

from steelyard import _core
from steelyard.errors import CovarianceUnknown
from steelyard.evidence import Floats


def join(first: _core.Estimates, second: _core.Estimates) -> _core.Estimates:
    """Put two sets of estimates side by side, covarying through the units they share."""
    try:
        return _core.join(first, second)
    except ValueError as error:
        raise CovarianceUnknown(
            f"{error}. Ask for both in one call, as in survey.estimate({{...}})"
        ) from None


def propagate(core: _core.Estimates, results: Sequence[_core.Dual]) -> _core.Estimates:
    """Functions of estimates, with their deviations: the delta method."""
    values = np.array([result.value for result in results])
    return core.delta(values, jacobian_of(results, len(core)))


def jacobian_of(results: Sequence[_core.Dual], size: int) -> Floats:
    """Derivatives of each result, one row each; a constant has none."""
    jacobian = np.zeros((len(results), size))
    for i, result in enumerate(results):
        if len(result.gradient) > 0:
            jacobian[i] = result.gradient
    return jacobian
