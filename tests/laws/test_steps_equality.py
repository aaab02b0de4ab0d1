"""Live = replay = partitioned, for journeys written as steps: waits, draws, correlation, loops, joins."""

from __future__ import annotations

from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.definitions.catalogue import build_catalogue
from sojourn.definitions.compile import compile_journey
from sojourn.model.event import Entry
from sojourn.runtime.driver import Driver
from tests.laws.histories import MINUTE, T0, history
from tests.laws.runtimes import Outcome, partitioned, sequential
from tests.laws.test_equality import outcome_of, same
from tests.soak import tries

SHOPPING = """
journey: shopping
entry: { on: Viewed, key: properties.cart, reentry: after_exit }
holdout: 0%
steps:
  - wait: { between: [1m, 40m] }
  - name: decided
    wait_for:
      - { on: [Checkout Started, Order Completed], match: cart, then: { send: { webhook: shop } } }
      - { when: "trait.plan == 'pro'", then: exit }
      - { within: 2h, timeout: { goto: last } }
  - repeat:
      times: 3
      until: "count('Shipping', within='1h') > 1"
      steps: [{ wait: { until: "entry.at / 1000 + hours(2)" } }, { send: { webhook: shop } }, { wait: 7m }]
  - split: { variants: { a: 1, b: 2 }, steps: { b: { wait: { window: "00:00-12:00" } } } }
  - name: last
    parallel:
      - { wait: { until: "09:00", zone: Asia/Tokyo } }
      - { wait_for: { on: Help Opened, within: 3h } }
    join: any
  - send: { webhook: support, body: { n: "{{ session.n_events }}" } }
"""

VISITING = """
journey: visiting
entry: { on: Help Opened, reentry: always }
holdout: 0%
states:
  helped:
    steps: [{ wait: 10m }, { wait_for: { on: Viewed, within: 1h } }, { wait: { between: [1s, 1h] } }]
    on: { $page: away, done.state.helped: done }
  away:
    on: { Shipping: { resume: helped } }
    after: { 2h: done }
"""

CATALOGUE = build_catalogue([compile_journey(text, file="j.yaml") for text in (SHOPPING, VISITING)])
seeds = st.integers(0, 2**32)


def end_of(entries: list[Entry]) -> int:
    """Return an instant well after the last timer could be due."""
    return (entries[-1].at if entries else T0) + 3 * 24 * 60 * MINUTE


def live(entries: list[Entry], random: Random) -> Outcome:
    """Run the driver in random batches, with random clock ticks."""
    log, store = MemoryLog(), MemoryStore()
    driver = Driver(log, store, CATALOGUE, cache=random.choice((0, 2, 1_000)))
    waiting = list(entries)
    while waiting:
        n_taken = random.randrange(1, 8)
        batch, waiting = waiting[:n_taken], waiting[n_taken:]
        driver.settle(batch, until=batch[-1].at)
        ceiling = waiting[0].at if waiting else end_of(entries)
        if random.random() < 0.5:
            driver.settle([], until=random.randint(batch[-1].at, ceiling))
    driver.settle([], until=end_of(entries))
    return outcome_of(store)


@settings(max_examples=tries(40), deadline=None)
@given(seeds, st.integers(0, 60))
def test_steps_come_to_the_same_however_they_are_run(seed: int, n_events: int) -> None:
    """Nothing in a step may depend on how inputs are cut, or on when the clock ticks."""
    random = Random(seed)
    entries = history(random, n_events=n_events)
    expected = sequential(entries, CATALOGUE, until=end_of(entries))
    same(live(entries, random), expected)
    found = partitioned(entries, CATALOGUE, until=end_of(entries), n_partitions=3, random=random)
    same(found, expected)


def test_histories_go_through_the_steps() -> None:
    """A law over journeys in which nothing happens holds for nothing."""
    states: set[str] = set()
    for seed in range(60):
        entries = history(Random(seed), n_events=60)
        outcome = sequential(entries, CATALOGUE, until=end_of(entries))
        facts = [msgspec.json.decode(fact) for fact in outcome.facts]
        states |= {state for fact in facts if fact["type"] == "transition" for state in fact["target"]}
        assert "journey_error" not in {fact["type"] for fact in facts}
    known = {
        state.id for journey in CATALOGUE.journeys.values() for state in journey.chart.states if state.is_leaf
    }
    assert known - states <= {"last.path-1.finished", "last.path-2.finished", "helped.finished"}
