"""Output: how answers look, for people and for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

import msgspec
import typer

if TYPE_CHECKING:
    from rich.table import Table

PIPE_COLUMNS = 1_000  # wider than any row; tables are as wide as what is in them.

_STEPS = ((1_000, "s"), (60_000, "min"), (3_600_000, "h"), (86_400_000, "d"))
"""(a unit's ms, its name)."""


def say_json(value: Any) -> None:
    """Write one line of JSON."""
    typer.echo(msgspec.json.encode(value).decode())


def complain(message: str) -> None:
    """Say on stderr what is wrong, one `error:` a line."""
    for line in message.splitlines():
        typer.echo(f"error: {printable(line)}", err=True)


def show(*parts: Any) -> None:
    """Write tables and lines of text for people; text that came from outside is made harmless."""
    from rich.console import Console  # noqa: PLC0415 - only where people read
    from rich.text import Text  # noqa: PLC0415

    # Into a pipe nothing is folded: one row is one line, for grep.
    console = Console(highlight=False, width=None if is_for_people(sys.stdout) else PIPE_COLUMNS)
    for part in parts:
        console.print(Text(printable(part)) if isinstance(part, str) else part)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> Table:
    """Lay out rows under their columns; text that came from outside is made harmless."""
    from rich import box  # noqa: PLC0415 - only where people read
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    said = Text(printable(title)) if title else None
    laid_out = Table(box=box.SIMPLE_HEAD, title=said, title_justify="left", pad_edge=False)
    for column in columns:
        laid_out.add_column(Text(printable(column)), overflow="fold")
    for row in rows:
        laid_out.add_row(*(Text(printable(cell)) for cell in row))
    return laid_out


def printable(text: str) -> str:
    """Replace what a terminal would obey instead of show: names and ids come from anybody.

    >>> printable("a\\x1b[2Jb")
    'a�[2Jb'
    """
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def instant(at_ms: int) -> str:
    """Write an instant in UTC.

    >>> instant(1_710_325_274_000)
    '2024-03-13 10:21:14'
    """
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def relative(at_ms: int, now_ms: int) -> str:
    """Say how far away an instant is, in its largest unit.

    >>> relative(0, 90_000), relative(7_200_000, 0), relative(5, 5)
    ('1 min ago', 'in 2 h', 'now')
    """
    distance = abs(now_ms - at_ms)
    if distance < _STEPS[0][0]:
        return "now"
    unit_ms, name = next((unit, name) for unit, name in reversed(_STEPS) if distance >= unit)
    count = f"{distance // unit_ms} {name}"
    return f"{count} ago" if at_ms < now_ms else f"in {count}"


def is_for_people(stream: TextIO) -> bool:
    """Whether somebody is looking."""
    return stream.isatty()
