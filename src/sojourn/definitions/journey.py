"""Journeys: the compiled form of one definition, and the catalogue of those in force."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from sojourn.definitions.chart import Chart
from sojourn.definitions.expression import Expression, Needs

Reentry = Literal["never", "after_exit", "always"]


class Entry(Struct, frozen=True, kw_only=True):
    """Who enters, and how often."""

    names: frozenset[str]
    when: Expression | None = None
    key: Expression | None = None
    """Several enrolments at once, one per value of this."""
    reentry: Reentry = "after_exit"


class Goal(Struct, frozen=True, kw_only=True):
    """What the journey is for."""

    names: frozenset[str]
    when: Expression | None = None
    within_ms: int | None = None
    """Counted from the entry; None: as long as the enrolment lasts."""
    value: Expression | None = None


class Exit(Struct, frozen=True, kw_only=True):
    """What ends the enrolment at once, whatever its state."""

    names: frozenset[str]
    when: Expression | None = None


class Template(Struct, frozen=True):
    """A JSON value with Liquid templates in its strings, compiled once."""

    source: Any
    """The JSON value as written."""
    render: Any
    """Callable[[Mapping[str, Any]], JSON value]; raises TemplateError (a ValueError) when it cannot."""
    names: frozenset[str] = frozenset()
    """The first names its templates ask for (`profile`, `event`, `entry`, ...)."""


class Do(Struct, frozen=True, kw_only=True):
    """An action a state wants on entry."""

    sink: str
    body: Template
    expires_ms: int = 86_400_000  # a day: nobody wants yesterday's reminder.


class Experiment(Struct, frozen=True, kw_only=True):
    """A random split inside a state."""

    id: str
    variants: tuple[str, ...]
    weights: tuple[float, ...]
    """Of the variants, in order; they sum to 1."""


class Journey(Struct, frozen=True, kw_only=True):
    """One journey, one immutable version of it."""

    name: str
    version: str
    """12 digits of the digest of its content."""
    text: str
    """The definition as written."""
    entry: Entry
    goal: Goal | None = None
    exits: tuple[Exit, ...] = ()
    holdout: float = 0.0
    """The share of people who enter and are held out, 0 to 1."""
    chart: Chart
    experiments: dict[str, Experiment] = {}
    needs: Needs = Needs()


class Catalogue(Struct, frozen=True, kw_only=True):
    """All definitions in force, indexed by what an event asks for first: who cares about its name."""

    journeys: dict[str, Journey]
    """By name: the version new people enter."""
    versions: dict[tuple[str, str], Journey] = {}
    """By (name, version): every version somebody may still be inside."""
    entries: dict[str, tuple[Journey, ...]] = {}
    """Event name -> journeys it may enter, in the order of their names."""
    needs: Needs = Needs()
    """What all of them together ask of a profile."""
    ranks: dict[str, int] = {}
    """Step -> its stage, for `regressed()`."""
    session_gap_ms: int = 30 * 60_000  # the web's convention since Urchin.
