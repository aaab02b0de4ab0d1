"""The lakeside: the process that writes the lake beside a server, and the server's hold on it.

They talk by lines: its input says `stop`, or ends where the server is gone; its output says how it is doing.
"""

from __future__ import annotations

import resource
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog
from msgspec import Struct

from sojourn.config import Config
from sojourn.config import Lake as Settings
from sojourn.model.errors import ConfigError
from sojourn.runtime.lake import Follower
from sojourn.wiring import child
from sojourn.wiring.encoding import Encoder
from sojourn.wiring.lake import open_to_write, pace_of

if TYPE_CHECKING:
    from sojourn.adapters.lake import ParquetLake

FIRST_RETRY_MS = 1_000
MAX_RETRY_MS = 60_000
FINISH_S = 5.0  # for the last slices, when the server stops; what is left is written at the next start.
REPORT_MS = 1_000
REFUSED = 2
"""Exit code: it cannot go on before somebody does something."""

_WHAT_TO_DO = "nothing is lost, the log has it all; where the disk is full, make room: it is tried again"

log = structlog.get_logger("sojourn")


class Report(Struct, kw_only=True):
    """What the writer says of itself, a line each time."""

    position: int = 0
    """The last log entry written."""
    lag_ms: int = 0
    """How long the oldest that is not written has waited."""
    n_events: int = 0
    """How many it wrote since it began."""
    n_files: int = 0
    n_bytes: int = 0
    cpu_s: float = 0.0
    """Processor time since it began, with that of the encoders that have ended."""
    error: str = ""
    """What it failed with since its last line."""


# -- The server's side.


class Lakeside:
    """The writer as the server sees it: kept running, and heard."""

    def __init__(self, config: Config) -> None:
        settings = msgspec.json.encode(config.lake).decode()
        self._kept = child.Kept(
            child.module(__name__, str(config.data), settings),
            what="the lake's writer",
            finish_s=FINISH_S + 1,
            hear=self._hear,
            on_end=self._sum_up,
            final=(REFUSED,),
        )
        self._cpu_s_before = 0.0
        self._n_errors = 0
        self.report = Report()
        """The newest."""

    @property
    def cpu_s(self) -> float:
        """Processor time of all writers so far."""
        return self._cpu_s_before + self.report.cpu_s

    @property
    def n_failures(self) -> int:
        """How often one ended, or could not write."""
        return self._kept.n_failures + self._n_errors

    async def run(self) -> None:
        """Keep a writer running until `stop`, or until one says that it cannot go on."""
        await self._kept.run()

    async def stop(self) -> None:
        """Let it write what is there, and end; what takes too long is left to the next start."""
        await self._kept.stop()

    def _sum_up(self) -> None:
        self._cpu_s_before, self.report.cpu_s = self.cpu_s, 0.0

    def _hear(self, line: bytes) -> None:
        self.report = report = msgspec.json.decode(line, type=Report)
        if report.error:
            self._n_errors += 1
            log.error("the lake cannot be written", error=report.error, do=_WHAT_TO_DO)


# -- The writer's side.


class _Writer:
    """The writer of one folder's lake, in its own process."""

    def __init__(self, data: Path, settings: Settings, stopping: threading.Event) -> None:
        self._data = data
        self._settings = settings
        self._stopping = stopping
        self._told_at = 0
        self._told = Report()

    def run(self) -> int:
        """Write until told to stop; return the exit code."""
        retry_ms = FIRST_RETRY_MS
        while True:
            try:
                self._follow()
                return 0
            except ConfigError as error:
                self._tell(Report(error=str(error)))
                return REFUSED
            except OSError as error:
                self._tell(Report(error=f"{type(error).__name__}: {error}"))
                if self._stopping.wait(retry_ms / 1000):
                    return 1
                retry_ms = min(2 * retry_ms, MAX_RETRY_MS)

    def _follow(self) -> None:
        with ExitStack() as stack:
            tail, lake = stack.enter_context(open_to_write(self._data, wait=True))
            encoder = Encoder(self._data) if self._settings.encoded else None
            if encoder is not None:
                stack.callback(encoder.stop)
            follower = Follower(tail, lake, now=now_ms, pace=pace_of(self._settings))
            while not self._stopping.is_set():
                wait_ms = follower.turn()
                if encoder is not None:
                    encoder.turn(lake.reach.position)
                if wait_ms or now_ms() - self._told_at >= REPORT_MS:
                    self._tell(_report(follower, lake))
                self._stopping.wait(wait_ms / 1000)
            deadline = time.monotonic() + FINISH_S
            follower.catch_up(until=lambda: time.monotonic() > deadline)
            self._tell(_report(follower, lake))

    def _tell(self, report: Report) -> None:
        """Say it, where there is something new to say."""
        if report == self._told:
            return
        self._told, self._told_at = report, now_ms()
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
        sys.stdout.flush()


def _report(follower: Follower, lake: ParquetLake) -> Report:
    size, ended = lake.size(), resource.getrusage(resource.RUSAGE_CHILDREN)
    return Report(
        position=lake.reach.position,
        lag_ms=follower.lag_ms,
        n_events=follower.n_events,
        n_files=size.n_files,
        n_bytes=size.n_bytes,
        cpu_s=round(time.process_time() + ended.ru_utime + ended.ru_stime, 2),
    )


def main() -> int:
    """Write the lake of the folder named first, with the settings named second (JSON)."""
    data, settings = Path(sys.argv[1]), msgspec.json.decode(sys.argv[2], type=Settings)
    stopping = threading.Event()
    child.until_told(stopping)
    return _Writer(data, settings, stopping).run()


def now_ms() -> int:
    """Return the wall clock, ms."""
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
