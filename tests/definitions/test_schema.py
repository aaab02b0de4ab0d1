"""The JSON Schema: published, in step with the compiler, and true of the examples."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sojourn.definitions import (
    actions,
    catalogue,
    compile,
    experiment_reading,
    flags,
    friction_reading,
    policy_reading,
    reading,
    rules,
    schedules,
    segments,
    states,
    step_kinds,
    steps,
    wait_for,
    waits,
    ways,
)
from sojourn.definitions.catalogue import check_definitions
from sojourn.definitions.compile import check_journey
from sojourn.definitions.experiment_schema import FLAG_KEYWORDS
from sojourn.definitions.policy_schema import POLICY_KEYWORDS
from sojourn.definitions.schema import (
    KEYWORDS,
    definition_file_schema,
    definition_file_schema_text,
    flag_schema,
    flag_schema_text,
    journey_schema,
    journey_schema_text,
)
from sojourn.definitions.yaml import load, plain
from tests.definitions.test_policy_reading import FULL

ROOT = Path(__file__).parents[2]
JOURNEYS = sorted((ROOT / "journeys").glob("*.yaml"))
SCHEMA = journey_schema()
SHARED = definition_file_schema()
FLAG = flag_schema()
SCHEMAS = {"house": SHARED, "checkout-button": FLAG}


def test_the_published_file_is_what_the_function_returns() -> None:
    """Editors read the file; write it anew with `journey_schema_text()` when this fails."""
    assert (ROOT / "docs/reference/journey.schema.json").read_text() == journey_schema_text()
    assert (ROOT / "docs/reference/definitions.schema.json").read_text() == definition_file_schema_text()
    assert (ROOT / "docs/reference/flag.schema.json").read_text() == flag_schema_text()


@pytest.mark.parametrize("path", JOURNEYS, ids=lambda path: path.stem)
def test_the_examples_are_valid(path: Path) -> None:
    """An editor must not underline what the compiler takes."""
    schema = SCHEMAS.get(path.stem, SCHEMA)
    assert flaws(plain(load(path.read_text(), file=path.name)), schema, root=schema) == []


@pytest.mark.parametrize(
    "text",
    [
        "{journey: x, states: {a: {}}}",
        "{journey: x, entry: {on: E, wen: a}, states: {a: {}}}",
        "{journey: x, entry: {on: E, reentry: often}, states: {a: {}}}",
        "{journey: x, entry: {on: E}, holdout: 200, states: {a: {}}}",
        "{journey: x, entry: {on: E}, states: {a: {after: {5 min: done}}}}",
        "{journey: x, entry: {on: E}, states: {a: {onn: {F: done}}}}",
        "{journey: x, entry: {on: E}, states: {}}",
        "{journey: x, entry: {on: []}, states: {a: {}}}",
        "{journey: x, entry: {when: a.b}, states: {a: {}}}",
        "{journey: x, entry: {on: E, api: sometimes}, states: {a: {}}}",
        "{journey: x, entry: {on: E, reentry: {cooldown: often}}, states: {a: {}}}",
        "{journey: x, entry: {on: E, reentry: {}}, states: {a: {}}}",
        "{journey: x, entry: {schedule: {zone: UTC}}, states: {a: {}}}",
        "{journey: x, entry: {on: E}, exit: {}, states: {a: {}}}",
        "{journey: x, entry: {on: E}, goal: {on: F, outlives: 7d}, states: {a: {}}}",
        "{journey: x, entry: {on: E}, priority: 2000, states: {a: {}}}",
        "{journey: x, entry: {on: E}, priority: high, states: {a: {}}}",
        "{journey: x, entry: {on: E}, group: a b, states: {a: {}}}",
        "{journey: x, entry: {on: E}, states: {a: {type: parallel}}}",
        "{journey: x y, entry: {on: E}, states: {a: {}}}",
        "{journey: x, entry: {on: E}, states: {1: {}}}",
    ],
)
def test_schema_and_compiler_refuse_the_same_mistakes(text: str) -> None:
    """What an editor lets pass and the compiler refuses is a surprise."""
    assert flaws(plain(load(text, file="f")), SCHEMA)
    assert check_journey(text).problems


def test_the_published_schema_of_shared_definitions_is_what_the_function_returns() -> None:
    """Write it anew with `definition_file_schema_text()` when this fails."""
    assert (ROOT / "docs/reference/definitions.schema.json").read_text() == definition_file_schema_text()


def test_a_policy_with_everything_in_it_is_valid() -> None:
    """An editor must not underline what is taken."""
    assert flaws(plain(load(FULL, file="f")), SHARED, root=SHARED) == []


@pytest.mark.parametrize(
    "text",
    [
        "{policy: {holdout: 2}}",
        "{policy: {chanels: {}}}",
        "{policy: {quiet: on}}",
        '{policy: {quiet: {from: "22:00"}}}',
        '{policy: {quiet: {from: "22:00", to: "24:00"}}}',
        "{policy: {caps: []}}",
        "{policy: {caps: [{most: 201, per: day}]}}",
        "{policy: {caps: [{most: -1, per: day}]}}",
        "{policy: {friction: {weights: {rang: 1}}}}",
        "{policy: {friction: {tau: soon}}}",
        "{policy: {churn: {unit: month}}}",
        "{policy: {caps: [{most: 1, per: year}]}}",
        "{policy: {channels: {Email: {}}}}",
        "{policy: {channels: {email: {consent: yes}}}}",
        "{policy: {channels: {email: {sinks: []}}}}",
    ],
)
def test_the_policys_schema_and_reader_refuse_the_same_mistakes(text: str) -> None:
    """What an editor lets pass and the reader refuses is a surprise."""
    assert flaws(plain(load(text, file="f")), SHARED, root=SHARED)
    assert check_definitions([("f", text)]).problems


@pytest.mark.parametrize("kind", sorted(POLICY_KEYWORDS))
def test_every_keyword_of_a_policy_is_read(kind: str) -> None:
    """The reader refuses what is not in POLICY_KEYWORDS; this is the other direction."""
    source = Path(policy_reading.__file__).read_text()
    assert [keyword for keyword in POLICY_KEYWORDS[kind] if f'"{keyword}"' not in source] == []


@pytest.mark.parametrize(
    "text",
    [
        "{flag: a/b, variants: {a: 1}, default: a}",
        "{flag: f, variants: {}, default: a}",
        "{flag: f, variants: {a: 1}}",
        "{flag: f, type: float, variants: {a: 1.5}, default: a}",
        "{flag: f, variants: {a: 1}, default: a, enabled: sometimes}",
        "{flag: f, variants: {a: 1}, default: a, rules: [{when: trait.x}]}",
        "{flag: f, variants: {a: 1}, default: a, rules: [{serve: a, wen: trait.x}]}",
        "{flag: f, variants: {a: 1}, default: a, rules: [{experiment: {variants: {a: 0}}}]}",
        "{flag: f, variants: {a: 1}, default: a, rules: [{experiment: {variants: {a: 1}, coverage: 2}}]}",
        "{flag: f, variants: {a: 1}, default: a, rules: [{experiment: {variants: {a: 1}, hash: v3}}]}",
        "{flag: f, variants: {a: 1}, default: a, rules: [{experiment: {variants: {a: 1}, version: -1}}]}",
        "{flag: f, variants: {a: 1}, default: a, rules: [{experiment: {variants: {a: 1}, namespace: n}}]}",
    ],
)
def test_the_flags_schema_and_reader_refuse_the_same_mistakes(text: str) -> None:
    """What an editor lets pass and the reader refuses is a surprise."""
    assert flaws(plain(load(text, file="f")), FLAG, root=FLAG)
    assert check_definitions([("f", text)]).problems


@pytest.mark.parametrize("kind", sorted(FLAG_KEYWORDS))
def test_every_keyword_of_a_flag_is_read(kind: str) -> None:
    """The reader refuses what is not in FLAG_KEYWORDS; this is the other direction."""
    source = "".join(Path(module.__file__ or "").read_text() for module in (flags, experiment_reading))
    assert [keyword for keyword in FLAG_KEYWORDS[kind] if f'"{keyword}"' not in source] == []


@pytest.mark.parametrize("kind", sorted(KEYWORDS))
def test_every_keyword_of_the_schema_is_read_by_the_compiler(kind: str) -> None:
    """The compiler refuses what is not in KEYWORDS; this is the other direction: each one is looked at."""
    source = "".join(
        Path(module.__file__ or "").read_text()
        for module in (
            actions,
            catalogue,
            compile,
            experiment_reading,
            friction_reading,
            policy_reading,
            reading,
            rules,
            schedules,
            segments,
            states,
            step_kinds,
            steps,
            wait_for,
            waits,
            ways,
        )
    )
    unread = [keyword for keyword in KEYWORDS[kind] if f'"{keyword}"' not in source]
    assert unread == []


def test_every_keyword_has_a_description() -> None:
    """Completion without a word of explanation is half a help."""
    objects = [SCHEMA, *(each for each in SCHEMA["$defs"].values() if "properties" in each)]
    bare = [
        name
        for each in objects
        for name, schema in each["properties"].items()
        if "description"
        not in {**SCHEMA["$defs"].get(schema.get("$ref", "").rsplit("/", 1)[-1], {}), **schema}
    ]
    assert bare == []


TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "number": (int, float),
    "integer": int,
}


# fmt: off
UNDERSTOOD = {
    "$schema", "$id", "$defs", "$ref", "title", "description", "examples", "default", "type", "enum", "anyOf",
    "pattern", "minLength", "minimum", "exclusiveMinimum", "exclusiveMaximum", "items", "minItems",
    "required", "properties", "patternProperties", "additionalProperties", "propertyNames", "minProperties",
    "maximum", "maxItems",
}
# fmt: on


def flaws(value: Any, schema: dict[str, Any], path: str = "$", *, root: dict[str, Any] = SCHEMA) -> list[str]:
    """Validate by the part of JSON Schema that ours uses; an unknown keyword is a failure of this test."""
    assert schema.keys() <= UNDERSTOOD, schema.keys() - UNDERSTOOD
    found: list[str] = []
    if "$ref" in schema:
        found += flaws(value, root["$defs"][schema["$ref"].rsplit("/", 1)[-1]], path, root=root)
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        is_bool = isinstance(value, bool)
        if not any(isinstance(value, TYPES[name]) and (not is_bool or name == "boolean") for name in names):
            return [f"{path}: is no {names}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{path}: not one of {schema['enum']}")
    if "anyOf" in schema and all(flaws(value, each, path, root=root) for each in schema["anyOf"]):
        found.append(f"{path}: none of the forms")
    match value:
        case str():
            found += _flaws_of_text(value, schema, path)
        case int() | float() if not isinstance(value, bool):
            found += _flaws_of_number(value, schema, path)
        case list():
            if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
                found.append(f"{path}: too few or too many")
            for i, each in enumerate(value):
                found += flaws(each, schema.get("items", {}), f"{path}[{i}]", root=root)
        case dict():
            found += _flaws_of_object(value, schema, path, root=root)
    return found


def _flaws_of_number(value: float, schema: dict[str, Any], path: str) -> list[str]:
    is_in = schema.get("minimum", value) <= value < schema.get("exclusiveMaximum", value + 1)
    is_in = is_in and value <= schema.get("maximum", value)
    is_above = value > schema.get("exclusiveMinimum", value - 1)
    return [] if is_in and is_above else [f"{path}: out of range"]


def _flaws_of_text(value: str, schema: dict[str, Any], path: str) -> list[str]:
    is_matching = "pattern" not in schema or re.search(schema["pattern"], value)
    return (
        []
        if is_matching and len(value) >= schema.get("minLength", 0)
        else [f"{path}: {value!r} has not the form"]
    )


def _flaws_of_object(
    value: dict[str, Any], schema: dict[str, Any], path: str, *, root: dict[str, Any]
) -> list[str]:
    found = [f"{path}: needs {name}" for name in schema.get("required", ()) if name not in value]
    if len(value) < schema.get("minProperties", 0):
        found.append(f"{path}: too few")
    for key, each in value.items():
        inner = f"{path}.{key}"
        found += flaws(key, schema.get("propertyNames", {}), inner, root=root)
        patterns = [
            rule for pattern, rule in schema.get("patternProperties", {}).items() if re.search(pattern, key)
        ]
        if key in schema.get("properties", {}):
            found += flaws(each, schema["properties"][key], inner, root=root)
        elif patterns:
            found += flaws(each, patterns[0], inner, root=root)
        elif schema.get("additionalProperties") is False:
            found.append(f"{inner}: unknown")
        elif isinstance(schema.get("additionalProperties"), dict):
            found += flaws(each, schema["additionalProperties"], inner, root=root)
    return found
