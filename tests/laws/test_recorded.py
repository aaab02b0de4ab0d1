"""Live = replay = on shards, over histories that were recorded and not drawn for the purpose."""

from __future__ import annotations

from random import Random

import pytest

from sojourn.definitions.publishing import catalogue_of
from tests.laws.edited import live
from tests.laws.recorded import HISTORIES
from tests.laws.runtimes import sequential
from tests.laws.sharded import sharded
from tests.laws.test_equality import end_of, same


@pytest.mark.parametrize("name", HISTORIES)
def test_a_recorded_history_is_the_same_everywhere(name: str) -> None:
    """With sessions, merges and waits of days as they come."""
    entries, first = HISTORIES[name]()
    until = end_of(entries)
    alone = sequential(entries, catalogue_of(first)[0], until=until, in_force=first)
    assert alone.actions
    same(live(entries, Random(1), first), alone)
    same(sharded(entries, in_force=first, until=until, n_shards=4, n_tasks=2, random=Random(2)), alone)
