"""A sample and its design: what estimates are made from."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Literal, TypeAlias
from uuid import uuid4

import numpy as np
import numpy.typing as npt
from narwhals.typing import IntoDataFrame

from steelyard import _core
from steelyard.columns import Columns, as_names, cross
from steelyard.condition import Where
from steelyard.domain import Domain, domain_of
from steelyard.errors import (
    EmptyDomain,
    InvalidFpc,
    InvalidWeights,
    NotNumeric,
    SteelyardError,
)
from steelyard.estimates import Estimates, Presentation
from steelyard.evidence import Evidence
from steelyard.explain import JOINT, DesignNames, explain
from steelyard.labels import Labels
from steelyard.levels import Factor, Level
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

Lonely: TypeAlias = Literal["fail", "remove", "certainty", "adjust", "average"]


class Survey:
    """A sample with its design: weights, strata, clusters and finite population correction.

    Parameters
    ----------
    frame : pandas, Polars or PyArrow frame, or any eager frame that narwhals reads
        One row a response. It is not copied and not changed.
    weights : str, optional
        Column of sampling weights: population elements that the row stands for, >= 0. Without it,
        the inverse of the sampling fraction where `fpc` is given, else 1.
    strata : str or sequence of str, optional
        Column or columns whose combinations are the strata.
    clusters : str, optional
        Column of the sampling unit, for example the sampled activity. Without it, every row is a
        unit. Results of two surveys covary through clusters of the same name.
    fpc : str, optional
        Column of the number of units in the row's stratum of the population, or of the sampling
        fraction (all values <= 1). Without it, sampling counts as with replacement.
    nest : bool
        Cluster names repeat across strata, and are different clusters in each.
    lonely : {"fail", "remove", "certainty", "adjust", "average"}
        What to do with a stratum of one sampled unit: refuse; let it add no variance ("remove",
        "certainty"); centre it at the mean of all units; give it the mean variance of the others.

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
    NoDegreesOfFreedom
        There are as many strata as units.

    Notes
    -----
    Variances are those of stratified sampling of units, with ultimate clusters (Särndal, Swensson
    and Wretman 1992, section 3.7; Lumley 2010, appendix A). Degrees of freedom are units minus
    strata. A Survey is immutable; make domains with ``where=`` and ``by=``, which keep every unit,
    and not by dropping rows.

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
        strata: str | Sequence[str] | None = None,
        clusters: str | None = None,
        fpc: str | None = None,
        nest: bool = False,
        lonely: Lonely = "fail",
    ) -> None:
        for role, name in (("weights", weights), ("clusters", clusters), ("fpc", fpc)):
            if name is not None and not isinstance(name, str):
                raise TypeError(f"{role}= is the name of one column, not {type(name).__name__}")
        self._columns = Columns(frame)
        self._lonely = lonely
        strata_names = () if strata is None else as_names(strata)
        stratum = self._strata(strata_names)
        unit = self._units(clusters, stratum, nest)
        self._names = DesignNames(
            weights=weights,
            strata=strata_names,
            clusters=clusters,
            fpc=fpc,
            strata_labels=() if stratum is None else stratum.levels,
            unit_labels=() if unit is None else unit.levels,
        )
        try:
            self._design = _core.Design(
                len(self._columns),
                weights or "",
                self._numbers("weights", weights, InvalidWeights, "convert it first"),
                None if stratum is None else stratum.codes,
                None if unit is None else unit.codes,
                fpc or "",
                self._numbers(
                    "fpc", fpc, InvalidFpc, "population counts of units, or sampling fractions"
                ),
                lonely,
            )
        except (_core.InvalidColumn, _core.DesignError) as error:
            raise explain(error, self._names) from None
        self._sample = int.from_bytes(uuid4().bytes[:8])
        self._keys: _core.SampleKeys | None = None
        self._domains: dict[tuple[str, ...], Domain] = {}

    def __repr__(self) -> str:
        return f"Survey: {self.design_text}"

    @property
    def is_weighted(self) -> bool:
        """Do rows stand for different numbers of people?"""
        return self._names.weights is not None or self._names.fpc is not None

    @property
    def design_text(self) -> str:
        """The design in a line: rows, units, strata and degrees of freedom."""
        design = self._design
        unit = f"clusters by {self._names.clusters}" if self._names.clusters else "rows"
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
            + (", with finite population correction" if self._names.fpc else ""),
            "degrees of freedom": "units minus strata of the whole design",
            "lonely strata": self._lonely,
        }

    def _numbers(
        self, role: str, name: str | None, refusal: type[SteelyardError], remedy: str
    ) -> npt.NDArray[np.generic] | None:
        """A column of numbers with a role in the design, whose errors name the role."""
        if name is None:
            return None
        try:
            return self._columns.numbers(name)
        except (NotNumeric, EmptyDomain):
            kind = self._columns.series(name).dtype
            raise refusal(
                f"{role} column {name!r} is {kind}, and numbers are needed: {remedy}", column=name
            ) from None

    def _strata(self, names: Sequence[str]) -> Factor | None:
        if not names:
            return None
        factors = [self._columns.complete_factor(name, "strata") for name in names]
        if len(factors) == 1 and (factors[0].codes.counts > 0).all():
            return factors[0]
        codes, labels, _ = cross(factors, np.zeros(0, dtype=np.bool_), len(self._columns))
        return Factor(codes, tuple(JOINT.join(str(part) for part in label) for label in labels))

    def _units(self, name: str | None, strata: Factor | None, nest: bool) -> Factor | None:
        if name is None:
            return None
        factor = self._columns.complete_factor(name, "clusters")
        nested = nest and strata is not None
        if not nested and (factor.codes.counts > 0).all():
            return factor
        parts = [strata, factor] if nested and strata is not None else [factor]
        codes, labels, _ = cross(parts, np.zeros(0, dtype=np.bool_), len(self._columns))
        return Factor(codes, tuple(JOINT.join(str(part) for part in label) for label in labels))

    def _sample_keys(self) -> _core.SampleKeys:
        """Names of units and strata as 64-bit keys, so that two surveys find what they share."""
        if self._keys is None:
            names = self._names
            units = _keys(names.unit_labels, "")
            strata = _keys(names.strata_labels or ("",), "stratum")
            self._keys = _core.SampleKeys(self._sample, units, strata)
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
