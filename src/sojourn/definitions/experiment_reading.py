"""Reading experiments: weights, shares, namespaces and adaptive allocation, of splits and of flags alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sojourn.definitions.experiment import DEFAULT_FLOOR, Experiment, Namespace, Reward
from sojourn.definitions.expression import Expression
from sojourn.definitions.reading import AT_THE_ENTRY, Reading, said_share
from sojourn.definitions.schema_parts import JOURNEY_NAME_PATTERN
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.yaml import AnyNode, ScalarNode, SequenceNode

MAX_VARIANTS = 20
MAX_BY = 3  # parts of a context: more make cells in which nobody is.
GOAL_WINDOW_MS = 7 * 86_400_000  # of a goal without a window, as a reward: a week.

_NAME = re.compile(JOURNEY_NAME_PATTERN)
_HASHES: Mapping[str, int] = {"v1": 1, "v2": 2}
_ADAPTIVE_ONLY = ("reward", "floor", "by")
_NOT_ITSELF = "a context must not depend on what is drawn in it; ask for traits, events or the visit"


def read_weights(node: AnyNode, reading: Reading) -> dict[str, float]:
    """Read variant -> weight, above 0; empty where there are none."""
    weights: dict[str, float] = {}
    for key, value in reading.any_mapping(node, "an object: variant -> weight"):
        weight = value.value if isinstance(value, ScalarNode) else None
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= 1e9:
            reading.refuse(value, "expected a weight above 0", "bad-value")
            weight = 1.0
        if not _NAME.fullmatch(key.text):
            message = f"a variant's name is letters, digits, - and _, got {key.text[:40]!r}"
            reading.refuse(key, message, "bad-name")
            continue
        weights[key.text] = float(weight)
    if not 1 <= len(weights) <= MAX_VARIANTS:
        reading.refuse(node, f"expected 1 to {MAX_VARIANTS} variants", "bad-value")
        return {}
    return weights


def make_experiment(
    name: str,
    weights: Mapping[str, float],
    entries: Mapping[str, AnyNode],
    reading: Reading,
    *,
    hidden: Mapping[str, str],
) -> Experiment:
    """Read what stands in a split beside its variants; `hidden` are the names that its context cannot use."""
    total = sum(weights.values())
    hash_name = "v2"
    if "hash" in entries:
        hash_name = _word(entries["hash"], _HASHES, reading)
    settings: dict[str, Any] = {}
    if "namespace" in entries:
        settings["namespace"] = _namespace(entries["namespace"], reading)
    if "seed" in entries:
        settings["seed"] = reading.text(entries["seed"], "a seed")
    if "coverage" in entries:
        settings["coverage"] = read_share(entries["coverage"], reading)
    if "allocation" in entries and _word(entries["allocation"], ("fixed", "adaptive"), reading) == "adaptive":
        settings |= _adaptive(entries, reading, n_variants=len(weights), hidden=hidden)
    else:
        for keyword in _ADAPTIVE_ONLY:
            if keyword in entries:
                message = (
                    f"{keyword} is for an adaptive allocation; add allocation: adaptive, or leave it out"
                )
                reading.refuse(entries[keyword], message, "bad-value")
    return Experiment(
        id=name,
        variants=tuple(weights),
        weights=tuple(weight / total for weight in weights.values()),
        hash=_HASHES[hash_name],  # type: ignore[arg-type]  # it is 1 or 2
        **settings,
    )


def read_share(node: AnyNode, reading: Reading) -> float:
    """Read a share of people above 0 and up to all of them: `50%`, or a number; 1 where it is none."""
    share = said_share(node)
    if 0 < share <= 1:
        return share
    got = f", got {node.text[:40]!r}" if isinstance(node, ScalarNode) else ""
    reading.refuse(node, f"expected a share above 0% and up to 100%, such as 50% or 0.5{got}", "bad-value")
    return 1.0


def _adaptive(
    entries: Mapping[str, AnyNode], reading: Reading, *, n_variants: int, hidden: Mapping[str, str]
) -> dict[str, Any]:
    floor = read_share(entries["floor"], reading) if "floor" in entries else DEFAULT_FLOOR
    if floor * n_variants > 1:
        message = f"{n_variants} variants cannot all have a share of {floor:g}; lower the floor"
        reading.refuse(entries.get("floor", entries["allocation"]), message, "bad-value")
    return {
        "allocation": "adaptive",
        "floor": floor,
        "reward": _reward(entries, reading),
        "by": tuple(_context(entries.get("by"), reading, hidden)),
    }


def _reward(entries: Mapping[str, AnyNode], reading: Reading) -> Reward | None:
    """Read what an adaptive allocation is for; the journey's goal, where it says no event."""
    goal_ms = reading.goal_within_ms
    if "reward" not in entries:
        if goal_ms is None:
            message = (
                "an adaptive allocation needs a reward: { on: EVENT, within: 1d }, or a goal of the journey"
            )
            reading.refuse(entries["allocation"], message, "missing")
            return None
        return Reward(within_ms=goal_ms or GOAL_WINDOW_MS)
    said = reading.mapping(entries["reward"], "reward", required=("within",))
    within_ms = reading.duration(said["within"]) if "within" in said else GOAL_WINDOW_MS
    names = reading.names(said.get("on"))
    if not names and "on" not in said and goal_ms is None:
        reading.refuse(entries["reward"], "reward needs 'on': the event that it is", "missing")
    if "when" in said and "on" not in said:
        reading.refuse(said["when"], "a condition needs an event; add on: EVENT", "bad-value")
    when = reading.condition(said.get("when"), hidden=AT_THE_ENTRY)
    return Reward(names=names, when=when.expression if when else None, within_ms=within_ms)


def _context(node: AnyNode | None, reading: Reading, hidden: Mapping[str, str]) -> Iterable[Expression]:
    if node is None:
        return
    nodes = reading.items(node, "expressions") if isinstance(node, SequenceNode) else (node,)
    if len(nodes) > MAX_BY:
        reading.refuse(node, f"expected at most {MAX_BY} expressions", "bad-value")
    for each in nodes:
        expression = reading.expression(each, hidden={**hidden, "variant": _NOT_ITSELF})
        if expression is not None:
            yield expression


def _namespace(node: AnyNode, reading: Reading) -> Namespace | None:
    entries = reading.mapping(node, "namespace", required=("id", "from", "to"))
    if not {"id", "from", "to"} <= entries.keys():
        return None
    name = reading.text(entries["id"], "the namespace's id")
    if name and not _NAME.fullmatch(name):
        message = f"a namespace's id is letters, digits, - and _, got {name[:40]!r}"
        reading.refuse(entries["id"], message, "bad-name")
    start, end = _edge(entries["from"], reading), _edge(entries["to"], reading)
    if start is None or end is None:
        return None
    if start >= end:
        reading.refuse(entries["to"], f"nobody is from {start:g} to {end:g}; widen the part", "bad-value")
    return Namespace(name, start, end)


def _edge(node: AnyNode, reading: Reading) -> float | None:
    value = node.value if isinstance(node, ScalarNode) else None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    reading.refuse(node, "expected a number from 0 to 1", "bad-value")
    return None


def _word(node: AnyNode, words: Iterable[str], reading: Reading) -> str:
    """Read one of some words; the first where it is none."""
    each = list(words)
    word = reading.text(node, " or ".join(each))
    if word in each:
        return word
    if word:
        message = f"expected {' or '.join(each)}, got {word[:40]!r}{did_you_mean(word, each)}"
        reading.refuse(node, message, "bad-value")
    return each[0]
