"""A child: a process of its own beside the server, so that it takes nothing of the server's interpreter.

They talk by its input and output. It is a nice one, so that the processor is the server's first; and it never
outlives the server, whose end is the end of its input.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Sequence

import structlog

FIRST_RETRY_S, MAX_RETRY_S = 1.0, 60.0
STOP = b"stop\n"
"""What one is told that is to end."""
NOT_STARTED = -1
"""The exit code of one that could not be started."""
NICENESS = 10  # beside a busy server it gets a tenth of what an equal would; the log waits.


log = structlog.get_logger("sojourn")


# -- The server's side.


async def start(command: Sequence[str]) -> asyncio.subprocess.Process:
    """Start one, with pipes to and from it."""
    return await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )


def module(name: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that runs a module in this very environment."""
    return (sys.executable, "-m", name, *arguments)


class Kept:
    """One that is kept running: started, heard, started again where it ends, and stopped."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        what: str,
        finish_s: float,
        hear: Callable[[bytes], None] = lambda _: None,
        on_end: Callable[[], None] = lambda: None,
        final: Collection[int] = (),
        retry_s: float = FIRST_RETRY_S,
    ) -> None:
        """Take what to keep running.

        Args:
            command: What starts it.
            what: What it is, for the log.
            finish_s: How long it may take to end when it is told to.
            hear: Is called with each line it says.
            on_end: Is called each time it has ended.
            final: Exit codes with which it says that it cannot go on.
            retry_s: How long to wait before it is started again; twice as long each time, up to MAX_RETRY_S.
        """
        self._command = command
        self._what = what
        self._finish_s = finish_s
        self._hear = hear
        self._on_end = on_end
        self._final = final
        self._retry_s = retry_s
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self.n_failures = 0

    async def run(self) -> None:
        """Keep it running until `stop`, or until it says that it cannot go on."""
        retry_s = self._retry_s
        while not self._stopping.is_set():
            began = time.monotonic()
            code = await self._live()
            self._on_end()
            if self._stopping.is_set() or code in self._final:
                return
            if time.monotonic() - began > MAX_RETRY_S:
                retry_s = self._retry_s
            self.n_failures += 1
            log.warning(f"{self._what} ended, and is started again", status=code, after_s=retry_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), retry_s)
            retry_s = min(2 * retry_s, MAX_RETRY_S)

    async def stop(self) -> None:
        """Let it finish, and end; what takes too long is left to the next start."""
        self._stopping.set()
        process = self._process
        if process is not None and process.returncode is None:
            await self._end(process)

    async def _live(self) -> int:
        """Start one, and hear what it says until it ends; return its exit code."""
        try:
            self._process = process = await start(self._command)
        except OSError:  # too many processes, or no memory for one more
            return NOT_STARTED
        if self._stopping.is_set():  # said while there was nobody yet to hear it
            await self._end(process)
        assert process.stdout is not None, "it was started with a pipe"
        async for line in process.stdout:
            self._hear(line)
        return await process.wait()

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ConnectionError):
            await say(process, STOP)
        try:
            async with asyncio.timeout(self._finish_s):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def say(process: asyncio.subprocess.Process, line: bytes) -> None:
    """Write to a child that was started with a pipe; raises ConnectionError where it has ended."""
    assert process.stdin is not None, "it was started with a pipe"
    if process.stdin.is_closing():  # a loop may raise RuntimeError where one writes there
        raise ConnectionError("it has ended")
    process.stdin.write(line)
    await process.stdin.drain()


# -- The child's side.


def until_told(stopping: threading.Event) -> None:
    """Give the server the right of way, as `settle`; set `stopping` when it says STOP."""

    def heed(line: bytes) -> bool:
        if line == STOP:
            stopping.set()
        return line != STOP

    settle(heed)


def settle(heed: Callable[[bytes], bool]) -> None:
    """Give the server the right of way, and hear what it says, on a thread.

    Args:
        heed: Is called with each line, until it returns False. Where the server is gone before, the child
            ends at once, as it did.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # Ctrl-C and the like are for the server, which then says so
    os.nice(NICENESS)
    threading.Thread(target=_hear, args=(heed,), daemon=True).start()


def _hear(heed: Callable[[bytes], bool]) -> None:
    for line in sys.stdin.buffer:
        if not heed(line):
            return
    os._exit(1)
