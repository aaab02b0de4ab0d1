"""Selections: whose events, and when, a question is of."""

from __future__ import annotations

from datetime import UTC
from typing import NamedTuple

from msgspec.structs import replace

from sojourn.analytics.belonging.reading import Wanted
from sojourn.analytics.events import Events
from sojourn.analytics.questions.asked import Among, Graph, Narrowed, Question, Selected, duration_ms
from sojourn.analytics.selecting import (
    Did,
    Met,
    Selection,
    Where,
    Within,
    parse_met,
    parse_where,
    parse_within,
)
from sojourn.analytics.sessions import with_sessions
from sojourn.definitions.instants import read_instant
from sojourn.model.errors import ConfigError

_BEFORE = " > "
SEGMENT, VARIANT = "segment", "variant:"
"""What is compared, where it is no attribute; a property that is called so is `properties.segment`."""


Condition = Where | Within | Met


class Side(NamedTuple):
    """One of two selections that are compared."""

    name: str
    selection: Selection


def selection_of(asked: Narrowed) -> Selection:
    """Put together what is selected; raise ConfigError where a part says nothing to select by."""
    since_ms, until_ms = instant_ms(asked.since, "since"), instant_ms(asked.until, "until")
    if since_ms is not None and until_ms is not None and since_ms >= until_ms:
        raise ConfigError("--since: expected an instant before --until")
    return replace(
        among_of(asked),
        since_ms=since_ms,
        until_ms=until_ms,
        where=tuple(conditions_of(asked)),
        did=(
            *(_did(text, "--did", is_not=False) for text in asked.did),
            *(_did(text, "--never", is_not=True) for text in asked.never),
        ),
        of=asked.by if isinstance(asked, Selected) else "person",
    )


def among_of(asked: Among) -> Selection:
    """Read the segments and variants that are asked for; raise ConfigError where one is none."""
    return Selection(
        within=tuple(parse_within(text, "--segment") for text in asked.segment),
        met=tuple(parse_met(text, "--variant") for text in asked.variant),
    )


def wanted_of(question: Question) -> Wanted:
    """Name the segments and experiments that a question needs; raise ConfigError where it cannot be read."""
    if not isinstance(question, Among):
        return Wanted()
    compared = compared_of(question) if isinstance(question, Graph) else []
    among = among_of(question)
    within = (*among.within, *(one for one in compared if isinstance(one, Within)))
    met = (*among.met, *(one for one in compared if isinstance(one, Met)))
    return Wanted(
        segments=tuple(dict.fromkeys(name for one in within for name in one.segments)),
        experiments=tuple(dict.fromkeys(one.experiment for one in met)),
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
    sides = [_side(one, asked) for one in compared_of(asked)]
    return sides[0], sides[1]


def conditions_of(asked: Narrowed) -> list[Where]:
    """Read the conditions on attributes; raise ConfigError where one is none."""
    return [parse_where(text, "--where") for text in asked.where]


def compared_of(asked: Graph) -> list[Condition]:
    """Read the two conditions that are compared; none where a time is. Raises ConfigError."""
    text = asked.compare or ""
    attribute, equals, values = text.partition("=")
    if not equals:
        return []
    one, colon, other = values.partition(":")
    if not attribute.strip() or not one.strip() or (colon and not other.strip()):
        raise ConfigError(
            f"--compare {text!r}: expected attribute=A:B, as device=mobile:desktop, variant:EXPERIMENT=A:B, "
            "segment=A:B, or a time as 2026-03-01"
        )
    chosen = _condition(attribute, one)
    return [chosen, _condition(attribute, other) if colon else replace(chosen, is_not=True)]


def _condition(attribute: str, values: str) -> Condition:
    if attribute == SEGMENT:
        return parse_within(values, "--compare")
    if attribute.startswith(VARIANT):
        return parse_met(f"{attribute.removeprefix(VARIANT)}={values}", "--compare")
    return parse_where(f"{attribute}={values}", "--compare")


def _side(condition: Condition, asked: Graph) -> Side:
    match condition:
        case Where(values=names):
            selection = Selection(where=(condition,), of=asked.by)
        case Within(segments=names):
            # Who was in it is asked of the selected time, as it is without a comparison.
            since_ms, until_ms = instant_ms(asked.since, "since"), instant_ms(asked.until, "until")
            selection = Selection(within=(condition,), of=asked.by, since_ms=since_ms, until_ms=until_ms)
        case Met(variants=names):
            selection = Selection(met=(condition,), of=asked.by)
    return Side("others" if condition.is_not else "|".join(names), selection)


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
