"""The analyst: the process that answers questions of analytics beside a server, and the server's hold on it.

It is started by the first question and ends when nobody asks for a while. It is asked one question at a time,
a line each, and says first what became of it, a line too, and then as many bytes of answer as that says. Its
memory and its time are its own: where it takes too long, or dies, the next question finds a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec
from msgspec import Struct

from sojourn.analytics.belonging.asked import Segments
from sojourn.analytics.experiments.asked import Experiment, Experiments
from sojourn.analytics.questions import as_parameters, ask, load
from sojourn.config import Analytics as Settings
from sojourn.model.errors import ConfigError, DefinitionError, InputError, UnavailableError
from sojourn.server.asked import Inquiry
from sojourn.wiring import child

if TYPE_CHECKING:
    from sojourn.adapters.lake.encoded import Memory

SCRATCH = "scratch"
"""The folder in the data folder for what a question needs for as long as it is answered."""

START_S = 60.0  # a second on a machine that is not busy.
RETRY_AFTER_S = 5
READY = b"ready\n"
"""What it says when it can be asked."""
MAX_TRACE_CHARS = 8_000  # its end, where the cause is; an outcome is one line, and a line has a bound.

_ENDED = "the server is stopping; ask again when it is back"


Became = Literal["answered", "refused", "too-slow", "no-answer", "bug", "turned-away", "stopped"]
"""What became of a question: `refused`, it cannot be answered; `no-answer`, who was asked ended before;
`turned-away`, too many waited; `stopped`, the server did."""


_ENDINGS: dict[str, Became] = {"too-slow": "too-slow", "no-answer": "no-answer"}


class Observe(Protocol):
    """Is told what became of each question."""

    def __call__(self, question: str, became: Became, seconds: float) -> None:
        """Hear of one; `seconds` from when it was asked, with the time it waited."""
        ...


class Outcome(Struct, kw_only=True):
    """What became of a question."""

    n_bytes: int = 0
    """Of the answer, which follow."""
    code: str = ""
    """Why there is none, one word."""
    reason: str = ""
    status: int = 200
    trace: str = ""
    """Of a bug, where it was one."""


# -- The server's side.


class Analyst:
    """Whoever answers, as the server sees it: started, asked, stopped, started again."""

    def __init__(
        self,
        data: Path,
        settings: Settings,
        *,
        metrics: Sequence[Path] = (),
        observe: Observe = lambda *_: None,
    ) -> None:
        """Take whose questions are answered, within which limits, and who hears what became of them.

        `metrics` are files, and folders of files, that experiments are judged by.
        """
        max_bytes = settings.answer_mb << 20
        self._command = child.module(__name__, str(data), str(max_bytes), *map(str, metrics))
        self._settings = settings
        self._observe = observe
        self._turn = asyncio.Lock()
        self.n_asked = 0
        """Questions asked and not answered."""
        self.n_ended = 0
        """How often a process ended that was to answer: killed, out of time, or out of memory."""
        self._process: asyncio.subprocess.Process | None = None
        self._resting: asyncio.TimerHandle | None = None
        self._warming: asyncio.Task[None] | None = None
        self._is_stopping = False

    async def answer(self, inquiry: Inquiry) -> bytes:
        """Answer in JSON.

        Raises:
            InputError: The question cannot be answered, took too long, or was the end of who answers.
            UnavailableError: Too many wait already, or the server is stopping.
            AnalystError: A bug.
        """
        began = time.monotonic()
        became: Became = "bug"
        try:
            body = await self._answer(inquiry)
            became = "answered"
            return body
        except UnavailableError:
            became = "stopped" if self._is_stopping else "turned-away"
            raise
        except InputError as error:
            became = _ENDINGS.get(error.code, "refused")
            raise
        except asyncio.CancelledError:
            became = "stopped"
            raise
        finally:
            self._observe(inquiry.name, became, time.monotonic() - began)

    async def _answer(self, inquiry: Inquiry) -> bytes:
        if self.n_asked >= self._settings.waiting:
            reason = f"{self.n_asked} questions are waiting to be answered; ask again later"
            raise UnavailableError(reason, retry_after_s=RETRY_AFTER_S)
        self.n_asked += 1
        try:
            async with self._turn:
                return await self._asked(inquiry)
        finally:
            self.n_asked -= 1

    @property
    def pid(self) -> int | None:
        """The process, where there is one."""
        return None if self._process is None else self._process.pid

    def warm(self) -> None:
        """Let the process start where there is none: whoever opens the studio is about to ask."""
        if self._process is None and not self._is_stopping and not self._turn.locked():
            self._warming = asyncio.create_task(self._warm(), name="warming")

    async def _warm(self) -> None:
        async with self._turn:
            try:
                await self._running()
            except (ConnectionError, OSError):  # the first question finds it, and says so
                await self._end()
            else:
                self._rest_later()

    async def stop(self) -> None:
        """End it; who waits for an answer is told so."""
        self._is_stopping = True
        if self._resting is not None:
            self._resting.cancel()
        await self._end()
        async with self._turn:  # whoever is about to start or to end one is through with it
            await self._end()

    async def _asked(self, inquiry: Inquiry) -> bytes:
        """Ask, once more where the process had died before it was asked."""
        was_there = self._process is not None
        try:
            return await self._exchange(inquiry)
        except _DiedError:
            if not was_there:
                raise
        return await self._exchange(inquiry)

    async def _exchange(self, inquiry: Inquiry) -> bytes:
        if self._is_stopping:
            raise UnavailableError(_ENDED)
        if self._resting is not None:
            self._resting.cancel()
        is_well = False
        try:
            process = await self._running()
            async with asyncio.timeout(self._settings.time_limit_ms / 1000):
                outcome, body = await _say(process, inquiry)
            is_well = True
        except TimeoutError:
            limit_s = self._settings.time_limit_ms / 1000
            reason = f"took longer than {limit_s:g} s; ask about less, as a time or a limit"
            raise InputError("too-slow", f"{inquiry.name}: {reason}", status=504) from None
        except (ConnectionError, asyncio.IncompleteReadError):
            if self._is_stopping:
                raise UnavailableError(_ENDED) from None
            raise _DiedError from None
        finally:
            if is_well:
                self._rest_later()
            else:
                self.n_ended += not self._is_stopping
                await self._end()
        if outcome.trace:
            raise AnalystError(outcome.trace)
        if outcome.code:
            raise InputError(outcome.code, outcome.reason, status=outcome.status)
        return body

    async def _running(self) -> asyncio.subprocess.Process:
        """Return the process, started where there is none; raise ConnectionError where it does not start."""
        if self._process is not None:
            return self._process
        self._process = process = await child.start(self._command)
        assert process.stdout is not None, "it was started with pipes"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_S):
                if await process.stdout.readline() == READY:
                    return process
        raise ConnectionError("it does not start")

    def _rest_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._resting = loop.call_later(self._settings.idle_ms / 1000, lambda: loop.create_task(self._rest()))

    async def _rest(self) -> None:
        """End it where nobody asks."""
        async with self._turn:
            await self._end()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await _killed(process)


class AnalystError(Exception):
    """A bug of ours, in the analyst's process; the message is its traceback."""


