"""Rates: so many deliveries in a time and no more, and the lane waits without losing or overtaking any."""

from __future__ import annotations

import asyncio
import random

import pytest

from sojourn.model.action import Action, Delivery
from sojourn.model.errors import SinkError
from sojourn.runtime.rate import Bucket, Rate
from tests.runtime.outboxes import DAY_MS, DELIVERED, DOWN, Destination, House, action, quiet, until

TEN_A_SECOND = Rate(most=10, per_ms=1_000)


def taken(rate: Rate, instants: list[int]) -> list[int]:
    """Return the instants at which one was let through."""
    bucket = Bucket(rate)
    return [now for now in instants if bucket.take(now)]


def test_deliveries_are_evenly_spaced() -> None:
    """A destination that allows ten a second is not given ten in the first millisecond of each."""
    assert taken(TEN_A_SECOND, list(range(500))) == [0, 100, 200, 300, 400]


def test_after_a_pause_a_burst_goes_at_once() -> None:
    """Then evenly spaced again."""
    rate = Rate(most=10, per_ms=1_000, burst=3)
    assert taken(rate, [0, 0, 0, 0, 100, 100, 5_000, 5_000, 5_000, 5_000]) == [
        0, 0, 0, 100, 5_000, 5_000, 5_000,
    ]  # fmt: skip


def test_it_says_when_the_next_may_go() -> None:
    """To the millisecond: a lane that sleeps until then finds it open, and not a millisecond before."""
    bucket = Bucket(Rate(most=3, per_ms=1_000))
    assert bucket.take(0)
    assert bucket.opens_at(0) == 334
    assert not bucket.take(333)
    assert bucket.take(334)


def test_a_clock_that_is_set_back_does_not_stop_it() -> None:
    """Somebody may set it by a year; the wait is that of one delivery."""
    bucket = Bucket(TEN_A_SECOND)
    assert bucket.take(365 * DAY_MS)
    assert bucket.opens_at(0) == 100


def test_no_window_holds_more_than_the_rate_and_its_burst() -> None:
    """Against a count of every window, for random rates and random askers."""
    for seed in range(200):
        dice = random.Random(seed)
        rate = Rate(most=dice.randint(1, 50), per_ms=dice.randint(1, 3_000), burst=dice.randint(1, 10))
        went = taken(rate, sorted(dice.randint(0, 6_000) for _ in range(800)))
        for first in went:
            n_in_window = sum(first <= at < first + rate.per_ms for at in went)
            assert n_in_window <= rate.most + rate.burst - 1, f"seed {seed}: {rate}"


def test_a_rate_that_is_not_exhausted_holds_nobody_back() -> None:
    """It is a bound, and no delay."""
    for seed in range(50):
        dice = random.Random(seed)
        rate = Rate(most=dice.randint(1, 50), per_ms=1_000)
        instants = [n * -(-1_000 // rate.most) for n in range(100)]
        assert taken(rate, instants) == instants, f"seed {seed}"


def test_a_lane_keeps_its_sinks_rate_in_order_and_loses_none() -> None:
    """The clock moves; what the rate allows has gone, and what waits is in the outbox still."""

    async def story() -> tuple[list[int], list[str], int]:
        house, shop = House(*(action(f"a{n}") for n in range(5))), Destination(DELIVERED)
        seen = []
        async with house.open({"shop": shop}, rates={"shop": TEN_A_SECOND}):
            for at in (0, 99, 100, 250, 349, 350, 450):
                house.go_to(at)
                await quiet()
                seen.append(len(shop.seen))
        return seen, shop.seen, house.count.n_throttled

    seen, order, n_throttled = asyncio.run(story())
    assert seen == [1, 1, 2, 3, 3, 4, 5]
    assert order == ["a0", "a1", "a2", "a3", "a4"]
    assert n_throttled == 4


def test_a_lane_wakes_by_itself_when_the_rate_allows_the_next() -> None:
    """Nobody reminds it, and it does not ask over and over."""

    async def story() -> tuple[int, list[str]]:
        house, shop = House(action("a0"), action("a1")), Destination(DELIVERED)
        n_asked = 0
        loop = asyncio.get_running_loop()
        began = loop.time()

        def clock() -> int:
            nonlocal n_asked
            n_asked += 1
            return int((loop.time() - began) * 1000)

        house.clock = clock
        async with house.open({"shop": shop}, rates={"shop": Rate(most=20, per_ms=1_000)}):
            async with asyncio.timeout(2):
                while house.outbox.letters:
                    await asyncio.sleep(0.005)
        return n_asked, shop.seen

    n_asked, seen = asyncio.run(story())
    assert seen == ["a0", "a1"]
    assert n_asked < 60


def test_one_sinks_rate_slows_no_other() -> None:
    """Each lane has its own bucket, or none."""

    async def story() -> tuple[list[str], list[str]]:
        house = House(
            *(action(f"s{n}", "slow") for n in range(9)), *(action(f"f{n}", "fast") for n in range(9))
        )
        slow, fast = Destination(DELIVERED), Destination(DELIVERED)
        async with house.open({"slow": slow, "fast": fast}, rates={"slow": TEN_A_SECOND}):
            await until(lambda: len(fast.seen) == 9)
            await quiet()
        return slow.seen, fast.seen

    slow, fast = asyncio.run(story())
    assert (len(slow), len(fast)) == (1, 9)


def test_what_expires_while_it_waits_is_told_so_and_takes_nobodys_place() -> None:
    """Its journey waits to hear of it, and the rate is for what is delivered."""

    async def story() -> tuple[list[tuple[str, Delivery]], list[str]]:
        waiting = [action("a0"), action("a1", expires_at=50), action("a2")]
        house, shop = House(*waiting), Destination(DELIVERED)
        async with house.open({"shop": shop}, rates={"shop": TEN_A_SECOND}):
            await quiet()
            house.go_to(51)
            await quiet()
            house.go_to(100)
            await until(lambda: not house.outbox.letters)
        return house.told, shop.seen

    told, seen = asyncio.run(story())
    assert [(name, delivery.outcome) for name, delivery in told] == [
        ("a0", "delivered"), ("a1", "expired"), ("a2", "delivered"),
    ]  # fmt: skip
    assert seen == ["a0", "a2"]


def test_another_attempt_is_a_delivery_too() -> None:
    """The destination counts requests, not actions."""

    async def story() -> list[str]:
        answers: list[SinkError | Delivery] = [DOWN, DELIVERED, DELIVERED]

        async def answer(action: Action) -> Delivery:
            given = answers.pop(0)
            if isinstance(given, SinkError):
                raise given
            return given

        house, shop = House(action("a0"), action("a1")), Destination(answer)
        async with house.open({"shop": shop}, random=0.0, rates={"shop": TEN_A_SECOND}):
            for at in (0, 100, 199, 200):
                house.go_to(at)
                await quiet()
                if at == 199:
                    assert len(shop.seen) == 2
        return shop.seen

    assert sorted(asyncio.run(story())) == ["a0", "a0", "a1"]


@pytest.mark.parametrize("rate", [Rate(most=1, per_ms=DAY_MS), Rate(most=1_000_000, per_ms=1)])
def test_the_ends_of_what_may_be_said_work(rate: Rate) -> None:
    """One a day, and a thousand million a second."""
    bucket = Bucket(rate)
    assert bucket.take(0)
    assert bucket.opens_at(0) == (DAY_MS if rate.most == 1 else 1)
