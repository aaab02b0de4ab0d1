"""Imports: each row once, in time order, whatever happens on the way."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.model.errors import InputError
from sojourn.model.event import Entry, Event, FailedEvent
from sojourn.model.ports import Appended
from sojourn.runtime.importing import (
    Imported,
    Origin,
    Reading,
    Row,
    Step,
    import_file,
    parse_column_map,
)
from sojourn.runtime.importing.importer import BATCH_ROWS
from sojourn.runtime.importing.ordering import FAN_IN, in_time_order

NOW = 1_800_000_000_000
ORIGIN = Origin(source="import", now_ms=NOW)
SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"
ECOM = SHARED / "ecom_events" / "ecom_events.csv.gz"
MAP = "event=event,user_id=user_id,timestamp=timestamp"


def written(folder: Path, name: str, content: str | bytes) -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def csv_file(folder: Path, rows: Sequence[tuple[str, str, str]]) -> Path:
    """Write (event, user, timestamp) rows."""
    lines = ["event,user_id,timestamp", *(",".join(row) for row in rows)]
    return written(folder, "events.csv", "\n".join(lines) + "\n")


class Kept:
    """A log in memory that refuses duplicates, and may be killed before a batch."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.failed: list[FailedEvent] = []
        self.batches: list[int] = []
        self._seen: set[tuple[str, str]] = set()
        self.dies_before_batch: int | None = None

    def append(self, events: Sequence[Event], failed: Sequence[FailedEvent]) -> Appended:
        """Add what is new."""
        if self.dies_before_batch == len(self.batches):
            raise KeyboardInterrupt
        self.batches.append(len(events) + len(failed))
        entries, duplicates = [], []
        for i, event in enumerate(events):
            if (event.source, event.message_id) in self._seen:
                duplicates.append(i)
                continue
            self._seen.add((event.source, event.message_id))
            self.events.append(event)
            entries.append(Entry(position=len(self.events), at=event.occurred_at, event=event))
        self.failed += failed
        return Appended(entries, duplicates)


def imported(
    path: Path, kept: Kept, *, column_map: str | None = None, tell: Callable[[Step], None] = id
) -> Imported:
    """Import a file into a log in memory."""
    read = parse_column_map(column_map) if column_map else None
    return import_file(Reading(path, origin=ORIGIN, column_map=read), append=kept.append, tell=tell)


EVENT = Event(source="s", message_id="m", kind="track", name="A", occurred_at=0, received_at=NOW, user_id="u")


def row(number: int, at: int) -> Row:
    """Make one row."""
    return Row(number, msgspec.structs.replace(EVENT, occurred_at=at, message_id=f"m{number}"), 100)


@given(st.lists(st.integers(0, 20), max_size=60), st.integers(1, 8), st.integers(1, 1000))
def test_rows_come_out_in_time_order_however_long_the_runs(
    instants: list[int], run_rows: int, run_bytes: int
) -> None:
    """Rows of one instant keep the file's order; the oracle sorts everything at once."""
    rows = [row(number, at) for number, at in enumerate(instants)]

    found = list(in_time_order(rows, run_rows=run_rows, run_bytes=run_bytes))

    assert found == [
        each.item for each in sorted(rows, key=lambda each: (each.item.occurred_at, each.number))
    ]


def test_runs_of_runs_are_merged() -> None:
    """More runs than may be open at once."""
    chance = random.Random(11)
    rows = [row(number, chance.randrange(1000)) for number in range(3 * FAN_IN**2 + 5)]

    found = list(in_time_order(rows, run_rows=2))

    assert [(event.occurred_at, int(event.message_id[1:])) for event in found] == sorted(
        (each.item.occurred_at, each.number) for each in rows
    )


@given(st.permutations([("A", "u1", 3), ("B", "u2", 1), ("C", "u1", 2), ("D", "u3", 9)]))
def test_any_order_of_the_rows_gives_the_same_events_in_the_same_order(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, int]]
) -> None:
    """A file sorted by person is as good as one sorted by time."""
    folder = tmp_path_factory.mktemp("order")
    kept = Kept()

    imported(csv_file(folder, [(name, user, f"2024-01-0{day}") for name, user, day in rows]), kept)

    assert [(event.name, event.user_id) for event in kept.events] == [
        ("B", "u2"),
        ("C", "u1"),
        ("A", "u1"),
        ("D", "u3"),
    ]


def test_an_import_counts_every_row_once(tmp_path: Path) -> None:
    """What it counts is what is there."""
    kept = Kept()
    day = "2024-01-01"

    counts = imported(csv_file(tmp_path, [("A", "u", day), ("", "u", day), ("A", "u", day)]), kept)

    assert counts == Imported(accepted=2, duplicate=0, failed=1)
    assert (len(kept.events), len(kept.failed)) == (2, 1)


