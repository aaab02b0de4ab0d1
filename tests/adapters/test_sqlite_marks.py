"""Duplicate marks in files: exact, merged, and made again where a file is lost."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.adapters.sqlite import SqliteLog
from sojourn.adapters.sqlite.segment import Segment, halves, merge_segments, write_segment
from sojourn.model.event import Event
from tests.soak import tries

DAY_MS = 86_400_000
T0 = 1_700_000_000_000

# Few first halves, so that different digests share them.
digests = st.builds(
    lambda first, second: bytes([first] * 8 + [second] * 8), st.integers(0, 5), st.integers(0, 3)
)
marks = st.dictionaries(digests, st.integers(0, 9), min_size=1, max_size=20)


def segment_of(path: Path, held: dict[bytes, int]) -> Segment:
    """Write marks (digest: instant) as a segment."""
    first, second = halves(b"".join(held))
    write_segment(path, (first, second, np.array(list(held.values()), dtype=np.uint64)))
    return Segment(path)


def found_in(segment: Segment, asked: list[bytes], after: int) -> list[bytes]:
    """Ask a segment for digests, in the order it wants them."""
    asked = sorted(asked, key=lambda digest: int.from_bytes(digest[:8], "little"))
    found = segment.find(*halves(b"".join(asked)), after=after)
    return sorted(digest for digest, is_found in zip(asked, found, strict=True) if is_found)


@settings(max_examples=tries(60), deadline=None)
@given(held=marks, asked=st.lists(digests, min_size=1), after=st.integers(-1, 9))
def test_a_segment_finds_exactly_what_it_holds(
    held: dict[bytes, int], asked: list[bytes], after: int
) -> None:
    """Also where digests share their first half, and where some marks are too old."""
    with TemporaryDirectory() as root:
        segment = segment_of(Path(root) / "one.marks", held)
        expected = sorted(digest for digest in asked if held.get(digest, -1) > after)
        assert found_in(segment, asked, after) == expected


@settings(max_examples=tries(40), deadline=None)
@given(
    parts=st.lists(marks, min_size=1, max_size=4),
    asked=st.lists(digests, min_size=1),
    after=st.integers(-1, 9),
)
def test_merged_segments_find_what_their_parts_held(
    parts: list[dict[bytes, int]], asked: list[bytes], after: int
) -> None:
    """But for the marks that were too old: those are gone."""
    with TemporaryDirectory() as root:
        segments = [segment_of(Path(root) / f"{number}.marks", held) for number, held in enumerate(parts)]
        n_marks = merge_segments(Path(root) / "merged.marks", segments, after=after)
        assert n_marks == sum(at > after for held in parts for at in held.values())
        if n_marks:
            expected = sorted(
                digest for digest in asked if any(held.get(digest, -1) > after for held in parts)
            )
            assert found_in(Segment(Path(root) / "merged.marks"), asked, -1) == expected


def events(start: int, n_events: int) -> list[Event]:
    """Make events with message ids from `start`."""
    return [
        Event(
            source="web", message_id=str(number), kind="track", name="Clicked", occurred_at=T0, received_at=T0
        )
        for number in range(start, start + n_events)
    ]


def filled(folder: Path, n_batches: int, *, gap_ms: int = 0) -> SqliteLog:
    """Make a log with ten open marks at most, and append batches of ten."""
    log = SqliteLog(folder, max_open_marks=10)
    append_batches(log, n_batches, gap_ms=gap_ms)
    return log


def append_batches(log: SqliteLog, n_batches: int, *, gap_ms: int = 0) -> None:
    """Append batches of ten."""
    for batch in range(n_batches):
        log.append(events(10 * batch, 10), now=T0 + batch * gap_ms)


def test_files_of_marks_stay_few(tmp_path: Path) -> None:
    """Files of like size are merged, so a lookup asks a logarithm of them."""
    filled(tmp_path, 64).close()
    assert len(list((tmp_path / "marks").iterdir())) <= 8


def test_marks_older_than_the_window_are_dropped(tmp_path: Path) -> None:
    """A file may wait until its youngest mark is too old: at most twice the window is held."""
    log = filled(tmp_path, 120, gap_ms=DAY_MS)
    assert log.n_marks < 2 * 31 * 10 + 100
    log.close()


def test_a_lost_file_of_marks_is_made_again_from_the_log(tmp_path: Path) -> None:
    """The blocks have every digest: a lost file costs time at the next start, and no duplicate."""
    filled(tmp_path, 40).close()
    for path in (tmp_path / "marks").iterdir():
        path.unlink()
    log = SqliteLog(tmp_path, max_open_marks=10)
    assert log.append(events(0, 400), now=T0).entries == []
    log.close()


def test_a_file_that_was_never_recorded_is_removed(tmp_path: Path) -> None:
    """A crash between writing a file and recording it leaves one behind."""
    filled(tmp_path, 3).close()
    stray = tmp_path / "marks" / "999-10.marks"
    stray.write_bytes(b"\0" * 240)
    SqliteLog(tmp_path).close()
    assert not stray.exists()


def test_marks_whose_file_could_not_be_written_are_still_known(tmp_path: Path) -> None:
    """The disk was full for a moment: no later file may claim the positions of marks it does not hold."""
    log = SqliteLog(tmp_path, max_open_marks=10)
    shutil.rmtree(tmp_path / "marks")
    with pytest.raises(FileNotFoundError):
        append_batches(log, 50)
    (tmp_path / "marks").mkdir()
    log.append(events(1_000, 30), now=T0)
    n_events = log.end() - 30
    assert log.append(events(0, n_events), now=T0).entries == []
    log.close()
    log = SqliteLog(tmp_path, max_open_marks=10)
    assert log.append(events(0, n_events), now=T0).entries == []
    log.close()
