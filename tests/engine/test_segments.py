"""Segments: kept up to date by what may change them, and right at every instant."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from sojourn.definitions.catalogue import build_catalogue, load_definitions
from sojourn.definitions.journey import Catalogue
from sojourn.engine import segments as segments_room
from sojourn.engine.due import bring_up_to_date
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Life, decode, encode
from sojourn.engine.turn import turn
from sojourn.model.fact import SegmentEntered, SegmentLeft
from sojourn.model.ids import user_profile
from sojourn.model.turn import Arrived
from tests.engine.makers import MINUTE, T0, arrived, event


def catalogue_of(**conditions: str) -> Catalogue:
    """Put segments in force, and nothing else."""
    lines = "\n".join(f'  {name}: "{condition}"' for name, condition in conditions.items())
    definitions = load_definitions([("segments.yaml", f"segments:\n{lines}\n")] if conditions else [])
    return build_catalogue([], segments=definitions.segments)


def told(facts: list[Any]) -> list[tuple[str, str, float]]:
    """Return (+ or -, segment, minutes since the start) of every change of membership."""
    signs = {SegmentEntered: "+", SegmentLeft: "-"}
    return [
        (signs[type(fact)], fact.segment, (fact.at - T0) / MINUTE) for fact in facts if type(fact) in signs
    ]


def changes(catalogue: Catalogue, *given: Arrived, minutes: float) -> list[tuple[str, str, float]]:
    """Live through some events and return what became of memberships until so many minutes have passed."""
    until = T0 + int(minutes * MINUTE)
    return told(turn("profile", "ann", None, list(given), until=until, catalogue=catalogue).facts)


RAGE = tuple(arrived("$rageclick", at=at, position=at, properties={"target": "pay"}) for at in (1, 20, 40))


def test_a_signal_of_friction_is_told_to_segments_as_an_event_is() -> None:
    """At the instant it was found; the window then slides on by itself."""
    catalogue = catalogue_of(angry="count('$friction.rage', within='30m') > 1")
    found = changes(catalogue, *RAGE, minutes=120)
    assert found == [("+", "angry", 20), ("-", "angry", 31), ("+", "angry", 40), ("-", "angry", 50)]


def test_a_signal_in_imported_history_says_who_somebody_is() -> None:
    """As every event of history does; journeys begin nothing of it."""
    catalogue = catalogue_of(angry="count('$friction.rage', within='30m') > 0")
    (rage, *_) = RAGE
    found = changes(catalogue, replace(rage, is_history=True), minutes=2)
    assert found == [("+", "angry", 1)]


# The oracle: who is in which segment is asked of the whole history again, at every millisecond.


class Happened(NamedTuple):
    """One event: when it came, when it happened, and what it was."""

    at: int
    occurred_at: int
    name: str
    plan: str | None


class Known(NamedTuple):
    """What is known at one instant."""

    at: int
    events: list[Happened]

    def count(self, name: str, within: int | None = None) -> int:
        times = [one.occurred_at for one in self.events if one.name == name]
        return len([time for time in times if within is None or self.at - within < time <= self.at])

    def since(self, name: str) -> float | None:
        times = [one.occurred_at for one in self.events if one.name == name]
        return max(0, self.at - max(times)) / 1000 if times else None

    @property
    def plan(self) -> str | None:
        said = [(one.occurred_at, n, one.plan) for n, one in enumerate(self.events) if one.plan]
        return max(said)[2] if said else None


def older(seconds: float | None, than: float) -> bool:
    """Compare as the language does: nothing is older than anything."""
    return seconds is not None and seconds > than


CONDITIONS: dict[str, tuple[str, Callable[[Known], bool]]] = {
    "busy": ("count('X', within='40ms') >= 2", lambda known: known.count("X", 40) >= 2),
    "calm": ("count('X', within='15ms') == 0", lambda known: known.count("X", 15) == 0),
    "often": ("count('Y') > 2", lambda known: known.count("Y") > 2),
    "gone": ("since('X') > 0.025", lambda known: older(known.since("X"), 0.025)),
    "fresh": (
        "0.005 <= since('Y') < 0.02",
        lambda known: (age := known.since("Y")) is not None and 0.005 <= age < 0.02,
    ),
    "exact": ("since('X') == 0.007", lambda known: known.since("X") == 0.007),
    "never": ("since('Z') == null", lambda known: known.count("Z") == 0),
    "paying": ("trait.plan == 'pro'", lambda known: known.plan == "pro"),
    "known": ("profile.first_seen_at != null", lambda known: bool(known.events)),
    "both": (
        "in_segment('busy') and not in_segment('paying')",
        lambda known: known.count("X", 40) >= 2 and known.plan != "pro",
    ),
    "late": (
        "in_segment('both') or in_segment('gone')",
        lambda known: asks("both", known) or asks("gone", known),
    ),
}


def asks(name: str, known: Known) -> bool:
    """Ask the oracle."""
    return CONDITIONS[name][1](known)


def draw(random: Random, n_events: int) -> list[Happened]:
    """Draw a history: some events late, some ahead of the log's clock, some at one instant."""
    at, drawn = T0, []
    for _ in range(n_events):
        at += random.choice((0, 1, 3, 7, 20, 60))
        occurred_at = at - random.choice((0, 0, 0, 5, 30, 80, -4))
        plan = random.choice((None, None, None, "pro", "free"))
        name = "$identify" if plan else random.choice("XXXYZ")
        drawn.append(Happened(at, occurred_at, name, plan))
    return drawn


