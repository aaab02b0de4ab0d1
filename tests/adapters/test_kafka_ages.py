"""How long a topic keeps the last byte: by its own settings, and for ever where nothing bounds it."""

from __future__ import annotations

from msgspec.structs import replace

from sojourn.adapters.kafka_ages import CLEANING_MS, FOREVER, Age

HOUR, DAY = 3_600_000, 86_400_000
EVENTS = Age(
    is_compacted=False,
    is_deleted=True,
    retention_ms=30 * DAY,
    segment_ms=DAY,
    lag_ms=FOREVER,
    tombstones_ms=DAY,
    check_ms=300_000,
    unlink_ms=60_000,
)
STATES = replace(EVENTS, is_compacted=True, is_deleted=False, retention_ms=-1, lag_ms=2 * HOUR)


def test_what_goes_for_its_age_waits_for_its_segment_and_for_the_broker() -> None:
    """A day in which the segment is filled, thirty of retention, a look, and the file's end."""
    assert EVENTS.longest_ms == 31 * DAY + 360_000
    assert EVENTS.replaced_ms(has_key=False) == EVENTS.longest_ms


def test_without_a_retention_it_stays_for_ever() -> None:
    """And what is compacted, too, where no newer record takes its place."""
    assert replace(EVENTS, retention_ms=-1).longest_ms is None
    assert STATES.longest_ms is None


def test_what_another_record_takes_the_place_of_goes_with_the_cleaner() -> None:
    """The segment is rolled within the lag, and cleaned within another; keys go a day and a round later."""
    once = 4 * HOUR + CLEANING_MS
    assert STATES.replaced_ms(has_key=False) == once + 60_000
    assert STATES.replaced_ms(has_key=True) == once + 60_000 + DAY + once
    assert replace(STATES, lag_ms=FOREVER).replaced_ms(has_key=False) is None


def test_what_is_compacted_and_deleted_goes_with_whichever_comes_first() -> None:
    """Dead letters: a worker takes them out, and thirty days are the most."""
    both = replace(EVENTS, is_compacted=True, lag_ms=40 * DAY)
    assert both.replaced_ms(has_key=False) == EVENTS.longest_ms
    assert replace(both, lag_ms=HOUR).replaced_ms(has_key=False) == 2 * HOUR + CLEANING_MS + 60_000
