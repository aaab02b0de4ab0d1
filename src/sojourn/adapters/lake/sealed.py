"""Sealed: a lake without the log it was written from: copied from elsewhere, or simulated."""

from __future__ import annotations

from pathlib import Path

from sojourn.adapters.lake.writing import PROGRESS, read_progress
from sojourn.model.lake import Reach, Slice


class SealedTail:
    """What comes after the files of a sealed lake: nothing."""

    def __init__(self, lake: Path) -> None:
        """Open a lake that is there."""
        self._written = read_progress(lake)

    def reach(self) -> Reach:
        """Return how far its files go."""
        return self._written.reach

    def read(self, after: Reach, reach: Reach, *, n_events: int) -> Slice:
        """Never asked: nothing comes after the files."""
        raise AssertionError(f"nothing lies between {after} and {reach}, and {n_events} were asked for")

    def mark(self, position: int) -> str:
        """Return the mark of the last position; of others nobody knows it any more."""
        return self._written.mark if position == self._written.reach.position else ""


def is_sealed(lake: Path) -> bool:
    """Tell whether a lake is there and no log beside it."""
    return (lake / PROGRESS).exists() and not (lake.parent / "log.db").exists()
