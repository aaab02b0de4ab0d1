"""Judging: what a guard answers, and the values it saw: why something did or did not happen."""

from __future__ import annotations

from sojourn.definitions.expression import Expression
from sojourn.engine.scope import Scope
from sojourn.model.fact import Judged


def judge(expression: Expression, scope: Scope) -> Judged:
    """Ask a guard, and note what it reads; a guard that raises counts as false."""
    try:
        held = bool(expression.call(scope))
    except Exception:  # whatever an expression raises is its author's, not ours
        held = False
    return Judged(guard=expression.source, held=held)
