"""History: past events, kept in a temporary file and found by the group of people they are about.

In memory stay a few dozen bytes an event (where it lies, whose it is) and the ids; so a history may be larger
than memory. The file has no name and goes with the process.
"""

from __future__ import annotations

import mmap
import tempfile
from array import array
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from sojourn.definitions.controls import is_control
from sojourn.model.errors import ConfigError
from sojourn.model.event import Entry, is_erased
from sojourn.model.turn import Arrived
from sojourn.runtime.rehearsal.groups import Groups

TELL_EVENTS = 2_000
"""How many events go by between two steps told."""

BLOCK_BYTES = 1 << 20  # of the temporary file, written at once.

Tell = Callable[[int], None]
"""Takes how many more events are done."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Entry]).decode


class Window(Struct, frozen=True):
    """The time that is rehearsed; what lies before it only fills profiles."""

    since: int | None = None
    """None: from the first event on, ms."""
    until: int | None = None
    """None: to the last event, ms; later events are left out."""


class History:
    """A history that was read whole, to be played group by group."""

    def __init__(self, groups: Groups, file: IO[bytes], *, window: Window) -> None:
        self.window = window
        self.n_events = 0
        self.n_skipped = 0
        """Events of the house itself that concern no person (publishing, pausing), and later ones."""
        self.first_at = 0
        self.last_at = 0
        self.members: list[array[int]] = []
        """Group -> the numbers of its events, in the order of reading."""
        self._groups = groups
        self._file = file
        self._bytes: mmap.mmap | bytes = b""
        self._offsets = array("Q", [0])
        self._roots: dict[int, int] = {}

    def read(self, number: int) -> list[Arrived]:
        """Return the events of one group in the order in which they are lived.

        An event that was imported from before the log's clock is lived at the instant it happened.
        """
        offsets, raw = self._offsets, self._bytes
        parts = [raw[offsets[index] : offsets[index + 1]] for index in self.members[number]]
        since = self.window.since
        arrivals = []
        for entry in _decode(b"[" + b",".join(parts) + b"]"):
            at = entry.event.occurred_at if entry.is_history else entry.at
            arrivals.append(
                Arrived(at, entry.position, entry.event, is_history=since is not None and at < since)
            )
        arrivals.sort(key=_place)
        return arrivals

    def groups_of(self, any_id: str) -> list[int]:
        """Return the groups that an id belongs to."""
        found = (self._roots.get(root) for root in self._groups.find(any_id))
        return [number for number in found if number is not None]

    @property
    def until(self) -> int:
        """The instant up to which timers fire."""
        return self.last_at if self.window.until is None else self.window.until

    def close(self) -> None:
        """Let the file go."""
        if isinstance(self._bytes, mmap.mmap):
            self._bytes.close()
        self._file.close()

    def fill(self, entries: Iterable[Entry], tell: Tell) -> None:
        """Take all entries in; whose each one is is only known after the last."""
        owners = array("L")
        block: list[bytes] = []
        n_bytes = n_written = 0
        for n_read, entry in enumerate(entries, start=1):
            if n_read % TELL_EVENTS == 0:
                tell(TELL_EVENTS)
            if not self._takes(entry):
                self.n_skipped += 1
                continue
            owners.append(self._groups.join(entry.event))
            encoded = _encode(entry)
            block.append(encoded)
            n_bytes += len(encoded)
            self._offsets.append(n_bytes)
            if n_bytes - n_written >= BLOCK_BYTES:
                self._write(block)
                n_written = n_bytes
                block = []
        self._write(block)
        self.n_events = len(owners)
        self._bytes = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) if n_bytes else b""
        self._sort(owners)

    def _takes(self, entry: Entry) -> bool:
        if is_control(entry.event) or (is_erased(entry.event) and entry.event.anonymous_id is None):
            return False
        at = entry.event.occurred_at if entry.is_history else entry.at
        if self.window.until is not None and at > self.window.until:
            return False
        if not self.first_at or at < self.first_at:
            self.first_at = at
        self.last_at = max(self.last_at, at)
        return True

    def _sort(self, owners: array[int]) -> None:
        """Hand each event to its group; groups are numbered in the order in which they appear."""
        for index, owner in enumerate(owners):
            root = self._groups.root(owner)
            number = self._roots.get(root)
            if number is None:
                number = self._roots[root] = len(self.members)
                self.members.append(array("L"))
            self.members[number].append(index)

    def _write(self, block: Sequence[bytes]) -> None:
        try:
            self._file.write(b"".join(block))
            self._file.flush()
        except OSError as error:
            raise _no_room(error) from None


def gather(
    entries: Iterable[Entry], *, tell: Tell, window: Window | None = None, scratch: Path | None = None
) -> History:
    """Read a history whole.

    Args:
        entries: in any order of time; positions tell apart what happened at one instant.
        tell: is told how far it is.
        window: the time that is rehearsed; None: all of it.
        scratch: the folder of the temporary file; None: the system's.

    Raises:
        ConfigError: There is no room for the temporary file.
    """
    try:
        file = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115 - the history closes it
    except OSError as error:
        raise _no_room(error) from None
    history = History(Groups(), file, window=window or Window())
    try:
        history.fill(entries, tell)
    except BaseException:
        history.close()
        raise
    return history


def _place(arrived: Arrived) -> tuple[int, int]:
    return arrived.at, arrived.position


def _no_room(error: OSError) -> ConfigError:
    where = tempfile.gettempdir()
    return ConfigError(
        f"{where}: cannot keep a temporary file there ({error.strerror}); name a folder with room in TMPDIR"
    )
