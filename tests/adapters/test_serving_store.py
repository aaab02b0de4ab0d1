"""The serving store, on a real Redis or Valkey: it goes forward only, whatever is written again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.adapters.serving_store import Place, ServingStore, StoreWriter, newest
from sojourn.engine.notes import Note
from sojourn.engine.records import LAST, Saved, encode_saved
from sojourn.model.errors import DownError, UnavailableError
from sojourn.model.turn import Key
from tests.adapters.redises import RedisServer
from tests.soak import tries

ANN: Key = ("profile", "ann")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Start one."""
    started = RedisServer(tmp_path_factory.mktemp("redis"))
    started.start()
    yield started
    started.kill()


def place_in(server: RedisServer) -> Place:
    """Name a part of the store that nobody else has."""
    return Place(server.url, uuid4().hex)


def record(at: int, position: int = LAST, state: bytes = b"") -> bytes:
    """Make a record whose state says where it is from."""
    return encode_saved(Saved(state or b"%d-%d" % (at, position), 0, at, position))


def load(place: Place, *keys: Key) -> dict[Key, Saved]:
    """Read states, as a server does."""

    async def ask() -> dict[Key, Saved]:
        store = ServingStore(place)
        try:
            return (await store.look(keys))[0]
        finally:
            await store.close()

    return asyncio.run(ask())


names = st.sampled_from(["profile|ann", "profile|bob", "identity|phone"])
said = st.lists(st.tuples(names, st.booleans()), max_size=25)


@settings(max_examples=tries(25), deadline=None)
@given(said, st.data())
def test_whatever_is_written_again_the_newest_stands(
    server: RedisServer, said: list[tuple[str, bool]], data: st.DataObject
) -> None:
    """A job that begins again at a checkpoint says what followed once more, in batches cut otherwise."""
    told = [(name, None if is_gone else record(at)) for at, (name, is_gone) in enumerate(said, 1)]
    place = place_in(server)
    writer = StoreWriter(place)
    n_said, offset = 0, 0
    while n_said < len(told):
        upto = data.draw(st.integers(n_said + 1, len(told)))
        begins = data.draw(st.integers(0, n_said))
        for first in range(begins, upto, 3):
            offset += 1
            assert writer.write(
                newest(told[first : min(first + 3, upto)]), {0: offset}, stored={0: offset - 1}
            )
        n_said = upto
    writer.close()
    expected = {name: record for name, record in dict(told).items() if record is not None}
    keys: list[Key] = [("profile", "ann"), ("profile", "bob"), ("identity", "phone")]
    found = load(place, *keys)
    assert {f"{stage}|{key}": encode_saved(saved) for (stage, key), saved in found.items()} == expected


def test_a_repetition_does_not_set_a_state_back(server: RedisServer) -> None:
    """Nor bring back who is gone, while the job goes through what it did before."""
    place = place_in(server)
    writer = StoreWriter(place)
    for at in (5, 7, 6):
        writer.write(newest([("profile|ann", record(at))]), {}, stored={})
    assert load(place, ANN)[ANN].at == 7
    writer.write(newest([("profile|ann", None)]), {}, stored={})
    writer.write(newest([("profile|ann", record(6))]), {}, stored={})
    assert load(place, ANN) == {}
    writer.write(newest([("profile|ann", record(7)), ("profile|ann", None)]), {}, stored={})
    assert load(place, ANN) == {}
    writer.write(newest([("profile|ann", record(8))]), {}, stored={})
    assert load(place, ANN)[ANN].at == 8
    (name,) = server.client().keys(f"{place.prefix}:s:*")
    assert server.client().ttl(name) == -1  # who came back stays
    writer.close()


def test_a_store_that_lost_what_it_had_is_noticed(server: RedisServer) -> None:
    """Before anything is said of how far it is filled."""
    place = place_in(server)
    writer = StoreWriter(place)
    assert writer.write([], {3: 10}, stored={})
    assert writer.write([], {3: 12}, stored={3: 10})
    server.client().delete(f"{place.prefix}:offsets")
    assert not writer.write([], {3: 14}, stored={3: 12})
    assert writer.offsets() == {}
    assert writer.write([], {3: 2}, stored={})
    assert writer.offsets() == {3: 2}
    writer.close()


def test_the_newest_note_of_an_id_stands_and_none_stays_for_ever(server: RedisServer) -> None:
    """Doors side by side may note in any order."""
    place = place_in(server)
    first, later, tie = Note("x", 5, 1), Note("x", 5, 2, "ann"), Note("x", 4, 9, "ann", is_tie=True)

    async def ask() -> list[Note]:
        store = ServingStore(place)
        await store.note([later, tie])
        await store.note([first])
        _, found = await store.look([], ["x", "y"])
        await store.close()
        return found

    assert asyncio.run(ask()) == [later, tie]
    names = list(server.client().scan_iter(f"{place.prefix}:*"))
    assert len(names) == 2
    assert all(0 < server.client().ttl(name) <= 600 for name in names)


def test_a_store_that_is_down_holds_nobody_up(tmp_path: Path) -> None:
    """Who asks hears of it, a note is lost and counted, and nobody waits for it again at once."""
    server = RedisServer(tmp_path)
    server.start()
    place = place_in(server)

    async def ask() -> None:
        store = ServingStore(place)
        await store.note([Note("x", 1, 1)])
        server.kill()
        with pytest.raises(DownError, match="the serving store does not answer"):
            await store.look([ANN])
        began = monotonic()
        for _ in range(100):
            await store.note([Note("x", 2, 1)])
        assert store.n_lost == 100
        assert monotonic() - began < 0.2
        await store.close()

    asyncio.run(ask())
    with pytest.raises(UnavailableError):
        StoreWriter(place).offsets()


def test_a_password_opens_it_and_is_told_to_nobody(tmp_path: Path) -> None:
    """Neither where it is wrong."""
    server = RedisServer(tmp_path, password="open-sesame")
    server.start()
    right = Place(server.url, "shop", "open-sesame")
    writer = StoreWriter(right)
    assert writer.offsets() == {}
    writer.close()
    with pytest.raises(UnavailableError) as refused:
        StoreWriter(Place(server.url, "shop", "hunter2")).offsets()
    server.kill()
    assert "hunter2" not in str(refused.value)
    assert "open-sesame" not in repr(right)
