"""What people's steps teach comes into force by the log: live once in a while, and the same in a replay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec
import pytest

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.controls import LEARNT, Learnt
from sojourn.definitions.publishing import InForce, Version, catalogue_of
from sojourn.model.event import Event
from sojourn.runtime.driver import Driver
from sojourn.runtime.learning import EVERY_MS
from sojourn.runtime.live import Live
from tests.engine.makers import MINUTE, T0, event
from tests.runtime.test_live import House, until

GOAL = "Order Completed"
PROMISING = f"""
journey: promising
entry: {{ on: Cart Viewed, when: "propensity('{GOAL}') > 0.3", reentry: always }}
states:
  told: {{ do: [ {{ webhook: shop, body: {{}} }} ], after: {{ 1m: done }} }}
  done: {{}}
"""
QUARTER = EVERY_MS // MINUTE


def first(text: str) -> InForce:
    """What is in force before the first control."""
    journey = compile_journey(text)
    version = Version(journey=journey.name, version=journey.version, text=text)
    return InForce(current={journey.name: journey.version}, versions=[version])


def driver_of(log: MemoryLog, store: MemoryStore, text: str = PROMISING) -> Driver:
    """Start a driver as a first start does."""
    in_force = first(text)
    return Driver(log, store, catalogue_of(in_force)[0], in_force=in_force)


class Shop(House):
    """A live house whose journey asks for a forecast."""

    def __init__(self, text: str = PROMISING) -> None:
        super().__init__()
        self.driver = driver_of(self.log, self.store, text)
        self.live = Live(
            self.driver,
            now=lambda: self.now,
            observer=self,
            on_actions=self.actions.extend,
            idle_ms=1,
        )

    @property
    def learnt(self) -> list[Learnt]:
        """What the log holds of it."""
        told = [entry.event for entry in self.log.read(0, 1 << 20) if entry.event.name == LEARNT]
        return [msgspec.json.decode(bytes(one.properties), type=Learnt) for one in told]

    async def visits(self, live: Live, names: Sequence[str], *, at: int) -> None:
        """Let a person come at a minute and take some steps, one a request."""
        self.now = T0 + at * MINUTE
        for n, name in enumerate(names):
            await live.accept([self._step(name, at, n)])
            await until(lambda: self.driver.position == self.log.end())

    def _step(self, name: str, at: int, n: int) -> Event:
        who = f"p{at}"
        return event(name, at=at, message_id=f"{who}-{n}", user_id=who)


def lived(story: Callable[[Shop, Live], object], text: str = PROMISING) -> Shop:
    """Let a story run in a shop of its own."""
    shop = Shop(text)

    async def run() -> None:
        async with shop.open() as live:
            await story(shop, live)  # type: ignore[misc]

    asyncio.run(run())
    return shop


async def three_quarters(shop: Shop, live: Live) -> None:
    """People buy from the cart for two intervals and a half."""
    for at in range(int(2.5 * QUARTER)):
        await shop.visits(live, ["Cart Viewed", GOAL], at=at)


def test_forecasts_are_learnt_once_an_interval_and_asked_by_journeys() -> None:
    """Before the first of them says enough nobody enters; later, people do."""
    shop = lived(three_quarters)
    assert len(shop.learnt) == 3  # at the first step, and at two ends of an interval
    assert shop.driver.catalogue.forecasts == shop.learnt[-1].forecasts
    assert shop.learnt[-1].forecasts[GOAL]["Cart Viewed"] > 0.8
    assert shop.actions


def test_a_replay_of_the_log_comes_to_the_same_forecasts_facts_and_states() -> None:
    """It reads what was learnt, at the position at which it came into force, and appends nothing."""
    shop = lived(three_quarters)
    end = shop.log.end()
    again = driver_of(shop.log, MemoryStore())
    again.catch_up()
    assert again.catalogue.forecasts == shop.driver.catalogue.forecasts
    assert shop.log.end() == end
    found, expected = (sorted(facts(one.store)) for one in (again, shop.driver))
    assert found == expected


def facts(store: object) -> list[bytes]:
    """Return all facts, encoded."""
    assert isinstance(store, MemoryStore)
    return [msgspec.json.encode(fact) for _, group in store.facts_after(0, 1 << 30) for fact in group]


@pytest.mark.parametrize(
    "text", [PROMISING.replace(f", when: \"propensity('{GOAL}') > 0.3\"", "")], ids=["no question"]
)
def test_nobody_learns_for_journeys_that_do_not_ask(text: str) -> None:
    """What nobody asks for is not worth a place in the log."""
    assert lived(three_quarters, text).learnt == []


def test_a_driver_that_keeps_its_catalogue_is_told_nothing() -> None:
    """Controls change nothing there: it would learn the same again, for nobody."""
    shop = Shop()
    shop.driver.controls = None

    async def run() -> None:
        async with shop.open() as live:
            await shop.visits(live, ["Cart Viewed", GOAL], at=0)

    asyncio.run(run())
    assert shop.learnt == []
