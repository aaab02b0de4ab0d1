"""Allocating: what rewards come to, when they count, and that weights come into force by the log alone."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import msgspec
import pytest

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.definitions.controls import LEARNT, Learnt, control_event
from sojourn.definitions.experiment import Experiment, Reward
from sojourn.definitions.forecasts import OTHER
from sojourn.definitions.publishing import InForce, catalogue_of
from sojourn.definitions.thompson import weights
from sojourn.model.fact import Exposed, Fact, Rewarded
from sojourn.model.ids import user_profile
from sojourn.model.ports import Commit
from sojourn.runtime.allocating import DOCUMENT, EVERY_MS, KEEP_MS, MAX_CELLS, MAX_WAITING, Allocator
from sojourn.runtime.driver import Driver
from tests.engine.makers import MINUTE, T0, event
from tests.runtime.test_learning_live import facts as facts_of

HOUR = 60 * MINUTE
WINDOW = 2 * HOUR
E = Experiment(
    id="e", variants=("a", "b"), weights=(0.5, 0.5), allocation="adaptive", reward=Reward(within_ms=WINDOW)
)
IN_FORCE = {"e": E}


def exposed(variant: str, *, at: int = T0, context: str = "", experiment: str = "e") -> Fact:
    """Somebody met a variant."""
    return Exposed(
        profile_id=user_profile("ann"), at=at, position=1, experiment=experiment, variant=variant,
        propensity=0.5, context=context, allocation="adaptive",
    )  # fmt: skip


def rewarded(variant: str, *, exposed_at: int = T0, context: str = "") -> Fact:
    """What they were to do, they did."""
    return Rewarded(
        profile_id=user_profile("ann"), at=exposed_at + 1, position=1, experiment="e", variant=variant,
        context=context, exposed_at=exposed_at,
    )  # fmt: skip


def allocator(*facts: Fact, store: MemoryStore | None = None) -> Allocator:
    """Count some facts."""
    made = Allocator(store or MemoryStore())
    made.take(facts, IN_FORCE)
    return made


def test_weights_follow_from_exposures_and_rewards() -> None:
    """As the closed form says, of each cell its own."""
    facts = [exposed("a")] * 40 + [exposed("b")] * 50 + [rewarded("a")] * 4 + [rewarded("b")] * 10
    facts += [exposed("a", context="x")] * 3
    found = allocator(*facts).allocations(T0 + 2 * WINDOW, IN_FORCE)
    assert found == {
        "e": {"": list(weights([4, 10], [40, 50], E.floor)), "x": list(weights([0, 0], [3, 0], E.floor))}
    }


def test_what_waits_is_bounded_where_nobody_asks_for_weights() -> None:
    """As a log of a year is read again: what is over is counted, and comes to the same."""
    facts = [exposed("ab"[n % 2], at=T0 + n * HOUR) for n in range(2_000)]
    made = allocator(*facts)
    (arms,) = made.counts("e").values()
    assert all(len(arm.waiting) <= 2 * MAX_WAITING for arm in arms.values())
    found = made.allocations(T0 + 3_000 * HOUR, IN_FORCE)
    assert found == {"e": {"": list(weights([0, 0], [1_000, 1_000], E.floor))}}


def test_an_exposure_counts_only_when_its_time_is_over() -> None:
    """Else the variant drawn most of late would look the worst: nobody has had the time to do anything."""
    part = WINDOW // MAX_WAITING
    made = allocator(exposed("a"), rewarded("a"), exposed("b", at=T0 + HOUR))
    assert made.allocations(T0 + WINDOW - 1, IN_FORCE) == {}
    assert made.due(T0 + WINDOW + EVERY_MS, IN_FORCE)
    first = made.allocations(T0 + WINDOW + part, IN_FORCE)
    assert first == {"e": {"": list(weights([1, 0], [1, 0], E.floor))}}
    then = made.allocations(T0 + WINDOW + HOUR + part, IN_FORCE)
    assert then == {"e": {"": list(weights([1, 0], [1, 1], E.floor))}}
    assert not made.due(T0 + 9 * WINDOW, IN_FORCE)


def test_late_rewards_do_not_favour_the_variant_that_is_drawn_less() -> None:
    """Two variants alike, one of them drawn ten times as often of late: neither gains by it."""
    random = Random(3)
    made = allocator()
    for minute in range(6 * 60):
        at = T0 + minute * MINUTE
        often = "b" if minute > 4 * 60 else "a"
        for _ in range(10):
            variant = often if random.random() < 0.9 else "ab".replace(often, "")
            made.take([exposed(variant, at=at)], IN_FORCE)
            if random.random() < 0.3 and minute < 4 * 60 + 30:  # what they do takes an hour and a half
                made.take([rewarded(variant, exposed_at=at)], IN_FORCE)
    ((share, _),) = made.allocations(T0 + 6 * HOUR, IN_FORCE)["e"].values()
    assert 0.05 < share < 0.95


def test_what_waits_is_bounded_however_many_there_are() -> None:
    """A document of counts, never of people."""
    made = allocator(*(exposed("a", at=T0 + n * 7_919) for n in range(20_000)))
    made.allocations(T0 + 20_000 * 7_919, IN_FORCE)
    assert len(made.counts("e")[""]["a"].waiting) <= MAX_WAITING + 2


def test_cells_beyond_the_bound_are_counted_together() -> None:
    """A context may be anything; those that came first are told apart."""
    made = allocator(*(exposed("a", context=f"{n}") for n in range(MAX_CELLS + 30)))
    cells = made.counts("e")
    assert len(cells) == MAX_CELLS + 1
    assert sum(one for one, _ in cells[OTHER]["a"].waiting.values()) == 30


def test_an_experiment_that_is_over_is_forgotten() -> None:
    """And one that nobody asked to learn is not counted."""
    made = allocator(exposed("a"), exposed("a", experiment="other"))
    assert made.counts("other") == {}
    made.allocations(T0 + 2 * WINDOW, {})
    assert made.counts("e") == {}


def test_counts_survive_a_restart() -> None:
    """A crash forgets a minute of them at most."""
    store = MemoryStore()
    made = allocator(exposed("a"), rewarded("a"), store=store)
    documents = made.document(T0)
    store.commit(Commit(1, T0, [], [], documents))
    assert made.document(T0 + KEEP_MS - 1) == {}
    again = Allocator(store)
    assert again.counts("e") == made.counts("e")
    assert [*documents] == [DOCUMENT]


def test_a_reward_whose_exposure_a_crash_forgot_is_no_second_success() -> None:
    """There are never more successes than trials."""
    found = allocator(rewarded("a"), exposed("b")).allocations(T0 + 2 * WINDOW, IN_FORCE)
    assert found == {"e": {"": list(weights([0, 0], [0, 1], E.floor))}}


# -- Live: what is learnt goes through the log.

BUTTON = """
flag: button
variants: { calm: 1, bold: 2 }
default: calm
rules:
  - experiment:
      variants: { calm: 1, bold: 1 }
      allocation: adaptive
      reward: { on: Bought, within: 10m }
