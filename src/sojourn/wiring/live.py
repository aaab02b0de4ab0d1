"""Live: views over the lake of a data folder that follow its log; news cost what they touch, and no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from sojourn.analytics.incremental import exchanged
from sojourn.model.errors import ConfigError, InputError
from sojourn.wiring.lake import FOLDER, open_tail
from sojourn.wiring.lake_events import in_lake

if TYPE_CHECKING:
    from sojourn.adapters.sqlite.tail import SqliteTail
    from sojourn.analytics.events import Events
    from sojourn.analytics.incremental import Counts, View
    from sojourn.analytics.reading import Mapping as Columns
    from sojourn.analytics.reading import StepRules

SLICE_EVENTS = 20_000  # taken in at once.


class Refreshed(Struct, frozen=True):
    """What a refresh took in."""

    n_entries: int
    """Of the log."""
    n_people: int
    """Whose events changed; who changed in several slices is counted in each."""


class LiveViews:
    """Answers over all that a data folder holds, kept up to date as its engine goes on."""

    def __init__(
        self, data: Path, tail: SqliteTail, views: Mapping[str, View], read: tuple[Columns, StepRules]
    ) -> None:
        """Read all there is; `open_live` makes one."""
        from sojourn.adapters.lake.encoded import Reader, Slices, columns_for, read_known  # noqa: PLC0415

        mapping, rules = in_lake(read[0]), read[1]
        columns = columns_for(mapping, rules)
        if columns is None:
            raise ConfigError(
                "live views follow people by their person_id, names of events, occurred_at and session_id; "
                "leave these out of the mapping, or ask the lake anew each time [live-mapping]"
            )
        found = read_known(data / FOLDER, tail, columns, few_events=0)
        assert found is not None, "no lake is too small"
        self._tail, self._views, self._read = tail, dict(views), (mapping, rules)
        self._known, self.reach = found
        """How far the engine was at the last refresh: all up to here is in the answers."""
        self._slices = Slices(columns)
        steps = {name for view in self._views.values() for name in view.names()}
        self._reader = Reader(self._known, mapping, rules, steps=sorted(steps))
        self.counts: dict[str, Counts] = {}
        """The answer of each view; whoever wants to change it, copies it."""
        self._are_behind = True
        self._count_all()

    @property
    def lag(self) -> int:
        """How many entries of the log a refresh would take in."""
        return self._tail.reach().position - self.reach.position

    def refresh(self) -> Refreshed:
        """Take in what the engine has done since; the answers are then those of all events, counted anew.

        Raises ConfigError where a view refuses what it finds; it is counted anew at the next refresh.
        """
        reach, n_entries, n_people = self._tail.reach(), 0, 0
        while (self.reach.position, self.reach.group) != (reach.position, reach.group):
            slice_ = self._tail.read(self.reach, reach, n_events=SLICE_EVENTS)
            changed = self._known.take(self._slices.delta(slice_))
            self.reach = slice_.reach
            n_entries += len(slice_.entries)
            n_people += len(changed.people)
            if not self._are_behind:
                self._are_behind = True
                gone = self._reader.events(changed.gone, changed.people)
                come = self._reader.events(changed.come, changed.people)
                self.counts = {
                    name: exchanged(self.counts[name], gone=view.count(gone), come=view.count(come))
                    for name, view in self._views.items()
                }
                self._are_behind = False
        if self._are_behind:
            self._count_all()
        return Refreshed(n_entries, n_people)

    def events(self) -> Events:
        """Return everybody's events as of the last refresh; raises InputError where there is none."""
        from sojourn.adapters.lake.encoded import events_of  # noqa: PLC0415

        return events_of(self._known, *self._read)

    def close(self) -> None:
        """Release the memory."""
        self._slices.close()

    def _count_all(self) -> None:
        try:
            events: Events | None = self.events()
        except InputError:  # nobody did anything yet
            events = None
        whole = self._reader.whole(events)
        self.counts = {name: view.count(whole) for name, view in self._views.items()}
        self._are_behind = False


@contextmanager
def open_live(
    data: Path, views: Mapping[str, View], mapping: Columns, rules: StepRules
) -> Iterator[LiveViews]:
    """Open views over a data folder, beside a server that may be at work.

    Args:
        data: The data folder.
        views: What is counted, by name.
        mapping: The attributes and amounts that views ask for; the rest is known, as in `read_lake_events`.
        rules: How names of events become steps.

    Raises:
        ConfigError: There is no data, or the mapping says otherwise who, what and when.
    """
    with open_tail(data) as tail:
        live = LiveViews(data, tail, views, (mapping, rules))
        try:
            yield live
        finally:
            live.close()
