"""The outbox worker: every action reaches its end once, however its destination behaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from sojourn.adapters.memory import MemoryOutbox
from sojourn.model.action import Action, Delivery, Letter
from sojourn.model.errors import SinkError
from sojourn.model.event import Event
from sojourn.model.ids import ActionId, EnrolmentId, ProfileId
from sojourn.model.ports import Sink
from sojourn.runtime.lane import READ_AHEAD, REASON_CHARS, Meter, Policy, Result
from sojourn.runtime.outbox import MAX_UNKNOWN_SINKS, OutboxWorker, outcome_event

DAY_MS = 86_400_000
DELIVERED = Delivery(outcome="delivered", attempts=1)
DOWN = SinkError("HTTP 503", retry=True, status=503)
GONE = SinkError("HTTP 410", retry=False, status=410)


def action(id: str = "a1", sink: str = "shop", *, expires_at: int = DAY_MS, **more: Any) -> Action:
    """Make an action of user 7."""
    given: dict[str, Any] = {"user_id": "7"} | more
    return Action(
        id=ActionId(id),
        sink=sink,
        at=0,
        expires_at=expires_at,
        profile_id=ProfileId("u:7"),
        journey="rescue",
        version="1",
        enrolment_id=EnrolmentId("e1"),
        state="nudge",
        body=Raw(b"{}"),
        **given,
    )


class Destination:
    """A sink that answers as a test says; what it was sent stands in `seen`."""

    def __init__(self, answer: Callable[[Action], Awaitable[Delivery]] | Delivery | Exception) -> None:
        self.answer = answer
        self.seen: list[str] = []

    async def deliver(self, action: Action) -> Delivery:
        self.seen.append(action.id)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if isinstance(self.answer, Delivery) else await self.answer(action)

    async def close(self) -> None:
        """Nothing to release."""


class Count(Meter):
    """Keeps what was measured."""

    def __init__(self) -> None:
        self.results: list[tuple[str, Result]] = []
        self.pauses: list[bool] = []
        self.peak = 0

    def attempted(self, sink: str, result: Result, took_ms: int) -> None:
        self.results.append((sink, result))

    def in_flight(self, sink: str, n_actions: int) -> None:
        self.peak = max(self.peak, n_actions)

    def paused(self, sink: str, is_paused: bool) -> None:
        self.pauses.append(is_paused)


class House:
    """A worker, its outbox, a clock that only a test moves, and the outcomes told."""

    def __init__(self, *actions: Action) -> None:
        self.at = 0
        self.outbox = MemoryOutbox()
        self.told: list[tuple[str, Delivery]] = []
        self.count = Count()
        self.put(*actions)
        self.worker: OutboxWorker

    def put(self, *actions: Action) -> None:
        for one in actions:
            self.outbox.letters[one.id] = Letter(action=one)

    def go_to(self, at: int) -> None:
        self.at = at
        for sink in {letter.action.sink for letter in self.outbox.letters.values()}:
            self.worker.notify(sink)

    async def tell(self, action: Action, delivery: Delivery) -> None:
        assert action.id in self.outbox.letters, "the outbox let go before the log knew"
        assert self.outbox.letters[action.id].dead_at is None
        self.told.append((action.id, delivery))

    @asynccontextmanager
    async def open(
        self, sinks: Mapping[str, Sink], *, random: float = 0.5, **policy: int
    ) -> AsyncIterator[OutboxWorker]:
        self.worker = OutboxWorker(
            self.outbox,
            sinks,
            now=lambda: self.at,
            random=lambda: random,
            on_outcome=self.tell,
            policy=Policy(**policy),
            meter=self.count,
        )
        running = asyncio.create_task(self.worker.run())
        try:
            yield self.worker
            await self.worker.stop(grace_s=0)
        finally:
            running.cancel()
            await asyncio.wait([running])
        if not running.cancelled() and (error := running.exception()):
            raise error


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until something is so."""
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to be")


