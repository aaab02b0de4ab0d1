"""Remembering: what was read for one question is there for the next, which reads only what came since."""

from __future__ import annotations

from pathlib import Path

from sojourn.adapters.lake.encoded.delta import Columns
from sojourn.adapters.lake.encoded.keeping import FEW_EVENTS, read_known
from sojourn.adapters.lake.encoded.known import Known
from sojourn.model.lake import Reach
from sojourn.model.ports import Tail

MOST = 4
"""Readings remembered, each with other attributes; one is as large as its news, the rest lies on disk."""


class Memory:
    """The readings of one lake, those asked for last; of one process and one thread."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._found: dict[Columns, tuple[Known, Reach]] = {}

    def read(
        self, lake: Path, tail: Tail, columns: Columns, *, few_events: int = FEW_EVENTS
    ) -> tuple[Known, Reach] | None:
        """Read as `read_known` does."""
        # What fails halfway is not remembered.
        since = self._found.pop(columns, None)
        found = read_known(lake, tail, columns, few_events=few_events, since=since)
        if found is not None:
            self._found[columns] = found
            for oldest in list(self._found)[:-MOST]:
                del self._found[oldest]
        return found
