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
    segments: frozenset[str] = frozenset()
    """Segments whose membership is asked for."""
    profile: bool = False
    """Whether `profile.*` is asked for, which any event may change."""
    friction: bool = False
    propensities: frozenset[str] = frozenset()
    """Goals whose probability is asked for; EXIT among them where the end of the visit is (`hazard`)."""


class Clock(Struct, frozen=True, kw_only=True):
    """When time alone may change an answer."""

    windows: frozenset[tuple[str, int]] = frozenset()
    """(event, window in ms) of counts: when one of its times enters or leaves the window."""
    ages: frozenset[tuple[str, int]] = frozenset()
    """(event, ms since it last happened) at which a comparison says something new."""


class Expression(Struct, frozen=True):
    """One compiled expression."""

    source: str
    call: Callable[[Any], Any]
    """Takes a scope (see `sojourn.engine.scope.Scope`), returns the value; never raises on missing values."""
    needs: Needs = Needs()
    reads: tuple[tuple[str, Callable[[Any], Any]], ...] = ()
    """What it looks at, as written (`trait.plan`, `count('X')`), each with a function of the scope."""
