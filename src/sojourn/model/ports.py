"""Ports: what the engine needs of the world, as protocols.

Every adapter, ours or a user's, passes the same public battery (`sojourn.testing`). All ports are synchronous
except `Sink`: a runtime decides on which thread a port is called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from sojourn.model.account import Account, Session
from sojourn.model.action import Action, Delivery, Letter
from sojourn.model.event import Device, Entry, Event, FailedEvent, Geo
from sojourn.model.fact import Fact
from sojourn.model.ids import ProfileId
from sojourn.model.lake import LakeSize, Reach, Slice
from sojourn.model.turn import Key, Stage


class Appended(Struct, frozen=True):
    """What came of an append, event by event."""

    entries: list[Entry]
    """Those that are new, in order."""
    duplicates: list[int]
    """Indexes (into the events given) of those that were there before, or twice in the batch."""


class Log(Protocol):
    """The durable, ordered log of events; it refuses duplicates exactly."""

    def append(
        self,
        events: Sequence[Event],
        *,
        now: int,
        failed: Sequence[FailedEvent] = (),
        play: bool = False,
        shadow: bool = False,
    ) -> Appended:
        """Add events atomically; return once they are durable.

        An event whose (source, message_id) was appended in the last `window_ms` (by `now`) is a duplicate.
        Entries are stamped `at = max(clock, now)`; with `play` (an import) `at = max(clock, occurred_at)`,
        and an event from before the clock is history. `shadow` marks the entries as such. `failed` are kept
        in the same commit, those with a message id once for each (source, message_id, code).
        """
        ...

    def read(self, after: int, limit: int) -> list[Entry]:
        """Return up to about `limit` entries with a position above `after`, in order."""
        ...

    def end(self) -> int:
        """Return the last position; 0 where nothing was appended."""
        ...

    def seal(self, now: int) -> tuple[int, int]:
        """Move the clock up to `now`; return (clock, last position).

        All later entries are stamped at or after that clock, so a timer due by it may fire once the entries
        up to that position are processed (law 3).
        """
        ...

    def failed(self, *, limit: int = 100, before: int | None = None) -> list[FailedEvent]:
        """Return failed events, newest first; `before` an id, to page."""
        ...

    def mark_retried(self, ids: Sequence[int], *, at: int) -> None:
        """Note durably that failed events were tried again and taken, at an instant (ms)."""
        ...

    def close(self) -> None:
        """Release everything; a closed log can be opened again."""
        ...


class Stored(Struct, frozen=True):
    """One key's state as the store keeps it."""

    state: bytes
    wake: int | None
    head: int
    """The newest group of facts of this key; 0 where there is none."""


class Write(Struct, frozen=True):
    """One key's part of a commit."""

    key: Key
    state: bytes | None
    """None: delete the state."""
    wake: int | None
    facts: bytes
    """The encoded facts of this turn (a msgpack array); empty where there are none."""
    keep_state: bool = False
    """True where the state did not change and `state` is not to be looked at."""
    forget: bool = False
    """True where nothing is to lead from the key to its facts any more: its next state begins anew."""


class Commit(Struct, frozen=True):
    """All that one batch came to: stored whole or not at all (law 5)."""

    position: int
    """The last log entry it covers."""
    clock: int
    """The instant up to which timers have fired."""
    writes: list[Write]
    actions: list[Action]
    documents: dict[str, bytes] = {}
    """Small documents to keep with it, by name."""
    withdraws: frozenset[ProfileId] = frozenset()
    """People whose letters, waiting or dead, leave the outbox."""
    told_in: str = ""
    """The name of a document in which the store keeps what only it knows, a `Told`; empty: none."""


class Told(Struct, frozen=True):
    """What a store tells of one of its commits, in a document."""

    group: int
    """The last group of facts, with it."""
    n_withdrawn: int
    """How many letters it withdrew."""


class Progress(Struct, frozen=True):
    """How far a store has come."""

    position: int = 0
    clock: int = 0


class PeopleStore(Protocol):
    """What is kept of people, to read."""

    def progress(self) -> Progress:
        """Return the position and clock of the last commit."""
        ...

    def load(self, keys: Sequence[Key]) -> dict[Key, Stored]:
        """Return the states that exist of these keys."""
        ...

    def facts(self, key: Key, *, limit: int = 1000) -> list[Fact]:
        """Return a key's facts, newest first."""
        ...


class Store(PeopleStore, Protocol):
    """States, timers, facts and the outbox, changing in one commit."""

    def commit(self, commit: Commit) -> None:
        """Store a batch's writes, facts, actions and progress atomically; return once durable.

        An action whose id is already in the outbox is not added again.
        """
        ...

    def due(self, until: int, limit: int) -> list[tuple[int, Key]]:
        """Return the earliest (wake, key) with wake <= until, at most `limit`, ordered by wake."""
        ...

    def keys(
        self, stage: Stage, *, prefix: str = "", after: str | None = None, limit: int | None = None
    ) -> list[str]:
        """Return keys of a stage that have a state and begin with `prefix`, in an order of the store's own.

        All of them is meant for `alias`, where few have one; with `limit`, a page: `after` the last of the
        page before. A key that has a state all along is on exactly one page. A page costs the same however
        many keys there are.
        """
        ...

    def facts_after(self, group: int, limit: int) -> list[tuple[int, list[Fact]]]:
        """Return groups of facts with a number above `group`, in order: the tail that others follow."""
        ...

    def counts(self) -> Mapping[str, int]:
        """Return how much is kept, by name: `profiles`, `devices`, `timers`, `outbox`, `dead_letters`."""
        ...

    def keep(self, name: str, value: bytes) -> None:
        """Keep a small document (the definitions in force, an import's progress) under a name."""
        ...

    def kept(self, name: str) -> bytes | None:
        """Return a document kept under a name."""
        ...

    def close(self) -> None:
        """Release everything."""
        ...


