"""Live = replay = partitioned, with friction, forecasts and churn in force."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.definitions.catalogue import build_catalogue, load_definitions
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.expression import EXIT
from sojourn.definitions.friction_rules import DEFAULT_EVENTS, SIGNALS, FrictionRules, roles_of
from sojourn.definitions.journey import Catalogue
from sojourn.definitions.policy import Policy
from sojourn.engine import due, friction, friction_state, trail
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Life
from sojourn.model.event import OUR_SOURCE, Entry
from sojourn.model.fact import Identified
from sojourn.runtime.driver import Driver
from tests.laws import test_equality
from tests.laws.histories import MINUTE, history
from tests.laws.runtimes import Outcome, partitioned, sequential
from tests.soak import tries

HELPED = """
journey: helped
entry: { on: [$friction.rage, $friction.dead, $friction.loop], key: properties.signal }
states:
  waiting:
    on: { $friction.error_click: { to: told, when: "friction.score > 0.4" }, $friction.dead: told }
    after: { 1s: hot, 9m: cold }
  hot:
    branch:
      - { when: "friction('rage', within='10m') > 1 or friction.last == 'stall'", to: told }
      - { to: cold }
  told:
    do: [ { webhook: support, body: { of: "{{ entry.properties.signal }}", n: "{{ properties.score }}" } } ]
    after: { 1h: done }
  cold:
    on: { $friction.error_click: told }
    after: { 40m: { to: told, when: "friction.score > 0.05" }, 50m: done }
  done: {}
"""

ABANDONED = """
journey: abandoned
entry: { on: $friction.cart_abandon, key: properties.target, reentry: always }
goal: { on: Order Completed, within: 1d }
states:
  deciding:
    branch:
      - { when: "propensity('Order Completed') > 0.3 or hazard() < 0.2", to: mailed }
      - { when: "churn() > 0.5", to: done }
      - { to: waiting }
  waiting:
    after: { 20m: mailed }
    on: { $friction.form_abandon: mailed, Viewed: deciding }
  mailed:
    do: [ { webhook: shop, body: { cart: "{{ entry.properties.target }}" } } ]
    after: { 10m: done }
  done: {}
"""

COMFORTED = """
journey: comforted
entry: { segment: troubled, reentry: always }
exit: { when: "not in_segment('troubled')" }
states:
  waiting:
    on: { $friction.form_abandon: told }
    after: { 7m: told }
  told:
    do: [ { webhook: support, body: {} } ]
    after: { 1h: done }
  done: {}
"""
SEGMENTS = """
segments:
  troubled: "count('$friction.rage', within='9m') > 0 or in_segment('lost')"
  lost: "count('$friction.dead', within='30m') > 1 and since('$friction.stall') > minutes(5)"
