"""Selections: whose events, and when, a question is of."""

from __future__ import annotations

from datetime import UTC
from typing import NamedTuple

from sojourn.analytics.events import Events
from sojourn.analytics.questions.asked import Graph, Narrowed, Selected, duration_ms
from sojourn.analytics.selecting import Did, Selection, Where, parse_where
from sojourn.analytics.sessions import with_sessions
from sojourn.definitions.instants import read_instant
from sojourn.model.errors import ConfigError

_BEFORE = " > "


class Side(NamedTuple):
    """One of two selections that are compared."""

    name: str
    selection: Selection


def selection_of(asked: Narrowed) -> Selection:
    """Put together what is selected; raise ConfigError where a part says nothing to select by."""
    since_ms, until_ms = instant_ms(asked.since, "since"), instant_ms(asked.until, "until")
    if since_ms is not None and until_ms is not None and since_ms >= until_ms:
        raise ConfigError("--since: expected an instant before --until")
    return Selection(
        since_ms=since_ms,
        until_ms=until_ms,
        where=tuple(conditions_of(asked)),
        did=(
            *(_did(text, "--did", is_not=False) for text in asked.did),
            *(_did(text, "--never", is_not=True) for text in asked.never),
        ),
        of=asked.by if isinstance(asked, Selected) else "person",
    )


def in_sessions(events: Events, asked: Selected) -> Events:
    """Cut sessions where they are asked for, and a silence is given that ends one; else ConfigError."""
    if asked.gap is None:
        return events
    if asked.by != "session" or events.session is not None:
        reason = "people are followed" if asked.by != "session" else "the events have sessions of their own"
        raise ConfigError(f"--gap: cuts no sessions, since {reason}; leave it out")
    return with_sessions(events, gap_ms=duration_ms(asked.gap, "gap"))


def sides_of(asked: Graph) -> tuple[Side, Side] | None:
    """Read what is compared: two values, one with all others, or since a time with before it; None: nothing.

    Raises:
        ConfigError: It is none of these.
    """
    if asked.compare is None:
        return None
    if "=" not in asked.compare:
        at_ms = instant_ms(asked.compare, "compare")
        since, before = Selection(since_ms=at_ms, of=asked.by), Selection(until_ms=at_ms, of=asked.by)
        return Side("since", since), Side("before", before)
    one, other = compared_of(asked)
    names = ["others" if each.is_not else "|".join(each.values) for each in (one, other)]
    return (
        Side(names[0], Selection(where=(one,), of=asked.by)),
        Side(names[1], Selection(where=(other,), of=asked.by)),
    )


def conditions_of(asked: Narrowed) -> list[Where]:
    """Read the conditions on attributes; raise ConfigError where one is none."""
    return [parse_where(text, "--where") for text in asked.where]


def compared_of(asked: Graph) -> list[Where]:
    """Read the two conditions that are compared; none where a time is. Raises ConfigError."""
    text = asked.compare or ""
    attribute, equals, values = text.partition("=")
    if not equals:
        return []
    one, colon, other = values.partition(":")
    if not attribute.strip() or not one.strip() or (colon and not other.strip()):
        raise ConfigError(
            f"--compare {text!r}: expected attribute=A:B, as device=mobile:desktop, or a time as 2026-03-01"
        )
    chosen = parse_where(f"{attribute}={one}", "--compare")
    if colon:
        return [chosen, parse_where(f"{attribute}={other}", "--compare")]
    return [chosen, Where(attribute=chosen.attribute, values=chosen.values, is_not=True)]


def instant_ms(text: str | None, name: str) -> int | None:
    """Read an instant, UTC where it has no zone; digits are seconds or milliseconds since 1970."""
    if text is None:
        return None
    is_number = text.strip().isdecimal() and text.strip().isascii()
    at_ms = read_instant(int(text) if is_number else text, UTC)
    if at_ms is None:
        raise ConfigError(
            f"--{name}: expected a time, got {text[:40]!r}; write it as 2026-03-01 or 2026-03-01T09:00:00Z"
        )
    return at_ms


def _did(text: str, option: str, *, is_not: bool) -> Did:
    step, arrow, before = text.partition(_BEFORE)
    if not step.strip() or (arrow and not before.strip()):
        raise ConfigError(f"{option} {text!r}: expected a step, or 'STEP > BEFORE WHICH'")
    return Did(step=step.strip(), before=before.strip(), is_not=is_not)
