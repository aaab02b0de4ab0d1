"""Topics: what an installation on Kafka keeps, by name; the same for doors, job and workers."""

from __future__ import annotations

from msgspec import Struct


class Topics(Struct, frozen=True):
    """The topics of one installation, by what is in them."""

    events: str
    controls: str
    facts: str
    actions: str
    failed: str
    dead_letters: str
    states: str

    @classmethod
    def of(cls, prefix: str) -> Topics:
        """Name them after a prefix."""
        return cls(*(f"{prefix}.{name}" for name in cls.__struct_fields__))
