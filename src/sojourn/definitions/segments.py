"""Segments: named conditions about people, in the order in which they can be told one after another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from sojourn.definitions.expression import Clock
from sojourn.definitions.guards import Compiled
from sojourn.definitions.journey import Segment, SegmentIndex
from sojourn.definitions.reading import Reading, first_of_each
from sojourn.definitions.schema_parts import JOURNEY_NAME_PATTERN
from sojourn.definitions.vocabulary import FUNCTIONS, ROOTS
from sojourn.definitions.yaml import AnyNode, MappingNode, ScalarNode

MAX_SEGMENTS = 500  # in force together; a person's state names each they are in.

_NAME = re.compile(JOURNEY_NAME_PATTERN)
_ABOUT_A_PERSON = frozenset({"trait", "traits", "profile", "count", "since", "in_segment"})
_NOT_OF_A_PERSON = (
    "who is in a segment must not depend on one event, visit, journey or model; "
    "ask for trait, profile, count(..), since(..) or in_segment(..)"
)
_A_FORECAST = (
    "a forecast changes for everybody whenever something is learnt, and a segment only by what happens to "
    "the person; ask for it where a journey decides (entry, branch), and here for count(..) or since(..)"
)
IN_A_SEGMENT: Mapping[str, str] = {
    **{name: _NOT_OF_A_PERSON for name in (*ROOTS, *FUNCTIONS) if name not in _ABOUT_A_PERSON},
    "friction": (
        "what friction comes to fades at every instant, so nobody could say when a member leaves; count its "
        "signals, such as count('$friction.rage', within='1h')"
    ),
    "propensity": _A_FORECAST,
    "hazard": _A_FORECAST,
    "churn": (
        "the probability that somebody is gone grows at every instant, so nobody could say when they join; "
        "ask since('..') > days(30) here, and churn() where a journey decides"
    ),
}
"""Names that a segment's condition cannot use, with the reason."""


class SegmentDraft(Struct, frozen=True, kw_only=True):
    """One segment, and where it stands."""

    segment: Segment
    reading: Reading
    place: ScalarNode


def segment_names(node: AnyNode | None) -> list[str]:
    """Return the names under `segments:`, whatever is wrong with the rest."""
    return list(node.entries) if isinstance(node, MappingNode) else []


def read_segments(node: AnyNode, reading: Reading) -> list[SegmentDraft]:
    """Read the object under `segments:`: name -> condition, or name -> `{ when: .., description: .. }`."""
    drafts = []
    for key, value in reading.any_mapping(node, "an object: name -> condition"):
        if not _NAME.fullmatch(key.text):
            message = f"a segment's name is letters, digits, - and _, got {key.text[:40]!r}"
            reading.refuse(key, message, "bad-name")
            continue
        compiled = _condition(value, reading)
        if compiled is not None:
            expression = compiled.expression
            segment = Segment(name=key.text, text=expression.source, when=expression, clock=compiled.clock)
            drafts.append(SegmentDraft(segment=segment, reading=reading, place=key))
    return drafts


def in_order(drafts: Sequence[SegmentDraft]) -> list[Segment]:
    """Return segments so that one that asks for another stands after it, else by name.

    Notes problems: a name that stands twice, segments that ask for one another in a circle, too many.
    """
    by_name = first_of_each(drafts, lambda draft: draft.segment.name, what="segment", most=MAX_SEGMENTS)
    ordered: list[Segment] = []
    waiting = dict(sorted(by_name.items()))
    while waiting:
        ready = [draft for draft in waiting.values() if not _asked(draft) & waiting.keys()]
        if not ready:
            _refuse_circle(waiting)
            break
        for draft in ready:
            ordered.append(waiting.pop(draft.segment.name).segment)
    return ordered


def index_segments(segments: Sequence[Segment]) -> SegmentIndex:
    """Say what may change which of these; they stand in the order of `in_order`."""
    names: set[str] = set()
    for segment in segments:
        names |= _names(segment)
    about_profile = {segment.name for segment in segments if segment.when.needs.profile}
    about_time = {segment.name for segment in segments if segment.clock != Clock()}
    return SegmentIndex(
        by_event={
            name: _concerned(segments, about_profile | {one.name for one in segments if name in _names(one)})
            for name in sorted(names)
        },
        by_any=_concerned(segments, about_profile),
        by_time=_concerned(segments, about_time),
        clock=Clock(
            windows=frozenset().union(*(segment.clock.windows for segment in segments)),
            ages=frozenset().union(*(segment.clock.ages for segment in segments)),
        ),
    )


def _condition(node: AnyNode, reading: Reading) -> Compiled | None:
    when: AnyNode | None = node
    if isinstance(node, MappingNode):
        entries = reading.mapping(node, "segment", required=("when",))
        if "description" in entries:
            reading.text(entries["description"], "a description")
        when = entries.get("when")
    compiled = reading.condition(when, hidden=IN_A_SEGMENT)
    if compiled is None or not isinstance(when, ScalarNode):
        return None
    for problem in compiled.untimed:
        reading.refuse(when.place(problem.line, problem.column), problem.message, problem.code)
    return compiled


def _asked(draft: SegmentDraft) -> frozenset[str]:
    return draft.segment.when.needs.segments


def _refuse_circle(waiting: Mapping[str, SegmentDraft]) -> None:
    """Name one circle: from any segment that waits, along what it waits for, until one comes again."""
    path = [next(iter(waiting))]
    while (following := min(_asked(waiting[path[-1]]) & waiting.keys())) not in path:
        path.append(following)
    circle = [*path[path.index(following) :], following]
    draft = waiting[following]
    message = f"segments ask for one another in a circle: {' -> '.join(circle)}; take one question out"
    draft.reading.refuse(draft.place, message, "circle")


def _names(segment: Segment) -> frozenset[str]:
    """Return the events that may change a segment by themselves; traits come with `$identify`."""
    needs = segment.when.needs
    learns = {"$identify"} if needs.traits else set()
    return needs.since | needs.counts.keys() | learns


def _concerned(segments: Iterable[Segment], changed: set[str]) -> tuple[Segment, ...]:
    """Return those segments, and all that ask for one of them, in order."""
    reached = set(changed)
    for segment in segments:
        if segment.when.needs.segments & reached:
            reached.add(segment.name)
    return tuple(segment for segment in segments if segment.name in reached)
