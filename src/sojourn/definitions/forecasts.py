"""Forecasts in force: probabilities that were learnt and logged, and the catalogue that holds them."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct, structs

from sojourn.definitions.journey import Catalogue

OTHER = "(other)"
"""Stands for all steps too rare to be told apart."""

LEARNT = "$learnt"
"""The name of the event by which the house brings forecasts into force; nobody else may send it."""


class Learnt(Struct, frozen=True, kw_only=True):
    """What such an event carries."""

    forecasts: dict[str, dict[str, float]]
    """Goal (or EXIT) -> step -> probability."""
    n_steps: float
    """How much was learnt from: steps, each weighing less the longer ago it was."""


def learnt(payload: Any) -> Learnt:
    """Read the properties of such an event; raises msgspec.ValidationError where they are none."""
    return msgspec.convert(payload, Learnt)


def with_forecasts(catalogue: Catalogue, payload: Any) -> Catalogue:
    """Bring what was learnt into force; it takes the place of all that was learnt before."""
    return structs.replace(catalogue, forecasts=learnt(payload).forecasts)
