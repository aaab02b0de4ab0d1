"""Mapping: which column of a file says what."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any

import msgspec
from msgspec import Raw, Struct

from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError, InputError
from sojourn.model.event import EMPTY, Event
from sojourn.runtime.importing.judging import Fields, Origin, build_event, check_depth, show

FIELDS: dict[str, str] = {
    "event": "event",
    "name": "name",
    "type": "type",
    "user_id": "user_id",
    "userid": "user_id",
    "anonymous_id": "anonymous_id",
    "anonymousid": "anonymous_id",
    "timestamp": "timestamp",
    "original_timestamp": "original_timestamp",
    "originaltimestamp": "original_timestamp",
    "sent_at": "sent_at",
    "sentat": "sent_at",
    "message_id": "message_id",
    "messageid": "message_id",
    "previous_id": "previous_id",
    "previousid": "previous_id",
    "group_id": "group_id",
    "groupid": "group_id",
    "session_id": "session_id",
    "sessionid": "session_id",
    "properties": "properties",
    "traits": "traits",
    "context": "context",
}
"""How a field may be spelled, in lower case -> its name here."""

BAGS = ("properties", "traits", "context")
"""The fields that hold an object; `properties.plan` names a place inside one."""

SHOWN_CHARS = 300  # of a file's header that a message repeats.

As = Callable[[Any], Any]


class Target(Struct, frozen=True):
    """Where one column goes."""

    field: str
    """A name of FIELDS' right side."""
    path: tuple[str, ...] = ()
    """The place inside a bag; empty for the whole field."""
    kind: str = "auto"
    """How text is read: a name of `READ_AS`."""


class ColumnMap(Struct, frozen=True):
    """Which column goes where."""

    pairs: tuple[tuple[Target, str], ...]
    """(target, column) in the order given."""
    rest: str | None = None
    """The bag that takes every other column, from `properties.*=*`."""


def parse_column_map(text: str) -> ColumnMap:
    """Read `event=event,user_id=uid,timestamp=ts,properties.platform=platform` (target=column).

    `properties.*=*` takes all other columns; `properties.zip:text=zip` keeps digits as text (also
    `number`, `json`).

    Raises:
        ConfigError: A part is not target=column, or its target is unknown or given twice.
    """
    pairs: dict[Target, str] = {}
    rest: str | None = None
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        target, equals, column = part.partition("=")
        target, column = target.strip(), column.strip()
        if not equals or not target or not column:
            raise ConfigError(f"--map: expected target=column, got {part!r}; for example event=event_name")
        if column == "*":
            rest = _parse_rest(target)
            continue
        parsed = parse_target(target)
        if any((known.field, known.path) == (parsed.field, parsed.path) for known in pairs):
            raise ConfigError(f"--map: {target!r} is given twice; keep one column for it")
        pairs[parsed] = column
    if not pairs and rest is None:
        raise ConfigError(
            "--map: is empty; for example --map event=event,user_id=user_id,timestamp=timestamp"
        )
    return ColumnMap(tuple(pairs.items()), rest)


def guess_column_map(columns: Sequence[str], file: str) -> ColumnMap:
    """Map the columns whose names are already field names, where no map is given.

    Raises:
        ConfigError: The columns do not tell what happened to whom and when.
    """
    pairs: dict[Target, str] = {}
    for column in columns:
        head, *path = column.strip().split(".")
        field = FIELDS.get(head.lower())
        if field is not None and (not path or field in BAGS):
            pairs.setdefault(Target(field, tuple(path)), column)
    found = {target.field for target in pairs}
    has_name = found & {"event", "type"}
    has_time = found & {"timestamp", "original_timestamp"}
    if not has_name or not has_time or not found & {"user_id", "anonymous_id"}:
        raise ConfigError(
            f"{file}: its columns ({', '.join(columns)[:SHOWN_CHARS]}) do not tell the event, the person and "
            "the time; say which do: --map event=COLUMN,user_id=COLUMN,timestamp=COLUMN"
        )
    return ColumnMap(tuple(pairs.items()))


