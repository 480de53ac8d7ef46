"""From a formula to the columns of a regression, one factor at a time."""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product as combinations

import narwhals as nw
import numpy as np

from steelyard import _core
from steelyard.columns import BoolArray, Columns, NumberArray
from steelyard.errors import FormulaError, TooManyLevels, UnknownLevel, nearest_text
from steelyard.evidence import Floats
from steelyard.levels import Factor, Level, with_levels

INTERCEPT = "(Intercept)"
MOST_FACTOR_LEVELS = 200


@dataclass(frozen=True, slots=True)
class ModelColumn:
    """One column of the model: its term, the levels it stands for, and what it multiplies."""

    term: str
    level: Level
    factors: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable as it is used: numbers, or a categorical column with its levels."""

    name: str
    numbers: tuple[NumberArray, ...] = ()
    factor: Factor | None = None
    spec: object = None  # how an expression was computed, with its means, knots and so on


@dataclass(frozen=True, slots=True)
class Formula:
    """A parsed formula: the response, and the variables that each term multiplies."""

    response: str
    intercept: bool
    terms: tuple[tuple[str, ...], ...]

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable of the right side, once."""
        return tuple(dict.fromkeys(name for term in self.terms for name in term))


@dataclass(frozen=True, slots=True)
class ModelFrame:
    """The right side of a formula, read from a frame."""

    formula: Formula
    core: _core.ModelMatrix
    columns: tuple[ModelColumn, ...]
    levels: Mapping[str, tuple[Level, ...]]
    factor_of: Mapping[str, int]  # the factor of each variable of numbers
    indicators: Mapping[str, Sequence[tuple[Level, int]]]  # those of each categorical variable
    specs: Mapping[str, object]  # of each variable that is not categorical

    def with_level(self, name: str, level: Level) -> _core.ModelMatrix:
        """The same matrix with a categorical variable at one level in every row."""
        core = self.core
        for label, factor in self.indicators[name]:
            core = core.with_value(factor, 1.0 if label == level else 0.0)
        return core


def parse(formula: str) -> Formula:
    """Read a formula such as ``"score ~ age + C(region) * online"``.

    Raises
    ------
    FormulaError
        It is no formula, or has no response.
    """
    try:
        from formulaic import Formula as Parsed
        from formulaic.errors import FormulaicError
    except ImportError:
        raise ImportError(
            "formulas are read by the package formulaic: pip install 'steelyard[model]'"
        ) from None
    try:
        parsed = Parsed(formula)
    except FormulaicError as error:
        reason = str(error).splitlines()[0]
        raise FormulaError(f"{formula!r} is no formula: {reason}") from None
    if not hasattr(parsed, "lhs"):
        raise FormulaError(
            f"{formula!r} has no response: write one before ~, as in 'score ~ age + region'"
        )
    left, right = parsed.lhs, parsed.rhs
    response = " + ".join(str(term) for term in left)
    terms = []
    intercept = False
    if not all(hasattr(term, "factors") for term in right):
        raise FormulaError(f"{formula!r} has several parts, and one is modelled")
    for term in right:
        names = tuple(str(factor.expr) for factor in term.factors)
        if names == ("1",):
            intercept = True
        elif names != ("0",):
            terms.append(names)
    if len(list(left)) != 1:
        raise FormulaError(f"{formula!r} has {len(list(left))} responses, and one is modelled")
    return Formula(response, intercept, tuple(terms))


def read_frame(
    formula: Formula,
    columns: Columns,
    inside: BoolArray | None = None,
    reference: Mapping[str, Level] | None = None,
) -> ModelFrame:
    """Read the variables of a formula and make the columns of its terms.

    A categorical variable takes one column for each level but the first (treatment contrasts); all
    of them where the term without the variable is not in the model.

    Parameters
    ----------
    inside : array of bool, optional
        Rows of the model: levels that none of them has are left out.
    reference : mapping of variable to level, optional
        The level that others are compared with, if not the first.
    """
    read = {name: _read(name, columns, inside, reference) for name in formula.variables}
    for name in reference or {}:
        if name not in {_categorical(v) or v for v, r in read.items() if r.factor is not None}:
            raise FormulaError(
                f"reference= names {name!r}, which is no categorical variable of the formula",
                column=name,
            )
    return _model_frame(formula, columns, read)


def read_new(frame: ModelFrame, columns: Columns) -> ModelFrame:
    """Read the same variables from another frame, with the levels and means of the first."""
    read = {name: _read_again(name, frame, columns) for name in frame.formula.variables}
    return _model_frame(frame.formula, columns, read)


