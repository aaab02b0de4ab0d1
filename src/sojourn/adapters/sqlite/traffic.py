"""Traffic: who is inside which state of which journey, and what went through, as tables beside the store.

Made from facts, in their order, and from nothing else: the file can be deleted while nobody serves. What is
asked of it costs the same however many facts there were, and however many people are inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from pathlib import Path
from threading import Lock

import msgspec

from sojourn.adapters.sqlite.database import open_database, snapshot, transaction
from sojourn.adapters.sqlite.erasing import vacuum
from sojourn.adapters.sqlite.traffic_folding import ALL, DAY_MS, HOUR_MS, Changes, Enrolled, Folding, Versions
from sojourn.model.authored import InsideView
from sojourn.model.fact import Exited, Fact
from sojourn.model.lake import Reach

FILE = "traffic.db"
VERSION = 1
CACHE_MB = 8
KEPT_HOURS = 35 * 24  # five weeks, so that a month can be asked for; what is older counts in the totals only.
SCHEMA = """
CREATE TABLE reach (
    id INTEGER PRIMARY KEY, position INTEGER NOT NULL, last_group INTEGER NOT NULL, clock INTEGER NOT NULL
);
CREATE TABLE versions (
    id INTEGER PRIMARY KEY, journey TEXT NOT NULL, version TEXT NOT NULL, UNIQUE (journey, version)
);
CREATE TABLE inside (
    n INTEGER PRIMARY KEY,
    enrolment TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    person TEXT NOT NULL,
    key TEXT NOT NULL,
    entered_at INTEGER NOT NULL,
    states TEXT NOT NULL
);
CREATE INDEX inside_version ON inside (version, entered_at, n);
CREATE INDEX inside_person ON inside (person);
CREATE TABLE places (
    version INTEGER NOT NULL, state TEXT NOT NULL, since INTEGER NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (version, state, since, n)
) WITHOUT ROWID;
CREATE TABLE people (
    version INTEGER NOT NULL, state TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (version, state)
) WITHOUT ROWID;
CREATE TABLE happened (
    version INTEGER NOT NULL, hour INTEGER NOT NULL, what TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (version, hour, what)
) WITHOUT ROWID;
CREATE TABLE stays (
    version INTEGER NOT NULL, day INTEGER NOT NULL, state TEXT NOT NULL, class INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (version, day, state, class)
) WITHOUT ROWID;
"""

_FIND = """
SELECT enrolment, n, version, person, key, entered_at, states FROM inside
WHERE enrolment IN (SELECT value FROM json_each(?))
"""
_COUNT = "INSERT INTO {table} VALUES ({marks}) ON CONFLICT DO UPDATE SET n = n + excluded.n"
_STATES = msgspec.json.Decoder(dict[str, int]).decode
_encode = msgspec.json.encode

Cursor = tuple[int, int]
"""Where one stands among others: (since when, number)."""


class SqliteTraffic:
    """The tables of one data folder; one process writes them, any may read. Any thread may call it."""

    def __init__(self, folder: Path) -> None:
        self._lock = Lock()
        self._connection = open_database(folder / FILE, SCHEMA, version=VERSION, cache_mb=CACHE_MB)
        # A cache of what the store has: after a power cut it may be a little older, never wrong.
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute("PRAGMA wal_autocheckpoint=1000")
        self._connection.execute("PRAGMA secure_delete=ON")  # a row that is gone is gone from the file, too
        ask = self._connection.execute
        self._versions = Versions(
            ask("SELECT journey, version, id FROM versions").fetchall(),
            ask("SELECT version, what FROM happened WHERE hour = ?", (ALL,)).fetchall(),
        )
        self._next = self._connection.execute("SELECT coalesce(max(n), 0) + 1 FROM inside").fetchone()[0]
        self._newest_hour = 0

    def reach(self) -> Reach:
        """Return how far facts are counted."""
        with self._lock:
            row = self._connection.execute("SELECT position, last_group, clock FROM reach").fetchone()
        return Reach(*row) if row else Reach()

    def clear(self) -> None:
        """Forget everything: the facts are those of another folder, and are to be counted from the first."""
        with self._lock, transaction(self._connection):
            for table in ("reach", "inside", "places", "people", "happened", "stays"):
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
        self._clean()

    def take(self, groups: Sequence[tuple[int, Sequence[Fact]]], reach: Reach) -> bool:
        """Count the groups of facts that come next, up to a reach, whole or not at all.

        Returns False, and counts nothing, where they are not those that come next: it was cleared meanwhile.
        """
        facts = [fact for _, group in groups for fact in group]
        with self._lock, transaction(self._connection):
            row = self._connection.execute("SELECT last_group FROM reach").fetchone()
            if groups and groups[0][0] != (row[0] if row else 0) + 1:
                return False
            folding = Folding(self._versions, self._find(facts), next_n=self._next)
            for fact in facts:
                folding.take(fact)
            self._write(folding.changes())
            self._connection.execute(
                "INSERT OR REPLACE INTO reach VALUES (1, ?, ?, ?)", msgspec.structs.astuple(reach)
            )
        self._next = folding.next_n
        if any(isinstance(fact, Exited) and fact.reason == "forgotten" for fact in facts):
            self._clean()
        return True

    def people(self, journey: str, version: str) -> dict[str, int]:
        """Return how many are in each state of a version."""
        query = "SELECT state, n FROM people WHERE version = ?"
        with self._lock:
            return dict(self._connection.execute(query, (self._number(journey, version),)).fetchall())

    def happened(
        self, journey: str, version: str, *, since: int | None, until: int | None
    ) -> list[tuple[list[str | list[str]], int]]:
        """Return what happened in a version, and how often; instants in ms, hours are counted whole."""
        first, last = _span(since, until, HOUR_MS)
        query = "SELECT what, sum(n) FROM happened WHERE version = ? AND hour BETWEEN ? AND ? GROUP BY what"
        with self._lock:
            rows = self._connection.execute(query, (self._number(journey, version), first, last)).fetchall()
        return [(msgspec.json.decode(what, type=list[str | list[str]]), n) for what, n in rows]

    def stays(
        self, journey: str, version: str, *, since: int | None, until: int | None
    ) -> dict[str, dict[int, int]]:
        """Return state -> class of duration, ms -> how many stayed so long; days are counted whole."""
        first, last = _span(since, until, DAY_MS)
        query = (
            "SELECT state, class, sum(n) FROM stays WHERE version = ? AND day BETWEEN ? AND ? "
            "GROUP BY state, class"
        )
        found: dict[str, dict[int, int]] = {}
        with self._lock:
            number = self._number(journey, version)
            for state, edge, n in self._connection.execute(query, (number, first, last)):
                found.setdefault(state, {})[edge] = n
        return found

    def inside(
        self,
        journey: str,
        versions: Sequence[str],
        *,
        states: Sequence[str],
        after: Cursor | None,
        limit: int,
    ) -> list[tuple[Cursor, InsideView]]:
        """List people inside versions of a journey, those who came last first.

        With `states` (of which one person is in one at a time), by when they came there; with none, by when
        they came into the journey. `after` is the cursor of the last one of the page before.
        """
        below = after or (1 << 62, 1 << 62)
        with self._lock, snapshot(self._connection):
            numbers = [self._number(journey, version) for version in versions]
            if states:
                each = [self._in_state(number, state, below, limit) for number in numbers for state in states]
            else:
                each = [self._in_version(number, below, limit) for number in numbers]
            found = [pair for pair, _ in zip(merge(*each, reverse=True), range(limit), strict=False)]
            return [(cursor, self._view(cursor)) for cursor in found]

    def clean(self) -> bool:
        """Leave no trace of who went; False where somebody is in the way: ask again."""
        with self._lock:
            return vacuum(self._connection)

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()

    def _clean(self) -> None:
        """Leave nothing of older pages in the WAL, in which somebody who was forgotten may stand."""
        with self._lock:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def _number(self, journey: str, version: str) -> int:
        """Return a version's number; 0 where nobody was ever in it."""
        query = "SELECT id FROM versions WHERE journey = ? AND version = ?"
        row = self._connection.execute(query, (journey, version)).fetchone()
        return row[0] if row else 0

    def _in_state(self, version: int, state: str, below: Cursor, limit: int) -> list[Cursor]:
        query = (
            "SELECT since, n FROM places WHERE version = ? AND state = ? AND (since, n) < (?, ?) "
            "ORDER BY since DESC, n DESC LIMIT ?"
        )
        return list(self._connection.execute(query, (version, state, *below, limit)).fetchall())

    def _in_version(self, version: int, below: Cursor, limit: int) -> list[Cursor]:
        query = (
            "SELECT entered_at, n FROM inside WHERE version = ? AND (entered_at, n) < (?, ?) "
            "ORDER BY entered_at DESC, n DESC LIMIT ?"
        )
        return list(self._connection.execute(query, (version, *below, limit)).fetchall())

    def _view(self, cursor: Cursor) -> InsideView:
        query = (
            "SELECT person, enrolment, key, versions.version, states FROM inside "
            "JOIN versions ON versions.id = inside.version WHERE n = ?"
        )
        person, enrolment, key, version, states = self._connection.execute(query, (cursor[1],)).fetchone()
        return InsideView(
            id=person,
            enrolment_id=enrolment,
            key=key,
            version=version,
            state=[*_STATES(states)],
            since=cursor[0],
        )

    def _find(self, facts: Sequence[Fact]) -> dict[str, Enrolled]:
        named = {enrolment for fact in facts if (enrolment := getattr(fact, "enrolment_id", None))}
        rows = self._connection.execute(_FIND, (_text(sorted(named)),)).fetchall()
        return {
            enrolment: Enrolled(n, version, person, key, entered_at, _STATES(states))
            for enrolment, n, version, person, key, entered_at, states in rows
        }

    def _write(self, changes: Changes) -> None:
        run = self._connection.executemany
        run("INSERT OR IGNORE INTO versions (journey, version, id) VALUES (?, ?, ?)", self._versions.new())
        run(_UNPLACE, changes.unplaced)
        run("DELETE FROM inside WHERE n = ?", [(n,) for n in changes.gone])
        run("INSERT OR REPLACE INTO inside VALUES (?, ?, ?, ?, ?, ?, ?)", list(_rows(changes.inside)))
        run("INSERT INTO places VALUES (?, ?, ?, ?)", changes.placed)
        run(_COUNT.format(table="people", marks="?, ?, ?"), [(*key, n) for key, n in changes.people.items()])
        run(
            _COUNT.format(table="happened", marks="?, ?, ?, ?"),
            [(*key, n) for key, n in changes.happened.items()],
        )
        run(
            _COUNT.format(table="stays", marks="?, ?, ?, ?, ?"),
            [(*key, n) for key, n in changes.stays.items()],
        )
        run("UPDATE inside SET person = ? WHERE person = ?", changes.renamed)
        self._expire(changes)

    def _expire(self, changes: Changes) -> None:
        """Drop the hours and days that nobody may ask for any more; the totals have them."""
        newest = max((hour for _, hour, _ in changes.happened), default=0)
        if newest > self._newest_hour:
            self._newest_hour = newest
            oldest = newest - KEPT_HOURS
            self._connection.execute("DELETE FROM happened WHERE hour > ? AND hour < ?", (ALL, oldest))
            self._connection.execute("DELETE FROM stays WHERE day > ? AND day < ?", (ALL, oldest // 24))


_UNPLACE = "DELETE FROM places WHERE version = ? AND state = ? AND since = ? AND n = ?"


def _rows(inside: Mapping[str, Enrolled]) -> Iterator[tuple[object, ...]]:
    for enrolment, one in inside.items():
        yield (one.n, enrolment, one.version, one.person, one.key, one.entered_at, _text(one.states))


def _span(since: int | None, until: int | None, unit_ms: int) -> tuple[int, int]:
    """Return the first and the last unit that lies in a time; where none is asked for, that of the totals."""
    if since is None and until is None:
        return ALL, ALL
    return max(0, (since or 0) // unit_ms), (1 << 62 if until is None else until // unit_ms)


def _text(value: object) -> str:
    return _encode(value).decode()