"""


USED = {"flag": "button"}


def flagged(log: MemoryLog, store: MemoryStore) -> Driver:
    """Start a driver with the flag in force."""
    in_force = InForce(shared=[BUTTON])
    return Driver(log, store, catalogue_of(in_force)[0], in_force=in_force)


def day(driver: Driver, *, minutes: range, best: str) -> None:
    """Let people use the flag, one a minute; those who see the best variant buy."""
    for minute in minutes:
        user = f"p{minute}"
        now = T0 + minute * MINUTE
        told = event("Flag Exposed", at=minute, user_id=user, message_id=f"x{minute}", properties=USED)
        driver.take(driver.log.append([told], now=now).entries)
        if _variant(driver, user) == best:
            bought = event("Bought", at=minute, user_id=user, message_id=f"b{minute}")
            driver.take(driver.log.append([bought], now=now).entries)
        learnt = driver.learn()
        if learnt is not None:
            control = control_event(LEARNT, learnt, after=driver.position, now=now)
            driver.take(driver.log.append([control], now=now).entries)


def _variant(driver: Driver, user: str) -> str:
    assert isinstance(driver.store, MemoryStore)
    met = [fact for fact in _exposures(driver.store) if fact.profile_id == user_profile(user)]
    return met[0].variant if met else ""  # the global hold-out keeps some from everything


def _exposures(store: MemoryStore) -> list[Exposed]:
    each = [fact for _, group in store.facts_after(0, 1 << 30) for fact in group]
    return [fact for fact in each if isinstance(fact, Exposed)]


def test_an_adaptive_flag_comes_to_what_people_buy_for_and_a_replay_to_the_same() -> None:
    """The propensity that is told is the weight in force; a replay reads the weights where they stand."""
    store = MemoryStore()
    driver = flagged(MemoryLog(), store)
    day(driver, minutes=range(120), best="bold")
    (exposures, allocations) = _exposures(store), driver.catalogue.allocations["button"][""]
    assert allocations == [0.05, 0.95]
    assert {fact.propensity for fact in exposures[:10]} == {0.5}
    late = exposures[-30:]
    assert {fact.eligible["bold"] for fact in late} == {0.95}
    assert sum(fact.variant == "bold" for fact in late) > 22
    again = flagged(driver.log, MemoryStore())  # type: ignore[arg-type]  # it is a memory log
    again.catch_up()
    assert again.catalogue.allocations == driver.catalogue.allocations
    assert sorted(facts_of(again.store)) == sorted(facts_of(driver.store))


def test_what_stays_the_same_is_not_said_again() -> None:
    """The log is no place for a clock."""
    driver = flagged(MemoryLog(), MemoryStore())
    day(driver, minutes=range(120), best="bold")
    said = [entry for entry in driver.log.read(0, 1 << 20) if entry.event.name == LEARNT]
    each = [msgspec.json.decode(entry.event.properties, type=Learnt).allocations for entry in said]
    assert 1 <= len(each) < 120 // 15
    assert all(one != other for one, other in pairwise(each))


def test_who_asks_for_nothing_pays_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an adaptive experiment in force, nothing is counted."""
    driver = Driver(MemoryLog(), MemoryStore(), catalogue_of(InForce())[0], in_force=InForce())
    monkeypatch.setattr(driver.lessons.allocator, "take", None)
    driver.take(driver.log.append([event("Viewed", user_id="ann")], now=T0).entries)
    assert driver.learn() is None
