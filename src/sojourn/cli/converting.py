"""Converting: `sojourn convert` writes a machine of XState v5 as a journey."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sojourn.cli.output import complain
from sojourn.cli.texts import read_text, write_text

if TYPE_CHECKING:
    from sojourn.definitions.xstate import Names


def convert(
    machine: Annotated[Path, typer.Argument(metavar="MACHINE", help="The JSON of an XState v5 machine.")],
    *,
    entry: Annotated[
        list[str], typer.Option("--entry", metavar="EVENT", help="What lets people in; may be repeated.")
    ],
    names: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="What the names of guards, actions, delays and events stand for, in YAML."
        ),
    ] = None,
    sink: Annotated[str, typer.Option(help="Where an action goes that the names do not know.")] = "console",
    name: Annotated[str, typer.Option(help="The journey's name; by default the machine's id.")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write to a file; by default to the output.")
    ] = None,
) -> None:
    """Write an XState v5 machine as a journey, or say what in it has no counterpart, and where."""
    from sojourn.definitions.compile import check_journey  # noqa: PLC0415 - help needs no YAML
    from sojourn.definitions.xstate import convert as convert_machine  # noqa: PLC0415

    known = _names(names, sink)
    text = convert_machine(read_text(machine), entry=entry, names=known, name=name, file=str(machine))
    write_text(out, text)
    checked = check_journey(text, file="the output" if out is None else str(out))
    for problem in checked.problems:
        complain(str(problem))
    if checked.problems:
        raise typer.Exit(1)


def _names(file: Path | None, sink: str) -> Names:
    from sojourn.definitions.xstate import Names, read_names  # noqa: PLC0415 - help needs no YAML

    if file is None:
        return Names(sink=sink)
    return read_names(read_text(file), file=str(file), sink=sink)
