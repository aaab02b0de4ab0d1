"""SQLite and the reference, side by side: whatever is done to both, they answer the same."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.adapters.sqlite import SqliteLog, SqliteStore
from sojourn.model.action import Action, Delivery
from sojourn.model.event import Event, FailedEvent
from sojourn.model.fact import SessionStarted
from sojourn.model.ports import Commit, Write
from sojourn.model.turn import STAGES
from tests.soak import tries

HOUR_MS = 3_600_000
T0 = 1_700_000_000_000

messages = st.lists(st.tuples(st.integers(0, 12), st.integers(-500, 500)), max_size=9)
appends = st.tuples(
    st.just("append"), messages, st.sampled_from(("live", "play", "shadow")), st.integers(0, 2)
)
waits = st.tuples(st.just("wait"), st.sampled_from((-HOUR_MS, 7, 90 * HOUR_MS, 400 * HOUR_MS)))
log_steps = st.one_of(appends, appends, waits, st.tuples(st.just("seal")), st.tuples(st.just("reopen")))

keys = st.tuples(st.sampled_from(STAGES), st.sampled_from(("a", "b", "a\x00", "ü", "")))
writes = st.builds(
    lambda key, state, wake, n_facts, keep: Write(
        key, state, wake, _facts(n_facts) if n_facts else b"", keep_state=keep
    ),
    keys,
    st.none() | st.binary(max_size=5),
    st.none() | st.integers(0, 20),
    st.integers(0, 2),
    st.booleans(),
)
commits = st.tuples(st.just("commit"), st.lists(writes, max_size=6), st.lists(st.integers(0, 15), max_size=4))
outbox_steps = st.tuples(
    st.sampled_from(("settle", "postpone", "die", "revive", "revive_all")),
    st.lists(st.integers(0, 15), max_size=4),
    st.integers(0, 30),
)
store_steps = st.one_of(commits, commits, outbox_steps, st.tuples(st.just("reopen")))


def _facts(n_facts: int) -> bytes:
    return msgspec.msgpack.encode(
        [
            SessionStarted(profile_id="u:a", at=at, position=at, session_id=str(at), started_at=at)
            for at in range(n_facts)
        ]
    )


def _event(number: int, occurred_at: int) -> Event:
    return Event(
        source="web",
        message_id=str(number),
        kind="track",
        name="Clicked",
        occurred_at=T0 + occurred_at,
        received_at=T0,
        properties=Raw(b'{"n": 1.0}'),
    )


def _action(number: int) -> Action:
    return Action(
        id=str(number),
        sink=("shop", "mail")[number % 2],
        at=number,
        expires_at=99,
        profile_id="u:a",
        journey="rescue",
        version="1",
        enrolment_id="e",
        state="offer",
        body=Raw(b'{"n": 1.0}'),
    )


@settings(max_examples=tries(25), deadline=None)
@given(steps=st.lists(log_steps, max_size=25))
def test_a_sqlite_log_answers_as_the_reference_does(steps: list[Any]) -> None:
    """With four open marks, so that files are written and merged, and with waits that outlast the window."""
    with TemporaryDirectory() as root:
        now, reference, log = T0, MemoryLog(), SqliteLog(Path(root), max_open_marks=4)
        for step in steps:
            match step:
                case ("append", messages, how, n_failed):
                    events = [_event(*message) for message in messages]
                    failed = [FailedEvent(source="web", received_at=now, code="no", reason="no")] * n_failed
                    options: dict[str, Any] = {
                        "play": how != "live",
                        "shadow": how == "shadow",
                        "failed": failed,
                    }
                    expected = reference.append(events, now=now, **options)
                    assert log.append(events, now=now, **options) == expected
                case ("wait", wait_ms):
                    now += wait_ms
                case ("seal",):
                    assert log.seal(now) == reference.seal(now)
                case ("reopen",):
                    log.close()
                    log = SqliteLog(Path(root), floor=reference.seal(0)[0], max_open_marks=4)
        assert log.read(0, 1_000) == reference.read(0, 1_000)
        assert log.failed() == reference.failed()
        log.close()


@settings(max_examples=tries(25), deadline=None)
@given(steps=st.lists(store_steps, max_size=25))
def test_a_sqlite_store_answers_as_the_reference_does(steps: list[Any]) -> None:
    """With generations of five rows, so that states are in every place they can be."""
    with TemporaryDirectory() as root:
        reference, store = MemoryStore(), SqliteStore(Path(root), generation_rows=5)
        for position, step in enumerate(steps, start=1):
            if step == ("reopen",):
                store.close()
                store = SqliteStore(Path(root), generation_rows=5)
            else:
                assert _do(store, step, position) == _do(reference, step, position)
            assert _seen(store) == _seen(reference)
        store.close()


def _do(store: Any, step: tuple[Any, ...], position: int) -> Any:
    match step:
        case ("commit", writes, numbers):
            return store.commit(Commit(position, position, writes, [_action(number) for number in numbers]))
        case ("revive_all", _, now):
            return store.outbox.revive(None, now=now)
        case ("revive", numbers, now):
            return store.outbox.revive([str(number) for number in numbers], now=now)
    what, numbers, at = step
    letters = [letter for letter in _letters(store) if int(letter.action.id) in numbers]
    if what == "settle":
        return store.outbox.settle(
            [(letter, Delivery(outcome="delivered", attempts=1)) for letter in letters]
        )
    dead_at = at if what == "die" else None
    return store.outbox.postpone(
        [
            replace(letter, attempts=at, due_at=at, last_error=f"\x00{at}", dead_at=dead_at)
            for letter in letters
        ]
    )


def _letters(store: Any) -> list[Any]:
    return [letter for sink in ("shop", "mail") for letter in store.outbox.waiting(sink, now=99, limit=99)]


def _seen(store: Any) -> list[Any]:
    everyone = [(stage, text) for stage in STAGES for text in ("a", "b", "a\x00", "ü", "")]
    return [
        store.progress(),
        store.load(everyone),
        store.due(10, 99),
        [sorted(store.keys(stage)) for stage in STAGES],
        [store.facts(key) for key in everyone],
        store.facts_after(1, 3),
        dict(store.counts()),
        _letters(store),
        [store.outbox.next_due(sink) for sink in ("shop", "mail")],
        store.outbox.dead(),
    ]
