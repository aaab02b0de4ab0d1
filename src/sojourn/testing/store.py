"""The battery of a store: what every implementation of the `Store` port must do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from sojourn.model.fact import Fact, SessionStarted
from sojourn.model.ids import ProfileId, SessionId
from sojourn.model.ports import Commit, Progress, Store, Stored, Told, Write
from sojourn.model.turn import Key

ANN: Key = ("profile", "u:ann")
BEN: Key = ("profile", "u:ben")
PHONE: Key = ("identity", "u:ann")


def check_store(make_store: Callable[[], Store], *, reopen: Callable[[Store], Store] | None = None) -> None:
    """Raise AssertionError, with a sentence, at the first promise a store does not keep.

    `make_store` returns a new, empty store. `reopen` closes one and opens it again: then every check runs
    once more, with the store opened again between steps. Leave it out where nothing is kept.
    """
    steps: list[Callable[[Store], Store]] = [_same] if reopen is None else [_same, reopen]
    for step in steps:
        for check in (
            _check_states,
            _check_deletion,
            _check_timers,
            _check_facts,
            _check_tail,
            _check_pages,
            _check_documents,
            _check_forgetting,
        ):
            store = check(make_store(), step)
            store.close()
        _check_many(make_store(), step).close()


def _check_states(store: Store, step: Callable[[Store], Store]) -> Store:
    assert store.progress() == Progress(0, 0), "a new store has come nowhere"
    assert store.load([ANN, BEN]) == {}, "a new store has no states"
    store.commit(Commit(3, 30, [_write(ANN, b"one", wake=5), _write(PHONE, b"\x00\xff")], []))
    store = step(store)
    assert store.progress() == Progress(3, 30), "progress is that of the last commit"
    assert store.load([BEN, ANN, PHONE]) == {
        ANN: Stored(b"one", 5, 0),
        PHONE: Stored(b"\x00\xff", None, 0),
    }, "a state is found under its stage and key, and only there"
    store.commit(Commit(4, 40, [_write(ANN, b"", wake=6)], []))
    store = step(store)
    assert store.load([ANN]) == {ANN: Stored(b"", 6, 0)}, "the last state is what counts, also an empty one"
    kept = Write(ANN, b"not looked at", 7, b"", keep_state=True)
    store.commit(Commit(5, 50, [kept, Write(BEN, None, 8, b"", keep_state=True)], []))
    store = step(store)
    assert store.load([ANN, BEN]) == {ANN: Stored(b"", 7, 0)}, "a kept state stays, and its wake is set"
    store.commit(Commit(6, 60, [], []))
    store = step(store)
    assert store.progress() == Progress(6, 60), "a commit without writes is progress too"
    strange: list[Key] = [
        ("profile", "u:a\x00b"),
        ("profile", "u:a\x00c"),
        ("profile", "u:a"),
        ("profile", ""),
    ]
    writes = [_write(key, str(number).encode()) for number, key in enumerate(strange)]
    store.commit(Commit(7, 70, writes, []))
    store = step(store)
    states = {key: stored.state for key, stored in store.load(strange).items()}
    assert states == {write.key: write.state for write in writes}, (
        "keys are told apart whatever characters they have"
    )
    return store


def _check_deletion(store: Store, step: Callable[[Store], Store]) -> Store:
    fact = _fact(1)
    store.commit(Commit(1, 1, [_write(ANN, b"one", wake=5, facts=[fact])], []))
    store = step(store)
    store.commit(Commit(2, 2, [Write(ANN, None, 6, b"")], []))
    store = step(store)
    assert store.load([ANN]) == {}, "a deleted state is gone"
    assert store.due(100, 10) == [], "and its timer with it"
    assert store.keys("profile") == [], "and its key"
    assert store.counts()["profiles"] == 0, "and it is not counted"
    assert store.facts(ANN) == [fact], "its facts remain"
    store.commit(Commit(3, 3, [_write(ANN, b"two")], []))
    store = step(store)
    assert store.load([ANN]) == {ANN: Stored(b"two", None, 1)}, "a state that returns finds its facts"
    return store


def _check_timers(store: Store, step: Callable[[Store], Store]) -> Store:
    keys: list[Key] = [("profile", f"u:{number:02}") for number in range(20)]
    wakes = [number * 7 % 20 for number in range(20)]
    writes = [_write(key, b"state", wake=wake) for key, wake in zip(keys, wakes, strict=True)]
    store.commit(Commit(1, 1, writes, []))
    store = step(store)
    expected = sorted((wake, key) for key, wake in zip(keys, wakes, strict=True))
    assert store.due(100, 100) == expected, "all timers are found, in the order they are due"
    assert store.due(9, 100) == expected[:10], (
        "a timer due at the instant asked for is found, a later one is not"
    )
    assert store.due(100, 4) == expected[:4], "a limit gives the earliest"
    store.commit(Commit(2, 2, [_write(key, b"state", wake=50) for _, key in expected[:5]], []))
    store = step(store)
    assert store.due(49, 3) == expected[5:8], "a timer that was moved is not found where it was"
    store.commit(Commit(3, 3, [_write(key, b"state") for _, key in expected[5:10]], []))
    store = step(store)
    assert store.due(49, 100) == expected[10:], "a timer that was stopped is not found"
    assert store.counts()["timers"] == 15, "timers are counted"
    return store


def _check_facts(store: Store, step: Callable[[Store], Store]) -> Store:
    store.commit(
        Commit(1, 1, [_write(ANN, b"a", facts=[_fact(1), _fact(2)]), _write(BEN, b"b", facts=[_fact(3)])], [])
    )
    store = step(store)
    assert [stored.head for stored in store.load([ANN, BEN]).values()] == [1, 2], (
        "a group's number is its key's head"
    )
    only = Write(ANN, None, None, _encoded([_fact(4)]), keep_state=True)
    store.commit(Commit(2, 2, [only, Write(PHONE, None, None, _encoded([_fact(5)]))], []))
    store = step(store)
    assert store.facts(ANN) == [_fact(4), _fact(2), _fact(1)], "a key's facts are found, newest first"
    assert store.facts(ANN, limit=2) == [_fact(4), _fact(2)], "a limit gives the newest"
    assert store.facts(BEN) == [_fact(3)], "a key has its own facts only"
    assert store.facts(PHONE) == [_fact(5)], "facts are found also where no state is"
    assert store.facts(("alias", "u:ann")) == [], "a key nothing happened to has no facts"
    return store


def _check_tail(store: Store, step: Callable[[Store], Store]) -> Store:
    assert store.facts_after(0, 10) == [], "a new store has no facts"
    expected = []
    for number in range(1, 8):
        writes = [_write(ANN, b"a"), _write(BEN, b"b", facts=[_fact(number)])]
        store.commit(Commit(number, number, writes, []))
        expected.append((number, [_fact(number)]))
    both = [_write(ANN, b"a", facts=[_fact(8)]), _write(BEN, b"b", facts=[_fact(9), _fact(10)])]
    store.commit(Commit(8, 8, both, []))
    expected += [(8, [_fact(8)]), (9, [_fact(9), _fact(10)])]
    store = step(store)
    assert store.facts_after(0, 100) == expected, (
        "groups are numbered from 1 without gaps, in the order of writing"
    )
    assert store.facts_after(2, 3) == expected[2:5], "the tail begins after a number and is cut at the limit"
    assert store.facts_after(7, 1) == expected[7:8], "also within a commit"
    assert store.facts_after(9, 10) == [], "there is nothing after the last group"
    return store


def _check_pages(store: Store, step: Callable[[Store], Store]) -> Store:
    texts = ["", "a", "a\x00", "b", "u:ann", "ü", "\U0001f600", *(f"k{number:02}" for number in range(20))]
    for text in texts:  # one a commit, in no order
        store.commit(
            Commit(1, 1, [_write(("profile", text), b"state"), _write(("alias", text), b"state")], [])
        )
    store = step(store)
    store.commit(Commit(2, 2, [Write(("profile", "k07"), None, None, b"")], []))
    everybody = store.keys("profile")
    assert sorted(everybody) == sorted(set(texts) - {"k07"}), "a key is listed once, and a deleted one is not"
    for limit in (1, 4, 100):
        paged: list[str] = []
        while page := store.keys("profile", after=paged[-1] if paged else None, limit=limit):
            assert len(page) <= limit, "a page is no longer than was asked for"
            paged += page
        assert paged == everybody, "pages have every key once, in the order of the whole list"
    for prefix in ("k", "k1", "a", "u:ann", "nobody", "\U0001f600"):
        begun = [key for key in everybody if key.startswith(prefix)]
        assert store.keys("profile", prefix=prefix) == begun, "those that begin so, in the same order"
        assert store.keys("profile", prefix=prefix, after=begun[0] if begun else "k", limit=2) == begun[1:3]
    store.commit(Commit(3, 3, [_write(("profile", "k99"), b"new")], []))
    assert "k99" in store.keys("profile", limit=100), "a key that comes later is listed then"
    return store


def _check_documents(store: Store, step: Callable[[Store], Store]) -> Store:
    assert store.kept("catalogue") is None, "nothing is kept in a new store"
    store.keep("catalogue", b"\x00one")
    store = step(store)
    assert store.kept("catalogue") == b"\x00one", "a document is kept under its name"
    store.keep("catalogue", b"two")
    store = step(store)
    assert store.kept("catalogue") == b"two", "a document kept again replaces the one before"
    assert store.kept("Catalogue") is None, "names are told apart"
    progress = store.progress()
    store.commit(Commit(progress.position, progress.clock, [], [], {"catalogue": b"three", "tallies": b"{}"}))
    store = step(store)
    assert store.kept("catalogue") == b"three", "a commit keeps its documents"
    assert store.kept("tallies") == b"{}", "a commit keeps all its documents"
    return store


def _check_forgetting(store: Store, step: Callable[[Store], Store]) -> Store:
    store.commit(Commit(1, 10, [_write(ANN, b"one", wake=5, facts=[_fact(1)]), _write(BEN, b"b")], []))
    store = step(store)
    left = Write(ANN, None, None, _encoded([_fact(2)]), forget=True)
    store.commit(Commit(2, 20, [left], [], told_in="told"))
    store = step(store)
    assert store.load([ANN, BEN]) == {BEN: Stored(b"b", None, 0)}, "a key that was forgotten has no state"
    assert store.facts(ANN) == [], "nothing leads from a key that was forgotten to its facts"
    assert store.due(1 << 60, 10) == [], "and it has no timer"
    told = msgspec.json.decode(store.kept("told") or b"null", type=Told)
    assert told == Told(2, 0), "the store tells the last group of facts with the commit, and what it withdrew"
    store.commit(Commit(3, 30, [_write(ANN, b"new", facts=[_fact(3)])], []))
    store = step(store)
    assert store.facts(ANN) == [_fact(3)], "what comes next under the key begins anew"
    return store


def _check_many(store: Store, step: Callable[[Store], Store]) -> Store:
    """Write so much that an adapter's caches are full and emptied again."""
    expected: dict[Key, Stored] = {}
    for number in range(12):
        writes = []
        for index in range(number % 3, 3_000, 3):
            key: Key = ("identity" if index % 2 else "profile", str(index))
            wake = index * 31 % 997 if index % 4 else None
            writes.append(_write(key, b"%d-%d" % (number, index), wake=wake))
            expected[key] = Stored(b"%d-%d" % (number, index), wake, 0)
        store.commit(Commit(number, number, writes, []))
    store = step(store)
    assert store.load(list(expected)) == expected, "every one of many states is found"
    timers = sorted((stored.wake, key) for key, stored in expected.items() if stored.wake is not None)
    found = store.due(500, 10_000)
    assert sorted(found) == [timer for timer in timers if timer[0] <= 500], (
        "every one of many timers is found"
    )
    assert [wake for wake, _ in found] == sorted(wake for wake, _ in found), "and they are in order"
    counts = store.counts()
    assert (counts["profiles"], counts["devices"], counts["timers"]) == (1_500, 1_500, len(timers)), (
        "counts are right"
    )
    assert sorted(store.keys("identity")) == sorted(key for stage, key in expected if stage == "identity"), (
        "every key of a stage is listed"
    )
    return store


def _same(store: Store) -> Store:
    return store


def _write(key: Key, state: bytes, *, wake: int | None = None, facts: Sequence[Fact] = ()) -> Write:
    return Write(key, state, wake, _encoded(facts) if facts else b"")


def _encoded(facts: Sequence[Fact]) -> bytes:
    return msgspec.msgpack.encode(facts)


def _fact(number: int) -> Fact:
    return SessionStarted(
        profile_id=ProfileId("u:ann"),
        at=number,
        position=number,
        session_id=SessionId(str(number)),
        started_at=number,
    )
