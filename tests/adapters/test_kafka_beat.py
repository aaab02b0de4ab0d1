"""The beat: after an event every clock passes it soon, and where nothing happens little is written."""

from __future__ import annotations

from random import Random

import pytest

from sojourn.adapters.kafka_beat import REST_MS, Beat

TICK_MS = 20


class Clocks:
    """Partitions of one broker, on a clock that a test moves; every record is confirmed a while later."""

    def __init__(self, n_partitions: int, *, tick_ms: int = TICK_MS, confirm_ms: int = 3) -> None:
        self.beat = Beat(n_partitions, tick_ms=tick_ms)
        self.now = 10_000
        self.stamps = [0] * n_partitions
        self.n_ticks = 0
        self._confirm_ms = confirm_ms
        self._unconfirmed: list[tuple[int, int, int, bool]] = []

    def event(self, partition: int) -> int:
        """Write an event now; return its instant."""
        self.beat.sent(partition, now=self.now)
        self._write(partition, is_event=True)
        return self.now

    def run(self, until: int) -> None:
        """Let time pass, ms by ms, and do what is due."""
        while self.now < until:
            self.now += 1
            due = [one for one in self._unconfirmed if one[0] <= self.now]
            self._unconfirmed = [one for one in self._unconfirmed if one[0] > self.now]
            for _, partition, stamp, is_event in due:
                if is_event:
                    self.beat.confirmed(partition, stamp, now=self.now)
                else:
                    self.beat.ticked(partition, stamp)
            if self.beat.next_at() <= self.now:
                for partition in self.beat.round(now=self.now):
                    self.n_ticks += 1
                    self._write(partition, is_event=False)

    def _write(self, partition: int, *, is_event: bool) -> None:
        self.stamps[partition] = self.now
        self._unconfirmed.append((self.now + self._confirm_ms, partition, self.now, is_event))


def test_an_event_at_rest_is_passed_by_every_clock_at_once() -> None:
    """Nobody waits a whole tick for it: its confirmation, and the broker's next instant."""
    clocks = Clocks(8)
    clocks.run(10_500)
    at = clocks.event(3)
    clocks.run(at + 6)
    assert min(clocks.stamps) > at


def test_at_rest_there_is_a_round_a_second() -> None:
    """Timers are at most so late, and a quiet installation writes little."""
    clocks = Clocks(8)
    clocks.run(clocks.now + 20 * REST_MS)
    assert clocks.n_ticks == 20 * 8


def test_partitions_whose_own_events_come_densely_are_not_ticked() -> None:
    """Their next event does it."""
    clocks = Clocks(4)
    for _ in range(1_000):
        for partition in range(4):
            clocks.event(partition)
        clocks.run(clocks.now + 5)
    assert clocks.n_ticks < 10
    clocks.run(clocks.now + 3 * TICK_MS)
    assert min(clocks.stamps) > clocks.now - 3 * TICK_MS  # and after the last one they are


@pytest.mark.parametrize("seed", range(20))
def test_every_event_is_passed_within_two_ticks_and_a_confirmation(seed: int) -> None:
    """However events come, in bursts or one by one."""
    random = Random(seed)
    clocks = Clocks(random.choice([1, 2, 7, 64]), confirm_ms=random.choice([1, 3, 12]))
    events: list[int] = []
    passed: list[int] = []
    for _ in range(400):
        events += [clocks.event(random.randrange(len(clocks.stamps))) for _ in range(random.randrange(3))]
        clocks.run(clocks.now + random.choice([1, 1, 2, 5, 30]))
        while len(passed) < len(events) and min(clocks.stamps) > events[len(passed)]:
            passed.append(clocks.now - events[len(passed)])
    clocks.run(clocks.now + 100)
    assert min(clocks.stamps) > events[-1]
    assert max(passed) <= 2 * TICK_MS + 2 * 12 + 30


def test_a_cluster_that_confirms_nothing_is_not_given_more() -> None:
    """Empty records do not pile up in the client."""
    clocks = Clocks(8, confirm_ms=1_000_000)
    clocks.beat.confirmed(0, clocks.now, now=clocks.now)
    clocks.run(clocks.now + 10 * REST_MS)
    assert clocks.n_ticks == 8
