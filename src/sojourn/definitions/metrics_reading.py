"""Reading metrics: from their YAML to what reports ask, with every problem at its line and column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from sojourn.definitions.metrics import DEFAULT_BEFORE_MS, MAX_METRICS, METRIC_KINDS, Metric, MetricKind
from sojourn.definitions.metrics_conditions import read_condition, read_path
from sojourn.definitions.reading import Reading
from sojourn.definitions.schema_parts import JOURNEY_NAME_PATTERN
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.yaml import AnyNode, MappingNode, ScalarNode, load
from sojourn.model.errors import DefinitionError, Problem

_NAME = re.compile(JOURNEY_NAME_PATTERN)
_PERCENT = re.compile(r"(\d{1,2}(?:\.\d{1,6})?)%", re.ASCII)
_OF_EVENTS = ("on", "goal", "when", "value", "after", "within", "cap", "winsorise", "before")
_OF_KIND: Mapping[str, frozenset[str]] = {
    "conversion": frozenset({"on", "goal", "when", "after", "within", "before"}),
    "count": frozenset({"on", "goal", "when", "after", "within", "cap", "winsorise", "before"}),
    "value": frozenset(_OF_EVENTS),
    "ratio": frozenset(),
    "retention": frozenset({"on", "when", "after", "within"}),
    "time_to": frozenset({"on", "goal", "when", "within"}),
}
"""Kind -> the keywords about events that it takes."""


class CheckedMetrics(Struct, frozen=True, kw_only=True):
    """What came of reading files of metrics."""

    metrics: tuple[Metric, ...]
    """In the order of the files."""
    problems: list[Problem]


def is_metrics_file(text: str, *, file: str) -> bool:
    """Whether a file holds metrics, or is meant to."""
    try:
        node = load(text, file=file)
    except DefinitionError:
        return False  # whoever reads it says what is wrong
    return isinstance(node, MappingNode) and "metrics" in node.entries


def load_metrics(files: Iterable[tuple[str, str]]) -> tuple[Metric, ...]:
    """Read (file name, text) pairs; raise DefinitionError with the problems of all."""
    checked = check_metrics(files)
    if checked.problems:
        raise DefinitionError(checked.problems)
    return checked.metrics


def check_metrics(files: Iterable[tuple[str, str]]) -> CheckedMetrics:
    """Read (file name, text) pairs and say what is wrong; this raises nothing."""
    found: dict[str, Metric] = {}
    places: dict[str, tuple[Reading, MappingNode, ScalarNode]] = {}
    readings: list[Reading] = []
    problems: list[Problem] = []
    for file, text in files:
        reading = Reading(file)
        readings.append(reading)
        try:
            root = load(text, file=file)
        except DefinitionError as error:
            problems += error.problems
            continue
        for key, node in _entries(root, reading):
            if key.text in places:
                message = f"the metric {key.text!r} is in {places[key.text][0].file} too; rename one"
                reading.refuse(key, message, "duplicate-metric")
            elif (metric := _metric(key, node, reading)) is not None and isinstance(node, MappingNode):
                found[key.text], places[key.text] = metric, (reading, node, key)
    for name, metric in found.items():
        if metric.kind == "ratio":
            _check_ratio(metric, found, *places[name][:2])
    if len(found) > MAX_METRICS:
        reading, _, key = places[list(found)[MAX_METRICS]]
        reading.refuse(key, f"expected at most {MAX_METRICS} metrics, got {len(found)}", "too-many")
    problems += [problem for reading in readings for problem in reading.told()[0]]
    return CheckedMetrics(metrics=tuple(found.values()), problems=problems)


def _entries(root: AnyNode, reading: Reading) -> Sequence[tuple[ScalarNode, AnyNode]]:
    entries = reading.mapping(root, "metrics file", required=("metrics",))
    return (
        reading.any_mapping(entries["metrics"], "an object: name -> metric") if "metrics" in entries else ()
    )


def _metric(key: ScalarNode, node: AnyNode, reading: Reading) -> Metric | None:
    if not _NAME.fullmatch(key.text):
        message = f"a metric's name is letters, digits, - and _, got {key.text[:40]!r}"
        reading.refuse(key, message, "bad-name")
    entries = reading.mapping(node, "metric", required=("kind",))
    kind = _kind(entries.get("kind"), reading)
    if kind is None:
        return None
    _check_keywords(kind, node, reading)
    if kind == "ratio":
        return Metric(
            name=key.text,
            kind=kind,
            numerator=reading.text(entries["of"], "the name of a metric") if "of" in entries else "",
            denominator=reading.text(entries["per"], "the name of a metric") if "per" in entries else "",
            is_up_good=_is_up_good(entries, reading, default=True),
            description=_description(entries, reading),
        )
    return Metric(
        name=key.text,
        kind=kind,
        on=tuple(sorted(reading.names(entries.get("on")))),
        goal=reading.text(entries["goal"], "the name of a journey") if "goal" in entries else "",
        when=read_condition(entries["when"], reading) if "when" in entries else None,
        value=read_path(entries["value"], reading) if "value" in entries else "",
        after_ms=reading.duration(entries["after"]) if "after" in entries else 0,
        within_ms=_within(entries, reading),
        cap=_cap(entries.get("cap"), reading),
        winsorise=_winsorise(entries.get("winsorise"), reading),
        is_up_good=_is_up_good(entries, reading, default=kind != "time_to"),
        before_ms=_before(kind, entries, reading),
        description=_description(entries, reading),
    )


def _kind(node: AnyNode | None, reading: Reading) -> MetricKind | None:
    if node is None:
        return None
    word = reading.text(node, ", ".join(METRIC_KINDS))
    if word in METRIC_KINDS:
        return word
    if word:
        hint = did_you_mean(word, METRIC_KINDS)
        reading.refuse(node, f"there is no kind of metric {word[:40]!r}{hint}", "bad-value")
    return None


def _check_keywords(kind: MetricKind, node: AnyNode, reading: Reading) -> None:
    """Refuse what the kind has no use for, and what it lacks."""
    assert isinstance(node, MappingNode)
    for name in (*_OF_EVENTS, "of", "per"):
        is_known = name in _OF_KIND[kind] or (kind == "ratio" and name in ("of", "per"))
        if name in node.entries and not is_known:
            reading.refuse(node.keys[name], f"a metric of kind {kind} has no use for {name!r}", "not-allowed")
    needed = {"ratio": ("of", "per"), "retention": ("on", "after", "within")}.get(kind, ("within",))
    for name in needed:
        if name not in node.entries:
            reading.refuse(node, f"a metric of kind {kind} needs {name!r}", "missing")
    if kind in ("ratio", "retention"):
        return
    if ("on" in node.entries) == ("goal" in node.entries):
        reading.refuse(node, "a metric needs one of 'on' (events) and 'goal' (of a journey)", "missing")
    if kind == "value" and "on" in node.entries and "value" not in node.entries:
        reading.refuse(node, "a metric of kind value needs 'value', as properties.revenue", "missing")
    for name in ("when", "value"):
        if "goal" in node.entries and name in node.entries:
            message = f"a goal has no use for {name!r}: the journey says which it is and what it is worth"
            reading.refuse(node.keys[name], message, "not-allowed")
    if "cap" in node.entries and "winsorise" in node.entries:
        reading.refuse(node.keys["winsorise"], "cap and winsorise are two ways; keep one", "not-allowed")


def _check_ratio(metric: Metric, known: Mapping[str, Metric], reading: Reading, node: MappingNode) -> None:
    """Refuse a ratio of what is no metric, and of metrics of which one waits longer than the other."""
    parts = []
    for keyword, name in (("of", metric.numerator), ("per", metric.denominator)):
        part = known.get(name)
        if not name:
            continue
        if part is None or part.kind not in ("conversion", "count", "value"):
            countable = [one.name for one in known.values() if one.kind in ("conversion", "count", "value")]
            message = f"expected a metric of kind conversion, count or value{did_you_mean(name, countable)}"
            reading.refuse(node.entries[keyword], message, "unknown-metric")
        else:
            parts.append(part)
    if len(parts) == 2 and (parts[0].after_ms, parts[0].within_ms) != (parts[1].after_ms, parts[1].within_ms):
        message = f"{parts[0].name} and {parts[1].name} have other windows; a ratio needs the same"
        reading.refuse(node.entries["per"], message, "bad-value")


def _within(entries: Mapping[str, AnyNode], reading: Reading) -> int:
    within_ms = reading.duration(entries["within"]) if "within" in entries else 1
    if "after" in entries and "within" in entries and reading.duration(entries["after"]) >= within_ms:
        reading.refuse(
            entries["within"], "the window ends before it begins; after is the shorter", "bad-value"
        )
    return within_ms


def _before(kind: MetricKind, entries: Mapping[str, AnyNode], reading: Reading) -> int:
    if kind in ("retention", "time_to"):
        return 0
    node = entries.get("before")
    if node is None:
        return DEFAULT_BEFORE_MS
    return 0 if isinstance(node, ScalarNode) and node.text == "off" else reading.duration(node)


def _cap(node: AnyNode | None, reading: Reading) -> float | None:
    if node is None:
        return None
    value = node.value if isinstance(node, ScalarNode) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        reading.refuse(node, "expected a number above 0", "bad-value")
        return None
    return float(value)


def _winsorise(node: AnyNode | None, reading: Reading) -> float | None:
    if node is None:
        return None
    found = _PERCENT.fullmatch(node.text) if isinstance(node, ScalarNode) else None
    if found is None or not 50 <= float(found[1]) < 100:
        reading.refuse(node, "expected a quantile from 50% to below 100%, as 99%", "bad-value")
        return None
    return float(found[1]) / 100


def _is_up_good(entries: Mapping[str, AnyNode], reading: Reading, *, default: bool) -> bool:
    if "good" not in entries:
        return default
    word = reading.text(entries["good"], "up or down")
    if word and word not in ("up", "down"):
        reading.refuse(entries["good"], f"expected up or down, got {word[:40]!r}", "bad-value")
    return word != "down"


def _description(entries: Mapping[str, AnyNode], reading: Reading) -> str:
    return reading.text(entries["description"], "a description") if "description" in entries else ""
