"""Durations: what authors may write, and what is refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.definitions.durations import MAX_DURATION_MS, parse_duration, write_duration


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        ("500ms", 500),
        ("30s", 30_000),
        ("5m", 300_000),
        ("1h30m", 5_400_000),
        ("7d", 604_800_000),
        ("2w", 1_209_600_000),
    ],
)
def test_a_duration_is_read_in_milliseconds(text: str, expected_ms: int) -> None:
    """The forms that the reference shows."""
    assert parse_duration(text) == expected_ms


@pytest.mark.parametrize(
    "text",
    ["", "0s", "5", "5 m", "m", "30m1h", "1h1h", "-5m", "1.5h", "5M", "11w520w", "3651d", "٣m", "5m\n"],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    """A unit left out or doubled is a mistake, not a guess."""
    with pytest.raises(ValueError):
        parse_duration(text)


@given(st.text(max_size=30))
def test_any_text_is_a_bounded_duration_or_refused(text: str) -> None:
    """Timers have a bound (law 7)."""
    with suppress(ValueError):
        assert 1 <= parse_duration(text) <= MAX_DURATION_MS


@pytest.mark.parametrize("text", ["1ms", "30s", "5m", "1h30m", "7d", "1d12h", "365d"])
def test_a_duration_is_written_as_it_is_read(text: str) -> None:
    """A fact says the window as the author wrote it."""
    assert write_duration(parse_duration(text)) == text