def _model_frame(formula: Formula, columns: Columns, read: Mapping[str, Variable]) -> ModelFrame:
    factors: list[_core.ModelFactor] = []
    coded: dict[tuple[str, bool], list[tuple[Level, int]]] = {}
    made: list[ModelColumn] = []
    if formula.intercept:
        made.append(ModelColumn(INTERCEPT, None, ()))
    present = {frozenset(term) for term in formula.terms}
    if formula.intercept:
        present.add(frozenset())
    for term in formula.terms:
        parts = []
        for name in term:
            reduced = _is_reduced(name, term, present, read)
            if len(term) == 1 and read[name].factor is not None:
                present.add(frozenset())  # all of its levels are a constant
            if (name, reduced) not in coded:
                coded[name, reduced] = _code(read[name], reduced, factors)
            parts.append(coded[name, reduced])
        # As R: the first variable of a term varies fastest.
        for choice in combinations(*reversed(parts)):
            labels = [label for label, _ in reversed(choice) if label is not None]
            made.append(
                ModelColumn(
                    ":".join(term),
                    _level_of(labels),
                    tuple(index for _, index in reversed(choice)),
                )
            )
    names = [f"{c.term}[{c.level}]" if c.level is not None else c.term for c in made]
    core = _core.ModelMatrix(len(columns), factors, names, [list(c.factors) for c in made])
    known = {name: v.factor.levels for name, v in read.items() if v.factor is not None}
    of_numbers = {
        name: coded[name, False][0][1]
        for name, v in read.items()
        if v.factor is None and len(v.numbers) == 1
    }
    indicators: dict[str, list[tuple[Level, int]]] = {}
    for (name, _), levels_of in coded.items():
        if read[name].factor is not None:
            indicators.setdefault(name, []).extend(levels_of)
    specs = {name: v.spec for name, v in read.items() if v.factor is None}
    return ModelFrame(formula, core, tuple(made), known, of_numbers, indicators, specs)


def read_numbers(name: str, columns: Columns) -> NumberArray:
    """Read a variable of numbers: a column, or an expression of columns."""
    if name in columns.names and columns.series(name).dtype == nw.Boolean:
        return columns.numbers(name)  # 1 where it holds
    variable = _read(name, columns, None, None)
    if variable.factor is not None or len(variable.numbers) != 1:
        raise FormulaError(
            f"{name!r} is not a column of numbers: name the answers that count in positive=",
            column=name,
        )
    return variable.numbers[0]


def columns_of(name: str, columns: Columns) -> set[str]:
    """The columns of the frame that a variable is made of."""
    column = _categorical(name)
    if column is not None or name in columns.names:
        return {column or name}
    quoted = re.findall(r"`([^`]+)`", name)
    try:
        tree = ast.parse(re.sub(r"`[^`]+`", "0", name).strip("{}"), mode="eval")
    except SyntaxError:
        return set(quoted)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return (names | set(quoted)) & set(columns.names)


def _read(
    name: str,
    columns: Columns,
    inside: BoolArray | None,
    reference: Mapping[str, Level] | None,
) -> Variable:
    column = _categorical(name)
    if column is None and name in columns.names:
        if columns.series(name).dtype.is_numeric():
            return Variable(name, numbers=(columns.numbers(name),))
        column = name
    if column is None:
        numbers, spec = _evaluate(name, columns, inside=inside)
        return Variable(name, numbers=numbers, spec=spec)
    factor = _present(columns.factor(column), inside)
    if len(factor.levels) > MOST_FACTOR_LEVELS:
        raise TooManyLevels(
            f"column {column!r} has {len(factor.levels):,} levels, and a model at most "
            f"{MOST_FACTOR_LEVELS}: merge them, or leave the column out",
            column=column,
        )
    if reference and column in reference:
        first = reference[column]
        if first not in factor.levels:
            raise UnknownLevel(
                f"{first!r} in reference= is no level of column {column!r}."
                f"{nearest_text(first, factor.levels)}",
                column=column,
            )
        others = [level for level in factor.levels if level != first]
        factor = with_levels(column, factor, (first, *others))
    return Variable(name, factor=factor)


def _read_again(name: str, frame: ModelFrame, columns: Columns) -> Variable:
    """A variable of another frame, as the model knows it."""
    column = _categorical(name) or name
    if name in frame.levels:
        found = columns.factor(column)
        return Variable(name, factor=with_levels(column, found, frame.levels[name]))
    spec = frame.specs[name]
    if spec is not None:
        numbers, _ = _evaluate(name, columns, spec)
        return Variable(name, numbers=numbers, spec=spec)
    return Variable(name, numbers=(columns.numbers(name),))


