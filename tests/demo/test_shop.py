"""The simulated shop: it must walk every way a real visit takes, and speak as SDKs do."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from demo.sdk import Batch
from demo.shop import WALK, Shop

STARTED_AT_S = 1_800_000_000.0


def lived(*, seed: int = 7, n_people: int = 120, seconds: int = 60) -> list[Batch]:
    """Let a shop live in steps of half a second; return every batch its SDKs sent."""
    shop = Shop(seed=seed, n_people=n_people, started_at_s=STARTED_AT_S)
    return [batch for half in range(2 * seconds) for batch in shop.batches(STARTED_AT_S + half / 2)]


@pytest.fixture(scope="module")
def batches() -> list[Batch]:
    """One minute of a shop."""
    return lived()


@pytest.fixture(scope="module")
def events(batches: list[Batch]) -> list[dict[str, Any]]:
    """Every event of that minute, once."""
    return [event for batch in batches if not batch.is_repeated for event in batch.events]


def test_the_same_seed_gives_the_same_minute(batches: list[Batch]) -> None:
    """A strange run can be watched again."""
    assert lived() == batches


def test_chances_leave_room_for_leaving() -> None:
    """Everybody may leave at every step."""
    assert all(sum(chance for _, chance in ways) < 1 for ways in WALK.values())


def test_every_step_is_taken_within_a_minute(events: list[dict[str, Any]]) -> None:
    """A demo in which nobody asks for help shows nothing of that journey."""
    names = {event.get("event") or event["type"] for event in events}
    assert names >= {
        "Product Viewed",
        "Product Added",
        "Checkout Started",
        "Shipping Viewed",
        "Payment Viewed",
        "Order Completed",
        "Help Opened",
        "Cart Emptied",
        "Signed Up",
        "identify",
        "page",
        "screen",
    }


def test_people_loop_and_step_back(events: list[dict[str, Any]]) -> None:
    """Real visits are no straight line."""
    walks = defaultdict(list)
    for event in events:
        walks[event["anonymousId"]].append(event.get("event"))
    pairs = Counter(pair for walk in walks.values() for pair in pairwise(walk))
    assert pairs["Shipping Viewed", "Shipping Viewed"] > 0
    assert pairs["Payment Viewed", "Shipping Viewed"] > 0


def test_people_are_anonymous_first_and_named_later(events: list[dict[str, Any]]) -> None:
    """Identity is what the demo shows best."""
    named = {event["anonymousId"] for event in events if event.get("userId")}
    unnamed = {event["anonymousId"] for event in events if not event.get("userId")}
    assert len(named & unnamed) > 5


def test_message_ids_repeat_only_in_repeated_batches(
    batches: list[Batch], events: list[dict[str, Any]]
) -> None:
    """What the log refuses must be exactly what was sent twice."""
    ids = [event["messageId"] for event in events]
    assert len(set(ids)) == len(ids)
    repeated = [event["messageId"] for batch in batches if batch.is_repeated for event in batch.events]
    assert repeated
    assert set(repeated) <= set(ids)


def test_a_phone_sends_several_events_at_once(batches: list[Batch]) -> None:
    """Late batches are what mobile SDKs are known for."""
    phones = [batch for batch in batches if batch.events[0]["context"]["library"]["name"] == "analytics-ios"]
    assert max(len(batch.events) for batch in phones) > 3
    assert any(batch.delay_s > 3 for batch in phones)


def test_a_wrong_clock_is_wrong_by_the_same_in_timestamp_and_sent_at(batches: list[Batch]) -> None:
    """So that the door can take the error out: the rest is what the event waited."""
    batch = max(batches, key=lambda batch: abs(batch.clock_error_s))
    body = batch.body(STARTED_AT_S + 60)
    sent, happened = (
        datetime.fromisoformat(text) for text in (body["sentAt"], batch.events[-1]["timestamp"])
    )
    assert 0 <= (sent - happened).total_seconds() <= 60


def test_a_nudged_person_comes_back_more_often() -> None:
    """What the journeys do must show in what people do."""

    def orders(*, is_nudging: bool) -> int:
        shop = Shop(seed=3, n_people=200, started_at_s=STARTED_AT_S)
        n_orders = 0
        for half in range(240):
            for batch in shop.batches(STARTED_AT_S + half / 2):
                for event in batch.events:
                    n_orders += event.get("event") == "Order Completed" and not batch.is_repeated
                    if is_nudging and event.get("userId"):
                        shop.nudge(event["userId"])
        return n_orders

    assert orders(is_nudging=True) > orders(is_nudging=False)


def test_a_rest_puts_everything_off_by_as_much() -> None:
    """While the server lags nobody clicks on, and nobody's events are of the past when it answers again."""
    shop = Shop(seed=7, n_people=50, started_at_s=STARTED_AT_S)
    shop.rest(30)
    early = shop.batches(STARTED_AT_S + 29)
    late = shop.batches(STARTED_AT_S + 60)

    assert not early
    assert late
