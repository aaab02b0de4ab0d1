"""A folder is read whole, made of what a cluster had, and refused once its installation is elsewhere."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from sojourn.adapters.kafka_pending import Ledger, Pending, Taken
from sojourn.adapters.sqlite import Moving, SqliteLog, mark_moved, moved_to, refuse_moved
from sojourn.adapters.sqlite.arriving import FolderMaker
from sojourn.adapters.sqlite.moving import FolderReader
from sojourn.adapters.sqlite.store import SqliteStore
from sojourn.engine.forgetting import tombstone
from sojourn.model.errors import ConfigError
from sojourn.model.event import Entry, Event, FailedEvent
from sojourn.model.fact import StepTaken
from sojourn.model.ids import ProfileId, message_digest
from sojourn.model.ports import Commit
from tests.runtime.outboxes import action

T0 = 1_700_000_000_000
WINDOW_MS = 30 * 86_400_000


def event(number: int, *, at: int) -> Event:
    """Make an event of a server's."""
    return Event(
        kind="track", name="Seen", source="web", message_id=f"m{number}", user_id="7", received_at=at,
        occurred_at=at,
    )  # fmt: skip


def test_a_folder_is_read_whole_and_in_order(tmp_path: Path) -> None:
    """Its log with the digests, its letters with what they waited for, and what could not be taken."""
    log, store = SqliteLog(tmp_path), SqliteStore(tmp_path)
    for number in range(3):
        events = [event(10 * number + n, at=T0) for n in range(4)]
        failed = [FailedEvent(source="web", received_at=T0, code="bad-type", reason=f"r{number}")]
        log.append(events, now=T0 + number, failed=failed)
    store.commit(Commit(12, T0, [], [action(name) for name in "abc"]))
    letters = store.outbox.waiting("shop", now=1 << 60, limit=9)
    letters[1].attempts, letters[1].due_at, letters[1].last_error = 3, T0 + 9, "503"
    letters[2].dead_at = T0 + 5
    store.outbox.postpone(letters)
    reader = FolderReader(tmp_path)
    blocks = list(reader.blocks())
    assert [at for at, _, _ in blocks] == [T0, T0 + 1, T0 + 2]
    entries = [entry for _, _, block in blocks for entry in block]
    assert entries == log.read(0, 100)
    digests = [digest for _, block, _ in blocks for digest in block]
    assert digests == [message_digest("web", entry.event.message_id) for entry in entries]
    assert list(reader.letters()) == letters
    assert [one.reason for one in reader.failed()] == ["r0", "r1", "r2"]
    for one in (reader, log, store):
        one.close()


def test_a_folder_is_made_of_entries_in_any_order(tmp_path: Path) -> None:
    """Numbered by (instant, position), and its facts with it; its marks know what was erased, too."""
    maker = FolderMaker(tmp_path / "home", window_ms=WINDOW_MS)
    entries = [Entry(position=(n << 20) + n % 4, at=T0 + n // 2, event=event(n, at=T0)) for n in range(2_500)]
    erased = entries[5]
    shuffled = Random(1).sample(entries, k=len(entries))
    assert all(maker.is_new(one, shard=one.position % 4, at=one.at) for one in shuffled)
    assert not maker.is_new(entries[7], shard=entries[7].position % 4, at=T0 + 5)
    assert maker.is_new(entries[7], shard=entries[7].position % 4, at=T0 + WINDOW_MS + 100)
    gone = tombstone(erased)
    digest = message_digest("sojourn", gone.event.message_id)
    put = [(one, message_digest("web", one.event.message_id)) for one in shuffled if one is not erased]
    maker.put_entries([*put, (gone, digest)])
    maker.put_marks([message_digest("web", "m5"), message_digest("web", "m6")])
    steps = [
        StepTaken(
            profile_id=ProfileId("u:7"), at=one.at, position=one.position, source="web",
            message_id=one.event.message_id, name="Seen", occurred_at=T0,
        )
        for one in shuffled
    ]  # fmt: skip
    maker.put_facts(steps)
    left = (entries[1_999].at, entries[1_999].position)
    assert maker.number(left=left) == (2_500, 2_000)
    facts = [fact for facts in maker.facts() for fact in facts]
    assert [fact.position for fact in facts] == [*range(1, 2_501)]
    maker.store.commit(Commit(2_000, T0, [], []))
    maker.finish()
    log = SqliteLog(tmp_path / "home")
    found = [*log.read(0, 1_000), *log.read(1_000, 1_000), *log.read(2_000, 1_000)]
    assert [entry.position for entry in found] == [*range(1, 2_501)]
    assert [entry.event for entry in found] == [gone.event if one is erased else one.event for one in entries]
    assert log.append([event(n, at=T0) for n in (0, 5, 2_499, 2_500)], now=T0 + 9_999).duplicates == [0, 1, 2]
    log.close()


def test_a_folder_that_went_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """While it goes, too; one that never did is not."""
    refuse_moved(tmp_path)
    moving = Moving(brokers="kafka:9092", prefix="shop", move="m")
    mark_moved(tmp_path, moving)
    assert moved_to(tmp_path) == moving
    with pytest.raises(ConfigError, match=r"to-cluster` again.*\[moving\]"):
        refuse_moved(tmp_path)
    mark_moved(tmp_path, Moving(brokers="kafka:9092", prefix="shop", move="m", is_done=True))
    with pytest.raises(ConfigError, match=r"to-folder` brings it back.*\[moved\]"):
        refuse_moved(tmp_path)


def test_an_action_that_waited_elsewhere_goes_on_waiting() -> None:
    """With its attempts, not before its instant."""
    pending = Pending()
    pending.assign(0, Ledger())
    pending.take(Taken(partition=0, offset=0, action=action("a"), waited=(4, T0, "503")))
    pending.take(Taken(partition=0, offset=1, action=action("b")))
    (own,) = pending.waiting("shop", now=T0 - 1, limit=9)
    assert own.action.id == "b"
    waited = pending.waiting("shop", now=T0, limit=9)[-1]
    assert (waited.action.id, waited.attempts, waited.due_at, waited.last_error) == ("a", 4, T0, "503")
