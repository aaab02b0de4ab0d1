"""Values: what operators mean on JSON values that may be missing or of another type than expected.

Nothing here raises, whatever the values. Missing is None. Numbers are ints and floats; true and false are not
numbers. `a != b` is always the opposite of `a == b`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

MAX_NUMBER_BITS = 1_024  # about the largest float; beyond it a number is no number any more.
MAX_TEXT_CHARACTERS = 100_000  # of a string that `+` makes.

Json = Any


def same(left: Json, right: Json) -> bool:
    """Whether two values are equal; a missing one equals nothing, and true is not 1."""
    if left is None or right is None or (left.__class__ is bool) is not (right.__class__ is bool):
        return False
    try:
        return bool(left == right)
    except RecursionError:  # values nested deeper than anybody reads
        return False


def among(item: Json, choices: Sequence[Json]) -> bool:
    """Whether a value is one of the literals after `in`; None stands for a missing value."""
    return any(item is choice or same(item, choice) for choice in choices)


def holds(container: Json, item: Json) -> bool:
    """Whether a list has the item, a string the part, an object the key."""
    if container.__class__ is list:
        return any(same(item, each) for each in container)
    return container.__class__ in (str, dict) and item.__class__ is str and item in container


def less(left: Json, right: Json) -> bool:
    """Order two numbers or two strings; false for anything else."""
    return _are_alike(left, right) and bool(left < right)


def less_equal(left: Json, right: Json) -> bool:
    """Order two numbers or two strings; false for anything else."""
    return _are_alike(left, right) and bool(left <= right)


def greater(left: Json, right: Json) -> bool:
    """Order two numbers or two strings; false for anything else."""
    return _are_alike(left, right) and bool(left > right)


def greater_equal(left: Json, right: Json) -> bool:
    """Order two numbers or two strings; false for anything else."""
    return _are_alike(left, right) and bool(left >= right)


def add(left: Json, right: Json) -> Json:
    """Add two numbers, or join two strings; None for anything else."""
    if left.__class__ is str and right.__class__ is str:
        return left + right if len(left) + len(right) <= MAX_TEXT_CHARACTERS else None
    return _calculate(operator.add, left, right)


def subtract(left: Json, right: Json) -> Json:
    """Subtract two numbers; None for anything else."""
    return _calculate(operator.sub, left, right)


def multiply(left: Json, right: Json) -> Json:
    """Multiply two numbers; None for anything else."""
    return _calculate(operator.mul, left, right)


def divide(left: Json, right: Json) -> Json:
    """Divide two numbers; None for anything else, and for a division by zero."""
    return _calculate(operator.truediv, left, right)


def remainder(left: Json, right: Json) -> Json:
    """Give the remainder of two numbers, with the sign of the right one; None for anything else."""
    return _calculate(operator.mod, left, right)


def negative(value: Json) -> Json:
    """Negate a number; None for anything else."""
    return _calculate(operator.sub, 0, value)


def lower(value: Json) -> Json:
    """Give a string in lower case; None for anything else."""
    return value.lower() if value.__class__ is str else None


def length(value: Json) -> Json:
    """Count a string's characters, a list's items, an object's names; None for anything else."""
    return len(value) if value.__class__ in (str, list, dict) else None


def _calculate(operation: Callable[[Any, Any], Any], left: Json, right: Json) -> Json:
    if not (_is_number(left) and _is_number(right)):
        return None
    try:
        result = operation(left, right)
    except (ZeroDivisionError, OverflowError):
        return None
    return result if _is_number(result) else None


def _is_number(value: Json) -> bool:
    if value.__class__ is int:
        return bool(value.bit_length() <= MAX_NUMBER_BITS)
    return value.__class__ is float and math.isfinite(value)


def _are_alike(left: Json, right: Json) -> bool:
    kinds = (left.__class__, right.__class__)
    return kinds == (str, str) or (kinds[0] in (int, float) and kinds[1] in (int, float))
