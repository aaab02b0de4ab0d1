"""The chronicle: what was in force when, for those who come to each control in their own time.

Every shard switches at the same place of the log, (at, position) of the control, though it gets there sooner
or later than the others.
"""

from __future__ import annotations

from bisect import bisect_right, insort

from msgspec import Struct
from msgspec.structs import replace

from sojourn.definitions.controls import LEFT, read_forgetting
from sojourn.definitions.journey import Catalogue
from sojourn.definitions.publishing import (
    InForce,
    apply_control,
    asks_everybody,
    catalogue_of,
    rests_on_the_last,
)
from sojourn.engine.forgetting import bare_control
from sojourn.model.event import Entry

Mark = tuple[int, int]
"""(at, position) of a control; (0, 0) before the first."""

BEGINNING: Mark = (0, 0)


class Chapter(Struct, frozen=True):
    """One control, and what is in force from it on."""

    mark: Mark
    catalogue: Catalogue
    asks_all: bool
    """Everybody is asked, once, about what is in force now."""
    rests: bool
    """Whoever is still to be asked about the last change has to be asked before it."""
    entry: Entry


class Chronicle:
    """Controls in their order, and the catalogues they lead to, compiled when somebody comes to them."""

    def __init__(self, in_force: InForce) -> None:
        self._first = in_force
        self._controls: list[tuple[Mark, Entry]] = []
        self._heard: set[Mark] = set()
        self._chapters: list[Chapter] = []
        self._in_force = in_force
        self._catalogue = self._began = catalogue_of(in_force)[0]
        self._left: Mark | None = None

    def hear(self, control: Entry) -> None:
        """Take a control in; one that was heard before changes nothing."""
        place = (control.at, control.position)
        if place in self._heard:
            return
        if control.event.name == LEFT:
            self._left = place if self._left is None else min(self._left, place)
        self._heard.add(place)
        if takes_ids_out(control):
            self._take_ids_out(control)
        insort(self._controls, (place, control), key=lambda pair: pair[0])
        if self._chapters and place < self._chapters[-1].mark:
            self._begin_anew()

    def has_left(self, mark: Mark) -> bool:
        """Tell whether the installation was moved away by then: nothing that comes later is done here."""
        return self._left is not None and mark >= self._left

    def next(self, mark: Mark, *, upto: int) -> Chapter | None:
        """Return the first control after a mark, at the latest of an instant (ms); None: there is none."""
        index = bisect_right(self._controls, mark, key=lambda pair: pair[0])
        if index == len(self._controls) or self._controls[index][0][0] > upto:
            return None
        self._compile(index)
        return self._chapters[index]

    def catalogue(self, mark: Mark) -> Catalogue:
        """Return what is in force from a control on."""
        index = bisect_right(self._controls, mark, key=lambda pair: pair[0]) - 1
        if index < 0:
            return self._began
        self._compile(index)
        return self._chapters[index].catalogue

    def _compile(self, index: int) -> None:
        while len(self._chapters) <= index:
            place, entry = self._controls[len(self._chapters)]
            before = self._catalogue
            after = apply_control(self._in_force, entry)
            if after is not self._in_force:
                self._in_force = after
                self._catalogue, _ = catalogue_of(after, known=before)
            asks_all = asks_everybody(before, self._catalogue)
            # Whoever takes the installation over knows of nobody who is still to be asked.
            rests = entry.event.name == LEFT or rests_on_the_last(before, self._catalogue, at=entry.at)
            self._chapters.append(Chapter(place, self._catalogue, asks_all, rests, entry))

    def _take_ids_out(self, bare: Entry) -> None:
        self._controls = [(mark, without_ids(entry, bare)) for mark, entry in self._controls]
        self._chapters = [replace(each, entry=without_ids(each.entry, bare)) for each in self._chapters]

    def _begin_anew(self) -> None:
        self._chapters = []
        self._in_force, self._catalogue = self._first, self._began


def takes_ids_out(control: Entry) -> bool:
    """Tell whether a control comes in the place of one that forgot somebody, and names nobody any more."""
    forgetting = read_forgetting(control.event)
    return forgetting is not None and not (forgetting.users or forgetting.devices)


def without_ids(control: Entry, bare: Entry) -> Entry:
    """Return a control as it was, but without its ids where another one takes its place."""
    return bare_control(control) if control.event.message_id == bare.event.message_id else control
