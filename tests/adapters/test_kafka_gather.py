"""Gathering: nothing is lost or turned round, and no record is larger than Kafka takes."""

from __future__ import annotations

from random import Random

import pytest

from sojourn.adapters.kafka_gather import Lane, Part


def test_what_comes_while_a_record_is_unconfirmed_travels_together() -> None:
    """The first waits for nothing; the others wait for it, and are one record."""
    lane: Lane[int] = Lane()
    lane.put(Part(b"a", 0))
    assert [part.of for part in lane.take()] == [0]
    for number in (1, 2, 3):
        lane.put(Part(b"a", number))
    assert lane.take() == ()
    lane.settle()
    assert [part.of for part in lane.take()] == [1, 2, 3]
    lane.settle()
    assert lane.take() == ()


def test_what_fills_a_record_waits_for_nothing() -> None:
    """Nor for the confirmation of the one before."""
    lane: Lane[int] = Lane(most=2)
    for number in range(5):
        lane.put(Part(b"a", number))
    assert [[part.of for part in lane.take()] for _ in range(3)] == [[0, 1], [2, 3], []]


@pytest.mark.parametrize("seed", range(10))
def test_every_event_is_in_one_record_in_order_and_no_record_is_too_large(seed: int) -> None:
    """Whatever the sizes, and whenever confirmations come."""
    random = Random(seed)
    lane: Lane[int] = Lane(most=20, most_bytes=300)
    found: list[int] = []
    n_unconfirmed = n_put = 0
    while n_put < 1_000 or len(found) < n_put:
        for _ in range(random.randrange(30) if n_put < 1_000 else 0):
            lane.put(Part(b"x" * random.choice([1, 5, 100, 290]), n_put))
            n_put += 1
        while parts := lane.take():
            assert len(parts) <= 20
            assert sum(len(part.content) + 1 for part in parts) <= 300
            found += [part.of for part in parts]
            n_unconfirmed += 1
        if n_unconfirmed and random.random() < 0.7:
            lane.settle()
            n_unconfirmed -= 1
    assert found == list(range(n_put))
