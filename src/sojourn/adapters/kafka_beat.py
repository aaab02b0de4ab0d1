"""The beat: which partitions are to be given a tick, a record of nothing, so that their clock moves on.

Flink takes an event through its stages once every partition's clock has passed it. Pure: instants come in.

Events release one another where they come densely; what comes seldom is followed by a round of ticks
within `tick_ms`, and at rest there is one round a second, which timers wait for. So an installation in which
little happens writes little.
"""

from __future__ import annotations

REST_MS = 1_000
SETTLE_MS = 2  # a broker's clock has passed an event that was confirmed so long ago.


class Beat:
    """What is known of some partitions' clocks. Arguments `now` are ms of a clock of this process."""

    def __init__(self, n_partitions: int, *, tick_ms: int) -> None:
        self._tick_ms = tick_ms
        self._stamps = [0] * n_partitions
        """The broker's instant of the last record that is known of each."""
        self._sent = [-REST_MS] * n_partitions
        """When each was last sent a record."""
        self._gaps = [REST_MS] * n_partitions
        """How long before that the one before was sent."""
        self._under_way = [False] * n_partitions
        """Whether a tick is unconfirmed in each: a cluster that is down is not given more."""
        self._newest = 0
        """The broker's instant of the newest event."""
        self._round_at = -REST_MS
        self._event_at: int | None = None
        """When the first event was confirmed that no round has followed."""

    def sent(self, partition: int, *, now: int) -> None:
        """A record of events is on its way."""
        self._gaps[partition] = now - self._sent[partition]
        self._sent[partition] = now

    def confirmed(self, partition: int, stamp: int, *, now: int) -> None:
        """A record of events is in its partition, with the broker's instant."""
        self._stamps[partition] = max(self._stamps[partition], stamp)
        self._newest = max(self._newest, stamp)
        if self._event_at is None:
            self._event_at = now

    def ticked(self, partition: int, stamp: int | None) -> None:
        """A tick is in its partition; None: it is not."""
        self._under_way[partition] = False
        self._stamps[partition] = max(self._stamps[partition], stamp or 0)

    def next_at(self) -> int:
        """Say when the next round is due."""
        rest = self._round_at + REST_MS
        if self._event_at is None and not self._is_behind():
            return rest
        since = self._round_at if self._event_at is None else self._event_at
        return min(rest, max(self._round_at + self._tick_ms, since + SETTLE_MS))

    def round(self, *, now: int) -> list[int]:
        """Begin a round: return the partitions that are to be ticked now.

        Those are left out that have passed the newest event, and those whose own events come so densely that
        the next one does it.
        """
        is_rest = now - self._round_at >= REST_MS
        self._round_at, self._event_at = now, None
        chosen = [
            partition
            for partition, stamp in enumerate(self._stamps)
            if (is_rest or stamp <= self._newest)
            and not self._under_way[partition]
            and not self._is_busy(partition, now)
        ]
        for partition in chosen:
            self._under_way[partition] = True
        return chosen

    def _is_behind(self) -> bool:
        """Whether some partition's clock is not yet past the newest event."""
        return self._newest > 0 and min(self._stamps) <= self._newest

    def _is_busy(self, partition: int, now: int) -> bool:
        return self._gaps[partition] < self._tick_ms and now - self._sent[partition] < self._tick_ms
