"""How often 95 % intervals for change cover it, on simulated waves that share some of their units.

Run from the root of the repository: python -m tests.benchmarks.change_coverage
"""

import argparse
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any, TypeAlias

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # Each process has a core of its own.

import numpy as np
import numpy.typing as npt
import polars as pl

import steelyard as sy
from steelyard.statistic import Statistic

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]

CHUNK = 250
CORRELATIONS = (0.0, 0.3, 0.6, 0.9)
OVERLAPS = (0.0, 0.25, 0.5, 0.75, 1.0)
SMALLEST, LARGEST = 8, 40
THRESHOLD = 3.0
APART = -1.0
PAGE = Path(__file__).with_suffix(".md")


@dataclass(frozen=True, slots=True)
class Waves:
    """Two waves of one simulated survey, what is estimated in them, and the true change of each."""

    frames: Mapping[int, pl.DataFrame]
    statistics: Sequence[Statistic]
    truth: Floats
    fpc: str | None = None


@dataclass(frozen=True, slots=True)
class Design:
    """How two waves are simulated, with a variable for each correlation."""

    title: str
    simulate: Callable[["Design", np.random.Generator], Waves]
    correlations: tuple[float, ...]
    kept: float
    strata: int = 4
    units: int = 50
    moved: float = 0.0
    population: int = 0
    corrected: bool = True


@dataclass(frozen=True, slots=True)
class Units:
    """Units of a wave, strata x units of each: their names, strata, answers and effects."""

    name: Integers
    stratum: Integers
    answers: Integers
    effect: Floats  # correlations x strata x units


@dataclass(frozen=True, slots=True)
class Coverage:
    """What became of the intervals of one variable in all replications."""

    auto: float
    none: float
    width_ratio: float
    se_ratio: float
    se_ratio_none: float


def share_of_stratum(strata: int) -> Floats:
    """Relative sizes of the strata in the population: 4, 3, 2, 1, and so on."""
    return (4 - np.arange(strata) % 4).astype(np.float64)


def mean_of_stratum(strata: int, wave: int) -> Floats:
    """Means differ between strata, and change by more in some than in others."""
    stratum = (np.arange(strata) % 4).astype(np.float64)
    return stratum + (0.1 + 0.1 * stratum) * wave


def share_above(mean: Floats) -> Floats:
    """Answers above the threshold: their variance in a stratum is 1 of units + 1 within."""
    return np.array([0.5 * math.erfc((THRESHOLD - each) / 2) for each in mean])


def true_change(before: Floats, after: Floats) -> float:
    """Change of the population's mean, from those of strata: units are as large in every one."""
    return float(np.average(after - before, weights=share_of_stratum(len(before))))


def two_waves(design: Design, random: np.random.Generator) -> tuple[Units, Units]:
    """Units of both waves; kept ones have the same name and enrolment, and correlated effects."""
    shape = (design.strata, design.units)
    stratum, position = np.indices(shape)
    # Half of the strata round up, the others down: 12 or 13 are a quarter of 50.
    kept = np.floor(design.kept * design.units + (stratum % 2) / 2 + 1e-9)
    is_kept = position < kept
    name = stratum * design.units + position
    enrolled = random.integers(SMALLEST, LARGEST, shape, endpoint=True)
    enrolled_later = np.where(
        is_kept, enrolled, random.integers(SMALLEST, LARGEST, shape, endpoint=True)
    )
    rho = np.array(design.correlations).reshape(-1, 1, 1)
    effect, other = random.normal(size=(2, len(rho), *shape))
    later = np.where(is_kept, rho * effect + np.sqrt(1 - rho**2) * other, other)
    moves = position < np.round(design.moved * kept)
    return (
        Units(name, stratum, _answers(enrolled, random), effect),
        Units(
            np.where(is_kept, name, name + name.size),
            np.where(moves, (stratum + 1) % design.strata, stratum),
            _answers(enrolled_later, random),
            later,
        ),
    )


def _answers(enrolled: Integers, random: np.random.Generator) -> Integers:
    return np.maximum(1, random.binomial(enrolled, 0.5))


