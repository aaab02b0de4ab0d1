"""Unprocessed: whom the entries that wait are about, against a plain look through all of them."""

from __future__ import annotations

from collections import deque
from random import Random

import pytest

from sojourn.model.event import Entry
from sojourn.runtime import unprocessed as unprocessed_module
from sojourn.runtime.unprocessed import Unprocessed
from tests.engine.makers import T0, event
from tests.soak import tries


def last_of(entries: list[Entry], ids: set[str], *, after: int, through: int) -> int:
    """Look through all entries."""
    about = [
        entry.position
        for entry in entries
        if {entry.event.user_id, entry.event.anonymous_id, entry.event.previous_id} & ids
    ]
    return max((one for one in about if after < one <= through), default=0)


@pytest.mark.parametrize("seed", range(tries(30)))
def test_the_index_says_what_a_look_through_everything_says(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However entries come and go between two questions, and whatever is forgotten."""
    monkeypatch.setattr(unprocessed_module, "MAX_IDS", 4)
    random = Random(seed)
    index, every, backlog, taken, processed = Unprocessed(), [], deque[Entry](), list[Entry](), 0
    for _ in range(60):
        for _ in range(random.randrange(4)):
            ids = {
                name: random.choice((None, *"abcdef")) for name in ("user_id", "anonymous_id", "previous_id")
            }
            entry = Entry(position=len(every) + 1, at=T0, event=event("Seen", **ids))
            every.append(entry)
            backlog.append(entry)
        if random.random() < 0.5:
            processed = taken[-1].position if taken else processed
            taken = [backlog.popleft() for _ in range(random.randrange(len(backlog) + 1))]
        if random.random() < 0.5:
            index.take_in(taken, backlog, after=processed)
            ids_asked = set(random.sample("abcdef", 2))
            through = random.choice((len(every), random.randint(0, len(every))))
            assert index.last_of(ids_asked, after=processed, through=through) == last_of(
                every, ids_asked, after=processed, through=through
            )


def test_what_is_processed_is_forgotten_however_few_people_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """One busy id is in every entry: what is kept must not grow with the log."""
    monkeypatch.setattr(unprocessed_module, "MAX_IDS", 8)
    index = Unprocessed()
    for position in range(1, 200):
        entry = Entry(position=position, at=T0, event=event("Seen", user_id="ann"))
        index.take_in([entry], [], after=position - 1)
    assert sum(map(len, index._last.values())) <= 10
