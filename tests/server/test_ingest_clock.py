"""When things happened, by clocks that are wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.server.ingest.clock import MAX_AHEAD_MS, occurred_at, read_instant

NOW = 1_793_700_674_000


@pytest.mark.parametrize(
    ("wire", "instant"),
    [
        ("2026-11-03T10:11:12.345Z", 1793700672345),
        ("2026-11-03T11:11:12.345+01:00", 1793700672345),
        ("2026-11-03T10:11:12.345678901Z", 1793700672345),
        ("2026-11-03 10:11:12", 1793700672000),
        (" 2026-11-03T10:11:12 Z", 1793700672000),
        (1793700672, 1793700672000),
        (1793700672.345, 1793700672345),
        (1793700672345, 1793700672345),
        (1793700672345678, 1793700672345),
        ("1793700672345", 1793700672345),
        ("9999-12-31T23:59:59Z", 253402300799000),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("Tue Nov 03 2026 10:11:12 GMT+0000", None),
        (True, None),
        (None, None),
        ([], None),
        (1e300, None),
        (10**400, None),
    ],
)
def test_an_instant_is_read(wire: object, instant: int | None) -> None:
    """SDKs in a dozen languages write time."""
    assert read_instant(wire) == instant


@pytest.mark.parametrize(
    ("timestamp", "sent_at", "expected"),
    [
        (NOW - 5000, None, NOW - 5000),
        (NOW - 5000, NOW, NOW - 5000),
        (NOW - 5000, NOW - 1000, NOW - 4000),
        (1000, 3000, NOW - 2000),
        (NOW + 10**10 - 500, NOW + 10**10, NOW - 500),
        (None, NOW - 1000, NOW),
        (NOW + MAX_AHEAD_MS, None, NOW + MAX_AHEAD_MS),
        (NOW + MAX_AHEAD_MS + 1, None, NOW),
        (-1, None, NOW),
    ],
)
def test_the_clock_error_shown_at_sending_is_taken_out(
    timestamp: int | None, sent_at: int | None, expected: int
) -> None:
    """Device clocks are off by years, and the future would hold journeys back."""
    assert occurred_at(timestamp, sent_at=sent_at, received_at=NOW, is_import=False) == expected


def test_an_import_is_not_corrected() -> None:
    """Its sentAt is of the day it was first sent."""
    then = NOW - 10**10
    assert occurred_at(then, sent_at=then + 5, received_at=NOW, is_import=True) == then


@given(timestamp=st.integers(10**12, NOW), error=st.integers(-(10**12), 10**12), queued=st.integers(0, 10**7))
def test_a_constant_clock_error_does_not_show(timestamp: int, error: int, queued: int) -> None:
    """Whatever the error, what is left is the transit time: here none."""
    happened = NOW - queued
    assert occurred_at(happened + error, sent_at=NOW + error, received_at=NOW, is_import=False) == happened


@given(st.text() | st.floats() | st.integers())
def test_any_text_or_number_is_an_instant_or_none(value: object) -> None:
    """It never raises, and never leaves the years that datetime has."""
    instant = read_instant(value)
    assert instant is None or abs(instant) <= 253_402_300_800_000
