"""
The C++ core of steelyard: designs, influence, deviations and inference.
"""
from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import typing
__all__: list[str] = ['Adjustment', 'BootstrapOptions', 'Calibration', 'ChangeOptions', 'Codes', 'Controls', 'Design', 'DesignError', 'Dual', 'Equivalence', 'Estimated', 'Estimates', 'Estimator', 'FactorRange', 'FitError', 'InvalidColumn', 'KEPT_DEVIATIONS', 'MaxT', 'ModelFactor', 'ModelMatrix', 'Ordinal', 'PhaseStage', 'PovertyLine', 'Propensity', 'Quantiles', 'Regression', 'Replicates', 'SampleKeys', 'ShareAudit', 'Stage', 'TableTest', 'TestResult', 'Trimming', 'VarianceForm', 'WeightSummary', 'Weighting', 'WeightingError', 'adjusted_p_values', 'allocate', 'allocate_for_precision', 'audit_share', 'average_contrasts', 'averages', 'canty_davison_bootstrap', 'change', 'column_means', 'confidence_in_bound', 'confidence_in_share_bound', 'correlations', 'count', 'cronbach_alpha', 'cross', 'detectable_change', 'distribution_function', 'draw', 'draw_balanced', 'draw_simple', 'draw_tille', 'equivalence', 'estimate', 'factorize', 'fit_ordinal', 'fit_regression', 'from_joint_probabilities', 'generalised_bootstrap', 'gini', 'goodness_of_fit_test', 'half_samples', 'hartley_rao', 'inclusion_probabilities', 'independence_test', 'jackknife', 'join', 'joinpoint_contrasts', 'joint_sampford', 'joint_systematic', 'joint_tille', 'kitagawa', 'link', 'margin_of_size', 'max_t', 'mean', 'minimum_detectable', 'mixed_bootstrap', 'moment', 'multistage_bootstrap', 'oaxaca', 'ordinal_coefficients', 'overton', 'predict_ordinal', 'predict_regression', 'print_share', 'proportion', 'proportion_intervals', 'random_groups', 'rank_scores', 'ratio', 'recoded', 'reduce_bias', 'reduce_bias_of_means', 'regression_coefficients', 'rescaled_bootstrap', 'score_intervals', 'share_below', 'share_ratio', 'share_variance', 'shared_units', 'size_for_change', 'size_for_margin', 'standardised', 'step_contrasts', 'successive_differences', 't_quantile', 't_upper_tail', 'total', 'trend_contrasts', 'two_phase', 'two_sided_p_value', 'variables', 'wald_independence_test', 'wald_intervals', 'wald_test', 'weighting_effect']
class InvalidColumn(ValueError):
    pass
class DesignError(RuntimeError):
    pass
class FitError(RuntimeError):
    pass
class WeightingError(RuntimeError):
    pass
class Codes:
    """
    A categorical column: one dense code a row, -1 for none.
    """
    def __init__(self, codes: numpy.typing.NDArray[numpy.int32], levels: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def __len__(self) -> int:
        ...
    def to_numpy(self) -> numpy.typing.NDArray[numpy.int32]:
        ...
    @property
    def counts(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
    @property
    def levels(self) -> int:
        ...
class Replicates:
    """
    Weights that the sample might have had.
    """
    @staticmethod
    def of_rows(names: collections.abc.Sequence[str], columns: collections.abc.Sequence[numpy.ndarray[typing.Any, numpy.dtype[typing.Any]]], combined: bool, scales: numpy.typing.NDArray[numpy.float64], about_estimate: bool) -> Replicates:
        ...
    @property
    def about_estimate(self) -> bool:
        ...
    @property
    def count(self) -> int:
        ...
    @property
    def scales(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
class ModelFactor:
    """
    A variable that model columns multiply.
    """
    @staticmethod
    def levels(codes: Codes, value_of_level: numpy.typing.NDArray[numpy.float64]) -> ModelFactor:
        ...
    @staticmethod
    def numbers(name: str, values: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]]) -> ModelFactor:
        ...
class ModelMatrix:
    """
    A regression's columns, made block by block.
    """
    def __init__(self, rows: typing.SupportsInt | typing.SupportsIndex, factors: collections.abc.Sequence[ModelFactor], names: collections.abc.Sequence[str], products: collections.abc.Sequence[collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]]) -> None:
        ...
    def __len__(self) -> int:
        ...
    def with_value(self, factor: typing.SupportsInt | typing.SupportsIndex, value: typing.SupportsFloat | typing.SupportsIndex) -> ModelMatrix:
        ...
