"""Trials: who had an opportunity, when first, and whether a hold-out kept them back: a ghost where it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.events import Codes, Events, Instants
from sojourn.definitions.holdouts import OF_ALL, OF_CHANNEL, OF_JOURNEY, OF_NODE

Flags = NDArray[np.bool_]
UnitKind = Literal["everything", "channel", "journey", "node"]

_SEEDS: dict[str, str] = {
    "everything": OF_ALL, "channel": OF_CHANNEL, "journey": OF_JOURNEY, "node": OF_NODE,
}  # fmt: skip


class Unit(Struct, frozen=True, order=True):
    """What a hold-out keeps people from."""

    kind: UnitKind
    name: str
    """Of `everything`: empty; of a `node`: JOURNEY/STATE."""

    def __str__(self) -> str:
        """Write it for people."""
        return f"{self.kind} {self.name}".rstrip()

    @property
    def seed(self) -> str:
        """What the engine hashes beside the person."""
        return _SEEDS[self.kind] + self.name


@dataclass(frozen=True, slots=True)
class Trials:
    """First opportunities: a row for each unit and person, in their order. Arrays: shape (n_rows,)."""

    units: Sequence[Unit]
    unit: Codes
    """An index into `units`."""
    person: Codes
    """An index into the people of the events."""
    at: Instants
    """When first, ms."""
    is_held: Flags
    is_mixed: Flags
    """Assigned otherwise at a later opportunity: two lives that were merged, a share that was changed."""
    version: Codes
    """Of the journey at the first opportunity, an index into `versions`."""
    versions: Sequence[str]
    ids: Sequence[str] | NDArray[np.bytes_] = ()
    """What assignment hashes of each person of the events; none: unknown."""
    bots: Codes = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    """People who are robots: left out."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Opportunities that tell nothing, by reason."""

    def of(self, unit: int) -> slice:
        """Return where the rows of a unit lie."""
        low, high = np.searchsorted(self.unit, [unit, unit + 1])
        return slice(int(low), int(high))


@dataclass(frozen=True, slots=True)
class Evidence(Events):
    """Events, and the trials that the engine ran among them."""

    trials: Trials | None = None


def evidence_of(events: Events, trials: Trials) -> Evidence:
    """Put both together."""
    return Evidence(**{each.name: getattr(events, each.name) for each in fields(events)}, trials=trials)
