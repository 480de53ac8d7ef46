"""Saving estimates, so that next year's can be compared with them without the microdata."""

import json
import math
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import narwhals as nw
import numpy as np

from steelyard import _core
from steelyard.errors import SavedFileError
from steelyard.estimates import Estimates, Presentation
from steelyard.evidence import Evidence, Floats, Integers
from steelyard.labels import Labels
from steelyard.levels import Level
from steelyard.provenance import Provenance
from steelyard.quantile import SavedInterval

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = 1
_KEY = b"steelyard"
_DEVIATION = "deviation_{}"
Json: TypeAlias = dict[str, Any]  # as json reads it


def save(estimates: Estimates, path: str | Path, *, units: bool = True) -> Path:
    """Write estimates to one Parquet file; see :meth:`Estimates.save`."""
    pa, pq = _arrow()
    target = Path(path)
    if not target.parent.is_dir():
        raise SavedFileError(f"there is no folder {target.parent} to write {target.name} into")
    identity = _identity_of(estimates.core)
    core = estimates.core.without_unnamed(identity) if units else estimates.core.root(identity)
    table = _table(pa, core)
    described = _described(estimates, core)
    described["digest"] = _digest(described, table)
    text = json.dumps(described, allow_nan=False).encode()
    table = table.replace_schema_metadata({_KEY: text})
    part = target.with_name(f"{target.name}.part")
    try:
        pq.write_table(table, part, compression="zstd")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def load(path: str | Path) -> Estimates:
    """Read estimates that were saved; see :meth:`Estimates.load`."""
    file = Path(path)
    table, described = _read(file)
    try:
        core = _core.Estimates.restored(
            _floats(described["values"]),
            _deviations(table, len(described["values"])),
            _column(table, "unit", np.uint64),
            _column(table, "stratum", np.uint64),
            _column(table, "counted", np.uint8),
            np.array([int(key, 16) for key in described["samples"]], dtype=np.uint64),
            _column(table, "fraction", np.float64) if described["fractions"] else np.zeros(0),
            _column(table, "sign", np.float64) if described["signs"] else np.zeros(0),
            _number(described["df"]),
            described["by_unit"],
        )
        return Estimates(
            core,
            _labels(described["labels"]),
            _evidence(described["evidence"], described["presentation"]["level"]),
            _presentation(described),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SavedFileError(
            f"{file}: it says that it holds estimates, and not all of them are there ({error})"
        ) from None


def _identity_of(core: _core.Estimates) -> int:
    """A key of what has no units of its own: equal for the same estimates saved twice."""
    state = blake2b(digest_size=8)
    for array in (core.sample_keys, core.values, core.deviations):
        state.update(np.ascontiguousarray(array).tobytes())
    return int.from_bytes(state.digest())


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ImportError(
            'saving and loading estimates needs pyarrow: pip install "steelyard[save]"'
        ) from None
    return pyarrow, parquet


def _table(pa: Any, core: _core.Estimates) -> "pa.Table":
    columns = {
        "unit": core.unit_keys,
        "stratum": core.stratum_keys,
        "counted": core.counted,
    }
    if len(core.fractions) > 0:
        columns["fraction"] = core.fractions
    if len(core.signs) > 0:
        columns["sign"] = core.signs
    matrix = core.deviations
    columns |= {
        _DEVIATION.format(j): np.ascontiguousarray(matrix[:, j]) for j in range(matrix.shape[1])
    }
    return pa.table(columns)


def _described(estimates: Estimates, core: _core.Estimates) -> Json:
    shown, evidence, labels = estimates.presentation, estimates.evidence, estimates.labels
    return {
        "schema": SCHEMA,
        "steelyard": _core.__version__,
        "provenance": [
            {"design": source.design, "digest": source.digest} for source in shown.sources
        ],
        "labels": {
            "by": {name: list(values) for name, values in labels.by.items()},
            "variable": labels.variable,
            "level": labels.level,
            "kind": labels.kind,
        },
        "values": _plain(core.values),
        "df": _plain_number(core.degrees_of_freedom),
        "by_unit": core.by_unit,
        "fractions": len(core.fractions) > 0,
        "signs": len(core.signs) > 0,
        "samples": [f"{int(key):016x}" for key in core.sample_keys],
        "evidence": {
            "n": evidence.n.tolist(),
            "missing": evidence.missing.tolist(),
            "units": evidence.units.tolist(),
            "strata": evidence.strata.tolist(),
            "deff": _plain(evidence.deff),
            "deff_replace": _plain(evidence.deff_replace),
            "certain": evidence.certain.tolist(),
            "census": evidence.census.tolist(),
            "df": None if evidence.df is None else _plain(evidence.df),
            "left_out": None if evidence.left_out is None else evidence.left_out.tolist(),
            "intervals": _intervals(estimates),
        },
        "presentation": {
            "level": shown.level,
            "ungrouped": shown.ungrouped,
            "df": shown.df if isinstance(shown.df, str) else _plain_number(shown.df),
            "implementation": shown.implementation.name,
            "conventions": dict(shown.conventions),
            "undefined_df": list(shown.undefined_df),
            "replicated": shown.replicated,
        },
    }


def _intervals(estimates: Estimates) -> list[list[float | str | None] | None]:
    """Intervals that are read back through the sample, at the confidence level shown."""
    own = estimates.evidence.own
    if not any(interval is not None for interval in own):
        return []
    level, df = estimates.presentation.level, estimates.degrees_of_freedom()
    found: list[list[float | str | None] | None] = []
    for i, interval in enumerate(own):
        if interval is None:
            found.append(None)
            continue
        sides = [interval.bounds(level, None, side, df[i]) for side in ("two", "lower", "upper")]
        found.append([_plain_number(bound) for bounds in sides for bound in bounds])
    return found


def _read(file: Path) -> tuple["pa.Table", Json]:
    pa, pq = _arrow()
    if not file.is_file():
        raise SavedFileError(f"{file}: there is no such file")
    try:
        table = pq.read_table(file)
    except (pa.ArrowException, OSError) as error:
        raise SavedFileError(
            f"{file}: this is no Parquet file, or it is damaged ({type(error).__name__})"
        ) from None
    text = (table.schema.metadata or {}).get(_KEY)
    if text is None:
        raise SavedFileError(f"{file}: these are no estimates saved by steelyard")
    try:
        described = json.loads(text)
        schema, version = described["schema"], described["steelyard"]
    except (ValueError, KeyError, TypeError):
        raise SavedFileError(f"{file}: the file is damaged: what it holds cannot be read") from None
    if schema != SCHEMA:
        raise SavedFileError(
            f"{file}: saved in schema {schema} by steelyard {version}, and steelyard "
            f"{_core.__version__} reads schema {SCHEMA}: "
            + (
                "upgrade steelyard"
                if isinstance(schema, int) and schema > SCHEMA
                else "save it anew"
            )
        )
    written = described.pop("digest", None)
    try:
        found = _digest(described, table)
    except ValueError:  # of names that are no text any more
        found = ""
    if not found or written != found:
        raise SavedFileError(f"{file}: the file is damaged: its content is not what was saved")
    return table, described


def _digest(described: Mapping[str, object], table: "pa.Table") -> str:
    state = blake2b(digest_size=16)
    state.update(json.dumps(described, sort_keys=True, allow_nan=False).encode())
    for name in table.column_names:
        state.update(name.encode())
        values = table.column(name).to_numpy()
        state.update(np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes())
    return state.hexdigest()


def _column(table: "pa.Table", name: str, dtype: type[np.generic]) -> Any:
    return np.ascontiguousarray(table.column(name).to_numpy(), dtype=dtype)


def _deviations(table: "pa.Table", size: int) -> Floats:
    matrix = np.empty((table.num_rows, size))
    for j in range(size):
        matrix[:, j] = table.column(_DEVIATION.format(j)).to_numpy()
    return matrix


def _labels(described: Json) -> Labels:
    by = cast(dict[str, list[Level]], described["by"])
    return Labels(by, described["variable"], described["level"], described["kind"])


def _evidence(described: Json, level: float) -> Evidence:
    own = tuple(
        None if bounds is None else SavedInterval(level, *(_number(bound) for bound in bounds))
        for bounds in described["intervals"]
    )
    df, left_out = described["df"], described["left_out"]
    return Evidence(
        _integers(described["n"]),
        _integers(described["missing"]),
        _integers(described["units"]),
        _integers(described["strata"]),
        _floats(described["deff"]),
        _floats(described["deff_replace"]),
        np.array(described["certain"], dtype=np.bool_),
        np.array(described["census"], dtype=np.bool_),
        own,
        None if df is None else _floats(df),
        None if left_out is None else _integers(left_out),
    )


def _presentation(described: Json) -> Presentation:
    shown = described["presentation"]
    return Presentation(
        shown["level"],
        shown["ungrouped"],
        shown["df"]
        if shown["df"] in ("design", "domain", "satterthwaite", "normal")
        else _number(shown["df"]),
        nw.Implementation[shown["implementation"]],
        dict(shown["conventions"]),
        tuple(shown["undefined_df"]),
        shown["replicated"],
        tuple(Provenance(each["design"], None, each["digest"]) for each in described["provenance"]),
    )


def _plain(values: Sequence[float] | Floats) -> list[float | str | None]:
    return [_plain_number(float(value)) for value in values]


def _plain_number(value: float) -> float | str | None:
    """A number as JSON has it: NaN is null, the infinite are text."""
    if math.isnan(value):
        return None
    return float(value) if math.isfinite(value) else "inf" if value > 0 else "-inf"


def _number(value: float | str | None) -> float:
    return float("nan") if value is None else float(value)


def _floats(values: Sequence[float | str | None]) -> Floats:
    return np.array([_number(value) for value in values], dtype=np.float64)


def _integers(values: Sequence[int]) -> Integers:
    return np.array(values, dtype=np.int64)
