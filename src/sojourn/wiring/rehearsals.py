"""Rehearsals: drafts rehearsed for whoever asks over HTTP, each in a process of its own, one at a time.

The process is told one job, says how far it is line by line, and at the end what it came to. It reads the
data folder, writes nothing but its scratch, and sends nothing. To cancel it is to end it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import shutil
import sys
import tempfile
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import structlog
from msgspec import Raw, Struct
from msgspec.structs import replace

from sojourn.config import Config
from sojourn.definitions.durations import parse_duration
from sojourn.model.authored import RehearsalView
from sojourn.model.errors import ConfigError, DefinitionError, InputError, UnavailableError
from sojourn.server.asked import Definition
from sojourn.server.rehearsals import Rehearse
from sojourn.wiring import child

SCRATCH = "rehearsing"
"""The folder in the data folder for what a rehearsal needs while it runs."""

MAX_WAITING = 8
"""Rehearsals asked for and not begun: later ones would wait longer than anybody looks on."""
MAX_KEPT = 20
"""Rehearsals that are remembered, the newest."""
MAX_REPORT_BYTES = 1 << 20  # some hundred people's stories; the event loop reads and writes it.
MAX_LINE_BYTES = MAX_REPORT_BYTES + 65_536
TIME_LIMIT_S = 900.0
"""For one rehearsal: some tens of millions of events. The command line has no limit."""
MEMORY_BYTES = 4 << 30
"""What one may take: the ids and the places of a hundred million events."""
TELL_SHARE = 0.005
"""So much further, and it says so."""
MAX_TRACE_CHARS = 8_000

Phase = Literal["reading", "playing", "living"]
_SPANS: Mapping[str, tuple[float, float]] = {
    "reading": (0.0, 0.4),
    "playing": (0.4, 1.0),
    "living": (0.0, 1.0),
}
"""What share of the whole each phase is, about."""

log = structlog.get_logger("sojourn")


class Job(Struct, kw_only=True):
    """What a process is told."""

    data: str
    steps: list[str]
    session_gap_ms: int
    asked: Rehearse
    now: int


class Told(Struct, kw_only=True, omit_defaults=True):
    """What a process says, a line each."""

    phase: str = ""
    progress: float = 0.0
    report: Any = None
    code: str = ""
    error: str = ""
    trace: str = ""
    """Of a bug."""


# -- The server's side.


class Rehearsals:
    """Those asked for, on one event loop: waiting, running, and the last ones that ended."""

    def __init__(self, config: Config, *, now: Callable[[], int], time_limit_s: float = TIME_LIMIT_S) -> None:
        self._config = config
        self._now = now
        self._time_limit_s = time_limit_s
        self._views: dict[str, RehearsalView] = {}
        self._jobs: dict[str, Job] = {}
        self._waiting: deque[str] = deque()
        self._process: asyncio.subprocess.Process | None = None
        self._running = ""
        self._worker: asyncio.Task[None] | None = None
        self._is_stopping = False
        self._n_asked = 0

    async def start(self, asked: Rehearse) -> RehearsalView:
        """Put a rehearsal into the queue."""
        if self._is_stopping:
            raise UnavailableError("the server is stopping; ask again when it is back")
        if len(self._waiting) >= MAX_WAITING:
            raise UnavailableError(f"{len(self._waiting)} rehearsals are waiting; ask again later")
        job = self._job(asked)
        self._n_asked += 1
        name = f"r{self._now()}-{self._n_asked}"
        self._views[name] = RehearsalView(
            id=name,
            kind=asked.kind,
            state="waiting",
            progress=0.0,
            phase="",
            asked_at=self._now(),
            ended_at=None,
        )
        self._jobs[name] = job
        self._waiting.append(name)
        self._forget_old()
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work(), name="rehearsals")
        return self._views[name]

    def rehearsals(self) -> list[RehearsalView]:
        """Return those that are remembered, the newest first, without their reports."""
        return [replace(view, report=None) for view in reversed(self._views.values())]

    def rehearsal(self, rehearsal_id: str) -> RehearsalView:
        """Return one."""
        found = self._views.get(rehearsal_id)
        if found is None:
            reason = f"there is no rehearsal {rehearsal_id[:100]!r}; the last {MAX_KEPT} are kept"
            raise InputError("unknown-rehearsal", reason, status=404)
        return found

    async def cancel(self, rehearsal_id: str) -> RehearsalView:
        """End one, where it has not ended."""
        found = self.rehearsal(rehearsal_id)
        if found.state == "waiting":
            self._waiting.remove(rehearsal_id)  # its place is somebody else's now
            del self._jobs[rehearsal_id]
        if found.state in ("waiting", "running"):
            self._end(found, "cancelled")
            if rehearsal_id == self._running:
                await self._kill()
        return found

    def forget(self) -> None:
        """Let go of reports, and of what runs: it may have read somebody who was forgotten since."""
        for view in self._views.values():
            view.report = None
            if view.state == "running":
                self._fail(view, "forgotten", "somebody was forgotten while it ran; ask again")
                if self._process is not None:
                    self._process.kill()

    async def stop(self) -> None:
        """End all of them, and the process."""
        self._is_stopping = True
        for view in self._views.values():
            if view.state in ("waiting", "running"):
                self._end(view, "cancelled")
        self._waiting.clear()
        await self._kill()
        if self._worker is not None:
            await self._worker

    def _job(self, asked: Rehearse) -> Job:
        """Make a job of what is asked; raises InputError."""
        if asked.last is not None and asked.since is not None:
            raise InputError("bad-parameter", "say from or last, not both")
        now = self._now()
        if asked.last is not None:
            asked = replace(asked, since=max(0, now - parse_duration(asked.last)))
        if asked.since is not None and asked.until is not None and asked.since >= asked.until:
            raise InputError("bad-parameter", "from: expected an instant before to")
        if asked.kind == "simulate" and (asked.since is not None or asked.until is not None):
            raise InputError("bad-parameter", "from, to and last are of a replay; a simulation has days")
        config = self._config
        return Job(
            data=str(config.data),
            steps=config.steps,
            session_gap_ms=config.session_gap_ms,
            asked=asked,
            now=now,
        )

    async def _work(self) -> None:
        while self._waiting:
            name = self._waiting.popleft()
            view, job = self._views[name], self._jobs.pop(name)
            self._running, view.state = name, "running"
            try:
                async with asyncio.timeout(self._time_limit_s):
                    await self._run(view, job)
            except TimeoutError:
                reason = f"took longer than {self._time_limit_s:g} s; ask for less time, or fewer people"
                self._fail(view, "too-slow", f"{reason}, or use `sojourn {job.asked.kind}`")
            except Exception as error:  # whoever looks on is told, and the next one is begun
                log.error("a rehearsal failed, by a bug of ours", exc_info=error)
                self._fail(view, "internal", "a bug of ours; the server's log has the traceback")
            finally:
                self._running = ""
                await self._kill()

    async def _run(self, view: RehearsalView, job: Job) -> None:
        command = child.module(__name__)
        self._process = process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=MAX_LINE_BYTES
        )
        assert process.stdout is not None, "it was started with pipes"
        with contextlib.suppress(ConnectionError):
            await child.say(process, msgspec.json.encode(job) + b"\n")
        async for line in process.stdout:
            self._hear(view, msgspec.json.decode(line, type=Told))
        if view.state == "running":
            self._fail(
                view, "no-answer", "the process that rehearses ended, maybe for want of memory; ask for less"
            )

    def _hear(self, view: RehearsalView, told: Told) -> None:
        if view.state != "running":
            return
        if told.trace:
            log.error("a rehearsal failed, by a bug of ours", traceback=told.trace)
            self._fail(view, "internal", "a bug of ours; the server's log has the traceback")
        elif told.code:
            self._fail(view, told.code, told.error)
        elif told.report is not None:
            view.report = told.report
            view.progress = 1.0
            self._end(view, "done")
        else:
            view.phase, view.progress = told.phase, max(view.progress, told.progress)

    def _fail(self, view: RehearsalView, code: str, error: str) -> None:
        if view.state in ("waiting", "running"):
            view.code, view.error = code, error
            self._end(view, "failed")

    def _end(self, view: RehearsalView, state: Literal["done", "failed", "cancelled"]) -> None:
        view.state, view.phase, view.ended_at = state, "", self._now()

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            scratch = Path(self._config.data) / SCRATCH
            await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)

    def _forget_old(self) -> None:
        ended = [name for name, view in self._views.items() if view.state not in ("waiting", "running")]
        for name in ended[: max(0, len(self._views) - MAX_KEPT)]:
            del self._views[name]


# -- The process's side.


def rehearsed(job: Job, scratch: Path, tell: Callable[[Phase, int, int], None]) -> bytes:
    """Rehearse as the command line does; return the report as JSON.

    Raises ConfigError, DefinitionError and InputError.
    """
    from sojourn.runtime.rehearsal import Window  # noqa: PLC0415 - the server needs no rehearsal
    from sojourn.wiring.rehearsing import Request, Simulation, run_replay, run_simulation  # noqa: PLC0415

    asked = job.asked
    config = Config(data=Path(job.data), steps=job.steps, session_gap_ms=job.session_gap_ms)
    drafts = [_written(scratch, number, each) for number, each in enumerate(asked.definitions)]
    if asked.kind == "replay":
        window = Window(asked.since, asked.until)
        report = run_replay(config, Request(drafts=drafts, window=window, n_examples=asked.n_examples), tell)
    else:
        simulation = Simulation(
            drafts=drafts,
            n_people=asked.n_people,
            n_days=asked.days,
            seed=asked.seed,
            n_examples=asked.n_examples,
        )
        report = run_simulation(config, simulation, tell)
    body = msgspec.json.encode(report)
    if len(body) > MAX_REPORT_BYTES:
        reason = f"the report has {len(body):,} bytes, of {MAX_REPORT_BYTES:,}; ask for fewer examples"
        raise InputError("too-large", reason, status=413)
    return body


def _written(scratch: Path, number: int, definition: Definition) -> Path:
    """Write a draft down where the command line would read it; two of one name stand apart."""
    folder = scratch / f"draft-{number}"
    folder.mkdir()
    file = folder / "draft.yaml"
    file.write_text(definition.text, encoding="utf-8")
    return file


def _named_as_asked(text: str, scratch: Path, job: Job) -> str:
    """Put the names that files were given in the place of where they were written."""
    for number, each in enumerate(job.asked.definitions):
        text = text.replace(str(scratch / f"draft-{number}" / "draft.yaml"), each.file)
    return text


def _told_of(job: Job, scratch: Path, tell: Callable[[Told], None]) -> Told:
    at = 0.0

    def hear(phase: Phase, done: int, total: int) -> None:
        nonlocal at
        low, high = _SPANS[phase]
        share = low + (high - low) * min(1.0, done / max(total, 1))
        if share - at >= TELL_SHARE:
            at = share
            tell(Told(phase=phase, progress=round(share, 4)))

    try:
        return Told(report=Raw(rehearsed(job, scratch, hear)))
    except DefinitionError as error:
        return Told(code="bad-definition", error=_named_as_asked(str(error), scratch, job))
    except InputError as error:
        return Told(code=error.code, error=error.reason)
    except ConfigError as error:
        return Told(code="refused", error=_named_as_asked(str(error), scratch, job))
    except MemoryError:
        return Told(code="too-large", error="it needs more memory than one rehearsal may take; ask for less")
    except Exception:  # a bug is the server's to tell
        return Told(code="internal", trace=traceback.format_exc()[-MAX_TRACE_CHARS:])


def main() -> int:
    """Rehearse the job that the first line says; it ends where the server is gone."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no report
    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=Job)
    child.settle(lambda _: True)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    root = Path(job.data) / SCRATCH
    shutil.rmtree(root, ignore_errors=True)  # one at a time: whatever is there was left by one that was ended
    root.mkdir(parents=True)
    tempfile.tempdir = str(root)

    def tell(told: Told) -> None:
        out.write(msgspec.json.encode(told) + b"\n")
        out.flush()

    try:
        with tempfile.TemporaryDirectory(prefix="drafts-") as scratch:
            tell(_told_of(job, Path(scratch), tell))
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
