"""What a cluster learns from its facts is what one machine learns from its own, control by control."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.definitions.controls import LEARNT, Learnt, control_event, is_control
from sojourn.definitions.publishing import InForce, catalogue_of
from sojourn.model.event import Entry, Event
from sojourn.model.fact import Fact
from sojourn.runtime.driver import Driver
from sojourn.runtime.shards.pupil import Progress, Pupil
from tests.engine.makers import MINUTE, T0, event
from tests.laws.edited import in_force_of
from tests.laws.sharded import sharded

RESCUE = """
journey: rescue
entry: { on: Began, reentry: always }
goal: { on: Bought, within: 1h }
states:
  deciding:
    experiment:
      id: offer
      variants: { none: 1, free: 1 }
      to: { none: waiting, free: waiting }
      allocation: adaptive
      by: entry.properties.plan
      reward: { on: Bought, within: 1h }
      floor: 10%
  waiting: { after: { 2h: done } }
  done: {}
"""
PROMISING = """
journey: promising
entry: { on: Looked, when: "propensity('Bought') > 0.3", reentry: always }
states:
  told: { do: [ { webhook: shop, body: {} } ], after: { 1m: done } }
  done: {}
"""
NAMES = ("Began", "Looked", "Looked", "Bought")
HOURS = 12


def first() -> InForce:
    """What is in force before the first control."""
    return in_force_of([RESCUE, PROMISING], shared=["policy: { holdout: off }"])


class Machine:
    """One machine, on which people come and something is learnt every half hour."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        in_force = first()
        self.log = MemoryLog()
        self.driver = Driver(self.log, MemoryStore(), catalogue_of(in_force)[0], in_force=in_force)
        self.told: list[tuple[int, Learnt | None]] = []
        """When it was asked, and what it learnt."""
        for n in range(2 * HOURS):
            self.half_an_hour(T0 + n * 30 * MINUTE)

    def half_an_hour(self, at: int) -> None:
        """Let people do something each minute, and then learn."""
        for minute in range(30):
            self.append(self.happening(at + minute * MINUTE), at + minute * MINUTE)
        learnt = self.driver.learn()
        self.told.append((self.driver.clock, learnt))
        if learnt is not None:
            self.append(control_event(LEARNT, learnt, after=self.driver.position, now=at), self.driver.clock)

    def happening(self, at: int) -> Event:
        """Draw an event."""
        name, who = self.random.choice(NAMES), f"p{self.random.randrange(25)}"
        plan = self.random.choice(["pro", "new"])
        return event(name, at=at, message_id=str(at), user_id=who, properties={"plan": plan})

    def append(self, one: Event, at: int) -> None:
        """Put it into the log, and take it through the engine."""
        self.driver.settle(self.log.append([one], now=at).entries, until=at)

    def entries(self) -> list[Entry]:
        """Return the log."""
        return list(self.log.read(0, 1 << 20))


@pytest.mark.parametrize("seed", range(3))
def test_a_cluster_puts_the_same_into_the_log(seed: int) -> None:
    """On any number of shards, in whatever order their facts come, and begun again in between."""
    machine = Machine(seed)
    random, entries = Random(seed), machine.entries()
    until = entries[-1].at
    n_shards = random.choice((1, 3, 8))
    outcome = sharded(entries, in_force=first(), until=until, n_shards=n_shards, n_tasks=1, random=random)
    facts = [msgspec.json.decode(fact, type=Fact) for fact in outcome.facts]
    pupil, after, n_read = Pupil(Progress(), first()), 0, 0
    for at, learnt in machine.told:
        for entry in entries:
            if is_control(entry.event) and entry.at < at:
                pupil.hear(entry)
        fresh = sorted((fact for fact in facts if after < fact.at <= at), key=lambda fact: fact.at)
        cut = random.randrange(len(fresh))
        for batch in (fresh[:cut], fresh[cut:]):
            random.shuffle(batch)
            n_read += len(batch)
            pupil.take(batch, {0: n_read})
        assert (pupil.clock, pupil.learnt()) == (at, learnt)
        after = at
        if random.random() < 0.3:
            raw = msgspec.json.encode(pupil.progress("me"))
            kept = msgspec.json.decode(raw, type=Progress)
            assert (kept.offsets, kept.owner) == ({0: n_read}, "me")
            pupil = Pupil(kept, first())
    told = [learnt for _, learnt in machine.told if learnt is not None]
    assert len(told) > HOURS
    assert all(each.forecasts for each in told)
    assert any(each.allocations for each in told)
