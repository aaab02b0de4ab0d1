"""Membership: who belongs to a segment now, asked of everybody the store knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import nlargest

from sojourn.engine.state import Life, Tie, decode
from sojourn.model.ports import Store
from sojourn.model.turn import Stage
from sojourn.model.views import MemberView, SegmentView

PAGE = 1_000  # states read at once: a few MB of them.

STAGES: tuple[Stage, ...] = ("identity", "profile")
"""Where people live: those nobody can name yet, and the others."""


def find_members(store: Store, segment: str, *, limit: int, tell: Callable[[int], None]) -> SegmentView:
    """Count the members of a segment, and list those who joined last, at most `limit`.

    Reads every state: seconds for a million people. `tell` hears how many more were read.
    """
    n_members = 0

    def members() -> Iterator[MemberView]:
        nonlocal n_members
        for person, life in _lives(store, tell):
            since = life.segments.get(segment)
            if since is not None:
                n_members += 1
                yield MemberView(id=person, since=since)

    newest = nlargest(limit, members(), key=lambda member: (member.since, member.id))
    return SegmentView(name=segment, n_members=n_members, members=newest)


def _lives(store: Store, tell: Callable[[int], None]) -> Iterator[tuple[str, Life]]:
    for stage in STAGES:
        after: str | None = None
        while keys := store.keys(stage, after=after, limit=PAGE):
            for (_, key), stored in store.load([(stage, key) for key in keys]).items():
                state = decode(stage, stored.state)
                life = state.life if isinstance(state, Tie) else state
                if isinstance(life, Life):
                    yield ("u:" if stage == "profile" else "a:") + key, life
            tell(len(keys))
            after = keys[-1]
