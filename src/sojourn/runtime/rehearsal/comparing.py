"""Comparing: what a person would have got from one version and not from the other, or at another time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from msgspec import Raw, Struct

from sojourn.model import fact as facts
from sojourn.model.fact import Fact
from sojourn.model.ids import ProfileId
from sojourn.runtime.rehearsal.playing import Played
from sojourn.runtime.rehearsal.tally import JOURNEY_FACTS, place

What = Literal["action", "entered", "goal"]
Kind = Literal["only-draft", "only-published", "other-time", "other-content"]

WHATS: tuple[What, ...] = ("action", "entered", "goal")
KINDS: tuple[Kind, ...] = ("only-draft", "only-published", "other-time", "other-content")


NO_BODY = Raw(b"null")


class Difference(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that one version does to a person and the other does not, or does otherwise."""

    person: ProfileId
    kind: Kind
    what: What
    journey: str
    where: str = ""
    """Of an action: `sink in state`."""
    key: str = ""
    draft_at: int | None = None
    published_at: int | None = None
    why: str = ""
    """What the other version did instead."""
    draft_body: Raw = NO_BODY
    published_body: Raw = NO_BODY

    @property
    def order(self) -> tuple[Any, ...]:
        """A total order, by time: the same on every run."""
        draft_at, published_at = self.draft_at or 0, self.published_at or 0
        first_at = min(at for at in (draft_at, published_at) if at)
        return (
            first_at, self.person, WHATS.index(self.what), self.journey, self.where, self.key,
            KINDS.index(self.kind), draft_at, published_at,
        )  # fmt: skip


Moment = tuple[ProfileId, What, str, str, str]
"""What can happen to a person in both versions: (person, what, journey, where, key)."""


class Side(Struct):
    """What one version did to one group, laid out to be compared and asked."""

    moments: dict[Moment, list[tuple[int, bytes]]]
    """When, in order, with an action's body."""
    told: list[Fact]
    """The facts about journeys."""
    owners: Mapping[str, tuple[ProfileId, int]]
    """Device -> its first person, and when it became theirs: that is where its unnamed life went."""

    def owner_of(self, fact: Fact) -> ProfileId:
        """Return whose fact it is in the end."""
        owner = self.owners.get(fact.profile_id)
        return fact.profile_id if owner is None or fact.at > owner[1] else owner[0]


def lay_out(played: Played) -> Side:
    """Lay out what was played; the facts of an unnamed life count as those of whom it became."""
    bodies = {action.id: bytes(action.body) for action in played.actions}
    keys: dict[str, str] = {}
    side = Side({}, [fact for fact in played.facts if type(fact) in JOURNEY_FACTS], _owners(played.facts))
    for fact in side.told:
        match fact:
            case facts.Entered():
                keys[fact.enrolment_id] = fact.key
                found: tuple[What, str, str, bytes] = ("entered", "", fact.key, b"")
            case facts.GoalReached():
                found = ("goal", "", keys.get(fact.enrolment_id, ""), b"")
            case facts.ActionDecided():
                body = bodies.get(fact.action_id, b"")
                found = ("action", place(fact), keys.get(fact.enrolment_id, ""), body)
            case _:
                continue
        what, where, key, body = found
        person = side.owner_of(fact)
        side.moments.setdefault((person, what, fact.journey, where, key), []).append((fact.at, body))
    for moments in side.moments.values():
        moments.sort()
    return side


def compare(draft: Side, published: Side) -> list[Difference]:
    """Return every difference, in no order."""
    found: list[Difference] = []
    for moment in dict.fromkeys([*draft.moments, *published.moments]):
        ours, theirs = draft.moments.get(moment, []), published.moments.get(moment, [])
        if ours != theirs:
            found += _differences(moment, ours, theirs, draft=draft, published=published)
    return found


def _differences(
    moment: Moment,
    ours: Sequence[tuple[int, bytes]],
    theirs: Sequence[tuple[int, bytes]],
    *,
    draft: Side,
    published: Side,
) -> list[Difference]:
    n_both = min(len(ours), len(theirs))
    found: list[Difference] = []
    for (ours_at, our_body), (theirs_at, their_body) in zip(ours, theirs, strict=False):
        if ours_at != theirs_at:
            found.append(_difference(moment, "other-time", (ours_at, b""), (theirs_at, b"")))
        elif our_body != their_body:
            found.append(_difference(moment, "other-content", (ours_at, our_body), (theirs_at, their_body)))
    for one in ours[n_both:]:
        found.append(_difference(moment, "only-draft", one, None, why=_why_not(published, moment)))
    for one in theirs[n_both:]:
        found.append(_difference(moment, "only-published", None, one, why=_why_not(draft, moment)))
    return found


def _difference(
    moment: Moment,
    kind: Kind,
    ours: tuple[int, bytes] | None,
    theirs: tuple[int, bytes] | None,
    *,
    why: str = "",
) -> Difference:
    person, what, journey, where, key = moment
    return Difference(
        person=person,
        kind=kind,
        what=what,
        journey=journey,
        where=where,
        key=key,
        draft_at=ours[0] if ours else None,
        published_at=theirs[0] if theirs else None,
        why=why,
        draft_body=Raw(ours[1]) if ours and ours[1] else NO_BODY,
        published_body=Raw(theirs[1]) if theirs and theirs[1] else NO_BODY,
    )


def _why_not(side: Side, moment: Moment) -> str:
    """Say what became of a person in the version that did not do it."""
    person, what, journey, where, key = moment
    mine = [fact for fact in side.told if _journey_of(fact) == journey and side.owner_of(fact) == person]
    if what == "action":
        for fact in mine:
            if isinstance(fact, facts.ActionWithheld) and place(fact) == where:
                return f"not sent: {fact.reason}" + _because(fact.detail)
    enrolments = {fact.enrolment_id for fact in mine if isinstance(fact, facts.Entered) and fact.key == key}
    if not enrolments:
        refused = [fact for fact in mine if isinstance(fact, facts.NotEntered) and fact.key in (key, "")]
        return (
            f"did not enter: {refused[0].reason}" + _because(refused[0].detail)
            if refused
            else "did not enter"
        )
    return _end_of(mine, enrolments) if what != "entered" else ""


def _end_of(mine: Iterable[Fact], enrolments: set[Any]) -> str:
    inside: list[str] = []
    for fact in mine:
        if isinstance(fact, facts.Exited) and fact.enrolment_id in enrolments:
            return f"left {', '.join(fact.state)}: {fact.reason}" + _because(fact.detail)
        if isinstance(fact, facts.Transitioned | facts.Migrated) and fact.enrolment_id in enrolments:
            inside = [state for state in inside if state not in fact.source] + list(fact.target)
    return f"is in {', '.join(inside)}" if inside else ""


def _because(detail: str) -> str:
    return f" ({detail})" if detail else ""


def _owners(told: Iterable[Fact]) -> Mapping[str, tuple[ProfileId, int]]:
    owners: dict[str, tuple[ProfileId, int]] = {}
    for fact in told:
        if isinstance(fact, facts.Identified) and fact.anonymous_id is not None:
            known = owners.get("a:" + fact.anonymous_id)
            if known is None or fact.at < known[1]:
                owners["a:" + fact.anonymous_id] = (fact.profile_id, fact.at)
    return owners


def _journey_of(fact: Fact) -> str:
    journey: str = getattr(fact, "journey", "")
    return journey
