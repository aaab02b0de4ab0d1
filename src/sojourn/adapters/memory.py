"""The reference: log, store, outbox and accounts in dicts and lists; obviously right, nothing durable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from sojourn.model.account import Account, Session
from sojourn.model.action import Delivery, Letter
from sojourn.model.event import Entry, Event, FailedEvent
from sojourn.model.fact import Fact
from sojourn.model.ids import digest
from sojourn.model.ports import Appended, Commit, Place, Progress, Queue, Stored, Told
from sojourn.model.turn import Key, Stage

DAY_MS = 86_400_000
FAILED_BODY_BYTES = 32_768  # The largest event a Segment client sends.

_encode = msgspec.json.Encoder().encode
_FACTS = msgspec.msgpack.Decoder(list[Fact])


class MemoryLog:
    """A log in a list."""

    def __init__(self, *, window_ms: int = 30 * DAY_MS, floor: int = 0) -> None:
        """Start empty, with a clock that begins at `floor` (ms)."""
        self._window_ms = window_ms
        self._clock = floor
        self._entries: list[Entry] = []
        self._marks: dict[bytes, int] = {}
        self._failed: list[FailedEvent] = []
        self._failed_marks: set[bytes] = set()

    def append(
        self,
        events: Sequence[Event],
        *,
        now: int,
        failed: Sequence[FailedEvent] = (),
        play: bool = False,
        shadow: bool = False,
    ) -> Appended:
        """Add events; see the port."""
        entries: list[Entry] = []
        duplicates: list[int] = []
        for index, event in enumerate(events):
            mark = digest(event.source, event.message_id)
            if mark in self._marks and self._marks[mark] > now - self._window_ms:
                duplicates.append(index)
                continue
            self._marks[mark] = now
            moment = event.occurred_at if play else now
            is_history = play and moment < self._clock
            self._clock = max(self._clock, moment)
            entry = Entry(
                position=len(self._entries) + 1,
                at=self._clock,
                event=event,
                is_history=is_history,
                is_shadow=shadow,
            )
            self._entries.append(entry)
            entries.append(entry)
        for event_failed in failed:
            if event_failed.mark is not None:
                if event_failed.mark in self._failed_marks:
                    continue
                self._failed_marks.add(event_failed.mark)
            number = len(self._failed) + 1
            body = event_failed.body[:FAILED_BODY_BYTES]
            self._failed.append(msgspec.structs.replace(event_failed, id=number, body=body))
        return Appended(entries, duplicates)

    def read(self, after: int, limit: int) -> list[Entry]:
        """Return up to `limit` entries above `after`."""
        return self._entries[after : after + limit]

    def end(self) -> int:
        """Return the last position."""
        return len(self._entries)

    def seal(self, now: int) -> tuple[int, int]:
        """Move the clock up; return (clock, last position)."""
        self._clock = max(self._clock, now)
        return self._clock, len(self._entries)

    def failed(self, *, limit: int = 100, before: int | None = None) -> list[FailedEvent]:
        """Return failed events, newest first."""
        older = self._failed if before is None else self._failed[: max(before - 1, 0)]
        return older[::-1][:limit]

    def mark_retried(self, ids: Sequence[int], *, at: int) -> None:
        """Note that failed events were tried again and taken."""
        for number in ids:
            if 0 < number <= len(self._failed):
                self._failed[number - 1] = msgspec.structs.replace(self._failed[number - 1], retried_at=at)

    def close(self) -> None:
        """Do nothing: memory needs no release."""


class MemoryOutbox:
    """Letters in a dict, in the order they were written."""

    def __init__(self) -> None:
        """Start empty."""
        self.letters: dict[str, Letter] = {}

    def waiting(self, sink: str, *, now: int, limit: int) -> list[Letter]:
        """Return letters for a sink that are due, oldest first."""
        due = [letter for letter in self._alive(sink) if letter.due_at <= now]
        return [msgspec.structs.replace(letter) for letter in sorted(due, key=_due_at)[:limit]]

    def next_due(self, sink: str) -> int | None:
        """Return when the next letter for a sink is due."""
        return min((letter.due_at for letter in self._alive(sink)), default=None)

    def settle(self, settled: Sequence[tuple[Letter, Delivery]]) -> None:
        """Take letters that are done out of the outbox."""
        for letter, _ in settled:
            self.letters.pop(letter.action.id, None)

    def postpone(self, letters: Sequence[Letter]) -> None:
        """Store letters' new attempts, due_at, last_error and dead_at."""
        for letter in letters:
            if letter.action.id in self.letters:
                self.letters[letter.action.id] = msgspec.structs.replace(letter)

    def sinks(self) -> list[str]:
        """Return the sinks that letters wait for, by name."""
        return sorted({letter.action.sink for letter in self.letters.values() if letter.dead_at is None})

    def queues(self) -> dict[str, Queue]:
        """Return what waits for each sink."""
        found: dict[str, Queue] = {}
        for name in {letter.action.sink for letter in self.letters.values()}:
            own = [letter for letter in self.letters.values() if letter.action.sink == name]
            waiting = [letter.action.at for letter in own if letter.dead_at is None]
            found[name] = Queue(
                waiting=len(waiting), dead=len(own) - len(waiting), oldest_at=min(waiting, default=None)
            )
        return found

    def dead(self, *, limit: int = 100, before: Place | None = None) -> list[Letter]:
        """Return dead letters, newest first; `before` a letter's place, to page."""
        dead = [letter for letter in self.letters.values() if letter.dead_at is not None]
        older = [letter for letter in dead if before is None or _place(letter) < before]
        newest = sorted(older, key=_place)[::-1]
        return [msgspec.structs.replace(letter) for letter in newest[:limit]]

    def revive(self, action_ids: Sequence[str] | None, *, now: int) -> int:
        """Put dead letters back, with no attempts; return how many."""
        dead = [letter for letter in self.letters.values() if letter.dead_at is not None]
        revived = dead if action_ids is None else [one for one in dead if one.action.id in set(action_ids)]
        for letter in revived:
            letter.attempts, letter.due_at, letter.dead_at = 0, now, None
        return len(revived)

    def _alive(self, sink: str) -> list[Letter]:
        letters = self.letters.values()
        return [letter for letter in letters if letter.action.sink == sink and letter.dead_at is None]