class Estimates:
    """
    Values and their deviations: all that inference needs.
    """
    @staticmethod
    def known(values: numpy.typing.NDArray[numpy.float64], covariance: numpy.typing.NDArray[numpy.float64], identity: typing.SupportsInt | typing.SupportsIndex) -> Estimates:
        """
        Values whose errors are known from elsewhere.
        """
    @staticmethod
    def restored(values: numpy.typing.NDArray[numpy.float64], deviations: numpy.typing.NDArray[numpy.float64], units: numpy.typing.NDArray[numpy.uint64], strata: numpy.typing.NDArray[numpy.uint64], counted: numpy.typing.NDArray[numpy.uint8], samples: numpy.typing.NDArray[numpy.uint64], fractions: numpy.typing.NDArray[numpy.float64], signs: numpy.typing.NDArray[numpy.float64], degrees_of_freedom: typing.SupportsFloat | typing.SupportsIndex, by_unit: bool) -> Estimates:
        """
        Estimates as they were saved.
        """
    def __len__(self) -> int:
        ...
    def apart(self, salt: typing.SupportsInt | typing.SupportsIndex) -> Estimates:
        """
        The same estimates, of a sample that shares nothing with another.
        """
    def contrast(self, combinations: numpy.typing.NDArray[numpy.float64]) -> Estimates:
        ...
    def delta(self, values: numpy.typing.NDArray[numpy.float64], jacobian: numpy.typing.NDArray[numpy.float64]) -> Estimates:
        ...
    def root(self, identity: typing.SupportsInt | typing.SupportsIndex) -> Estimates:
        """
        The same estimates without what each unit adds.
        """
    def select(self, indices: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> Estimates:
        ...
    def without_unnamed(self, identity: typing.SupportsInt | typing.SupportsIndex) -> Estimates:
        """
        The same estimates without a row for each unit that has no name.
        """
    @property
    def by_unit(self) -> bool:
        ...
    @property
    def counted(self) -> numpy.typing.NDArray[numpy.uint8]:
        ...
    @property
    def counted_units(self) -> int:
        ...
    @property
    def covariance(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def degrees_of_freedom(self) -> float:
        ...
    @property
    def deviations(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def fractions(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def sample_keys(self) -> numpy.typing.NDArray[numpy.uint64]:
        ...
    @property
    def satterthwaite(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        Degrees of freedom of each estimate where strata vary by different amounts.
        """
    @property
    def signs(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def standard_errors(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def stratum_keys(self) -> numpy.typing.NDArray[numpy.uint64]:
        ...
    @property
    def unit_keys(self) -> numpy.typing.NDArray[numpy.uint64]:
        ...
    @property
    def values(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
class Controls:
    """
    Auxiliary variables whose totals are to be met.
    """
    def __init__(self, margins: collections.abc.Sequence[Codes], names: collections.abc.Sequence[str], columns: collections.abc.Sequence[numpy.ndarray[typing.Any, numpy.dtype[typing.Any]]], groups: Codes | None) -> None:
        ...
    def totals(self, factor: numpy.typing.NDArray[numpy.float64]) -> numpy.typing.NDArray[numpy.float64]:
        """
        Sums of factor times controls: groups x controls.
        """
    @property
    def groups(self) -> int:
        ...
    @property
    def width(self) -> int:
        ...
class Adjustment:
    """
    One step of weighting.
    """
class Calibration(Adjustment):
    """
    Weights that add up to given totals.
    """
    @staticmethod
    def to_base(controls: Controls) -> Calibration:
        ...
    @staticmethod
    def to_sample(controls: Controls, stands: numpy.typing.NDArray[numpy.uint8], counts: numpy.typing.NDArray[numpy.uint8], distance: str, low: typing.SupportsFloat | typing.SupportsIndex, high: typing.SupportsFloat | typing.SupportsIndex) -> Calibration:
        ...
    def __init__(self, controls: Controls, totals: numpy.typing.NDArray[numpy.float64], distance: str, low: typing.SupportsFloat | typing.SupportsIndex, high: typing.SupportsFloat | typing.SupportsIndex, bounds_on_weights: bool, residuals: str, scale: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]] | None, clusters: Codes | None, slack: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None, estimated: Estimates | None, shares: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None) -> None:
        ...
class Propensity(Adjustment):
    """
    Weights over probabilities to respond.
    """
    def __init__(self, matrix: ModelMatrix, responded: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]], eligible: numpy.typing.NDArray[numpy.uint8], classes: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
class Trimming(Adjustment):
    """
    Weights brought inside bounds.
    """
    def __init__(self, rows: typing.SupportsInt | typing.SupportsIndex, low: typing.SupportsFloat | typing.SupportsIndex, high: typing.SupportsFloat | typing.SupportsIndex, unit: str, sharing: str, repeats: bool, is_fixed: bool, groups: Codes | None) -> None:
        ...
class WeightSummary:
    """
    How unequal weights are.
    """
    @property
    def effect(self) -> float:
        ...
    @property
    def largest(self) -> float:
        ...
    @property
    def mean(self) -> float:
        ...
    @property
    def median(self) -> float:
        ...
    @property
    def rows(self) -> int:
        ...
    @property
    def smallest(self) -> float:
        ...
    @property
    def sum(self) -> float:
        ...
    @property
    def top_share(self) -> float:
        ...
class FactorRange:
    """
    By how much weights changed.
    """
    @property
    def largest(self) -> float:
        ...
    @property
    def negative(self) -> int:
        ...
    @property
    def smallest(self) -> float:
        ...
class Weighting:
    """
    Weights as a chain of steps from those of the design.
    """
    def __init__(self, base: numpy.typing.NDArray[numpy.float64]) -> None:
        ...
    def factor_range(self, after: Weighting) -> FactorRange:
        ...
    def iterations(self, step: typing.SupportsInt | typing.SupportsIndex) -> int:
        ...
    def largest_error(self, step: typing.SupportsInt | typing.SupportsIndex) -> float:
        ...
    def summary(self) -> WeightSummary:
        """
        Of the weights after the last step.
        """
    def then(self, step: Adjustment) -> Weighting:
        ...
    def totals(self, step: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def base(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def steps(self) -> int:
        ...
    @property
    def weights(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
class Stage:
    """
    One stage of selection: its strata, units and fpc.
    """
    def __init__(self, strata: Codes | None, units: Codes | None, fpc_name: str, fpc: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]] | None) -> None:
        ...
class VarianceForm:
    """
    A variance as a quadratic form in unit totals.
    """
    @property
    def rows(self) -> int:
        ...
class PhaseStage:
    """
    One stage of a phase of sampling.
    """
    def __init__(self, strata: Codes | None, units: Codes | None, probability: numpy.typing.NDArray[numpy.float64], replacement: bool) -> None:
        ...
class Design:
    """
    A sample in stages, seen as a linear map.
    """
    @staticmethod
    def with_form(rows: typing.SupportsInt | typing.SupportsIndex, weights_name: str, weights: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]], stage: Stage, form: VarianceForm, degrees_of_freedom: typing.SupportsFloat | typing.SupportsIndex | None) -> Design:
        ...
    def __init__(self, rows: typing.SupportsInt | typing.SupportsIndex, weights_name: str, weights: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]] | None, stages: collections.abc.Sequence[Stage], lonely: str, lonely_domain: str | None, selection: str) -> None:
        ...
    def deviations(self, unit_totals: numpy.typing.NDArray[numpy.float64]) -> numpy.typing.NDArray[numpy.float64]:
        """
        Deviations of totals by unit of the last stage.
        """
    def replicate_weights(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        Weights of every row under every replicate.
        """
    def row_fractions(self, stage: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
        """
        Sampling fraction of each row's unit at a stage.
        """
    def row_units(self, stage: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.int32]:
        """
        Each row's unit at a stage.
        """
    def row_weights(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        Weight of each row.
        """
    def with_replicates(self, replicates: Replicates, degrees_of_freedom: typing.SupportsFloat | typing.SupportsIndex | None) -> Design:
        ...
    def with_weighting(self, weighting: Weighting) -> Design:
        ...
    @property
    def degrees_of_freedom(self) -> float:
        ...
    @property
    def has_form(self) -> bool:
        ...
    @property
    def replicates(self) -> int:
        ...
    @property
    def rows(self) -> int:
        ...
    @property
    def sampling_fractions(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def stages(self) -> int:
        ...
    @property
    def strata(self) -> int:
        ...
    @property
    def units(self) -> int:
        ...
class BootstrapOptions:
    """
    How many replicates, and from which seed.
    """
    def __init__(self, replicates: typing.SupportsInt | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex, about_estimate: bool) -> None:
        ...
class ChangeOptions:
    """
    Two waves, and what they share.
    """
    def __init__(self, level: typing.SupportsFloat | typing.SupportsIndex, power: typing.SupportsFloat | typing.SupportsIndex, design_effect: typing.SupportsFloat | typing.SupportsIndex, overlap: typing.SupportsFloat | typing.SupportsIndex, correlation: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
class MaxT:
    """
    The most extreme of several t statistics.
    """
    @property
    def critical(self) -> float:
        ...
    @property
    def p_values(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
class Equivalence:
    """
    Does a value lie within margins?
    """
    @property
    def above_low(self) -> float:
        ...
    @property
    def below_high(self) -> float:
        ...
    @property
    def interval(self) -> tuple[float, float]:
        ...
    @property
    def p_value(self) -> float:
        ...
class Dual:
    """
    A number that knows its derivatives.
    """
    @typing.overload
    def __add__(self, arg0: Dual) -> Dual:
        ...
    @typing.overload
    def __add__(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> Dual:
        ...
    def __init__(self, value: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    @typing.overload
    def __mul__(self, arg0: Dual) -> Dual:
        ...
    @typing.overload
    def __mul__(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> Dual:
        ...
    def __neg__(self) -> Dual:
        ...
    @typing.overload
    def __pow__(self, arg0: Dual) -> Dual:
        ...
    @typing.overload
    def __pow__(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> Dual:
        ...
    def __radd__(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> Dual:
        ...
    def __rmul__(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> Dual:
        ...
    def __rpow__(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> Dual:
        ...
    def __rsub__(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> Dual:
        ...
    def __rtruediv__(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> Dual:
        ...
    @typing.overload
    def __sub__(self, arg0: Dual) -> Dual:
        ...
    @typing.overload
    def __sub__(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> Dual:
        ...
    @typing.overload
    def __truediv__(self, arg0: Dual) -> Dual:
        ...
    @typing.overload
    def __truediv__(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> Dual:
        ...
    def exp(self) -> Dual:
        ...
    def log(self) -> Dual:
        ...
    def sqrt(self) -> Dual:
        ...
    @property
    def gradient(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def value(self) -> float:
        ...
class Estimator:
    """
    An estimator as an influence function.
    """
class SampleKeys:
    """
    Known names of a sample, its units and its strata.
    """
    def __init__(self, sample: typing.SupportsInt | typing.SupportsIndex, units: numpy.typing.NDArray[numpy.uint64], strata: numpy.typing.NDArray[numpy.uint64], names: typing.SupportsInt | typing.SupportsIndex | None = None) -> None:
        ...
class Estimated:
    """
    Estimates with what must be said beside each.
    """
    @property
    def deff(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def deff_replace(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def estimates(self) -> Estimates:
        ...
    @property
    def left_out(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
    @property
    def missing(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
    @property
    def sampled_units(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
    @property
    def strata(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
    @property
    def units(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
    @property
    def used(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
class TestResult:
    """
    A statistic and what it is compared with.
    """
    @property
    def ddf(self) -> float:
        ...
    @property
    def ndf(self) -> float:
        ...
    @property
    def p_value(self) -> float:
        ...
    @property
    def statistic(self) -> float:
        ...
class TableTest:
    """
    A test of a table, and what it rests on.
    """
    @property
    def at_fitted(self) -> bool:
        ...
    @property
    def columns_dropped(self) -> int:
        ...
    @property
    def design_effects(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def result(self) -> TestResult:
        ...
    @property
    def rows_dropped(self) -> int:
        ...
    @property
    def uncorrected(self) -> float:
        ...
class PovertyLine:
    """
    A poverty line that the sample sets, or a fixed one.
    """
    def __init__(self, name: str, y: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]], design: Design, share: typing.SupportsFloat | typing.SupportsIndex, probability: typing.SupportsFloat | typing.SupportsIndex, fixed: typing.SupportsFloat | typing.SupportsIndex | None) -> None:
        ...
    def gap(self, groups: Codes | None, code: typing.SupportsInt | typing.SupportsIndex) -> Estimator:
        ...
    def rate(self, groups: Codes | None, code: typing.SupportsInt | typing.SupportsIndex) -> Estimator:
        ...
    def threshold(self) -> Estimator:
        ...
    @property
    def threshold_value(self) -> float:
        ...
class ShareAudit:
    """
    Can counts out of n give the printed share?
    """
    @property
    def above(self) -> int:
        ...
    @property
    def below(self) -> int:
        ...
    @property
    def excluded(self) -> float:
        ...
    @property
    def highest(self) -> int:
        ...
    @property
    def lowest(self) -> int:
        ...
    @property
    def nearest_base(self) -> int:
        ...
    @property
    def possible(self) -> bool:
        ...
class Quantiles:
    """
    Quantiles with what their intervals are made of.
    """
    def __init__(self, design: Design, domains: Codes | None, name: str, y: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]], probabilities: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], rule: str, interval: str, level: typing.SupportsFloat | typing.SupportsIndex, degrees_of_freedom: typing.SupportsFloat | typing.SupportsIndex | None) -> None:
        ...
    def interval(self, domain: typing.SupportsInt | typing.SupportsIndex, probability: typing.SupportsInt | typing.SupportsIndex, method: str, level: typing.SupportsFloat | typing.SupportsIndex, side: str, degrees_of_freedom: typing.SupportsFloat | typing.SupportsIndex) -> tuple[float, float]:
        ...
    @property
    def estimator(self) -> Estimator:
        ...
class Regression:
    """
    A fitted generalised linear model.
    """
    @property
    def aliased(self) -> list[bool]:
        ...
    @property
    def deviance(self) -> float:
        ...
    @property
    def dispersion(self) -> float:
        ...
    @property
    def iterations(self) -> int:
        ...
    @property
    def missing(self) -> int:
        ...
    @property
    def naive_covariance(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def null_deviance(self) -> float:
        ...
    @property
    def used(self) -> int:
        ...
class Ordinal:
    """
    A fitted cumulative link model.
    """
    @property
    def aliased(self) -> list[bool]:
        ...
    @property
    def deviance(self) -> float:
        ...
    @property
    def iterations(self) -> int:
        ...
    @property
    def missing(self) -> int:
        ...
    @property
    def null_deviance(self) -> float:
        ...
    @property
    def used(self) -> int:
        ...
def adjusted_p_values(p_values: numpy.typing.NDArray[numpy.float64], adjustment: str) -> numpy.typing.NDArray[numpy.float64]:
    ...
def allocate(measure: numpy.typing.NDArray[numpy.float64], size: typing.SupportsInt | typing.SupportsIndex, population: numpy.typing.NDArray[numpy.float64], least: typing.SupportsFloat | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
    ...
def allocate_for_precision(variance: numpy.typing.NDArray[numpy.float64], wanted: numpy.typing.NDArray[numpy.float64], cost: numpy.typing.NDArray[numpy.float64], population: numpy.typing.NDArray[numpy.float64], least: typing.SupportsFloat | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
    ...
def audit_share(digits: typing.SupportsInt | typing.SupportsIndex, decimals: typing.SupportsInt | typing.SupportsIndex, whole: typing.SupportsInt | typing.SupportsIndex, n: typing.SupportsInt | typing.SupportsIndex, rounding: str) -> ShareAudit:
    ...
def average_contrasts(weights: numpy.typing.NDArray[numpy.float64], window: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
    ...
def averages(fit: Regression, matrices: collections.abc.Sequence[ModelMatrix], slopes: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex | None], scale: str, design: Design, domains: Codes | None) -> Estimator:
    """
    Averages of predictions or marginal effects over the rows of a fit.
    """
def canty_davison_bootstrap(design: Design, options: BootstrapOptions) -> Replicates:
    ...
def change(before: Estimates, after: Estimates, kind: str) -> Estimates:
    """
    Changes of as many estimates, with the covariance of what both sides share.
    """
def column_means(fit: Regression) -> Estimator:
    """
    Means of the columns of a fit's matrix, over the rows of the fit.
    """
def confidence_in_bound(value: typing.SupportsFloat | typing.SupportsIndex, se: typing.SupportsFloat | typing.SupportsIndex, degrees_of_freedom: typing.SupportsFloat | typing.SupportsIndex, side: str, bound: typing.SupportsFloat | typing.SupportsIndex) -> float:
    """
    How sure it is that a value is at least, or at most, a bound.
    """
def confidence_in_share_bound(share: typing.SupportsFloat | typing.SupportsIndex, se: typing.SupportsFloat | typing.SupportsIndex, degrees_of_freedom: typing.SupportsFloat | typing.SupportsIndex, n: typing.SupportsInt | typing.SupportsIndex, census: bool, method: str, side: str, bound: typing.SupportsFloat | typing.SupportsIndex) -> float:
    """
    The same for a proportion.
    """
def correlations(before: Estimates, after: Estimates) -> numpy.typing.NDArray[numpy.float64]:
    ...
def count(levels: Codes, sets: numpy.typing.NDArray[numpy.float64]) -> Estimator:
    ...
def cronbach_alpha(names: collections.abc.Sequence[str], items: collections.abc.Sequence[numpy.ndarray[typing.Any, numpy.dtype[typing.Any]]], design: Design, domains: Codes | None) -> Estimator:
    ...
def cross(columns: collections.abc.Sequence[Codes], keep: numpy.typing.NDArray[numpy.bool], rows: typing.SupportsInt | typing.SupportsIndex) -> tuple[Codes, list[list[int]], int]:
    """
    Codes of the combinations that occur, the code of each column in them, and the number of rows kept that have none.
    """
def detectable_change(first_variance: typing.SupportsFloat | typing.SupportsIndex, second_variance: typing.SupportsFloat | typing.SupportsIndex, answers: typing.SupportsFloat | typing.SupportsIndex, options: ChangeOptions) -> float:
    ...
def distribution_function(name: str, y: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]], domains: Codes | None, points: numpy.typing.NDArray[numpy.float64]) -> Estimator:
    """
    Shares of values at or below some points, which ascend.
    """
def draw(method: str, probability: numpy.typing.NDArray[numpy.float64], seed: typing.SupportsInt | typing.SupportsIndex, stream: typing.SupportsInt | typing.SupportsIndex) -> list[int]:
    ...
def draw_balanced(probability: numpy.typing.NDArray[numpy.float64], balance: numpy.typing.NDArray[numpy.float64], seed: typing.SupportsInt | typing.SupportsIndex) -> list[int]:
    ...
def draw_simple(units: typing.SupportsInt | typing.SupportsIndex, draws: typing.SupportsInt | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex, stream: typing.SupportsInt | typing.SupportsIndex) -> list[int]:
    ...
def draw_tille(size: numpy.typing.NDArray[numpy.float64], draws: typing.SupportsInt | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex, stream: typing.SupportsInt | typing.SupportsIndex) -> list[int]:
    ...
def equivalence(value: typing.SupportsFloat | typing.SupportsIndex, se: typing.SupportsFloat | typing.SupportsIndex, degrees_of_freedom: typing.SupportsFloat | typing.SupportsIndex, low: typing.SupportsFloat | typing.SupportsIndex, high: typing.SupportsFloat | typing.SupportsIndex, alpha: typing.SupportsFloat | typing.SupportsIndex) -> Equivalence:
    ...
def estimate(design: Design, keys: SampleKeys, domains: Codes | None, estimators: collections.abc.Sequence[Estimator], threads: typing.SupportsInt | typing.SupportsIndex = 0, kept: typing.SupportsInt | typing.SupportsIndex = 1048576) -> Estimated:
    """
    Rows, sums of influence by unit, deviations: several estimators in one pass.
    """
def factorize(name: str, values: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]]) -> tuple[Codes, numpy.typing.NDArray[numpy.float64]]:
    """
    Codes of a column of numbers and its distinct values, ascending.
    """
def fit_ordinal(design: Design, domains: Codes | None, matrix: ModelMatrix, categories: Codes, link: str, offset_name: str, offset: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]] | None) -> Ordinal:
    ...
def fit_regression(design: Design, domains: Codes | None, matrix: ModelMatrix, name: str, response: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]], family: str, link: str, offset_name: str, offset: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]] | None) -> Regression:
    ...
def from_joint_probabilities(joint: numpy.typing.NDArray[numpy.float64], variance: str) -> VarianceForm:
    ...
def generalised_bootstrap(design: Design, options: BootstrapOptions, tau: typing.SupportsFloat | typing.SupportsIndex | None) -> Replicates:
    ...
def gini(name: str, y: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]], design: Design, domains: Codes | None) -> Estimator:
    ...
def goodness_of_fit_test(cells: Estimates, proportions: numpy.typing.NDArray[numpy.float64], n: typing.SupportsFloat | typing.SupportsIndex, df: typing.SupportsFloat | typing.SupportsIndex, statistic: str, correction: str) -> TableTest:
    ...
def half_samples(design: Design, rho: typing.SupportsFloat | typing.SupportsIndex, about_estimate: bool) -> Replicates:
    ...
def hartley_rao(probability: numpy.typing.NDArray[numpy.float64], strata: Codes | None, sum_of_squares: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None, variance: str) -> VarianceForm:
    ...
def inclusion_probabilities(size: numpy.typing.NDArray[numpy.float64], draws: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
    ...
def independence_test(cells: Estimates, rows: typing.SupportsInt | typing.SupportsIndex, columns: typing.SupportsInt | typing.SupportsIndex, n: typing.SupportsFloat | typing.SupportsIndex, df: typing.SupportsFloat | typing.SupportsIndex, statistic: str, correction: str) -> TableTest:
    ...
def jackknife(design: Design, about_estimate: bool) -> Replicates:
    ...
def join(first: Estimates, second: Estimates) -> Estimates:
    """
    Both side by side, covarying through the units they share.
    """
def joinpoint_contrasts(times: numpy.typing.NDArray[numpy.float64], weights: numpy.typing.NDArray[numpy.float64]) -> numpy.typing.NDArray[numpy.float64]:
    ...
def joint_sampford(probability: numpy.typing.NDArray[numpy.float64]) -> numpy.typing.NDArray[numpy.float64]:
    ...
def joint_systematic(probability: numpy.typing.NDArray[numpy.float64]) -> numpy.typing.NDArray[numpy.float64]:
    ...
def joint_tille(size: numpy.typing.NDArray[numpy.float64], draws: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
    ...
def kitagawa(parts: Estimates, reference: str) -> Estimates:
    """
    A change of a rate, parted into what rates of groups and what their mix did.
    """
def link(old: Estimates, by: Estimates, kind: str) -> Estimates:
    """
    Estimates of an old series as they would be in the new one.
    """
def margin_of_size(variance: typing.SupportsFloat | typing.SupportsIndex, answers: typing.SupportsFloat | typing.SupportsIndex, level: typing.SupportsFloat | typing.SupportsIndex, design_effect: typing.SupportsFloat | typing.SupportsIndex, population: typing.SupportsFloat | typing.SupportsIndex) -> float:
    ...
def max_t(estimates: Estimates, null: numpy.typing.NDArray[numpy.float64], degrees_of_freedom: typing.SupportsFloat | typing.SupportsIndex, side: str, level: typing.SupportsFloat | typing.SupportsIndex, draws: typing.SupportsInt | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex, threads: typing.SupportsInt | typing.SupportsIndex = 0) -> MaxT:
    ...
def mean(name: str, y: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]]) -> Estimator:
    ...
def minimum_detectable(se: typing.SupportsFloat | typing.SupportsIndex, degrees_of_freedom: typing.SupportsFloat | typing.SupportsIndex, level: typing.SupportsFloat | typing.SupportsIndex, power: typing.SupportsFloat | typing.SupportsIndex) -> float:
    ...
def mixed_bootstrap(design: Design, draws: collections.abc.Sequence[str], options: BootstrapOptions) -> Replicates:
    ...
def moment(which: str, names: collections.abc.Sequence[str], columns: collections.abc.Sequence[numpy.ndarray[typing.Any, numpy.dtype[typing.Any]]], design: Design, domains: Codes | None) -> Estimator:
    """
    A second central moment, by a first pass that finds the means.
    """
def multistage_bootstrap(design: Design, options: BootstrapOptions) -> Replicates:
    ...
def oaxaca(parts: Estimates, reference: str) -> Estimates:
    """
    A change of a mean, parted into what coefficients and what means of variables did.
    """
def ordinal_coefficients(fit: Ordinal) -> Estimator:
    ...
def overton(probability: numpy.typing.NDArray[numpy.float64], strata: Codes | None, variance: str) -> VarianceForm:
    ...
def predict_ordinal(fit: Ordinal, rows: ModelMatrix, offset_name: str, offset: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]] | None) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    Probabilities of the categories at given rows, and their Jacobian.
    """
def predict_regression(fit: Regression, rows: ModelMatrix, scale: str, offset_name: str, offset: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]] | None) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    Values at given rows, and their Jacobian.
    """
def print_share(k: typing.SupportsInt | typing.SupportsIndex, n: typing.SupportsInt | typing.SupportsIndex, decimals: typing.SupportsInt | typing.SupportsIndex, whole: typing.SupportsInt | typing.SupportsIndex, rounding: str) -> int:
    ...
def proportion(levels: Codes, sets: numpy.typing.NDArray[numpy.float64]) -> Estimator:
    ...
def proportion_intervals(values: numpy.typing.NDArray[numpy.float64], ses: numpy.typing.NDArray[numpy.float64], degrees_of_freedom: numpy.typing.NDArray[numpy.float64], n: numpy.typing.NDArray[numpy.int64], census: numpy.typing.NDArray[numpy.bool], method: str, level: typing.SupportsFloat | typing.SupportsIndex, side: str) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    ...
def random_groups(design: Design, groups: typing.SupportsInt | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex, about_estimate: bool) -> Replicates:
    ...
def rank_scores(design: Design, domains: Codes | None, name: str, y: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]], score: str) -> numpy.typing.NDArray[numpy.float64]:
    """
    The score of each row's estimated rank in the population.
    """
def ratio(y_name: str, y: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]], x_name: str, x: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]]) -> Estimator:
    ...
def recoded(codes: Codes, to: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], levels: typing.SupportsInt | typing.SupportsIndex) -> Codes:
    """
    The same rows under other codes.
    """
def reduce_bias(fit: Regression, design: Design, keys: SampleKeys, domains: Codes | None) -> tuple[Estimates, numpy.typing.NDArray[numpy.float64]]:
    """
    Bell and McCaffrey's deviations of coefficients, and degrees of freedom of each.
    """
def reduce_bias_of_means(name: str, y: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]], design: Design, keys: SampleKeys, domains: Codes | None) -> tuple[Estimates, numpy.typing.NDArray[numpy.float64]]:
    ...
def regression_coefficients(fit: Regression) -> Estimator:
    ...
def rescaled_bootstrap(design: Design, options: BootstrapOptions) -> Replicates:
    ...
def score_intervals(design: Design, domains: Codes | None, name: str, y: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]], probabilities: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], level: typing.SupportsFloat | typing.SupportsIndex, side: str, degrees_of_freedom: typing.SupportsFloat | typing.SupportsIndex) -> list[tuple[float, float]]:
    ...
def share_below(name: str, y: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]], domains: Codes | None, threshold: typing.SupportsFloat | typing.SupportsIndex) -> Estimator:
    ...
def share_ratio(name: str, y: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]], design: Design, domains: Codes | None, richest: typing.SupportsFloat | typing.SupportsIndex, poorest: typing.SupportsFloat | typing.SupportsIndex) -> Estimator:
    ...
def share_variance(share: typing.SupportsFloat | typing.SupportsIndex, n: typing.SupportsFloat | typing.SupportsIndex, deff: typing.SupportsFloat | typing.SupportsIndex) -> float:
    ...
def shared_units(first: Estimates, second: Estimates) -> tuple[int, int]:
    ...
def size_for_change(first_variance: typing.SupportsFloat | typing.SupportsIndex, second_variance: typing.SupportsFloat | typing.SupportsIndex, change: typing.SupportsFloat | typing.SupportsIndex, options: ChangeOptions) -> float:
    ...
def size_for_margin(variance: typing.SupportsFloat | typing.SupportsIndex, margin: typing.SupportsFloat | typing.SupportsIndex, level: typing.SupportsFloat | typing.SupportsIndex, design_effect: typing.SupportsFloat | typing.SupportsIndex, population: typing.SupportsFloat | typing.SupportsIndex) -> float:
    ...
def standardised(rates: Estimates, sizes: Estimates) -> Estimates:
    """
    Rates of groups put together with given sizes of them.
    """
def step_contrasts(periods: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
    ...
def successive_differences(design: Design, replicates: typing.SupportsInt | typing.SupportsIndex, about_estimate: bool) -> Replicates:
    ...
def t_quantile(p: typing.SupportsFloat | typing.SupportsIndex, degrees_of_freedom: typing.SupportsFloat | typing.SupportsIndex) -> float:
    ...
def t_upper_tail(t: typing.SupportsFloat | typing.SupportsIndex, degrees_of_freedom: typing.SupportsFloat | typing.SupportsIndex) -> float:
    ...
def total(name: str, y: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]]) -> Estimator:
    ...
def trend_contrasts(times: numpy.typing.NDArray[numpy.float64], weights: numpy.typing.NDArray[numpy.float64], degree: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
    ...
def two_phase(first: collections.abc.Sequence[PhaseStage], second: collections.abc.Sequence[PhaseStage], subsample: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> VarianceForm:
    ...
def two_sided_p_value(value: typing.SupportsFloat | typing.SupportsIndex, se: typing.SupportsFloat | typing.SupportsIndex, degrees_of_freedom: typing.SupportsFloat | typing.SupportsIndex, null: typing.SupportsFloat | typing.SupportsIndex = 0.0) -> float:
    ...
def variables(values: numpy.typing.NDArray[numpy.float64]) -> list[Dual]:
    """
    The independent variables at `values`.
    """
def wald_independence_test(cells: Estimates, rows: typing.SupportsInt | typing.SupportsIndex, columns: typing.SupportsInt | typing.SupportsIndex, n: typing.SupportsFloat | typing.SupportsIndex, df: typing.SupportsFloat | typing.SupportsIndex, variant: str) -> TableTest:
    ...
def wald_intervals(values: numpy.typing.NDArray[numpy.float64], ses: numpy.typing.NDArray[numpy.float64], degrees_of_freedom: numpy.typing.NDArray[numpy.float64], level: typing.SupportsFloat | typing.SupportsIndex, side: str) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    ...
def wald_test(estimates: Estimates, degrees_of_freedom: typing.SupportsFloat | typing.SupportsIndex, variant: str, null: numpy.typing.NDArray[numpy.float64]) -> TestResult:
    ...
def weighting_effect(design: Design, domains: Codes | None) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int64]]:
    """
    Kish's effect of unequal weights, and n.
    """
KEPT_DEVIATIONS: int = 1048576
__version__: str = '0.1.0'
