"""The outbox worker: every action reaches its end once, and its outcome is told."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from sojourn.adapters.memory import MemoryOutbox
from sojourn.model.action import Action, Delivery
from sojourn.model.errors import SinkError
from sojourn.model.event import Event
from sojourn.runtime.lane import REASON_CHARS, Result
from sojourn.runtime.outbox import MAX_UNKNOWN_SINKS, OutboxWorker, outcome_event
from tests.runtime.outboxes import DAY_MS, DELIVERED, DOWN, GONE, Destination, House, action, quiet, until


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
            await quiet()
            house.put(action())
            await quiet()
            assert shop.seen == []
            worker.notify("shop")
            await until(lambda: not house.outbox.letters)
        return shop.seen

    assert asyncio.run(story()) == ["a1"]


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
                await quiet()
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


def test_an_action_is_worth_doing_until_its_last_instant() -> None:
    """After `expires_at`, not at it."""

    async def story() -> list[str]:
        house, shop = House(action(expires_at=100)), Destination(DELIVERED)
        house.at = 100
        async with house.open({"shop": shop}):
            await until(lambda: not house.outbox.letters)
        return shop.seen

    assert asyncio.run(story()) == ["a1"]


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
            await quiet()
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
            await quiet()
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


def test_why_a_withdrawn_delivery_failed_is_not_noted() -> None:
    """A destination may name whom it was sent something for, who was forgotten meanwhile."""

    async def story() -> list[str]:
        arrived, goes_on = asyncio.Event(), asyncio.Event()

        async def refuse(action: Action) -> Delivery:
            arrived.set()
            await goes_on.wait()
            raise SinkError(f"no {action.profile_id} here", retry=False)

        house = House(action("a"), action("b", profile_id="u:other"))
        async with house.open({"shop": Destination(refuse)}, max_in_flight=1) as worker:
            await arrived.wait()
            worker.withdraw({"u:7"})
            goes_on.set()
            await until(lambda: len(house.count.reasons) == 1)
        return house.count.reasons

    assert asyncio.run(story()) == ["no u:other here"]


def test_letters_that_are_withdrawn_are_not_sent_and_one_in_flight_is_not_told_of() -> None:
    """Whoever was forgotten hears nothing more, and no event begins a new life of theirs."""

    async def story() -> tuple[House, list[str]]:
        arrived, goes_on = asyncio.Event(), asyncio.Event()

        async def slowly(action: Action) -> Delivery:
            arrived.set()
            await goes_on.wait()
            return DELIVERED

        shop = Destination(slowly)
        house = House(*(action(f"a{n}") for n in range(5)), action("b", profile_id="u:other"))
        async with house.open({"shop": shop}, max_in_flight=1) as worker:
            await arrived.wait()
            for n in range(5):
                del house.outbox.letters[f"a{n}"]
            worker.withdraw({"u:7"})
            goes_on.set()
            await until(lambda: not house.outbox.letters)
        return house, shop.seen

    house, seen = asyncio.run(story())
    assert seen == ["a0", "b"]
    assert [told for told, _ in house.told] == ["b"]
