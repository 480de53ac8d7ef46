"""Times of the tools, taken in turns so that the machine's noise falls on all of them alike.

Each timed run follows an untimed one of the same job, so that no tool pays for what another has
put in the processor's caches, or gains from it.
"""

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from .agreement import check_agreement
from .job import Job, Tool


@dataclass(frozen=True, slots=True)
class Measured:
    """Times of one case by tool, in milliseconds, and how well the tools agree."""

    case: str
    times: Mapping[str, Sequence[float]]
    difference: float

    def least(self, tool: str) -> float | None:
        return min(self.times[tool]) if tool in self.times else None

    def middle(self, tool: str) -> float | None:
        return median(self.times[tool]) if tool in self.times else None

    def ratio(self, above: str, below: str) -> float | None:
        """Ratio of the two tools' shortest times."""
        a, b = self.least(above), self.least(below)
        return None if a is None or b is None else a / b


def measure(case: str, tools: Sequence[Tool], repeat: int) -> Measured:
    """Check that the tools agree, then time them."""
    jobs = {tool.name: tool.jobs[case] for tool in tools if case in tool.jobs}
    difference = check_agreement(
        case, {name: one.read(one.run(one.fresh())) for name, one in jobs.items()}
    )
    times: dict[str, list[float]] = {name: [] for name in jobs}
    names = list(jobs)
    for turn in range(repeat):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            _milliseconds(jobs[name])
            times[name].append(_milliseconds(jobs[name]))
    return Measured(case, times, difference)


def _milliseconds(one: Job) -> float:
    state = one.fresh()
    gc.collect()
    gc.disable()
    try:
        start = perf_counter()
        result = one.run(state)
        stop = perf_counter()
    finally:
        gc.enable()
    del result  # Freed after the clock has stopped.
    return 1e3 * (stop - start)
