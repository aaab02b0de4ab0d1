"""The demo's week before: what is replayed in the studio must be a week, and the same for the same seed."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from demo.history import DAYS, events, hours

NOW_S = 1_800_000_000.0


def test_every_hour_of_the_week_has_its_busy_minute_before_now() -> None:
    """What is open at the end would be cut in two by the first live event."""
    found = list(hours(NOW_S))
    starts = [at_s for at_s, _ in found]
    assert len(found) == DAYS * 24
    assert all(later - earlier == 3_600 for earlier, later in pairwise(starts))
    assert starts[-1] + 60 < NOW_S
    assert min(n for _, n in found) < max(n for _, n in found), "days are busier than nights"


def test_a_week_is_what_its_seed_says() -> None:
    """Two looks at one demo are looks at one history; another seed is another week."""
    week = list(events(NOW_S, seed=7))
    assert week == list(events(NOW_S, seed=7))
    assert week != list(events(NOW_S, seed=8))
    stamps = [datetime.fromisoformat(event["timestamp"]).timestamp() for event in week]
    assert min(stamps) > NOW_S - (DAYS + 0.1) * 86_400
    assert max(stamps) < NOW_S + 60, "a phone's clock may be wrong by less than a minute"
    assert {event["event"] for event in week if "event" in event} >= {"Product Viewed", "Order Completed"}