class MemoryStore(MemoryOutbox):
    """States, facts and documents in dicts, and the outbox of the same commits."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self._states: dict[Key, Stored] = {}
        self._heads: dict[Key, int] = {}
        self._begins: dict[Key, int] = {}
        """Where the facts of keys begin that were forgotten before."""
        self._groups: list[tuple[Key, list[Fact]]] = []
        self._documents: dict[str, bytes] = {}
        self._progress = Progress()

    @property
    def outbox(self) -> MemoryOutbox:
        """The outbox whose letters appear in this store's commits."""
        return self

    def progress(self) -> Progress:
        """Return the position and clock of the last commit."""
        return self._progress

    def load(self, keys: Sequence[Key]) -> dict[Key, Stored]:
        """Return the states that exist of these keys."""
        return {key: self._states[key] for key in keys if key in self._states}

    def commit(self, commit: Commit) -> None:
        """Store a batch; see the port."""
        for write in commit.writes:
            if write.facts:
                self._groups.append((write.key, _FACTS.decode(write.facts)))
                self._heads[write.key] = len(self._groups)
            before = self._states.get(write.key)
            state = (before.state if before else None) if write.keep_state else write.state
            if write.forget:
                self._heads.pop(write.key, None)
                self._begins[write.key] = len(self._groups)
            if state is None:
                self._states.pop(write.key, None)
            else:
                self._states[write.key] = Stored(state, write.wake, self._heads.get(write.key, 0))
        for action in commit.actions:
            self.letters.setdefault(action.id, Letter(action=action, due_at=action.at))
        gone = [one.action.id for one in self.letters.values() if one.action.profile_id in commit.withdraws]
        for action_id in gone:
            del self.letters[action_id]
        self._documents.update(commit.documents)
        if commit.told_in:
            self._documents[commit.told_in] = _encode(Told(len(self._groups), len(gone)))
        self._progress = Progress(commit.position, commit.clock)

    def due(self, until: int, limit: int) -> list[tuple[int, Key]]:
        """Return the earliest timers due by `until`."""
        timers = [(stored.wake, key) for key, stored in self._states.items() if stored.wake is not None]
        return sorted((wake, key) for wake, key in timers if wake <= until)[:limit]

    def keys(
        self, stage: Stage, *, prefix: str = "", after: str | None = None, limit: int | None = None
    ) -> list[str]:
        """Return keys of a stage that have a state and begin with `prefix`, in order."""
        found = sorted(
            key
            for owner, key in self._states
            if owner == stage and key.startswith(prefix) and (after is None or key > after)
        )
        return found if limit is None else found[:limit]

    def facts(self, key: Key, *, limit: int = 1000) -> list[Fact]:
        """Return a key's facts, newest first."""
        groups = self._groups[self._begins.get(key, 0) :]
        lived = [fact for owner, group in groups if owner == key for fact in group]
        return lived[::-1][:limit]

    def facts_after(self, group: int, limit: int) -> list[tuple[int, list[Fact]]]:
        """Return groups of facts with a number above `group`, in order."""
        tail = self._groups[group : group + limit]
        return [(group + 1 + index, facts) for index, (_, facts) in enumerate(tail)]

    def counts(self) -> Mapping[str, int]:
        """Return how much is kept, by name."""
        dead = sum(letter.dead_at is not None for letter in self.letters.values())
        return {
            "profiles": sum(stage == "profile" for stage, _ in self._states),
            "devices": sum(stage == "identity" for stage, _ in self._states),
            "timers": sum(stored.wake is not None for stored in self._states.values()),
            "outbox": len(self.letters) - dead,
            "dead_letters": dead,
        }

    def keep(self, name: str, value: bytes) -> None:
        """Keep a small document under a name."""
        self._documents[name] = value

    def kept(self, name: str) -> bytes | None:
        """Return a document kept under a name."""
        return self._documents.get(name)

    def close(self) -> None:
        """Do nothing: memory needs no release."""


