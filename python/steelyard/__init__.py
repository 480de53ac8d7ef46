"""steelyard: survey statistics for people who evaluate programmes."""

from steelyard import datasets, errors
from steelyard._core import __version__
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
from steelyard.scorecard import Scorecard
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
    "Scorecard",
    "Statistic",
    "Subsample",
    "Survey",
    "Weighting",
    "WeightingEffect",
    "__version__",
    "audit",
    "cdf",
    "compare",
    "correlation",
    "count",
    "covariance",
    "datasets",
    "errors",
    "gini",
    "likert",
    "mean",
    "proportion",
    "quantile",
    "ratio",
    "response_rates",
    "scale",
    "sd",
    "share_ratio",
    "total",
    "variance",
    "weight",
]
