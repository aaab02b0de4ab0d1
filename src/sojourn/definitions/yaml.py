"""YAML, with the line and column of every part: the safe half of YAML 1.2, as a tree of nodes.

Keys are always text (so `on:` is `on`, and `30m:` is `30m`), only true and false are booleans. Anchors,
aliases, tags, several documents and duplicate keys are refused; size, depth and number of nodes are bounded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml
from msgspec import Struct

from sojourn.model.errors import DefinitionError, Problem

MAX_CHARACTERS = 200_000  # some 5,000 lines: the largest journeys of peers have a tenth of it.
MAX_DEPTH = 40  # levels; a journey with states in states in states takes about 20.
MAX_NODES = 20_000

_TAB = "a tab stands here; indent with spaces"

MAX_REMEMBERED = 400_000
"""Characters of texts that were read last, whose nodes are kept: some 40 MB where every one is a value."""

Scalar = str | int | float | bool | None

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times as fast, where it is built

_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_INTEGER_DIGITS = 18  # whatever fits 64 bits; more would lose some of them on their way.
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")
_NO_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", re.ASCII)


class Node(Struct, frozen=True, kw_only=True):
    """Where something stands; both from 1."""

    line: int
    column: int


class ScalarNode(Node, frozen=True, kw_only=True):
    """A string, a number, true, false or null."""

    value: Scalar
    text: str
    """As written, quotes and escapes resolved."""
    source: str
    """The characters of the file it was read from."""

    def place(self, line: int, column: int) -> tuple[int, int]:
        """Say where in the file the given line and column of `text` (from 1) are."""
        before = self.text.split("\n")[: line - 1]
        offset = _source_offset(self.source, self.text, sum(len(each) + 1 for each in before) + column - 1)
        lines = self.source[:offset].split("\n")
        if len(lines) == 1:
            return self.line, self.column + offset
        return self.line + len(lines) - 1, len(lines[-1]) + 1


class SequenceNode(Node, frozen=True, kw_only=True):
    """A list."""

    items: tuple[AnyNode, ...]


class MappingNode(Node, frozen=True, kw_only=True):
    """An object, its keys in the order of the file."""

    entries: dict[str, AnyNode]
    keys: dict[str, ScalarNode]


AnyNode = ScalarNode | SequenceNode | MappingNode

_read: dict[str, AnyNode] = {}
"""Text -> what it came to; nodes are never changed."""


def load(text: str, *, file: str) -> AnyNode:
    """Read one document, or raise DefinitionError; no text makes it fail in another way."""
    if len(text) > MAX_CHARACTERS:
        message = f"expected at most {MAX_CHARACTERS} characters, got {len(text)}; split the file"
        raise _error(file, (1, 1), message, "too-long")
    known = _read.get(text)
    if known is not None:
        return known
    try:
        return _remembered(text, _Reader(text, file).document())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _inside(text, mark) if mark else (1, 1)
        problem = _TAB if _is_tab(text, place) else error.problem
        raise _error(file, place, f"this is not YAML: {problem}", "syntax") from None
    except (yaml.YAMLError, UnicodeError) as error:
        message = f"this is not YAML: {str(error).splitlines()[0]}"
        raise _error(file, (1, 1), message, "syntax") from None


def _remembered(text: str, node: AnyNode) -> AnyNode:
    """Keep what was read: a file is asked for its kind, then read; and while somebody types, others stay."""
    _read[text] = node
    n_characters = sum(map(len, list(_read)))
    while n_characters > MAX_REMEMBERED:
        oldest = next(iter(_read), None)
        if oldest is None or _read.pop(oldest, None) is None:
            break
        n_characters -= len(oldest)
    return node


def plain(node: AnyNode) -> Any:
    """Return a node's JSON value, without its places."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, SequenceNode):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, value in node.entries.items()}


def _inside(text: str, mark: Any) -> tuple[int, int]:
    """Return a mark's line and column; of one behind the end, the end's."""
    lines = text.split("\n")
    if mark.line < len(lines):
        return mark.line + 1, mark.column + 1
    return len(lines), len(lines[-1]) + 1


def _is_tab(text: str, place: tuple[int, int]) -> bool:
    """Whether the parser stopped at a tab, which it tells in words of its own."""
    line, column = place
    return text.split("\n")[line - 1][column - 1 : column] == "\t"


def _error(file: str, place: tuple[int, int], message: str, code: str) -> DefinitionError:
    line, column = place
    return DefinitionError([Problem(file=file, line=line, column=column, message=message, code=code)])


