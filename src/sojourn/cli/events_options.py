"""Events to ask about: from which files or data folder, and how their columns are read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sojourn.analytics.events import Events
    from sojourn.analytics.questions import Question

EventsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--events",
        metavar="FILE",
        help="Parquet, CSV, JSON lines or XES, also .gz; a pattern, a folder, a warehouse; repeatable.",
    ),
]
LakeOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="A data folder: the events of its lake, up to this instant."),
]
MapOption = Annotated[
    str | None,
    typer.Option(
        "--map",
        metavar="WHAT=COLUMN,...",
        help="Which columns say person, step, time, session, and attributes.",
    ),
]
StepsOption = Annotated[
    Path | None, typer.Option("--steps", metavar="FILE", help="How names of events become steps (YAML).")
]

HtmlOption = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write a page of its own, with plots.")
]


class Given(NamedTuple):
    """Where events lie and how they are read, as the options of a command say."""

    events: EventsOption = None
    data: LakeOption = None
    map: MapOption = None
    rules: StepsOption = None

    def places(self) -> tuple[tuple[str, object], ...]:
        """Return the options that say where, as `one_of` takes them."""
        return ("--events FILE", self.events), ("--data DIR", self.data)


def read_asked(asked: Question, source: Given) -> tuple[Events, Mapping[str, int]]:
    """Read the events a question is about, and how far along the journey steps are.

    Raises:
        ConfigError: Not exactly one of `--events` and `--data` is given, or it lacks what is asked for.
        InputError: What is there cannot be read.
    """
    from sojourn.analytics.reading import StepRules, load_steps  # noqa: PLC0415 - help needs no numbers
    from sojourn.wiring.questions import Source, read_for  # noqa: PLC0415 - as above

    rules = StepRules() if source.rules is None else load_steps(source.rules)
    one_of(*source.places())
    place = Source(data=source.data, files=tuple(source.events or ()), columns=source.map or "")
    return read_for(asked, place, rules), rules.ranks


def one_of(*given: tuple[str, object]) -> None:
    """Refuse none, and several, of some options; each is (how it is written, what was given)."""
    if sum(bool(value) for _, value in given) != 1:
        *names, last = (name for name, _ in given)
        raise ConfigError(f"give one of {', '.join(names)} and {last}")


def one_answer(html: Path | None, *, json: bool) -> None:
    """Refuse to answer as a page and as JSON at once: whoever pipes the JSON would get another text."""
    if html is not None and json:
        raise ConfigError("give one of --html FILE and --json: there is one answer at a time")


def write_page(file: Path, text: str) -> None:
    """Write a page, and say so; raise ConfigError where it cannot be written."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written: {error.strerror}") from None
    typer.echo(f"{file} is written; open it in a browser")
