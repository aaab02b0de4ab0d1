"""Topics: what an installation on Kafka keeps, by name; the same for doors, job and workers."""

from __future__ import annotations

from msgspec import Struct

WAITED = "waited"
"""The header of an action that waited elsewhere: attempts, next instant (ms) and last error, as JSON."""

LARGEST_BYTES = 8 << 20
"""Of a record of any topic: doors write smaller ones, but a life may be larger."""


class Topics(Struct, frozen=True):
    """The topics of one installation, by what is in them."""

    events: str
    controls: str
    facts: str
    actions: str
    failed: str
    dead_letters: str
    learnt: str
    entries: str
    """What was taken as new, for the lake; only where there is one."""
    states: str

    @property
    def moving(self) -> str:
        """The topic that is there while an installation is being moved here: nothing may run meanwhile."""
        return f"{self.events.removesuffix('events')}moving"

    @property
    def left(self) -> str:
        """The topic that is there once an installation was moved away: nothing may run any more."""
        return f"{self.events.removesuffix('events')}left"

    @classmethod
    def of(cls, prefix: str) -> Topics:
        """Name them after a prefix."""
        return cls(*(f"{prefix}.{name}" for name in cls.__struct_fields__))
