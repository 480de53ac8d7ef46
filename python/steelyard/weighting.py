"""Weights as a readable chain of steps, each of which the errors of estimates account for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, cast, get_args

import numpy as np
import numpy.typing as npt
from narwhals.typing import IntoDataFrame

from steelyard import _core
from steelyard.balance import Balance, balance_of
from steelyard.calibration import (
    DISTANCE_TEXT,
    Bounds,
    CalibrationOptions,
    DistanceKind,
    Residuals,
    bounds_text,
    check_choice,
    slack_of,
)
from steelyard.columns import Columns, as_names, cross
from steelyard.condition import Where, mask_of
from steelyard.controls import (
    ControlSet,
    Key,
    Margin,
    Pairs,
    Totals,
    read_controls,
    read_controls_by,
)
from steelyard.errors import (
    DesignMismatch,
    FitFailed,
    InvalidWeights,
    MissingValues,
    NotNumeric,
    WeightingFailed,
    error_in_rows,
    rows_text,
)
from steelyard.formula import parse, read_frame
from steelyard.levels import Level
from steelyard.render import html_table, number_text, text_table
from steelyard.response_classes import ResponseClasses, response_classes
from steelyard.table import Cell, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats: TypeAlias = npt.NDArray[np.float64]
TrimUnit: TypeAlias = Literal["weight", "median", "mean"]
Sharing: TypeAlias = Literal["proportional", "equal", "none"]


@dataclass(frozen=True, slots=True, eq=False)
class WeightingStep:
    """One step of a weighting, as it is recorded.

    Attributes
    ----------
    name : str
        Its method, such as "rake".
    text : str
        What it did, in words.
    iterations : int
    largest_error : float
        Of the totals, relative to each; 0 where there are none.
    summary : WeightSummary
        Of the weights after it: `rows` other than 0, `sum`, `smallest`, `median`, `mean`,
        `largest`, Kish's `effect`, and `top_share`, held by the largest hundredth of the rows.
    smallest_factor, largest_factor : float
        Of the weights after it over those before, where both are above 0.
    classes : ResponseClasses or None
        Of a step for nonresponse by classes: each class, and which were merged.
    """

    name: str
    text: str
    iterations: int
    largest_error: float
    summary: _core.WeightSummary
    smallest_factor: float = 1.0
    largest_factor: float = 1.0
    classes: ResponseClasses | None = None


class Weighting(Table):
    """Weights as a chain of steps from those of the sampling design.

    Made by :func:`weight`. Every method returns a new chain with one more step; nothing changes the
    caller's data. Give it to a :class:`Survey` as ``weights=``: its errors then account for every
    step, linearised or, after :meth:`Survey.replicated`, by replaying the chain on each replicate.
    """

    def __init__(
        self,
        columns: Columns,
        base: str | None,
        core: _core.Weighting,
        steps: tuple[WeightingStep, ...],
    ) -> None:
        self._columns = columns
        self._base = base
        self._core = core
        self._steps = steps

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def core(self) -> _core.Weighting:
        """The chain as the core computes it."""
        return self._core

    @property
    def columns(self) -> Columns:
        """The columns of the frame that is weighted."""
        return self._columns

    @property
    def base(self) -> str | None:
        """The column of the design's weights."""
        return self._base

    @property
    def steps(self) -> tuple[WeightingStep, ...]:
        """What was done, the base weights first."""
        return self._steps

    @property
    def text(self) -> str:
        """The steps in words, in order; errors account for each."""
        names = [step.name for step in self._steps[1:]]
        return ", then ".join(names) if names else "base weights as they are"

    @property
    def weights(self) -> Floats:
        """The weight of each row."""
        return self._core.weights

    @property
    def factors(self) -> Floats:
        """The weight of each row over its base weight (g); 1 where that is 0."""
        base = self._core.base
        return np.divide(self._core.weights, base, out=np.ones_like(base), where=base > 0)

    def nonresponse(
        self,
        responded: Where,
        *,
        classes: str | Sequence[str] | None = None,
        formula: str | None = None,
        quantiles: int | None = None,
        eligible: Where | None = None,
        minimum: int = 0,
        most: float = np.inf,
    ) -> "Weighting":
        """Let those who responded stand for those who did not.

        Parameters
        ----------
        responded : condition
            Rows that responded, as ``where=`` elsewhere: a column's name, or a mapping from a
            column to its levels. The others of those eligible get a weight of 0.
        classes : str or sequence of str, optional
            Columns whose combinations are weighting classes: within each, respondents' weights are
            divided by the weighted response rate. Without classes and formula, there is one.
        formula : str, optional
            Regressors of a weighted logistic regression of response, as in ``"age + region"``;
            weights are divided by its probabilities.
        quantiles : int, optional
            With `formula`: classes of about equal size in the order of the probabilities, whose
            weighted response rates are used in their place.
        eligible : condition, optional
            Rows that could have responded; others keep their weights. Without it, all.
        minimum : int
            Respondents that a class must have. One with fewer is merged with the class next in
            response rate that shares its first columns, and so on; the step says which.
        most : float
            The largest factor that a class may have; others are merged in the same way.

        Returns
        -------
        Weighting

        Raises
        ------
        WeightingFailed
            A class has nobody who responded.
        FitFailed
            The regression cannot be fitted.
        MissingValues
            A row with a weight has no answer in a class or in the formula.

        Notes
        -----
        Little (1986), International Statistical Review 54(2); Valliant, Dever and Kreuter (2018),
        chapter 13. Errors account for rates and probabilities being estimated.

        Examples
        --------
        >>> import steelyard as sy
        >>> frame = sy.datasets.load("apistrat", backend="polars")
        >>> w = sy.weight(frame, base="pw").nonresponse({"sch.wide": "Yes"}, classes="stype")
        >>> round(float(w.weights.sum()), 2), round(float(frame["pw"].sum()), 2)
        (6194.0, 6194.0)
        """
        answered = mask_of(self._columns, responded)
        able = self._rows(eligible)
        if formula is not None:
            if classes is not None:
                raise ValueError("classes= and formula= are two ways: give one of them")
            return self._by_propensity(formula, quantiles, answered, able)
        if quantiles is not None:
            raise ValueError("quantiles= goes with formula=")
        names = () if classes is None else as_names(classes)
        found = self._classes(names, answered, able, minimum, most)
        step = _core.Calibration.to_sample(
            _core.Controls([found.codes], [], [], None),
            (answered & able).astype(np.uint8),
            able.astype(np.uint8),
            "linear",
            -np.inf,
            np.inf,
        )
        text = f"{(answered & able).sum():,} of {able.sum():,} responded" + (
            f", in {len(found.labels):,} classes by {', '.join(names)}" if names else ""
        )
        return self._then(step, "nonresponse", text + found.merged_text, found.names, found)

    def unknown_eligibility(
        self, known: Where, *, classes: str | Sequence[str] | None = None, minimum: int = 0
    ) -> "Weighting":
        """Let rows whose eligibility is known stand for those of which it is not.

        Parameters
        ----------
        known : condition
            Rows that are known to be eligible or not. The others get a weight of 0.
        classes, minimum
            As for :meth:`nonresponse`.

        Returns
        -------
        Weighting

        Notes
        -----
        Valliant, Dever and Kreuter (2018), section 13.4: the first step, before those who are
        known to be ineligible are set aside as rows that keep their weights.
        """
        found = mask_of(self._columns, known)
        everyone = np.ones(len(self), dtype=np.bool_)
        names = () if classes is None else as_names(classes)
        groups = self._classes(names, found, everyone, minimum, np.inf)
        step = _core.Calibration.to_sample(
            _core.Controls([groups.codes], [], [], None),
            found.astype(np.uint8),
            everyone.astype(np.uint8),
            "linear",
            -np.inf,
            np.inf,
        )
        text = f"eligibility known of {found.sum():,} of {len(self):,} rows"
        return self._then(step, "unknown eligibility", text, groups.names, groups)

    def poststratify(
        self,
        by: Key,
        totals: Margin,
        *,
        shares: bool | None = None,
        residuals: Residuals = "before",
    ) -> "Weighting":
        """Scale weights within strata formed after sampling to their totals.

        Parameters
        ----------
        by : str or tuple of str
            Column, or columns whose combinations are the strata.
        totals : mapping, frame or Estimates
            The total of each stratum, as for :meth:`rake`.
        shares, residuals
            As for :meth:`rake`.

        Returns
        -------
        Weighting

        Examples
        --------
        >>> import steelyard as sy
        >>> frame = sy.datasets.load("apiclus1")
        >>> w = sy.weight(frame, base="pw").poststratify(
        ...     "stype", {"E": 4421, "H": 755, "M": 1018}
        ... )
        >>> svy = sy.Survey(frame, weights=w, clusters="dnum", fpc="fpc")
        >>> svy.total("enroll").se.round(1).tolist()
        [406292.6]
        """
        names = as_names(by)
        read = read_controls(self._columns, self.weights, {names: totals}, shares)
        return self._calibrated(
            read,
            f"by {' x '.join(names)} to {number_text(read.wanted.sum())}",
            "poststratify",
            residuals=residuals,
        )

    def rake(
        self,
        margins: Pairs[Key, Margin],
        *,
        bounds: Bounds | None = None,
        shares: bool | None = None,
        residuals: Residuals = "before",
    ) -> "Weighting":
        """Scale weights so that they add up to the totals of several margins at once.

        Parameters
        ----------
        margins : mapping of str, or tuple of str, to totals
            Each column, or combination of columns, with its totals: a mapping from level (or tuple
            of levels) to total, a frame of the columns and one more of the totals, or
            :class:`Estimates` of counts or proportions, whose own errors are then added to those
            of what is estimated by the weights.
        bounds : (float, float), optional
            Of the factor of each weight.
        shares : bool, optional
            Totals are shares: of the other margins' total, or of the sum of weights as it is. If
            not given, margins that add up to 1 are.
        residuals : {"before", "derivative"}
            By which weights linearised errors take residuals: those before the step, as R's
            ``calibrate``; or the derivative of the step, which is right too where factors are far
            from 1, as with much nonresponse. The two agree in large samples.

        Returns
        -------
        Weighting

        Raises
        ------
        DesignMismatch
            The margins add up to different totals.
        WeightingFailed
            A level has a total and no row, or no such weights exist.
        UnknownLevel
            A level of a row with a weight has no total.

        Notes
        -----
        The weights of iterative proportional fitting (Deming and Stephan 1940), found by Newton's
        method on combinations of levels (Deville, Särndal and Sautory 1993, JASA 88(423)).

        Examples
        --------
        >>> import steelyard as sy
        >>> frame = sy.datasets.load("apiclus1")
        >>> w = sy.weight(frame, base="pw").rake(
        ...     {
        ...         "stype": {"E": 4421, "H": 755, "M": 1018},
        ...         "sch.wide": {"No": 1072, "Yes": 5122},
        ...     }
        ... )
        >>> round(w.steps[-1].largest_factor, 4)
        1.9832
        """
        read = read_controls(self._columns, self.weights, margins, shares)
        listed = ", ".join(" x ".join(as_names(key)) for key, _ in margins.items())
        return self._calibrated(
            read,
            f"to {listed}{bounds_text(bounds)}",
            "rake",
            distance="raking",
            bounds=bounds,
            residuals=residuals,
        )

    def calibrate(
        self,
        totals: Totals | Pairs[Level, Totals],
        *,
        distance: DistanceKind = "linear",
        bounds: Bounds | None = None,
        bounds_on: Literal["factor", "weight"] = "factor",
        by: str | None = None,
        clusters: str | None = None,
        scale: str | None = None,
        slack: float | Mapping[str, float] | Mapping[Key, float] | None = None,
        shares: bool | None = None,
        residuals: Residuals = "before",
    ) -> "Weighting":
        """Move weights as little as may be so that they add up to totals.

        Parameters
        ----------
        totals : mapping of str, or tuple of str, to totals
            Margins as for :meth:`rake`, and columns of numbers with their total, as in
            ``{"region": {"North": 1200, "South": 900}, "age": 85000}``. With `by`, a mapping from
            each group to such totals.
        distance : {"linear", "raking", "logit", "sinh"}
            What "little" means. "linear" is the generalised regression estimator (GREG), and cut
            off at bounds where there are some; "raking" keeps weights positive; "logit" keeps them
            inside bounds, as a curve; "sinh" is in between.
        bounds : (float, float), optional
            Of the factor of each weight, around 1; None for no bound on a side.
        bounds_on : {"factor", "weight"}
            What the bounds are of.
        by : str, optional
            Column of groups that have totals of their own.
        clusters : str, optional
            Column of clusters, such as households, whose rows get one factor. They should lie
            inside the units of the survey, or linearised errors are approximate: use replicates.
        scale : str, optional
            Column of numbers that the variance of a row about its regression goes by: weights of
            rows with a large one move less.
        slack : float or mapping of control to float, optional
            Totals may be missed: how much, as a price. 0 meets a total exactly; 1 goes about half
            way to it. A mapping names columns as `totals` does; those it does not name are met
            exactly.
        shares, residuals
            As for :meth:`rake`.

        Returns
        -------
        Weighting

        Raises
        ------
        WeightingFailed
            No weights within the bounds add up to the totals; those that are missed are named.
        DesignMismatch, MissingValues, UnknownLevel
            As for :meth:`rake`.

        Notes
        -----
        Deville and Särndal (1992), JASA 87(418); for `clusters` Lemaître and Dufour (1987), Survey
        Methodology 13(2); for `slack` Bardsley and Chambers (1984), JRSS C 33(3).

        Examples
        --------
        >>> import steelyard as sy
        >>> frame = sy.datasets.load("apiclus1")
        >>> w = sy.weight(frame, base="pw").calibrate(
        ...     {"stype": {"E": 4421, "H": 755, "M": 1018}, "api99": 3914069}
        ... )
        >>> svy = sy.Survey(frame, weights=w, clusters="dnum", fpc="fpc")
        >>> svy.mean("api00").se.round(4).tolist()
        [3.4418]
        """
        options = CalibrationOptions(distance, bounds, bounds_on, clusters, scale, residuals)
        groups: tuple[Level, ...] = ()
        if by is not None and shares is not None:
            raise ValueError("shares= and by= are not combined: give each group its totals")
        if by is None:
            first = cast(Totals, totals)
            read = read_controls(self._columns, self.weights, first, shares)
        else:
            of_groups = cast(Pairs[Level, Totals], totals)
            read, groups = read_controls_by(self._columns, self.weights, by, of_groups)
            first = next(own for _, own in of_groups.items())
        listed = ", ".join(" x ".join(as_names(key)) for key, _ in first.items())
        text = (
            f"{DISTANCE_TEXT.get(distance, distance)}, to {listed}"
            + (f", in each {by}" if by else "")
            + bounds_text(bounds, bounds_on)
            + (f", one factor for each {clusters}" if clusters else "")
            + (", with slack" if slack is not None else "")
        )
        step = options.step(self._columns, self.weights, read, slack_of(slack, read.parts))
        return self._then(step, "calibrate", text, read.names, groups=groups)

    def trim(
        self,
        low: float | None = None,
        high: float | None = None,
        *,
        unit: TrimUnit = "weight",
        share: Sharing = "proportional",
        repeat: bool = True,
        by: str | None = None,
        factors: Literal["estimated", "fixed"] = "estimated",
    ) -> "Weighting":
        """Bring weights inside bounds, and share out what was cut off.

        Parameters
        ----------
        low, high : float, optional
            Bounds of the weights.
        unit : {"weight", "median", "mean"}
            What the bounds count in: weights, or multiples of the median or mean weight.
        share : {"proportional", "equal", "none"}
            How the others take what was cut off, so that the sum stays; "none" lets it change.
        repeat : bool
            Go on until all weights lie inside, after sharing too.
        by : str, optional
            Column of groups, whose sums stay.
        factors : {"estimated", "fixed"}
            "estimated": linearised errors know that the sum of weights stays, so that a total of
            it has no error. "fixed": they take the factors of the step as given, as R's
            ``trimWeights``.

        Returns
        -------
        Weighting

        Raises
        ------
        WeightingFailed
            The bounds leave nobody to share out to.

        Notes
        -----
        Potter (1990); Valliant, Dever and Kreuter (2018), section 14.5. Trimming after a
        calibration moves its totals: calibrate again, as in rake, trim, rake. Linearised errors
        take a median or mean that bounds count in as known; replicates compute it anew.
        """
        if low is None and high is None:
            raise ValueError("trim() needs low=, high=, or both")
        groups = None if by is None else self._columns.complete_factor(by, "groups").codes
        check_choice("unit", unit, get_args(TrimUnit))
        check_choice("share", share, get_args(Sharing))
        check_choice("factors", factors, ("estimated", "fixed"))
        try:
            step = _core.Trimming(
                len(self),
                0.0 if low is None else float(low),
                np.inf if high is None else float(high),
                unit,
                share,
                repeat,
                factors == "fixed",
                groups,
            )
        except ValueError as error:
            raise DesignMismatch(f"trim(): {error}") from None
        ends = [
            f"{word} {number_text(bound)}"
            for word, bound in (("from", low), ("to", high))
            if bound is not None
        ]
        times = "" if unit == "weight" else f" times the {unit}"
        shared = "the sum may change" if share == "none" else f"{share} shares for the others"
        return self._then(step, "trim", f"{' '.join(ends)}{times}, {shared}", ())

    def normalize(
        self, to: float | Literal["rows", "base"] = "rows", *, by: str | None = None
    ) -> "Weighting":
        """Scale all weights by one factor, so that they add up to a number.

        Parameters
        ----------
        to : float, "rows" or "base"
            The sum: a number, the rows with a weight above 0, or the sum of the base weights.
        by : str, optional
            Column of groups: "rows" and "base" then hold in each.

        Returns
        -------
        Weighting
        """
        weights = self.weights
        if isinstance(to, str):
            check_choice("to", to, ("rows", "base"))
        elif not (np.isfinite(to) and to > 0):
            raise ValueError(f"to={to}: weights are normalised to a number above 0")
        if by is None:
            codes, size = _core.Codes(np.zeros(len(self), dtype=np.int32), 1), 1
        else:
            codes = self._columns.complete_factor(by, "groups").codes
            size = codes.levels
        controls = _core.Controls([codes], [], [], None)
        if to == "base":
            step = _core.Calibration.to_base(controls)
            groups = f" in each {by}" if by else ""
            return self._then(step, "normalize", f"to the sum of base weights{groups}", ())
        if to == "rows":
            wanted = controls.totals((weights > 0).astype(np.float64))
        elif by is None:
            wanted = np.full((1, size), float(to))
        else:
            raise ValueError("with by=, weights are normalised to 'rows' or 'base'")
        names = tuple(f"group {i}" for i in range(size))
        read = ControlSet(controls, names, wanted)
        listed = to if isinstance(to, str) else number_text(float(to))
        return self._calibrated(
            read, f"to {listed}" + (f" in each {by}" if by else ""), "normalize"
        )

    def balance(
        self,
        variables: str | Sequence[str] = (),
        against: Mapping[str, float | Mapping[Level, float]] | None = None,
    ) -> Balance:
        """Compare the sample before and after weighting with what it stands for.

        Parameters
        ----------
        variables : str or sequence of str
            Columns of numbers (means), and categorical ones (shares).
        against : mapping, optional
            What is known of the population: the mean of a column, or a mapping from its levels to
            shares or totals. Without it, the target is the whole sample by its base weights, those
            who did not respond included.

        Returns
        -------
        Balance
            With a love plot as `plot()`.

        Examples
        --------
        >>> import steelyard as sy
        >>> frame = sy.datasets.load("apiclus1")
        >>> population = {"E": 4421, "H": 755, "M": 1018}
        >>> w = sy.weight(frame, base="pw").rake({"stype": population})
        >>> found = w.balance(against={"stype": population})
        >>> found.difference_before.round(3).tolist()
        [0.178, -0.17, -0.081]
        >>> bool(abs(found.difference_after).max() < 1e-9)
        True
        """
        names = as_names(variables)
        if not names and not against:
            raise ValueError("name the columns to compare in variables=, or what is known of them")
        return balance_of(
            self._columns, names, against or {}, np.asarray(self._core.base), self.weights
        )

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw how the weights are spread, before and after.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure if not given.

        Returns
        -------
        matplotlib Axes
        """
        from steelyard.plots import plot_weights

        return plot_weights(self._core.base, self.weights, ax)

    def to_dict(self) -> dict[str, list[Cell]]:
        """Return one row a step: the weights after it."""
        each = [step.summary for step in self._steps]
        return {
            "step": [step.name for step in self._steps],
            "rows": [summary.rows for summary in each],
            "sum": [summary.sum for summary in each],
            "smallest": [summary.smallest for summary in each],
            "largest": [summary.largest for summary in each],
            "kish_deff": [summary.effect for summary in each],
            "effective_n": [
                summary.rows / summary.effect if summary.rows else 0.0 for summary in each
            ],
        }

    def __repr__(self) -> str:
        return text_table(self.to_dict(), self._footer())

    def _repr_html_(self) -> str:
        return html_table(self.to_dict(), self._footer())

    def _footer(self) -> list[str]:
        return [f"{step.name}: {step.text}" for step in self._steps if step.text]

    def _rows(self, condition: Where | None) -> npt.NDArray[np.bool_]:
        if condition is None:
            return np.ones(len(self), dtype=np.bool_)
        return mask_of(self._columns, condition)

    def _classes(
        self,
        names: tuple[str, ...],
        answered: npt.NDArray[np.bool_],
        able: npt.NDArray[np.bool_],
        minimum: int,
        most: float,
    ) -> ResponseClasses:
        for name in names:
            missing = np.flatnonzero(
                (self._columns.factor(name).codes.to_numpy() < 0) & able & (self.weights > 0)
            )
            if len(missing) > 0:
                raise error_in_rows(
                    MissingValues,
                    name,
                    missing.tolist(),
                    f"column {name!r} is missing",
                    "every row that could respond must be in a class: fill it in, or make missing "
                    "a level",
                )
        inside = able & (self.weights > 0)
        codes, labels, _ = cross([self._columns.factor(n) for n in names], inside, len(self))
        return response_classes(codes, labels, self.weights, answered, minimum, most)

    def _by_propensity(
        self,
        formula: str,
        quantiles: int | None,
        answered: npt.NDArray[np.bool_],
        able: npt.NDArray[np.bool_],
    ) -> "Weighting":
        frame = read_frame(parse(f"_ ~ {formula.lstrip('~ ')}"), self._columns, able)
        response = np.ascontiguousarray(answered, dtype=np.float64)
        step = _core.Propensity(frame.core, response, able.astype(np.uint8), quantiles or 0)
        text = f"{(answered & able).sum():,} of {able.sum():,} responded, by {formula}" + (
            f" in {quantiles} classes of probability" if quantiles else ""
        )
        classes = tuple(f"class {i + 1} of probability" for i in range(quantiles or 0))
        return self._then(step, "nonresponse", text, classes)

    def _calibrated(
        self,
        read: ControlSet,
        text: str,
        name: str,
        *,
        distance: DistanceKind = "linear",
        bounds: Bounds | None = None,
        residuals: Residuals = "before",
    ) -> "Weighting":
        options = CalibrationOptions(distance, bounds, "factor", None, None, residuals)
        step = options.step(self._columns, self.weights, read, None)
        return self._then(step, name, text, read.names)

    def _then(
        self,
        step: _core.Adjustment,
        name: str,
        text: str,
        controls: tuple[str, ...],
        classes: ResponseClasses | None = None,
        groups: tuple[Level, ...] = (),
    ) -> "Weighting":
        try:
            made = self._core.then(step)
        except _core.WeightingError as error:
            raise _explained(name, error, controls, groups) from None
        except _core.FitError as error:
            raise FitFailed(f"{name}: the regression of response: {error.args[0]}") from None
        except _core.InvalidColumn as error:
            _, _, column, count, rows, *_ = error.args
            raise MissingValues(
                f"{name}: {column} are missing in {rows_text(count, rows)}: every row that could "
                "respond needs them; fill them in, or make missing a level",
                count=count,
                rows=rows,
            ) from None
        last = made.steps - 1
        changed = self._core.factor_range(made)
        if changed.negative:
            text += f"; {changed.negative:,} weights are negative: bounds= keeps them above 0"
        record = WeightingStep(
            name,
            text,
            made.iterations(last),
            made.largest_error(last),
            made.summary(),
            changed.smallest,
            changed.largest,
            classes,
        )
        return Weighting(self._columns, self._base, made, (*self._steps, record))


def weight(frame: IntoDataFrame, base: str | None = None) -> Weighting:
    """Begin a chain of weighting steps from the weights of the sampling design.

    Parameters
    ----------
    frame : pandas, Polars or PyArrow frame, or any eager frame that narwhals reads
        One row for each unit sampled, those who did not respond included where a step is about
        them. It is not changed.
    base : str, optional
        Column of the design's weights; 1 without it.

    Returns
    -------
    Weighting

    Raises
    ------
    InvalidWeights
        A weight is missing, negative, infinite or text, or all are zero.

    Examples
    --------
    >>> import steelyard as sy
    >>> frame = sy.datasets.load("apiclus1")
    >>> w = sy.weight(frame, base="pw").rake({"stype": {"E": 0.71, "H": 0.12, "M": 0.17}})
    >>> w.trim(high=3, unit="median").steps[-1].name
    'trim'
    """
    columns = Columns(frame)
    values = np.ones(len(columns)) if base is None else _base(columns, base)
    core = _core.Weighting(np.ascontiguousarray(values, dtype=np.float64))
    text = "1 for each row" if base is None else f"column {base!r}"
    start = WeightingStep("base", text, 0, 0.0, core.summary())
    return Weighting(columns, base, core, (start,))


def _base(columns: Columns, name: str) -> npt.NDArray[np.generic]:
    try:
        values = columns.numbers(name)
    except NotNumeric as error:
        raise InvalidWeights(f"base weights: {error}", column=name) from None
    read = values.astype(np.float64)
    bad = np.flatnonzero(~(np.isfinite(read) & (read >= 0)))
    if len(bad) > 0:
        raise error_in_rows(
            InvalidWeights,
            name,
            bad.tolist(),
            f"base weights {name!r} are missing, infinite or negative",
            "give every row a weight, 0 for a row that stands for nobody",
        )
    if not read.any():
        raise InvalidWeights(f"base weights {name!r} are zero everywhere", column=name)
    return values


def _explained(
    name: str,
    error: _core.WeightingError,
    controls: tuple[str, ...],
    groups: tuple[Level, ...],
) -> WeightingFailed:
    """Name the totals that could not be met, and say what to do."""
    _, problem, misses = error.args
    shown = [
        (controls[control] if control < len(controls) else f"control {control}")
        + (f" in {groups[group]!r}" if groups else "")
        + f" (wanted {number_text(wanted)}, found {number_text(found)})"
        for group, control, wanted, found in misses
    ]
    listed = "; ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")
    remedy = {
        "empty_control": "no row with a weight has it: merge the level with another, or leave it "
        "out of the totals",
        "disagreement": "the totals contradict each other: they cannot all be met",
        "not_met": "no weights within the bounds add up to the totals: widen bounds=, allow "
        "slack=, or merge levels with few rows",
        "nobody_left": "the bounds leave nobody to share out to: widen low= or high=",
        "negative_weight": "a step before made negative weights, from which this one cannot start: "
        "give that step bounds=, or distance='raking'",
    }[problem]
    if name in ("nonresponse", "unknown eligibility"):
        remedy = "nobody in the class is there to stand for the others: merge it, as minimum=1 does"
    return WeightingFailed(f"{name}: {remedy}" + (f". {listed}" if listed else ""))