def test_a_second_import_adds_nothing(tmp_path: Path) -> None:
    """Rows without ids are named after their place and content; rows that look the same stay two."""
    kept = Kept()
    path = csv_file(tmp_path, [("A", "u", "2024-01-01")] * 3 + [("B", "u", "2024-01-02")])
    imported(path, kept)

    assert imported(path, kept) == Imported(accepted=0, duplicate=4, failed=0)


def test_a_file_that_grew_adds_what_is_new(tmp_path: Path) -> None:
    """Logs are exported anew every day, with yesterday in them."""
    kept = Kept()
    rows = [("A", "u", "2024-01-01"), ("B", "u", "2024-01-02")]
    imported(csv_file(tmp_path, rows[:1]), kept)

    assert imported(csv_file(tmp_path, rows), kept) == Imported(accepted=1, duplicate=1, failed=0)


def test_the_same_file_packed_or_mapped_otherwise_adds_nothing(tmp_path: Path) -> None:
    """A row is named after all of its content, whatever of it is mapped."""
    kept = Kept()
    path = csv_file(tmp_path, [("A", "u", "2024-01-01")])
    imported(path, kept)
    packed = written(tmp_path, "other.csv.gz", gzip.compress(path.read_bytes()))

    assert imported(packed, kept, column_map=MAP + ",properties.who=user_id").duplicate == 1


@pytest.mark.parametrize("seed", range(5))
def test_an_import_that_is_killed_and_run_again_ends_as_if_it_had_run_once(tmp_path: Path, seed: int) -> None:
    """Killed before any batch, at random; the order of what is kept shows that nothing became history."""
    chance = random.Random(seed)
    n_rows = 5 * BATCH_ROWS + 17
    path = csv_file(
        tmp_path, [("A", f"u{n}", str(1_704_067_200 + chance.randrange(500))) for n in range(n_rows)]
    )
    once, killed = Kept(), Kept()
    imported(path, once)
    killed.dies_before_batch = chance.randrange(6)
    with pytest.raises(KeyboardInterrupt):
        imported(path, killed)
    killed.dies_before_batch = None

    counts = imported(path, killed)

    assert counts.accepted + counts.duplicate == n_rows, f"seed {seed}"
    assert killed.events == once.events, f"seed {seed}"


def test_batches_are_bounded(tmp_path: Path) -> None:
    """One commit each."""
    kept = Kept()

    imported(csv_file(tmp_path, [("A", "u", "2024-01-01")] * (BATCH_ROWS + 1)), kept)

    assert kept.batches == [BATCH_ROWS, 1]


@pytest.mark.parametrize("damage", [lambda packed: packed[:-40], lambda packed: packed[:200] + packed[260:]])
def test_a_damaged_gzip_file_imports_nothing(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    """Half of it would move the clock past the other half, which would then be history."""
    chance = random.Random(7)
    rows = "\n".join(f"E{chance.random()},u,2024-01-01" for _ in range(3_000))
    path = written(tmp_path, "x.csv.gz", damage(gzip.compress(f"event,user_id,timestamp\n{rows}\n".encode())))
    kept = Kept()

    with pytest.raises(InputError, match="damaged"):
        imported(path, kept)

    assert kept.batches == []


def test_progress_ends_where_it_said_it_would(tmp_path: Path) -> None:
    """First bytes read, then rows appended."""
    steps: list[Step] = []
    path = csv_file(tmp_path, [("A", "u", "2024-01-01")] * 1200)

    imported(path, Kept(), tell=steps.append)

    size = path.stat().st_size
    assert steps[-2:] == [Step("reading", size, size, "bytes"), Step("appending", 1200, 1200, "rows")]
    assert all(0 <= step.done <= step.total for step in steps)


@pytest.mark.skipif(not ECOM.exists(), reason="the shared data set ecom_events is not beside this clone")
def test_the_known_file_is_imported_whole() -> None:
    """Its README's numbers: 31,106 rows, 600 people, 3,605 sessions, 19 event types."""
    kept = Kept()

    counts = imported(ECOM, kept, column_map=MAP + ",session_id=session_id,properties.platform=platform")

    assert counts == Imported(accepted=31_106, duplicate=0, failed=0)
    assert [event.occurred_at for event in kept.events] == sorted(event.occurred_at for event in kept.events)
    assert len({event.user_id for event in kept.events}) == 600
    assert len({event.session_id for event in kept.events}) == 3_605
    assert len({event.name for event in kept.events}) == 19
