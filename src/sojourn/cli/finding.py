"""Friction: `sojourn friction` finds where people struggle, since when, and whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sojourn.analytics.questions import Friction
from sojourn.cli.events_options import Given, HtmlOption, one_answer, read_asked, write_page
from sojourn.cli.options import JsonOption
from sojourn.cli.output import progress, say_json, show, table
from sojourn.cli.questioning import question

if TYPE_CHECKING:
    from sojourn.analytics.friction.findings import Finding, Findings


@question(Friction)
def friction(
    *,
    source: Given,
    asked: Friction,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """Find where people struggle: incidents with their dates and whose they were, and what is always hard.

    An incident is told from chance by shuffling what happened within people; of all places looked at, one
    false incident is found in a hundred runs. Conversions lost are beside what others did: a sign, no proof.
    """
    one_answer(html, json=json)
    from sojourn.analytics.questions.answers import friction as answers  # noqa: PLC0415 - help needs no numbers

    read, ranks = read_asked(asked, source)
    with progress("Looking for incidents", total=1.0) as tell:
        answer = answers.answer(asked, read, ranks, progress=tell)
    if html is not None:
        write_page(html, _page(answer.found))
    elif json:
        say_json(answer.told())
    else:
        show(*_for_people(answer.found, asked.limit))


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
