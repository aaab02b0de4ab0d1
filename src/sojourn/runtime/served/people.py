"""People of a serving store: found as in memory, after the events that their ids were last named by."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from sojourn.engine.notes import Note, Place
from sojourn.engine.records import Saved
from sojourn.engine.state import Pointer, State, Tie, decode
from sojourn.model.errors import UnavailableError
from sojourn.model.turn import Key
from sojourn.runtime.finding import MAX_ROUNDS, Finder, Found, Who

LOOK_AGAIN_S = 0.01  # a state is behind its event by some 100 ms: a look more costs less than to be told.
MAX_IDS = 100  # of one person whose notes are looked at.
NOWHERE: Place = (0, 0)


class States(Protocol):
    """What has the states."""

    async def look(
        self, keys: Sequence[Key], ids: Sequence[str] = ()
    ) -> tuple[Mapping[Key, Saved], list[Note]]:
        """Return the states there are of keys, and what is noted of ids, all as of one instant.

        Raises UnavailableError where it does not answer.
        """
        ...


class Look(Finder):
    """One look at one person: what was read for it."""

    def __init__(self) -> None:
        self._saved: dict[Key, Saved | None] = {}
        self._states: dict[Key, State] = {}
        self._noted: set[str] = set()
        self._notes: list[Note] = []

    async def find(self, who: Who, store: States, *, noted: Sequence[str] = ()) -> Found:
        """Find somebody, reading with their states what is noted of ids: mostly one question to the store.

        Raises UnavailableError where the store does not answer.
        """
        for _ in range(MAX_ROUNDS):
            unread: list[Key] = []
            found = self._at_hand(who, unread)
            if found is not None:
                return found
            # Of what is noted one wants to know next whose device it is, if any.
            await self.read([*unread, *(("identity", one) for one in noted)], store, noted=noted)
        raise UnavailableError("who this is changes too fast; ask again")

    async def notes(self, ids: Iterable[str], store: States) -> list[Note]:
        """Return what is noted of all ids that were asked about, these among them."""
        await self.read((), store, noted=ids)
        return self._notes

    async def read(self, keys: Iterable[Key], store: States, *, noted: Iterable[str] = ()) -> None:
        """Read states, and what is noted of ids: those that were not read before."""
        wanted = [key for key in dict.fromkeys(keys) if key not in self._saved]
        ids = [one for one in dict.fromkeys(noted) if one not in self._noted]
        if not wanted and not ids:
            return
        found, notes = await store.look(wanted, ids)
        self._noted.update(ids)
        self._notes += notes
        for key in wanted:
            self._saved[key] = saved = found.get(key)
            if saved is not None:
                self._states[key] = decode(key[0], saved.state)

    def state(self, key: Key) -> State | None:
        """Return a state that was read; None: there is none."""
        return self._states.get(key)

    def saved(self, key: Key) -> Saved | None:
        """Return a state as it was read."""
        return self._saved.get(key)

    def place(self, key: Key) -> Place:
        """Return up to where in the log a state is taken."""
        saved = self._saved.get(key)
        return NOWHERE if saved is None else (saved.at, saved.position)

    async def has_passed(self, notes: Sequence[Note], store: States) -> bool:
        """Tell whether the events that are noted have come to whoever they are about."""
        await self.read((key for note in notes for key in _ways(note)), store)
        owners = (self._owner(note) for note in notes)
        await self.read((("alias", owner) for owner in owners if owner), store)
        await self.read((self._end(note) for note in notes), store)
        return all(self._has_passed(note) for note in notes)

    def _has_passed(self, note: Note) -> bool:
        tie = self.state(("identity", note.id))
        if note.is_tie:
            is_settled = isinstance(tie, Tie) and (tie.owner == note.user_id or tie.is_shared)
            return is_settled or self.place(("identity", note.id)) >= note.place
        return self.place(self._end(note)) >= note.place

    def _end(self, note: Note) -> Key:
        """Say where an event comes to that names an id: at its user's profile, or at a device's own life."""
        user = note.user_id or self._owner(note)
        if not user:
            return "identity", note.id
        pointer = self.state(("alias", user))
        return "profile", pointer.to if isinstance(pointer, Pointer) and pointer.to else user

    def _owner(self, note: Note) -> str | None:
        tie = self.state(("identity", note.id))
        return tie.owner if isinstance(tie, Tie) else None

    # -- As `Finder` asks.

    def _state(self, key: Key, unread: list[Key]) -> State | None:
        if key not in self._saved:
            unread.append(key)
        return self._states.get(key)

    def _has(self, key: Key) -> bool:
        return key in self._saved

    def _may_be_aliased(self, user_id: str) -> bool:
        del user_id
        return True


class ServedPeople:
    """Finds people for whoever asks about them."""

    def __init__(self, store: States, *, wait_ms: int) -> None:
        self._store = store
        self._wait_ms = wait_ms
        self.n_waits = 0
        """How often somebody's own events had to be waited for."""
        self.n_behind = 0
        """How often they were waited for in vain."""

    async def find(self, who: Who, *, waits: bool = True) -> tuple[Found, bool]:
        """Find somebody, as of every event of theirs that a door has acknowledged.

        Returns them, and False where their own events still wait after `wait_ms`: then this is how they stood
        before. Raises UnavailableError where the store does not answer.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + self._wait_ms / 1000
        has_waited = False
        while True:
            look = Look()
            # What is noted is no older than the states are: what it names and they lack has not come yet.
            found = await look.find(who, self._store, noted=_ids(who) if waits else ())
            notes = await look.notes(_ids(who, found), self._store) if waits else []
            if not notes or await look.has_passed(notes, self._store):
                return found, True
            self.n_waits += not has_waited
            has_waited = True
            if loop.time() >= until:
                self.n_behind += 1
                return found, False
            await asyncio.sleep(LOOK_AGAIN_S)

    async def was_a_device(self, found: Found, who: Who) -> bool:
        """Tell whether a user was asked about before anybody knew them, by an id that may be a device's.

        Then what they were told is said of a device with that id, which has done nothing.
        """
        if found.by not in who.anonymous_ids:
            return False
        look = Look()
        await look.read([("identity", found.by)], self._store)
        tie = look.state(("identity", found.by))
        return isinstance(tie, Tie) and tie.owner is None and tie.life is not None and tie.life.n_events == 0


def _ways(note: Note) -> Iterable[Key]:
    """Say which states tell where an event of an id comes to."""
    yield "identity", note.id
    if note.user_id:
        yield "alias", note.user_id


def _ids(who: Who, found: Found | None = None) -> list[str]:
    known = () if found is None else found.ids
    return list(dict.fromkeys([*who.user_ids, *who.anonymous_ids, *known]))[:MAX_IDS]
