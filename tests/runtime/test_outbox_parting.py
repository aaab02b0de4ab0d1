"""Parting: letters that are to be another worker's; what is in flight ends here, nothing else begins."""

from __future__ import annotations

import asyncio

from sojourn.model.action import Action, Delivery
from tests.runtime.outboxes import DELIVERED, Destination, House, action, quiet, until


def test_what_is_in_flight_ends_before_a_worker_parts_with_it() -> None:
    """It is told of and settled; what was only read ahead is left to who comes next."""

    async def story() -> tuple[bool, list[str], list[str]]:
        may_end = asyncio.Event()

        async def answer(action: Action) -> Delivery:
            await may_end.wait()
            return DELIVERED

        house, shop = House(action("a1"), action("a2"), action("b1", sink="mail")), Destination(answer)
        async with house.open({"shop": shop, "mail": Destination(DELIVERED)}, max_in_flight=1) as worker:
            await until(lambda: shop.seen == ["a1"])
            leaving = {"a1", "a2"}
            house.outbox.letters.pop("a2")  # the outbox hands it out no more
            parting = asyncio.create_task(worker.part(leaving, grace_s=60))
            await asyncio.sleep(0.1)
            waited = not parting.done()
            may_end.set()
            await parting
            assert not house.outbox.letters
        return waited, shop.seen, sorted(id for id, _ in house.told)

    assert asyncio.run(story()) == (True, ["a1"], ["a1", "b1"])


def test_a_worker_parts_at_last_though_something_is_in_flight() -> None:
    """Who comes next sends it again, under the same key."""

    async def story() -> list[str]:
        async def answer(action: Action) -> Delivery:
            await asyncio.sleep(60)
            return DELIVERED

        house, shop = House(action("a1")), Destination(answer)
        async with house.open({"shop": shop}) as worker:
            await until(lambda: shop.seen == ["a1"])
            await worker.part({"a1"}, grace_s=0.1)
        return [id for id, _ in house.told]

    assert asyncio.run(story()) == []


def test_what_another_worker_has_is_not_sent_and_may_come_back() -> None:
    """A partition that was lost, and was given to us again."""

    async def story() -> list[str]:
        may_end = asyncio.Event()

        async def answer(action: Action) -> Delivery:
            await may_end.wait()
            return DELIVERED

        house, shop = House(action("a1"), action("a2")), Destination(answer)
        async with house.open({"shop": shop}, max_in_flight=1) as worker:
            await until(lambda: shop.seen == ["a1"])
            gone = house.outbox.letters.pop("a2")
            worker.release({"a2"})
            may_end.set()
            await until(lambda: not house.outbox.letters)
            await quiet()
            assert shop.seen == ["a1"]
            house.put(gone.action)
            worker.notify("shop")
            await until(lambda: not house.outbox.letters)
        return shop.seen

    assert asyncio.run(story()) == ["a1", "a2"]
