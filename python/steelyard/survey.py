"""A sample and its design: what estimates are made from."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from uuid import uuid4

import numpy as np
import numpy.typing as npt
from narwhals.typing import IntoDataFrame

from steelyard import _core
from steelyard.columns import Columns, as_names
from steelyard.condition import Where
from steelyard.design import Lonely, PerStage, Policy, Pps, Strata, design_of
from steelyard.domain import Domain, domain_of
from steelyard.errors import EmptyDomain
from steelyard.estimates import Estimates, Presentation
from steelyard.evidence import Evidence
from steelyard.explain import explain
from steelyard.labels import Labels
from steelyard.levels import Level
from steelyard.statistic import (
    Levels,
    Missing,
    Statistic,
    count,
    mean,
    proportion,
    ratio,
    total,
)
from steelyard.terms import Term, term_of

_ODD = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio: multiples of it spread over all keys


class Survey:
    """A sample with its design: weights, strata, clusters and finite population correction.

    Parameters
    ----------
    frame : pandas, Polars or PyArrow frame, or any eager frame that narwhals reads
        One row a response. It is not copied and not changed.
    weights : str, optional
        Column of sampling weights: population elements that the row stands for, >= 0. Without it,
        the inverse of the sampling fraction where `fpc` is given, else 1.
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
    pps : {"brewer"}, optional
        Units were drawn with unequal probabilities and without replacement: `fpc` is then each
        unit's own probability of being sampled. "brewer": Brewer's approximation to their joint
        probabilities, in any number of stages.

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
        weights: str | None = None,
        strata: Strata | None = None,
        clusters: PerStage | None = None,
        fpc: PerStage | None = None,
        nest: bool = False,
        lonely: Lonely = "fail",
        lonely_domain: Lonely | None = None,
        pps: Pps | None = None,
    ) -> None:
        self._columns = Columns(frame)
        self._policy = Policy(nest, lonely, lonely_domain, pps)
        self._design, self._names = design_of(
            self._columns, weights, strata, clusters, fpc, self._policy
        )
        self._sample = int.from_bytes(uuid4().bytes[:8])
        self._keys: _core.SampleKeys | None = None
        self._domains: dict[tuple[str, ...], Domain] = {}

    def __repr__(self) -> str:
        return f"Survey: {self.design_text}"

    @property
    def is_weighted(self) -> bool:
        """Do rows stand for different numbers of people?"""
        return self._names.weights is not None or bool(self._names.fpc)

    @property
    def design_text(self) -> str:
        """The design in a line: rows, units, strata and degrees of freedom."""
        design = self._design
        clusters = ", then ".join(self._names.clusters)
        unit = f"clusters by {clusters}" if clusters else "rows"
        return (
            f"{design.rows:,} rows, {design.units:,} units ({unit}), "
            f"{design.strata:,} strat{'um' if design.strata == 1 else 'a'}, "
            f"{design.degrees_of_freedom:.0f} degrees of freedom"
        )

    @property
    def degrees_of_freedom(self) -> float:
        """Units minus strata."""
        return self._design.degrees_of_freedom

    def levels(self, variable: str) -> tuple[Level, ...]:
        """Return the answers of a categorical column: those declared, or those that occur."""
        return self._columns.factor(variable).levels

    def mean(
        self,
        variable: str | Sequence[str],
        *,
        by: str | Sequence[str] | None = None,
        where: Where | None = None,
        missing: Missing = "exclude",
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
        The Hájek mean, with Taylor linearisation (Särndal, Swensson and Wretman 1992, section 5.7).

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> svy.mean("api00", by="stype").se.round(2).tolist()
        [12.38, 14.94, 16.21]
        """
        return self._several(mean, variable, by, where, missing, level)

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
        return self._several(total, variable, by, where, missing, level)

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
        return self._estimate([statistic], by, where, level)

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
        return self._estimate([statistic], by, where, level)

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
        return self._estimate([ratio(numerator, denominator, missing=missing)], by, where, level)

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
        if isinstance(statistics, Statistic):
            wanted = [statistics]
        elif isinstance(statistics, Mapping):
            wanted = [statistic.named(name) for name, statistic in statistics.items()]
        else:
            wanted = list(statistics)
        return self._estimate(wanted, by, where, level)

    def _several(
        self,
        make: Callable[..., Statistic],
        variable: str | Sequence[str],
        by: str | Sequence[str] | None,
        where: Where | None,
        missing: Missing,
        level: float,
    ) -> Estimates:
        statistics = [make(name, missing=missing) for name in as_names(variable)]
        return self._estimate(statistics, by, where, level)

    def _estimate(
        self,
        statistics: Sequence[Statistic],
        by: str | Sequence[str] | None,
        where: Where | None,
        level: float,
    ) -> Estimates:
        if not statistics:
            raise ValueError("there is nothing to estimate: name at least one statistic")
        if not 0 < level < 1:
            raise ValueError(f"level={level} is not a confidence level between 0 and 1")
        domain = self._domain(by, where)
        terms = [term_of(self._columns, statistic) for statistic in statistics]
        labels = self._labels(domain, terms)
        _refuse_equal_names(labels)
        try:
            result = _core.estimate(
                self._design, self._sample_keys(), domain.codes, [term.estimator for term in terms]
            )
        except _core.InvalidColumn as error:
            raise explain(error, self._names) from None
        self._check_answers(terms, domain, result)
        values = result.estimates.values
        share = np.array([kind == "proportion" for kind in labels.kind], dtype=np.bool_)
        evidence = Evidence(
            result.used,
            result.missing,
            result.units,
            result.strata,
            result.deff,
            result.deff_replace,
            share & ((values == 0) | (values == 1)) & (result.sampled_units > 0),
            (result.used > 0) & (result.sampled_units == 0),
        )
        shown = Presentation(
            level, domain.ungrouped, self._columns.implementation, self._conventions()
        )
        return Estimates(result.estimates, labels, evidence, shown)

    def _domain(self, by: str | Sequence[str] | None, where: Where | None) -> Domain:
        names = () if by is None else as_names(by)
        if where is not None:
            return domain_of(self._columns, names, where)
        if names not in self._domains:
            self._domains[names] = domain_of(self._columns, names, None)
        return self._domains[names]

    def _check_answers(
        self, terms: Sequence[Term], domain: Domain, result: _core.Estimated
    ) -> None:
        """Refuse a statistic that has no answer in any domain; a single empty group is shown."""
        used = result.used.reshape(len(domain.labels), -1).sum(axis=0)
        each = [term.statistic for term in terms for _ in term.levels]
        for statistic, rows in zip(each, used, strict=True):
            if rows == 0:
                asked = " where they were asked for" if domain.codes is not None else ""
                raise EmptyDomain(
                    f"{statistic.variable!r} has no answers{asked}: there is nothing to estimate "
                    "from",
                    column=statistic.variable,
                )

    def _labels(self, domain: Domain, terms: Sequence[Term]) -> Labels:
        rows = [(term, level) for term in terms for level in term.levels]
        by = {
            name: [label[i] for label in domain.labels for _ in rows]
            for i, name in enumerate(domain.columns)
        }
        copies = len(domain.labels)
        return Labels(
            by=by,
            variable=[term.statistic.variable for term, _ in rows] * copies,
            level=[level for _, level in rows] * copies,
            kind=[str(term.statistic.kind) for term, _ in rows] * copies,
        )

    def _conventions(self) -> dict[str, str]:
        return {
            "variance": "Taylor linearisation, "
            + ("clusters as units" if self._names.clusters else "rows as units")
            + (f" in {self._design.stages} stages" if self._design.stages > 1 else "")
            + (", Brewer's approximation" if self._policy.pps == "brewer" else "")
            + (", with finite population correction" if self._names.fpc else ""),
            "degrees of freedom": "units minus strata of the whole design",
            "lonely strata": self._policy.lonely
            + (f", in domains {self._policy.lonely_domain}" if self._policy.lonely_domain else ""),
        }

    def _sample_keys(self) -> _core.SampleKeys:
        """Names of units and strata as 64-bit keys, so that two surveys find what they share."""
        if self._keys is None:
            stages = self._names.stages[: self._design.stages]
            strata = _keys(stages[0].strata_labels or ("",), "stratum")
            units = [_keys(stage.unit_labels, "") for stage in stages]
            if len(stages) > 1 and not stages[-1].unit_labels:
                # Rows as last units have no names: they are in no other sample.
                rows = np.arange(len(self._columns), dtype=np.uint64)
                units[-1] = rows * np.uint64(_ODD) + np.uint64(self._sample)
            self._keys = _core.SampleKeys(self._sample, np.concatenate(units), strata)
        return self._keys


def _refuse_equal_names(labels: Labels) -> None:
    """Statistics of one name could not be told apart when selected or compared."""
    seen: set[tuple[Level, ...]] = set()
    for *key, _ in labels.keys():  # noqa: SIM118
        if tuple(key) in seen:
            raise ValueError(
                f"two statistics are called {key[-2]!r}: name them, as in "
                "estimate({'a': ..., 'b': ...})"
            )
        seen.add(tuple(key))


def _keys(labels: Sequence[Level], salt: str) -> npt.NDArray[np.uint64]:
    hashes = [
        int.from_bytes(blake2b(f"{salt}/{label}".encode(), digest_size=8).digest())
        for label in labels
    ]
    return np.array(hashes, dtype=np.uint64)
