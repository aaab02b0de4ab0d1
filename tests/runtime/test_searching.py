"""Searching: people by any id, the exact one first; by a part of a name only among those seen last."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.model.operating import PersonFound
from sojourn.runtime import searching
from sojourn.runtime.searching import search
from tests.stories.world import World

NOTHING = """
journey: nothing
entry: { on: Never }
states: { a: { after: { 1d: b } }, b: {} }
"""


def found(world: World, query: str, *, limit: int = 20) -> list[tuple[str, str]]:
    """Return (id, how it was found) of each."""
    return [(each.id, each.found_by) for each in search(world.store, world.log, query, limit=limit)]


def shop() -> World:
    """Some people, with and without a name, in this order."""
    world = World(NOTHING)
    world.when("$identify", "ann", traits={"name": "Ann Lee", "email": "ann@shop.example"})
    world.when("Seen", "annabel", anonymous_id="phone-1")
    world.when("Seen", "?phone-2")
    world.when("$identify", "u7", traits={"firstName": "Annika", "last_name": "Berg"})
    return world


def test_an_exact_id_comes_first_and_then_those_that_begin_so() -> None:
    """Then whoever is called so."""
    assert found(shop(), "ann") == [("u:ann", "id"), ("u:annabel", "prefix"), ("u:u7", "trait")]


def test_a_device_finds_its_person_whoever_that_is_by_now() -> None:
    """One row for each person, by whichever of their ids."""
    world = shop()
    assert found(world, "phone") == [("u:annabel", "prefix"), ("a:phone-2", "prefix")]
    world.when("$identify", "ann", anonymous_id="phone-2")
    assert found(world, "phone") == [("u:annabel", "prefix"), ("u:ann", "prefix")]


@pytest.mark.parametrize("query", ["LEE", "@shop", "nn Le", "nobody"])
def test_a_part_of_a_name_or_an_e_mail_finds_whoever_was_seen_lately(query: str) -> None:
    """In any case of letters."""
    assert found(shop(), query) == ([] if query == "nobody" else [("u:ann", "trait")])


def test_who_has_not_been_seen_for_long_is_found_by_their_ids_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is what keeps a search as quick as ever."""
    monkeypatch.setattr(searching, "RECENT_EVENTS", 2)
    monkeypatch.setattr(searching, "PAGE", 2)
    assert found(shop(), "lee") == []
    assert found(shop(), "ann")[0] == ("u:ann", "id")


def test_asked_for_nothing_it_finds_the_people_seen_last() -> None:
    """Each once, the newest first, also right after a start: it reads the log."""
    world = shop()
    world.when("Seen", "ann")
    assert found(world, " ") == [
        ("u:ann", "recent"), ("u:u7", "recent"), ("a:phone-2", "recent"), ("u:annabel", "recent"),
    ]  # fmt: skip
    assert found(world, "", limit=1) == [("u:ann", "recent")]
    assert search(MemoryStore(), MemoryLog(), "", limit=5) == []


def test_a_row_says_who_they_are() -> None:
    """What support reads before it opens one."""
    world = shop()
    (row,) = search(world.store, world.log, "u7", limit=1)
    assert row == PersonFound(
        id="u:u7",
        user_ids=["u7"],
        anonymous_ids=[],
        name="Annika Berg",
        email="",
        first_seen_at=world.now,
        last_seen_at=world.now,
        n_events=1,
        found_by="id",
    )


@given(
    st.lists(st.text("ab\U0001f600", min_size=1, max_size=4), min_size=1, max_size=12, unique=True),
    st.text("ab\U0001f600", min_size=1, max_size=3),
    st.integers(1, 20),
)
def test_by_ids_it_finds_whom_somebody_finds_who_looks_at_everybody(
    ids: list[str], query: str, limit: int
) -> None:
    """The exact one, then those that begin so in the order of their letters."""
    world = World(NOTHING)
    for each in ids:
        world.when("Seen", each)
    begun = sorted(each for each in ids if each.startswith(query) and each != query)
    expected = [("u:" + query, "id")] if query in ids else []
    expected += [("u:" + each, "prefix") for each in begun]
    assert found(world, query, limit=limit) == expected[:limit]
