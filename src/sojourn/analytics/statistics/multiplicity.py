"""Multiplicity: p-values of many questions asked at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def benjamini_hochberg(p: ArrayLike) -> NDArray[np.float64]:
    """Return q-values: of what is called clear at q, at most so large a share is expected to be nothing.

    Y. Benjamini, Y. Hochberg, 1995. Shape as `p`; NaN is no question, and stays NaN.
    """
    return _adjusted(p, lambda ranked, n, rank: np.minimum.accumulate((ranked * n / rank)[::-1])[::-1])


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Return p-values adjusted so that any mistake at all is as rare as asked for (S. Holm, 1979)."""
    return _adjusted(p, lambda ranked, n, rank: np.maximum.accumulate(ranked * (n - rank + 1)))


def _adjusted(p: ArrayLike, rule: object) -> NDArray[np.float64]:
    raw = np.asarray(p, dtype=np.float64)
    asked = np.flatnonzero(~np.isnan(raw))
    order = asked[np.argsort(raw[asked], kind="stable")]
    n = len(order)
    out = np.full(raw.shape, np.nan)
    assert callable(rule)
    if n:
        out[order] = np.minimum(rule(raw[order], n, np.arange(1, n + 1)), 1.0)
    return out
