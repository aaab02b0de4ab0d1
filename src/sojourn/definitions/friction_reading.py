"""Reading the policy's `friction:` and `churn:`: from nodes to settings, or to what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import structs

from sojourn.definitions.churn import UNITS_MS, ChurnModel
from sojourn.definitions.friction_rules import (
    DEFAULT_EVENTS,
    DEFAULT_WEIGHTS,
    RAGE_PRESETS,
    SIGNALS,
    FrictionRules,
    RageRule,
    Role,
    roles_of,
)
from sojourn.definitions.reading import Reading
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.yaml import AnyNode, ScalarNode, SequenceNode

_LARGEST = 1e9  # no parameter of a fit comes near.
MAX_WEIGHT = 100.0  # e^-100 is nothing: more says no more.

_ROLES: Mapping[str, Role] = {
    "clicks": "click",
    "effects": "effect",
    "errors": "error",
    "steps": "step",
    "form_starts": "form_start",
    "form_submits": "form_submit",
    "carts": "cart",
    "purchases": "purchase",
    "rages": "rage",
    "dead_clicks": "dead",
}
"""Keyword -> the role of the events it lists."""

_DURATIONS: Mapping[str, str] = {
    "tau": "tau_ms",
    "dead_after": "dead_ms",
    "error_within": "error_ms",
    "quick_back_within": "quick_back_ms",
    "form_within": "form_ms",
    "cart_within": "cart_ms",
    "stall_after": "stall_ms",
}
"""Keyword -> the setting, in ms."""


def read_friction(node: AnyNode, reading: Reading) -> FrictionRules:
    """Read the policy's `friction:`; what it leaves out stays as the defaults are."""
    entries = reading.mapping(node, "friction")
    events = dict(DEFAULT_EVENTS)
    for keyword, role in _ROLES.items():
        if keyword in entries:
            events[role] = reading.names(entries[keyword])
    rules = FrictionRules(is_named=True, roles=roles_of(events))
    durations = {
        name: reading.duration(entries[keyword]) for keyword, name in _DURATIONS.items() if keyword in entries
    }
    return structs.replace(
        rules,
        weights=_weights(entries.get("weights"), reading),
        rage=_preset(entries.get("rage"), reading),
        stalls=_stalls(entries.get("stalls"), reading),
        ignored_targets=_texts(entries.get("ignored_targets"), reading) or rules.ignored_targets,
        ignored_properties=rules.ignored_properties | _texts(entries.get("ignored_properties"), reading),
        **durations,
    )


def read_churn(node: AnyNode, reading: Reading) -> ChurnModel:
    """Read the policy's `churn:`: the parameters of one fit, all four of them or none."""
    entries = reading.mapping(node, "churn")
    given = [name for name in ("r", "alpha", "a", "b") if name in entries]
    if given and len(given) < 4:
        missing = ", ".join(name for name in ("r", "alpha", "a", "b") if name not in given)
        message = f"the parameters are of one fit and come together; {missing} is missing"
        reading.refuse(node, message, "missing")
    model = ChurnModel()
    found = {name: _positive(entries[name], reading) for name in given}
    unit = reading.text(entries["unit"], "day or week") if "unit" in entries else model.unit
    if unit not in UNITS_MS:
        message = f"this is no unit: {unit!r}{did_you_mean(unit, UNITS_MS)}"
        reading.refuse(entries["unit"], message, "bad-value")
        unit = model.unit
    return structs.replace(model, unit=unit, **found)


def _preset(node: AnyNode | None, reading: Reading) -> RageRule:
    """Read whose rule of rage clicks holds."""
    own = RAGE_PRESETS["sojourn"]
    if node is None:
        return own
    name = reading.text(node, "a preset: " + ", ".join(RAGE_PRESETS))
    if name and name not in RAGE_PRESETS:
        message = f"no preset of rage clicks is named {name[:40]!r}{did_you_mean(name, RAGE_PRESETS)}"
        reading.refuse(node, message, "bad-value")
    return RAGE_PRESETS.get(name, own)


def _weights(node: AnyNode | None, reading: Reading) -> dict[str, float]:
    """Read signal -> weight; 0 switches a signal off."""
    weights = dict(DEFAULT_WEIGHTS)
    if node is None:
        return weights
    for key, value in reading.any_mapping(node, "signals with their weights, such as rage: 1"):
        signal = key.text
        if signal not in SIGNALS:
            message = f"no signal of friction is named {signal[:40]!r}{did_you_mean(signal, SIGNALS)}"
            reading.refuse(key, message, "unknown-name")
            continue
        weights[signal] = _number(value, reading, f"a weight from 0 to {MAX_WEIGHT:g}", most=MAX_WEIGHT)
    return weights


def _stalls(node: AnyNode | None, reading: Reading) -> dict[str, int]:
    if node is None:
        return {}
    pairs = reading.any_mapping(node, "steps with the longest time in each, such as Payment Viewed: 3m")
    return {key.text: reading.duration(value) for key, value in pairs}


def _texts(node: AnyNode | None, reading: Reading) -> frozenset[str]:
    if node is None:
        return frozenset()
    each = reading.items(node, "a name or a list") if isinstance(node, SequenceNode) else (node,)
    return frozenset(reading.text(item, "a name") for item in each)


def _positive(node: AnyNode, reading: Reading) -> float:
    value = _number(node, reading, "a number above 0", most=_LARGEST)
    if value == 0:
        reading.refuse(node, "expected a number above 0, got 0", "bad-value")
        return 1.0
    return value


def _number(node: AnyNode, reading: Reading, expected: str, *, most: float) -> float:
    """Return a number from 0 to `most`; 1 where it is none."""
    value = node.value if isinstance(node, ScalarNode) else None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most:
        return float(value)
    got = f", got {node.text[:40]!r}" if isinstance(node, ScalarNode) else ""
    reading.refuse(node, f"expected {expected}{got}", "bad-value")
    return 1.0
