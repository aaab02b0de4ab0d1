"""Flags in files: one stand-alone feature flag each, with its values, its rules and its experiments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from msgspec import Struct
from msgspec.structs import replace

from sojourn.definitions.compile import version_of
from sojourn.definitions.experiment import Experiment, Flag, Rule, ValueType
from sojourn.definitions.experiment_reading import make_experiment, read_weights
from sojourn.definitions.experiment_schema import FLAG_NAME_PATTERN, VALUE_TYPES
from sojourn.definitions.needs import merge_needs
from sojourn.definitions.reading import IN_A_RULE, Reading, first_of_each
from sojourn.definitions.schema_parts import JOURNEY_NAME_PATTERN
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.yaml import AnyNode, MappingNode, ScalarNode, plain

MAX_FLAGS = 1_000  # in force together; a bulk answer tells all of them.
MAX_RULES = 100
MAX_VERSION = 100

JOURNEY_PREFIX = "journey."
"""How the keys of what a journey tells begin: no flag may."""

_KEY = re.compile(FLAG_NAME_PATTERN, re.ASCII)
_NAME = re.compile(JOURNEY_NAME_PATTERN)
IN_A_FLAG: Mapping[str, str] = {
    **IN_A_RULE,
    "event": "a flag is asked, and nothing happens; properties are what the question brings",
    "entry": "a flag is no journey, and nobody enters it; use properties, traits or profile",
}
"""Names that the expressions of a flag cannot use, with the reason."""


class FlagDraft(Struct, frozen=True, kw_only=True):
    """One flag, and where it stands."""

    flag: Flag
    reading: Reading
    place: AnyNode


def flag_name(root: MappingNode) -> str:
    """Return the name a file gives its flag, whatever is wrong with the rest."""
    node = root.entries["flag"]
    return node.text if isinstance(node, ScalarNode) else ""


def read_flag(text: str, root: MappingNode, reading: Reading) -> FlagDraft | None:
    """Read one file; None where it is wrong, and `reading` has the problems."""
    entries = reading.mapping(root, "flag", required=("variants", "default"))
    name = reading.text(entries["flag"], "the flag's key")
    _check_name(entries["flag"], name, reading)
    if "description" in entries:
        reading.text(entries["description"], "a description")
    is_enabled = reading.flag(entries["enabled"]) if "enabled" in entries else True
    variants = _variants(entries["variants"], reading) if "variants" in entries else {}
    kind = _type(entries, variants, reading)
    default = _variant(entries["default"], variants, reading) if "default" in entries else ""
    rules = _rules(entries.get("rules"), name, variants, reading)
    _check_unused(entries.get("variants"), {default, *_served(rules)}, reading)
    if reading.problems:
        return None
    values = {each: float(value) if kind == "number" else value for each, (_, value) in variants.items()}
    flag = Flag(
        name=name,
        text=text,
        version=version_of(root),
        type=kind,
        variants=values,
        default=default,
        rules=tuple(rules),
        is_enabled=is_enabled,
        needs=merge_needs(reading.needs),
    )
    return FlagDraft(flag=flag, reading=reading, place=entries["flag"])


def unique(drafts: Sequence[FlagDraft]) -> list[Flag]:
    """Return flags by name; notes those that stand twice, and too many."""
    by_name = first_of_each(drafts, lambda draft: draft.flag.name, what="flag", most=MAX_FLAGS)
    return [by_name[name].flag for name in sorted(by_name)]


_Values = Mapping[str, tuple[AnyNode, Any]]


def _check_name(node: AnyNode, name: str, reading: Reading) -> None:
    if name and not _KEY.fullmatch(name):
        message = f"a flag's key is letters, digits, dots, - and _, got {name[:40]!r}"
        reading.refuse(node, message, "bad-name")
    elif name.startswith(JOURNEY_PREFIX):
        message = f"keys that begin with {JOURNEY_PREFIX!r} are those of journeys; choose another"
        reading.refuse(node, message, "bad-name")


def _variants(node: AnyNode, reading: Reading) -> _Values:
    """Read variant -> (where its value stands, its value)."""
    found: dict[str, tuple[AnyNode, Any]] = {}
    for key, value in reading.any_mapping(node, "an object: variant -> value"):
        if not _NAME.fullmatch(key.text):
            message = f"a variant's name is letters, digits, - and _, got {key.text[:40]!r}"
            reading.refuse(key, message, "bad-name")
            continue
        found[key.text] = (value, plain(value))
    if not found:
        reading.refuse(node, "expected at least one variant", "missing")
    return found


def _type(entries: Mapping[str, AnyNode], variants: _Values, reading: Reading) -> ValueType:
    """Return the type that all values have: the one that is said, or that of the first value."""
    kinds = {name: _type_of(value) for name, (_, value) in variants.items()}
    if "type" in entries:
        wanted = reading.text(entries["type"], " or ".join(VALUE_TYPES))
        if wanted not in VALUE_TYPES:
            message = (
                f"expected {', '.join(VALUE_TYPES)}, got {wanted[:40]!r}{did_you_mean(wanted, VALUE_TYPES)}"
            )
            reading.refuse(entries["type"], message, "bad-value")
            return "string"
    else:
        wanted = next(iter(kinds.values()), "string") or "string"
        if wanted == "integer" and "number" in kinds.values():
            wanted = "number"
    for name, kind in kinds.items():
        if kind != wanted and not (wanted == "number" and kind == "integer"):
            got = kind or "nothing, or a list"
            message = f"the values of a flag are of one type: expected {wanted}, got {got}"
            reading.refuse(variants[name][0], message, "bad-type")
    return cast(ValueType, wanted)


def _type_of(value: Any) -> str:
    """Name the type of a value; empty where no flag can have it."""
    kinds = {bool: "boolean", str: "string", int: "integer", float: "number", dict: "object"}
    return kinds.get(type(value), "")


def _variant(node: AnyNode, variants: _Values, reading: Reading) -> str:
    name = reading.text(node, "the name of a variant")
    if name and variants and name not in variants:
        reading.refuse(node, f"no variant is named {name!r}{did_you_mean(name, variants)}", "unknown-name")
    return name


def _rules(node: AnyNode | None, flag: str, variants: _Values, reading: Reading) -> list[Rule]:
    if node is None:
        return []
    nodes = reading.items(node, "a list of rules, such as [{ when: .., serve: .. }]")
    if len(nodes) > MAX_RULES:
        reading.refuse(node, f"expected at most {MAX_RULES} rules, got {len(nodes)}", "too-many")
    rules: list[Rule] = []
    for each in nodes:
        if rules and _is_for_all(rules[-1]):
            message = "this is never reached: the rule above it is for everybody; put that one last"
            reading.refuse(each, message, "shadowed")
            break
        rule = _rule(each, flag, variants, reading)
        if rule is None:
            continue
        taken = {one.experiment.id for one in rules if one.experiment is not None}
        if rule.experiment is not None and rule.experiment.id in taken:
            message = f"the experiment {rule.experiment.id!r} is here twice; give each an id of its own"
            reading.refuse(each, message, "duplicate-experiment")
        rules.append(rule)
    return rules


def _rule(node: AnyNode, flag: str, variants: _Values, reading: Reading) -> Rule | None:
    entries = reading.mapping(node, "rule")
    if "description" in entries:
        reading.text(entries["description"], "a description")
    compiled = reading.condition(entries.get("when"), hidden=IN_A_FLAG)
    when = None if compiled is None or compiled.is_always_true else compiled.expression
    if ("serve" in entries) is ("experiment" in entries):
        got = "both" if "serve" in entries else "neither"
        reading.refuse(node, f"a rule has serve or experiment; got {got}", "bad-value")
        return None
    if "serve" in entries:
        return Rule(when=when, variant=_variant(entries["serve"], variants, reading))
    experiment = _experiment(entries["experiment"], flag, variants, reading)
    return None if experiment is None else Rule(when=when, experiment=experiment)


def _experiment(node: AnyNode, flag: str, variants: _Values, reading: Reading) -> Experiment | None:
    entries = reading.mapping(node, "flag_experiment", required=("variants",))
    if "variants" not in entries:
        return None
    name = reading.text(entries["id"], "the experiment's id") if "id" in entries else flag
    if name and not _KEY.fullmatch(name):
        place = entries.get("id", node)
        reading.refuse(place, f"an id is letters, digits, - and _, got {name[:40]!r}", "bad-name")
    weights = read_weights(entries["variants"], reading)
    split = entries["variants"]
    for variant in weights.keys() - variants.keys():
        place = split.keys[variant] if isinstance(split, MappingNode) else split
        message = f"the flag has no variant {variant!r}{did_you_mean(variant, variants)}"
        reading.refuse(place, message, "unknown-name")
    if not weights or not name:
        return None
    made = make_experiment(name, weights, entries, reading, hidden=IN_A_FLAG)
    version, oldest = (_version(entries.get(each), reading) for each in ("version", "min_version"))
    if oldest > version:
        message = f"the oldest version that takes part is {oldest}, and this is version {version}"
        reading.refuse(entries["min_version"], message, "bad-value")
    return replace(
        made,
        id=_id_of(name, version),
        seed=made.seed or name,
        holdout=reading.share(entries["holdout"]) if "holdout" in entries else 0.0,
        is_sticky=reading.flag(entries["sticky"]) if "sticky" in entries else True,
        excludes=tuple(_id_of(name, each) for each in range(oldest)),
    )


def _id_of(name: str, version: int) -> str:
    """Name a version of an experiment in facts: the first one by its id alone."""
    return f"{name}__{version}" if version else name


def _version(node: AnyNode | None, reading: Reading) -> int:
    if node is None:
        return 0
    value = node.value if isinstance(node, ScalarNode) else None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_VERSION:
        reading.refuse(node, f"expected a whole number from 0 to {MAX_VERSION}", "bad-value")
        return 0
    return value


def _is_for_all(rule: Rule) -> bool:
    """Tell whether a rule leaves nobody to those below it."""
    one = rule.experiment
    takes_all = one is None or (one.coverage == 1 and one.namespace is None and not one.excludes)
    return rule.when is None and takes_all


def _served(rules: Iterable[Rule]) -> set[str]:
    served: set[str] = set()
    for rule in rules:
        served |= {rule.variant} if rule.experiment is None else set(rule.experiment.variants)
    return served


def _check_unused(node: AnyNode | None, used: set[str], reading: Reading) -> None:
    """Warn of a variant that nobody gets."""
    if isinstance(node, MappingNode) and not reading.problems:
        for name in node.entries.keys() - used:
            reading.warn(node.keys[name], f"no rule gives anybody the variant {name!r}", "unused-variant")
