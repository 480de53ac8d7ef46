"""The command line: ``steelyard audit``, ``steelyard scorecard``, ``steelyard demo``."""

import json
import sys
from pathlib import Path
from typing import Annotated, NoReturn

from steelyard._core import __version__
from steelyard.errors import SteelyardError

try:
    import typer
except ImportError:
    print('The command line needs typer: pip install "steelyard[report]"', file=sys.stderr)
    raise SystemExit(2) from None

POSSIBLE, IMPOSSIBLE, BAD_INPUT = 0, 1, 2

app = typer.Typer(
    help="Survey statistics for people who evaluate programmes.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Run the command line. Whatever goes wrong ends with status 2, which no finding has."""
    try:
        app()
    except Exception as error:
        typer.echo(f"steelyard: {type(error).__name__}: {error}", err=True)
        raise SystemExit(BAD_INPUT) from error


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Show the version and stop.")] = False,
) -> None:
    """Survey statistics for people who evaluate programmes."""
    if show:
        typer.echo(f"steelyard {__version__}")
        raise typer.Exit


@app.command()
def audit(
    figure: Annotated[str, typer.Argument(help='As printed, for example "96,9 %".')],
    n: Annotated[int, typer.Option("--n", help="Answers it is said to come from.")],
    rounding: Annotated[
        str, typer.Option(help="any, half_up, half_even, half_down or truncate.")
    ] = "any",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Ask whether a published share is possible, without the data.

    Exit status: 0 possible, 1 impossible, 2 bad input.
    """
    from typing import get_args

    from steelyard.published import Rounding
    from steelyard.published import audit as audit_figure

    if rounding not in get_args(Rounding):
        _fail(f"--rounding {rounding!r} is not one of {', '.join(get_args(Rounding))}")
    try:
        found = audit_figure(figure, n, rounding=rounding)  # type: ignore[arg-type]
    except SteelyardError as error:
        _fail(str(error))
    typer.echo(json.dumps(found.to_dict()) if as_json else repr(found))
    raise typer.Exit(POSSIBLE if found.possible else IMPOSSIBLE)


@app.command()
def scorecard(
    card: Annotated[Path, typer.Argument(help="Scorecard file (TOML) with [data] and [design].")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write one page of HTML here.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Compute a scorecard from the data files that it names.

    The card: title, source, note; [design] weights, strata, clusters, fpc, nest, lonely; [data] a
    file for each year, CSV or Parquet; and for each [[indicator]] code, label, question, positive,
    and if wanted answers (all of them, in order), base, published (by year, as printed), target
    (value, years, direction, history) and break (year, reason).

    Exit status: 0 computed, 2 bad input.
    """
    from steelyard.scorecard import Scorecard

    try:
        described = Scorecard.from_toml(card)
        evaluation = described.evaluate(described.load())
        if output is not None:
            evaluation.to_html(output)
    except (SteelyardError, ImportError, OSError) as error:
        _fail(str(error))
    if as_json:
        typer.echo(json.dumps(evaluation.to_dict(), ensure_ascii=False))
    else:
        typer.echo(f"{evaluation.card.title}\n\n{evaluation!r}")
        if output is not None:
            typer.echo(f"\nWritten: {output}")


@app.command()
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Page to write.")] = Path(
        "steelyard-demo.html"
    ),
) -> None:
    """Audit four published figures, compute a simulated scorecard, check a KPI on real data.

    Exit status: 0 done, 2 something is not installed or the page cannot be written.
    """
    from steelyard.demo import run_demo

    try:
        run_demo(typer.echo, output)
    except (SteelyardError, ImportError, OSError) as error:
        _fail(str(error))


def _fail(message: str) -> NoReturn:
    typer.echo(f"steelyard: {message}", err=True)
    raise typer.Exit(BAD_INPUT)
