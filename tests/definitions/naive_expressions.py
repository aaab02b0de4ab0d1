"""The oracle of expressions: a slow evaluator that walks Python's own tree, written from the rules alone."""

from __future__ import annotations

import ast
import math
from typing import Any

from sojourn.definitions.durations import parse_duration

_FACTORS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}


def evaluate(text: str, scope: Any) -> Any:
    """Return the value of an expression that the compiler accepts."""
    return _value(ast.parse(text, mode="eval").body, scope)


def _value(node: ast.expr, scope: Any) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            return {"true": True, "false": False, "null": None}[node.id]
        case ast.Attribute() | ast.Subscript():
            return _path(node, scope)
        case ast.BoolOp(op=ast.And()):
            value: Any = True
            for part in node.values:
                value = _value(part, scope)
                if not value:
                    return value
            return value
        case ast.BoolOp():
            value = False
            for part in node.values:
                value = _value(part, scope)
                if value:
                    return value
            return value
        case ast.UnaryOp(op=ast.Not()):
            return not _value(node.operand, scope)
        case ast.UnaryOp():
            return _calculate("-", 0, _value(node.operand, scope))
        case ast.BinOp():
            sign = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%"}[type(node.op)]
            return _calculate(sign, _value(node.left, scope), _value(node.right, scope))
        case ast.IfExp():
            return _value(node.body if _value(node.test, scope) else node.orelse, scope)
        case ast.Compare():
            sides = [node.left, *node.comparators]
            return all(
                _compare(sides[i], operator, sides[i + 1], scope) for i, operator in enumerate(node.ops)
            )
        case ast.Call(func=ast.Name(id=name)):
            return _call(name, node, scope)
    raise AssertionError(ast.dump(node))


def _path(node: ast.expr, scope: Any) -> Any:
    parts: list[Any] = []
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        else:
            assert isinstance(node, ast.Subscript)
            parts.insert(0, ast.literal_eval(node.slice))
            node = node.value
    value: Any = getattr(scope, "traits" if node.id == "trait" else node.id)
    for part in parts:
        if isinstance(value, dict) and isinstance(part, str):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and -len(value) <= part < len(value):
            value = value[part]
        else:
            return None
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_usable(value: Any) -> bool:
    if not _is_number(value):
        return False
    return math.isfinite(value) if isinstance(value, float) else value.bit_length() <= 1_024


def _calculate(sign: str, left: Any, right: Any) -> Any:
    if sign == "+" and isinstance(left, str) and isinstance(right, str):
        return left + right
    if not (_is_usable(left) and _is_usable(right)):
        return None
    try:
        result = {
            "+": lambda: left + right,
            "-": lambda: left - right,
            "*": lambda: left * right,
            "/": lambda: left / right,
            "%": lambda: left % right,
        }[sign]()
    except (ZeroDivisionError, OverflowError):
        return None
    return result if _is_usable(result) else None


def _equal(left: Any, right: Any) -> bool:
    if left is None or right is None or isinstance(left, bool) != isinstance(right, bool):
        return False
    return bool(left == right)


def _is_none(node: ast.expr) -> bool:
    return (isinstance(node, ast.Constant) and node.value is None) or (
        isinstance(node, ast.Name) and node.id == "null"
    )


def _compare(left_node: ast.expr, operator: ast.cmpop, right_node: ast.expr, scope: Any) -> bool:
    if isinstance(operator, ast.NotEq | ast.IsNot | ast.NotIn):
        opposite = {ast.NotEq: ast.Eq, ast.IsNot: ast.Is, ast.NotIn: ast.In}[type(operator)]()
        return not _compare(left_node, opposite, right_node, scope)
    left = _value(left_node, scope)
    if isinstance(right_node, ast.List | ast.Tuple):
        choices = [_value(item, scope) for item in right_node.elts]
        return any(_equal(left, choice) or (left is None and choice is None) for choice in choices)
    right = _value(right_node, scope)
    match operator:
        case ast.Eq() | ast.Is():
            if _is_none(left_node) or _is_none(right_node):
                return left is None and right is None
            return _equal(left, right)
        case ast.In():
            if isinstance(right, list):
                return any(_equal(item, left) for item in right)
            return isinstance(right, str | dict) and isinstance(left, str) and left in right
    both_numbers = _is_number(left) and _is_number(right)
    if not both_numbers and not (isinstance(left, str) and isinstance(right, str)):
        return False
    match operator:
        case ast.Lt():
            return bool(left < right)
        case ast.LtE():
            return bool(left <= right)
        case ast.Gt():
            return bool(left > right)
    return bool(left >= right)


def _call(name: str, node: ast.Call, scope: Any) -> Any:
    arguments = [_value(argument, scope) for argument in node.args]
    if name in _FACTORS:
        return _calculate("*", arguments[0], _FACTORS[name])
    if name == "lower":
        return arguments[0].lower() if isinstance(arguments[0], str) else None
    if name == "len":
        return len(arguments[0]) if isinstance(arguments[0], str | list | dict) else None
    if name == "In":
        return arguments[0] in scope.active
    if name == "count":
        within = [ast.literal_eval(keyword.value) for keyword in node.keywords]
        return scope.count(arguments[0], parse_duration(within[0]) if within else None)
    return getattr(scope, name)(*arguments)
