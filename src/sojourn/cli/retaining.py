"""Retention: `sojourn retention` counts who comes back, and on how many days people are active."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from sojourn.cli.options import JsonOption
from sojourn.cli.output import say_json, show

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
    typer.Option(
        "--active-days", help="Instead: on how many of its days people are active, and DAU, WAU, MAU."
    ),
]
CohortsOption = Annotated[
    int, typer.Option("--limit", min=0, max=1_000, help="So many cohorts of --by; the rest is one.")
]


def retention(  # noqa: PLR0913 - the options of a command
    *,
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
    json: JsonOption = False,
) -> None:
    """Count who comes back in the n-th day, week or month after their first event.

    A period that is not over yet is marked, and never counted as nobody.
    """
    # Help needs no numbers.
    from sojourn.analytics.kinds import parse_kind  # noqa: PLC0415
    from sojourn.analytics.retention import Retention, parse_brackets, retention  # noqa: PLC0415
    from sojourn.analytics.stickiness import Stickiness, stickiness  # noqa: PLC0415
    from sojourn.cli import retention_report as report  # noqa: PLC0415

    events = EVENTS
    until_ms = None
    if active_days is not None:
        kind = parse_kind(returning, events.steps)
        found = stickiness(events, Stickiness(active=kind, period=active_days, zone=zone, until_ms=until_ms))
        if json:
            say_json(report.active_days_for_programs(found))
        else:
            show(*report.active_days_for_people(found))
        return
    asked = Retention(
        first=parse_kind(first, events.steps),
        returning=parse_kind(returning, events.steps),
        counting="bracket" if brackets else counting,
        brackets=parse_brackets(brackets) if brackets else (),
        period=period,
        n_periods=periods,
        zone=zone,
        by=by,
        limit=limit,
        until_ms=until_ms,
    )
    answer = retention(events, asked)
    if json:
        say_json(report.for_programs(answer))
    else:
        show(*report.for_people(answer))
