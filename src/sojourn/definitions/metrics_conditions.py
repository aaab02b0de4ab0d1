"""Conditions of metrics: the part of the guards' language that holds over columns of millions of events.

Properties beside constants, joined by `and`, `or` and `not`: no function of a profile, and no arithmetic. The
text is checked as a guard first, so that what is said of a slip is the same.
"""

from __future__ import annotations

import ast
import re

from sojourn.definitions.expression_text import ExpressionText, Refused
from sojourn.definitions.metrics import Comparison, Condition, Every, Negation, Operator, Some
from sojourn.definitions.reading import Reading
from sojourn.definitions.vocabulary import FUNCTIONS, ROOTS
from sojourn.definitions.yaml import AnyNode, ScalarNode

IN_A_METRIC = {
    name: "a metric counts events, whoever's they are; ask for their properties"
    for name in (*ROOTS, *FUNCTIONS)
    if name != "properties"
}
"""Names that a metric's condition cannot use, with the reason."""

_OPERATORS: dict[type[ast.cmpop], Operator] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "==",
    ast.NotIn: "!=",
}
_TURNED: dict[Operator, Operator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_PATH = re.compile(r"properties(\.[A-Za-z_$][\w$ -]*)+")
_SIMPLE = "a metric's condition compares a property with a constant, as properties.total >= 50"


def read_condition(node: AnyNode, reading: Reading) -> Condition | None:
    """Read a `when`; problems are noted in `reading`, and there is no condition then."""
    if reading.condition(node, hidden=IN_A_METRIC) is None or not isinstance(node, ScalarNode):
        return None
    text = ExpressionText(node.text)
    try:
        return _condition(text.parse())
    except Refused as refused:
        reading.refuse(node.place(*text.position(refused.place)), refused.message, refused.code)
        return None


def read_path(node: AnyNode, reading: Reading) -> str:
    """Read the name of a property, as `properties.cart.total`."""
    text = reading.text(node, "a property, as properties.revenue")
    if text and not _PATH.fullmatch(text):
        reading.refuse(node, f"expected a property, as properties.revenue; got {text[:40]!r}", "bad-value")
    return text


def _condition(node: ast.expr) -> Condition:
    match node:
        case ast.BoolOp(op=ast.And()):
            return Every(tuple(map(_condition, node.values)))
        case ast.BoolOp():
            return Some(tuple(map(_condition, node.values)))
        case ast.UnaryOp(op=ast.Not()):
            return Negation(_condition(node.operand))
        case ast.Compare() if len(node.ops) == 1:
            return _comparison(node)
    raise _no_condition(node)


def _comparison(node: ast.Compare) -> Comparison:
    left, operator, right = node.left, node.ops[0], node.comparators[0]
    if type(operator) not in _OPERATORS:
        raise _no_condition(node)
    if isinstance(operator, ast.In | ast.NotIn):
        if not isinstance(right, ast.List | ast.Tuple) or not right.elts:
            raise _no_condition(node)
        return Comparison(_path(left), _OPERATORS[type(operator)], _values(right.elts))
    word = _OPERATORS[type(operator)]
    if isinstance(left, ast.Constant | ast.UnaryOp) or _is_boolean(left):
        left, right, word = right, left, _TURNED[word]
    path, values = _path(left), _values([right])
    if word not in ("==", "!=") and isinstance(values[0], str):
        raise Refused(right, f"{word} takes a number here; text can only be the same or not", "bad-argument")
    return Comparison(path, word, values)


def _path(node: ast.expr) -> str:
    parts: list[str] = []
    at = node
    while not isinstance(at, ast.Name):
        if isinstance(at, ast.Attribute):
            parts.append(at.attr)
            at = at.value
        elif isinstance(at, ast.Subscript) and isinstance(at.slice, ast.Constant):
            if not isinstance(at.slice.value, str) or "." in at.slice.value:
                raise Refused(at, "a metric reads properties by their names, without dots", "not-allowed")
            parts.append(at.slice.value)
            at = at.value
        else:
            raise _no_condition(node)
    if at.id != "properties" or not parts:
        raise _no_condition(node)
    return ".".join([at.id, *parts[::-1]])


def _values(nodes: list[ast.expr]) -> tuple[str, ...] | tuple[float, ...]:
    values = [_value(node) for node in nodes]
    texts = tuple(value for value in values if isinstance(value, str))
    numbers = tuple(value for value in values if isinstance(value, float))
    if texts and numbers:
        raise Refused(nodes[0], "a list holds texts or numbers, not both", "bad-argument")
    return texts or numbers


def _value(node: ast.expr) -> str | float:
    """Return a constant: text, a number, or true and false as events have them."""
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, node = -1, node.operand
    if _is_boolean(node):
        assert isinstance(node, ast.Name)
        return node.id
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            return str(node.value).lower()
        if isinstance(node.value, str):
            return node.value
        if isinstance(node.value, int | float):
            return sign * float(node.value)
    raise _no_condition(node)


def _is_boolean(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("true", "false")


def _no_condition(node: ast.AST) -> Refused:
    return Refused(node, _SIMPLE, "not-allowed")
