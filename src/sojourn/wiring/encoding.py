"""The encoder: the process that keeps a lake's events as numbers, and the hold its writer has on it.

What it does takes much memory and processor for some seconds: so it is a process for that time alone, the
last to get the processor, and rests twenty times as long as it works. Where it is killed, nothing is lost:
whoever asks a question makes what is missing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sojourn.wiring import child
from sojourn.wiring.lake import FOLDER, open_tail

REST = 20  # times as long as it worked.
LOOK_S = 5.0  # how often it is looked whether there is something to do.
FAILED_S = 600.0  # after a failure: it has said why, and somebody has to do something.


class Encoder:
    """The encoder as the writer sees it: started where it is due, and ended."""

    def __init__(self, data: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Start none yet."""
        self._data = data
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._rests_until = clock() + LOOK_S

    def turn(self, position: int) -> None:
        """See how it is doing; start one where a lake that is written up to a position should be kept."""
        from sojourn.adapters.lake.encoded import is_due  # noqa: PLC0415 - the writer has its numbers by then

        now = self._clock()
        if self._process is not None:
            status = self._process.poll()
            if status is None:
                return
            self._end()
            self._rests_until = now + (REST * (now - self._began) if status == 0 else FAILED_S)
        elif now >= self._rests_until:
            self._rests_until = now + LOOK_S
            if is_due(self._data / FOLDER, position):
                self._began = now
                command = child.module(__name__, str(self._data))
                self._process = subprocess.Popen(  # noqa: S603 - our own module
                    command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
                )

    def stop(self) -> None:
        """End it, whatever it is at."""
        if self._process is not None:
            self._process.kill()
            self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        assert process is not None
        assert process.stdin is not None, "it was started with a pipe"
        process.stdin.close()
        process.wait()


def main() -> int:
    """Keep the events of the data folder named first, as far as its lake is written."""
    from sojourn.adapters.lake.encoded import keep_up  # noqa: PLC0415

    data = Path(sys.argv[1])
    child.settle(lambda _: True)
    with open_tail(data) as tail:
        keep_up(data / FOLDER, tail)
    return 0


if __name__ == "__main__":
    # The thread that hears whether the writer is gone holds its input, for which an orderly end would wait.
    os._exit(main())
