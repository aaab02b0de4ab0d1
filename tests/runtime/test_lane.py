"""A lane of the outbox: when it tries again, what it holds back, and that it slows no other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.adapters.memory import MemoryOutbox
from sojourn.model.action import Action, Delivery, Letter
from sojourn.model.errors import SinkError
from sojourn.runtime.lane import READ_AHEAD
from sojourn.runtime.outbox import OutboxWorker
from tests.runtime.outboxes import DAY_MS, DELIVERED, DOWN, GONE, Destination, House, action, quiet, until


def test_a_failure_waits_longer_each_time() -> None:
    """Exponential backoff with full jitter: here the random source always says one half."""

    async def story() -> list[int]:
        house, shop = House(action()), Destination(DOWN)
        dues = []
        async with house.open({"shop": shop}, pause_after_failures=100):
            for n in range(1, 7):
                await until(lambda n=n: house.outbox.letters["a1"].attempts == n)
                dues.append(house.outbox.letters["a1"].due_at - house.at)
                house.go_to(house.outbox.letters["a1"].due_at)
        return dues

    assert asyncio.run(story()) == [500, 1_000, 2_000, 4_000, 8_000, 16_000]


def test_no_action_is_tried_before_it_is_due() -> None:
    """A millisecond early is early."""

    async def story() -> tuple[int, int]:
        house, shop = House(action()), Destination(DOWN)
        async with house.open({"shop": shop}):
            await until(lambda: house.outbox.letters["a1"].attempts == 1)
            house.go_to(499)
            await quiet()
            early = len(shop.seen)
            house.go_to(500)
            await until(lambda: house.outbox.letters["a1"].attempts == 2)
        return early, len(shop.seen)

    assert asyncio.run(story()) == (1, 2)


def test_it_wakes_by_itself_when_the_next_attempt_is_due() -> None:
    """Nobody else would remind it of a retry."""

    async def story() -> list[str]:
        house, shop = House(action()), Destination(DOWN)
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with house.open({"shop": shop}, random=0.02):
            await until(lambda: house.outbox.letters["a1"].attempts == 1)
            shop.answer = DELIVERED
            house.at = 20
            async with asyncio.timeout(2):
                while house.outbox.letters:
                    await asyncio.sleep(0.005)
        assert loop.time() - began < 1
        return shop.seen

    assert asyncio.run(story()) == ["a1", "a1"]


@pytest.mark.parametrize(("asked_ms", "due_at"), [(5_000, 5_000), (10, 500), (90 * DAY_MS, DAY_MS)])
def test_retry_after_is_honoured_within_a_day(asked_ms: int, due_at: int) -> None:
    """It may lengthen our own backoff, never shorten it, and never keep an action for ever."""

    async def story() -> int:
        house = House(action(expires_at=400 * DAY_MS))
        async with house.open({"shop": Destination(SinkError("429", retry=True, retry_after_ms=asked_ms))}):
            await until(lambda: house.outbox.letters["a1"].attempts == 1)
        return house.outbox.letters["a1"].due_at

    assert asyncio.run(story()) == due_at


def test_a_sink_that_never_answers_slows_no_other() -> None:
    """One destination down slowing all is the best-known complaint about this kind of program."""

    async def story() -> tuple[int, int]:
        never = asyncio.Event()

        async def hang(action: Action) -> Delivery:
            await never.wait()
            return DELIVERED

        slow = [action(f"s{n}", "slow") for n in range(100)]
        fast = [action(f"f{n}", "fast") for n in range(300)]
        house, stuck, quick = House(*slow, *fast), Destination(hang), Destination(DELIVERED)
        async with house.open({"slow": stuck, "fast": quick}):
            await until(lambda: len(house.told) == 300)
        return len(stuck.seen), len(quick.seen)

    assert asyncio.run(story()) == (16, 300)


def test_no_more_than_the_bound_is_in_flight() -> None:
    """A destination is not to be flooded by a morning's backlog."""

    async def story() -> int:
        async def turn(action: Action) -> Delivery:
            await asyncio.sleep(0)
            return DELIVERED

        house = House(*(action(f"a{n:03}") for n in range(READ_AHEAD + 50)))
        async with house.open({"shop": Destination(turn)}, max_in_flight=5):
            await until(lambda: not house.outbox.letters)
        return house.count.peak

    assert asyncio.run(story()) == 5


def test_each_action_is_handed_out_once_at_a_time() -> None:
    """The outbox does not claim: the lane remembers what it holds."""

    async def story() -> list[str]:
        first = asyncio.Event()

        async def wait_for_first(action: Action) -> Delivery:
            if action.id == "a000":
                await first.wait()
            return DELIVERED

        house, shop = House(*(action(f"a{n:03}") for n in range(40))), Destination(wait_for_first)
        async with house.open({"shop": shop}) as worker:
            await until(lambda: len(house.outbox.letters) == 1)
            worker.notify("shop")
            await quiet()
            first.set()
            await until(lambda: not house.outbox.letters)
        return shop.seen

    assert asyncio.run(story()) == [f"a{n:03}" for n in range(40)]


