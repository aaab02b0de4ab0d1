"""The house: one data folder, opened: to write in by one process at a time, to read in by any."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

import msgspec
import structlog
from msgspec import Struct

from sojourn import __version__
from sojourn.adapters.sqlite import SqliteLog, SqliteLogReader, SqliteStore, lock_folder, refuse_moved
from sojourn.config import Config
from sojourn.definitions.journey import Catalogue
from sojourn.definitions.planning import load_texts
from sojourn.definitions.publishing import InForce
from sojourn.engine.decisions import Decision
from sojourn.model.action import Letter
from sojourn.model.errors import ConfigError
from sojourn.model.event import Entry, FailedEvent
from sojourn.model.ports import Outbox, Place, Store
from sojourn.model.views import (
    ExplanationView,
    ForgottenRow,
    JourneyView,
    ProfileView,
    SegmentView,
    StatusView,
    VersionView,
)
from sojourn.runtime.controls import kept_in_force
from sojourn.runtime.deciding import decide_kept
from sojourn.runtime.driver import Driver
from sojourn.runtime.explaining import explain
from sojourn.runtime.forgotten import kept_ledger, under_way
from sojourn.runtime.importing import Player
from sojourn.runtime.membership import find_members
from sojourn.runtime.reading import find_profile
from sojourn.runtime.tallies import Tallies
from sojourn.wiring.desk import versions_of
from sojourn.wiring.inforce import (
    compiled,
    configured_texts,
    last_catalogue,
    last_in_force,
    publish_configured,
    tell_applied,
)
from sojourn.wiring.logs import set_up_logs

log = structlog.get_logger("sojourn")


def now_ms() -> int:
    """Return the wall clock, ms."""
    return time.time_ns() // 1_000_000


class ReadableLog(Protocol):
    """What can be asked of a log that somebody else may be writing."""

    def end(self) -> int:
        """Return the last position."""
        ...

    def read(self, after: int, limit: int) -> list[Entry]:
        """Return up to about `limit` entries with a position above `after`, in order."""
        ...

    def failed(self, *, limit: int = 100, before: int | None = None) -> list[FailedEvent]:
        """Return failed events, newest first."""
        ...


class Readings(Struct, frozen=True):
    """What can be asked of a folder, open to write or not."""

    log: ReadableLog
    store: Store
    outbox: Outbox
    catalogue: Catalogue
    """What was in force when it was opened."""

    def in_force(self) -> Catalogue:
        """Return what is in force, as far as this is kept up to date."""
        return self.catalogue

    def profile(self, any_id: str, *, limit: int = 100) -> ProfileView | None:
        """Find a person by any id."""
        return find_profile(self.store, any_id, limit=limit, catalogue=self.in_force())

    def explain(self, any_id: str, journey: str) -> ExplanationView | None:
        """Say why a person did or did not get what a journey sends."""
        return explain(self.store, self.in_force(), any_id, journey)

    def decide(self, any_id: str, context: Mapping[str, Any]) -> list[Decision]:
        """Say what each flag tells an application of a person."""
        return decide_kept(self.store, self.in_force(), any_id, now=now_ms(), context=context)

    def segment(self, name: str, *, limit: int, tell: Callable[[int], None]) -> SegmentView | None:
        """Count and list who is in a segment; None where no segment in force has the name."""
        if name not in self.in_force().segments:
            return None
        return find_members(self.store, name, limit=limit, tell=tell)

    def journeys(self) -> list[JourneyView]:
        """Return every journey somebody can be in."""
        return Tallies(self.store).views(self.in_force())

    def versions(self, journey: str) -> list[VersionView]:
        """Return the versions of a journey that are kept; raises InputError where there is none."""
        try:
            in_force = kept_in_force(self.store)
        except msgspec.ValidationError:  # of a release before there were controls; the next start mends it
            in_force = None
        return versions_of(in_force or InForce(), self.store, journey)

    def failed(self, *, limit: int = 100, before: int | None = None) -> Sequence[FailedEvent]:
        """Return failed events, newest first."""
        return self.log.failed(limit=limit, before=before)

    def dead(self, *, limit: int = 100, before: Place | None = None) -> Sequence[Letter]:
        """Return dead letters, newest first."""
        return self.outbox.dead(limit=limit, before=before)

    def status(self) -> StatusView:
        """Return how the house is doing."""
        progress = self.store.progress()
        return StatusView(
            version=__version__,
            position=progress.position,
            log_end=self.log.end(),
            clock=progress.clock,
            counts=dict(self.store.counts()),
            forgetting=self.forgetting(),
        )

    def forgetting(self) -> list[ForgottenRow]:
        """Return the requests to forget somebody that are not done, the one under way first."""
        return under_way(kept_ledger(self.store))


class House(Readings, frozen=True):
    """A folder open to write in."""

    driver: Driver

    def in_force(self) -> Catalogue:
        """Return what is in force now."""
        return self.driver.catalogue

    def forgetting(self) -> list[ForgottenRow]:
        """Return them as the engine has them."""
        return under_way(self.driver.forgotten.ledger)

    def play(self) -> Player:
        """Return what an import appends with, to be left before the house is."""
        return Player(self.driver, now=now_ms)


@contextmanager
def open_house(config: Config, *, publish: bool = True, moves: bool = False) -> Iterator[House]:
    """Open a data folder to write in: lock it, finish what a crash left, publish what the files say newly.

    Without `publish`, what is in force stays. With `moves` also one that was moved away, or is being moved.

    Raises ConfigError (the folder is in use, a setting is wrong) and DefinitionError (all problems of all
    journeys).
    """
    set_up_logs(config.log)
    texts = configured_texts(config) if publish else None
    if texts is not None:
        load_texts(texts)  # before anything is touched
    with ExitStack() as stack:
        stack.callback(lock_folder(config.data).close)
        if not moves:
            refuse_moved(config.data)
        store = SqliteStore(config.data)
        stack.callback(store.close)
        events = SqliteLog(config.data, window_ms=config.dedup_window_ms, floor=store.progress().clock)
        stack.callback(events.close)
        in_force = last_in_force(config, store)
        driver = Driver(events, store, compiled(in_force), in_force=in_force)
        assert driver.controls is not None
        driver.controls.on_applied = tell_applied
        n_recovered = driver.catch_up()
        if n_recovered:
            log.info("recovered what the last run had not processed", entries=n_recovered)
        if texts is not None:
            publish_configured(config, driver, texts)
        yield House(events, store, store.outbox, driver.catalogue, driver)


def has_data(config: Config) -> bool:
    """Tell whether anything was ever kept in the data folder."""
    return (config.data / "log.db").exists() and (config.data / "state.db").exists()


@contextmanager
def open_readings(config: Config) -> Iterator[Readings]:
    """Open a data folder only to read in, beside a process that may be writing.

    What it shows is from the instant it was opened, or a little newer. Raises ConfigError where nothing is
    there yet.
    """
    if not has_data(config):
        raise ConfigError(
            f"{config.data}: no data is there yet; `sojourn serve` and `sojourn import` make it, or name "
            "another folder with --data [no-data]"
        )
    with ExitStack() as stack:
        events = SqliteLogReader(config.data)
        stack.callback(events.close)
        store = SqliteStore(config.data)
        stack.callback(store.close)
        yield Readings(events, store, store.outbox, last_catalogue(config, store))
