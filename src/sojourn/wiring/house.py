"""The house: one data folder, opened: to write in by one process at a time, to read in by any."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from msgspec import Struct

from sojourn import __version__
from sojourn.adapters.sqlite import SqliteLog, SqliteStore, lock_folder
from sojourn.config import Config
from sojourn.definitions.journey import Catalogue
from sojourn.model.action import Letter
from sojourn.model.event import Event, FailedEvent
from sojourn.model.ports import Appended, Log, Outbox, Store
from sojourn.model.views import JourneyView, ProfileView, StatusView
from sojourn.runtime.driver import Driver
from sojourn.runtime.reading import find_profile
from sojourn.runtime.tallies import Tallies
from sojourn.wiring.inforce import bring_into_force, last_catalogue, read_journeys

DAY_MS = 86_400_000


def now_ms() -> int:
    """Return the wall clock, ms."""
    return time.time_ns() // 1_000_000


class Readings(Struct, frozen=True):
    """What can be asked of a folder, open to write or not."""

    log: Log
    store: Store
    outbox: Outbox
    catalogue: Catalogue

    def profile(self, any_id: str, *, limit: int = 100) -> ProfileView | None:
        """Find a person by any id."""
        return find_profile(self.store, any_id, limit=limit)

    def journeys(self) -> list[JourneyView]:
        """Return every journey somebody can be in."""
        return Tallies(self.store).views(self.catalogue)

    def failed(self, *, limit: int = 100, before: int | None = None) -> Sequence[FailedEvent]:
        """Return failed events, newest first."""
        return self.log.failed(limit=limit, before=before)

    def dead(self, *, limit: int = 100) -> Sequence[Letter]:
        """Return dead letters, newest first."""
        return self.outbox.dead(limit=limit)

    def status(self) -> StatusView:
        """Return how the house is doing."""
        progress = self.store.progress()
        return StatusView(
            version=__version__,
            position=progress.position,
            log_end=self.log.end(),
            clock=progress.clock,
            counts=dict(self.store.counts()),
        )


class House(Readings, frozen=True):
    """A folder open to write in."""

    driver: Driver

    def append(
        self,
        events: Sequence[Event],
        failed: Sequence[FailedEvent] = (),
        *,
        play: bool = False,
        shadow: bool = False,
    ) -> Appended:
        """Append events and process them, durably; what an import calls."""
        appended = self.log.append(events, now=now_ms(), failed=failed, play=play, shadow=shadow)
        self.driver.take(appended.entries)
        return appended


@contextmanager
def open_house(config: Config) -> Iterator[House]:
    """Open a data folder to write in: lock it, finish what a crash left, bring the definitions into force.

    Raises ConfigError (the folder is in use, a setting is wrong) and DefinitionError (all problems of all
    journeys).
    """
    journeys = read_journeys(config)
    with ExitStack() as stack:
        stack.callback(lock_folder(config.data).close)
        store = SqliteStore(config.data)
        stack.callback(store.close)
        log = SqliteLog(
            config.data, window_days=max(1, config.dedup_window_ms // DAY_MS), floor=store.progress().clock
        )
        stack.callback(log.close)
        before = last_catalogue(config, store)
        if before is not None:
            Driver(log, store, before).catch_up()
        catalogue = bring_into_force(config, store, journeys)
        driver = Driver(log, store, catalogue)
        driver.catch_up()
        yield House(log, store, store.outbox, catalogue, driver)


@contextmanager
def open_readings(config: Config) -> Iterator[Readings]:
    """Open a data folder only to read in, beside a process that may be writing."""
    raise NotImplementedError
