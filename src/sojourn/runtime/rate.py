"""Rates: how many deliveries a sink gets in a time, as its destination allows.

A token bucket, kept as one number (the virtual scheduling algorithm of ITU-T I.371, annex A): the instant at
which the next delivery would be due if all were evenly spaced. Instants are counted in parts of a
millisecond, so that no rate is rounded.
"""

from __future__ import annotations

from msgspec import Struct


class Rate(Struct, frozen=True, kw_only=True):
    """At most so many in a time, evenly spaced; after a pause, `burst` of them at once."""

    most: int
    per_ms: int
    burst: int = 1


class Bucket:
    """What is left of a rate; full at the start."""

    def __init__(self, rate: Rate) -> None:
        # In parts of 1/most ms, one delivery is `per_ms` parts wide.
        self._parts = rate.most
        self._width = rate.per_ms
        self._slack = (rate.burst - 1) * rate.per_ms
        self._due = 0

    def opens_at(self, now: int) -> int:
        """Return from when on one more may be delivered, ms, as it looks at `now`."""
        # Never further ahead than the last one can have been, or a clock that is set back would stop it all.
        self._due = min(self._due, now * self._parts + self._slack + self._width)
        return -(-(self._due - self._slack) // self._parts)

    def take(self, now: int) -> bool:
        """Take one delivery out, where one may be made at `now` (ms); tell whether it was."""
        if now < self.opens_at(now):
            return False
        self._due = max(self._due, now * self._parts) + self._width
        return True
