"""Kin: all ids of one person, as a store knows them: users tied by aliases, and the devices they named."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from sojourn.definitions.controls import PSEUDONYM
from sojourn.engine.profile import MAX_IDS
from sojourn.engine.state import Life, Pointer, Tie, decode
from sojourn.model.fact import Fact, IdentityRefused
from sojourn.model.ports import Stored
from sojourn.model.turn import Key, Stage

PAGE = 1_000  # aliases read at once.
ALL_FACTS = 1 << 30


class Kin(Struct, kw_only=True):
    """One person."""

    users: list[str] = []
    devices: list[str] = []
    """Ids at which they may have lived without a name; `users` among them."""
    shared: list[str] = []
    """Of `devices`, those that somebody else named, too."""
    tangled: list[str] = []
    """Users that an alias tied to them which was taken back: their pasts cannot be told apart."""
    n_events: int = 0
    n_journeys: int = 0
    n_deferred: int = 0
    """Actions that their pacing put off."""


class States(Protocol):
    """What is asked for people's states; every store is."""

    def load(self, keys: Sequence[Key]) -> Mapping[Key, Stored]:
        """Return the states that exist of these keys."""
        ...

    def keys(self, stage: Stage, *, after: str | None = None, limit: int | None = None) -> list[str]:
        """Return keys of a stage, a page: `after` the last of the page before."""
        ...

    def facts(self, key: Key, *, limit: int = 1000) -> list[Fact]:
        """Return a key's facts, newest first; none where they are not kept by key."""
        ...


def find_kin(store: States, any_id: str, *, also: Collection[str] = ()) -> Kin:
    """Find all ids of a person by one of them; nothing is found where nobody has it.

    Args:
        store: Reads every alias of it, some 20 us each.
        any_id: A user id or an anonymous id.
        also: Users of `tangled` to take as well.
    """
    return _Search(store, frozenset(also)).find(any_id)


class _Search:
    def __init__(self, store: States, also: frozenset[str]) -> None:
        self._store = store
        self._also = also
        self._pointers = _pointers(store)
        self._standing = _edges({key: [one.to] for key, one in self._pointers.items() if one.to})
        self._ever = _edges({key: one.ever for key, one in self._pointers.items()})
        self._lives: dict[str, Life | None] = {}

    def find(self, any_id: str) -> Kin:
        users = self._begin(any_id)
        if users is None:
            return Kin()
        devices = {any_id}
        while True:
            users, tangled = self._related(users)
            devices |= self._devices(users)
            ties = {key: self._tie(key) for key in devices}
            others = {key for key, tie in ties.items() if _is_others(tie, users)}
            # An id may be a device's and a user's: nobody can know.
            more = {key for key in devices - others - users if key in self._pointers or self._life(key)}
            if not more:
                break
            users |= more
        lives = [life for key in users if (life := self._life(key)) is not None]
        unnamed = [tie.life for key, tie in ties.items() if tie is not None and key not in others]
        lives += [life for life in unnamed if life is not None]
        return Kin(
            users=sorted(users),
            devices=sorted(devices),
            shared=sorted(others),
            tangled=sorted(tangled),
            n_events=sum(life.n_events for life in lives),
            n_journeys=sum(len(life.enrolments) for life in lives),
            n_deferred=sum(len(life.pacing.deferred) for life in lives if life.pacing is not None),
        )

    def _begin(self, any_id: str) -> set[str] | None:
        """Return the user an id leads to; none, for a device without a name; None where nobody has it."""
        if self._life(any_id) is not None or any_id in self._pointers:
            return {any_id}
        tie = self._tie(any_id)
        if tie is None or (tie.owner is None and (tie.is_shared or tie.owners)):
            return None
        return set() if tie.owner is None else {tie.owner}

    def _related(self, users: set[str]) -> tuple[set[str], set[str]]:
        """Follow aliases that stand, and those that stood where it is wanted; return (users, the others)."""
        found = set(users)
        tangled: set[str] = set()
        waiting = list(users)
        while waiting:
            user = waiting.pop()
            life = self._life(user)
            standing = self._standing.get(user, set())
            stood = self._ever.get(user, set()) | (set(life.user_ids) if life else set())
            for other in standing | stood:
                if other in found:
                    continue
                if other in standing or other in self._also:
                    found.add(other)
                    waiting.append(other)
                else:
                    tangled.add(other)
        return found, tangled - found

    def _devices(self, users: Iterable[str]) -> set[str]:
        devices = set(users)
        for user in users:
            life = self._life(user)
            if life is None:
                continue
            devices.update(life.anonymous_ids)
            if len(life.anonymous_ids) >= MAX_IDS:
                facts = self._store.facts(("profile", user), limit=ALL_FACTS)
                devices.update(fact.other_id for fact in facts if isinstance(fact, IdentityRefused))
        return devices

    def _life(self, user: str) -> Life | None:
        if user not in self._lives:
            found = _load(self._store, ("profile", user))
            self._lives[user] = found if isinstance(found, Life) else None
        return self._lives[user]

    def _tie(self, device: str) -> Tie | None:
        found = _load(self._store, ("identity", device))
        return found if isinstance(found, Tie) else None


def _is_others(tie: Tie | None, users: Collection[str]) -> bool:
    if tie is None:
        return False
    return tie.is_shared or any(each not in users and not each.startswith(PSEUDONYM) for each in tie.owners)


def _load(store: States, key: Key) -> object:
    stored = store.load([key]).get(key)
    return None if stored is None else decode(key[0], stored.state)


def _pointers(store: States) -> dict[str, Pointer]:
    stage: Stage = "alias"
    found: dict[str, Pointer] = {}
    after: str | None = None
    while keys := store.keys(stage, after=after, limit=PAGE):
        for (_, key), stored in store.load([(stage, key) for key in keys]).items():
            state = decode(stage, stored.state)
            assert isinstance(state, Pointer)
            found[key] = state
        after = keys[-1]
    return found


def _edges(pairs: Mapping[str, Iterable[str | None]]) -> dict[str, set[str]]:
    edges: dict[str, set[str]] = defaultdict(set)
    for one, others in pairs.items():
        for other in others:
            if other is not None:
                edges[one].add(other)
                edges[other].add(one)
    return dict(edges)
