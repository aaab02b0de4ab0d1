"""What one outbox worker of a cluster has in hand: records read and open, and how far it may commit.

Nothing here knows a broker: partitions, offsets and letters, in memory, bounded.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict, deque
from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct

from sojourn.model.action import Action, Letter
from sojourn.model.ids import ProfileId
from sojourn.model.ports import Queue

NOTE_CHARS = 3_500
"""What a commit carries beside its offset: brokers take 4,096 bytes unless they are told otherwise."""
_LAST = float("inf")  # Behind every number among letters that are due at one instant.


class Bounds(Struct, frozen=True, kw_only=True):
    """How much one worker keeps in memory."""

    records: int = 50_000
    """Records that are read and not done with, some 1.5 kB each beside their bytes; then no more are read."""
    record_bytes: int = 64_000_000
    """What they have together."""
    remembered: int = 100_000
    """Actions that are done with, the newest: some 20 MB. A job writes again what it wrote since its last
    checkpoint: minutes."""


class Taken(Struct, frozen=True, kw_only=True):
    """One record, read."""

    partition: int
    offset: int
    action: Action
    n_bytes: int = 0
    revived_at: int | None = None
    """It was given up, and is to be tried again since then (ms)."""
    waited: tuple[int, int, str] | None = None
    """It waited elsewhere, before it was moved here: its attempts, its next instant (ms), its last error."""

    @property
    def mark(self) -> str:
        """What tells it from others: an action that was given up may come again, once for each time."""
        return self.action.id if self.revived_at is None else f"{self.action.id} {self.revived_at}"


class Ledger:
    """One partition: which of its records are open, and where a successor is to begin.

    A commit is the first open record's offset. Beside it goes a note of the others that are open, so that a
    successor does not do again what was done behind one that waits.
    """

    def __init__(self, committed: int = 0, note: str = "") -> None:
        """Begin where a predecessor left, with the note it made."""
        end, left = _read_note(committed, note)
        self._open: OrderedDict[int, None] = OrderedDict.fromkeys(left)
        self._awaited = deque(left)
        """Of those, what was not read again yet."""
        self._end = end

    @property
    def committable(self) -> int:
        """The offset below which nothing is open."""
        return next(iter(self._open), self._end)

    def note(self) -> str:
        """Say what is open from there on: `length:place,place,...`, counted from the offset committed.

        Where not all have room in it, it ends before the first that has none.
        """
        base, end, room = self.committable, self._end, NOTE_CHARS
        places: list[str] = []
        for offset in self._open:
            place = str(offset - base)
            room -= len(place) + 1
            if room < 0:
                end = offset
                break
            places.append(place)
        return f"{end - base}:{','.join(places)}" if end > base else ""

    def read(self, offset: int) -> bool:
        """Take note of a record, which come in order; return False where it is done with already."""
        while self._awaited and self._awaited[0] < offset:
            del self._open[self._awaited.popleft()]  # the broker has it no longer
        if self._awaited and self._awaited[0] == offset:
            self._awaited.popleft()
            return True
        if offset < self._end:
            return False
        self._open[offset] = None
        self._end = offset + 1
        return True

    def close(self, offset: int) -> None:
        """Be done with a record."""
        self._open.pop(offset, None)


class _Slot:
    """A letter, and the records that it came with."""

    __slots__ = ("is_leaving", "letter", "marks", "n_bytes", "number", "places")

    def __init__(self, letter: Letter, taken: Taken, number: int) -> None:
        self.letter = letter
        self.number = number
        self.places = [(taken.partition, taken.offset)]
        self.marks = {taken.mark}
        self.n_bytes = taken.n_bytes
        self.is_leaving = False
        """It waits for nobody here any more; what is in flight may end."""

    @property
    def place(self) -> tuple[int, float, str]:
        """Where it stands among its sink's letters."""
        return self.letter.due_at, self.number, self.letter.action.id


