"""How hard properties are tried: `make soak` tries each many times more, as SOJOURN_SOAK says."""

from __future__ import annotations

import os

TIMES = int(os.environ.get("SOJOURN_SOAK", "1"))


def tries(n_usual: int) -> int:
    """Return how many examples, seeds or rounds to try, where so many are usual."""
    return n_usual * TIMES
