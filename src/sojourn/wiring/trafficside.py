"""The trafficside: the process that counts traffic beside a server, and the server's hold on it.

It follows the store's facts a fraction of a second behind. Where it ends it is started again, and goes on
from where its tables stand.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from sojourn.adapters.sqlite.fact_tail import FactTail
from sojourn.adapters.sqlite.traffic import FILE, SqliteTraffic
from sojourn.wiring import child

LOOK_MS = 100  # between two looks at the store where nothing came: the map is to move within a second.
BATCH_GROUPS = 2_000  # of facts in one commit: some 20 ms of work.
STOP_S = 5.0
WAIT_S = 30.0  # for what is behind, before it is counted anew instead.

# -- The server's side.


class Trafficside(child.Kept):
    """The process as the server sees it; what is not counted is counted at the next start."""

    def __init__(self, data: Path) -> None:
        command = child.module(__name__, str(data))
        super().__init__(command, what="the counting of traffic", finish_s=STOP_S)


class Counted:
    """The tables beside a server, as whoever erases facts sees them."""

    def __init__(self, traffic: SqliteTraffic) -> None:
        self._traffic = traffic

    def counted(self, group: int, check: Callable[[], None]) -> bool:
        """Wait, at most WAIT_S, until a group of facts is counted; return whether it is."""
        deadline = time.monotonic() + WAIT_S
        while self._traffic.reach().group < group:
            check()
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_MS / 1000)
        return True

    def recount(self) -> None:
        """Forget every count: the process begins with the first fact that is left."""
        self._traffic.clear()


class IdleTraffic:
    """The same of a folder that nobody serves: the file goes, and the next start makes it anew."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def counted(self, group: int, check: Callable[[], None]) -> bool:
        """Tell that nobody counts."""
        del group, check
        return False

    def recount(self) -> None:
        """Remove the tables."""
        for path in self._data.glob(f"{FILE}*"):
            path.unlink()


# -- The process's side.


def follow(tail: FactTail, traffic: SqliteTraffic, *, groups: int = BATCH_GROUPS) -> bool:
    """Count one batch of what came since; return whether there is more at once."""
    reach, known = tail.reach(), traffic.reach()
    if known.group > reach.group:
        traffic.clear()  # the folder was put back to an older day
        known = traffic.reach()
    if known == reach:
        return False
    batch = tail.read(known.group, reach.group, limit=groups)
    is_last = not batch or batch[-1][0] == reach.group
    traffic.take(batch, reach if is_last else tail.within(known, batch))
    return not is_last


def main() -> int:
    """Count the traffic of the data folder named first, until told to stop."""
    data, stopping = Path(sys.argv[1]), threading.Event()
    child.until_told(stopping)
    with ExitStack() as stack:
        tail = stack.enter_context(closing(FactTail(data)))
        traffic = stack.enter_context(closing(SqliteTraffic(data)))
        while not stopping.is_set():
            if not follow(tail, traffic):
                stopping.wait(LOOK_MS / 1000)
    return 0


if __name__ == "__main__":
    sys.exit(main())
