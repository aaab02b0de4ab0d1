"""Churn: the parameters of BG/NBD, the model of people who come back now and then until they do not.

Fader, Hardie and Lee, "Counting Your Customers the Easy Way" (2005): while alive, a person comes back at a
rate drawn from a gamma (r, alpha); after each visit they are gone for good with a chance drawn from a beta
(a, b).
"""

from __future__ import annotations

import math
from typing import Literal

from msgspec import Struct

UNITS_MS = {"day": 86_400_000, "week": 604_800_000}

_MAX_EXPONENT = 700.0  # e^709 is the largest float; beyond it nobody is alive anyway.


class ChurnModel(Struct, frozen=True, kw_only=True):
    """One fit of it. The defaults are the best fit to CDNOW, 2,357 buyers of a record shop: fit your own."""

    r: float = 0.2425945
    alpha: float = 4.4136019
    """In units of time."""
    a: float = 0.7929199
    b: float = 2.4258881
    unit: Literal["day", "week"] = "week"

    @property
    def unit_ms(self) -> int:
        """How long one unit of time is."""
        return UNITS_MS[self.unit]


def p_alive(model: ChurnModel, *, n_repeats: int, last: float, now: float) -> float:
    """Return the probability that a person will ever come back.

    Args:
        model: the fit.
        n_repeats: visits after the first (x); with none the model calls everybody alive.
        last: the last visit (t_x), and `now` (T): in units of time after the first visit.

    >>> round(p_alive(ChurnModel(), n_repeats=2, last=30.43, now=38.86), 6)
    0.726609
    """
    if n_repeats <= 0:
        return 1.0
    exponent = (model.r + n_repeats) * math.log((model.alpha + now) / (model.alpha + last))
    if exponent > _MAX_EXPONENT:
        return 0.0
    return 1 / (1 + model.a / (model.b + n_repeats - 1) * math.exp(exponent))