class Pending:
    """The letters in hand, by sink and instant, and the ledgers of the partitions they came from."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        """Start with no partition."""
        self._bounds = bounds or Bounds()
        self._ledgers: dict[int, Ledger] = {}
        self._slots: dict[str, _Slot] = {}
        self._by_sink: dict[str, list[tuple[int, float, str]]] = {}
        self._settled: OrderedDict[str, None] = OrderedDict()
        """Marks of what is done with, also of partitions that are somebody else's by now."""
        self._forgotten: dict[ProfileId, int] = {}
        """Profile -> the instant until which what was decided for it is for nobody."""
        self._n_taken = 0
        self.n_open = 0
        """Records that letters wait with."""
        self._n_bytes = 0

    # -- Partitions.

    def assign(self, partition: int, ledger: Ledger) -> None:
        """Have a partition from now on."""
        self._ledgers[partition] = ledger

    def leave(self, partitions: Collection[int]) -> set[str]:
        """Hand out no more letters of partitions that are to be given up; return their ids."""
        found: set[str] = set()
        for slot in self._slots.values():
            if all(partition in partitions for partition, _ in slot.places):
                self._unindex(slot)
                slot.is_leaving = True
                found.add(slot.letter.action.id)
        return found

    def give_up(self, partitions: Collection[int]) -> set[str]:
        """Have partitions no longer; return the ids of the letters that go with them."""
        for partition in partitions:
            self._ledgers.pop(partition, None)
        gone: set[str] = set()
        for slot in list(self._slots.values()):
            kept = [place for place in slot.places if place[0] not in partitions]
            self.n_open -= len(slot.places) - len(kept)
            slot.places = kept
            if not kept:
                gone.add(slot.letter.action.id)
                self._remove(slot)
        return gone

    def commits(self) -> dict[int, tuple[int, str]]:
        """Return, for each partition, the offset to commit and the note beside it."""
        return {partition: (ledger.committable, ledger.note()) for partition, ledger in self._ledgers.items()}

    def is_above(self, share: float) -> bool:
        """Tell whether there is more in hand than a share of what may be."""
        bounds = self._bounds
        return self.n_open >= bounds.records * share or self._n_bytes >= bounds.record_bytes * share

    # -- Letters.

    def take(self, taken: Taken) -> bool:
        """Take a record in; return whether it is a letter that was not there."""
        ledger = self._ledgers.get(taken.partition)
        if ledger is None or not ledger.read(taken.offset):
            return False
        action = taken.action
        if taken.mark in self._settled or action.at <= self._forgotten.get(action.profile_id, -1):
            ledger.close(taken.offset)
            return False
        slot = self._slots.get(taken.action.id)
        if slot is not None:  # Written twice: both records wait for the one delivery.
            slot.places.append((taken.partition, taken.offset))
            slot.marks.add(taken.mark)
            self.n_open += 1
            return False
        slot = _Slot(_letter(taken), taken, self._n_taken)
        self._n_taken += 1
        self.n_open += 1
        self._n_bytes += taken.n_bytes
        self._slots[taken.action.id] = slot
        insort(self._by_sink.setdefault(taken.action.sink, []), slot.place)
        return True

    def skip(self, partition: int, offset: int) -> None:
        """Be done with a record that is no action."""
        ledger = self._ledgers.get(partition)
        if ledger is not None and ledger.read(offset):
            ledger.close(offset)

    def settle(self, letters: Iterable[Letter]) -> None:
        """Be done with letters; of one that is somebody else's by now, only remember it."""
        for letter in letters:
            slot = self._slots.get(letter.action.id)
            if slot is None:
                self._remember(letter.action.id)
                continue
            for mark in slot.marks:
                self._remember(mark)
            for partition, offset in slot.places:
                self._ledgers[partition].close(offset)
            self._remove(slot)

    def postpone(self, letter: Letter) -> None:
        """Keep a letter's new attempts, due_at and last_error."""
        slot = self._slots.get(letter.action.id)
        if slot is not None:
            self._unindex(slot)
            slot.letter = letter
            if not slot.is_leaving:
                insort(self._by_sink.setdefault(letter.action.sink, []), slot.place)

    def has(self, action_id: str) -> bool:
        """Tell whether a letter is in hand."""
        return action_id in self._slots

    def withdraw(self, people: Collection[ProfileId], *, at: int) -> None:
        """Be done with people's letters that were decided until an instant (ms), and with those to come."""
        self._forgotten |= dict.fromkeys(people, at)
        letters = [slot.letter for slot in self._slots.values()]
        self.settle(one for one in letters if one.action.profile_id in people and one.action.at <= at)

    def waiting(self, sink: str, *, now: int, limit: int) -> list[Letter]:
        """Return letters for a sink that are due, oldest first."""
        own = self._by_sink.get(sink, [])
        n_due = bisect_right(own, (now, _LAST, ""))
        return [self._slots[action_id].letter for _, _, action_id in own[: min(limit, n_due)]]

    def next_due(self, sink: str) -> int | None:
        """Return when the next letter for a sink is due, ms."""
        own = self._by_sink.get(sink)
        return own[0][0] if own else None

    def sinks(self) -> list[str]:
        """Return the sinks that letters wait for, by name."""
        return sorted(name for name, own in self._by_sink.items() if own)

    def queues(self) -> dict[str, Queue]:
        """Return what waits for each sink."""
        return {name: self._queue(self._by_sink[name]) for name in self.sinks()}

    def _queue(self, own: Sequence[tuple[int, float, str]]) -> Queue:
        return Queue(
            waiting=len(own), oldest_at=min(self._slots[name].letter.action.at for _, _, name in own)
        )

    def _remember(self, mark: str) -> None:
        self._settled[mark] = None
        self._settled.move_to_end(mark)
        if len(self._settled) > self._bounds.remembered:
            self._settled.popitem(last=False)

    def _unindex(self, slot: _Slot) -> None:
        if not slot.is_leaving:
            own = self._by_sink[slot.letter.action.sink]
            del own[bisect_left(own, slot.place)]
            if not own:
                del self._by_sink[slot.letter.action.sink]

    def _remove(self, slot: _Slot) -> None:
        self._unindex(slot)
        del self._slots[slot.letter.action.id]
        self.n_open -= len(slot.places)
        self._n_bytes -= slot.n_bytes


def _letter(taken: Taken) -> Letter:
    if taken.revived_at is not None:
        return Letter(action=taken.action, due_at=taken.revived_at)
    attempts, due_at, last_error = taken.waited or (0, taken.action.at, "")
    return Letter(action=taken.action, attempts=attempts, due_at=due_at, last_error=last_error)


def _read_note(committed: int, note: str) -> tuple[int, list[int]]:
    """Return up to where a note knows, and which offsets it says are open; one not of ours says nothing."""
    length, _, places = note.partition(":")
    try:
        left = [committed + int(place) for place in places.split(",") if place]
        end = committed + int(length)
    except ValueError:
        return committed, []
    if left != sorted(set(left)) or any(not committed <= offset < end for offset in left):
        return committed, []
    return end, left