"""

RULES = FrictionRules(
    is_named=True,
    roles=roles_of({**DEFAULT_EVENTS, "effect": frozenset({"$effect"})}),
    n_backtrack=3,
    stall_ms=8 * MINUTE,
)

# What the tracks of a history are called here; the steps have ranks.
NAMES = (
    *(["$click"] * 6), "$effect", "$error", "$rageclick", "Form Started", "Form Submitted", "Product Added",
    "Order Completed", "Viewed", "Checkout Started", "Shipping", "Viewed", "$friction.rage",
)  # fmt: skip
STEPS_MS = (0, 1, 200, 300, 400, 2_000, MINUTE, 31 * MINUTE)


def catalogue() -> Catalogue:
    """Compile journeys and segments that live by signals, forecasts and churn."""
    journeys = [compile_journey(text, file="x.yaml") for text in (HELPED, ABANDONED, COMFORTED)]
    built = build_catalogue(
        journeys,
        ranks={"Viewed": 0, "Checkout Started": 1, "Shipping": 2, "Order Completed": 3},
        session_gap_ms=20 * MINUTE,
        segments=load_definitions([("segments.yaml", SEGMENTS)]).segments,
    )
    forecasts = {
        "Order Completed": {"Viewed": 0.1, "Shipping": 0.5, "(other)": 0.2},
        EXIT: {"Viewed": 0.4, "Shipping": 0.1, "(other)": 0.3},
    }
    return replace(built, policy=Policy(friction=RULES), forecasts=forecasts)


CATALOGUE = catalogue()


def rough(random: Random, *, n_events: int) -> list[Entry]:
    """Draw a log of people who click, hurry, go back and give up."""
    entries = history(random, n_events=n_events, steps_ms=STEPS_MS)
    return [_roughened(entry, random) for entry in entries]


def _roughened(entry: Entry, random: Random) -> Entry:
    event = entry.event
    if event.kind != "track" or event.source == OUR_SOURCE:
        return entry
    properties = {
        "target": random.choice("abc"),
        "x": random.randrange(40),
        "y": 0,
        "form_id": random.choice("fg"),
        "cart_id": random.choice("cd"),
    }
    raw = Raw(msgspec.json.encode(properties))
    return replace(entry, event=replace(event, name=random.choice(NAMES), properties=raw))


def live(entries: list[Entry], random: Random) -> Outcome:
    """Run the driver as the other laws do, with this catalogue in force."""
    return test_equality.live(entries, random, CATALOGUE)


seeds = st.integers(0, 2**32)


@settings(max_examples=tries(50), deadline=None)
@given(seeds, st.integers(0, 60))
def test_live_is_replay_with_friction(seed: int, n_events: int) -> None:
    """Dead clicks are judged late and deadlines fire on time, however inputs are cut into batches."""
    random = Random(seed)
    entries = rough(random, n_events=n_events)
    until = test_equality.end_of(entries)
    test_equality.same(live(entries, random), sequential(entries, CATALOGUE, until=until))


@settings(max_examples=tries(50), deadline=None)
@given(seeds, st.integers(0, 60), st.integers(1, 4))
def test_partitioned_is_replay_with_friction(seed: int, n_events: int, n_partitions: int) -> None:
    """Also where lives move between partitions in the middle of a burst."""
    random = Random(seed)
    entries = rough(random, n_events=n_events)
    until = test_equality.end_of(entries)
    found = partitioned(entries, CATALOGUE, until=until, n_partitions=n_partitions, random=random)
    test_equality.same(found, sequential(entries, CATALOGUE, until=until))


@settings(max_examples=tries(20), deadline=None)
@given(seeds, st.integers(20, 60))
def test_bounds_of_friction_are_met_alike_by_every_runtime(seed: int, n_events: int) -> None:
    """What is forgotten at a bound is a function of the log, too: here all of them are near."""
    random = Random(seed)
    entries = rough(random, n_events=n_events)
    until = test_equality.end_of(entries)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(friction_state, "MAX_SIGNALS", 3)
        patch.setattr(friction_state, "MAX_DEADLINES", 1)
        patch.setattr(friction, "MAX_WAITING_CLICKS", 1)
        patch.setattr(trail, "MAX_STEPS", 2)
        expected = sequential(entries, CATALOGUE, until=until)
        test_equality.same(live(entries, random), expected)
        found = partitioned(entries, CATALOGUE, until=until, n_partitions=3, random=random)
        test_equality.same(found, expected)


@settings(max_examples=tries(30), deadline=None)
@given(seeds)
def test_nothing_happens_to_a_person_before_what_has_happened(seed: int) -> None:
    """A dead click is found late and dated back: never to before anything that came of other things since."""
    entries = rough(Random(seed), n_events=60)
    store = MemoryStore()
    Driver(MemoryLog(), store, CATALOGUE).settle(entries, until=test_equality.end_of(entries))
    instants: dict[str, list[int]] = {}
    for _, group in store.facts_after(0, 1 << 30):
        for fact in group:
            if not (isinstance(fact, Identified) and fact.user_id):  # an alias's: another stage tells it
                instants.setdefault(fact.profile_id, []).append(fact.at)
    assert all(each == sorted(each) for each in instants.values())


def test_rough_histories_reach_what_they_are_meant_to_reach() -> None:
    """A law over histories in which nothing goes wrong holds for nothing."""
    signals: set[str] = set()
    moved_by: set[str] = set()
    joined: set[str] = set()
    n_actions = 0
    for seed in range(80):
        random = Random(seed)
        entries = rough(random, n_events=60)
        outcome = sequential(entries, CATALOGUE, until=test_equality.end_of(entries))
        facts = [msgspec.json.decode(fact) for fact in outcome.facts]
        signals |= {fact["signal"] for fact in facts if fact["type"] == "friction"}
        moved_by |= {fact["event"] for fact in facts if fact["type"] == "transition"}
        joined |= {fact["segment"] for fact in facts if fact["type"] == "segment_entered"}
        n_actions += len(outcome.actions)
    assert signals == set(SIGNALS)
    assert moved_by >= {"$friction.dead", "$friction.error_click", "$friction.form_abandon"}
    assert joined == {"troubled", "lost"}
    assert n_actions > 100


def test_a_dead_click_judged_when_a_batch_ends_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted mistake: where inputs are cut is nobody's instant."""
    original = due.fire_due

    def hasty(life: Life, until: int, ledger: Ledger) -> bool:
        has_fired = original(life, until, ledger)
        at, position = ledger.at, ledger.position
        ledger.at = until
        has_fired |= friction.judge(life, None, ledger)
        ledger.at, ledger.position = at, position
        return has_fired

    monkeypatch.setattr(due, "fire_due", hasty)
    assert any(_differs(seed) for seed in range(30))


def _differs(seed: int) -> bool:
    random = Random(seed)
    entries = rough(random, n_events=60)
    until = test_equality.end_of(entries)
    return live(entries, random) != sequential(entries, CATALOGUE, until=until)
