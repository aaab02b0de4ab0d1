"""Importing: `sojourn import`, its progress and its sum."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from sojourn.cli.options import ConfigOption, DataOption, JsonOption, configuration, now_ms
from sojourn.cli.output import is_for_people, say_json
from sojourn.definitions.counts import counted
from sojourn.model.errors import ConfigError
from sojourn.model.event import OUR_SOURCE

if TYPE_CHECKING:
    from sojourn.runtime.importing import Imported, Step

INTERRUPTED = 130  # 128 and SIGINT, as shells have it.

Tell = Callable[["Step"], None]


def import_events(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSONL, CSV or Parquet; .gz is fine.")],
    *,
    column_map: Annotated[
        str | None,
        typer.Option(
            "--map",
            metavar="TARGET=COLUMN,...",
            help="Which column says what. Without it, columns named as fields are (`event`, `userId`, ...).",
            show_default=False,
        ),
    ] = None,
    source: Annotated[str, typer.Option(help="The source the events come from.")] = "import",
    format: Annotated[
        Literal["jsonl", "csv", "parquet"] | None,
        typer.Option(help="By default what the file's name says.", show_default=False),
    ] = None,
    timezone: Annotated[str, typer.Option(help="Where times without a zone were written.")] = "UTC",
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Import a file of past events, whole and in time order.

    Stopped halfway, run it again: it goes on. Importing a file twice adds nothing. A bad row is kept with its
        line and its reason (`sojourn failed list`), and stops nothing. Nothing that it makes journeys want is
        sent.
    """
    from sojourn import wiring  # noqa: PLC0415 - help needs no database
    from sojourn.runtime.importing import Origin, Reading, import_file, parse_column_map  # noqa: PLC0415
    from sojourn.wiring.dressing import dressing  # noqa: PLC0415

    if source == OUR_SOURCE:
        raise ConfigError(f"--source: {source!r} is the engine's own name; choose another")
    settings = configuration(config, data)
    zone = read_zone(timezone)
    columns = parse_column_map(column_map) if column_map else None
    started_at = monotonic()
    try:
        with dressing(settings) as dress:
            origin = Origin(source=source, now_ms=now_ms(), zone=zone, dress=dress)
            reading = Reading(file, origin=origin, format=format, column_map=columns)
            with wiring.open_house(settings) as house, house.play() as player, _progress() as tell:
                imported = import_file(reading, append=player.append, tell=tell)
    except KeyboardInterrupt:
        typer.echo("Stopped. Run it again, and it goes on.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if json:
        say_json(imported)
    else:
        _sum_up(imported, monotonic() - started_at)
    if imported.failed and not imported.accepted and not imported.duplicate:
        raise typer.Exit(1)


def read_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ConfigError(f"--timezone: unknown zone {name!r}; write one as Europe/Berlin") from None


def _sum_up(imported: Imported, took_s: float) -> None:
    accepted, duplicate, failed = imported.accepted, imported.duplicate, imported.failed
    n_rows = accepted + duplicate + failed
    typer.echo(f"{accepted:,} accepted, {duplicate:,} there before, {failed:,} failed")
    typer.echo(f"{counted(n_rows, 'row')} in {took_s:.1f} s ({n_rows / max(took_s, 0.001):,.0f} a second)")
    if failed:
        typer.echo("Why they failed: sojourn failed list")


@contextmanager
def _progress() -> Iterator[Tell]:
    """Draw bars while somebody looks, on stderr: stdout is the answer's."""
    if not is_for_people(sys.stderr):
        yield _untold
        return
    from rich.console import Console  # noqa: PLC0415 - only where people look
    from rich.progress import Progress, TaskID  # noqa: PLC0415

    with Progress(console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def tell(step: Step) -> None:
            if step.phase not in tasks:
                tasks[step.phase] = progress.add_task(step.phase.capitalize())
            progress.update(tasks[step.phase], completed=step.done, total=step.total)

        yield tell


def _untold(step: Step) -> None:
    """Tell nobody."""
