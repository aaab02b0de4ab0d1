"""Forecasts in force: probabilities that were learnt and logged, and the catalogue that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import structs

from sojourn.definitions.journey import Catalogue

OTHER = "(other)"
"""Stands for all steps too rare to be told apart."""

_Forecasts = dict[str, dict[str, float]]


def with_forecasts(catalogue: Catalogue, payload: Mapping[str, Any]) -> Catalogue:
    """Bring into force what a `$learnt` event carries, in place of what was learnt of the same goals.

    `payload` has `forecasts`: goal (or EXIT) -> step (or OTHER) -> probability. Raises
    msgspec.ValidationError where it has something else.
    """
    learnt = msgspec.convert(payload.get("forecasts"), _Forecasts)
    return structs.replace(catalogue, forecasts={**catalogue.forecasts, **learnt})
