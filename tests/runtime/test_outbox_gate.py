"""The gate of the outbox: shut, nothing begins and nothing is lost; open again, everything goes its way."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from sojourn.adapters.memory import MemoryOutbox
from sojourn.model.action import Action, Delivery, Letter
from sojourn.runtime.outbox import OutboxWorker
from tests.runtime.outboxes import DAY_MS, DELIVERED, DOWN, Destination, House, action, quiet, until


def test_nothing_is_sent_while_it_is_shut_and_all_of_it_afterwards() -> None:
    """What waits already, and what is added meanwhile; letters only wait."""

    async def story() -> tuple[list[str], list[str], list[str]]:
        house, shop = House(action("a1")), Destination(DELIVERED)
        async with house.open({"shop": shop}) as worker:
            worker.hold(is_held=True)
            await quiet()
            house.put(action("a2"))
            worker.notify("shop")
            await quiet()
            seen, waiting = list(shop.seen), sorted(house.outbox.letters)
            worker.hold(is_held=False)
            await until(lambda: not house.outbox.letters)
        return seen, waiting, sorted(shop.seen)

    assert asyncio.run(story()) == ([], ["a1", "a2"], ["a1", "a2"])


def test_what_is_in_flight_ends_and_nothing_follows_it() -> None:
    """The destination has it already: its outcome is told, and its letter is gone."""

    async def story() -> tuple[list[str], list[str], list[str]]:
        may_end = asyncio.Event()

        async def answer(action: Action) -> Delivery:
            await may_end.wait()
            return DELIVERED

        house, shop = House(action("a1"), action("a2")), Destination(answer)
        async with house.open({"shop": shop}, max_in_flight=1) as worker:
            await until(lambda: shop.seen == ["a1"])
            worker.hold(is_held=True)
            may_end.set()
            await until(lambda: "a1" not in house.outbox.letters)
            await quiet()
        return shop.seen, list(house.outbox.letters), [id for id, _ in house.told]

    assert asyncio.run(story()) == (["a1"], ["a2"], ["a1"])


def test_letters_read_ahead_wait_too() -> None:
    """They are in memory already, and the gate stands behind that."""

    async def story() -> tuple[int, int]:
        may_end = asyncio.Event()

        async def answer(action: Action) -> Delivery:
            await may_end.wait()
            return DELIVERED

        house, shop = House(*(action(f"a{n}") for n in range(9))), Destination(answer)
        async with house.open({"shop": shop}, max_in_flight=2) as worker:
            await until(lambda: len(shop.seen) == 2)
            worker.hold(is_held=True)
            may_end.set()
            await until(lambda: len(house.outbox.letters) == 7)
            await quiet()
            n_seen = len(shop.seen)
            worker.hold(is_held=False)
            await until(lambda: not house.outbox.letters)
        return n_seen, len(shop.seen)

    assert asyncio.run(story()) == (2, 9)


def test_a_retry_that_comes_due_waits_as_well() -> None:
    """However long it is shut: an attempt is neither made nor counted."""

    async def story() -> tuple[int, int]:
        house, shop = House(action(expires_at=9 * DAY_MS)), Destination(DOWN)
        async with house.open({"shop": shop}) as worker:
            await until(lambda: house.outbox.letters["a1"].attempts == 1)
            worker.hold(is_held=True)
            shop.answer = DELIVERED
            house.go_to(DAY_MS)
            await quiet()
            n_attempts = house.outbox.letters["a1"].attempts
            worker.hold(is_held=False)
            await until(lambda: not house.outbox.letters)
        return n_attempts, len(shop.seen)

    assert asyncio.run(story()) == (1, 2)


def test_what_expired_meanwhile_is_told_when_it_opens_and_not_sent() -> None:
    """Nobody wants yesterday's reminder; and no outcome is told behind the back of who stopped it all."""

    async def story() -> tuple[int, House, list[str]]:
        house, shop = House(action(expires_at=99)), Destination(DELIVERED)
        async with house.open({"shop": shop}) as worker:
            worker.hold(is_held=True)
            house.go_to(100)
            await quiet()
            n_told = len(house.told)
            worker.hold(is_held=False)
            await until(lambda: not house.outbox.letters)
        return n_told, house, shop.seen

    n_told, house, seen = asyncio.run(story())
    assert (n_told, [delivery.outcome for _, delivery in house.told], seen) == (0, ["expired"], [])


