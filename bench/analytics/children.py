"""Children: a command run to its end, and what the whole of its process took."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import Any, NamedTuple

from bench.figures import ROOT, middle

LIMIT_S = 300.0  # of one run: whoever needs longer has said enough.
ANSWER = "{answer}"
"""Stands in a command for the file that it writes its answer to; a command without it prints its answer."""
BLOCK_BYTES = 512  # of getrusage(2)
REASON_CHARS = 160


class Cost(NamedTuple):
    """What a process took from its start to its end, those it waited for included."""

    cpu_s: float
    """User and system."""
    wall_s: float
    peak_mb: float
    """The highest resident memory; of several processes the largest one's."""
    read_mb: float
    """From the disk, past the page cache."""


class Run(NamedTuple):
    """One command, run."""

    cost: Cost
    answer: Any
    """What it answered; None where it failed."""
    failure: str = ""
    """Why there is no answer."""


def run(command: Sequence[str], *, limit_s: float = LIMIT_S) -> Run:
    """Run a command, and read its answer."""
    with TemporaryDirectory(prefix="sojourn-bench-") as folder:
        answer, said = Path(folder, "answer.json"), Path(folder, "said.txt")
        cost, status, is_late = _run(command, answer, said, limit_s)
        if is_late:
            return Run(cost, None, f"stopped after {limit_s:g} s")
        if status:
            return Run(cost, None, _last_line(said) or f"ended with status {status}")
        return Run(cost, json.loads(answer.read_bytes()))


def middle_of(runs: Sequence[Run]) -> Run:
    """Return the medians of runs of one command, each cost's by itself."""
    costs = (middle(list(column)) for column in zip(*(one.cost for one in runs), strict=True))
    return runs[0]._replace(cost=Cost(*costs))


def forget(files: Sequence[Path]) -> None:
    """Ask the system to forget what it holds of some files in memory; it may decline."""
    for path in files:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(handle)


def _run(command: Sequence[str], answer: Path, said: Path, limit_s: float) -> tuple[Cost, int, bool]:
    is_printed = not any(ANSWER in part for part in command)
    words = [part.replace(ANSWER, str(answer)) for part in command]
    with said.open("wb") as told, (answer if is_printed else said).open("ab") as printed:
        started = time.perf_counter()
        child = subprocess.Popen(
            words, stdout=printed, stderr=told, cwd=ROOT, env=environment(), start_new_session=True
        )
        late = Timer(limit_s, os.killpg, (child.pid, signal.SIGKILL))
        late.start()
        # wait4 tells what this child took, and not all children so far.
        _, status, used = os.wait4(child.pid, 0)
        wall_s = time.perf_counter() - started
        late.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
    cost = Cost(
        cpu_s=used.ru_utime + used.ru_stime,
        wall_s=wall_s,
        peak_mb=used.ru_maxrss * 1024 / 1e6,
        read_mb=used.ru_inblock * BLOCK_BYTES / 1e6,
    )
    return cost, child.returncode, child.returncode == -signal.SIGKILL and wall_s >= limit_s


def environment() -> dict[str, str]:
    """Let children find the bench and our own code, whoever's Python runs them; peers report to nobody."""
    ours = os.pathsep.join(filter(None, [str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": ours, "RETENTIONEERING_NO_TRACK": "1", "MPLBACKEND": "agg"}


def ours(task: str, *arguments: str) -> list[str]:
    """Return the command that does one task of ours, in a process of its own."""
    return [sys.executable, "-m", "bench.analytics.ours", task, *arguments, ANSWER]


def _last_line(said: Path) -> str:
    lines = said.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].strip()[:REASON_CHARS] if lines else ""