async def settled() -> None:
    """Let the loop turn long enough for everything that can happen now."""
    for _ in range(60):
        await asyncio.sleep(0)


def test_a_delivered_action_leaves_the_outbox_and_its_outcome_is_told() -> None:
    """The plain road."""

    async def story() -> House:
        house = House(action())
        async with house.open({"shop": Destination(Delivery(outcome="delivered", attempts=1, status=204))}):
            await until(lambda: not house.outbox.letters)
        return house

    assert asyncio.run(story()).told == [("a1", Delivery(outcome="delivered", attempts=1, status=204))]


def test_an_action_added_while_it_sleeps_wakes_it() -> None:
    """Nobody polls: the commit says so."""

    async def story() -> list[str]:
        house, shop = House(), Destination(DELIVERED)
        async with house.open({"shop": shop}) as worker:
            await settled()
            house.put(action())
            await settled()
            assert shop.seen == []
            worker.notify("shop")
            await until(lambda: not house.outbox.letters)
        return shop.seen

    assert asyncio.run(story()) == ["a1"]


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
            await settled()
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


def test_a_final_refusal_becomes_a_dead_letter_with_its_reason() -> None:
    """An operator lists, mends and retries them."""

    async def story() -> House:
        house = House(action())
        async with house.open({"shop": Destination(GONE)}):
            await until(lambda: bool(house.outbox.dead()))
        return house

    house = asyncio.run(story())
    assert house.told == [("a1", Delivery(outcome="failed", attempts=1, status=410, reason="HTTP 410"))]
    assert [(dead.action.id, dead.last_error, dead.attempts) for dead in house.outbox.dead()] == [
        ("a1", "HTTP 410", 1)
    ]


def test_attempts_that_run_out_become_a_dead_letter() -> None:
    """Twelve by default, and the reason says so."""

    async def story() -> House:
        house = House(action(expires_at=400 * DAY_MS))
        async with house.open({"shop": Destination(DOWN)}):
            while not house.outbox.dead():
                await settled()
                house.go_to(house.at + 1_000_000)
        return house

    house = asyncio.run(story())
    reason = "given up after 12 attempts; the last: HTTP 503"
    assert house.told == [("a1", Delivery(outcome="failed", attempts=12, status=503, reason=reason))]


def test_a_dead_letter_that_is_revived_is_sent_again() -> None:
    """Its outcome then is told anew: delivered after failed are two facts."""

    async def story() -> list[str]:
        house, shop = House(action()), Destination(GONE)
        async with house.open({"shop": shop}) as worker:
            await until(lambda: bool(house.outbox.dead()))
            shop.answer = DELIVERED
            house.outbox.revive(None, now=house.at)
            worker.notify("shop")
            await until(lambda: not house.outbox.letters)
        return [delivery.outcome for _, delivery in house.told]

    assert asyncio.run(story()) == ["failed", "delivered"]


def test_an_action_past_its_time_is_settled_without_being_sent() -> None:
    """Nobody wants yesterday's reminder."""

    async def story() -> tuple[House, list[str]]:
        house, shop = House(action(expires_at=99)), Destination(DELIVERED)
        house.at = 100
        async with house.open({"shop": shop}):
            await until(lambda: not house.outbox.letters)
        return house, shop.seen

    house, seen = asyncio.run(story())
    assert seen == []
    assert house.told == [
        ("a1", Delivery(outcome="expired", attempts=0, reason="expired before its first attempt"))
    ]


def test_an_action_that_expires_while_it_waits_is_told_at_that_instant() -> None:
    """A journey that waits for the outcome is not to wait for a retry that will not be made."""

    async def story() -> House:
        house = House(action(expires_at=200))
        async with house.open({"shop": Destination(DOWN)}):
            await until(lambda: house.outbox.letters["a1"].attempts == 1)
            house.go_to(201)
            await until(lambda: not house.outbox.letters)
        return house

    assert asyncio.run(story()).told == [("a1", Delivery(outcome="expired", attempts=1, reason="HTTP 503"))]


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
            await settled()
            first.set()
            await until(lambda: not house.outbox.letters)
        return shop.seen

    assert asyncio.run(story()) == [f"a{n:03}" for n in range(40)]


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


