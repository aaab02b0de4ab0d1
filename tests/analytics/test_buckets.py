"""Buckets: many people at once, as the engine's hash has each."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sojourn.analytics.buckets import BUCKETS, buckets
from sojourn.engine.experiments import bucket

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=20)


@given(NAMES, st.lists(NAMES, max_size=8))
def test_each_is_where_the_engine_puts_it(seed: str, units: list[str]) -> None:
    """Any text: names of several bytes, of any length, none."""
    assert buckets(seed, units).tolist() == [round(bucket(seed, unit) * BUCKETS) for unit in units]


def test_ids_as_bytes_are_those_as_texts() -> None:
    """As a simulation has them."""
    ids = [f"p{n:08}" for n in range(2_000)]
    found = buckets("holdout/channel/email", np.array([each.encode() for each in ids]))
    assert (found == buckets("holdout/channel/email", ids)).all()
    assert 150 < (found < 1_000).sum() < 250