def test_a_sink_that_nobody_configured_buries_nothing_while_it_is_shut() -> None:
    """It gets its lane when it is first heard of, and the gate is there before."""

    async def story() -> tuple[int, int]:
        house = House()
        async with house.open({}) as worker:
            worker.hold(is_held=True)
            house.put(action(sink="shpo"))
            worker.notify("shpo")
            await quiet()
            n_before = len(house.outbox.dead())
            worker.hold(is_held=False)
            await until(lambda: bool(house.outbox.dead()))
        return n_before, len(house.outbox.dead())

    assert asyncio.run(story()) == (0, 1)


def test_a_worker_that_is_stopped_while_it_is_shut_ends_and_keeps_its_letters() -> None:
    """A stop outlives a restart: the next start finds them where they were."""

    async def story() -> tuple[list[str], list[str]]:
        house, shop = House(action()), Destination(DELIVERED)
        async with house.open({"shop": shop}) as worker:
            worker.hold(is_held=True)
            await quiet()
            async with asyncio.timeout(5):
                await worker.stop(grace_s=1)
        return shop.seen, list(house.outbox.letters)

    assert asyncio.run(story()) == ([], ["a1"])


def test_what_is_being_read_when_it_is_shut_is_not_sent() -> None:
    """A stop means from now on, also where the database is just asked on a thread of its own."""

    async def story() -> tuple[int, list[str]]:
        loop = asyncio.get_running_loop()
        is_read, may_return = asyncio.Event(), threading.Event()

        class Slow(MemoryOutbox):
            def waiting(self, sink: str, *, now: int, limit: int) -> list[Letter]:
                found = super().waiting(sink, now=now, limit=limit)
                loop.call_soon_threadsafe(is_read.set)
                may_return.wait(5)
                return found

        outbox, shop = Slow(), Destination(DELIVERED)
        outbox.letters["a1"] = Letter(action=action())
        with ThreadPoolExecutor(1) as executor:
            worker = OutboxWorker(
                outbox,
                {"shop": shop},
                now=lambda: 0,
                random=lambda: 0.5,
                on_outcome=untold,
                executor=executor,
            )
            running = asyncio.create_task(worker.run())
            await is_read.wait()
            worker.hold(is_held=True)
            may_return.set()
            async with asyncio.timeout(5):
                await loop.run_in_executor(executor, lambda: None)
                await quiet()
                n_seen = len(shop.seen)
                worker.hold(is_held=False)
                while outbox.letters:
                    await asyncio.sleep(0.001)
                await worker.stop(grace_s=1)
                await running
        return n_seen, shop.seen

    assert asyncio.run(story()) == (0, ["a1"])


async def untold(_: Action, __: Delivery) -> None:
    """Tell nobody."""


@pytest.mark.parametrize("seed", range(30))
def test_however_often_it_is_shut_each_letter_goes_once_and_only_while_it_is_open(seed: int) -> None:
    """What was sent in which state of the gate is written down by the destination."""

    async def story() -> tuple[list[str], list[bool], int]:
        random = Random(seed)
        house = House()
        seen: list[str] = []
        gates: list[bool] = []
        is_shut = False

        async def answer(action: Action) -> Delivery:
            gates.append(is_shut)
            seen.append(action.id)
            return DELIVERED

        n_put = 0
        async with house.open({"shop": Destination(answer)}, max_in_flight=3) as worker:
            for _ in range(40):
                dice = random.randrange(4)
                if dice == 0 and is_shut:
                    is_shut = False
                    worker.hold(is_held=False)
                elif dice == 0:
                    worker.hold(is_held=True)
                    await quiet()  # what had begun goes
                    is_shut = True
                elif dice == 1:
                    await quiet()
                else:
                    n_put += 1
                    house.put(action(f"a{n_put}"))
                    worker.notify("shop")
            is_shut = False
            worker.hold(is_held=False)
            await until(lambda: not house.outbox.letters)
        return seen, gates, n_put

    seen, gates, n_put = asyncio.run(story())
    assert sorted(seen) == sorted(f"a{n}" for n in range(1, n_put + 1))
    assert not any(gates)