class Tail(Protocol):
    """What a log and a store hold, read in order beside the process that writes them."""

    def reach(self) -> Reach:
        """Return how far the engine has come."""
        ...

    def read(self, after: Reach, reach: Reach, *, n_events: int) -> Slice:
        """Return what comes after one reach, up to another, at most about `n_events` entries of it.

        Every entry comes in the same slice as the step it took.
        """
        ...

    def mark(self, position: int) -> str:
        """Return what tells the message at a position from those of other logs; empty where there is none."""
        ...


class Lake(Protocol):
    """Facts and events in columns, for analysis; one process writes it."""

    @property
    def reach(self) -> Reach:
        """How far it is written."""
        ...

    @property
    def mark(self) -> str:
        """What the log had at the last position written; empty where nothing was."""
        ...

    def write(self, slice_: Slice) -> None:
        """Add the slice that comes next, once, whatever crash there is; return once it is on disk."""
        ...

    def erase(self) -> bool:
        """Do one piece of erasing people who were forgotten; return whether there was one."""
        ...

    def compact(self, *, is_final: bool = False) -> bool:
        """Do one piece of tidying up; return whether there was one. With `is_final`, as far as it goes."""
        ...

    def expire(self, *, before: str) -> int:
        """Remove the days (YYYY-MM-DD) before a date; return how many."""
        ...

    def size(self) -> LakeSize:
        """Return how much it holds."""
        ...

    def close(self) -> None:
        """Release everything."""
        ...


class Queue(Struct, frozen=True, kw_only=True):
    """What waits for one sink."""

    waiting: int = 0
    """Letters on their way, counted up to a bound of the outbox's own."""
    dead: int = 0
    """Dead letters, among so many of the newest of all sinks as the outbox looks at."""
    oldest_at: int | None = None
    """When the oldest action that waits was decided, ms."""


Place = tuple[int, str]
"""Where a dead letter stands among the others: (its `dead_at`, its action's id)."""


class Outbox(Protocol):
    """Actions on their way; the same database as the store, so that they appear in its commit."""

    def waiting(self, sink: str, *, now: int, limit: int) -> list[Letter]:
        """Return letters for a sink that are due, oldest first; unclaimed: a sink has one worker."""
        ...

    def next_due(self, sink: str) -> int | None:
        """Return when the next letter for a sink is due, ms; None where there is none."""
        ...

    def settle(self, settled: Sequence[tuple[Letter, Delivery]]) -> None:
        """Take letters that are done (delivered, or expired) out of the outbox."""
        ...

    def postpone(self, letters: Sequence[Letter]) -> None:
        """Store letters' new attempts, due_at and last_error; one with `dead_at` becomes a dead letter."""
        ...

    def sinks(self) -> list[str]:
        """Return the sinks that letters wait for, by name; some may not be configured any more."""
        ...

    def queues(self) -> dict[str, Queue]:
        """Return what waits for each sink that letters wait for, or were given up for."""
        ...

    def dead(self, *, limit: int = 100, before: Place | None = None) -> list[Letter]:
        """Return dead letters, newest first by their place; `before` a place, to page."""
        ...

    def revive(self, action_ids: Sequence[str] | None, *, now: int) -> int:
        """Put dead letters (all, with None) back, with no attempts; return how many."""
        ...


class Accounts(Protocol):
    """Who may sign in, and who is; several processes may work in one at a time, on any of their threads."""

    def add(self, account: Account) -> bool:
        """Add an account; return False, and change nothing, where there is one of that name."""
        ...

    def find(self, name: str) -> Account | None:
        """Return the account of a name."""
        ...

    def all(self) -> list[Account]:
        """Return every account, ordered by name."""
        ...

    def change_password(self, name: str, password: str) -> bool:
        """Give an account another hashed password, and end its sessions; return whether there is one."""
        ...

    def remove(self, name: str) -> bool:
        """Remove an account, and end its sessions; return whether there was one."""
        ...

    def open_session(self, session: Session, *, password: str | None, most: int) -> bool:
        """Begin a session, and end the oldest above `most` of its account.

        Returns False, and begins none, where the account is gone or its hashed password is not `password` any
        more. None: the session is of no account.
        """
        ...

    def session(self, mark: bytes) -> tuple[Session, Account | None] | None:
        """Return a session with the account it is of."""
        ...

    def see(self, session: Session, at: int) -> None:
        """Note that a session, and its account, were seen at an instant."""
        ...

    def end_session(self, mark: bytes) -> None:
        """End a session, if there is one."""
        ...

    def end_sessions(self, account: str) -> None:
        """End all sessions of a name."""
        ...

    def expire(self, *, started_before: int, seen_before: int) -> int:
        """End sessions that began, or were last seen, before an instant; return how many."""
        ...

    def close(self) -> None:
        """Release everything."""
        ...


class Sink(Protocol):
    """Where actions go."""

    async def deliver(self, action: Action) -> Delivery:
        """Do it, once for each `action.id`; raise SinkError where it was not done."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


class SinkFactory(Protocol):
    """What the entry point `sojourn.sinks` names: makes a sink from its part of the configuration."""

    def __call__(self, name: str, options: Mapping[str, Any]) -> Sink:
        """Make a sink, or raise ConfigError saying which option is wrong."""
        ...


class Lookups(Protocol):
    """Questions to the outside, asked at the door; their answers are kept with the event (law 1)."""

    def device(self, user_agent: str) -> Device | None:
        """Say what a user agent is."""
        ...

    def geo(self, ip: str) -> Geo | None:
        """Say where an address is."""
        ...
