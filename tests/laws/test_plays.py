"""Live = replay = partitioned, over imports too; and what an import does is not sent, by a naive oracle."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any, NamedTuple

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sojourn.definitions.compile import compile_journey
from sojourn.definitions.controls import Change, Publishing, control_event
from sojourn.definitions.publishing import InForce, Version, catalogue_of
from sojourn.model.event import Entry
from tests.laws import catalogues
from tests.laws.catalogues import SEGMENTS, rich_history
from tests.laws.edited import live
from tests.laws.histories import MINUTE, RESCUE
from tests.laws.runtimes import partitioned, sequential
from tests.laws.test_equality import end_of, same
from tests.soak import tries

POLICY = """
policy:
  holdout: off
  quiet: { from: "02:00", to: "05:30" }
  channels: { email: { sinks: [shop] } }
"""

CALLING = """
journey: calling
entry: { on: Shipping, reentry: always }
holdout: off
steps:
  - wait: 9m
  - call: { journey: child, key: entry.properties.cart }
  - send: { webhook: shop, body: {} }
"""

LISTENING = """
journey: listening
entry: { on: Viewed }
states:
  listening: { on: { Shipping: told, Cart Emptied: told }, after: { 1d: done } }
  told: { do: [ { webhook: support, body: {} } ], on: { Viewed: listening }, after: { 2h: listening } }
