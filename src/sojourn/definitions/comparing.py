"""Comparing: the Python for comparisons that are false, and never an error, on values of unlike types."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from sojourn.definitions.expression_text import Refused
from sojourn.definitions.fragments import NUMBERS, Fragment, fold, opposite
from sojourn.definitions.vocabulary import Kind

_ORDERS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "less"),
    ast.LtE: ("<=", "less_equal"),
    ast.Gt: (">", "greater"),
    ast.GtE: (">=", "greater_equal"),
}

_NEGATIVE = (ast.NotEq, ast.IsNot, ast.NotIn)


class Comparison:
    """One comparison of two values.

    `place` is where a problem is reported; `temporary` names a new variable.
    """

    def __init__(self, operator: ast.cmpop, place: ast.expr, temporary: Callable[[], str]) -> None:
        self._operator = operator
        self._place = place
        self._temporary = temporary

    def write(self, left: Fragment, right: Fragment) -> Fragment:
        """Compare two values, or raise Refused where the answer would always be no."""
        match self._operator:
            case ast.Is() | ast.IsNot():
                if not (
                    (left.is_constant and left.kind == "none") or (right.is_constant and right.kind == "none")
                ):
                    raise Refused(self._place, "'is' compares with None only; write ==", "not-allowed")
                text = self._equality(left, right)
            case ast.Eq() | ast.NotEq():
                text = self._equality(left, right)
            case ast.In() | ast.NotIn():
                text = f"holds({right.text}, {left.text})"
            case _:
                text = self._order(left, right)
        return self._signed(fold(text, "bool", [left, right]))

    def write_membership(self, left: Fragment, choices: tuple[Any, ...]) -> Fragment:
        """Ask whether a value is one of some literals."""
        is_confusable = any(_passes_for_a_number(choice) for choice in choices)
        text = f"among({left.text}, {choices!r})" if is_confusable else f"({left.text} in {choices!r})"
        return self._signed(fold(text, "bool", [left]))

    def _signed(self, fragment: Fragment) -> Fragment:
        return opposite(fragment) if isinstance(self._operator, _NEGATIVE) else fragment

    def _equality(self, left: Fragment, right: Fragment) -> str:
        if left.is_constant and right.is_constant:
            return f"among({left.text}, ({right.text},))"
        if left.is_constant:
            left, right = right, left
        if not right.is_constant:
            is_plain = left.kind == right.kind == "number"
            return f"({left.text} == {right.text})" if is_plain else f"same({left.text}, {right.text})"
        if right.kind in ("none", "bool"):
            return f"({left.text} is {right.value})"
        if _passes_for_a_number(right.value) and left.kind not in NUMBERS:
            name = self._temporary()
            return f"(({name} := {left.text}) == {right.text} and {name}.__class__ is not bool)"
        return f"({left.text} == {right.text})"

    def _order(self, left: Fragment, right: Fragment) -> str:
        sign, function = _ORDERS[type(self._operator)]
        kinds: set[Kind] = {"number" if side.kind in NUMBERS else side.kind for side in (left, right)}
        kinds.discard("any")
        if kinds - {"number", "string"}:
            raise Refused(self._place, f"{sign} orders numbers or strings only", "bad-comparison")
        if len(kinds) > 1:
            message = f"{sign} between a number and a string is always false"
            raise Refused(self._place, message, "bad-comparison")
        if not kinds:
            return f"{function}({left.text}, {right.text})"
        tests: list[str] = []
        texts = [self._checked(side, kinds, tests) for side in (left, right)]
        return "(" + " and ".join([*tests, f"{texts[0]} {sign} {texts[1]}"]) + ")"

    def _checked(self, side: Fragment, kinds: set[Kind], tests: list[str]) -> str:
        """Add the test whether a value can be ordered, where it is needed; return how to name it then."""
        if side.kind in ("number", "string"):
            return side.text
        name = self._temporary()
        if side.kind == "maybe_number":
            tests.append(f"({name} := {side.text}) is not None")
        elif "number" in kinds:
            tests.append(f"(({name} := {side.text}).__class__ is int or {name}.__class__ is float)")
        else:
            tests.append(f"({name} := {side.text}).__class__ is str")
        return name


def _passes_for_a_number(value: Any) -> bool:
    """Whether Python takes it for equal to a number it is not: True is 1 there, and 1 is True."""
    return isinstance(value, bool | int | float) and value in (0, 1)
