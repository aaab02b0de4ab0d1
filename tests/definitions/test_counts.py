"""Counts: one row is one row."""

from __future__ import annotations

import doctest

from sojourn.definitions import counts


def test_its_examples_hold() -> None:
    """One, several and none."""
    assert doctest.testmod(counts).failed == 0
