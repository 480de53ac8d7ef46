"""A sample and its design: what estimates are made from."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from narwhals.typing import IntoDataFrame

from steelyard.bias_reduction import Errors, check_errors, reduced_means
from steelyard.columns import as_names
from steelyard.condition import Where
from steelyard.crosstab import Crosstab
from steelyard.design import DfRule, Lonely, PerStage, Policy, Strata, Subsample
from steelyard.estimates import Estimates
from steelyard.hypothesis import HypothesisTest
from steelyard.levels import Level
from steelyard.mean_test import one_sample, paired, two_groups
from steelyard.ordinal import OrdinalRegression, fit_ologit
from steelyard.poverty import poverty
from steelyard.pps import Pps, PpsMethod
from steelyard.rank_test import RankScore, rank_test
from steelyard.regression import Family, GlmOptions, Link, Regression, fit_glm
from steelyard.replicate import (
    ReplicateMethod,
    ReplicateOptions,
    ReplicateWeights,
    StageDraw,
    weights_frame,
)
from steelyard.sample import Sample, replicated, sampled
from steelyard.standardization import Shares, standardized
from steelyard.statistic import (
    Levels,
    Missing,
    QuantileErrors,
    QuantileRule,
    Statistic,
    as_numbers,
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
from steelyard.weighting import Weighting
from steelyard.weighting_effect import WeightingEffect


class Survey:
    """A sample with its design: weights, strata, clusters and finite population correction.

    Parameters
    ----------
    frame : pandas, Polars or PyArrow frame, or any eager frame that narwhals reads
        One row a response. It is not copied and not changed.
    weights : str or Weighting, optional
        Column of sampling weights: population elements that the row stands for, >= 0; or a
        :class:`Weighting` of the frame, whose steps errors then account for. Without it, the
        inverse of the sampling fraction where `fpc` is given, else 1.
    strata : str, or sequence of str, optional
        Column or columns whose combinations are the strata. With several stages, one entry a
        stage: a column, a list of columns to cross, or None.
    clusters : str, or sequence of str, optional
        Column of the sampling unit, for example the sampled activity; for several stages one
        column each, from the first stage down, as in ``["district", "school"]``. Without it, every
        row is a unit; None as the last entry means rows as the last units. Results of two surveys
        covary through clusters of the same name.
    fpc : str, or sequence of str, optional
        For each stage, the column of the number of units in the row's stratum of the population
        (at a further stage: in the row's cluster), or of the sampling fraction (all values <= 1).
        Without it, sampling counts as with replacement, and further stages add nothing.
    nest : bool
        Cluster names repeat across strata, and are different clusters in each.
    lonely : {"fail", "remove", "certainty", "adjust", "average"}
        What to do with a stratum of one sampled unit: refuse; let it add no variance ("remove",
        "certainty"); centre it at the mean of all units; give it the mean variance of the others.
    lonely_domain : the same, optional
        What to do with a stratum of which one unit has rows in a domain. Without it, the domain
        has the variance that follows from the whole design.
    pps : {"brewer", "overton", "hartley-rao"} or Pps, optional
        Units were drawn with unequal probabilities and without replacement: `fpc` is then each
        unit's own probability of being sampled. How their joint probabilities are known is said
        by :class:`Pps`; a name stands for ``Pps(name)``.
    df : {"design", "domain", "satterthwaite", "normal"} or float
        Degrees of freedom of intervals and tests; see :meth:`Estimates.degrees_of_freedom`.
    subsample : Subsample, optional
        A second phase: the rows of the frame are the first sample, and answers were observed in a
        subsample of it. Weights are then the first phase's.
    replicates : ReplicateWeights, optional
        Replicate weights that came with the data. They tell how estimates vary, in place of strata,
        clusters and fpc. To make replicates of a design, see :meth:`replicated`.

    Raises
    ------
    ColumnNotFound
        A column does not exist; the nearest name is offered.
    EmptyFrame
        There are no rows.
    InvalidWeights
        A weight is missing, negative, infinite or text, or all are zero.
    MissingValues
        A stratum, cluster or fpc is missing.
    ClusterInTwoStrata
        A cluster has rows in two strata and `nest` is not set.
    LonelyStratum
        A stratum has a single unit and `lonely` is "fail".
    InvalidFpc
        The correction varies within a stratum, or is smaller than the sample.
    DesignMismatch
        `strata`, `clusters` and `fpc` do not name the same stages.
    NoDegreesOfFreedom
        There are as many strata as units.

    Notes
    -----
    Variances are those of stratified sampling of units within units (Särndal, Swensson and Wretman
    1992, sections 3.7 and 4.3; Lumley 2010, appendix A; for ``pps=`` Brewer 2002, chapter 9).
    Degrees of freedom are units of the first stage minus its strata. A Survey is immutable; make
    domains with ``where=`` and ``by=``, which keep every unit, and not by dropping rows.

    Examples
    --------
    >>> import steelyard as sy
    >>> schools = sy.datasets.load("apistrat")
    >>> svy = sy.Survey(schools, weights="pw", strata="stype", fpc="fpc")
    >>> svy
    Survey: 200 rows, 200 units (rows), 3 strata, 197 degrees of freedom
    >>> round(svy.mean("api00").value, 2)
    662.29
    """

    def __init__(
        self,
        frame: IntoDataFrame,
        weights: str | Weighting | None = None,
        strata: Strata | None = None,
        clusters: PerStage | None = None,
        fpc: PerStage | None = None,
        nest: bool = False,
        lonely: Lonely = "fail",
        lonely_domain: Lonely | None = None,
        pps: PpsMethod | Pps | None = None,
        df: DfRule | float = "design",
        subsample: Subsample | None = None,
        replicates: ReplicateWeights | None = None,
    ) -> None:
        drawn = Pps(pps) if isinstance(pps, str) else pps
        policy = Policy(nest, lonely, lonely_domain, drawn, df, subsample, replicates)
        self._sample = sampled(frame, weights, strata, clusters, fpc, policy)

    @classmethod
    def _of(cls, sample: Sample) -> "Survey":
        survey = cls.__new__(cls)
        survey._sample = sample
        return survey

    def __repr__(self) -> str:
        return f"Survey: {self.design_text}"

    @property
    def sample(self) -> Sample:
        """The rows with their design, as estimation reads them."""
        return self._sample

    @property
    def is_weighted(self) -> bool:
        """Do rows stand for different numbers of people?"""
        return self._sample.is_weighted

    @property
    def design_text(self) -> str:
        """The design in a line: rows, units, strata and degrees of freedom."""
        return self._sample.design_text

    @property
    def degrees_of_freedom(self) -> float:
        """Units of the first stage minus its strata."""
        return self._sample.design.degrees_of_freedom

    def replicated(
        self,
        method: ReplicateMethod = "jackknife",
        *,
        replicates: int | None = None,
        seed: int = 1,
        rho: float | None = None,
        draws: Sequence[StageDraw] = (),
        tau: float | None = None,
        mse: bool = False,
    ) -> "Survey":
        """Make replicates of the design, from which errors then come instead of linearisation.

        Parameters
        ----------
        method : str
            "jackknife": one unit of the first stage left out at a time, JK1 without and JKn with
            strata. "brr" and "fay": half-samples balanced by a Hadamard matrix, of pairs of units
            in their order; where a stratum has an odd number the last three make a pair of one and
            two, and below rho 0.3 the one then has negative weights in half of the replicates.
            "rao-wu", "canty-davison": bootstraps of the first stage; "preston":
            of all stages; "rao-wu-yue-beaumont": of all stages, each drawn in its own way;
            "generalised": for any design, pairs of units and two phases included.
            "successive-difference": for units drawn systematically, in the order of the rows.
            "random-groups": a random group of units left out at a time.
        replicates : int, optional
            How many, where the method does not settle it: 500 for bootstraps, at least 80
            successive differences, 30 random groups, if not given.
        seed : int
            Of random methods. Equal seeds make equal replicates, on every machine.
        rho : float, optional
            Of "fay": how far from 0 and 2 its factors stay, from 0 to below 1.
        draws : sequence of {"fixed-size", "poisson"}
            Of "rao-wu-yue-beaumont": how each stage was drawn, "poisson" where each unit came in on
            its own, as respondents do. Without it, all by fixed size.
        tau : float, optional
            Of "generalised": what deviations of factors are divided by, at least 1. Without it, the
            smallest number that keeps all factors above 0.
        mse : bool
            Squares are of distances from the estimate; if not, from the mean over replicates.

        Returns
        -------
        Survey
            The same rows and weights. Kept are a factor for each unit and replicate; weights of
            rows are only made by :meth:`weights_frame`. Where the survey has a
            :class:`Weighting`, it is replayed on each, and the weights of rows are kept: 8 bytes
            for each row and replicate.

        Raises
        ------
        DesignMismatch
            The method cannot replicate the design: "brr" a stratum of one unit, for example.
        ValueError
            The method is unknown, or does not take one of the parameters.

        Notes
        -----
        Degrees of freedom are those of the design, and the number of replicates less one at most.
        Only "rao-wu", "canty-davison", "jackknife" and "successive-difference" correct for a finite
        population in the first stage, and "preston", "rao-wu-yue-beaumont" and "generalised" in all
        stages. Wolter (2007), chapters 3 to 5; Judkins (1990), Journal of Official Statistics 6(3);
        Rao, Wu and Yue (1992), Survey Methodology 18(2); Canty and Davison (1999), The Statistician
        48(3); Preston (2009), Survey Methodology 35(2); Beaumont and Émond (2022), Stats 5(2);
        Beaumont and Patak (2012), International Statistical Review 80(1); Fay and Train (1995);
        Kott (2001), Journal of Official Statistics 17(4).

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apiclus1"), weights="pw", clusters="dnum")
        >>> svy.mean("api00").se.round(3).tolist()
        [23.779]
        >>> jackknife = svy.replicated("jackknife")
        >>> jackknife.mean("api00").se.round(3).tolist()
        [26.594]
        >>> jackknife.quantile("api00", interval="replicate").se.round(1).tolist()
        [43.8]
        """
        options = ReplicateOptions(replicates, seed, rho, tuple(draws), tau, mse)
        return Survey._of(replicated(self._sample, method, options))

    def identified_by(self, column: str) -> "Survey":
        """Name the sampling units by a column, so that other waves find what they share.

        Clusters are known by the values of their column. Where these change from one wave to the
        next, or rows are the units, another column can name them: the course that an activity is
        a run of, or the participant who answered.

        Parameters
        ----------
        column : str
            One value in each unit, and another in every other unit: of the first stage, or else of
            the last.

        Returns
        -------
        Survey
            The same estimates and errors; only what is shared with other surveys differs.

        Raises
        ------
        DesignMismatch
            The column does not name the units of a stage: it varies within them, or several have
            the same value. To make its values units, name it in clusters=.

        Examples
        --------
        >>> import steelyard as sy
        >>> schools = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype")
        >>> named = schools.identified_by("cds")
        >>> (named.mean("api00") - schools.mean("api99")).se < named.mean("api00").se
        array([False])
        >>> sy.compare({99: named.mean("api99"), 0: named.mean("api99")}).overlap
        {0: 200}
        """
        return Survey._of(self._sample.identified_by(column))

    def weights_frame(self) -> IntoDataFrame:
        """Write out the weight of each row, and its weight under every replicate.

        Returns
        -------
        frame of the survey's kind
            One row a row: `weight`, then `replicate_1` and so on where the survey has replicates.

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apiclus1"), weights="pw", clusters="dnum")
        >>> frame = svy.replicated("jackknife").weights_frame()
        >>> frame.shape, list(frame.columns)[:3]
        ((183, 16), ['weight', 'replicate_1', 'replicate_2'])
        """
        return weights_frame(self._sample.design, self._sample.columns)

    def levels(self, variable: str) -> tuple[Level, ...]:
        """Return the answers of a categorical column: those declared, or those that occur."""
        return self._sample.columns.factor(variable).levels

    def mean(
        self,
        variable: str | Sequence[str],
        *,
        by: str | Sequence[str] | None = None,
        where: Where | None = None,
        missing: Missing = "exclude",
        errors: Errors = "linearized",
        level: float = 0.95,
    ) -> Estimates:
        """Estimate weighted means: sum of w y over sum of w.

        Parameters
        ----------
        variable : str or sequence of str
            Columns of numbers. Several share one pass, and their covariances are known.
        by : str or sequence of str, optional
            One estimate for each combination of these columns that occurs.
        where : condition, optional
            Rows that the estimates are for; the others still count for the variance. A boolean
            column's name, booleans, an expression of narwhals or Polars, a boolean Series, a
            function of the frame, or a mapping from column to level or levels.
        missing : {"exclude", "fail"}
            Leave out rows without an answer, which the result counts, or refuse.
        errors : {"linearized", "bell-mccaffrey"}
            "bell-mccaffrey": bias-reduced, with degrees of freedom of each estimate; for designs of
            one stage with few clusters.
        level : float
            Confidence level of the intervals shown.

        Returns
        -------
        Estimates

        Raises
        ------
        NotNumeric
            The column holds text; numbers kept as text are not parsed.
        EmptyDomain
            No row satisfies `where`, or no row has an answer.
        InfiniteValues
            The column holds infinite values.

        Notes
        -----
        The Hájek mean, with Taylor linearisation (Särndal, Swensson and Wretman 1992, section 5.7);
        Bell and McCaffrey (2002), Survey Methodology 28(2).

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> svy.mean("api00", by="stype").se.round(2).tolist()
        [12.38, 14.94, 16.21]
        """
        statistics = _each(mean, variable, missing)
        if check_errors(errors) == "bell-mccaffrey":
            groups = None if by is None else as_names(by)
            return reduced_means(self._sample, statistics, groups, where, level)
        return self._sample.estimate(statistics, by, where, level)

    def total(
        self,
        variable: str | Sequence[str],
        *,
        by: str | Sequence[str] | None = None,
        where: Where | None = None,
        missing: Missing = "exclude",
        level: float = 0.95,
    ) -> Estimates:
        """Estimate weighted totals: sum of w y. Parameters as for :meth:`mean`.

        Rows without an answer add nothing; multiply a mean by a count to make up for them.
        """
        return self._sample.estimate(_each(total, variable, missing), by, where, level)

    def count(
        self,
        variable: str | None = None,
        *,
        positive: Levels = None,
        levels: Iterable[Level] = (),
        by: str | Sequence[str] | None = None,
        where: Where | None = None,
        missing: Missing = "exclude",
        level: float = 0.95,
    ) -> Estimates:
        """Estimate how many population elements there are: in all, by level, or in some levels.

        Parameters as for :meth:`proportion`; without `variable` all rows are counted.
        """
        statistic = count(variable, positive=positive, levels=levels, missing=missing)
        return self._sample.estimate([statistic], by, where, level)

    def proportion(
        self,
        variable: str,
        *,
        positive: Levels = None,
        levels: Iterable[Level] = (),
        by: str | Sequence[str] | None = None,
        where: Where | None = None,
        missing: Missing = "exclude",
        level: float = 0.95,
    ) -> Estimates:
        """Estimate the proportion of each level, or of a set such as "agree or strongly agree".

        Parameters
        ----------
        variable : str
            Categorical column: text, categorical, boolean, or numbers with few values.
        positive : level or sequence of levels, optional
            Answers to take together: the result is one proportion instead of one a level.
        levels : iterable of levels
            Answers that the question offers, in order. Those that nobody gave count as 0, and a
            value that is none of them is an error. Without it, the answers are those that occur
            in the column, or its declared categories.
        by, where, level
            As for :meth:`mean`.
        missing : {"exclude", "level", "fail"}
            Leave rows without an answer out of the base, make them a level, or refuse.

        Returns
        -------
        Estimates
            With logit intervals; see :meth:`Estimates.ci` for others. A proportion of 0 or 1 has
            its exact one-sided interval.

        Raises
        ------
        UnknownLevel
            A positive answer does not occur in the column; the nearest is offered.

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> met = svy.proportion("sch.wide", positive="Yes")
        >>> round(met.value, 4), met.ci().round(4).tolist()
        (0.8279, [[0.7745, 0.8708]])
        """
        statistic = proportion(variable, positive=positive, levels=levels, missing=missing)
        return self._sample.estimate([statistic], by, where, level)

    def ratio(
        self,
        numerator: str,
        denominator: str,
        *,
        by: str | Sequence[str] | None = None,
        where: Where | None = None,
        missing: Missing = "exclude",
        level: float = 0.95,
    ) -> Estimates:
        """Estimate the ratio of two totals: sum of w y over sum of w x.

        A row enters when both columns have an answer. Parameters otherwise as for :meth:`mean`.
        """
        return self._sample.estimate(
            [ratio(numerator, denominator, missing=missing)], by, where, level
        )

    def variance(
        self,
        variable: str | Sequence[str],
        *,
        by: str | Sequence[str] | None = None,
        where: Where | None = None,
        missing: Missing = "exclude",
        level: float = 0.95,
    ) -> Estimates:
        """Estimate population variances: n / (n - 1) times the weighted mean of (y - mean)^2.

        Parameters, errors and result as for :meth:`mean`.

        Notes
        -----
        As R's ``svyvar``; the mean's own error has no part in the variance's to first order.

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> spread = svy.variance("api00")
        >>> round(spread.value, 1), spread.se.round(1).tolist()
        (15190.6, [1255.7])
        """
        return self._sample.estimate(_each(variance, variable, missing), by, where, level)

    def sd(
        self,
        variable: str | Sequence[str],
        *,
        by: str | Sequence[str] | None = None,
        where: Where | None = None,
        missing: Missing = "exclude",
        level: float = 0.95,
    ) -> Estimates:
        """Estimate population standard deviations. Parameters as for :meth:`mean`."""
        return self._sample.estimate(_each(sd, variable, missing), by, where, level)

    def covariance(
        self,
        first: str,
        second: str,
        *,
        by: str | Sequence[str] | None = None,
        where: Where | None = None,
        missing: Missing = "exclude",
        level: float = 0.95,
    ) -> Estimates:
        """Estimate the population covariance of two columns, over the rows that have both.

        Parameters otherwise as for :meth:`mean`.
        """
        return self._sample.estimate([covariance(first, second, missing=missing)], by, where, level)

    def correlation(
        self,
        first: str,
        second: str,
        *,
        by: str | Sequence[str] | None = None,
        where: Where | None = None,
        missing: Missing = "exclude",
        level: float = 0.95,
    ) -> Estimates:
        """Estimate the population correlation of two columns, over the rows that have both.

        Parameters otherwise as for :meth:`mean`.

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> round(svy.correlation("api99", "api00").value, 4)
        0.9759
        """
        return self._sample.estimate(
            [correlation(first, second, missing=missing)], by, where, level
        )

    def cdf(
        self,
        variable: str,
        at: float | Iterable[float],
        *,
        by: str | Sequence[str] | None = None,
        where: Where | None = None,
        missing: Missing = "exclude",
        level: float = 0.95,
    ) -> Estimates:
        """Estimate the distribution function: the share of values at or below each point of `at`.

        Parameters
        ----------
        variable : str
            Column of numbers.
        at : float or iterable of float
            Points in the unit of the column; in ascending order they become the `level` of the
            result.
        by, where, missing, level
            As for :meth:`mean`.

        Returns
        -------
        Estimates
            Shares between 0 and 1, with logit intervals.

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> svy.cdf("api00", [600, 700]).estimate.round(3).tolist()
        [0.329, 0.596]
        """
        return self._sample.estimate([cdf(variable, at, missing=missing)], by, where, level)

    def quantile(
        self,
        variable: str | Sequence[str],
        probabilities: float | Iterable[float] = 0.5,
        *,
        rule: QuantileRule = "math",
        interval: QuantileErrors = "t",
        by: str | Sequence[str] | None = None,
        where: Where | None = None,
        missing: Missing = "exclude",
        level: float = 0.95,
    ) -> Estimates:
        """Estimate quantiles, such as the median.

        Parameters
        ----------
        variable : str or sequence of str
            Columns of numbers.
        probabilities : float or iterable of float
            Within [0, 1]; in ascending order they become the `level` of the result. A tie with the
            cumulative weights is decided in exact arithmetic on the doubles given.
        rule : str
            How the quantile is read off the cumulative weights: "math" (the inverse of the
            distribution function), "school" (the mean of two values at a tie), "shahvaish", "hf1"
            to "hf9" (Hyndman and Fan's), "sas1" to "sas5", "surveymeans" (SAS), "stata".
        interval : str
            Interval of the distribution function at the quantile that the standard error is read
            from: "t", or any for proportions, such as "logit" and "beta"; or "score", the quantiles
            that a test does not reject (Francisco and Fuller), see :meth:`Estimates.ci`; or
            "replicate", the quantiles under the weights of each replicate.
        by, where, missing, level
            As for :meth:`mean`.

        Returns
        -------
        Estimates
            With the intervals of Woodruff: infinite where the sample does not bound the quantile
            on that side, and then without a standard error.

        Notes
        -----
        Woodruff (1952), JASA 47; Francisco and Fuller (1991), Annals of Statistics 19(1); Hyndman
        and Fan (1996), The American Statistician 50(4). Standard errors are the length of the 95 %
        interval over twice the t quantile, as R's ``svyquantile``.

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> median = svy.quantile("api00")
        >>> median.value, median.ci().tolist()
        (668.0, [[642.0, 694.0]])
        """
        points = as_numbers("probabilities", probabilities)
        wanted = [
            quantile(name, points, rule=rule, interval=interval, missing=missing)
            for name in as_names(variable)
        ]
        return self._sample.estimate(wanted, by, where, level)

    def iqr(
        self,
        variable: str,
        *,
        rule: QuantileRule = "math",
        interval: QuantileErrors = "t",
        by: str | Sequence[str] | None = None,
        where: Where | None = None,
        missing: Missing = "exclude",
        level: float = 0.95,
    ) -> Estimates:
        """Estimate the interquartile range: the upper quartile less the lower.

        Parameters as for :meth:`quantile`; the error follows from those of the quartiles and their
        covariance.

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> svy.iqr("api00").value
        191.0
        """
        wanted = quantile(variable, (0.25, 0.75), rule=rule, interval=interval, missing=missing)
        quartiles = self._sample.estimate([wanted], by, where, level)
        lower, upper = range(0, len(quartiles), 2), range(1, len(quartiles), 2)
        return quartiles.rows(upper) - quartiles.rows(lower)

    def gini(
        self,
        variable: str | Sequence[str],
        *,
        by: str | Sequence[str] | None = None,
        where: Where | None = None,
        missing: Missing = "exclude",
        level: float = 0.95,
    ) -> Estimates:
        """Estimate Gini coefficients of values that are not negative.

        Parameters as for :meth:`mean`; negative values are refused.

        Notes
        -----
        Half the mean difference between two members of the population over the mean; linearised
        (Langel and Tillé 2013, JRSS A 176(2)).

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> round(svy.gini("enroll").value, 3)
        0.349
        """
        return self._sample.estimate(_each(gini, variable, missing), by, where, level)

    def share_ratio(
        self,
        variable: str,
        *,
        richest: float = 0.2,
        poorest: float = 0.2,
        by: str | Sequence[str] | None = None,
        where: Where | None = None,
        missing: Missing = "exclude",
        level: float = 0.95,
    ) -> Estimates:
        """Estimate what the richest have in all over what the poorest have, such as S80/S20.

        Parameters
        ----------
        variable : str
            Column of numbers, such as income.
        richest, poorest : float
            Parts of the population, between 0 and 1; 0.1 and 0.4 give the Palma ratio.
        by, where, missing, level
            As for :meth:`mean`.

        Returns
        -------
        Estimates

        Notes
        -----
        Langel and Tillé (2011), Journal of Statistical Planning and Inference 141(8).
        """
        wanted = share_ratio(variable, richest=richest, poorest=poorest, missing=missing)
        return self._sample.estimate([wanted], by, where, level)

    def poverty(
        self,
        variable: str,
        *,
        share: float = 0.6,
        probability: float = 0.5,
        line: float | None = None,
        by: str | Sequence[str] | None = None,
        where: Where | None = None,
        level: float = 0.95,
    ) -> Estimates:
        """Estimate who is at risk of poverty: below a share of the median of the whole sample.

        Parameters
        ----------
        variable : str
            Column of income.
        share, probability : float
            The line is this share of this quantile.
        line : float, optional
            A line in the unit of the column, in place of one that the sample sets.
        by, where, level
            As for :meth:`mean`; they say whose rates are wanted, not who sets the line.

        Returns
        -------
        Estimates
            Labelled "line" (once), and for each group "rate", the part of it below the line, and
            "gap", how far the median of those lies below the line, as a share of it.

        Notes
        -----
        Osier (2009), Survey Research Methods 3(3): the line's own error is in those of rate and
        gap, through a kernel estimate of the density. Its width goes by the sum of the weights, so
        that errors, and they alone, need weights that add up to the population.

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> svy.poverty("enroll", by="stype")["rate"].estimate.round(3).tolist()
        [0.17, 0.06, 0.02]
        """
        return poverty(self._sample, variable, share, probability, line, by, where, level)

    def likert(
        self,
        variable: str | Sequence[str],
        *,
        positive: Levels = None,
        negative: Levels = None,
        levels: Iterable[Level] = (),
        scores: Iterable[float] = (),
        by: str | Sequence[str] | None = None,
        where: Where | None = None,
        missing: Missing = "exclude",
        level: float = 0.95,
    ) -> Estimates:
        """Estimate everything that is reported of rating questions, with all covariances.

        For each question: the share of each answer, of the positive and of the negative answers,
        the net score (positive less negative) and the mean score.

        Parameters
        ----------
        variable : str or sequence of str
            Categorical columns with answers in order, from the most negative to the most positive.
        positive, negative : level or sequence of levels, optional
            Answers that count as positive and as negative. Without them, the upper and the lower
            two, or of three and fewer answers the upper and the lower one.
        levels : iterable of levels
            Answers that could be given, in order; needed where the column does not say.
        scores : iterable of float
            What each answer scores; without it 1, 2, 3 and so on, or the numbers themselves.
        by, where, missing, level
            As for :meth:`mean`.

        Returns
        -------
        Estimates
            With the labels "positive", "negative", "net score" and "mean score" in `level`.

        Raises
        ------
        UnorderedLevels
            The answers are words, and neither the column nor `levels` says in which order.

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.simulate_evaluation(2023), clusters="activity")
        >>> answers = ["Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree"]
        >>> relevance = svy.likert("relevance", levels=answers)
        >>> round(relevance["net score"].value, 3)
        0.958
        """
        first, *others = as_names(variable)
        item = likert(
            first,
            positive=positive,
            negative=negative,
            levels=levels,
            scores=scores,
            missing=missing,
        )
        wanted = [item, *(replace(item, columns=(name,)) for name in others)]
        return self._sample.estimate(wanted, by, where, level)

    def scale(
        self,
        items: Sequence[str],
        *,
        levels: Iterable[Level] = (),
        scores: Iterable[float] = (),
        reverse: Iterable[str] = (),
        by: str | Sequence[str] | None = None,
        where: Where | None = None,
        missing: Missing = "exclude",
        level: float = 0.95,
    ) -> Estimates:
        """Estimate the mean score of several rating questions together, and Cronbach's alpha.

        Parameters
        ----------
        items : sequence of str
            Two columns or more, of numbers or of answers in order.
        levels, scores
            As for :meth:`likert`, the same for all items.
        reverse : iterable of str
            Items asked the other way round: their scores are reversed.
        by, where, level
            As for :meth:`mean`.
        missing : {"exclude", "fail"}
            A row enters when all items are answered; or refuse rows that lack one.

        Returns
        -------
        Estimates
            Two a domain, labelled "mean score" (the mean over items) and "alpha".

        Notes
        -----
        Cronbach (1951), Psychometrika 16(3): k / (k - 1) (1 - sum of variances / variance of sum).

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> round(svy.scale(["ell", "mobility", "meals"])["alpha"].value, 4)
        0.6457
        """
        wanted = scale(items, levels=levels, scores=scores, reverse=reverse, missing=missing)
        return self._sample.estimate([wanted], by, where, level)

    def standardize(
        self,
        statistics: Statistic | Sequence[Statistic],
        *,
        adjust: str | Sequence[str],
        shares: Shares,
        by: str | Sequence[str] | None = None,
        where: Where | None = None,
        level: float = 0.95,
    ) -> Estimates:
        """Estimate means or proportions of groups as if all had one composition.

        Parameters
        ----------
        statistics : Statistic or sequence of Statistic
            What to estimate, for example ``sy.mean("score")`` or ``sy.proportion("relevance",
            positive="Agree")``.
        adjust : str or sequence of str
            Columns whose composition is held fixed, such as age, sex or modality.
        shares : mapping of level to float
            The standard population by those columns: numbers of people, or shares. With several
            columns the keys are tuples.
        by : str or sequence of str, optional
            Groups to compare.
        where, level
            As for :meth:`mean`.

        Returns
        -------
        Estimates

        Raises
        ------
        UnknownLevel
            A level of `adjust` has no share.
        EmptyDomain
            A group has no answer in a level of `adjust` that has a share.

        Notes
        -----
        Direct standardisation: the sum over levels of share times the group's estimate there, the
        shares taken as known (Kitagawa 1964; Korn and Graubard 1999, section 3.4), with all
        covariances; as R's ``svystandardize``.

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> population = {"E": 4421, "H": 755, "M": 1018}
        >>> adjusted = svy.standardize(
        ...     sy.mean("api00"), adjust="stype", shares=population, by="comp.imp"
        ... )
        >>> adjusted.estimate.round(2).tolist(), adjusted.se.round(2).tolist()
        ([648.15, 675.91], [19.77, 11.07])
        """
        wanted = [statistics] if isinstance(statistics, Statistic) else list(statistics)
        names = as_names(adjust)
        return standardized(self._sample, wanted, names, shares, by, where, level)

    def glm(
        self,
        formula: str,
        *,
        family: Family = "gaussian",
        link: Link | None = None,
        positive: Levels = None,
        offset: str | None = None,
        reference: Mapping[str, Level] | None = None,
        where: Where | None = None,
        errors: Errors = "linearized",
        level: float = 0.95,
    ) -> Regression:
        """Fit a generalised linear model by the survey's weights.

        Parameters
        ----------
        formula : str
            Response and terms, as in ``"score ~ age + region * online"``; names that are not
            Python's stand in backticks. Text and categorical columns, and ``C(column)``, take
            treatment contrasts; expressions such as ``np.log(income)`` are computed.
        family : {"gaussian", "binomial", "poisson", "gamma", "quasibinomial", "quasipoisson"}
            The quasi families have the same estimates and errors.
        link : str, optional
            Gaussian: "identity"; binomial: "logit", "probit" or "cloglog"; Poisson: "log"; gamma:
            "inverse" or "log".
        positive : level or sequence of levels, optional
            Answers of a categorical response that count as 1; the others count as 0.
        offset : str, optional
            Column of numbers added to the linear predictor.
        reference : mapping of column to level, optional
            The level that others are compared with, if not the first.
        where : condition, optional
            Rows that the model is of, as for :meth:`mean`; the others count for the variance.
        errors : {"linearized", "bell-mccaffrey"}
            "bell-mccaffrey": bias-reduced, with degrees of freedom of each coefficient; for the
            Gaussian family and designs of one stage with few clusters.
        level : float
            Confidence level of the intervals shown.

        Returns
        -------
        Regression

        Raises
        ------
        FormulaError
            The formula cannot be read, or names what is not there.
        FitFailed
            The response is separated, outside the family's range, or there is nothing to fit.

        Notes
        -----
        Pseudo-maximum likelihood with linearised errors (Binder 1983, International Statistical
        Review 51(3)), as R's ``svyglm``; Bell and McCaffrey (2002), Survey Methodology 28(2).

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> fit = svy.glm("api00 ~ ell + meals + stype")
        >>> fit.coefficients["meals"].estimate.round(4).tolist()
        [-3.4269]
        >>> round(fit.test("stype").statistic, 3)
        79.993
        """
        return fit_glm(
            self._sample,
            formula,
            GlmOptions(family, link, positive, offset, reference, check_errors(errors)),
            where,
            level,
        )

    def ologit(
        self,
        formula: str,
        *,
        levels: Sequence[Level] = (),
        link: Literal["logit", "probit", "cloglog"] = "logit",
        reference: Mapping[str, Level] | None = None,
        where: Where | None = None,
        level: float = 0.95,
    ) -> OrdinalRegression:
        """Fit a model of ordered answers, such as those of a rating question.

        Parameters
        ----------
        formula : str
            As for :meth:`glm`; the response is a column of ordered answers.
        levels : sequence of levels
            The answers in order, where the column does not say.
        link : {"logit", "probit", "cloglog"}
            "logit" is the proportional-odds model.
        reference, where, level
            As for :meth:`glm`.

        Returns
        -------
        OrdinalRegression

        Raises
        ------
        UnorderedLevels
            The answers are words without an order.
        FormulaError, FitFailed
            As for :meth:`glm`, and where nobody gave one of the answers.

        Notes
        -----
        McCullagh (1980), JRSS B 42(2), with errors as for :meth:`glm`; as R's ``svyolr``.

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apiclus1"), weights="pw", clusters="dnum", fpc="fpc")
        >>> fit = svy.ologit("stype ~ meals", levels=["E", "M", "H"])
        >>> fit.n
        183
        """
        return fit_ologit(self._sample, formula, levels, link, reference, where, level)

    def weighting_effect(
        self, *, by: str | Sequence[str] | None = None, where: Where | None = None
    ) -> WeightingEffect:
        """Compute Kish's design effect of weighting: n sum of w² / (sum of w)².

        Parameters
        ----------
        by, where
            As for :meth:`mean`.

        Returns
        -------
        WeightingEffect
            For each group the rows, the effect, and the rows of equal weight that would serve as
            well. Design effects of an estimate, clusters and strata included, are its `deff` and
            `deff_replace`.

        Notes
        -----
        Kish (1992), Journal of Official Statistics 8(2).

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> svy.weighting_effect().effect.round(4).tolist()
        [1.1864]
        """
        return WeightingEffect(self._sample, by, where)

    def tabulate(
        self,
        variables: str | Sequence[str],
        *,
        where: Where | None = None,
        level: float = 0.95,
    ) -> Crosstab:
        """Tabulate answers by answers: counts, shares of the table, of rows and of columns.

        Parameters
        ----------
        variables : str or sequence of str
            Categorical columns. The last makes the columns of the table, the combinations of the
            others its rows. Rows of the frame that lack any of the answers are left out.
        where : condition, optional
            Rows that the table is of, as for :meth:`mean`.
        level : float
            Confidence level of the intervals of its estimates.

        Returns
        -------
        Crosstab
            With `cell`, `row`, `column` and `count` as :class:`Estimates`, unweighted `n`, and
            tests of independence and of goodness of fit.

        Raises
        ------
        EmptyDomain
            No row has all the answers.
        TooManyLevels
            The table would have more than 1,000 cells.

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> table = svy.tabulate(["stype", "sch.wide"])
        >>> table.row.estimate.round(3).tolist()
        [0.09, 0.91, 0.48, 0.52, 0.3, 0.7]
        >>> table.n.tolist()
        [[9, 91], [24, 26], [15, 35]]
        """
        return Crosstab(self._sample, as_names(variables), where, level)

    def ttest(
        self,
        variable: str,
        *,
        by: str | None = None,
        before: str | None = None,
        null: float = 0.0,
        where: Where | None = None,
        level: float = 0.95,
    ) -> HypothesisTest:
        """Test a mean: against a value, between two groups, or before against after.

        Parameters
        ----------
        variable : str
            Column of numbers.
        by : str, optional
            Column of two groups whose means are compared, the second less the first.
        before : str, optional
            Column of the same people's earlier answers: the mean of `variable` less `before` is
            tested, over the rows that have both.
        null : float
            What the mean is if the hypothesis holds, where there is neither `by` nor `before`.
        where : condition, optional
            Rows that the test is about, as for :meth:`mean`.
        level : float
            Confidence level of the interval of the estimate.

        Returns
        -------
        HypothesisTest
            With the difference as `estimates`, and as `effect` the difference in standard
            deviations: of the variable (one sample), of the change (paired), or the root of the
            mean of the two groups' variances (Cohen 1988, section 2.2), with its error.

        Raises
        ------
        TooManyLevels
            `by` has other than two groups.

        Notes
        -----
        As R's ``svyttest``, on the design's degrees of freedom less one.

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> change = svy.ttest("api00", before="api99")
        >>> round(change.statistic, 3), round(change.effect.value, 2)
        (16.036, 1.17)
        """
        if by is not None and before is not None:
            raise ValueError("by= compares two groups and before= two answers: give one of them")
        if null != 0 and (by is not None or before is not None):
            raise ValueError("null= is for a test of one mean: differences are tested against 0")
        if by is not None:
            return two_groups(self._sample, variable, by, where, level)
        if before is not None:
            return paired(self._sample, variable, before, where, level)
        return one_sample(self._sample, variable, null, where, level)

    def ranktest(
        self,
        variable: str,
        by: str,
        *,
        score: RankScore = "wilcoxon",
        where: Where | None = None,
        level: float = 0.95,
    ) -> HypothesisTest:
        """Test by ranks that an answer has one distribution in all groups.

        Parameters
        ----------
        variable : str
            Column of numbers; only their order counts.
        by : str
            Column of the groups. Two: a t test of the difference in mean score; more: an F test.
        score : {"wilcoxon", "van-der-waerden", "median"}
            What an estimated rank counts: itself (with several groups the test of Kruskal and
            Wallis), its normal quantile, or whether it lies above the median.
        where, level
            As for :meth:`ttest`.

        Returns
        -------
        HypothesisTest

        Notes
        -----
        Lumley and Scott (2013), Biometrika 100(4). Equal answers have equal ranks, that of the
        middle of their weight; R's ``svyranktest`` lets the order of the rows decide where equal
        answers have different weights.

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apiclus1"), weights="pw", clusters="dnum", fpc="fpc")
        >>> found = svy.ranktest("api00", by="comp.imp")
        >>> round(found.statistic, 4), found.ddf
        (0.7927, 13.0)
        """
        return rank_test(self._sample, variable, by, score, where, level)

    def estimate(
        self,
        statistics: Mapping[str, Statistic] | Sequence[Statistic] | Statistic,
        *,
        by: str | Sequence[str] | None = None,
        where: Where | None = None,
        level: float = 0.95,
    ) -> Estimates:
        """Estimate several statistics in one pass, with all their covariances.

        Parameters
        ----------
        statistics : mapping of str to Statistic, sequence of Statistic, or Statistic
            For example ``{"satisfied": sy.mean("satisfaction")}``; keys become the `variable` of
            the result.
        by, where, level
            As for :meth:`mean`.

        Returns
        -------
        Estimates

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> both = svy.estimate({"2000": sy.mean("api00"), "1999": sy.mean("api99")})
        >>> change = both["2000"] - both["1999"]
        >>> round(change.value, 2), change.se.round(2).tolist()
        (32.89, [2.05])
        """
        if isinstance(statistics, Mapping):
            wanted = list(statistics.values())
        else:
            wanted = [statistics] if isinstance(statistics, Statistic) else list(statistics)
        for statistic in wanted:
            if not isinstance(statistic, Statistic):
                raise TypeError(
                    f"{statistic!r} is no statistic: make one, as in sy.mean('satisfaction')"
                )
        if isinstance(statistics, Mapping):
            wanted = [each.named(name) for name, each in zip(statistics, wanted, strict=True)]
        return self._sample.estimate(wanted, by, where, level)


def _each(
    make: Callable[..., Statistic], variable: str | Sequence[str], missing: Missing
) -> list[Statistic]:
    return [make(name, missing=missing) for name in as_names(variable)]
