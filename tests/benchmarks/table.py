"""The results as text and as JSON."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import polars as pl

from .data import Size
from .job import CASES, Tool
from .timing import Measured

CASE_WIDTH = max(map(len, CASES))
RATIOS = (("svy", "steelyard"), ("steelyard", "floor"))


def machine(tools: Sequence[Tool]) -> dict[str, Any]:
    """Say what the times depend on besides the code."""
    return {
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "system": platform.system(),
        "versions": {
            "python": platform.python_version(),
            "polars": pl.__version__,
            **{"numpy" if tool.name == "floor" else tool.name: tool.version for tool in tools},
        },
    }


def introduction(size: Size, tools: Sequence[Tool], repeat: int) -> str:
    about = machine(tools)
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    return (
        f"{size.rows:,} rows, {size.units:,} units, seed {size.seed}; {about['cores']} cores; "
        f"{versions}\n"
        f"Times in ms: least and median of {repeat} runs, the tools in turns; ratios of the least."
    )


def header(tools: Sequence[Tool]) -> str:
    names = "".join(f"{tool.name:>20}" for tool in tools)
    ratios = "".join(f"{above} / {below}".rjust(19) for above, below in _ratios(tools))
    under = "".join(f"{'least':>10}{'median':>10}" for _ in tools)
    first = f"{'case':<{CASE_WIDTH}}{names}{ratios}"
    return f"{first}\n{'':<{CASE_WIDTH}}{under}\n{'-' * len(first)}"


def line(measured: Measured, tools: Sequence[Tool]) -> str:
    times = "".join(
        f"{_number(measured.least(tool.name)):>10}{_number(measured.middle(tool.name)):>10}"
        for tool in tools
    )
    ratios = "".join(f"{_number(measured.ratio(*pair)):>19}" for pair in _ratios(tools))
    return f"{measured.case:<{CASE_WIDTH}}{times}{ratios}"


def as_json(size: Size, tools: Sequence[Tool], results: Sequence[Measured]) -> dict[str, Any]:
    return {
        "machine": machine(tools),
        "data": asdict(size),
        "cases": [
            {
                "case": measured.case,
                "largest_relative_difference": measured.difference,
                "milliseconds": {
                    name: {
                        "least": measured.least(name),
                        "median": measured.middle(name),
                        "runs": list(runs),
                    }
                    for name, runs in measured.times.items()
                },
                "ratios": {
                    f"{above} / {below}": measured.ratio(above, below)
                    for above, below in _ratios(tools)
                },
            }
            for measured in results
        ],
    }


def _ratios(tools: Sequence[Tool]) -> list[tuple[str, str]]:
    names = {tool.name for tool in tools}
    return [pair for pair in RATIOS if names.issuperset(pair)]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.2f}"
