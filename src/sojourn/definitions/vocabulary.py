"""Vocabulary: the names expressions may use, each with what it costs a profile to know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from sojourn.definitions.friction_rules import SIGNALS

ANY_FIELD: frozenset[str] = frozenset()

ROOTS: Mapping[str, tuple[str, frozenset[str]]] = {
    "event": (
        "event",
        frozenset({"name", "kind", "properties", "traits", "user_id", "channel", "device", "geo"}),
    ),
    "properties": ("properties", ANY_FIELD),
    "trait": ("traits", ANY_FIELD),
    "traits": ("traits", ANY_FIELD),
    "profile": (
        "profile",
        frozenset({"id", "user_id", "anonymous_id", "first_seen_at", "last_seen_at", "traits"}),
    ),
    "entry": ("entry", frozenset({"name", "at", "key", "properties"})),
    "session": ("session", frozenset({"id", "n_events", "started_at", "duration_s", "channel"})),
    "friction": ("friction", frozenset({"score", "last"})),
    "data": ("data", ANY_FIELD),
}
"""Name -> the scope's attribute, and its fields (ANY_FIELD: whatever the JSON holds)."""

SHORTCUTS: Mapping[tuple[str, str], str] = {
    ("event", "properties"): "properties",
    ("profile", "traits"): "traits",
}
"""Two parts of a path that the scope knows by one name."""

Kind = Literal["any", "number", "maybe_number", "string", "bool", "none"]
"""What is known of a value before it is there; `maybe_number` is a number or None."""


class Function(Struct, frozen=True):
    """One function about the profile."""

    call: str
    """The Python expression; `{name}` stands for the literal argument, `{within_ms}` for the window."""
    kind: Kind
    argument: str = ""
    """What the argument names (`event`, `step`, `experiment`, `state`, ...); empty where there is none."""
    has_window: bool = False
    choices: tuple[str, ...] = ()
    """What the argument may be; empty: anything."""


FUNCTIONS: Mapping[str, Function] = {
    "count": Function("scope.count({name}, {within_ms})", "number", "event", has_window=True),
    "since": Function("scope.since({name})", "maybe_number", "event"),
    "visits": Function("scope.visits({name})", "number", "step"),
    "loops": Function("scope.loops({name})", "number", "step"),
    "regressed": Function("scope.regressed()", "bool"),
    "variant": Function("scope.variant({name})", "any", "experiment"),
    "in_segment": Function("scope.in_segment({name})", "bool", "segment"),
    "friction": Function(
        "scope.friction_count({name}, {within_ms})", "number", "signal", has_window=True, choices=SIGNALS
    ),
    "propensity": Function("scope.propensity({name})", "maybe_number", "goal"),
    "hazard": Function("scope.hazard()", "maybe_number"),
    "churn": Function("scope.churn()", "maybe_number"),
    "In": Function("({name} in scope.active)", "bool", "state"),
}

SECONDS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}
"""Functions of a number: so many seconds."""

LITERALS = {"true": True, "false": False, "null": None}
"""As YAML and JSON write them; Python's own spelling is known anyway."""