def _present(factor: Factor, inside: BoolArray | None) -> Factor:
    """The levels that rows of the model have."""
    codes = factor.codes.to_numpy()
    chosen = codes if inside is None else codes[inside]
    counts = np.bincount(chosen[chosen >= 0], minlength=len(factor.levels))
    if (counts > 0).all():
        return factor
    kept = np.flatnonzero(counts > 0)
    position = np.full(len(factor.levels) + 1, -1, dtype=np.int32)
    position[kept] = np.arange(len(kept))
    levels = tuple(factor.levels[code] for code in kept)
    return Factor(_core.Codes(position[codes], len(kept)), levels)


def _categorical(name: str) -> str | None:
    """The column in C(column)."""
    if not (name.startswith("C(") and name.endswith(")")):
        return None
    inner = name[2:-1].strip().strip("`")
    if any(mark in inner for mark in "(),"):
        raise FormulaError(
            f"{name!r}: C() takes the name of one column; choose the level of comparison in "
            "reference="
        )
    return inner


def _evaluate(
    expression: str, columns: Columns, spec: object = None, inside: BoolArray | None = None
) -> tuple[tuple[NumberArray, ...], object]:
    """The columns of an expression such as ``bs(age, df=4)``, and how they were computed."""
    import formulaic

    def compute(how: object, frame: object) -> "formulaic.ModelMatrix":
        return formulaic.model_matrix(
            how, frame, context={"np": np}, na_action="ignore", output="numpy"
        )

    try:
        if spec is None:
            # Means and knots are those of the rows of the model that have a value.
            rows = _complete(expression, columns)
            rows = rows if inside is None else rows & inside
            complete = columns.frame.filter(rows.tolist())
            made = compute(f"0 + {expression}", complete.to_native())
            spec_of = made.model_spec
        else:
            spec_of = spec
        made = compute(spec_of, columns.frame.to_native())
        matrix: Floats = np.asarray(made, dtype=np.float64)
        if spec is None and made.model_spec.factor_contrasts:
            # True and false; words cannot be multiplied.
            return _evaluate(f"{{({expression}) * 1.0}}", columns, inside=inside)
    except FormulaError:
        raise
    except Exception as error:
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise FormulaError(
            f"{expression!r} is no column and cannot be computed ({reason})."
            f"{nearest_text(expression, columns.names)}"
        ) from None
    if np.isnan(matrix).all():
        raise FormulaError(
            f"{expression!r} has no value in any row: does it take a mean over missing values?"
        )
    numbers = tuple(np.ascontiguousarray(matrix[:, j]) for j in range(matrix.shape[1]))
    return numbers, spec_of


def _complete(expression: str, columns: Columns) -> BoolArray:
    """Rows in which no column of an expression is missing."""
    complete = np.ones(len(columns), dtype=np.bool_)
    for name in columns_of(expression, columns):
        if name in columns.names:
            series = columns.series(name)
            complete &= ~series.is_null().to_numpy()
            if series.dtype.is_float():
                complete &= ~np.isnan(np.asarray(columns.numbers(name), dtype=np.float64))
    return complete


def _is_reduced(
    name: str,
    term: Sequence[str],
    present: set[frozenset[str]],
    read: Mapping[str, Variable],
) -> bool:
    """Does the model already have what all levels of the variable add up to in this term?"""
    if read[name].factor is None:
        return False
    return frozenset(other for other in term if other != name) in present


def _code(
    variable: Variable, reduced: bool, factors: list[_core.ModelFactor]
) -> list[tuple[Level, int]]:
    """The columns of a variable, as factors of the core, and the level that each stands for."""
    coded: list[tuple[Level, int]] = []
    if variable.factor is None:
        for j, numbers in enumerate(variable.numbers):
            factors.append(_core.ModelFactor.numbers(variable.name, numbers))
            coded.append((None if len(variable.numbers) == 1 else j + 1, len(factors) - 1))
        return coded
    levels = variable.factor.levels
    for code in range(1 if reduced else 0, len(levels)):
        value = np.zeros(len(levels))
        value[code] = 1
        factors.append(_core.ModelFactor.levels(variable.factor.codes, value))
        coded.append((levels[code], len(factors) - 1))
    return coded


def _level_of(labels: Sequence[Level]) -> Level:
    if len(labels) <= 1:
        return labels[0] if labels else None
    return " : ".join(str(label) for label in labels)
