"""Time steelyard, svy and the NumPy floor on the same simulated responses.

Run from the root of the repository: python -m tests.benchmarks --rows 1000000
"""

import argparse
import json
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import polars as pl

from .agreement import TOLERANCE, Disagreement
from .data import Size, simulate
from .floor import floor_tool
from .job import CASES, Tool
from .steelyard_jobs import steelyard_tool
from .svy_jobs import svy_tool
from .table import as_json, header, introduction, line
from .timing import Measured, measure


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    asked = parser.parse_args(arguments)
    cases = [case for case in CASES if any(fnmatchcase(case, name) for name in asked.cases)]
    if not cases:
        parser.error(f"no case is called {asked.cases}; there are: {'; '.join(CASES)}")
    size = Size(asked.rows, asked.units_per_stratum, asked.seed)
    try:
        frame = simulate(size)
    except ValueError as error:
        parser.error(str(error))
    tools = _tools(frame)
    print(introduction(size, tools, asked.repeat), end="\n\n")
    print(header(tools))
    results = [_measure_and_print(case, tools, asked.repeat) for case in cases]
    done = [measured for measured in results if measured is not None]
    if done:
        largest = max(measured.difference for measured in done)
        print(f"\nEstimates and SEs above agree to {largest:.1e} (limit {TOLERANCE}).")
    if asked.output is not None:
        text = json.dumps(as_json(size, tools, done), indent=2)
        asked.output.write_text(f"{text}\n", encoding="utf-8")
    return 0 if len(done) == len(cases) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rows", type=_count, default=1_000_000)
    parser.add_argument("--units-per-stratum", type=_count, default=20, help="there are 50 strata")
    parser.add_argument("--repeat", type=_count, default=7, help="runs of each case by each tool")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--cases", nargs="+", default=["*"], metavar="NAME", help='names or patterns, as "mean*"'
    )
    parser.add_argument("--output", type=Path, help="write the results to this JSON file")
    return parser


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a count of one or more")
    return count


def _tools(frame: pl.DataFrame) -> list[Tool]:
    svy = svy_tool(frame)
    if svy is None:
        print("svy is not installed: skipped")
    found = [steelyard_tool(frame), svy, floor_tool(frame)]
    return [tool for tool in found if tool is not None]


def _measure_and_print(case: str, tools: Sequence[Tool], repeat: int) -> Measured | None:
    """A case in which the tools disagree is not timed, and makes the command fail."""
    try:
        measured = measure(case, tools, repeat)
    except Disagreement as error:
        print(f"NOT TIMED: {error}", flush=True)
        return None
    print(line(measured, tools), flush=True)
    return measured


if __name__ == "__main__":
    sys.exit(main())
