"""Attribution: `sojourn attribution` credits channels with conversions, by one model or several."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sojourn.analytics.questions import Attribution, option
from sojourn.cli.events_options import Given, one_of, read_asked
from sojourn.cli.options import JsonOption
from sojourn.cli.output import is_for_people, say_json, show
from sojourn.cli.questioning import question
from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from sojourn.analytics.attribution import Paths

PathsOption = Annotated[
    Path | None,
    typer.Option(
        "--paths",
        metavar="FILE",
        help="Aggregated paths (Parquet, CSV): path, total_conversions, total_conversion_value, total_null.",
    ),
]
SeparatorOption = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="Of paths: what stands between touches; by default ' > '."),
]
EmptyOption = Annotated[
    Literal["error", "drop"],
    typer.Option("--empty-touches", help="Of paths: what becomes of a touch without a name inside a path."),
]

OF_EVENTS = (
    "conversion", "touch", "channel", "value", "lookback", "lookback_touches", "no_reset", "once_per_session",
)  # fmt: skip
"""Fields of the question that say how paths are made of events."""


@question(Attribution)
def attribution(
    *,
    paths: PathsOption = None,
    source: Given,
    asked: Attribution,
    separator: SeparatorOption = None,
    empty: EmptyOption = "error",
    json: JsonOption = False,
) -> None:
    """Credit channels with the conversions they stood before, by one model or several, with intervals.

    This is path credit: who stood on the way. What a channel brought about, only a hold-out tells.
    """
    from sojourn.analytics.questions.answers import attribution as answers  # noqa: PLC0415 - help needs no numbers

    one_of(("--paths FILE", paths), *source.places())
    answers.options_of(asked)  # what is wrong in it is told before anything is read
    with _progress() as tell:
        tell("reading")
        if paths is not None:
            found = _from_file(paths, asked, columns=source.map, separator=separator, empty=empty)
        else:
            if separator is not None:
                raise ConfigError("--separator is of --paths: events have touches of their own")
            answers.conversion_of(asked)
            read, _ = read_asked(asked, source)
            found = answers.paths_for(asked, read)
        answer = answers.answer_of_paths(asked, found, tell=tell)
    if json:
        say_json(answer.told())
    else:
        from sojourn.cli.attribution_report import for_people  # noqa: PLC0415 - as above

        show(*for_people(answer.found))


def _from_file(
    file: Path,
    asked: Attribution,
    *,
    columns: str | None,
    separator: str | None,
    empty: Literal["error", "drop"],
) -> Paths:
    """Read the paths of a file."""
    from sojourn.analytics.attribution import Reading, read_paths  # noqa: PLC0415 - as above
    from sojourn.analytics.attribution.reading import parse_columns  # noqa: PLC0415
    from sojourn.analytics.questions.answers.attribution import direct_names  # noqa: PLC0415

    for name in OF_EVENTS:
        if getattr(asked, name):
            raise ConfigError(f"--{option(name)} is of --events: in a file of paths that was decided before")
    reading = Reading(
        separator=separator,
        empty_touches=empty,
        direct=asked.direct,
        direct_names=direct_names(asked),
        columns=parse_columns(columns or ""),
    )
    return read_paths(file, reading)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Say which model is asked, where somebody looks."""
    if not is_for_people(sys.stderr):
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - only where people look

    with Console(stderr=True).status("") as status:
        yield status.update
