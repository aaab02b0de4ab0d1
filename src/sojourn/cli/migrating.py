"""Migrating: an installation from one machine into a cluster, and back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from sojourn.cli.options import ConfigOption, DataOption, JsonOption, configuration
from sojourn.cli.output import complain, instant, is_for_people, say_json

if TYPE_CHECKING:
    from sojourn.wiring.migrating import MoveView

migrate = typer.Typer(
    help="Move an installation from one machine into a cluster, and back.", no_args_is_help=True
)

DryOption = Annotated[bool, typer.Option("--dry-run", help="Say what there is to move, and move nothing.")]

_WORDS = {
    "entries": "events of the log",
    "states": "states of people and devices",
    "timers": "of them with a timer that runs",
    "facts": "facts",
    "letters": "actions that wait, and dead letters",
    "failed": "failed events",
}
_BARS = _WORDS | {"marks": "shards that have come to where it parts"}


@migrate.command("to-cluster", epilog="`sojourn migrate to-cluster --dry-run`")
def to_cluster(
    *,
    dry_run: DryOption = False,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Move a data folder into the configured cluster: log, states, timers, outbox, and what is in force.

    The server is stopped first, and the topics are empty. Stopped halfway, run it again: it goes on. The
        folder stays as it is, and nobody works in it any more.
    """
    from sojourn.wiring import migrating  # noqa: PLC0415 - help needs no Kafka

    settings = configuration(config, data)
    with telling() as tell:
        view = migrating.to_cluster(settings, dry_run=dry_run, tell=tell)
    if json:
        say_json(view)
    else:
        _show(view)
    if view.refused:
        raise typer.Exit(1)


@migrate.command("to-folder", epilog="`sojourn migrate to-folder --data home`")
def to_folder(
    *,
    dry_run: DryOption = False,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Make a data folder of the configured cluster's installation: the way back.

    Doors and workers are stopped first; the job runs on until this has ended. The folder gets its name when
        it is whole; stopped halfway, run it again: it begins anew, and nothing is taken from the topics.
    """
    from sojourn.wiring import homecoming  # noqa: PLC0415 - help needs no Kafka

    settings = configuration(config, data)
    with telling() as tell:
        view = homecoming.to_folder(settings, dry_run=dry_run, tell=tell)
    if json:
        say_json(view)
        return
    if view.is_dry:
        typer.echo(f"{view.prefix} at {view.brokers} can come home to {view.data}. Nothing was done.")
        return
    for name, words in (_WORDS | {"unprocessed": "of the events to be taken in at the start"}).items():
        typer.echo(f"{view.counts.get(name, 0):>12,}  {words}")
    typer.echo(f"As of {instant(view.left_at)} UTC, in {view.data}.")
    for what in view.missing:
        typer.echo(f"Not here: {what}")
    typer.echo("Now cancel the job, and serve: sojourn serve")


def _show(view: MoveView) -> None:
    for name, words in _WORDS.items():
        if name != "facts" or not view.is_dry:
            typer.echo(f"{view.counts[name]:>12,}  {words}")
    for why in view.refused:
        complain(why)
    if view.refused:
        return
    where = f"{view.prefix} at {view.brokers}"
    if view.is_dry:
        typer.echo(f"All of it, as of {instant(view.clock)} UTC, would go to {where}. Nothing was moved.")
        return
    typer.echo(f"All of it, as of {instant(view.clock)} UTC, is in {where}.")
    for name, why in view.stays.items():
        typer.echo(f"{name} stays: {why}")
    typer.echo(
        "Now begin the job (sojourn cluster job), then doors and workers: wake-ups go on with the job."
    )


@contextmanager
def telling() -> Iterator[Callable[[str, int, int], None]]:
    """Draw a bar for each kind while somebody looks, on stderr: stdout is the answer's."""
    if not is_for_people(sys.stderr):
        yield lambda _kind, _done, _total: None
        return
    from rich.console import Console  # noqa: PLC0415 - only where people look
    from rich.progress import Progress, TaskID  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def tell(kind: str, done: int, total: int) -> None:
            if kind not in tasks:
                tasks[kind] = progress.add_task(_BARS.get(kind, kind).capitalize())
            progress.update(tasks[kind], completed=done, total=max(total, done) or None)

        yield tell
