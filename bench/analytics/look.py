"""Look: how closely to measure, and who is there to be measured."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, NamedTuple

from bench.analytics.agreeing import Agreement
from bench.analytics.asking import Asked, Row, ask
from bench.analytics.children import ANSWER, LIMIT_S
from bench.analytics.environments import Installed, install, peer
from bench.analytics.inputs import Kind, made

QUICK_SHARE = 100  # a quick look takes one row of so many.


class Look(NamedTuple):
    """How to measure."""

    is_quick: bool
    has_peers: bool

    def size(self, n_rows: int) -> int:
        """Return how many rows to take of those that are measured in full."""
        return n_rows // QUICK_SHARE if self.is_quick else n_rows

    def input(self, kind: Kind, n_rows: int) -> Any:
        """Return an input of that many rows, or fewer on a quick look."""
        return made(kind, self.size(n_rows))

    def peer(self, name: str) -> Installed | None:
        """Return a peer, installed; None where only ours are measured."""
        return install(peer(name)) if self.has_peers else None

    def ask(self, questions: Iterable[Asked]) -> dict[str, Row]:
        """Ask one after another; return the rows by name."""
        rows = {}
        for asked in questions:
            print(f"  {asked.question}: {asked.who}", file=sys.stderr, flush=True)
            row = ask(asked, is_quick=self.is_quick)
            rows[row.name] = row
        return rows


class Part(NamedTuple):
    """What a part found."""

    rows: list[Row]
    agreements: list[Agreement]


def of_peer(
    there: Installed, question: str, task: str, source: Any, *, note: str = "", limit_s: float = LIMIT_S
) -> Asked:
    """Put a question to a peer."""
    command = there.command(task, source)
    return Asked(question, there.peer.name, command, source, note=there.failure or note, limit_s=limit_s)


def of_plain(question: str, who: str, task: str, source: Any, *, note: str = "") -> Asked:
    """Put a question to DuckDB, in plain SQL."""
    command = [sys.executable, "-m", "bench.analytics.plain", task, str(source), ANSWER]
    return Asked(question, who, command, source, note=note)


def answer_of(rows: dict[str, Row], question: str, who: str) -> Any:
    """Return an answer; None where nobody gave one."""
    row = rows.get(f"{question} / {who}")
    return None if row is None else row.answer
