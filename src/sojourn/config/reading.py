"""Reading: from the nodes of a YAML file to typed settings, every problem noted with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from msgspec import Meta, Struct
from msgspec.structs import fields

from sojourn.config.settings import MOST, Rate, Secret, Sink
from sojourn.definitions.durations import UNITS_MS, parse_duration
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.yaml import AnyNode, MappingNode, Node, ScalarNode, SequenceNode, plain

SHOWN_CHARS = 40  # of a wrong value that a message repeats.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
"""What sources and sinks may be called: they become parts of keys, labels and log lines."""

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}", re.ASCII)
_ENV = "_env"


class WrongValueError(ValueError):
    """A value that a setting cannot have; it says what was expected."""


class Setting(Struct, frozen=True):
    """One setting: how it is written, and what it may be."""

    name: str
    field: str
    kind: Any
    is_required: bool


_RATE = Setting("rate", "rate", Rate, is_required=False)


def is_one_value(kind: Any, node: AnyNode | None = None) -> bool:
    """Tell whether a setting is written as one value: a rate may be, `100/s`, and may have its parts."""
    return kind is Rate and (node is None or (isinstance(node, ScalarNode) and node.value is not None))


def settings_of(kind: type[Struct]) -> Iterator[Setting]:
    """Yield the settings of a group, in the order of its fields."""
    hints = get_type_hints(kind, include_extras=True)
    for field in fields(kind):
        options = [each for each in get_args(hints[field.name]) if each is not type(None)]
        is_optional = len(options) < len(get_args(hints[field.name]))
        hint = options[0] if is_optional else hints[field.name]
        yield Setting(field.name.removesuffix("_ms"), field.name, hint, field.required)


class Reader:
    """One configuration file being read."""

    def __init__(self, file: str, *, folder: Path, environment: Mapping[str, str]) -> None:
        self._file = file
        self._folder = folder
        self._environment = environment
        self.problems: list[str] = []

    def group(self, kind: type[Struct], node: AnyNode, path: str = "") -> dict[str, Any]:
        """Read a group of settings into the fields of `kind`; what is wrong is noted and left out."""
        if isinstance(node, ScalarNode) and node.value is None:
            node = MappingNode(line=node.line, column=node.column, entries={}, keys={})
        if not isinstance(node, MappingNode):
            self._refuse(node, path, "expected settings as `name: value`, one a line")
            return {setting.field: None for setting in settings_of(kind) if setting.is_required}
        by_key = {setting.name: setting for setting in settings_of(kind)}
        by_key |= {key + _ENV: setting for key, setting in by_key.items() if setting.kind is Secret}
        found: dict[str, Any] = {}
        for key, value in node.entries.items():
            if key not in by_key:
                hint = did_you_mean(key, by_key)
                self._refuse(node.keys[key], path, f"unknown setting {key!r}{hint}")
                continue
            field = by_key[key].field
            if field in found:
                self._refuse(node.keys[key], path, f"{key!r} says the same again; keep one of the two")
            found[field] = self._value(by_key[key], key, value, _join(path, key))
        for setting in by_key.values():
            if setting.is_required and setting.field not in found:
                self._refuse(node, path, f"needs {setting.name!r}")
                found[setting.field] = None
        return found

    def _value(self, setting: Setting, key: str, node: AnyNode, path: str) -> Any:
        kind = setting.kind
        if get_origin(kind) is dict:
            return self._named(get_args(kind)[1], node, path)
        if isinstance(kind, type) and issubclass(kind, Struct) and not is_one_value(kind, node):
            return kind(**self.group(kind, node, path))
        try:
            if get_origin(kind) is list:
                return self._list(get_args(kind)[0], node)
            text = _text(node)
            if kind is Secret and key.endswith(_ENV):
                text = self._variable(text)
            return read_scalar(kind, setting.field, text, folder=self._folder)
        except WrongValueError as wrong:
            self._refuse(node, path, str(wrong))
            return None

    def _named(self, kind: type[Any], node: AnyNode, path: str) -> dict[str, Any]:
        """Read groups under names the operator chose."""
        if isinstance(node, ScalarNode) and node.value is None:
            return {}
        if not isinstance(node, MappingNode):
            self._refuse(node, path, "expected names, each with its settings")
            return {}
        found: dict[str, Any] = {}
        for name, value in node.entries.items():
            where = _join(path, name)
            if not NAME.fullmatch(name):
                self._refuse(node.keys[name], where, "expected a name of letters, digits, `_.-`, at most 64")
            elif kind is Sink:
                found[name] = self._sink(value, where)
            elif kind is str:
                found[name] = self._text(value, where)
            else:
                found[name] = kind(**self.group(kind, value, where))
        return found

    def _text(self, node: AnyNode, path: str) -> str:
        try:
            return str(read_scalar(str, "", _text(node), folder=self._folder))
        except WrongValueError as wrong:
            self._refuse(node, path, str(wrong))
            return ""

    def _sink(self, node: AnyNode, path: str) -> Sink | None:
        """Read a sink: its type is ours to know, its options are the type's."""
        if not isinstance(node, MappingNode) or "type" not in node.entries:
            self._refuse(
                node, path, "needs 'type': webhook, email, slack, kafka, console, file, or a plugin's"
            )
            return None
        options = {key: plain(value) for key, value in node.entries.items() if key not in ("type", "rate")}
        rate = node.entries.get("rate")  # every sink's: its lane heeds it, and its type never sees it
        try:
            return Sink(
                type=_text(node.entries["type"]),
                options=options,
                rate=None if rate is None else self._value(_RATE, "rate", rate, _join(path, "rate")),
            )
        except WrongValueError as wrong:
            self._refuse(node.entries["type"], _join(path, "type"), str(wrong))
            return None

    def _list(self, kind: Any, node: AnyNode) -> list[Any]:
        items = node.items if isinstance(node, SequenceNode) else (node,)
        return [read_scalar(kind, "", _text(item), folder=self._folder) for item in items]

    def _variable(self, name: str) -> str:
        text = self._environment.get(name)
        if not text:
            raise WrongValueError(
                f"the environment variable {name} is not set; set it, or write the value here"
            )
        return text

    def _refuse(self, place: Node, path: str, message: str) -> None:
        where = f"{self._file}:{place.line}:{place.column}"
        self.problems.append(f"{where}: {path}: {message}" if path else f"{where}: {message}")


