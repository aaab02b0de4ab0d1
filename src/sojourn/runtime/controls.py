"""Controls: what is in force, and how the entries of the log change it.

The document is kept in the commit of the control, so that a restart, and a replay from the start, come to
the same definitions at the same position.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Struct

from sojourn.definitions.journey import Catalogue
from sojourn.definitions.publishing import InForce, apply_control, catalogue_of, rests_on_the_last
from sojourn.model.errors import Problem
from sojourn.model.event import Entry
from sojourn.model.ports import Store

DOCUMENT = "definitions"

_decode = msgspec.json.Decoder(InForce).decode


class Applied(Struct, frozen=True):
    """What one control comes to."""

    in_force: InForce
    catalogue: Catalogue
    problems: list[Problem]
    """Why this release leaves out what the one that published took."""


class Controls:
    """What is in force, for one driver."""

    def __init__(self, in_force: InForce, catalogue: Catalogue) -> None:
        self.in_force = in_force
        self.catalogue = catalogue
        self.on_applied: Callable[[Entry, Applied], None] = _nobody_listens
        self._next: tuple[int, Applied] | None = None

    def look_at(self, entry: Entry) -> Applied:
        """Say what a control, the next in the log, comes to, and change nothing."""
        if self._next is None or self._next[0] != entry.position:
            in_force = apply_control(self.in_force, entry)
            if in_force is self.in_force:
                applied = Applied(in_force, self.catalogue, [])
            else:
                applied = Applied(in_force, *catalogue_of(in_force, known=self.catalogue))
            self._next = (entry.position, applied)
        return self._next[1]

    def rests_on_the_last(self, entry: Entry) -> bool:
        """Tell whether everybody must have been asked about the last change before this one comes."""
        return rests_on_the_last(self.catalogue, self.look_at(entry).catalogue, at=entry.at)

    def apply(self, entry: Entry) -> Applied:
        """Bring a control into force."""
        applied = self.look_at(entry)
        self.in_force, self.catalogue, self._next = applied.in_force, applied.catalogue, None
        self.on_applied(entry, applied)
        return applied


def kept_in_force(store: Store) -> InForce | None:
    """Return what is in force at the store's position; None where nothing was published yet.

    Raises msgspec.ValidationError where a release before there were controls kept it.
    """
    raw = store.kept(DOCUMENT)
    return None if raw is None else _decode(raw)


def encode_in_force(in_force: InForce) -> bytes:
    """Write it as a store keeps it."""
    return msgspec.json.encode(in_force)


def _nobody_listens(entry: Entry, applied: Applied) -> None:
    del entry, applied