def _due_at(letter: Letter) -> int:
    return letter.due_at


def _place(letter: Letter) -> Place:
    return letter.dead_at or 0, letter.action.id


class MemoryAccounts:
    """Accounts and sessions in dicts, for one process."""

    def __init__(self) -> None:
        """Start empty."""
        self._accounts: dict[str, Account] = {}
        self._sessions: dict[bytes, Session] = {}

    def add(self, account: Account) -> bool:
        """Add an account; return False where there is one of that name."""
        is_new = account.name not in self._accounts
        self._accounts.setdefault(account.name, account)
        return is_new

    def find(self, name: str) -> Account | None:
        """Return the account of a name."""
        return self._accounts.get(name)

    def all(self) -> list[Account]:
        """Return every account, ordered by name."""
        return [self._accounts[name] for name in sorted(self._accounts)]

    def change_password(self, name: str, password: str) -> bool:
        """Give an account another hashed password, and end its sessions."""
        if name not in self._accounts:
            return False
        self._accounts[name] = msgspec.structs.replace(self._accounts[name], password=password)
        self.end_sessions(name)
        return True

    def remove(self, name: str) -> bool:
        """Remove an account, and end its sessions."""
        self.end_sessions(name)
        return self._accounts.pop(name, None) is not None

    def open_session(self, session: Session, *, password: str | None, most: int) -> bool:
        """Begin a session, and end the oldest above `most`."""
        account = self._accounts.get(session.account)
        if password is not None and (account is None or account.password != password):
            return False
        others = [each for each in self._sessions.values() if each.account == session.account]
        for old in sorted(others, key=lambda each: (each.seen_at, each.mark), reverse=True)[most - 1 :]:
            del self._sessions[old.mark]
        self._sessions[session.mark] = session
        return True

    def session(self, mark: bytes) -> tuple[Session, Account | None] | None:
        """Return a session with the account it is of."""
        found = self._sessions.get(mark)
        return None if found is None else (found, self._accounts.get(found.account))

    def see(self, session: Session, at: int) -> None:
        """Note that a session, and its account, were seen."""
        if session.mark in self._sessions:
            self._sessions[session.mark] = msgspec.structs.replace(self._sessions[session.mark], seen_at=at)
        if account := self._accounts.get(session.account):
            self._accounts[account.name] = msgspec.structs.replace(account, last_seen_at=at)

    def end_session(self, mark: bytes) -> None:
        """End a session."""
        self._sessions.pop(mark, None)

    def end_sessions(self, account: str) -> None:
        """End all sessions of a name."""
        self._sessions = {mark: one for mark, one in self._sessions.items() if one.account != account}

    def expire(self, *, started_before: int, seen_before: int) -> int:
        """End sessions that are old."""
        n_before = len(self._sessions)
        self._sessions = {
            mark: one
            for mark, one in self._sessions.items()
            if one.started_at >= started_before and one.seen_at >= seen_before
        }
        return n_before - len(self._sessions)

    def close(self) -> None:
        """Do nothing: memory needs no release."""
