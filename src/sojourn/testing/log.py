"""The battery of a log: what every implementation of the `Log` port must do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Thread

from msgspec import Raw
from msgspec.structs import replace

from sojourn.model.event import Entry, Event, FailedEvent
from sojourn.model.ports import Appended, Log

DAY_MS = 86_400_000
WINDOW_MS = 30 * DAY_MS
T0 = 1_700_000_000_000


def check_log(
    make_log: Callable[[], Log], *, reopen: Callable[[Log], Log] | None = None, is_shared: bool = False
) -> None:
    """Raise AssertionError, with a sentence, at the first promise a log does not keep.

    `make_log` returns a new, empty log with a window of 30 days. `reopen` closes one and opens it again;
    leave it out where nothing is kept. `is_shared`: several threads may append.
    """
    checks: list[Callable[[Log], None]] = [
        _check_order,
        _check_whole_events,
        _check_duplicates,
        _check_window,
        _check_clock,
        _check_play,
        _check_failed,
    ]
    if is_shared:
        checks.append(_check_threads)
    for check in checks:
        log = make_log()
        try:
            check(log)
        finally:
            log.close()
    if reopen is not None:
        _check_reopened(make_log(), reopen)


def _check_order(log: Log) -> None:
    assert log.read(0, 10) == [], "an empty log has nothing to read"
    assert log.seal(T0)[1] == 0, "the last position of an empty log is 0"
    assert log.end() == 0, "and so is its end"
    appended: list[Entry] = []
    for batch in range(20):
        events = [_event(f"{batch}-{index}") for index in range(batch * 7 % 11)]
        appended += log.append(events, now=T0 + batch).entries
    positions = [entry.position for entry in appended]
    assert positions == list(range(1, len(appended) + 1)), "positions begin at 1 and have no gaps"
    assert _read_all(log, 0, 3) == appended, (
        "reading on from the last entry read gives every entry once, in order"
    )
    for after in range(len(appended)):
        entries = log.read(after, 4)
        assert entries, "a read returns something while there is something to return"
        assert entries == appended[after : after + len(entries)], (
            "a read begins right after the position asked for"
        )
    assert log.read(len(appended), 4) == [], "there is nothing after the last entry"
    assert log.end() == len(appended), "the end is the last entry's position"
    large = log.append([_event(f"large-{index}") for index in range(3_000)], now=T0 + 99).entries
    assert _read_all(log, len(appended), 500) == large, "a large batch is read back whole"


def _check_whole_events(log: Log) -> None:
    event = Event(
        source="web",
        message_id="\x00 '\" \u2028 ü",
        kind="track",
        name="Order Completed",
        occurred_at=T0 - 5,
        received_at=T0,
        timestamp=T0 - 7,
        user_id="u\x00ser",
        properties=Raw(b'{"b": 1.0,  "a":[1e3, "\\u00fc\\u0000"]}'),
        context=Raw(b'{"n": 12345678901234567890123}'),
    )
    log.append([event], now=T0)
    (entry,) = log.read(0, 1)
    assert entry.event == event, "an event comes back as it was given"
    assert bytes(entry.event.properties) == bytes(event.properties), "its properties come back byte for byte"
    assert bytes(entry.event.context) == bytes(event.context), "its context comes back byte for byte"


def _check_duplicates(log: Log) -> None:
    first = log.append([_event("a"), _event("b"), _event("a")], now=T0)
    assert _ids(first) == ["a", "b"], "the first of two in a batch is kept"
    assert first.duplicates == [2], "the second of two in a batch is a duplicate"
    second = log.append([_event("b"), _event("c"), _event("a"), _event("c")], now=T0 + 1)
    assert _ids(second) == ["c"], "what was appended before is not appended again"
    assert second.duplicates == [0, 2, 3], "duplicates are told by their index, in order"
    other = log.append(
        [_event("a", source="ios"), _event("1a", source="x"), _event("a", source="x1")], now=T0 + 2
    )
    assert other.duplicates == [], "the same message id from another source is another message"
    only = log.append([_event("a"), _event("b")], now=T0 + 3)
    assert only == Appended([], [0, 1]), "a batch of duplicates appends nothing"
    assert log.append([], now=T0 + 4) == Appended([], []), "an empty batch appends nothing"
    assert log.seal(T0 + 5)[1] == 6, "a duplicate takes no position"


def _check_window(log: Log) -> None:
    log.append([_event("a")], now=T0)
    within = log.append([_event("a"), _event("b")], now=T0 + WINDOW_MS - 1)
    assert within.duplicates == [0], "a message is a duplicate until the end of the window"
    after = log.append([_event("a"), _event("b")], now=T0 + WINDOW_MS)
    assert after.duplicates == [1], (
        "a message is taken again when the window has passed since it was last taken"
    )
    again = log.append([_event("a")], now=T0 + WINDOW_MS + 1)
    assert again.duplicates == [0], "a message taken again is a duplicate from then on"


def _check_clock(log: Log) -> None:
    log.append([_event("a")], now=T0)
    back = log.append([_event("b")], now=T0 - 1_000).entries[0]
    assert back.at == T0, "the clock does not go back where the wall clock does"
    assert not back.is_history, "a live event is never history"
    assert log.seal(T0 + 10) == (T0 + 10, 2), "sealing moves the clock and tells the last position"
    assert log.seal(T0 + 5) == (T0 + 10, 2), "sealing an earlier instant changes nothing"
    late = log.append([_event("c")], now=T0 + 7).entries[0]
    assert late.at == T0 + 10, "what is appended after a seal is stamped at or after it"


def _check_play(log: Log) -> None:
    played = [_event("a", occurred_at=100), _event("b", occurred_at=300), _event("c", occurred_at=200)]
    entries = log.append(played, now=T0, play=True).entries
    assert [entry.at for entry in entries] == [100, 300, 300], "an import lives by when things happened"
    assert [entry.is_history for entry in entries] == [False, False, True], (
        "what is before the clock is history"
    )
    assert not entries[0].is_shadow, "an import is a shadow only where it is asked for"
    shadow = log.append([_event("d", occurred_at=400)], now=T0, play=True, shadow=True).entries[0]
    assert (shadow.at, shadow.is_history, shadow.is_shadow) == (400, False, True), "a shadow is marked as one"
    log.append([_event("a", occurred_at=900)], now=T0, play=True)
    assert log.seal(0)[0] == 400, "a duplicate does not move the clock"
    assert log.append([_event("e")], now=T0).entries[0].at == T0, "a live event after an import lives now"
    assert [entry.is_shadow for entry in _read_all(log, 0, 2)] == [False, False, False, True, False], (
        "what an entry is marked as is kept"
    )


def _check_failed(log: Log) -> None:
    failed = [
        FailedEvent(source="web", received_at=T0 + number, code="bad-type", reason="no", body=b"\xff\x00")
        for number in range(5)
    ]
    log.append([_event("a")], now=T0, failed=failed[:2])
    log.append([], now=T0, failed=failed[2:])
    kept = log.failed()
    assert [one.received_at for one in kept] == [T0 + 4, T0 + 3, T0 + 2, T0 + 1, T0], (
        "failed events are listed, newest first, also those of a batch with no event"
    )
    assert kept[0].body == b"\xff\x00", "a failed event keeps its bytes, whatever they are"
    ids = [one.id for one in kept]
    assert None not in ids, "each failed event has an id"
    assert len(set(ids)) == 5, "each failed event has an id of its own"
    assert log.failed(limit=2) == kept[:2], "a limit gives the newest"
    assert log.failed(limit=2, before=kept[1].id) == kept[2:4], "`before` gives those older than an id"
    assert len(log.read(0, 10)) == 1, "a failed event is not an entry"
    log.mark_retried([ids[1] or 0, 1 << 40], at=T0 + 5)
    marked = [replace(one, retried_at=T0 + 5 if one.id == ids[1] else None) for one in kept]
    assert log.failed() == marked, "one that was retried says when, and all others are as they were"
    _check_failed_once(log)


def _check_failed_once(log: Log) -> None:
    failed = FailedEvent(source="web", received_at=T0, code="bad-type", reason="no", message_id="a")
    others = [replace(failed, source="ios"), replace(failed, message_id="b"), replace(failed, code="bad-id")]
    n_before = len(log.failed())
    log.append([], now=T0, failed=[failed, failed])
    assert len(log.failed()) == n_before + 1, "a failed event is kept once, also where a batch has it twice"
    log.append([_event("b")], now=T0 + 1, failed=[*others, replace(failed, received_at=T0 + 1)])
    kept = [(one.source, one.message_id, one.code) for one in log.failed(limit=4)]
    assert kept == [(one.source, one.message_id, one.code) for one in (*reversed(others), failed)], (
        "a failed event is the same only where source, message id and code are"
    )
    assert log.end() == 2, "an event beside failed ones that are known is appended"


def _check_threads(log: Log) -> None:
    n_events, n_threads = 400, 4
    answers: list[Appended] = []

    def append_all() -> None:
        for start in range(0, n_events, 8):
            answers.append(log.append([_event(str(start + index)) for index in range(8)], now=T0))

    threads = [Thread(target=append_all) for _ in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    accepted = [entry for answer in answers for entry in answer.entries]
    n_duplicates = sum(len(answer.duplicates) for answer in answers)
    ids = sorted(int(entry.event.message_id) for entry in accepted)
    assert ids == list(range(n_events)), (
        "of one message sent on several threads at once, exactly one is accepted"
    )
    assert n_duplicates == (n_threads - 1) * n_events, "and all others are told that they are duplicates"
    assert _read_all(log, 0, 100) == sorted(accepted, key=_position), "what was answered is what the log has"


def _check_reopened(log: Log, reopen: Callable[[Log], Log]) -> None:
    failed = FailedEvent(source="web", received_at=T0, code="bad-type", reason="no", message_id="f")
    entries = log.append([_event("a"), _event("b")], now=T0, failed=[failed]).entries
    log = reopen(log)
    try:
        assert log.read(0, 10) == entries, "what was appended is there when the log is opened again"
        assert log.end() == 2, "its end is known when it is opened again"
        assert [one.reason for one in log.failed()] == ["no"], (
            "failed events are there when it is opened again"
        )
        after = log.append([_event("b"), _event("c")], now=T0 - 50, failed=[failed])
        assert len(log.failed()) == 1, "a log opened again still knows its failed events"
        assert after.duplicates == [0], "a log opened again still knows what it has"
        assert after.entries[0].position == 3, "positions go on where they were"
        assert after.entries[0].at == T0, "the clock does not go back when the log is opened again"
    finally:
        log.close()


def _event(message_id: str, *, source: str = "web", occurred_at: int = T0) -> Event:
    return Event(
        source=source,
        message_id=message_id,
        kind="track",
        name="Button Pressed",
        occurred_at=occurred_at,
        received_at=T0,
        anonymous_id="anyone",
    )


def _read_all(log: Log, after: int, limit: int) -> list[Entry]:
    entries: list[Entry] = []
    while found := log.read(entries[-1].position if entries else after, limit):
        entries += found
    return entries


def _ids(appended: Appended) -> Sequence[str]:
    return [entry.event.message_id for entry in appended.entries]


def _position(entry: Entry) -> int:
    return entry.position
