"""Clocks: when time alone may change what an expression says.

A windowed count changes when a time enters or leaves its window; a comparison of `since('X')` with a constant
at a fixed age. Whoever keeps an answer up to date wakes at exactly these instants, and at no others.
"""

from __future__ import annotations

import ast
import operator as operators
from collections.abc import Callable
from typing import Any

from sojourn.definitions.expression import Clock
from sojourn.definitions.fragments import Fragment

MAX_AGE_S = 10 * 366 * 86_400  # ten years, as the longest duration: nobody waits longer to be called.

_ORDERS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operators.lt,
    ast.LtE: operators.le,
    ast.Gt: operators.gt,
    ast.GtE: operators.ge,
    ast.Eq: operators.eq,
    ast.NotEq: operators.ne,
}

_MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
}


class ClockReader:
    """Collects, while one expression is compiled, when time alone may change its answer."""

    def __init__(self) -> None:
        self._windows: set[tuple[str, int]] = set()
        self._ages: set[tuple[str, int]] = set()
        self._asked: dict[int, tuple[ast.Call, str]] = {}
        self._compared: set[int] = set()

    def count(self, name: str, within_ms: int | None) -> None:
        """Note a count; one without a window changes by its events alone."""
        if within_ms:
            self._windows.add((name, within_ms))

    def since(self, node: ast.Call, name: str) -> None:
        """Note that an age is asked for."""
        self._asked[id(node)] = (node, name)

    def compare(
        self,
        operator: ast.cmpop,
        sides: tuple[ast.expr, ast.expr],
        fragments: tuple[Fragment, Fragment],
    ) -> None:
        """Note a comparison; of interest where an age stands on one side and a constant on the other."""
        kind = type(operator)
        (left, right), (left_code, right_code) = sides, fragments
        if id(left) in self._asked and right_code.is_constant:
            self._turn(left, kind, right_code.value)
        elif id(right) in self._asked and left_code.is_constant:
            self._turn(right, _MIRRORED.get(kind, kind), left_code.value)

    def clock(self) -> Clock:
        return Clock(windows=frozenset(self._windows), ages=frozenset(self._ages))

    def loose(self) -> list[ast.Call]:
        """Return the ages that are used in another way, so that nobody can say when the answer changes."""
        return [node for key, (node, _) in self._asked.items() if key not in self._compared]

    def _turn(self, node: ast.expr, kind: type[ast.cmpop], value: Any) -> None:
        compare = _ORDERS.get(kind)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is None:  # whether it ever happened: time does not change that
            self._compared.add(id(node))
        elif compare is not None and is_number and value <= MAX_AGE_S:
            self._compared.add(id(node))
            _, name = self._asked[id(node)]
            self._ages |= {(name, age) for age in _turning_ages(compare, value)}


def _turning_ages(compare: Callable[[Any, Any], bool], seconds: float) -> list[int]:
    """Return the ages (whole ms, from 1) at which a comparison with so many seconds says something new.

    >>> _turning_ages(operators.gt, 60), _turning_ages(operators.ge, 60), _turning_ages(operators.eq, 60)
    ([60001], [60000], [60000, 60001])
    """
    nearest = round(seconds * 1000)
    near = range(max(1, nearest - 1), nearest + 2)
    return [age for age in near if compare((age - 1) / 1000, seconds) != compare(age / 1000, seconds)]
