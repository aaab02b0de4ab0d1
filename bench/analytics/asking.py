"""Asking: one question put to one contender, several times, and the row of the table that it makes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.analytics.children import LIMIT_S, Cost, Run, forget, middle_of, run

N_TIMES = 3
ENOUGH_S = 30.0  # of one contender with one question: whoever took longer is not asked again.


class Goal(NamedTuple):
    """What is to be reached; None: nothing is asked of it."""

    wall_s: float | None = None
    cpu_s: float | None = None
    peak_mb: float | None = None

    def words(self) -> str:
        """Write it as a table has it."""
        asked = ((self.wall_s, "s wall"), (self.cpu_s, "s CPU"), (self.peak_mb, "MB"))
        return ", ".join(f"{bound:,g} {unit}" for bound, unit in asked if bound is not None)

    def is_met(self, cost: Cost) -> bool:
        """Tell whether a run kept within it."""
        pairs = ((self.wall_s, cost.wall_s), (self.cpu_s, cost.cpu_s), (self.peak_mb, cost.peak_mb))
        return all(took <= bound for bound, took in pairs if bound is not None)


class Asked(NamedTuple):
    """A question for one contender."""

    question: str
    who: str
    command: Sequence[str]
    """Empty: it is not there."""
    source: Path
    """What it reads; forgotten by the page cache before each run, where the system lets us."""
    goal: Goal | None = None
    note: str = ""
    """What to know of it; why it is not there."""
    limit_s: float = LIMIT_S


class Row(NamedTuple):
    """What it took."""

    asked: Asked
    cost: Cost | None
    n_runs: int
    answer: Any
    verdict: str
    """Why there is no figure, or whether the goal was met."""

    @property
    def name(self) -> str:
        """Name the row for a program."""
        return f"{self.asked.question} / {self.asked.who}"

    def entry(self) -> dict[str, Any]:
        """Return it as the file has it."""
        cost = {} if self.cost is None else {name: round(n, 3) for name, n in self.cost._asdict().items()}
        return {**cost, "runs": self.n_runs, "note": self.remark()}

    def remark(self) -> str:
        """Say what is to be said of it."""
        return "; ".join(filter(None, [self.verdict, self.asked.note]))


def ask(asked: Asked, *, is_quick: bool) -> Row:
    """Run a question once or several times, and return the medians."""
    if not asked.command:
        return Row(asked, None, 0, None, "")
    runs: list[Run] = []
    while not runs or (len(runs) < N_TIMES and sum(one.cost.wall_s for one in runs) < ENOUGH_S):
        forget(_files(asked.source))
        runs.append(run(asked.command, limit_s=asked.limit_s))
        if is_quick or runs[-1].failure:
            break
    failed = next((one for one in runs if one.failure), None)
    if failed:
        return Row(asked, None, len(runs), None, failed.failure)
    found = middle_of(runs)
    verdict = "" if asked.goal is None else f"goal: {asked.goal.words()}"
    if asked.goal and not is_quick:
        verdict += ", met" if asked.goal.is_met(found.cost) else ", MISSED"
    return Row(asked, found.cost, len(runs), found.answer, verdict)


def table(rows: Sequence[Row]) -> str:
    """Set rows in columns."""
    cells = [("question", "who", "CPU s", "wall s", "peak MB", "read MB", "")]
    for row in rows:
        told = ("-",) * 4
        if row.cost is not None:
            seconds = (f"{one:.2f}" for one in row.cost[:2])
            told = (*seconds, *(f"{one:,.0f}" for one in row.cost[2:]))
        cells.append((row.asked.question, row.asked.who, *told, row.remark()))
    widths = [max(len(line[column]) for line in cells) for column in range(6)]
    return "\n".join(
        f"{line[0]:<{widths[0]}}  {line[1]:<{widths[1]}}  "
        + "  ".join(f"{line[column]:>{widths[column]}}" for column in range(2, 6))
        + f"  {line[6]}".rstrip()
        for line in cells
    )


def _files(source: Path) -> list[Path]:
    return [source] if source.is_file() else sorted(path for path in source.iterdir() if path.is_file())


def about_disk(rows: Sequence[Row]) -> str:
    """Say whether files were read from the disk or out of memory."""
    asked = [
        (row, sum(path.stat().st_size for path in _files(row.asked.source)) / 1e6) for row in rows if row.cost
    ]
    n_cold = sum(row.cost is not None and row.cost.read_mb > size_mb / 2 for row, size_mb in asked)
    if n_cold == len(asked):
        return (
            "read MB: cold; the page cache forgot each file before each run, and all was read from the disk"
        )
    return (
        f"read MB: {n_cold} of {len(asked)} read most of their file from the disk; the others found it in "
        "the page cache, which here does not forget on request"
    )
