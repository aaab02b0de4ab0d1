"""Erasing: the bytes of somebody who was forgotten leave the log, the facts, failed events and the lake.

Everything is found first, and written down as numbers and tombstones (`forget/` in the data folder); then it
is written over. A crash in between begins with what was written down; all of it can be done twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace

from sojourn.adapters.lake.durable import replace_file
from sojourn.adapters.sqlite import SqliteLog, SqliteStore
from sojourn.adapters.sqlite.erasing import Finder, padded
from sojourn.adapters.sqlite.groups import NO_FACTS, decode_facts, encode_groups
from sojourn.adapters.sqlite.traffic import FILE as TRAFFIC
from sojourn.adapters.sqlite.traffic import SqliteTraffic
from sojourn.engine.forgetting import (
    Belongings,
    Ownership,
    Window,
    erased_control,
    strange_devices,
)
from sojourn.model.event import Entry
from sojourn.model.fact import Fact, IdentityRefused
from sojourn.model.lake import Gone, Renamed
from sojourn.model.ports import Told
from sojourn.runtime import books, forgotten
from sojourn.runtime.forgotten import Waiting
from sojourn.runtime.tallies import Tallies
from sojourn.wiring.house import House, now_ms
from sojourn.wiring.named import failed_of

T = TypeVar("T")

FOLDER = "forget"
BATCH_ROWS = 32  # rows of facts written over in one transaction.
REST = 2.0  # times as long as a piece of work took: the engine's turn.
RETRY_S, MAX_RETRY_S = 0.5, 5.0  # between two looks whether a reader has left; a stop waits as long.

_encode = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode

log = structlog.get_logger("sojourn")


class Traffic(Protocol):
    """What counts traffic from the facts, and has rows of whoever is inside a journey."""

    def counted(self, group: int, check: Callable[[], None]) -> bool:
        """Wait until a group of facts is counted; return whether it is; `check` raises what ends it early."""

    def recount(self) -> None:
        """Forget every count, to begin with the first fact that is left."""


class Plan(Struct, frozen=True, kw_only=True):
    """What was found of somebody."""

    left: list[Entry]
    """What takes the place of entries."""
    windows: list[Window]
    shared: list[str]
    groups: list[int]
    """Groups of facts with something of theirs."""
    gone: Gone
    """The same for the lake: numbers only."""


class Erasing:
    """Erases those who wait for it, one after the other; on a thread of its own."""

    def __init__(
        self,
        data: Path,
        house: House,
        *,
        tell: Callable[[Callable[[], None]], None],
        lake: Callable[[], None],
        traffic: Traffic,
        check: Callable[[], None],
        rest: float = REST,
    ) -> None:
        """Erase in a folder.

        Args:
            data: The folder.
            house: Open to write in it.
            tell: Does something where the engine runs, and returns when what it changed is stored.
            lake: Called again and again while a plan for the lake is there; it waits, or does it.
            traffic: Who has to have counted that somebody was forgotten, before the facts of it go.
            check: Raises what ends the work early; called often.
            rest: How long to rest after each piece of work, in times of what it took.
        """
        assert isinstance(house.log, SqliteLog), "a house that is open to write has its own log"
        assert isinstance(house.store, SqliteStore)
        self._data = data
        self._house = house
        self._log, self._store = house.log, house.store
        self._tell = tell
        self._lake = lake
        self._traffic = traffic
        self._check = check
        self._rest = rest

    def erase(self, waiting: Waiting) -> None:
        """Leave nothing of somebody but the tombstones and the row in the ledger."""
        began = time.monotonic()
        request = waiting.forgetting.request
        self._stage(request, "log")
        is_new = not (self._data / FOLDER / f"{request}.json").exists()
        plan = self._plan(waiting)
        belongings = Belongings(waiting.forgetting, shared=plan.shared, windows=plan.windows)
        self._overwrite_log(plan.left)
        row = self._house.driver.forgotten.row(request)
        n_failed = self._erase_failed(waiting) or (0 if row is None else row.n_failed)
        self._stage(request, "facts", n_events=len(plan.left), n_failed=n_failed)
        is_counted = is_new and self._traffic.counted(self._told(waiting).group, self._check)
        self._overwrite_facts(plan.groups, belongings)
        if not is_counted:
            self._traffic.recount()
        self._tell(self._house.driver.repay)
        self._stage(request, "lake", n_facts=len(plan.gone.facts), n_withheld=self._told(waiting).n_withdrawn)
        n_files = self._erase_lake(request)
        self._stage(request, "traces", n_files=n_files)
        self._store.withdraw(belongings.has)
        self._erase_errors()
        self._overwrite_control(waiting, plan.shared)
        self._finish(request)
        self._store.discard(forgotten.told_in(waiting.position))
        (self._data / FOLDER / f"{request}.json").unlink(missing_ok=True)
        self.clean()
        took_ms = round(1000 * (time.monotonic() - began))
        self._change(request, stage="done", finished_at=now_ms(), took_ms=took_ms)
        log.info("somebody is forgotten", request=request, entries=len(plan.left), took_ms=took_ms)

    def clean(self) -> None:
        """Leave no trace of what was written over."""
        left, wait_s = [self._store.clean, self._log.clean, self._clean_traffic], RETRY_S
        while left := [each for each in left if not each()]:  # each writes whole tables: none twice
            self._check()
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, MAX_RETRY_S)

    def _clean_traffic(self) -> bool:
        if not (self._data / TRAFFIC).exists():
            return True
        with closing(SqliteTraffic(self._data)) as traffic:
            return traffic.clean()

    def clean_up(self) -> None:
        """Finish what a crash left of requests of which nothing but traces was left."""
        asked = self._house.driver.forgotten
        waiting = {one.forgetting.request for one in asked.waiting}
        left = [row for row in asked.ledger if row.finished_at is None and row.request_id not in waiting]
        if left:
            self.clean()
        for row in left:
            self._change(row.request_id, stage="done", finished_at=now_ms())

    # -- Finding.

    def _plan(self, waiting: Waiting) -> Plan:
        """Find everything, or read what was found before a crash."""
        path = self._data / FOLDER / f"{waiting.forgetting.request}.json"
        if path.exists():
            return msgspec.json.decode(path.read_bytes(), type=Plan)
        finder = Finder(self._data)
        try:
            owned, shared = self._owned(finder, waiting)
            belongings = Belongings(waiting.forgetting, shared=shared, windows=owned.windows)
            groups, gone = self._found_facts(finder, waiting, belongings)
        finally:
            finder.close()
        left = [owned.left[position] for position in sorted(owned.left)]
        gone = replace(gone, positions=[entry.position for entry in left])
        plan = Plan(left=left, windows=owned.windows, shared=sorted(shared), groups=groups, gone=gone)
        path.parent.mkdir(exist_ok=True)
        replace_file(path, _encode(plan))
        return plan

    def _owned(self, finder: Finder, waiting: Waiting) -> tuple[Ownership, set[str]]:
        """Read all entries that have an id of theirs, and those of devices they were strangers at."""
        forgetting = waiting.forgetting
        ids = {*forgetting.users, *forgetting.devices}
        shared = set(waiting.shared)
        users = self._entries(finder, forgetting.users, waiting.position)
        strange = strange_devices(forgetting, users) if forgetting.users else set()
        owned = Ownership(forgetting, shared=shared | strange)
        for entry in self._entries(finder, ids | strange, waiting.position):
            owned.take(entry)
        return owned, shared | strange

    def _entries(self, finder: Finder, ids: Iterable[str], before: int) -> Iterable[Entry]:
        needles = [_encode(each) for each in sorted(ids)]
        for _, _, entries in self._resting(finder.entries(needles, through=before)):
            yield from (entry for entry in entries if entry.position < before)

    def _found_facts(
        self, finder: Finder, waiting: Waiting, belongings: Belongings
    ) -> tuple[list[int], Gone]:
        ids = sorted({*waiting.forgetting.users, *waiting.forgetting.devices, *waiting.shared})
        needles = [_pack(prefix + each) for each in ids for prefix in ("u:", "a:")]
        needles += [_pack(each) for each in waiting.forgetting.users]
        touched: list[int] = []
        facts: list[tuple[int, int]] = []
        renamed: list[Renamed] = []
        last = self._told(waiting).group
        for first, _, groups in self._resting(finder.groups(needles, through=last)):
            for number, (_, body) in enumerate(groups, first):
                if number > last or not any(each in body for each in needles):
                    continue
                changed = [
                    (number, n, fact, left)
                    for n, fact in enumerate(decode_facts(body))
                    if (left := belongings.left(fact)) is not fact
                ]
                touched += [number] if changed else []
                facts += [(number, n) for number, n, _, left in changed if left is None]
                renamed += [_renamed(number, n, left) for number, n, _, left in changed if left is not None]
        return touched, Gone(facts=facts, renamed=renamed)

    # -- Writing over.

    def _overwrite_log(self, left: list[Entry]) -> None:
        waiting = {entry.position: entry for entry in left}
        for first, body, entries in self._resting(self._blocks(sorted(waiting))):
            del first
            changed = [waiting.get(entry.position, entry) for entry in entries]
            new = padded(_encode(changed), len(body))
            if new != body:
                self._log.overwrite(entries[0].position, new)

    def _blocks(self, positions: list[int]) -> Iterable[tuple[int, bytes, list[Entry]]]:
        """Yield each block that has one of some positions, once."""
        finder = Finder(self._data)
        done = 0
        try:
            for position in positions:
                if position > done:
                    block = finder.block(position)
                    done = block[2][-1].position
                    yield block
        finally:
            finder.close()

    def _overwrite_facts(self, numbers: list[int], belongings: Belongings) -> None:
        off = Tallies(forgotten.Debt())
        rows: list[tuple[int, bytes]] = []
        for first, groups in self._resting(self._commits(numbers)):
            chosen = set(numbers)
            new = []
            for number, (before, body) in enumerate(groups, first):
                facts = decode_facts(body) if number in chosen else []
                left = [belongings.left(fact) for fact in facts]
                off.take_back(fact for fact, one in zip(facts, left, strict=True) if one is None)
                kept = [one for one in left if one is not None]
                if number not in chosen or left == facts:
                    new.append((before, body))
                else:
                    new.append((before, _pack(kept) if kept else NO_FACTS.ljust(len(body), b"\0")))
            rows.append((first, encode_groups(new)))
            if len(rows) >= BATCH_ROWS:
                self._store_facts(rows, off)
                rows = []
        self._store_facts(rows, off)

    def _store_facts(self, rows: list[tuple[int, bytes]], off: Tallies) -> None:
        debt = forgotten.Debt(off.documents())
        self._store.overwrite_facts(rows, {forgotten.DEBT: _encode(debt)})

    def _commits(self, numbers: list[int]) -> Iterable[tuple[int, list[tuple[int, bytes]]]]:
        finder = Finder(self._data)
        done = 0
        try:
            for number in numbers:
                if number > done:
                    first, groups = finder.commit(number)
                    done = first + len(groups) - 1
                    yield first, groups
        finally:
            finder.close()

    def _erase_failed(self, waiting: Waiting) -> int:
        ids = {*waiting.forgetting.users, *waiting.forgetting.devices} - set(waiting.shared)
        finder = Finder(self._data)
        try:
            found = failed_of(finder, ids)
        finally:
            finder.close()
        self._log.erase_failed(found)
        return len(found)

    def _erase_errors(self) -> None:
        """Leave nothing that a destination said: it may have named whom it was sent something for."""
        kept = self._store.kept(books.DOCUMENT)
        if kept is not None:
            self._store.keep(books.DOCUMENT, books.without_errors(kept))

    def _erase_lake(self, request: str) -> int:
        """Have the lake's writer write files anew; return how many."""
        place = self._data / "lake" / FOLDER
        plan, done = place / f"{request}.json", place / f"{request}.done"
        if not done.exists():
            if not (self._data / "lake" / "progress.json").exists():
                return 0
            gone = msgspec.json.decode((self._data / FOLDER / f"{request}.json").read_bytes(), type=Plan).gone
            place.mkdir(exist_ok=True)
            replace_file(plan, _encode(gone))
        while not done.exists():
            self._lake()
        n_files = int(done.read_bytes() or b"0")
        done.unlink()
        return n_files

    def _overwrite_control(self, waiting: Waiting, shared: list[str]) -> None:
        (block,) = self._blocks([waiting.position])
        first, body, entries = block
        changed = [
            erased_control(entry, shared=shared) if entry.position == waiting.position else entry
            for entry in entries
        ]
        self._log.overwrite(first, padded(_encode(changed), len(body)))

    # -- Telling.

    def _told(self, waiting: Waiting) -> Told:
        raw = self._house.store.kept(forgotten.told_in(waiting.position))
        return Told(0, 0) if raw is None else msgspec.json.decode(raw, type=Told)

    def _stage(self, request: str, stage: str, **counts: int) -> None:
        self._change(request, stage=stage, **counts)

    def _finish(self, request: str) -> None:
        def finish() -> None:
            self._house.driver.forgotten.finish(request)

        self._tell(finish)

    def _change(self, request: str, **fields: Any) -> None:
        asked = self._house.driver.forgotten

        def change() -> None:
            row = asked.row(request)
            if row is not None:
                asked.tell(replace(row, **fields))

        self._tell(change)

    def _resting(self, pieces: Iterable[T]) -> Iterable[T]:
        """Rest after each piece of work, in proportion."""
        began = time.monotonic()
        for piece in pieces:
            yield piece
            self._check()
            took = time.monotonic() - began
            time.sleep(min(took * self._rest, 1.0))
            began = time.monotonic()


def _renamed(number: int, n: int, left: Fact) -> Renamed:
    assert isinstance(left, IdentityRefused), "of others' facts only who was refused is changed"
    return Renamed(number, n, left.other_id, left.message_id)
