"""Backing up: a copy of a data folder, taken while a server works in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sojourn.cli.options import ConfigOption, DataOption, JsonOption, configuration
from sojourn.cli.output import instant, progress, say_json


def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to; it must not be there yet.")],
    *,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Copy the data folder as it is at this instant, whether a server works in it or not.

    The copy is a data folder: put it in the place of the other, or serve it as it is. What was acknowledged
        before is in it. The lake and counts of traffic are not: a server makes them anew. It appears under
        its name once it is whole and on disk.
    """
    from sojourn.wiring.backing_up import back_up, size_to_copy  # noqa: PLC0415 - help needs no database

    settings = configuration(config, data)
    with progress("Copying", total=size_to_copy(settings)) as tell:
        made = back_up(settings, folder, tell=tell)
    if json:
        say_json(made)
        return
    typer.echo(
        f"{made.folder}: the data of {instant(made.at)} UTC, {made.n_bytes:,} bytes in {made.seconds:.1f} s"
    )
    typer.echo(f"States go up to entry {made.position:,} of {made.log_end:,}; a start takes up the rest.")