def test_a_bug_in_one_sink_is_a_failed_attempt_of_that_sink() -> None:
    """Third parties write sinks."""

    async def story() -> tuple[str, list[str]]:
        house = House(action("a1", "buggy"), action("a2", "fine"))
        async with house.open({"buggy": Destination(KeyError("url")), "fine": Destination(DELIVERED)}):
            await until(lambda: len(house.outbox.letters) == 1 and house.outbox.letters["a1"].attempts == 1)
        return house.outbox.letters["a1"].last_error, [id for id, _ in house.told]

    assert asyncio.run(story()) == ("the sink itself failed: KeyError: 'url'", ["a2"])


def test_a_sink_may_say_failed_instead_of_raising() -> None:
    """A refusal is a refusal, whichever way it is said."""

    async def story() -> House:
        house = House(action())
        async with house.open({"shop": Destination(Delivery(outcome="failed", attempts=1, reason="no"))}):
            await until(lambda: bool(house.outbox.dead()))
        return house

    assert asyncio.run(story()).told == [("a1", Delivery(outcome="failed", attempts=1, reason="no"))]


def test_many_failures_in_a_row_pause_the_sink_and_one_action_probes_it() -> None:
    """A dead destination costs its actions few attempts: an outage does not end in dead letters."""

    async def story() -> tuple[int, int, int]:
        house = House(*(action(f"a{n:03}", expires_at=9 * DAY_MS) for n in range(100)))
        shop = Destination(DOWN)
        async with house.open({"shop": shop}, max_in_flight=8, pause_after_failures=8):
            await settled()
            at_once = len(shop.seen)
            house.go_to(999)
            await settled()
            while_paused = len(shop.seen)
            house.go_to(1_000)
            await settled()
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
                await settled()
                if len(shop.seen) > n_before:
                    probes.append(second)
        return probes

    assert asyncio.run(story()) == [0, 1, 3, 7, 15, 31, 63, 123, 183]


def test_an_action_for_a_sink_nobody_configured_is_a_dead_letter_that_says_what_to_do() -> None:
    """A sink was renamed, a journey was not."""

    async def story() -> str:
        house = House(action(sink="shpo"))
        async with house.open({}) as worker:
            worker.notify("shpo")
            await until(lambda: bool(house.outbox.dead()))
        return house.outbox.dead()[0].last_error

    assert asyncio.run(story()) == (
        "no sink is named 'shpo'; configure one of that name, or correct state 'nudge' of journey 'rescue', "
        "then retry the dead letters [unknown-sink]"
    )


def test_lanes_for_unknown_sinks_are_bounded() -> None:
    """Names come from outside this module."""

    async def story() -> int:
        house = House()
        async with house.open({}) as worker:
            for n in range(MAX_UNKNOWN_SINKS + 10):
                worker.notify(f"s{n}")
            await settled()
            return len(worker._lanes)

    assert asyncio.run(story()) == MAX_UNKNOWN_SINKS


def test_stopping_lets_what_is_in_flight_end_and_begins_nothing() -> None:
    """A restart loses nothing and repeats as little as it can."""

    async def story() -> tuple[list[str], list[str]]:
        may_end = asyncio.Event()

        async def answer(action: Action) -> Delivery:
            await may_end.wait()
            return DELIVERED

        house, shop = House(action("a1"), action("a2")), Destination(answer)
        async with house.open({"shop": shop}, max_in_flight=1) as worker:
            await until(lambda: shop.seen == ["a1"])
            stopping = asyncio.create_task(worker.stop(grace_s=5))
            await settled()
            may_end.set()
            await stopping
        return shop.seen, list(house.outbox.letters)

    assert asyncio.run(story()) == (["a1"], ["a2"])


