"""Echoes: journeys that answer the outcome of an action with an action, and so on for ever.

No clock and nobody's doing slows them: they go round as fast as a sink takes what they send.
"""

from __future__ import annotations

from collections.abc import Iterator

from sojourn.definitions.drafts import Draft, Way
from sojourn.definitions.journey import Do, Entry
from sojourn.definitions.loops import circle_from, entered
from sojourn.definitions.reading import Reading
from sojourn.definitions.yaml import Node
from sojourn.model.event import OUTCOMES

_CODE = "endless-echo"


def check_echoes(root: Draft, entry: Entry, place: Node, reading: Reading) -> None:
    """Warn of circles that outcomes alone keep going, and of an entry, at `place`, by one's own outcomes.

    A way out with a condition may be what ends it, so what has one is not warned of.
    """
    drafts = list(root.all())[1:]
    done: set[Draft] = set()
    for draft in drafts:
        circle = circle_from(draft, done, _answered) or []
        if _hears(circle) and any(_acts(each) for each in _entered_on(circle)):
            names = " -> ".join(each.name for each in circle)
            message = f"{names} answers each outcome with another action, for ever; add a time or a condition"
            reading.warn(circle[0].place, message, _CODE)
    is_bounded = entry.when is not None or entry.reentry == "never" or entry.cooldown_ms
    if OUTCOMES & set(entry.names) and not is_bounded and any(_acts(draft) for draft in drafts):
        message = (
            "the outcome of what this journey sends lets the same person in again; add when, or a cooldown"
        )
        reading.warn(place, message, _CODE)


def _answered(draft: Draft) -> Iterator[Draft]:
    """Yield the states whose own certain ways may be taken right after one of this state's."""
    if draft.kind == "history":
        return
    for way in _certain(draft):
        yield from (each for each in entered(draft, way) if each.kind != "history" and _certain(each))


def _certain(draft: Draft) -> list[Way]:
    """Return the ways that are taken without asking anything: at once, else by the outcome of an action."""
    at_once = [way for way in draft.ways if way.cause == "nothing"]
    if at_once:
        return [way for way in at_once[:1] if way.when is None]
    first: dict[str, Way] = {}
    for way in draft.ways:
        if way.cause == "event" and way.event in OUTCOMES:
            first.setdefault(way.event, way)
    return [way for way in first.values() if way.when is None]


def _hears(circle: list[Draft]) -> bool:
    """Tell whether outcomes keep a circle going; one that needs nothing at all is refused elsewhere."""
    return any(way.cause == "event" for draft in circle for way in _certain(draft))


def _entered_on(circle: list[Draft]) -> Iterator[Draft]:
    """Yield the states that going round enters: those of the circle, and what starts inside them."""
    for draft in circle:
        yield draft
        around = set(draft.ancestors())
        for way in _certain(draft):
            yield from (each for each in entered(draft, way) if each not in around)


def _acts(draft: Draft) -> bool:
    return any(isinstance(wanted, Do) for wanted in (*draft.entry, *draft.exit))