def inputs_of(history: list[Happened]) -> list[Arrived]:
    """Write a history as the engine's inputs."""
    made = []
    for position, one in enumerate(history, start=1):
        fields = {"traits": {"plan": one.plan}} if one.plan else {}
        happened = event(one.name, user_id="ann", message_id=f"m{position:03}", **fields)
        happened = type(happened)(**{**_fields(happened), "occurred_at": one.occurred_at})
        made.append(Arrived(one.at, position, happened))
    return made


def _fields(made: Any) -> dict[str, Any]:
    return {name: getattr(made, name) for name in made.__struct_fields__}


@pytest.mark.parametrize("seed", range(40))
def test_membership_is_what_the_whole_history_says_at_every_millisecond(seed: int) -> None:
    """However late events come, and whenever somebody looks: as if all were asked again all the time."""
    random = Random(seed)
    history = draw(random, random.randrange(1, 25))
    catalogue = catalogue_of(**{name: text for name, (text, _) in CONDITIONS.items()})
    facts, state = [], None
    end = history[-1].at + 150
    for given in inputs_of(history):
        result = turn("profile", "ann", state, [given], until=given.at, catalogue=catalogue)
        facts += result.facts
        state = decode("profile", encode(result.state)) if random.random() < 0.5 else result.state
    facts += turn("profile", "ann", state, [], until=end, catalogue=catalogue).facts
    inside: set[str] = set()
    for at in range(history[0].at, end + 1):
        for fact in [one for one in facts if one.at == at]:
            if isinstance(fact, SegmentEntered):
                assert fact.segment not in inside
                inside.add(fact.segment)
            elif isinstance(fact, SegmentLeft):
                inside.remove(fact.segment)
        known = Known(at, [one for one in history if one.at <= at])
        assert inside == {name for name in CONDITIONS if asks(name, known)}, f"seed {seed}, at {at - T0}"


# What it costs


def test_time_wakes_nobody_in_vain() -> None:
    """A person sleeps until an answer may change: here when the count's window lets its only time go."""
    catalogue = catalogue_of(busy="count('X', within='1h') > 0", often="count('Y') > 2")
    result = turn("profile", "ann", None, [arrived("X", user_id="ann")], until=T0, catalogue=catalogue)
    assert result.wake == T0 + 60 * MINUTE
    after = turn("profile", "ann", result.state, [], until=T0 + 61 * MINUTE, catalogue=catalogue)
    assert (told(after.facts), after.wake) == ([("-", "busy", 60)], None)


def test_an_event_asks_only_the_segments_that_it_may_concern(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand segments about carts cost a page view nothing."""
    asked: list[list[str]] = []
    tell = segments_room._tell

    def spy(life: Any, segments: Any, ledger: Any) -> Any:
        asked.append([segment.name for segment in segments])
        return tell(life, segments, ledger)

    monkeypatch.setattr(segments_room, "_tell", spy)
    catalogue = catalogue_of(
        busy="count('X', within='1h') > 0",
        often="count('Y') > 2",
        both="in_segment('often')",
        pro="trait.plan == 'pro'",
    )
    given = [arrived(name, at=at, position=at + 1, user_id="ann") for at, name in enumerate("ZZYX")]
    turn("profile", "ann", None, given, until=T0, catalogue=catalogue)
    assert asked == [["busy", "often", "pro", "both"], ["often", "both"], ["busy"]]


def test_who_asks_for_no_segments_pays_for_none() -> None:
    """Nothing is kept, and nobody is woken."""
    result = turn("profile", "ann", None, [arrived("X", user_id="ann")], until=T0, catalogue=catalogue_of())
    assert isinstance(result.state, Life)
    assert (result.state.segments, result.state.segments_due, result.wake) == ({}, 0, None)


# What they hold for


def test_imported_history_counts_by_when_it_happened() -> None:
    """A file of last year's orders says who ordered lately, and who did not."""
    catalogue = catalogue_of(lately="count('X', within='1h') > 0", ever="count('X') > 0")
    happened = event("X", at=-90, user_id="ann")
    given = Arrived(T0, 1, happened, is_history=True)
    assert changes(catalogue, given, minutes=10) == [("+", "ever", 0)]


def test_a_late_event_joins_and_leaves_by_its_own_time() -> None:
    """It came 50 minutes late, so it is lately for ten more."""
    catalogue = catalogue_of(lately="count('X', within='1h') > 0")
    given = Arrived(T0, 1, event("X", at=-50, user_id="ann"))
    assert changes(catalogue, given, minutes=60) == [("+", "lately", 0), ("-", "lately", 10)]


def test_other_definitions_are_told_when_the_person_is_touched_next() -> None:
    """A new segment has members as of its publishing, one that is gone none, a changed one the right ones."""
    before = catalogue_of(old="count('X') > 0", kept="count('X') > 0")
    result = turn("profile", "ann", None, [arrived("X", user_id="ann")], until=T0, catalogue=before)
    after = catalogue_of(kept="count('X') > 5", new="trait.plan == null")
    after = replace(after, renewed=2, renewed_at=T0 + 3 * MINUTE)
    given = arrived("Y", at=5, position=2, user_id="ann")
    result = turn("profile", "ann", result.state, [given], until=given.at, catalogue=after)
    assert told(result.facts) == [("-", "old", 3), ("-", "kept", 3), ("+", "new", 3)]


def test_a_person_can_be_brought_up_to_date_without_anything_happening() -> None:
    """As a publishing does, for everybody at once."""
    life = Life(user_ids=["ann"])
    catalogue = replace(catalogue_of(new="trait.plan == null"), renewed=3)
    ledger = Ledger(catalogue, user_profile("ann"))
    ledger.at = T0
    assert (bring_up_to_date(life, ledger), life.revision, life.segments) == (["new"], 3, {"new": T0})
