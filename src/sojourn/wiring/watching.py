"""Watching: what an operator looks at in a server, joined: hooks, counts that last, and measures."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from sojourn.config import Config
from sojourn.model.operating import OperatingView, Took
from sojourn.model.ports import Lookups
from sojourn.runtime.books import DOCUMENT as BOOKS
from sojourn.runtime.books import Books
from sojourn.runtime.lane import Meter, Result
from sojourn.runtime.live import Live, Observer
from sojourn.runtime.outbox import OutboxWorker
from sojourn.server.metrics import Metrics
from sojourn.server.pulse import Progress, Pulse
from sojourn.server.sources import Sources
from sojourn.server.tail import Tail
from sojourn.wiring.house import House, now_ms
from sojourn.wiring.lakeside import Lakeside
from sojourn.wiring.looking import SOURCES, Known
from sojourn.wiring.operating import Operator, Surroundings

KEEP_S = 10.0  # so much of the counts is lost where the process is killed.
MEASURED_S = 10.0  # how long the size of the folder is believed: it is a walk through all its files.


class Watch(Observer):
    """Hears what the runtime does, tells the metrics, and whoever looks."""

    def __init__(self, metrics: Observer) -> None:
        self._metrics = metrics
        self.pulse: Pulse | None = None
        """Set while somebody looks."""

    def appended(self, *, n_events: int, n_duplicates: int, n_failed: int) -> None:
        """One append is durable."""
        self._metrics.appended(n_events=n_events, n_duplicates=n_duplicates, n_failed=n_failed)

    def committed(self, *, n_entries: int, lag: int, latencies_ms: Sequence[int], n_actions: int) -> None:
        """One commit is durable."""
        self._metrics.committed(n_entries=n_entries, lag=lag, latencies_ms=latencies_ms, n_actions=n_actions)
        if self.pulse is not None:
            self.pulse.moved()


class Watching:
    """All of them, of one server."""

    def __init__(self, config: Config, house: House, live: Live, *, watch: Watch, lakeside: Lakeside) -> None:
        self._config = config
        self._house = house
        self._live = live
        self._lakeside = lakeside
        self.sources = Sources(house.store.kept(SOURCES))
        self.books = Books(house.store.kept(BOOKS), now=now_ms)
        self.pulse = Pulse(
            self._progress, house.journeys, watch=lambda n_open: _set(watch, self.pulse if n_open else None)
        )
        self.tail = Tail(watch=self._watch_appends)
        self._size = Size(config.data)
        self._stopping = asyncio.Event()

    def operator(self, outbox: OutboxWorker, lookups: Lookups) -> Operator:
        """Return what answers an operator."""
        around = Surroundings(
            log=self._house.driver.log,
            accept=self._live.accept,
            sources=self.sources,
            books=self.books,
            pulse=self.pulse,
            tail=self.tail,
            known=Known.of(self._config),
            lookups=lookups,
            outbox=outbox,
            measure=self.measure,
        )
        return Operator(self._house, around)

    async def run(self) -> None:
        """Keep the counts now and then, until `stop`; and once more then."""
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(KEEP_S):
                    await self._stopping.wait()
            for name, counts in ((SOURCES, self.sources), (BOOKS, self.books)):
                if counts.has_changed:
                    document, keep = counts.document(), self._house.store.keep
                    loop = asyncio.get_running_loop()
                    await loop.run_in_executor(self._live.store_thread, keep, name, document)

    def watch(self, metrics: Metrics) -> None:
        """Offer what is to be known of the streams."""
        pulse, tail = self.pulse, self.tail
        metrics.watch(
            "sojourn_screens_open", "Streams that operators look at", lambda: pulse.n_open + tail.n_open
        )
        metrics.watch_total(
            "sojourn_screens_dropped",
            "Streams for operators let go because their reader was slow",
            lambda: pulse.n_slow + tail.n_slow,
        )

    def hang_up(self) -> None:
        """End the streams: a server that stops waits for whoever is connected."""
        self.pulse.close()
        self.tail.close()

    def stop(self) -> None:
        """Have `run` end."""
        self._stopping.set()

    def measure(self) -> OperatingView:
        """Measure what an operator looks at; any thread may ask."""
        report, is_written = self._lakeside.report, self._config.lake.enabled
        n_bytes, free = self._size.now()
        return OperatingView(
            commits=took(list(self._live.commit_ms)),
            lake_position=report.position if is_written else None,
            lake_lag_ms=report.lag_ms if is_written else None,
            data_bytes=n_bytes,
            free_bytes=free,
        )

    def _progress(self) -> Progress:
        stored = self._house.store.progress()
        return Progress(
            position=stored.position, clock=stored.clock, lag=max(0, self._live.appended - stored.position)
        )

    def _watch_appends(self, n_open: int) -> None:
        self._live.on_appended = self.tail.heard if n_open else None


class SinkMeter(Meter):
    """Tells two meters the same."""

    def __init__(self, *meters: Meter) -> None:
        self._meters = meters

    def attempted(self, sink: str, result: Result, took_ms: int) -> None:
        for meter in self._meters:
            meter.attempted(sink, result, took_ms)

    def refused(self, sink: str, reason: str) -> None:
        for meter in self._meters:
            meter.refused(sink, reason)

    def in_flight(self, sink: str, n_actions: int) -> None:
        for meter in self._meters:
            meter.in_flight(sink, n_actions)

    def paused(self, sink: str, *, is_paused: bool) -> None:
        for meter in self._meters:
            meter.paused(sink, is_paused=is_paused)

    def throttled(self, sink: str) -> None:
        for meter in self._meters:
            meter.throttled(sink)


class Size:
    """How much a folder takes, looked at now and then."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._at = float("-inf")
        self._n_bytes = 0

    def now(self) -> tuple[int, int]:
        """Return what its files have, and what its disk has left; bytes."""
        if time.monotonic() - self._at > MEASURED_S:
            self._n_bytes, self._at = size_of(self._folder), time.monotonic()
        return self._n_bytes, shutil.disk_usage(self._folder).free


def size_of(folder: Path) -> int:
    """Add up the files in a folder; one that goes meanwhile has none."""
    n_bytes = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                n_bytes += (Path(place) / name).lstat().st_size
    return n_bytes


def took(times_ms: Sequence[float]) -> Took | None:
    """Say how long something took, over some times; None where there is none.

    >>> took([1.0, 3.0, 2.0])
    Took(n=3, p50=2.0, p95=3.0)
    """
    if not times_ms:
        return None
    ordered = sorted(times_ms)
    middle, late = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.95))
    return Took(n=len(ordered), p50=round(middle, 3), p95=round(late, 3))


def _set(watch: Watch, pulse: Pulse | None) -> None:
    watch.pulse = pulse