class _Reader:
    """Builds the tree from PyYAML's stream of events."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._events: Iterator[Any] = yaml.parse(text, Loader=_Loader)
        self._n_nodes = 0

    def document(self) -> AnyNode:
        root: AnyNode | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise self._refuse(event, "expected one document, got several", "not-allowed")
                root = self._node(next(self._events), 0)
        if root is None:
            raise _error(self._file, (1, 1), "expected a document, got an empty file", "syntax")
        return root

    def _refuse(self, event: Any, message: str, code: str) -> DefinitionError:
        mark = event.start_mark
        return _error(self._file, (mark.line + 1, mark.column + 1), message, code)

    def _node(self, event: Any, depth: int) -> AnyNode:
        self._n_nodes += 1
        if self._n_nodes > MAX_NODES:
            raise self._refuse(event, f"expected at most {MAX_NODES} values in one file", "too-long")
        if depth > MAX_DEPTH:
            raise self._refuse(event, f"expected at most {MAX_DEPTH} levels of nesting", "too-deep")
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise self._refuse(event, "anchors and aliases are refused; write the value out", "not-allowed")
        if event.tag is not None:
            raise self._refuse(event, f"tags are refused, got {event.tag!r}", "not-allowed")
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, depth)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, depth)
        return self._scalar(event)

    def _sequence(self, start: Any, depth: int) -> SequenceNode:
        items: list[AnyNode] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        mark = start.start_mark
        return SequenceNode(line=mark.line + 1, column=mark.column + 1, items=tuple(items))

    def _mapping(self, start: Any, depth: int) -> MappingNode:
        entries: dict[str, AnyNode] = {}
        keys: dict[str, ScalarNode] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(key, ScalarNode):
                message = 'a key must be text; put a template in quotes, as in "{{ trait.name }}"'
                raise self._refuse(event, message, "not-allowed")
            if key.text in keys:
                line = keys[key.text].line
                message = f"the key {key.text!r} stands here twice; it is also in line {line}"
                raise self._refuse(event, message, "duplicate-key")
            keys[key.text] = key
            entries[key.text] = self._node(next(self._events), depth + 1)
        mark = start.start_mark
        return MappingNode(line=mark.line + 1, column=mark.column + 1, entries=entries, keys=keys)

    def _scalar(self, event: Any) -> ScalarNode:
        mark, text = event.start_mark, event.value
        if not text.isascii() and _SURROGATE.search(text):
            raise self._refuse(event, "this is no Unicode text", "syntax")
        value: Scalar = text
        if not event.style:
            value = self._resolve(event, text)
        source = self._text[mark.index : event.end_mark.index]
        return ScalarNode(line=mark.line + 1, column=mark.column + 1, value=value, text=text, source=source)

    def _resolve(self, event: Any, text: str) -> Scalar:
        """Give a plain scalar its type, by YAML 1.2's core schema."""
        if text in _NULLS:
            return None
        if text in _BOOLS:
            return _BOOLS[text]
        if _INTEGER.fullmatch(text):
            if len(text.lstrip("+-")) > _INTEGER_DIGITS:
                raise self._refuse(
                    event, "the number has too many digits; quote it if it is text", "bad-number"
                )
            return int(text)
        if _NO_NUMBER.fullmatch(text):
            raise self._refuse(event, f"{text} is no number in JSON; quote it if it is text", "bad-number")
        if not _FLOAT.fullmatch(text):
            return text
        value = float(text)
        if not math.isfinite(value):
            raise self._refuse(event, "the number is too large; quote it if it is text", "bad-number")
        return value


_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\r\n|[\s\S])")


def _source_offset(source: str, text: str, n_before: int) -> int:
    """Find where in a scalar's source the character stands that has `n_before` others before it in the text.

    A walk beside both: each character is the next equal one in the source, an escape, or a folded line break.
    """
    quote = source[:1] if source[:1] in ("'", '"') else ""
    at = 1 if quote else (source.find("\n") + 1 if source[:1] in ("|", ">") else 0)
    for character in text[:n_before]:
        at = _skip_layout(source, at, character)
        at += _width(source, at, quote)
    return _skip_layout(source, at, text[n_before : n_before + 1])


def _skip_layout(source: str, start: int, character: str) -> int:
    """Pass over blanks that belong to the layout and not to the text."""
    at = start
    while at < len(source) and source[at] != character and source[at] in " \t\r\n":
        at += 1
    is_found = at < len(source) and (source[at] == character or character not in ("", " ", "\n"))
    return at if is_found else min(start, len(source))


def _width(source: str, at: int, quote: str) -> int:
    """Count the characters of the source that stand for one of the text."""
    if quote == "'" and source.startswith("''", at):
        return 2
    if quote == '"' and (escape := _ESCAPE.match(source, at)):
        return len(escape.group())
    return 1
