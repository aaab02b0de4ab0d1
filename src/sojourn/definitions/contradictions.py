"""Contradictions: conditions that can never hold together, such as `x > 5 and x < 3`.

Only comparisons of one thing (a path, a function of the profile) with what is known beforehand are looked at:
what is called a contradiction here is one, and not every contradiction is found.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from sojourn.definitions import values

Constant = Callable[[ast.expr], tuple[Any, ...] | None]
"""Gives the value of a part that is known beforehand, as a tuple of one; None: it is not."""

_MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
}
_LOWER = (ast.Gt, ast.GtE)
_UPPER = (ast.Lt, ast.LtE)
_ORDERS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: values.less,
    ast.LtE: values.less_equal,
    ast.Gt: values.greater,
    ast.GtE: values.greater_equal,
}


class _Test(NamedTuple):
    """One thing compared with a literal, or with a list of them."""

    operator: type[ast.cmpop]
    value: Any

    def holds(self, given: Any) -> bool:
        """Answer as the expression would, of a value the thing may have."""
        if self.operator in _ORDERS:
            return _ORDERS[self.operator](given, self.value)
        if self.operator in (ast.In, ast.NotIn):
            return values.among(given, self.value) is (self.operator is ast.In)
        is_same = given is None if self.value is None else values.same(given, self.value)
        return is_same is (self.operator in (ast.Eq, ast.Is))


def contradict(conditions: Sequence[ast.expr], constant: Constant) -> bool:
    """Tell whether conditions, all of which must hold, can never do so together."""
    tests: dict[str, list[_Test]] = {}
    for condition in _flat(conditions):
        for thing, test in _tests(condition, constant):
            tests.setdefault(thing, []).append(test)
    return any(_is_impossible(each) for each in tests.values())


def _flat(conditions: Sequence[ast.expr]) -> Iterator[ast.expr]:
    for condition in conditions:
        if isinstance(condition, ast.BoolOp) and isinstance(condition.op, ast.And):
            yield from _flat(condition.values)
        else:
            yield condition


def _tests(condition: ast.expr, constant: Constant) -> Iterator[tuple[str, _Test]]:
    """Yield each pair of a comparison of which one side is known beforehand."""
    if not isinstance(condition, ast.Compare):
        return
    operands = [condition.left, *condition.comparators]
    for i, operator in enumerate(condition.ops):
        left, right, kind = operands[i], operands[i + 1], type(operator)
        if isinstance(operator, ast.In | ast.NotIn):
            choices = _choices(right, constant)
            if choices is not None and constant(left) is None:
                yield ast.unparse(left), _Test(kind, choices)
            continue
        known_left, known_right = constant(left), constant(right)
        if known_left is None and known_right is not None:
            yield ast.unparse(left), _Test(kind, known_right[0])
        elif known_right is None and known_left is not None:
            yield ast.unparse(right), _Test(_MIRRORED.get(kind, kind), known_left[0])


def _choices(node: ast.expr, constant: Constant) -> tuple[Any, ...] | None:
    if not isinstance(node, ast.List | ast.Tuple):
        return None
    known = [constant(item) for item in node.elts]
    return None if None in known else tuple(each[0] for each in known if each is not None)


def _is_impossible(tests: Sequence[_Test]) -> bool:
    """Try what the thing would have to be; where that is not said, compare its bounds."""
    for test in tests:
        if test.operator in (ast.Eq, ast.Is):
            return not all(other.holds(test.value) for other in tests)
    for test in tests:
        if test.operator is ast.In:
            return not any(all(other.holds(choice) for other in tests) for choice in test.value)
    lows = [test for test in tests if test.operator in _LOWER]
    highs = [test for test in tests if test.operator in _UPPER]
    return any(not _leave_room(low, high) for low in lows for high in highs)


def _leave_room(low: _Test, high: _Test) -> bool:
    """Tell whether anything lies between two bounds; a number and a string leave no room at all."""
    if low.operator is ast.GtE and high.operator is ast.LtE:
        return values.less_equal(low.value, high.value)
    return values.less(low.value, high.value)
