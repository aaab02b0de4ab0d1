"""People: one person's whole story, and how many people are where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from sojourn.cli.options import ConfigOption, DataOption, JsonOption, LimitOption, configuration, now_ms
from sojourn.cli.output import complain, instant, relative, say_json, show, table
from sojourn.runtime.telling import tell_story

if TYPE_CHECKING:
    from sojourn.model.views import ForgottenRow, JourneyView, ProfileView


def profile(
    person: Annotated[str, typer.Argument(metavar="ID", help="A user id or an anonymous id.")],
    *,
    limit: LimitOption = 100,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show one person: ids, traits, session, where they stand in journeys, and what led there."""
    from sojourn import wiring  # noqa: PLC0415 - help needs no database

    with wiring.open_readings(configuration(config, data)) as house:
        view = house.profile(person, limit=limit)
    if view is None:
        complain(f"{person}: nobody has this id; is it spelled as the SDK sends it?")
        raise typer.Exit(1)
    if json:
        say_json(view)
    else:
        show(*describe(view, now_ms()))


def journeys(*, data: DataOption = None, config: ConfigOption = None, json: JsonOption = False) -> None:
    """List the journeys: their versions, and how many people are where.

    A version that is closed lets nobody in any more; the people inside go on.
    """
    from sojourn import wiring  # noqa: PLC0415 - help needs no database

    with wiring.open_readings(configuration(config, data)) as house:
        views = house.journeys()
    if json:
        say_json(views)
        return
    columns = ("journey", "version", "", "entered", "goals", "left", "actions", "withheld", "now in")
    show(table(columns, map(_journey_row, views)) if views else "No journeys; write one, then sojourn check.")


def status(*, data: DataOption = None, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Say how far the folder's events are processed, and how much is kept."""
    from sojourn import wiring  # noqa: PLC0415 - help needs no database

    with wiring.open_readings(configuration(config, data)) as house:
        view = house.status()
    if json:
        say_json(view)
        return
    rows = [
        ("release", view.version),
        ("events in the log", f"{view.log_end:,}"),
        ("of them processed", f"{view.position:,}"),
        ("the log's clock", f"{instant(view.clock)} UTC" if view.clock else "no event yet"),
        *((name.replace("_", " "), f"{count:,}") for name, count in view.counts.items()),
        *(("forgetting", _forgetting(row)) for row in view.forgetting),
    ]
    show(table(("status", ""), rows))


def _forgetting(row: ForgottenRow) -> str:
    """Say how far a request to forget somebody is."""
    return f"{row.stage}, since {instant(row.at)} UTC"


def describe(view: ProfileView, now: int) -> list[Any]:
    """Lay out a profile for people; the timeline's newest is last, where the eye ends."""
    ids = [
        ("profile", view.id),
        *(("user id", each) for each in view.user_ids),
        *(("anonymous id", each) for each in view.anonymous_ids),
        (
            "seen",
            f"{instant(view.first_seen_at)} to {instant(view.last_seen_at)} UTC, {view.n_events:,} events",
        ),
        *(("segment", f"{name}, since {instant(since)} UTC") for name, since in view.segments.items()),
        *((f"variant of {experiment}", variant) for experiment, variant in sorted(view.variants.items())),
    ]
    parts: list[Any] = [table(("person", ""), ids)]
    if view.traits:
        traits = [(name, msgspec.json.encode(value).decode()) for name, value in view.traits.items()]
        parts.append(table(("trait", "value"), traits))
    if view.sessions:
        parts.append(table(("session", "began", "lasted", "events", "channel"), _session_rows(view, now)))
    if view.enrolments:
        columns = ("journey", "version", "key", "state", "entered", "next timer")
        parts.append(table(columns, _enrolment_rows(view, now)))
    story = zip(view.timeline, tell_story(view.timeline), strict=True)
    timeline = [(instant(fact.at), relative(fact.at, now), line) for fact, line in story]
    parts.append(table(("when (UTC)", "", "what"), timeline))
    return parts


def _session_rows(view: ProfileView, now: int) -> list[tuple[str, ...]]:
    return [
        (
            session.id,
            relative(session.started_at, now),
            f"{(session.ended_at - session.started_at) // 1000} s",
            f"{session.n_events:,}",
            session.channel,
        )
        for session in view.sessions
    ]


def _enrolment_rows(view: ProfileView, now: int) -> list[tuple[str, ...]]:
    return [
        (
            enrolment.journey,
            enrolment.version,
            enrolment.key,
            ", ".join(enrolment.state) + (" (held out)" if enrolment.held_out else ""),
            relative(enrolment.entered_at, now),
            "" if enrolment.next_timer_at is None else _timer(enrolment.next_timer_at, now),
        )
        for enrolment in view.enrolments
    ]


def _timer(at_ms: int, now: int) -> str:
    """Say when; one in the past waits for the log's clock, which stands still while nobody serves."""
    return f"{instant(at_ms)} UTC" if at_ms < now else relative(at_ms, now)


def _journey_row(view: JourneyView) -> tuple[str, ...]:
    counts = (view.entered, view.goals, view.exited, view.actions, view.withheld)
    return (
        view.name,
        view.version,
        ", ".join(
            word for word, holds in (("closed", not view.is_open), ("paused", view.is_paused)) if holds
        ),
        *(f"{count:,}" for count in counts),
        ", ".join(f"{state} {count:,}" for state, count in view.states.items()),
    )
