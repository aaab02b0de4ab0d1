"""The process that the crash test kills: it appends and commits, and says what is acknowledged."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Raw

from sojourn.adapters.sqlite import SqliteLog, SqliteStore
from sojourn.model.action import Action
from sojourn.model.event import Entry, Event
from sojourn.model.fact import SessionStarted
from sojourn.model.ports import Commit, Write

N_KEYS = 37
OPEN_MARKS = 50
GENERATION_ROWS = 60
T0 = 1_700_000_000_000


def main(folder: Path) -> None:
    """Run for ever: append a batch, half of it sent before; commit what was read; say so."""
    store = SqliteStore(folder, generation_rows=GENERATION_ROWS)
    log = SqliteLog(folder, floor=store.progress().clock, max_open_marks=OPEN_MARKS)
    _, last = log.seal(0)
    print("open", flush=True)
    while True:
        batch = [_event(number) for number in range(max(last - 6, 1), last + 8)]
        appended = log.append(batch, now=T0 + last)
        last = appended.entries[-1].position
        print("log", last, flush=True)
        if last % 3:
            entries = log.read(store.progress().position, 40)
            store.commit(_commit(entries))
            print("store", entries[-1].position, flush=True)


def _event(number: int) -> Event:
    return Event(
        source="web", message_id=str(number), kind="track", name="Clicked", occurred_at=T0, received_at=T0
    )


def _commit(entries: Sequence[Entry]) -> Commit:
    writes = [_write(entry) for entry in entries]
    return Commit(entries[-1].position, entries[-1].at, writes, [_action(entry) for entry in entries])


def _write(entry: Entry) -> Write:
    at = entry.position
    fact = SessionStarted(profile_id="u:a", at=at, position=at, session_id=str(at), started_at=at)
    return Write(("profile", str(at % N_KEYS)), str(at).encode(), at, msgspec.msgpack.encode([fact]))


def _action(entry: Entry) -> Action:
    return Action(
        id=str(entry.position),
        sink="shop",
        at=entry.position,
        expires_at=entry.position,
        profile_id="u:a",
        journey="rescue",
        version="1",
        enrolment_id="e",
        state="offer",
        body=Raw(b"{}"),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