def test_what_does_not_end_within_the_grace_stays_in_the_outbox() -> None:
    """It is sent again under the same key; what did end is written back all the same."""

    async def story() -> tuple[list[str], list[str]]:
        async def answer(action: Action) -> Delivery:
            if action.id == "hangs":
                await asyncio.Event().wait()
            return DELIVERED

        house = House(action("hangs"), action("ends"))
        async with house.open({"shop": Destination(answer)}) as worker:
            await until(lambda: len(house.told) == 1)
            await worker.stop(grace_s=0.01)
        return list(house.outbox.letters), [id for id, _ in house.told]

    assert asyncio.run(story()) == (["hangs"], ["ends"])


def test_a_log_that_refuses_an_outcome_ends_the_worker_and_keeps_the_action() -> None:
    """Where the log cannot be written nothing durable can be said: that is no sink's failure."""

    async def story() -> MemoryOutbox:
        house = House(action())

        async def refuse(action: Action, delivery: Delivery) -> None:
            raise OSError("disk full")

        worker = OutboxWorker(
            house.outbox,
            {"shop": Destination(DELIVERED)},
            now=lambda: 0,
            random=lambda: 0.5,
            on_outcome=refuse,
        )
        with pytest.raises(ExceptionGroup) as caught:
            await worker.run()
        assert caught.group_contains(OSError, match="disk full")
        return house.outbox

    assert list(asyncio.run(story()).letters) == ["a1"]


def test_every_attempt_is_counted() -> None:
    """Operators see what goes where."""

    async def story() -> list[tuple[str, Result]]:
        house, shop = House(action()), Destination(DOWN)
        async with house.open({"shop": shop}):
            await until(lambda: house.outbox.letters["a1"].attempts == 1)
            shop.answer = DELIVERED
            house.go_to(500)
            await until(lambda: not house.outbox.letters)
        return house.count.results

    assert asyncio.run(story()) == [("shop", "retried"), ("shop", "delivered")]


def test_long_reasons_are_cut() -> None:
    """A page of HTML is not a reason."""

    async def story() -> str:
        house = House(action())
        async with house.open({"shop": Destination(SinkError("x" * 9_000, retry=False))}):
            await until(lambda: bool(house.outbox.dead()))
        return house.outbox.dead()[0].last_error

    assert asyncio.run(story()) == "x" * REASON_CHARS


def test_an_outcome_is_an_event_named_after_its_cause() -> None:
    """Told twice it adds nothing, since the log refuses a message id it knows."""
    delivery = Delivery(outcome="failed", attempts=3, status=410, reason="HTTP 410")
    event = outcome_event(action(), delivery, now=55)
    assert msgspec.json.decode(event.properties) == {
        "action_id": "a1",
        "sink": "shop",
        "journey": "rescue",
        "version": "1",
        "enrolment_id": "e1",
        "state": "nudge",
        "attempts": 3,
        "status": 410,
        "reason": "HTTP 410",
    }
    assert event == Event(
        source="sojourn",
        message_id="a1:failed",
        kind="track",
        name="$delivery_failed",
        occurred_at=55,
        received_at=55,
        user_id="7",
        properties=event.properties,
    )


@pytest.mark.parametrize(
    ("user_id", "anonymous_id", "told"),
    [("7", "dev", ("7", None)), (None, "dev", (None, "dev")), (None, None, ("7", None))],
)
def test_an_outcome_names_one_id_only(
    user_id: str | None, anonymous_id: str | None, told: tuple[str | None, str | None]
) -> None:
    """Both ids in one event would tie the device to the person, who may have handed it on since."""
    event = outcome_event(action(user_id=user_id, anonymous_id=anonymous_id), DELIVERED, now=1)
    assert (event.user_id, event.anonymous_id) == told


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
                await settled()
                if len(house.told) == 6:
                    break
                house.go_to(house.at + 10_000)
        return house

    house = asyncio.run(story())
    assert sorted(id for id, _ in house.told) == [f"a{n}" for n in range(6)]
    assert len(house.outbox.letters) == len(house.outbox.dead())