def means(design: Design, random: np.random.Generator) -> Waves:
    """Means of clusters, one row each, weighted by answers: as rows of answers would give."""
    frames = {}
    for wave, units in enumerate(two_waves(design, random)):
        noise = random.normal(size=units.effect.shape) / np.sqrt(units.answers)
        y = mean_of_stratum(design.strata, wave)[units.stratum] + units.effect + noise
        weight = share_of_stratum(design.strata)[units.stratum] * units.answers
        frames[wave] = _frame(units.stratum, units.name, weight, y)
    change = true_change(*(mean_of_stratum(design.strata, wave) for wave in (0, 1)))
    names = _names(len(design.correlations))
    return Waves(frames, [sy.mean(name) for name in names], np.full(len(names), change))


def proportions(design: Design, random: np.random.Generator) -> Waves:
    """Answers above a threshold or not, one row an answer."""
    frames = {}
    for wave, units in enumerate(two_waves(design, random)):
        row = np.repeat(np.arange(units.name.size), units.answers.ravel())
        stratum = units.stratum.ravel()[row]
        effect = units.effect.reshape(len(design.correlations), -1)[:, row]
        y = mean_of_stratum(design.strata, wave)[stratum] + effect
        y += random.normal(size=y.shape)
        weight = share_of_stratum(design.strata)[stratum]
        above = (y > THRESHOLD).astype(np.int64)
        frames[wave] = _frame(stratum, units.name.ravel()[row], weight, above)
    change = true_change(*(share_above(mean_of_stratum(design.strata, wave)) for wave in (0, 1)))
    names = _names(len(design.correlations))
    asked = [sy.proportion(name, positive=1) for name in names]
    return Waves(frames, asked, np.full(len(names), change))


def finite(design: Design, random: np.random.Generator) -> Waves:
    """Samples of one finite population: a panel, or drawn apart and alike only by chance."""
    shape = (design.strata, design.population)
    stratum, position = np.indices(shape)
    rho = np.array(design.correlations).reshape(-1, 1, 1)
    effect, other = random.normal(size=(2, len(rho), *shape))
    effects = (effect, rho * effect + np.sqrt(1 - rho**2) * other)
    answers = random.integers(SMALLEST, LARGEST, shape, endpoint=True)
    weight = share_of_stratum(design.strata)[stratum] * answers
    order = np.argsort(random.random(shape), axis=1)
    first = order[:, : design.units]
    if design.kept == APART:
        second = np.argsort(random.random(shape), axis=1)[:, : design.units]
    else:
        start = design.units - round(design.kept * design.units)
        second = order[:, start : start + design.units]
    frames, population = {}, []
    for wave, chosen in enumerate((first, second)):
        y = mean_of_stratum(design.strata, wave)[stratum] + effects[wave]
        population.append((weight * y).sum(axis=(1, 2)) / weight.sum())
        at = (np.arange(design.strata)[:, None], chosen)
        name = (stratum * design.population + position)[at]
        frames[wave] = _frame(stratum[at], name, weight[at], y[:, *at]).with_columns(
            size=pl.lit(design.population)
        )
    names = _names(len(rho))
    truth = population[1] - population[0]
    fpc = "size" if design.corrected else None
    return Waves(frames, [sy.mean(name) for name in names], truth, fpc)


def _names(count: int) -> list[str]:
    return [f"y{i}" for i in range(count)]


def _frame(stratum: Integers, unit: Integers, weight: Floats, y: npt.NDArray[Any]) -> pl.DataFrame:
    columns = {"stratum": stratum.ravel(), "unit": unit.ravel(), "weight": weight.ravel()}
    variables = zip(_names(len(y)), y.reshape(len(y), -1), strict=True)
    return pl.DataFrame({**columns, **dict(variables)})


