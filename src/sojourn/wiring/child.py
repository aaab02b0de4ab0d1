"""A child: a process of its own beside the server, so that it takes nothing of the server's interpreter.

They talk by its input and output. It is a nice one, so that the processor is the server's first; and it never
outlives the server, whose end is the end of its input.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence

NICENESS = 10  # beside a busy server it gets a tenth of what an equal would; the log waits.


async def start(command: Sequence[str]) -> asyncio.subprocess.Process:
    """Start one, with pipes to and from it (the server's side)."""
    return await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )


def module(name: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that runs a module in this very environment."""
    return (sys.executable, "-m", name, *arguments)


def settle(heed: Callable[[bytes], bool]) -> None:
    """Give the server the right of way, and hear what it says, on a thread (the child's side).

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
