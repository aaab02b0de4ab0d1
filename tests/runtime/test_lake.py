"""Following: slices are written in time, and neither sooner nor in larger pieces than said."""

from __future__ import annotations

import pytest

from sojourn.model.errors import ConfigError
from sojourn.model.lake import DAY_MS, LakeSize, Reach, Slice
from sojourn.runtime.lake import POLL_MS, Follower, Pace


class Tail:
    """A tail of so many entries, one group of facts each."""

    def __init__(self) -> None:
        self.n = 0
        self.clock = 0

    def reach(self) -> Reach:
        return Reach(self.n, self.n, self.clock)

    def read(self, after: Reach, reach: Reach, *, n_events: int) -> Slice:
        last = min(reach.position, after.position + n_events)
        return Slice(after, Reach(last, last, reach.clock), [], [], self.mark(last))

    def mark(self, position: int) -> str:
        return f"m{position}" if position else ""


class Lake:
    """A lake that remembers what it was told."""

    def __init__(self, reach: Reach | None = None, mark: str = "") -> None:
        self.reach, self.mark = reach or Reach(), mark
        self.told: list[object] = []
        self.n_compactions = self.n_erasures = 0

    def write(self, slice_: Slice) -> None:
        self.told.append(slice_.reach.position)
        self.reach, self.mark = slice_.reach, slice_.mark

    def erase(self) -> bool:
        self.n_erasures -= 1
        return self.n_erasures >= 0

    def compact(self, *, is_final: bool = False) -> bool:
        self.n_compactions -= 1
        return self.n_compactions >= 0

    def expire(self, *, before: str) -> int:
        self.told.append(before)
        return 1

    def size(self) -> LakeSize:
        return LakeSize()

    def close(self) -> None:
        pass


class World:
    """A follower with its tail and its lake, and a clock."""

    def __init__(self, pace: Pace, lake: Lake | None = None) -> None:
        self.now = 0
        self.tail, self.lake = Tail(), lake or Lake()
        self.follower = Follower(self.tail, self.lake, now=lambda: self.now, pace=pace)


def test_a_few_events_wait_for_their_time_and_many_do_not() -> None:
    """Files are neither tiny nor late."""
    world = World(Pace(every_ms=5_000, events=100))
    world.tail.n = 3
    assert world.follower.turn() == POLL_MS
    world.now = 4_999
    assert world.follower.turn() == 1
    assert (world.lake.told, world.follower.lag_ms) == ([], 4_999)
    world.now = 5_000
    world.follower.turn()
    assert (world.lake.told, world.follower.lag_ms) == ([3], 0)

    world.tail.n = 103
    world.follower.turn()
    assert world.lake.told == [3, 103]


def test_a_backlog_is_written_in_slices_of_the_size_said() -> None:
    """After an import memory stays what it was."""
    world = World(Pace(every_ms=5_000, events=100))
    world.tail.n = 250
    while world.lake.reach.position < 200:
        assert world.follower.turn() == 0
    world.now = 5_000
    world.follower.turn()
    assert world.lake.told == [100, 200, 250]


def test_merging_goes_on_until_there_is_nothing_to_merge() -> None:
    """It has no pace of its own: each piece is small."""
    world = World(Pace())
    world.lake.n_compactions = 2
    assert [world.follower.turn() for _ in range(3)] == [0, 0, POLL_MS]


def test_days_go_when_they_were_kept_long_enough_once_a_day() -> None:
    """By the log's clock: a folder nobody serves keeps what it has."""
    world = World(Pace(keep_ms=10 * DAY_MS, events=1))
    for hour in range(30):
        world.tail.n, world.tail.clock = hour + 1, 20 * DAY_MS + hour * DAY_MS // 24
        world.follower.turn()
        world.follower.turn()
    assert [each for each in world.lake.told if isinstance(each, str)] == ["1970-01-11", "1970-01-12"]


def test_catching_up_writes_all_or_as_much_as_there_is_time_for() -> None:
    """A server that stops does not keep everybody waiting."""
    world = World(Pace(events=100))
    world.tail.n = 1_000
    world.follower.catch_up(until=lambda: len(world.lake.told) == 2)
    assert world.lake.told == [100, 200]
    world.follower.catch_up()
    assert world.lake.reach.position == 1_000


@pytest.mark.parametrize(
    ("reach", "mark"), [(Reach(9, 0, 0), "m9"), (Reach(0, 9, 0), ""), (Reach(3, 3, 0), "?")]
)
def test_a_lake_of_another_log_is_not_written(reach: Reach, mark: str) -> None:
    """It would mix two histories, and nobody could tell them apart."""
    tail = Tail()
    tail.n = 5
    with pytest.raises(ConfigError, match="another log"):
        Follower(tail, Lake(reach, mark), now=lambda: 0, pace=Pace())
