"""What is in force, as the controls say that were heard so far."""

from __future__ import annotations

from sojourn.definitions.controls import is_control
from sojourn.definitions.journey import Catalogue
from sojourn.definitions.publishing import InForce, apply_control, catalogue_of
from sojourn.model.event import Entry


class Followed:
    """Follows controls, in their order."""

    def __init__(self, first: InForce | None = None) -> None:
        """Begin with what was in force before the first control."""
        self._in_force = first or InForce()
        self.catalogue: Catalogue = catalogue_of(self._in_force)[0]
        """The definitions in force."""
        self.clock = 0
        """The instant of the last control, ms: who answers has a clock of their own."""

    def hear(self, entry: Entry) -> None:
        """Take a control in."""
        if not is_control(entry.event):
            return
        self.clock = max(self.clock, entry.at)
        after = apply_control(self._in_force, entry)
        if after is not self._in_force:
            self._in_force = after
            self.catalogue, _ = catalogue_of(after, known=self.catalogue)
