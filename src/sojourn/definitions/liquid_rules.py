"""Liquid as journeys allow it: no clock, no files, and a bound on whatever grows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from liquid import Environment, Mode
from liquid.ast import Node
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.context import RenderContext
from liquid.exceptions import FilterArgumentError
from liquid.expression import Expression
from liquid.template import BoundTemplate

MAX_OUTPUT_BYTES = 65_536  # of one string: more than any message a person reads.
MAX_LOOP_ITERATIONS = 1_000
MAX_ASSIGNED_BYTES = 262_144
MAX_FORMAT_CHARACTERS = 100

_GROWING = ("replace", "replace_first", "replace_last", "join", "append", "prepend", "concat", "url_encode")
_FIRST_INSTANT_MS = 100_000_000_000  # larger numbers are ms, smaller ones s: the year 5138 in s, 1973 in ms.
_FORMAT = re.compile(r"(?:[^%]|%[-_0^#]?[A-Za-z%])*")
_CLOCK = re.compile(r"""(['"])(now|today)\1\s*\|\s*date\b""")


class JourneyEnvironment(Environment):
    """Liquid with the bounds of this file."""

    output_stream_limit = MAX_OUTPUT_BYTES
    loop_iteration_limit = MAX_LOOP_ITERATIONS
    local_namespace_limit = MAX_ASSIGNED_BYTES

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Take what python-liquid offers, without files and clock, and bound what can grow."""
        super().setup_tags_and_filters(extra=extra)
        for tag in ("include", "render"):
            del self.tags[tag]
        for name in _GROWING:
            self.add_filter(name, _bounded(name, self.filters[name]))
        self.add_filter("date", format_date)


def make_environment(*, is_html: bool = False) -> JourneyEnvironment:
    """Return what templates are read in: strict about syntax, lenient about missing values.

    In HTML, values are escaped.
    """
    return JourneyEnvironment(tolerance=Mode.STRICT, strict_filters=True, autoescape=is_html)


def format_date(value: Any, form: Any = "%Y-%m-%d") -> str:
    """Format an ISO 8601 string or an instant (ms, or s) in UTC; what is no date comes back as it is."""
    if not isinstance(form, str) or len(form) > MAX_FORMAT_CHARACTERS or not _FORMAT.fullmatch(form):
        raise FilterArgumentError("date expects a format such as '%Y-%m-%d'", token=None)
    instant = _instant(value)
    if instant is None:
        return value[:MAX_OUTPUT_BYTES] if isinstance(value, str) else ""
    return instant.strftime(form)


def asks_the_clock(source: str) -> int | None:
    """Return where a template asks for the present time, which it must not, or None."""
    found = _CLOCK.search(source)
    return found.start() if found else None


def open_ranges(template: BoundTemplate) -> Iterator[int]:
    """Find the ranges, such as `(1..n)`, whose size is not known beforehand or is too large; their places."""
    context = RenderContext(template)
    for node in _nodes(template.nodes, context):
        for expression in _expressions(node.expressions()):
            if isinstance(expression, RangeLiteral) and not _is_small(expression, context):
                yield expression.token.start_index


def _bounded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse to make what would be larger than the output may be."""

    def bounded(value: Any, *arguments: Any, **named: Any) -> Any:
        n_parts = _size(value) + 1 if name in ("replace", "join") else 1
        size = _size(value) + n_parts * sum(_size(argument) for argument in arguments)
        if size > MAX_ASSIGNED_BYTES:
            raise FilterArgumentError(f"{name} would make too long a text", token=None)
        return function(value, *arguments, **named)

    for attribute in ("filter_async", "with_context", "with_environment"):
        if hasattr(function, attribute):
            setattr(bounded, attribute, getattr(function, attribute))
    return bounded


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple | dict | range) else 1


def _instant(value: Any) -> datetime | None:
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if abs(value) >= _FIRST_INSTANT_MS else value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _nodes(nodes: Iterable[Node], context: RenderContext) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _nodes(node.children(context, include_partials=False), context)


def _expressions(expressions: Iterable[Expression]) -> Iterator[Expression]:
    for expression in expressions:
        yield expression
        yield from _expressions(expression.children())


def _is_small(expression: RangeLiteral, context: RenderContext) -> bool:
    ends = (expression.start, expression.stop)
    if any(not isinstance(getattr(end, "value", None), int) for end in ends):
        return False
    return len(expression.evaluate(context)) <= MAX_LOOP_ITERATIONS