GRID = [Design("", means, CORRELATIONS, kept) for kept in OVERLAPS]
OTHERS = [
    Design("half kept, a fifth of them in another stratum", means, (0.6, 0.9), 0.5, moved=0.2),
    Design("proportion, half kept", proportions, (0.6, 0.9), 0.5),
    Design("proportion, all kept", proportions, (0.6, 0.9), 1.0),
    Design("20 strata of 3 units, 1 of 3 kept", means, (0.6, 0.9), 1 / 3, strata=20, units=3),
    Design("20 strata of 3 units, 2 of 3 kept", means, (0.6, 0.9), 2 / 3, strata=20, units=3),
    Design("60 of 200, drawn apart", finite, (0.8,), APART, units=60, population=200),
    Design("60 of 200, all kept", finite, (0.8,), 1.0, units=60, population=200),
    Design("60 of 200, half kept", finite, (0.8,), 0.5, units=60, population=200),
    Design(
        "60 of 200, half kept, without `fpc=`",
        finite,
        (0.8,),
        0.5,
        units=60,
        population=200,
        corrected=False,
    ),
    Design("50 of 1,000, half kept", finite, (0.8,), 0.5, units=50, population=1000),
]
DESIGNS = [*GRID, *OTHERS]


def replicate(task: tuple[int, int, int, int]) -> tuple[int, Floats]:
    """Simulate and compare a number of times.

    Returns the design's position and an array of replications x variables x 7: the error of the
    estimated change, then its SE, whether its interval covers and the interval's width, by
    overlap="auto" and by overlap="none".
    """
    position, chunk, replications, seed = task
    random = np.random.default_rng([seed, position, chunk])
    design = DESIGNS[position]
    return position, np.array([_replication(design, random) for _ in range(replications)])


def _replication(design: Design, random: np.random.Generator) -> Floats:
    simulated = design.simulate(design, random)
    waves = {
        wave: sy.Survey(frame, "weight", "stratum", "unit", fpc=simulated.fpc)
        for wave, frame in simulated.frames.items()
    }
    found: list[Floats] = []
    for overlap in ("auto", "none"):
        compared = sy.compare(waves, simulated.statistics, overlap=overlap, adjust="none")
        change = compared.differences[1]
        low, high = change.ci(0.95).T
        if not found:
            found.append(change.estimate - simulated.truth)
        covers = (low <= simulated.truth) & (simulated.truth <= high)
        found += [change.se, covers.astype(np.float64), high - low]
    return np.array(found).T


def summary(replications: Floats) -> list[Coverage]:
    """What became of each variable's intervals."""
    error, se, covers, width, se_none, covers_none, width_none = np.moveaxis(replications, 2, 0)
    sd = error.std(axis=0, ddof=1)
    return [
        Coverage(*row)
        for row in zip(
            covers.mean(axis=0).tolist(),
            covers_none.mean(axis=0).tolist(),
            (width_none.mean(axis=0) / width.mean(axis=0)).tolist(),
            (se.mean(axis=0) / sd).tolist(),
            (se_none.mean(axis=0) / sd).tolist(),
            strict=True,
        )
    ]


def study(replications: int, seed: int, processes: int) -> list[list[Coverage]]:
    """Results by design and correlation; the same for any number of processes."""
    tasks = [
        (position, chunk, min(CHUNK, replications - start), seed)
        for position in range(len(DESIGNS))
        for chunk, start in enumerate(range(0, replications, CHUNK))
    ]
    parts: list[list[Floats]] = [[] for _ in DESIGNS]
    started = perf_counter()
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        for done, (position, part) in enumerate(pool.map(replicate, tasks), 1):
            parts[position].append(part)
            seconds = perf_counter() - started
            print(f"\r{done} of {len(tasks)} parts, {seconds:.0f} s", end="", file=sys.stderr)
    print(file=sys.stderr)
    return [summary(np.concatenate(part)) for part in parts]


