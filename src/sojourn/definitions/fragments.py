"""Fragments: pieces of the Python that expressions become, with what is known of their values beforehand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sojourn.definitions import values
from sojourn.definitions.vocabulary import Kind

MAX_FUNCTIONS = 4_096
"""Compiled, the last ones asked for: whoever types has the same guards again, all but one."""

NUMBERS: tuple[Kind, ...] = ("number", "maybe_number")

_RUNTIME: dict[str, Any] = {
    "__builtins__": {},
    **{name: getattr(values, name) for name in ("same", "among", "holds", "lower", "length", "negative")},
    **{name: getattr(values, name) for name in ("less", "less_equal", "greater", "greater_equal")},
    **{name: getattr(values, name) for name in ("add", "subtract", "multiply", "divide", "remainder")},
    **{kind.__name__: kind for kind in (int, float, str, bool, list, dict, len)},
}
"""All that generated code can reach, apart from the scope it is given."""


class Fragment(NamedTuple):
    """A piece of generated Python."""

    text: str
    kind: Kind = "any"
    is_constant: bool = False
    value: Any = None
    """Of a constant."""
    truth: bool | None = None
    """What the value counts as, where that is known."""


def literal(value: Any) -> Fragment:
    """Write a string, a number, True, False or None."""
    kinds: dict[type, Kind] = {int: "number", float: "number", str: "string", bool: "bool"}
    kind = kinds.get(type(value), "none")
    text = f"({value!r})" if kind == "number" else repr(value)
    return Fragment(text, kind, is_constant=True, value=value, truth=bool(value))


def fold(text: str, kind: Kind, parts: Sequence[Fragment], *, truth: bool | None = None) -> Fragment:
    """Make a fragment of others; where all of these are constant, compute it now."""
    if not all(part.is_constant for part in parts):
        return Fragment(text, kind, truth=truth)
    value = _evaluate(text)
    # A None that came of computing is a missing value, not the None that presence is asked with.
    return Fragment(text, truth=False) if value is None else literal(value)


def opposite(fragment: Fragment) -> Fragment:
    """Negate a fragment."""
    return fold(f"(not {fragment.text})", "bool", [fragment])


def common_kind(parts: Sequence[Fragment]) -> Kind:
    """What is known of a value that is one of these."""
    kinds = {part.kind for part in parts}
    if len(kinds) == 1:
        return kinds.pop()
    is_number = kinds & set(NUMBERS) and kinds <= {*NUMBERS, "none"}
    return "maybe_number" if is_number else "any"


def callable_of(fragment: Fragment) -> Callable[[Any], Any]:
    """Compile a whole expression to a function of a scope."""
    return _function(fragment.text)


@lru_cache(maxsize=MAX_FUNCTIONS)
def _function(text: str) -> Callable[[Any], Any]:
    """Make a function of generated Python; it keeps nothing between two calls, so one serves all."""
    function: Callable[[Any], Any] = _evaluate(f"lambda scope: {text}")
    return function


def _evaluate(source: str) -> Any:
    code = compile(source, "<expression>", "eval", dont_inherit=True)
    return eval(code, dict(_RUNTIME))  # noqa: S307  text of our own making, and nothing in reach