"""

TEXTS = (
    catalogues.BUSY, catalogues.NUDGE, catalogues.DIGEST, catalogues.WEEKLY, catalogues.CHILD,
    catalogues.RIVAL, catalogues.ECHO, CALLING, LISTENING, RESCUE,
)  # fmt: skip
EDITED = compile_journey(RESCUE.replace("after: { 30m: deciding }", "after: { 10m: deciding }"))

seeds = st.integers(0, 2**32)


def first() -> InForce:
    """What is in force before the first control: journeys that are entered in every way there is."""
    compiled = [compile_journey(text) for text in TEXTS]
    return InForce(
        current={one.name: one.version for one in compiled},
        versions=[Version(journey=one.name, version=one.version, text=one.text) for one in compiled],
        shared=[SEGMENTS, POLICY],
        session_gap_ms=20 * MINUTE,
    )


FIRST = first()
CATALOGUE, PROBLEMS = catalogue_of(FIRST)


def drawn(seed: int, *, n_events: int) -> tuple[Random, list[Entry]]:
    """Draw a log in which some is imported, and some published meanwhile."""
    random = Random(seed)
    entries: list[Entry] = []
    is_playing = False
    for entry in rich_history(random, n_events=n_events):
        dice = random.random()
        name, payload = "", Publishing()
        if dice < 0.15:
            is_playing = not is_playing
            name = "$play" if is_playing else "$played"
        elif dice < 0.2:
            name, payload = "$publish", published(random)
        elif dice < 0.23:
            name = random.choice(("$stop", "$release", "$play", "$played"))
            is_playing = {"$play": True, "$played": False}.get(name, is_playing)
        if name:
            event = control_event(name, payload, after=entry.position, now=entry.at)
            entries.append(replace(entry, event=event, is_history=False, is_shadow=False))
        else:
            entries.append(replace(entry, is_shadow=is_playing))
    return random, entries


def published(random: Random) -> Publishing:
    """Draw an edit that takes people along, or not."""
    text, policy = EDITED.text, random.choice(("pin", "follow"))
    change = Change(journey="rescue", version=EDITED.version, text=text, policy=policy)  # type: ignore[arg-type]
    return Publishing(changes=[change])


@settings(max_examples=tries(50), deadline=None)
@given(seeds, st.integers(0, 60))
def test_live_is_replay_over_imports(seed: int, n_events: int) -> None:
    """However the clock ticked before an import, and wherever it was cut: the same facts."""
    random, entries = drawn(seed, n_events=n_events)
    expected = sequential(entries, CATALOGUE, until=end_of(entries), in_force=FIRST)
    same(live(entries, random, FIRST), expected)


@settings(max_examples=tries(50), deadline=None)
@given(seeds, st.integers(0, 60), st.integers(1, 3))
def test_partitioned_is_replay_over_imports(seed: int, n_events: int, n_partitions: int) -> None:
    """Each partition hears of the beginning and the end of an import at their positions."""
    random, entries = drawn(seed, n_events=n_events)
    until = end_of(entries)
    found = partitioned(
        entries, CATALOGUE, until=until, n_partitions=n_partitions, random=random, in_force=FIRST
    )
    same(found, sequential(entries, CATALOGUE, until=until, in_force=FIRST))


class Play(NamedTuple):
    """One stretch of a log that was imported, from control to control."""

    begins: Entry
    ends: Entry | None

    def holds(self, fact: Any) -> bool:
        """Tell whether something happened in it: by its events, or by time that passed in it."""
        position = fact.get("position", 0)
        if position:
            return self.begins.position < position and (self.ends is None or position < self.ends.position)
        return self.begins.at < fact["at"] and (self.ends is None or fact["at"] <= self.ends.at)


def plays_of(entries: list[Entry]) -> list[Play]:
    """Read the imports off a log."""
    plays: list[Play] = []
    for entry in entries:
        is_open = bool(plays) and plays[-1].ends is None
        if entry.event.name == "$play" and not is_open:
            plays.append(Play(entry, None))
        elif entry.event.name == "$played" and is_open:
            plays[-1] = plays[-1]._replace(ends=entry)
    return plays


def judged(entries: list[Entry]) -> tuple[list[Any], set[str]]:
    """Run a log; return its facts in the order of time, and who of the enrolments must be shadows."""
    outcome = sequential(entries, CATALOGUE, until=end_of(entries), in_force=FIRST)
    facts = [msgspec.json.decode(raw) for raw in outcome.facts]
    plays = plays_of(entries)
    shadows: set[str] = set()
    entered = [fact for fact in facts if fact["type"] == "entered"]
    for _ in entered:  # a child may stand before its parent: until nothing is added
        n_shadows = len(shadows)
        for fact in entered:
            parent, is_played = fact.get("parent"), any(play.holds(fact) for play in plays)
            is_by_event = fact.get("position", 0) > 0
            if (is_played and (is_by_event or parent is None)) or parent in shadows:
                shadows.add(fact["enrolment_id"])
        if len(shadows) == n_shadows:
            break
    return facts, shadows


@settings(max_examples=tries(75), deadline=None)
@given(seeds, st.integers(20, 60))
def test_nothing_that_an_import_does_is_sent_and_all_else_is(seed: int, n_events: int) -> None:
    """Who enters in it, whatever brings them, is a shadow; what its events make others want is withheld."""
    _, entries = drawn(seed, n_events=n_events)
    plays = plays_of(entries)
    facts, shadows = judged(entries)
    for fact in facts:
        if fact["type"] not in ("action", "action_withheld", "action_deferred"):
            continue
        is_imported = fact.get("position", 0) > 0 and any(play.holds(fact) for play in plays)
        is_history = fact["enrolment_id"] in shadows or (is_imported and not is_published(fact, entries))
        if fact["type"] != "action_withheld":
            assert not is_history, fact
        elif fact["reason"] == "history":
            assert is_history, fact


def is_published(fact: Any, entries: list[Entry]) -> bool:
    """Tell whether a publishing caused a fact: who goes along does what the new states want."""
    return entries[fact["position"] - 1].event.name == "$publish"


def test_imports_reach_every_way_in() -> None:
    """An oracle over imports in which nobody enters tells nothing."""
    found: Counter[str] = Counter()
    assert PROBLEMS == []
    for seed in range(60):
        _, entries = drawn(seed, n_events=60)
        plays = plays_of(entries)
        facts, shadows = judged(entries)
        for fact in facts:
            if fact["type"] == "entered" and any(play.holds(fact) for play in plays):
                how = "by event" if fact.get("position") else "by time"
                found[f"{fact['journey']} {how}"] += 1
                found[f"called {'shadow' if fact['enrolment_id'] in shadows else 'live'}"] += "parent" in fact
            if fact["type"] == "action_withheld" and fact["reason"] == "history":
                found["withheld of live people"] += fact["enrolment_id"] not in shadows
            found["sent"] += fact["type"] == "action"
    assert min(
        found[how]
        for how in (
            "digest by time", "weekly by time", "busy-help by event", "rescue by event", "called shadow",
            "called live", "withheld of live people", "sent",
        )
    ) > 3, found  # fmt: skip
