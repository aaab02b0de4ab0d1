"""Playing: an import's batches through log, engine and store, each at work while the others are.

The control `$play` says in the log where it begins, and `$played`, where somebody serves again. Between them
time itself is history: whoever enters by the clock or a segment is a shadow, as who enters by an event is.

The log and the store spend their time in SQLite and fsync, without the interpreter's lock: while the engine
is at one batch, the next is appended on a thread of its own, and what the last came to is stored on another.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from sojourn.definitions.controls import PLAY, PLAYED, control_event
from sojourn.model.event import Entry, Event, FailedEvent
from sojourn.model.ports import Appended
from sojourn.runtime.driver import Driver

# A hundred thousand rows are in memory, and no cycles: at Python's own 700 a fifth of an import went into
# looking for some.
COLLECT_AT = (50_000, 20, 100)


class Player:
    """One import into one house. Leaving it without an error waits until all is processed and stored.

    Leaving it with one waits only for what is under way: whatever the log has is processed at the next start.
    Either way the play goes on, for another import, until `end_play`. A driver that keeps its catalogue plays
    without controls.
    """

    def __init__(self, driver: Driver, *, now: Callable[[], int]) -> None:
        self._driver = driver
        self._now = now
        self._waiting: Sequence[Entry] = ()
        self._storing: Future[None] | None = None
        self._collected_at = gc.get_threshold()
        self._log_thread = ThreadPoolExecutor(1, thread_name_prefix="log")
        self._store_thread = ThreadPoolExecutor(1, thread_name_prefix="store")

    def append(self, events: Sequence[Event], failed: Sequence[FailedEvent]) -> Appended:
        """Append a batch as a shadow, at its own time; return once it is durable.

        Meanwhile the engine takes the batch before.
        """
        if events:
            _begin_play(self._driver)
        appending = self._log_thread.submit(self._append, events, failed)
        self._process(self._waiting)
        self._waiting = ()
        appended = appending.result()
        self._waiting = appended.entries
        return appended

    def __enter__(self) -> Player:
        gc.set_threshold(*COLLECT_AT)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._process(self._waiting)
                self._stored()
        finally:
            self._log_thread.shutdown()
            self._store_thread.shutdown()
            gc.set_threshold(*self._collected_at)

    def _append(self, events: Sequence[Event], failed: Sequence[FailedEvent]) -> Appended:
        return self._driver.log.append(events, now=self._now(), failed=failed, play=True, shadow=True)

    def _process(self, entries: Sequence[Entry]) -> None:
        """Take entries, the next in the log, and the timers due by the last of them."""
        waiting = deque(entries)
        while waiting:
            self._process_batch(*self._driver.next_batch(waiting))

    def _process_batch(self, entries: Sequence[Entry], until: int) -> None:
        driver = self._driver
        while True:
            if not driver.timers.reaches(until):
                self._stored()
                driver.timers.extend(until)
            commit = driver.process(entries, until=until)
            if commit is not None:
                self._stored()
                driver.keep_failed()
                self._storing = self._store_thread.submit(driver.store.commit, commit)
            entries = ()
            if not driver.has_due(until):
                return

    def _stored(self) -> None:
        """Wait for the commit under way; raises what it failed with."""
        if self._storing is not None:
            self._storing.result()
            self._storing = None


def _begin_play(driver: Driver) -> None:
    """Say in the log that it is imports from here on, where it does not say so yet."""
    if driver.controls is not None and not driver.catalogue.is_playing:
        driver.bring(control_event(PLAY, {}, after=driver.position, now=driver.clock))


def end_play(driver: Driver) -> None:
    """Say in the log that imports are over, where there were any: so does whoever serves, at first."""
    if driver.catalogue.is_playing:
        driver.bring(control_event(PLAYED, {}, after=driver.position, now=driver.clock))
