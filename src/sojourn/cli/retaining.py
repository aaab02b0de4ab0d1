"""Retention: `sojourn retention` counts who comes back, and on how many days people are active."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

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
from sojourn.definitions.instants import read_instant
from sojourn.definitions.zones import zone_named
from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from sojourn.analytics.events import Events
    from sojourn.analytics.retention import RetentionAnswer

FirstOption = Annotated[
    str, typer.Option(metavar="EVENT", help="Whom to follow, and from when: their first such event.")
]
ReturningOption = Annotated[str, typer.Option(metavar="EVENT", help="What counts as coming back.")]
CountingOption = Annotated[
    Literal["classic", "rolling"],
    typer.Option(help="Who came back in period n; or in it or later."),
]
BracketsOption = Annotated[
    str | None, typer.Option(metavar="RANGES", help="Who came back in any period of a range: 0,1-6,7-29.")
]
PeriodOption = Annotated[Literal["hour", "day", "week", "month"], typer.Option(help="By the calendar.")]
PeriodsOption = Annotated[int, typer.Option("--periods", min=0, max=999, help="The last n.")]
ZoneOption = Annotated[str, typer.Option(help="By the clock of which place: Europe/Berlin.")]
ByOption = Annotated[
    str | None, typer.Option(metavar="ATTRIBUTE", help="Cohorts by what it was at the first event.")
]
DaysOption = Annotated[
    Literal["week", "month"] | None,
    typer.Option("--active-days", help="Instead: how many days people are active, and DAU, WAU, MAU."),
]
UntilOption = Annotated[
    str | None, typer.Option(metavar="TIME", help="Up to when all was observed; by default the last event.")
]
CohortsOption = Annotated[
    int, typer.Option("--limit", min=0, max=1_000, help="So many cohorts of --by; the rest is one.")
]


def retention(  # noqa: PLR0913 - the options of a command
    *,
    events: EventsOption,
    map: MapOption = None,
    rules: StepsOption = None,
    first: FirstOption = "*",
    returning: ReturningOption = "*",
    counting: CountingOption = "classic",
    brackets: BracketsOption = None,
    period: PeriodOption = "month",
    periods: PeriodsOption = 12,
    zone: ZoneOption = "UTC",
    by: ByOption = None,
    limit: CohortsOption = 10,
    active_days: DaysOption = None,
    until: UntilOption = None,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """Count who comes back in the n-th day, week or month after their first event.

    A period that is not over yet is marked, and never counted as nobody.
    """
    # Help needs no numbers.
    from sojourn.analytics.kinds import parse_kind  # noqa: PLC0415
    from sojourn.analytics.retention import Retention, parse_brackets  # noqa: PLC0415
    from sojourn.analytics.retention import retention as count  # noqa: PLC0415

    known = read_asked(events, map, rules, kinds=[first, returning], by=by)
    until_ms = None if until is None else _instant(until, zone)
    if active_days is not None:
        _active_days(known, returning, json=json, period=active_days, zone=zone, until_ms=until_ms)
        return
    asked = Retention(
        first=parse_kind(first, known.steps),
        returning=parse_kind(returning, known.steps),
        counting="bracket" if brackets else counting,
        brackets=parse_brackets(brackets) if brackets else (),
        period=period,
        n_periods=periods,
        zone=zone,
        by=by,
        limit=limit,
        until_ms=until_ms,
    )
    answer = count(known, asked)
    _say(answer, html, json=json)


def _say(answer: RetentionAnswer, html: Path | None, *, json: bool) -> None:
    from sojourn.cli import retention_report as report  # noqa: PLC0415 - as above

    if html is not None:
        from sojourn.cli.answer_pages import retention_page  # noqa: PLC0415 - as above

        write_page(html, retention_page(answer))
    elif json:
        say_json(report.for_programs(answer))
    else:
        show(*report.for_people(answer))


def _active_days(events: Events, active: str, *, json: bool, **rules: Any) -> None:
    from sojourn.analytics.kinds import parse_kind  # noqa: PLC0415 - as above
    from sojourn.analytics.stickiness import Stickiness, stickiness  # noqa: PLC0415
    from sojourn.cli import retention_report as report  # noqa: PLC0415

    found = stickiness(events, Stickiness(active=parse_kind(active, events.steps), **rules))
    if json:
        say_json(report.active_days_for_programs(found))
    else:
        show(*report.active_days_for_people(found))


def _instant(text: str, zone: str) -> int:
    """Read a date or a time, by the clock of the place."""
    rules = zone_named(zone)
    at = read_instant(text, rules) if rules else 0  # a wrong zone is named where it is used
    if at is None:
        raise ConfigError(f"--until {text}: expected a date or a time, as 2026-03-01 or 2026-03-01T12:00:00Z")
    return at
