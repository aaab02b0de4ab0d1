"""Friction: `sojourn friction` finds where people struggle, since when, and whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sojourn.cli.events_options import (
    EventsOption,
    HtmlOption,
    MapOption,
    StepsOption,
    read_asked,
    rules_of,
    write_page,
)
from sojourn.cli.options import JsonOption
from sojourn.cli.output import progress, say_json, show, table

if TYPE_CHECKING:
    from sojourn.analytics.friction.findings import Finding, Findings

UnitOption = Annotated[
    Literal["person", "session"], typer.Option("--by", help="What a case is: all of a person, or a session.")
]
GoalOption = Annotated[
    list[str] | None,
    typer.Option(
        "--goal", metavar="STEP", help="A conversion, so that findings are ranked by those lost. Repeatable."
    ),
]
AttributeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--attribute", metavar="NAME", help="By what to tell whose it is; by default by all. Repeatable."
    ),
]
LimitOption = Annotated[
    int, typer.Option("--limit", min=1, max=10_000, help="So many findings, the costliest.")
]
SeedOption = Annotated[
    int, typer.Option("--seed", min=0, help="Of the shuffles: the same seed, the same findings.")
]


def friction(  # noqa: PLR0913 - the options of a command
    *,
    events: EventsOption,
    map: MapOption = None,
    rules: StepsOption = None,
    by: UnitOption = "session",
    goal: GoalOption = None,
    attribute: AttributeOption = None,
    limit: LimitOption = 20,
    seed: SeedOption = 0,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """Find where people struggle: incidents with their dates and whose they were, and what is always hard.

    An incident is told from chance by shuffling what happened within people; of all places looked at, one
    false incident is found in a hundred runs. Conversions lost are beside what others did: a sign, no proof.
    """
    from sojourn.analytics.friction.findings import find_friction  # noqa: PLC0415 - help needs no numbers

    said = rules_of(rules)
    read = read_asked(events, map, said, attributes=_attributes(events, map, attribute))
    unit = by if read.session is not None else "person"
    with progress("Looking for incidents", total=1.0) as tell:
        found = find_friction(
            read, unit=unit, goal=goal or (), ranks=said.ranks, attributes=attribute, seed=seed, progress=tell
        )
    if html is not None:
        write_page(html, _page(found))
    elif json:
        say_json(
            {
                "definition": found.definition,
                "findings": found.findings[:limit],
                "n_findings": len(found.findings),
            }
        )
    else:
        show(*_for_people(found, limit))


def _attributes(files: list[str], columns: str | None, asked: list[str] | None) -> Sequence[str]:
    """Return the attributes by which to tell whose it is: those asked for, or all of a few values."""
    from sojourn.analytics.reading import parse_mapping  # noqa: PLC0415 - as above
    from sojourn.analytics.reading.guessing import guess_attributes  # noqa: PLC0415

    return asked if asked is not None else list(guess_attributes(files, parse_mapping(columns or "")))


def _for_people(found: Findings, limit: int) -> list[Any]:
    says = found.definition
    shown = found.findings[:limit]
    incidents = [_row(one) for one in shown if one.kind == "incident"]
    standing = [_row(one) for one in shown if one.kind == "standing"]
    columns = ("what", "where", "whose", "when (UTC)", "people", "of those at risk", "conversions lost", "p")
    more = len(found.findings) - len(shown)
    return [
        f"{says['cases']:,} cases, by {says['unit']}; {says['p']}",
        table(columns, incidents, title="Incidents") if incidents else "No incident stands out from chance.",
        table(columns, standing, title="Always there"),
        *([f"{more:,} more findings are not shown; --limit shows more."] if more else []),
        "Conversions lost: beside what others did; a sign, not a proof.",
    ]


def _row(one: Finding) -> tuple[str, ...]:
    lost = one.conversions_lost
    return (
        one.signal,
        " > ".join(one.steps),
        _whose(one),
        _when(one),
        f"{one.people:,}",
        f"{one.share:.1%} (else {one.share_elsewhere:.1%})" if one.kind == "incident" else f"{one.share:.1%}",
        "" if lost is None else f"{lost.estimate:,.0f} ({lost.low:,.0f} to {lost.high:,.0f})",
        "" if one.p is None else f"{one.p:.2g}",
    )


def _whose(one: Finding) -> str:
    return ", ".join(f"{name} = {value}" for name, value in one.segment.items()) or "everybody's"


def _when(one: Finding) -> str:
    if one.first is None or one.first_between is None or one.last_between is None:
        return ""
    (early, late), (until, end) = one.first_between, one.last_between
    began = f"{one.first}" if early == late else f"{one.first} (from {early} to {late})"
    ended = f"{one.last}" if until == end else f"{one.last} (from {until} to {end})"
    return f"{began} until {ended}"


def _page(found: Findings) -> str:
    from sojourn.analytics.report import Bar, Section, Span, bars, page, spans  # noqa: PLC0415 - as above

    incidents = [one for one in found.findings if one.kind == "incident"]
    standing = [one for one in found.findings if one.kind == "standing"]
    rows = [
        Span(f"{one.signal}: {one.steps[-1]}", one.first, one.last, f"{_whose(one)}, {one.people:,} people")
        for one in incidents
        if one.first is not None and one.last is not None
    ]
    lost = [
        Bar(
            f"{one.signal}: {' > '.join(one.steps)}",
            one.conversions_lost.estimate,
            low=one.conversions_lost.low,
            high=one.conversions_lost.high,
        )
        for one in standing[:25]
        if one.conversions_lost is not None
    ]
    columns = ("what", "where", "whose", "when (UTC)", "people", "of those at risk", "conversions lost", "p")
    return page(
        "Where people struggle",
        [
            Section(
                "Incidents",
                picture=spans("Incidents", rows),
                columns=columns,
                rows=[_row(one) for one in incidents],
            ),
            Section(
                "Always there",
                note="Conversions fewer than others had: a sign, not a proof.",
                picture=bars("Conversions lost", lost),
                columns=columns,
                rows=[_row(one) for one in standing],
            ),
        ],
        definition=found.definition,
    )
