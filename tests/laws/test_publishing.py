"""Live = replay = partitioned, over publishings, pauses and stops too."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.definitions import publishing
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.controls import LEARNT, PUBLISH, Change, Learnt, Publishing, control_event
from sojourn.definitions.journey import Catalogue
from sojourn.definitions.publishing import catalogue_of
from sojourn.engine import due
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Enrolment, Life, Tie, decode
from sojourn.model.event import Entry, Event
from sojourn.runtime import sweeping
from sojourn.runtime.controls import Controls, kept_in_force
from tests.laws.edited import Edit, edits_of, in_force_of, live, restarted
from tests.laws.histories import MINUTE, ONCE, PATHS, PATIENT, RESCUE, T0, history
from tests.laws.runtimes import partitioned, sequential
from tests.laws.test_equality import end_of, same
from tests.soak import tries

ASKING = """
journey: asking
entry: { on: [Checkout Started, Viewed], reentry: always }
steps:
  - { name: asked, call: answer }
  - wait: 20m
"""
ANSWER = """
journey: answer
entry: { api: true, key: properties.cart }
states: { open: { on: { Help Opened: done, Viewed: done }, after: { 40m: done } }, done: {} }
"""

SETTLING = """
journey: settling
entry: { on: [Viewed, Shipping], reentry: always }
states: { judging: { after: { 50m: done } }, done: {} }
"""
JUDGED = """
journey: settling
entry: { on: [Viewed, Shipping], reentry: always }
steps:
  - name: judging
    branch:
      - { when: "propensity('Order Completed') > 0.3", steps: [ { send: { webhook: shop, body: {} } } ] }
      - { when: "regressed()", steps: [ { wait: 5m } ] }
      - { steps: [ { name: asked, call: answer } ] }
  - wait: 40m
"""

EDITS: tuple[Edit, ...] = (
    (RESCUE, {"postponed": "waiting"}),
    (RESCUE.replace("after: { 30m: deciding }", "after: { 10m: deciding }"), {}),
    (RESCUE.replace("waiting", "postponed"), {"waiting": "postponed"}),
    (RESCUE.replace("after: { 1h: done }", "after: { 2h: waiting }"), {"assisted": "deciding"}),
    (PATHS, {}),
    (PATHS.replace("after: { 3h: done }", "after: { 1h: done }"), {}),
    (PATHS.replace("after: { 40m: idle }", "after: { 4m: idle }"), {"deep": "bought", "shallow": "browsing"}),
    (ONCE.replace("10m: told", "30m: told"), {}),
    (PATIENT.replace("after: { 3h: done }", "after: { 1h: resting }"), {"thanked": "done"}),
    (ASKING, {"waited": "asked"}),
    (ASKING.replace("asked", "waited"), {"asked": "waited"}),
    (ANSWER.replace("40m: done", "9m: done"), {}),
    (SETTLING, {}),
    (JUDGED, {}),
    (JUDGED, {}),
)
TEXTS = (RESCUE, PATHS, ONCE, PATIENT, ASKING, ANSWER, SETTLING)
FORECASTS = (
    {"Order Completed": {"Viewed": 0.1, "Shipping": 0.5, "(other)": 0.2}},
    {"Order Completed": {"Viewed": 0.6, "Shipping": 0.1, "(other)": 0.7}},
)
ALL_EDITS = edits_of(EDITS, TEXTS, removable=["once"], learnt=[{"forecasts": each} for each in FORECASTS])
FIRST = in_force_of(TEXTS)
CATALOGUE, _ = catalogue_of(FIRST)

seeds = st.integers(0, 2**32)
lengths = st.integers(0, 60)


def drawn(seed: int, n_events: int) -> tuple[Random, list[Entry]]:
    """Draw a history with controls in it."""
    random = Random(seed)
    return random, ALL_EDITS.among(random, history(random, n_events=n_events))


@settings(max_examples=tries(60), deadline=None)
@given(seeds, lengths, st.sampled_from((1, 2, 512)))
def test_live_is_replay_over_controls(seed: int, n_events: int, n_slice: int) -> None:
    """Whenever the sweep comes to somebody, and whatever stops it halfway: the same facts."""
    random, entries = drawn(seed, n_events)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweeping.Sweep.take, "__defaults__", (n_slice,))
        patch.setattr(sweeping, "PAGE", n_slice * 2)
        found = live(entries, random, FIRST)
    same(found, sequential(entries, CATALOGUE, until=end_of(entries), in_force=FIRST))


@settings(max_examples=tries(60), deadline=None)
@given(seeds, lengths, st.integers(1, 3))
def test_partitioned_is_replay_over_controls(seed: int, n_events: int, n_partitions: int) -> None:
    """Each partition hears of a control at its position, at its own pace, and sweeps as it likes."""
    random, entries = drawn(seed, n_events)
    until = end_of(entries)
    found = partitioned(
        entries, CATALOGUE, until=until, n_partitions=n_partitions, random=random, in_force=FIRST
    )
    same(found, sequential(entries, CATALOGUE, until=until, in_force=FIRST))


@settings(max_examples=tries(30), deadline=None)
@given(seeds, st.integers(30, 60))
def test_what_is_forgotten_is_forgotten_alike(seed: int, n_events: int) -> None:
    """At the bounds of what is kept a change waits until everybody was asked about the one before it."""
    random, entries = drawn(seed, n_events)
    until = end_of(entries)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "MAX_OLDER", 1)
        patch.setattr(publishing, "MAX_HOLDS", 1)
        patch.setattr(publishing, "MAX_MIGRATIONS", 2)
        patch.setattr(sweeping.Sweep.take, "__defaults__", (1,))
        expected = sequential(entries, CATALOGUE, until=until, in_force=FIRST)
        same(live(entries, random, FIRST), expected)
        found = partitioned(entries, CATALOGUE, until=until, n_partitions=2, random=random, in_force=FIRST)
        same(found, expected)


def test_a_replay_from_the_start_comes_to_the_same_definitions() -> None:
    """What is in force is a function of the log."""
    for seed in range(tries(5)):
        _, entries = drawn(seed, 60)
        log, store, other = MemoryLog(), MemoryStore(), MemoryStore()
        restarted(log, other, FIRST).settle(entries, until=end_of(entries))
        for entry in entries:
            restarted(log, store, FIRST).settle([entry], until=entry.at)
        assert kept_in_force(store) == kept_in_force(other)


def test_histories_with_controls_reach_what_they_are_meant_to_reach() -> None:
    """A law over publishings in which nobody moves holds for nothing."""
    found: dict[str, int] = {}
    for seed in range(60):
        _, entries = drawn(seed, 60)
        outcome = sequential(entries, CATALOGUE, until=end_of(entries), in_force=FIRST)
        for raw in outcome.facts:
            fact = msgspec.json.decode(raw)
            kind = fact["type"] + (f" {fact['reason']}" if fact["type"] == "not_entered" else "")
            found[kind] = found.get(kind, 0) + 1
    assert found["migrated"] > 30
    assert found["not_entered paused"] > 50
    assert found["action"] > 50


def test_no_caller_waits_for_a_child_that_is_over() -> None:
    """Whatever was paused or renamed while it waited: once nothing stands still, it was told."""
    n_waiting = 0
    for seed in range(60):
        _, entries = drawn(seed, 60)
        resumed = [("$resume", {"journey": journey}) for journey in ALL_EDITS.holdable]
        for name, payload in [*resumed, ("$release", {})]:
            last = entries[-1]
            event = control_event(name, payload, after=last.position, now=last.at)
            entries.append(Entry(position=last.position + 1, at=last.at, event=event))
        outcome = sequential(entries, CATALOGUE, until=entries[-1].at, in_force=FIRST)
        for (stage, _), raw in outcome.states.items():
            state = decode(stage, raw)  # type: ignore[arg-type]
            life = state.life if isinstance(state, Tie) else state
            if not isinstance(life, Life):
                continue
            open_calls = {(one.parent, one.caller) for one in life.enrolments if one.parent}
            for one in life.enrolments:
                if one.journey == "asking" and one.machine.active in (["asked"], ["waited"]):
                    n_waiting += 1
                    assert (one.id, one.machine.active[0]) in open_calls, seed
    assert n_waiting > 20


def is_broken(catalogue: Catalogue) -> bool:
    """Look for a history in which live and replay differ."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweeping.Sweep.take, "__defaults__", (1,))
        for seed in range(60):
            random, entries = drawn(seed, 60)
            expected = sequential(entries, catalogue, until=end_of(entries), in_force=FIRST)
            if live(entries, random, FIRST) != expected:
                return True
    return False


