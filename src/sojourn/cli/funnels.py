"""Funnels: `sojourn funnel` counts how many go how far, how fast, and where the others go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sojourn.cli.events_options import (
    EventsOption,
    HtmlOption,
    MapOption,
    StepsOption,
    read_asked,
    write_page,
)
from sojourn.cli.options import JsonOption
from sojourn.cli.output import say_json, show
from sojourn.definitions.durations import parse_duration
from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from sojourn.analytics.events import Events
    from sojourn.analytics.kinds import Kind
    from sojourn.analytics.timing import ConversionAnswer

StepsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="STEP...",
        help='An event, or one of several ("Cart | Basket"), with conditions ("Ordered [total>=50]").',
    ),
]
OrderOption = Annotated[
    Literal["ordered", "strict", "any"],
    typer.Option(help="Steps one after another; each the very next event; or all of them in any order."),
]
WithinOption = Annotated[
    str | None,
    typer.Option(metavar="DURATION", help="At most so long from the first step to the last: 30m, 7d."),
]
WithoutOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="EVENT", help='Must not lie between the steps; "Cart Emptied @1-2": not between these two.'
    ),
]
PerOption = Annotated[
    Literal["person", "session", "attempt"],
    typer.Option(help="Count each person once, each session once, or every attempt."),
]
ByOption = Annotated[
    str | None, typer.Option(metavar="ATTRIBUTE", help="Break down by what it was at the first step.")
]
AfterOption = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Show the paths of those who got to step N and no further."),
]
ReachedOption = Annotated[int | None, typer.Option(metavar="N", min=1, help="List who got to step N.")]
DroppedOption = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="List who got to step N and no further.")
]
ConvertOption = Annotated[
    bool,
    typer.Option("--time-to-convert", help="How long from first to last step, those still waiting counted."),
]
RowsOption = Annotated[
    int, typer.Option("--limit", min=0, max=1_000_000, help="So many rows of a kind; the rest is one row.")
]


def funnel(  # noqa: PLR0913 - the options of a command
    steps: StepsArgument,
    *,
    events: EventsOption,
    map: MapOption = None,
    rules: StepsOption = None,
    order: OrderOption = "ordered",
    within: WithinOption = None,
    without: WithoutOption = None,
    per: PerOption = "person",
    by: ByOption = None,
    after: AfterOption = None,
    reached: ReachedOption = None,
    dropped: DroppedOption = None,
    time_to_convert: ConvertOption = False,
    limit: RowsOption = 8,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """Count how many people go through some steps, how fast, and where the others go.

    All that is shown is of the same people: tables add up, --reached and --dropped list those counted.
    """
    # Help needs no numbers.
    from sojourn.analytics.funnel import Funnel, parse_exclusion  # noqa: PLC0415
    from sojourn.analytics.funnel import funnel as count  # noqa: PLC0415
    from sojourn.analytics.kinds import parse_kind  # noqa: PLC0415
    from sojourn.cli.funnel_report import Wanted, for_people, for_programs  # noqa: PLC0415

    known = read_asked(events, map, rules, kinds=[*steps, *(without or ())], by=by)
    within_ms = None if within is None else duration_ms(within)
    kinds = [parse_kind(step, known.steps) for step in steps]
    asked = Funnel(
        steps=tuple(kinds),
        order=order,
        within_ms=within_ms,
        without=tuple(parse_exclusion(text, known.steps) for text in without or ()),
        per=per,
    )
    answer = count(known, asked)
    conversion = _conversion(known, kinds, within_ms) if time_to_convert else None
    wanted = Wanted(by=by, after=after, reached=reached, dropped=dropped, limit=limit)
    if html is not None:
        from sojourn.cli.answer_pages import funnel_page  # noqa: PLC0415 - as above

        write_page(html, funnel_page(answer, by=by, after=after, limit=limit))
    elif json:
        say_json(for_programs(answer, wanted, conversion))
    else:
        show(*for_people(answer, wanted, conversion))


def _conversion(events: Events, kinds: Sequence[Kind], within_ms: int | None) -> ConversionAnswer:
    from sojourn.analytics.timing import Conversion, time_to_convert  # noqa: PLC0415 - as above

    return time_to_convert(events, Conversion(first=kinds[0], to=kinds[-1], within_ms=within_ms))


def duration_ms(text: str) -> int:
    """Read a conversion window."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigError(f"--within: {error}") from None
