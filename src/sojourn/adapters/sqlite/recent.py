"""Recent rows: what commits wrote since the table of states was last brought up to date.

A generation is filled by commits; when it is full it retires, is written to the table as a whole on a thread
of its own, and is let go. So a person who does twenty things in a minute is written to the table once, and a
commit waits for no page of it. Every row here is in the journal of commits too, from which it is made again
after a crash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import Lock

from msgspec import Struct

from sojourn.model.turn import STAGES, Key

MAX_REMEMBERED = 16_384  # Rows of the table, about 15 MB; the next commits ask for no more.

_LETTER = {stage: stage[0].encode() for stage in STAGES}
_STAGE = {letter: stage for stage, letter in _LETTER.items()}


class Row(Struct, frozen=True, array_like=True, gc=False):
    """One key, as the table keeps it."""

    state: bytes | None
    """None: deleted, or never there; the row remains for its facts."""
    wake: int | None
    head: int


ABSENT = Row(None, None, 0)


def to_bytes(key: Key) -> bytes:
    """Write a key as the table has it: its stage's letter and its text, whatever characters it has."""
    return _LETTER[key[0]] + key[1].encode("utf-8", "surrogatepass")


def from_bytes(key: bytes) -> Key:
    """Read a key back."""
    return _STAGE[key[:1]], key[1:].decode("utf-8", "surrogatepass")


class Recent:
    """Two generations of rows newer than the table's, and what is known of the table's. Safe for threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._young: dict[bytes, Row] = {}
        self._retiring: dict[bytes, Row] = {}
        self._remembered: dict[bytes, Row] = {}
        self._n_bytes = 0
        self.generation = 0
        """Counts the times the table changed."""

    @property
    def n_rows(self) -> int:
        """How many rows the young generation has."""
        return len(self._young)

    @property
    def n_bytes(self) -> int:
        """How many bytes of states and keys went into the young generation."""
        return self._n_bytes

    def find(self, keys: Iterable[bytes]) -> tuple[dict[bytes, Row], list[bytes], int]:
        """Return the rows that are here, the other keys, and the generation to `remember` their rows with."""
        found: dict[bytes, Row] = {}
        missing: list[bytes] = []
        with self._lock:
            for key in keys:
                row = self._young.get(key) or self._retiring.get(key) or self._remembered.get(key)
                if row is None:
                    missing.append(key)
                else:
                    found[key] = row
            return found, missing, self.generation

    def remember(self, rows: Mapping[bytes, Row], *, generation: int) -> None:
        """Keep what the table said for the commit that will ask: who loads a key mostly writes it next."""
        with self._lock:
            if len(self._remembered) > MAX_REMEMBERED:
                self._remembered = {}
            if generation == self.generation:
                self._remembered.update(rows)

    def put(self, rows: Mapping[bytes, Row]) -> None:
        """Take the rows of a commit that is on disk."""
        with self._lock:
            self._young.update(rows)
            self._n_bytes += sum(len(key) + len(row.state or b"") for key, row in rows.items())

    def retire(self) -> dict[bytes, Row]:
        """Let the young generation retire; return it. There must be none retiring."""
        with self._lock:
            assert not self._retiring
            self._retiring, self._young, self._n_bytes = self._young, {}, 0
            return self._retiring

    def let_go(self) -> None:
        """Forget the retiring generation: the table has it."""
        with self._lock:
            self._retiring, self._remembered = {}, {}
            self.generation += 1

    def newer(self) -> dict[bytes, Row]:
        """Return a copy of all rows that are newer than the table's."""
        with self._lock:
            return {**self._retiring, **self._young}
