"""Searching: people by any id, by how it begins, and, among those seen last, by name and e-mail.

Ids are the store's keys, which are in order: a search reads the few that begin so, however many there are.
Names and e-mails have no such order, so only people of the newest events are looked at for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, Protocol

from sojourn.engine.state import Life
from sojourn.model.event import OUR_SOURCE, Entry
from sojourn.model.operating import PersonFound
from sojourn.model.ports import Store
from sojourn.model.turn import Key, Stage
from sojourn.runtime.reading import find_life

MAX_FOUND = 100
MAX_QUERY_CHARS = 1_000
RECENT_EVENTS = 5_000  # looked at for people seen last, in pages
PAGE = 1_000
MAX_RECENT = 500  # people looked at for a name or an e-mail: 20 ms
PER_FOUND = 4  # keys read for each person wanted: one may have several that begin so.

FoundBy = Literal["id", "prefix", "trait", "recent"]


class Readable(Protocol):
    """What is asked of a log."""

    def end(self) -> int:
        """Return the last position."""

    def read(self, after: int, limit: int) -> list[Entry]:
        """Return up to about `limit` entries with a position above `after`, in order."""


def search(store: Store, log: Readable, query: str, *, limit: int) -> list[PersonFound]:
    """Find people: who has the id first, then whose ids begin so, then names and e-mails of those seen last.

    An empty query finds the people seen last, the newest first. At most `limit`, up to MAX_FOUND.
    """
    query, limit = query.strip()[:MAX_QUERY_CHARS], min(limit, MAX_FOUND)
    found: dict[Key, PersonFound] = {}
    for any_id, how in _candidates(store, log, query, limit):
        if len(found) >= limit:
            break
        person = find_life(store, any_id)
        if person is None or person[0] in found:
            continue
        key, life = person
        if how != "trait" or _has(life, query):
            found[key] = _described(key, life, how)
    return list(found.values())


def _candidates(store: Store, log: Readable, query: str, limit: int) -> Iterator[tuple[str, FoundBy]]:
    if not query:
        yield from ((each, "recent") for each in seen_last(log))
        return
    yield query, "id"
    stages: tuple[Stage, ...] = ("profile", "identity")
    for stage in stages:
        yield from ((key, "prefix") for key in store.keys(stage, prefix=query, limit=PER_FOUND * limit))
    for number, each in enumerate(seen_last(log)):
        if number >= MAX_RECENT:
            return
        yield each, "trait"


def seen_last(log: Readable) -> Iterator[str]:
    """Yield an id of each person of the newest events, the newest first; somebody may come by two ids."""
    told: set[str] = set()
    end = log.end()
    for before in range(end, max(end - RECENT_EVENTS, 0), -PAGE):
        entries = log.read(max(before - PAGE, 0), min(PAGE, before))
        for entry in reversed([each for each in entries if each.position <= before]):
            event = entry.event
            any_id = event.user_id or event.anonymous_id
            if event.source != OUR_SOURCE and any_id and any_id not in told:
                told.add(any_id)
                yield any_id


def _described(key: Key, life: Life, how: FoundBy) -> PersonFound:
    return PersonFound(
        id=("u:" if key[0] == "profile" else "a:") + key[1],
        user_ids=life.user_ids,
        anonymous_ids=life.anonymous_ids,
        name=_name(life),
        email=_text(life, "email"),
        first_seen_at=life.first_seen_at,
        last_seen_at=life.last_seen_at,
        n_events=life.n_events,
        found_by=how,
    )


def _has(life: Life, query: str) -> bool:
    wanted = query.casefold()
    return any(wanted in text.casefold() for text in (_name(life), _text(life, "email")))


def _name(life: Life) -> str:
    whole = _text(life, "name")
    parts = (_first_of(life, names) for names in (("firstName", "first_name"), ("lastName", "last_name")))
    return whole or " ".join(filter(None, parts))


def _first_of(life: Life, names: Iterable[str]) -> str:
    return next(filter(None, (_text(life, name) for name in names)), "")


def _text(life: Life, name: str) -> str:
    trait = life.traits.get(name)
    return trait.value if trait is not None and isinstance(trait.value, str) else ""