def parse_target(text: str) -> Target:
    """Read one target, as `user_id`, `properties.cart.value` or `properties.zip:text`."""
    place, _, kind = text.partition(":")
    if kind and kind not in READ_AS:
        raise ConfigError(f"--map: {text!r} reads as {kind!r}; expected one of {', '.join(READ_AS)}")
    head, *path = place.split(".")
    field = FIELDS.get(head.lower())
    if field is None:
        near = get_close_matches(head.lower(), FIELDS, n=1)
        hint = f"did you mean {FIELDS[near[0]]!r}?" if near else f"for a property write properties.{head}"
        raise ConfigError(f"--map: unknown target {head!r}; {hint}")
    if path and (field not in BAGS or not all(path)):
        raise ConfigError(f"--map: {place!r}: {field!r} has no places inside; only {', '.join(BAGS)} have")
    return Target(field, tuple(path), kind or "auto")


def _parse_rest(target: str) -> str:
    field, _, star = target.partition(".")
    if field not in BAGS or star != "*":
        raise ConfigError(f"--map: expected properties.*=*, got {target}=*; a star takes all other columns")
    return field


class ColumnMapper:
    """Make an event of a row's values."""

    def __init__(self, columns: Sequence[str], column_map: ColumnMap, *, origin: Origin, file: str) -> None:
        self._origin = origin
        index = {column: i for i, column in reversed(list(enumerate(columns)))}
        self._plain: list[tuple[int, str]] = []
        self._bags: dict[str, list[tuple[int, tuple[str, ...], As]]] = {}
        for target, column in column_map.pairs:
            i = _index_of(column, index, file)
            if target.field in BAGS:
                read_as = READ_AS[target.kind if target.path else "json"]
                self._bags.setdefault(target.field, []).append((i, target.path, read_as))
            else:
                self._plain.append((i, target.field))
        if column_map.rest is not None:
            taken = {index[column] for _, column in column_map.pairs}
            rest = [(i, (column,), _auto) for column, i in index.items() if i not in taken]
            self._bags.setdefault(column_map.rest, []).extend(sorted(rest, key=lambda place: place[0]))
        for places in self._bags.values():
            places.sort(key=lambda place: len(place[1]))  # The whole bag first, then places inside it.

    def __call__(self, values: Sequence[Any], number: int, content: Sequence[str]) -> Event:
        """Map one row; `content` is all of it, which names it where it has no message id.

        Raises:
            InputError: The row is no event; `path` names the field.
        """
        fields = Fields()
        for i, field in self._plain:
            value = values[i]
            if value is not None and value != "":
                setattr(fields, field, value)
        for bag, places in self._bags.items():
            setattr(fields, bag, _fill(values, places, bag))
        if fields.type is None:
            fields.type = "track"
        if fields.event is None and fields.type == "track":
            fields.event = fields.name
        return build_event(fields, number, content, origin=self._origin)


def _index_of(column: str, index: dict[str, int], file: str) -> int:
    if column in index:
        return index[column]
    raise ConfigError(f"{file}: has no column {column!r}, which --map names{did_you_mean(column, index)}")


def _fill(values: Sequence[Any], places: list[tuple[int, tuple[str, ...], As]], bag: str) -> Raw:
    filled: dict[str, Any] = {}
    for i, path, read_as in places:
        value = values[i]
        if value is None or value == "":
            continue
        try:
            value = read_as(value)
        except (ValueError, RecursionError, msgspec.DecodeError) as error:
            raise InputError("bad-value", str(error), path=".".join((bag, *path))) from None
        if isinstance(value, dict | list):
            check_depth(value, bag)
        if not path:
            if not isinstance(value, dict):
                raise InputError("bad-value", f"expected a JSON object, got {show(value)}", path=bag)
            filled.update(value)
            continue
        inner = filled
        for step in path[:-1]:
            nested = inner.get(step)
            if not isinstance(nested, dict):
                nested = inner[step] = {}
            inner = nested
        inner[path[-1]] = value
    return Raw(_encode(filled)) if filled else EMPTY


_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode

_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?", re.ASCII)
"""A number as JSON writes it, of digits that a double keeps: `007` and telephone numbers stay text."""


def _auto(value: Any) -> Any:
    """A file of text has no types: what is written as a JSON number is one."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    return value


def _text(value: Any) -> Any:
    return value if isinstance(value, str) else str(value)


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        raise ValueError(f"expected a number, got {value[:40]!r}") from None
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _json(value: Any) -> Any:
    return msgspec.json.decode(value) if isinstance(value, str) else value


READ_AS: dict[str, As] = {"auto": _auto, "text": _text, "number": _number, "json": _json}
