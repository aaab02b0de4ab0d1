"""Membership: everybody who is in a segment is counted once, named or not, and the newest are listed."""

from __future__ import annotations

import pytest

from sojourn.runtime import membership
from sojourn.runtime.membership import find_members
from tests.engine.makers import MINUTE, T0
from tests.stories.world import World

LOYAL = "segments: { loyal: \"count('Bought') >= 2\" }"


def bought(world: World, who: str, times: int) -> None:
    """Let somebody buy so often, a minute apart."""
    for _ in range(times):
        world.when("Bought", who)
        world.after(1)


def test_members_are_counted_and_the_newest_are_listed() -> None:
    """Those nobody can name yet are people too."""
    world = World(LOYAL)
    for who, times in (("ann", 2), ("?device", 3), ("bob", 1), ("cat", 2)):
        bought(world, who, times)
    told: list[int] = []
    view = find_members(world.store, "loyal", limit=2, tell=told.append)

    assert (view.n_members, [member.id for member in view.members]) == (3, ["u:cat", "a:device"])
    assert view.members[1].since == T0 + 3 * MINUTE
    assert sum(told) == 4


def test_more_people_than_a_page_are_all_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is skipped between two pages, or read twice."""
    monkeypatch.setattr(membership, "PAGE", 3)
    world = World(LOYAL)
    for n in range(10):
        bought(world, f"u{n}", 2)

    assert find_members(world.store, "loyal", limit=1, tell=lambda _: None).n_members == 10


def test_who_left_is_no_member() -> None:
    """Membership is what it is now."""
    world = World("segments: { lately: \"count('Bought', within='1h') >= 1\" }")
    bought(world, "ann", 1)
    world.after(61)

    assert find_members(world.store, "lately", limit=9, tell=lambda _: None).n_members == 0
