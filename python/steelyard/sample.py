"""Rows with their design, and the way from statistics to estimates."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from uuid import uuid4

import numpy as np
import numpy.typing as npt
from narwhals.typing import IntoDataFrame

from steelyard import _core
from steelyard.columns import Columns, as_names
from steelyard.condition import Where
from steelyard.design import DfRule, PerStage, Policy, Strata, design_of, df_text
from steelyard.domain import Domain, domain_of
from steelyard.errors import CovarianceUnknown, DesignMismatch, EmptyDomain
from steelyard.estimates import Estimates, Presentation
from steelyard.evidence import Evidence
from steelyard.explain import CORE_ERRORS, DesignNames, explain
from steelyard.labels import SHARES, Labels
from steelyard.levels import Level
from steelyard.provenance import Provenance
from steelyard.quantile import QuantileInterval, QuantileSample
from steelyard.replicate import (
    ReplicateMethod,
    ReplicateOptions,
    ReplicateWeights,
    made,
    spread_text,
)
from steelyard.statistic import Statistic
from steelyard.subsample import two_phase_design
from steelyard.terms import Source, Term, term_of
from steelyard.weighting import Weighting

_ODD = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio: multiples of it spread over all keys


class Sample:
    """The columns of a frame and the design they were sampled by."""

    def __init__(
        self,
        columns: Columns,
        policy: Policy,
        design: _core.Design,
        names: DesignNames,
        replication: str | None = None,
        weighting: Weighting | None = None,
        identified: Mapping[int, Sequence[Level]] | None = None,
    ) -> None:
        self.columns = columns
        self.policy = policy
        self.design = design
        self.names = names
        self.replication = replication
        self.weighting = weighting
        self.identified = identified or {}
        self._identity = int.from_bytes(uuid4().bytes[:8])
        self._keys: _core.SampleKeys | None = None
        self._domains: dict[tuple[str, ...], Domain] = {}
        self._source = Provenance(self.design_text, columns)

    @property
    def is_weighted(self) -> bool:
        """Do rows stand for different numbers of people?"""
        given = self.names.weights is not None or bool(self.names.fpc)
        return given or self.weighting is not None

    @property
    def supplied(self) -> bool:
        """Did the replicates come with the data, so that nothing is known of the design?"""
        return self.policy.replicates is not None

    @property
    def design_text(self) -> str:
        """The design in a line: rows, units, strata and degrees of freedom."""
        clusters = ", then ".join(self.names.clusters)
        unit = f"clusters by {clusters}" if clusters else "rows"
        strata = self.design.strata
        if self.supplied:
            return (
                f"{self.design.rows:,} rows, {self.design.replicates:,} replicate weights, "
                f"{self.design.degrees_of_freedom:.0f} degrees of freedom"
            )
        if self.policy.subsample is not None:
            drawn = int((self.design.row_weights() > 0).sum())
            return (
                f"{self.design.rows:,} rows, of which {drawn:,} in a subsample, "
                f"{self.design.degrees_of_freedom:.0f} degrees of freedom"
            )
        return (
            f"{self.design.rows:,} rows, {self.design.units:,} units ({unit}), "
            f"{strata:,} strat{'um' if strata == 1 else 'a'}, "
            + (f"{self.design.replicates:,} replicates, " if self.replication else "")
            + f"{self.design.degrees_of_freedom:.0f} degrees of freedom"
        )

    def domain(self, by: str | Sequence[str] | None, where: Where | None) -> Domain:
        """Who estimates are for: groups by the columns of `by`, among the rows of `where`."""
        names = () if by is None else as_names(by)
        if where is not None:
            return domain_of(self.columns, names, where)
        if names not in self._domains:
            self._domains[names] = domain_of(self.columns, names, None)
        return self._domains[names]

    def estimate(
        self,
        statistics: Sequence[Statistic],
        by: str | Sequence[str] | None,
        where: Where | None,
        level: float,
    ) -> Estimates:
        """Estimate statistics in every domain, in one pass, with their covariances."""
        if not statistics:
            raise ValueError("there is nothing to estimate: name at least one statistic")
        domain = self.domain(by, where)
        try:
            source = Source(self.columns, self.design, domain.codes, self._df())
            terms = [term_of(source, statistic) for statistic in statistics]
        except CORE_ERRORS as error:
            raise explain(error, self.names) from None
        _refuse_equal_names(_labels(domain, terms))
        return self.estimates_of(terms, domain, level)

    def estimates_of(
        self,
        terms: Sequence[Term],
        domain: Domain,
        level: float,
        labels: Labels | None = None,
    ) -> Estimates:
        """Rows to estimates, for terms that have read their columns.

        `labels`, if not given, are made from those of the domain and of the terms.
        """
        if not 0 < level < 1:
            raise ValueError(f"level={level} is not a confidence level between 0 and 1")
        try:
            estimators = [estimator for term in terms for estimator in term.estimators]
            result = _core.estimate(self.design, self.keys(), domain.codes, estimators)
        except CORE_ERRORS as error:
            raise explain(error, self.names) from None
        if self.policy.df == "satterthwaite" and not result.estimates.by_unit:
            raise CovarianceUnknown(
                "df='satterthwaite' needs the deviation of every unit, and there are too many to "
                "keep: choose df='design'"
            )
        _check_answers(terms, domain, result)
        labels = labels or _labels(domain, terms)
        values = result.estimates.values
        share = np.array([kind in SHARES for kind in labels.kind], dtype=np.bool_)
        evidence = Evidence(
            result.used,
            result.missing,
            result.units,
            result.strata,
            result.deff,
            result.deff_replace,
            share & ((values == 0) | (values == 1)) & (result.sampled_units > 0),
            (result.used > 0) & (result.sampled_units == 0),
            _own_intervals(terms, self.design, domain),
            left_out=result.left_out if len(result.left_out) > 0 else None,
        )
        shown = Presentation(
            level,
            domain.ungrouped,
            self.policy.df,
            self.columns.implementation,
            {**self.conventions(), **_quantile_conventions(terms)},
            self._undefined_df(),
            self.replication is not None,
            (self._source,),
        )
        return Estimates(result.estimates, labels, evidence, shown)

    def _df(self) -> float | None:
        """Degrees of freedom where one number serves; None: those of each domain."""
        rule = self.policy.df
        if rule == "domain":
            return None
        if rule == "normal":
            return float("inf")
        return self.design.degrees_of_freedom if isinstance(rule, str) else rule

    def _undefined_df(self) -> tuple[DfRule, ...]:
        """Rules for degrees of freedom that have no meaning for where errors come from."""
        if self.supplied:
            return ("domain", "satterthwaite")
        by_stratum = not self.design.has_form and self.design.replicates == 0
        return () if by_stratum else ("satterthwaite",)

    def conventions(self) -> dict[str, str]:
        """Which rules the design follows, in words."""
        policy = self.policy
        weighting = {"weighting": self.weighting.text} if self.weighting is not None else {}
        if self.supplied:
            rank = policy.df == "design"
            return {
                "variance": str(self.replication),
                "degrees of freedom": "rank of the replicate weights, less one"
                if rank
                else df_text(policy.df),
                **weighting,
            }
        return {
            "variance": (f"{self.replication}, " if self.replication else "Taylor linearisation, ")
            + ("clusters as units" if self.names.clusters else "rows as units")
            + (f" in {self.design.stages} stages" if self.design.stages > 1 else "")
            + (f", {policy.pps.text}" if policy.pps is not None else "")
            + (", two phases" if policy.subsample is not None else "")
            + (", with finite population correction" if self.names.fpc else ""),
            "degrees of freedom": df_text(policy.df)
            + (", replicates less one at most" if self.replication else ""),
            "lonely strata": policy.lonely
            + (f", in domains {policy.lonely_domain}" if policy.lonely_domain else ""),
            **weighting,
        }

    def identified_by(self, column: str) -> "Sample":
        """Name the units of a stage by another column; see :meth:`Survey.identified_by`."""
        factor = self.columns.complete_factor(column, "overlap")
        codes = factor.codes.to_numpy()
        for stage in dict.fromkeys((0, self.design.stages - 1)):
            of_unit = _one_each(codes, self.design.row_units(stage))
            if of_unit is not None:
                labels = tuple(factor.levels[code] for code in of_unit)
                named = {**self.identified, stage: labels}
                return Sample(
                    self.columns,
                    self.policy,
                    self.design,
                    self.names,
                    self.replication,
                    self.weighting,
                    named,
                )
        raise DesignMismatch(
            f"column {column!r} does not name the sampling units: it varies within them, or "
            "several have the same value. To make its values units, name it in "
            f"clusters={column!r}",
            column=column,
        )

    def keys(self) -> _core.SampleKeys:
        """Names of units and strata as 64-bit keys, so that two surveys find what they share."""
        if self._keys is None and (self.design.has_form or self.design.replicates > 0):
            none = np.zeros(0, dtype=np.uint64)
            self._keys = _core.SampleKeys(self._identity, none, none)
        if self._keys is None:
            stages = self.names.stages[: self.design.stages]
            strata = _keys(stages[0].strata_labels or ("",), "stratum")
            salts = ["", *(f"stage {s}" for s in range(1, len(stages)))]
            names = [self.identified.get(s, stage.unit_labels) for s, stage in enumerate(stages)]
            units = [_keys(own, salt) for own, salt in zip(names, salts, strict=True)]
            named = sum(len(own) for own in units)
            if len(stages) > 1 and not names[-1]:
                # Rows as last units have no names: they are in no other sample.
                rows = np.arange(len(self.columns), dtype=np.uint64)
                units[-1] = rows * np.uint64(_ODD) + np.uint64(self._identity)
            self._keys = _core.SampleKeys(self._identity, np.concatenate(units), strata, named)
        return self._keys


def sampled(
    frame: IntoDataFrame,
    weights: str | Weighting | None,
    strata: Strata | None,
    clusters: PerStage | None,
    fpc: PerStage | None,
    policy: Policy,
) -> Sample:
    """Read the rows of a frame, and the design by which they were sampled."""
    given = policy.replicates
    if given is not None:
        _refuse_beside_replicates({"strata": strata, "clusters": clusters, "fpc": fpc})
        if given.combined and weights is None:
            raise DesignMismatch("replicates= of weights needs weights=, those of the estimates")
    base = weights.base if isinstance(weights, Weighting) else weights
    columns = Columns(frame)
    if policy.subsample is None:
        read = design_of(columns, base, strata, clusters, fpc, policy)
    else:
        read = two_phase_design(columns, base, strata, clusters, fpc, policy.nest, policy.subsample)
    sample = Sample(columns, policy, *read)
    if isinstance(weights, Weighting):
        sample = _weighted(sample, weights)
    return sample if given is None else _with_supplied(sample, given)


def _refuse_beside_replicates(given: Mapping[str, object]) -> None:
    idle = [name for name, value in given.items() if value is not None]
    if idle:
        raise DesignMismatch(
            f"{' and '.join(f'{name}=' for name in idle)} and replicates= are not combined: "
            "replicate weights say how estimates vary, so leave the design out"
        )


def _with_supplied(sample: Sample, given: ReplicateWeights) -> Sample:
    replicates = given.read(sample.columns)
    policy = sample.policy
    stated = float(policy.df) if not isinstance(policy.df, str) else None
    text = f"{given.text}, {spread_text(replicates)}"
    design = sample.design.with_replicates(replicates, stated)
    if not design.degrees_of_freedom > 0:
        raise DesignMismatch(
            "replicates=: the weights of all replicates are the same up to a factor, so that "
            "nothing tells how estimates vary"
        )
    return Sample(sample.columns, policy, design, sample.names, text, sample.weighting)


def _weighted(sample: Sample, weighting: Weighting) -> Sample:
    if len(weighting) != len(sample.columns):
        raise DesignMismatch(
            f"weights= is a weighting of {len(weighting):,} rows, and the frame has "
            f"{len(sample.columns):,}: give the frame that was weighted"
        )
    differs = weighting.columns.first_difference(sample.columns)
    if differs is not None:
        raise DesignMismatch(
            f"column {differs!r} of the frame is not as it was when it was weighted: give the "
            "frame that was weighted, with its rows in the same order",
            column=differs,
        )
    try:
        design = sample.design.with_weighting(weighting.core)
    except ValueError:
        raise DesignMismatch(
            "the weighting starts from other weights than those of the design: name the design's "
            "in sy.weight(frame, base=...), and give the frame that was weighted"
        ) from None
    return Sample(sample.columns, sample.policy, design, sample.names, None, weighting)


def replicated(sample: Sample, method: ReplicateMethod, options: ReplicateOptions) -> Sample:
    """Make replicates of a sample's design, from which its errors then come."""
    if sample.policy.df == "satterthwaite":
        raise DesignMismatch(
            "df='satterthwaite' is not defined for replicates: choose 'design', or give a number"
        )
    found, text = made(sample.design, method, options)
    design = sample.design.with_replicates(found, None)
    text = f"{text}, {spread_text(found)}"
    return Sample(sample.columns, sample.policy, design, sample.names, text, sample.weighting)