class SlowOutbox(MemoryOutbox):
    """Takes letters out when a test lets it, as a disk does."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked, self.may_go = threading.Event(), threading.Event()

    def settle(self, settled: Sequence[tuple[Letter, Delivery]]) -> None:
        self.is_asked.set()
        assert self.may_go.wait(10)
        super().settle(settled)


def test_what_lands_while_the_last_results_are_written_is_written_before_the_end() -> None:
    """Left in the outbox, it would be sent again after every stop in good order."""

    async def story() -> list[str]:
        go = asyncio.Event()

        async def wait_for_second(action: Action) -> Delivery:
            if action.id == "a2":
                await go.wait()
            return DELIVERED

        house, shop = House(), Destination(wait_for_second)
        house.outbox = outbox = SlowOutbox()
        house.put(action("a1"), action("a2"))
        with ThreadPoolExecutor(1) as executor:
            worker = OutboxWorker(
                outbox,
                {"shop": shop},
                now=lambda: 0,
                random=lambda: 0.5,
                on_outcome=house.tell,
                executor=executor,
            )
            running = asyncio.create_task(worker.run())
            await asyncio.to_thread(outbox.is_asked.wait, 10)
            stopping = asyncio.create_task(worker.stop())
            go.set()
            await until(lambda: len(house.told) == 2)
            await quiet()
            outbox.may_go.set()
            await stopping
            await running
        return list(outbox.letters)

    assert asyncio.run(story()) == []


def test_a_retry_is_found_behind_one_that_hangs() -> None:
    """What is in flight is due too, and must not hide the next due instant."""

    async def story() -> list[str]:
        never = asyncio.Event()

        async def answer(action: Action) -> Delivery:
            if action.id == "hangs":
                await never.wait()
            raise DOWN

        house, shop = House(action("hangs"), action("fails")), Destination(answer)
        async with house.open({"shop": shop}, random=0.02):
            await until(lambda: house.outbox.letters["fails"].attempts == 1)
            house.at = 20
            async with asyncio.timeout(2):
                while house.outbox.letters["fails"].attempts == 1:
                    await asyncio.sleep(0.005)
        return shop.seen

    assert asyncio.run(story()) == ["hangs", "fails", "fails"]


def test_a_sink_without_an_answer_is_cut_off_and_tried_again() -> None:
    """Everything has a bound, waiting too."""

    async def story() -> str:
        async def hang(action: Action) -> Delivery:
            await asyncio.Event().wait()
            return DELIVERED

        house = House(action())
        async with house.open({"shop": Destination(hang)}, delivery_timeout_ms=10):
            async with asyncio.timeout(2):
                while house.outbox.letters["a1"].attempts == 0:
                    await asyncio.sleep(0.005)
        return house.outbox.letters["a1"].last_error

    assert asyncio.run(story()) == "no answer within 10 ms"


def test_many_failures_in_a_row_pause_the_sink_and_one_action_probes_it() -> None:
    """A dead destination costs its actions few attempts: an outage does not end in dead letters."""

    async def story() -> tuple[int, int, int]:
        house = House(*(action(f"a{n:03}", expires_at=9 * DAY_MS) for n in range(100)))
        shop = Destination(DOWN)
        async with house.open({"shop": shop}, max_in_flight=8, pause_after_failures=8):
            await quiet()
            at_once = len(shop.seen)
            house.go_to(999)
            await quiet()
            while_paused = len(shop.seen)
            house.go_to(1_000)
            await quiet()
        return at_once, while_paused, len(shop.seen)

    assert asyncio.run(story()) == (8, 8, 9)


def test_a_paused_sink_that_answers_gets_everything_at_once() -> None:
    """The first answer ends the pause."""

    async def story() -> list[bool]:
        house = House(*(action(f"a{n:03}", expires_at=9 * DAY_MS) for n in range(100)))
        shop = Destination(DOWN)
        async with house.open({"shop": shop}, max_in_flight=8, pause_after_failures=8):
            await until(lambda: house.count.pauses == [True])
            shop.answer = DELIVERED
            house.go_to(1_000)
            await until(lambda: not house.outbox.letters)
        return house.count.pauses

    assert asyncio.run(story()) == [True, False]


def test_pauses_grow_to_a_minute_and_no_further() -> None:
    """A destination that is back waits for us a minute at most."""

    async def story() -> list[int]:
        house = House(*(action(f"a{n:03}", expires_at=9 * DAY_MS) for n in range(40)))
        shop = Destination(DOWN)
        probes = []
        async with house.open({"shop": shop}, max_in_flight=1, pause_after_failures=1):
            for second in range(200):
                n_before = len(shop.seen)
                house.go_to(second * 1_000)
                await quiet()
                if len(shop.seen) > n_before:
                    probes.append(second)
        return probes

    assert asyncio.run(story()) == [0, 1, 3, 7, 15, 31, 63, 123, 183]


@given(
    st.lists(st.sampled_from(["ok", "down", "gone", "bug", "slow"]), min_size=1, max_size=40),
    st.floats(0, 0.99),
)
def test_whatever_destinations_answer_each_action_ends_exactly_once(
    answers: list[str], random: float
) -> None:
    """Delivered, failed for good, or expired: told once, and then out of the way."""

    async def story() -> House:
        script = iter(answers)

        async def answer(action: Action) -> Delivery:
            match next(script, "ok"):
                case "down":
                    raise DOWN
                case "gone":
                    raise GONE
                case "bug":
                    raise ZeroDivisionError
                case "slow":
                    await asyncio.sleep(0)
            return DELIVERED

        house = House(*(action(f"a{n}", expires_at=60_000 * (n + 1)) for n in range(6)))
        async with house.open(
            {"shop": Destination(answer)}, random=random, max_in_flight=3, pause_after_failures=3
        ):
            for _ in range(400):
                await quiet()
                if len(house.told) == 6:
                    break
                house.go_to(house.at + 10_000)
        return house

    house = asyncio.run(story())
    assert sorted(id for id, _ in house.told) == [f"a{n}" for n in range(6)]
    assert len(house.outbox.letters) == len(house.outbox.dead())
