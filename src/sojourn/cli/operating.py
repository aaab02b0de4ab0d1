"""Operating: a folder to begin with, and the server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sojourn.cli.options import ConfigOption, DataOption, JsonOption, configuration
from sojourn.cli.output import say_json


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Made where it is not there.")] = Path(),
    *,
    source: Annotated[str, typer.Option(help="The first source's name.")] = "web",
    write_key: Annotated[
        str | None, typer.Option(help="Its write key; by default a fresh one.", show_default=False)
    ] = None,
    json: JsonOption = False,
) -> None:
    """Write a commented sojourn.yaml with fresh secrets, and an example journey.

    Nothing that is there is overwritten.
    """
    from sojourn.config import start  # noqa: PLC0415 - help needs no YAML

    started = start(folder, source=source, write_key=write_key)
    if json:
        say_json({"config": str(started.config), "journey": str(started.journey), "source": started.source})
        return
    typer.echo(f"{started.config}: the configuration, with the write key of the source {started.source!r}")
    typer.echo(f"{started.journey}: a journey to begin with")
    place = "" if folder == Path() else f"cd {folder} && "
    typer.echo(f"Next: {place}sojourn serve")


def serve(*, data: DataOption = None, config: ConfigOption = None) -> None:
    """Take events, move people through journeys, and act, until it is told to stop.

    It checks its configuration, folder, port and journeys first. SIGTERM and Ctrl-C end it in good order.
    """
    import uvloop  # noqa: PLC0415 - help needs no server

    from sojourn import wiring  # noqa: PLC0415

    uvloop.run(wiring.serve(configuration(config, data)))