def page(results: Sequence[Sequence[Coverage]], replications: int, seed: int) -> str:
    """The results as a page of Markdown."""
    grid, others = results[: len(GRID)], results[len(GRID) :]
    flat = [cell for row in grid for cell in row]
    auto, none = [cell.auto for cell in flat], [cell.none for cell in flat]
    return PAGE_TEXT.format(
        replications=replications,
        seed=seed,
        margin=100 * math.sqrt(0.95 * 0.05 / replications),
        coverage="\n".join(_matrix(grid, _coverage)),
        errors="\n".join(_matrix(grid, _errors)),
        auto=f"{_percent(min(auto))} to {_percent(max(auto))}",
        none=f"{_percent(min(none))} to {_percent(max(none))}",
        others="\n".join(_list(others)),
    )


PAGE_TEXT = """\
# Coverage of intervals for change

Nominal 95 % intervals of `sy.compare(waves, sy.mean("y"), adjust="none")`, on simulated data. Two
waves of 4 strata of 50 units (clusters of 1 to 40 answers, 12 on average) are drawn from an
infinite population {replications:,} times. Wave 2 keeps some units by name and replaces the others;
the effects of a kept unit in the two waves are normal with the correlation shown. Its enrolment
stays, so that waves covary a little even at 0. Strata differ in size, mean and change, and the true
change is known. Answers vary about their unit with variance 1, as units do about their stratum.
Rows are means of units weighted by answers, of which estimates and errors are those of the answers.
The Monte-Carlo error of a coverage near 95 % is {margin:.2f} points. Written by

    python -m tests.benchmarks.change_coverage --replications {replications} --seed {seed}

Coverage in per cent; in brackets, as if waves were independent (`overlap="none"`):

{coverage}

From {auto}; as if independent, from {none}. With no unit kept, columns are repetitions.

Width as if independent over our width; in brackets, our mean standard error over the standard
deviation of the change's errors:

{errors}

Other designs, in brackets as if independent. "60 of 200" are units a stratum of a finite
population, with `fpc=` as a count:

{others}

- Units that changed stratum, and proportions (of rows of answers), are covered as others are.
- With few units a stratum, some replaced, the covariance is understated by the factor
  (n² - 2n + m) / (n² - n), m of n kept: 0.67 and 0.83 here. Intervals are rather too wide.
- Of a finite population, two samples drawn apart do not covary, although some units are in both by
  chance, and where some of n of N units are replaced by others of the same N, the covariance is
  proportional to m / n² - 1 / N. With `fpc=` that is what changes are given; without it, intervals
  are too wide.
"""


def _coverage(cell: Coverage) -> str:
    return f"{_percent(cell.auto)} ({_percent(cell.none)})"


def _errors(cell: Coverage) -> str:
    return f"{cell.width_ratio:.2f} ({cell.se_ratio:.3f})"


def _matrix(grid: Sequence[Sequence[Coverage]], text: Callable[[Coverage], str]) -> Iterator[str]:
    yield "| units kept | " + " | ".join(f"correlation {rho:g}" for rho in CORRELATIONS) + " |"
    yield "|---:|" + "---:|" * len(CORRELATIONS)
    for kept, row in zip(OVERLAPS, grid, strict=True):
        yield f"| {100 * kept:g} % | " + " | ".join(map(text, row)) + " |"


def _list(results: Sequence[Sequence[Coverage]]) -> Iterator[str]:
    yield "| design | correlation | coverage | width ratio | SE / SD |"
    yield "|---|---:|---:|---:|---:|"
    for design, row in zip(OTHERS, results, strict=True):
        for rho, cell in zip(design.correlations, row, strict=True):
            ratios = f"{cell.width_ratio:.2f} | {cell.se_ratio:.3f} ({cell.se_ratio_none:.3f})"
            yield f"| {design.title} | {rho:g} | {_coverage(cell)} | {ratios} |"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _positive(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a count of one or more")
    return count


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.change_coverage", description=__doc__
    )
    parser.add_argument("--replications", type=_positive, default=5_000, help="of each design")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=_positive, default=os.cpu_count() or 1)
    parser.add_argument("--output", type=Path, default=PAGE, help="write the page to this file")
    asked = parser.parse_args(arguments)
    results = study(asked.replications, asked.seed, asked.processes)
    text = page(results, asked.replications, asked.seed)
    asked.output.write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
