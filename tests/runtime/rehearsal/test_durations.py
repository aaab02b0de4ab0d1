"""Durations: quantiles of counts by class are those of the durations themselves, nearly."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from sojourn.runtime.rehearsal.durations import class_of, quantiles


@pytest.mark.parametrize("seed", range(20))
def test_quantiles_are_those_of_the_sorted_durations_to_within_a_thousandth(seed: int) -> None:
    """They are added up over processes, and nobody keeps a million durations for that."""
    random = Random(seed)
    durations = sorted(int(10 ** random.uniform(0, 10)) for _ in range(random.randrange(1, 500)))
    found = quantiles(Counter(map(class_of, durations)))
    for share, told in ((0.1, found.p10_ms), (0.5, found.p50_ms), (0.9, found.p90_ms)):
        exact = durations[max(1, -(-len(durations) * round(share * 100) // 100)) - 1]
        assert told <= exact < told * 1.001 + 1, f"seed {seed}"