class _DiedError(InputError):
    """Whoever was asked ended before the answer."""

    def __init__(self) -> None:
        reason = "the process that answers ended, maybe for want of memory; ask about less"
        super().__init__("no-answer", reason, status=500)


async def _killed(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def _say(process: asyncio.subprocess.Process, inquiry: Inquiry) -> tuple[Outcome, bytes]:
    assert process.stdout is not None, "it was started with pipes"
    await child.say(process, msgspec.json.encode(inquiry) + b"\n")
    line = await process.stdout.readline()
    if not line:
        raise ConnectionError("it has ended")
    outcome = msgspec.json.decode(line, type=Outcome)
    return outcome, await process.stdout.readexactly(outcome.n_bytes)


# -- The analyst's side.


class Basis(Struct, kw_only=True):
    """What questions are answered from."""

    data: Path
    metrics: Sequence[Path] = ()
    """Files, and folders of files, that experiments are judged by."""
    max_bytes: int
    """Of an answer."""
    memory: Memory | None = None
    """What was read for earlier questions is not read again."""


def answered(basis: Basis, inquiry: Inquiry) -> bytes:
    """Answer a question about a data folder, in JSON; raises InputError where it cannot be answered."""
    try:
        body = msgspec.json.encode(_found(basis, inquiry))
    except (ConfigError, DefinitionError) as error:
        raise InputError("bad-question", as_parameters(str(error)), status=422) from None
    if len(body) > basis.max_bytes:
        reason = f"the answer has {len(body):,} bytes; at most {basis.max_bytes:,} are sent: set a limit"
        raise InputError("too-large", reason, status=413)
    return body


def _found(basis: Basis, inquiry: Inquiry) -> Any:
    from sojourn.analytics.reading import StepRules, read_steps  # noqa: PLC0415 - the server needs no numbers
    from sojourn.wiring.experiments import (  # noqa: PLC0415
        ExposureSource,
        list_experiments,
        read_metrics,
        report_experiment,
    )
    from sojourn.wiring.questions import Source, list_segments, read_for  # noqa: PLC0415

    question, data = inquiry.question, basis.data
    if isinstance(question, Experiments):
        return list_experiments(ExposureSource(data=data)).told()
    if isinstance(question, Experiment):
        known = read_metrics(basis.metrics)
        return report_experiment(inquiry.experiment, question, ExposureSource(data=data), known).told()
    if isinstance(question, Segments):
        return list_segments(data)
    rules = read_steps(inquiry.steps, file="steps") if inquiry.steps else StepRules()
    events = read_for(question, Source(data=data, columns=inquiry.columns), rules, memory=basis.memory)
    return ask(question, events, rules.ranks).told()


def _outcome_of(basis: Basis, line: bytes) -> tuple[Outcome, bytes]:
    try:
        body = answered(basis, msgspec.json.decode(line, type=Inquiry))
        return Outcome(n_bytes=len(body)), body
    except InputError as error:
        return Outcome(code=error.code, reason=error.reason, status=error.status), b""
    except Exception:  # a bug is the server's to tell, and the next question is another
        trace = traceback.format_exc()[-MAX_TRACE_CHARS:]
        return Outcome(trace=trace), b""


def main() -> int:
    """Answer about the data folder named first, in so many bytes as are named second at most.

    The metrics of experiments are named behind them. It ends where the server is gone.
    """
    data, max_bytes, metrics = Path(sys.argv[1]), int(sys.argv[2]), [*map(Path, sys.argv[3:])]
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def heed(line: bytes) -> bool:
        lines.put(line)
        return True

    child.settle(heed)
    _go_first()
    _work_in(data / SCRATCH)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    import_module("sojourn.analytics.experiments.reporting")
    load()  # it is no question's fault that numbers take a second to load
    from sojourn.adapters.lake.encoded import Memory  # noqa: PLC0415 - as in `answered`

    basis = Basis(data=data, metrics=metrics, max_bytes=max_bytes, memory=Memory())
    out.write(READY)
    out.flush()
    while True:
        outcome, body = _outcome_of(basis, lines.get())
        out.write(msgspec.json.encode(outcome) + b"\n" + body)
        out.flush()


def _go_first() -> None:
    """Be what the kernel ends where memory runs out, and not the engine (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _work_in(scratch: Path) -> None:
    """Take a folder for what is temporary; what an earlier one left there, since it was killed, goes."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    tempfile.tempdir = str(scratch)


if __name__ == "__main__":
    sys.exit(main())