def _check_answers(terms: Sequence[Term], domain: Domain, result: _core.Estimated) -> None:
    """Refuse a statistic that has no answer in any domain; a single empty group is shown."""
    used = result.used.reshape(len(domain.labels), -1).sum(axis=0)
    each = [term.statistic for term in terms for _ in term.levels]
    for statistic, rows in zip(each, used, strict=True):
        if rows == 0:
            asked = " where they were asked for" if domain.codes is not None else ""
            raise EmptyDomain(
                f"{statistic.variable!r} has no answers{asked}: there is nothing to estimate from",
                column=statistic.variable,
            )


def _quantile_conventions(terms: Sequence[Term]) -> dict[str, str]:
    rules = dict.fromkeys(term.statistic.rule for term in terms if term.quantiles is not None)
    if not rules:
        return {}
    methods = {term.statistic.interval for term in terms if term.quantiles is not None}
    known = {"score": "score intervals", "replicate": "quantiles under each replicate"}
    which = known.get(methods.pop(), "Woodruff's intervals") if len(methods) == 1 else ""
    which = which or "intervals by term"
    return {"quantiles": f"rule {', '.join(map(repr, rules))}, {which}"}


def _own_intervals(
    terms: Sequence[Term], design: _core.Design, domain: Domain
) -> tuple[QuantileInterval | None, ...]:
    if all(term.quantiles is None for term in terms):
        return ()
    own: list[QuantileInterval | None] = []
    for d in range(len(domain.labels)):
        for term in terms:
            method = term.statistic.interval
            if term.quantiles is None or term.values is None or method == "replicate":
                own += [None] * len(term.levels)
                continue
            statistic = term.statistic
            source = QuantileSample(
                design, domain.codes, statistic.columns[0], term.values, statistic.at
            )
            own += [
                QuantileInterval(term.quantiles, source, d, position, method)
                for position in range(len(term.levels))
            ]
    return tuple(own)


def _labels(domain: Domain, terms: Sequence[Term]) -> Labels:
    rows = [
        (term.statistic.variable, level, kind)
        for term in terms
        for level, kind in zip(term.levels, term.kinds, strict=True)
    ]
    by = {
        name: [label[i] for label in domain.labels for _ in rows]
        for i, name in enumerate(domain.columns)
    }
    copies = len(domain.labels)
    return Labels(
        by=by,
        variable=[variable for variable, _, _ in rows] * copies,
        level=[level for _, level, _ in rows] * copies,
        kind=[kind for _, _, kind in rows] * copies,
    )


def _one_each(
    codes: npt.NDArray[np.int32], units: npt.NDArray[np.int32]
) -> npt.NDArray[np.int32] | None:
    """The code of each unit, where it has one that no other has."""
    of_unit = np.full(int(units.max()) + 1, -1, dtype=np.int32)
    of_unit[units] = codes
    if (of_unit[units] != codes).any() or len(np.unique(of_unit)) < len(of_unit):
        return None
    return of_unit


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
