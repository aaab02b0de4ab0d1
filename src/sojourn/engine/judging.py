"""Judging: what a guard answers, and the values it saw: why something did or did not happen."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sojourn.definitions.expression import Expression
from sojourn.engine.objects import encode_json
from sojourn.engine.scope import Scope
from sojourn.model.fact import Judged

MAX_CHARACTERS = 200  # of one guard, and of one value it saw: enough to recognise it.
MAX_NUMBER = 2**63  # a larger one does not fit where facts are kept.


def judge(expression: Expression, scope: Scope) -> Judged:
    """Ask a guard, and note what it reads; a guard that raises counts as false."""
    try:
        held = bool(expression.call(scope))
    except Exception:  # whatever an expression raises is its author's, not ours
        held = False
    return told(expression, scope, held=held)


def told(expression: Expression, scope: Scope, *, held: bool) -> Judged:
    """Note what a guard answered, and what it reads, as it is now."""
    saw: dict[str, Any] = {}
    for name, read in expression.reads:
        with suppress(Exception):  # as above; what cannot be read is not told
            saw[name] = _brief(read(scope))
    return Judged(guard=_cut(expression.source), held=held, saw=saw)


def _brief(value: Any) -> Any:
    """Keep a number or a short text; cut the rest to what a line can show."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and -MAX_NUMBER <= value < MAX_NUMBER:
        return value
    if isinstance(value, str):
        return _cut(value)
    try:
        return _cut(encode_json(value).decode())
    except (TypeError, ValueError, RecursionError, OverflowError):
        return _cut(f"({type(value).__name__})")


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"
