"""Actions and experiments: what a state wants done, and how it splits people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sojourn.definitions.journey import Do, Experiment, Template
from sojourn.definitions.reading import Reading, follow
from sojourn.definitions.schema import CHANNEL_PATTERN, JOURNEY_NAME_PATTERN, KEYWORDS, SINK_KIND_PATTERN
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.templates import compile_template
from sojourn.definitions.yaml import AnyNode, MappingNode, ScalarNode, plain
from sojourn.model.errors import DefinitionError

DEFAULT_EXPIRES_MS = 86_400_000  # a day: nobody wants yesterday's reminder.
MAX_VARIANTS = 20

_NAME = re.compile(JOURNEY_NAME_PATTERN)
_SINK_KIND = re.compile(SINK_KIND_PATTERN)
_WORD = re.compile(CHANNEL_PATTERN)


def read_actions(node: AnyNode, reading: Reading) -> list[Do]:
    """Read the list under `do:`."""
    actions = [_action(item, reading) for item in reading.items(node, "a list of actions")]
    return [action for action in actions if action is not None]


def read_experiment(node: AnyNode, reading: Reading) -> tuple[Experiment | None, Mapping[str, AnyNode]]:
    """Read an experiment; return it with the node of each variant's target."""
    entries = reading.mapping(node, "experiment", required=("id", "variants", "to"))
    if not {"id", "variants", "to"} <= entries.keys():
        return None, {}
    name = reading.text(entries["id"], "the experiment's id")
    if name and not _NAME.fullmatch(name):
        reading.refuse(entries["id"], f"an id is letters, digits, - and _, got {name[:40]!r}", "bad-name")
        return None, {}
    allocation = entries.get("allocation")
    if allocation is not None and reading.text(allocation, "fixed") != "fixed":
        reading.refuse(
            allocation, "expected fixed: other allocations come with a later version", "later-version"
        )
    weights = _weights(entries["variants"], reading)
    targets = {
        key.text: value for key, value in reading.any_mapping(entries["to"], "an object: variant -> state")
    }
    for key, _ in reading.any_mapping(entries["to"], "an object") if targets else ():
        if key.text not in weights:
            reading.refuse(
                key, f"no variant is named {key.text!r}{did_you_mean(key.text, weights)}", "unknown-name"
            )
    for variant in weights.keys() - targets.keys():
        reading.refuse(entries["to"], f"the variant {variant!r} leads nowhere", "missing")
    if not weights or not name:
        return None, {}
    total = sum(weights.values())
    shares = tuple(weight / total for weight in weights.values())
    return Experiment(id=name, variants=tuple(weights), weights=shares), targets


def _weights(node: AnyNode, reading: Reading) -> dict[str, float]:
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


def _action(node: AnyNode, reading: Reading) -> Do | None:
    """Read `{ webhook: support, body: .. }` or `{ sink: support, body: .. }`."""
    if not isinstance(node, MappingNode):
        reading.refuse(node, "expected an action, such as { webhook: support, body: {..} }", "bad-type")
        return None
    kinds = [key for key in node.entries if key not in KEYWORDS["action"]]
    named = [*kinds, *(["sink"] if "sink" in node.entries else [])]
    if len(named) != 1:
        got = " and ".join(named) or "none"
        hints = [did_you_mean(kind, KEYWORDS["action"]) for kind in kinds]
        hint = next((hint for hint in hints if "did you mean" in hint), "")
        message = f"expected one destination, such as sink: console, and {_options()}; got {got}{hint}"
        reading.refuse(node, message, "bad-value" if named else "missing")
        return None
    sink = _sink(node, named[0], reading)
    body = _body(node.entries.get("body"), reading)
    expires = node.entries.get("expires")
    expires_ms = reading.duration(expires) if expires is not None else DEFAULT_EXPIRES_MS
    if not sink or not body:
        return None
    do = Do(
        sink=sink,
        body=body,
        expires_ms=expires_ms,
        channel=_word(node.entries.get("channel"), "channel", reading),
        topic=_word(node.entries.get("topic"), "topic", reading),
        is_transactional=_is_transactional(node.entries.get("transactional"), reading),
    )
    reading.pace(node, do)
    return do


def _word(node: AnyNode | None, kind: str, reading: Reading) -> str:
    """Read the name of a channel or topic; empty where there is none."""
    if node is None:
        return ""
    name = reading.text(node, f"the name of a {kind}")
    if name and not _WORD.fullmatch(name):
        message = f"a {kind} is a lower-case word of letters, digits, - and _, got {name[:40]!r}"
        reading.refuse(node, message, "bad-name")
        return ""
    return name


def _is_transactional(node: AnyNode | None, reading: Reading) -> bool:
    if node is None:
        return False
    if not isinstance(node, ScalarNode) or not isinstance(node.value, bool):
        reading.refuse(node, "expected true or false", "bad-type")
        return False
    return node.value


def _options() -> str:
    return " or ".join(key for key in KEYWORDS["action"] if key != "sink")


def _sink(node: MappingNode, keyword: str, reading: Reading) -> str:
    value = node.entries[keyword]
    if not _SINK_KIND.fullmatch(keyword):
        reading.refuse(
            node.keys[keyword], f"a kind of sink is a lower-case word, got {keyword[:40]!r}", "bad-name"
        )
        return ""
    if keyword != "sink" and isinstance(value, ScalarNode) and value.value is None:
        return reading.sink(node.keys[keyword], keyword)
    return reading.sink(value, reading.text(value, "the name of a sink, as the configuration knows it"))


def _body(node: AnyNode | None, reading: Reading) -> Template | None:
    if node is None:
        return compile_template({})
    if not isinstance(node, MappingNode):
        reading.refuse(node, "expected the body as an object: name -> value", "bad-type")
        return None

    def place(path: tuple[Any, ...], line: int, column: int) -> tuple[int, int]:
        found = follow(node, path)
        return found.place(line, column) if isinstance(found, ScalarNode) else (found.line, found.column)

    try:
        return compile_template(plain(node), file=reading.file, place=place)
    except DefinitionError as error:
        reading.problems += error.problems
        return None
