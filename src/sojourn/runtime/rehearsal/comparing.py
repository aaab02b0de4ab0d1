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
    draft_body: Raw | None = None
    published_body: Raw | None = None

    @property
    def order(self) -> tuple[Any, ...]:
        """A total order, by time: the same on every run."""
        draft_at, published_at = self.draft_at or 0, self.published_at or 0
        first_at = min(at for at in (draft_at, published_at) if at)
        return (
            first_at, self.person, WHATS.index(self.what), self.journey, self.where, self.key,
            KINDS.index(self.kind), draft_at, published_at,
        )  # fmt: skip


class Side(Struct):
    """What one version did to one group, laid out to be compared and asked."""

    moments: dict[tuple[ProfileId, What, str, str, str], list[tuple[int, bytes]]]
    """(person, what, journey, where, key) -> when, in order, with an action's body."""
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
    moment: tuple[ProfileId, What, str, str, str],
    ours: Sequence[tuple[int, bytes]],
    theirs: Sequence[tuple[int, bytes]],
    *,
    draft: Side,
    published: Side,
) -> list[Difference]:
    person, what, journey, where, key = moment
    named: dict[str, Any] = {"person": person, "what": what, "journey": journey, "where": where, "key": key}
    found: list[Difference] = []
    n_both = min(len(ours), len(theirs))
    for (ours_at, our_body), (theirs_at, their_body) in zip(ours, theirs, strict=False):
        if ours_at != theirs_at or our_body != their_body:
            kind: Kind = "other-time" if ours_at != theirs_at else "other-content"
            bodies = {} if our_body == their_body else _bodies(our_body, their_body)
            found.append(
                Difference(**named, kind=kind, draft_at=ours_at, published_at=theirs_at, **bodies)
            )
    for at, body in ours[n_both:]:
        why = _why_not(published, moment)
        found.append(Difference(**named, kind="only-draft", draft_at=at, why=why, **_bodies(body, b"")))
    for at, body in theirs[n_both:]:
        why = _why_not(draft, moment)
        found.append(
            Difference(**named, kind="only-published", published_at=at, why=why, **_bodies(b"", body))
        )
    return found


def _bodies(ours: bytes, theirs: bytes) -> dict[str, Raw]:
    bodies = {"draft_body": ours, "published_body": theirs}
    return {name: Raw(body) for name, body in bodies.items() if body}


def _why_not(side: Side, moment: tuple[ProfileId, What, str, str, str]) -> str:
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
        return f"did not enter: {refused[0].reason}" + _because(refused[0].detail) if refused else "did not enter"
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
