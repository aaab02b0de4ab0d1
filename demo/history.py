"""The week before: what the shop's people did until now, so that there is a history to look at and to replay.

Each hour of the last days had a busy minute, busier by day than by night; the rest of the hour nobody came.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import cos, tau
from pathlib import Path
from random import Random
from typing import Any

from demo.shop import Person, Shop

DAYS = 7
HOUR_S = 3_600.0
BUSY_S = 60.0
SETTLED_S = 30.0
"""From the last busy minute to the first live event, at least: what is open then is not cut in two."""
MOST_PEOPLE = 14
QUIET_HOUR = 3  # of the day, UTC
SHARE_REGULAR = 0.4  # of those in the shop when a busy minute begins were there before,
REMEMBERED = 2_000  # and are drawn from so many who came last: about three days of them.


def hours(until_s: float) -> Iterator[tuple[float, int]]:
    """Return the beginning of each busy minute, and how many people are in the shop in it."""
    last = until_s - SETTLED_S - BUSY_S
    for n in reversed(range(DAYS * 24)):
        at_s = last - n * HOUR_S
        share = 0.5 - 0.5 * cos(tau * (at_s / HOUR_S % 24 - QUIET_HOUR) / 24)
        yield at_s, 2 + round((MOST_PEOPLE - 2) * share)


def events(until_s: float, *, seed: int) -> Iterator[dict[str, Any]]:
    """Return every event of the week as it was sent, in the order of the requests."""
    random = Random(seed)
    known: list[Person] = []
    for n, (at_s, n_people) in enumerate(hours(until_s)):
        n_regulars = min(round(n_people * SHARE_REGULAR), len(known))
        regulars = random.sample(known, n_regulars)
        shop = Shop(seed=seed + n, n_people=n_people - n_regulars, started_at_s=at_s, regulars=regulars)
        for batch in shop.batches(at_s + BUSY_S):
            yield from batch.events
        known = [*known, *(one for one in shop.visitors if one not in regulars)][-REMEMBERED:]


def write_history(path: Path, *, until_s: float, seed: int) -> int:
    """Write the week as a file for `sojourn import`; return how many lines it has."""
    with path.open("w", encoding="utf-8") as file:
        return sum(bool(file.write(json.dumps(event) + "\n")) for event in events(until_s, seed=seed))
