"""A server with a history, for a browser to look at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.place import crowd, prepare, remember
from demo.program import Program, Setup

SEED = 7
"""Of the week before: every run looks at the same people."""
N_PEOPLE = 250
SEGMENTS = "segments: { buyers: \"count('Order Completed') > 0\" }"
DECIDED_S = 12.0
"""The demo's rescue waits ten seconds before it decides, and draws a variant; then some act on."""


@dataclass(frozen=True)
class House:
    """A server with a history, and who may look at it."""

    program: Program
    setup: Setup

    @property
    def address(self) -> str:
        """Where it is, without a slash at the end."""
        return self.program.address


@contextmanager
def opened(folder: Path) -> Iterator[House]:
    """Serve the demo's week from a folder, with a crowd that came now: they meet journeys and experiments."""
    setup = prepare(folder, sinks={"shop": {"type": "console"}})
    (folder / "journeys/segments.yaml").write_text(SEGMENTS)
    remember(setup, seed=SEED)
    with Program(setup) as program:
        crowd(program, n_people=N_PEOPLE, seed=SEED, rest_s=DECIDED_S)
        yield House(program, setup)
        program.stop()
