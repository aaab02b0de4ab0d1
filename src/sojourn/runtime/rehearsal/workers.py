"""Workers: tasks spread over processes, whose results do not depend on how many there are."""

from __future__ import annotations

import multiprocessing
import sys
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from typing import TypeVar

T = TypeVar("T")

MAX_PROCESSES = 64

Tell = Callable[[int], None]
"""Takes how many more are done."""

Work = Callable[[Sequence[T], Tell], bytes]
"""Takes tasks, tells how far it is, and returns what came of all of them."""


def spread(tasks: Sequence[T], work: Work[T], *, n_processes: int, tell: Tell) -> list[bytes]:
    """Do tasks in so many processes, and return what each one's came to.

    The processes are forks: compiled definitions cannot be sent, and a history need not be copied. So call
    it before any thread is started. With one process, the work is done here.

    Raises RuntimeError with the worker's own traceback where one fails: that is a bug of ours.
    """
    n_processes = max(1, min(n_processes, len(tasks), MAX_PROCESSES))
    if n_processes == 1 or sys.platform == "win32":
        return [work(tasks, tell)]
    context = multiprocessing.get_context("fork")
    connections: list[Connection] = []
    processes = []
    try:
        for number in range(n_processes):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(
                target=_run, args=(tasks[number::n_processes], work, theirs), daemon=True
            )
            process.start()
            theirs.close()
            connections.append(ours)
            processes.append(process)
        return _collect(connections, tell)
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _collect(connections: Sequence[Connection], tell: Tell) -> list[bytes]:
    results: dict[int, bytes] = {}
    waiting = {id(connection): number for number, connection in enumerate(connections)}
    while waiting:
        for ready in wait([each for each in connections if id(each) in waiting]):
            assert isinstance(ready, Connection)
            try:
                kind, told = ready.recv()
            except EOFError:
                raise RuntimeError("a process of the rehearsal was ended from outside") from None
            if kind == "failed":
                raise RuntimeError(f"a process of the rehearsal failed\n{told}")
            if kind == "done":
                tell(told)
            else:
                results[waiting.pop(id(ready))] = told
    return [results[number] for number in sorted(results)]


def _run(tasks: Sequence[T], work: Work[T], connection: Connection) -> None:
    try:
        result = work(tasks, lambda n_done: connection.send(("done", n_done)))
        connection.send(("result", result))
    except KeyboardInterrupt:
        pass
    except BaseException:
        connection.send(("failed", traceback.format_exc()))
    finally:
        connection.close()