def test_a_migration_dated_by_the_sweep_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """It happens at the publishing's instant, whenever somebody comes to do it."""
    assert not is_broken(CATALOGUE)
    fire_due, migrate = due.fire_due, due.migrate
    asked_at = [0]

    def asked(life: Life, until: int, ledger: Ledger) -> bool:
        asked_at[0] = until
        return fire_due(life, until, ledger)

    def late(life: Life, enrolment: Enrolment, ledger: Ledger) -> None:
        ledger.at = asked_at[0]
        migrate(life, enrolment, ledger)

    monkeypatch.setattr(due, "fire_due", asked)
    monkeypatch.setattr(due, "migrate", late)
    assert is_broken(CATALOGUE)


def followed_by(change: Event) -> bool:
    """Tell whether live is replay where a change comes right after a publishing that moves three people."""
    events = [*map(viewed, "abc"), published(JUDGED), change]
    entries = [
        Entry(position=index, at=T0 + index * MINUTE, event=event) for index, event in enumerate(events, 1)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweeping.Sweep.take, "__defaults__", (1,))
        found = live(entries, Random(0), FIRST)
    return found == sequential(entries, CATALOGUE, until=end_of(entries), in_force=FIRST)


def viewed(device: str) -> Event:
    """Let somebody begin to settle."""
    return Event(
        source="web", message_id=device, kind="track", name="Viewed", occurred_at=T0, received_at=T0,
        anonymous_id=device,
    )  # fmt: skip


def published(text: str) -> Event:
    """Publish a journey, whoever is inside going along."""
    journey = compile_journey(text)
    change = Change(journey=journey.name, version=journey.version, text=text, policy="follow")
    return control_event(PUBLISH, Publishing(changes=[change]), after=len(text), now=T0)


CHANGES = [
    control_event(LEARNT, Learnt(forecasts=FORECASTS[1]), after=0, now=T0),
    published(ANSWER.replace("40m: done", "9m: done")),
]


@pytest.mark.parametrize("change", CHANGES, ids=["learnt", "publish"])
def test_whoever_is_asked_late_sees_what_was_in_force_then(
    change: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change waits until everybody was asked about the one before it; one that did not wait would show."""
    assert followed_by(change)
    monkeypatch.setattr(Controls, "rests_on_the_last", lambda *_: False)
    assert not followed_by(change)
