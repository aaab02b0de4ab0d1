"""Expressions: guards, keys and values, in a small safe language compiled once to Python code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

EXIT = "$exit"
"""Stands among the goals of forecasts for the end of the visit."""


class Needs(Struct, frozen=True, kw_only=True):
    """What an expression asks of a profile, so that exactly this is kept up to date (and nothing else)."""

    counts: dict[str, int] = {}
    """Event name -> the longest window asked for, ms (0: all time only)."""
    since: frozenset[str] = frozenset()
    """Event names whose latest instant is asked for."""
    visits: frozenset[str] = frozenset()
    """Steps whose visits in the session are asked for (`visits`, `loops`)."""
    regressed: bool = False
    traits: frozenset[str] = frozenset()
    experiments: frozenset[str] = frozenset()
    friction: bool = False
    propensities: frozenset[str] = frozenset()
    """Goals whose probability is asked for; EXIT among them where the end of the visit is (`hazard`)."""


class Expression(Struct, frozen=True):
    """One compiled expression."""

    source: str
    call: Callable[[Any], Any]
    """Takes a scope (see `sojourn.engine.scope.Scope`), returns the value; never raises on missing values."""
    needs: Needs = Needs()
