"""steelyard: survey statistics for people who evaluate programmes."""

from steelyard import datasets, errors
from steelyard._core import __version__
from steelyard.allocation import allocate, allocate_for_precision
from steelyard.balance import Balance
from steelyard.breaks import Break, Link
from steelyard.change import Change
from steelyard.comparison import Comparison
from steelyard.crosstab import Crosstab
from steelyard.cumulative import cumulative
from steelyard.decomposition import Decomposition, decompose, standardised_levels
from steelyard.design import Subsample
from steelyard.estimates import Estimates
from steelyard.evaluation import Evaluation
from steelyard.findings import Findings
from steelyard.hypothesis import HypothesisTest
from steelyard.oaxaca import oaxaca
from steelyard.ordinal import OrdinalRegression
from steelyard.pps import Pps
from steelyard.published import Audit, Figure, audit
from steelyard.published_wave import Published
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
from steelyard.target import Judgement, Target, judge
from steelyard.waves import compare
from steelyard.weighting import Weighting, weight
from steelyard.weighting_effect import WeightingEffect

__all__ = [
    "Audit",
    "Balance",
    "Break",
    "Change",
    "Comparison",
    "Crosstab",
    "Decomposition",
    "Estimates",
    "Evaluation",
    "Figure",
    "Findings",
    "HypothesisTest",
    "Judgement",
    "Link",
    "OrdinalRegression",
    "Pps",
    "Published",
    "Regression",
    "ReplicateWeights",
    "ResponseRates",
    "SampleSize",
    "Scorecard",
    "Selected",
    "Statistic",
    "Subsample",
    "Survey",
    "Target",
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
    "cumulative",
    "datasets",
    "decompose",
    "detectable_change",
    "errors",
    "gini",
    "judge",
    "likert",
    "mean",
    "oaxaca",
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
    "standardised_levels",
    "total",
    "variance",
    "weight",
]