def read_scalar(kind: Any, field: str, text: str, *, folder: Path) -> Any:
    """Read one value from its text.

    Args:
        kind: The setting's type, as `settings_of` tells it.
        field: The name of its field; one in `_ms` is written as a duration.
        text: What was written, in a file or in the environment.
        folder: Where relative paths begin.

    Raises:
        WrongValueError: The setting cannot be that.
    """
    if field.endswith("_ms"):
        return _duration(text)
    if get_origin(kind) is Annotated:
        return _integer(text, next(meta for meta in kind.__metadata__ if isinstance(meta, Meta)))
    if get_origin(kind) is Literal:
        if text not in get_args(kind):
            raise WrongValueError(f"expected one of {', '.join(get_args(kind))}, got {_shown(text)}")
        return text
    if kind in (bool, Rate):
        return _boolean(text) if kind is bool else _rate(text)
    if not text:
        raise WrongValueError("expected a value, got nothing")
    if kind is Path:
        return folder / Path(text).expanduser()
    return Secret(text) if kind is Secret else text


def _duration(text: str) -> int:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise WrongValueError(str(error)) from None


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise WrongValueError(f"expected true or false, got {_shown(text)}")
    return text == "true"


def _rate(text: str) -> Rate:
    """Read a rate: `100/s`, `5/10s`, `1000/h`."""
    most, _, per = text.partition("/")
    try:
        per_ms = parse_duration("1" + per if per in UNITS_MS else per)
        return Rate(most=_integer(most, MOST), per_ms=per_ms)
    except ValueError:
        raise WrongValueError(
            f"expected so many in a time, such as 100/s or 5/10s, got {_shown(text)}"
        ) from None


def _integer(text: str, bounds: Meta) -> int:
    number = int(text) if _INTEGER.fullmatch(text) else None
    if number is None or not int(bounds.ge or 0) <= number <= int(bounds.le or 0):
        raise WrongValueError(f"expected a whole number from {bounds.ge} to {bounds.le}, got {_shown(text)}")
    return number


def _text(node: AnyNode) -> str:
    if not isinstance(node, ScalarNode):
        raise WrongValueError(
            f"expected one value, got {'a list' if isinstance(node, SequenceNode) else 'settings'}"
        )
    return "" if node.value is None else node.text


def _shown(text: str) -> str:
    return repr(text[:SHOWN_CHARS])


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
