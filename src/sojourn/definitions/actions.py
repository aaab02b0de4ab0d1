"""Actions and experiments: what a state wants done, and how it splits people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sojourn.definitions.experiment import Experiment
from sojourn.definitions.experiment_reading import make_experiment, read_weights
from sojourn.definitions.journey import Do, Template
from sojourn.definitions.reading import IN_A_STATE, Reading, follow
from sojourn.definitions.schema import KEYWORDS, SINK_KIND_PATTERN
from sojourn.definitions.schema_parts import CHANNEL_PATTERN, JOURNEY_NAME_PATTERN
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.templates import compile_template
from sojourn.definitions.yaml import AnyNode, MappingNode, ScalarNode, plain
from sojourn.model.errors import DefinitionError

DEFAULT_EXPIRES_MS = 86_400_000  # a day: nobody wants yesterday's reminder.

_NAME = re.compile(JOURNEY_NAME_PATTERN)
_SINK_KIND = re.compile(SINK_KIND_PATTERN)
_WORD = re.compile(CHANNEL_PATTERN)


def read_action(node: AnyNode, reading: Reading) -> Do | None:
    """Read one action: `{ webhook: support, body: .. }` or `{ sink: support, body: .. }`."""
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
    entries = node.entries
    expires = entries.get("expires")
    expires_ms = reading.duration(expires) if expires is not None else DEFAULT_EXPIRES_MS
    channel, topic = (_word(entries.get(kind), kind, reading) for kind in ("channel", "topic"))
    is_owed = reading.flag(entries["transactional"]) if "transactional" in entries else False
    share = reading.share(entries["holdout"]) if "holdout" in entries else 0.0
    if share and is_owed:
        message = "what is owed to a person has no hold-out; leave one of the two out"
        reading.refuse(entries["holdout"], message, "bad-value")
    if not sink or not body:
        return None
    do = Do(
        sink=sink,
        body=body,
        expires_ms=expires_ms,
        channel=channel,
        topic=topic,
        holdout=share,
        is_transactional=is_owed,
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


def read_actions(node: AnyNode, reading: Reading) -> list[Do]:
    """Read the list under `do:`."""
    actions = [read_action(item, reading) for item in reading.items(node, "a list of actions")]
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
    weights = read_weights(entries["variants"], reading)
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
    return make_experiment(name, weights, entries, reading, hidden=IN_A_STATE), targets


def read_split(
    entries: Mapping[str, AnyNode], reading: Reading, *, default: str, asked: Iterable[str]
) -> Experiment | None:
    """Read the experiment of a split; `default` is its id, `asked` the variants it leads somewhere."""
    name = default
    if "id" in entries:
        name = reading.text(entries["id"], "the experiment's id")
        if name and not _NAME.fullmatch(name):
            reading.refuse(entries["id"], f"an id is letters, digits, - and _, got {name[:40]!r}", "bad-name")
            return None
    weights = read_weights(entries["variants"], reading) if "variants" in entries else {}
    for variant in sorted(set(asked) - weights.keys()) if weights else ():
        message = f"no variant is named {variant!r}{did_you_mean(variant, weights)}"
        reading.refuse(entries["variants"], message, "unknown-name")
    if not weights or not name:
        return None
    return make_experiment(name, weights, entries, reading, hidden=IN_A_STATE)


def _options() -> str:
    *others, last = (key for key in KEYWORDS["action"] if key != "sink")
    return f"{', '.join(others)} or {last}"


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
