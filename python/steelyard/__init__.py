"""steelyard: survey statistics for people who evaluate programmes."""

from steelyard import datasets, errors
from steelyard._core import __version__
from steelyard.allocation import allocate, allocate_for_precision
from steelyard.balance import Balance
from steelyard.comparison import Comparison, compare
from steelyard.crosstab import Crosstab
from steelyard.design import Subsample
from steelyard.estimates import Estimates
from steelyard.evaluation import Evaluation
from steelyard.hypothesis import HypothesisTest
from steelyard.ordinal import OrdinalRegression
from steelyard.pps import Pps
from steelyard.published import Audit, Figure, audit
from steelyard.regression import Regression
from steelyard.replicate import ReplicateWeights
from steelyard.response_rate import ResponseRates, response_rates
from steelyard.sample_size import (
    SampleSize,
    detectable_change,
    sample_size,
    sample_size_for_change,
)
from steelyard.scorecard import Scorecard
from steelyard.selection import Selected, select
from steelyard.statistic import (
    Statistic,
    cdf,
    correlation,
    count,
    covariance,
    gini,
    likert,
    mean,
    proportion,
    quantile,
    ratio,
    scale,
    sd,
    share_ratio,
    total,
    variance,
)
from steelyard.survey import Survey
from steelyard.weighting import Weighting, weight
from steelyard.weighting_effect import WeightingEffect

__all__ = [
    "Audit",
    "Balance",
    "Comparison",
    "Crosstab",
    "Estimates",
    "Evaluation",
    "Figure",
    "HypothesisTest",
    "OrdinalRegression",
    "Pps",
    "Regression",
    "ReplicateWeights",
    "ResponseRates",
    "SampleSize",
    "Scorecard",
    "Selected",
    "Statistic",
    "Subsample",
    "Survey",
    "Weighting",
    "WeightingEffect",
    "__version__",
    "allocate",
    "allocate_for_precision",
    "audit",
    "cdf",
    "compare",
    "correlation",
    "count",
    "covariance",
    "datasets",
    "detectable_change",
    "errors",
    "gini",
    "likert",
    "mean",
    "proportion",
    "quantile",
    "ratio",
    "response_rates",
    "sample_size",
    "sample_size_for_change",
    "scale",
    "sd",
    "select",
    "share_ratio",
    "total",
    "variance",
    "weight",
]
