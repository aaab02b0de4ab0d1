"""Contradictions: guards that can never be true, held against trying every value."""

from __future__ import annotations

from random import Random

import pytest

from sojourn.definitions.guards import analyse
from tests.definitions.scopes import PlainScope


@pytest.mark.parametrize(
    "text",
    [
        "trait.x == 'a' and trait.x == 'b'",
        "trait.x == 'a' and trait.y and trait.x != 'a'",
        "trait.x > 5 and trait.x < 3",
        "trait.x > 5 and trait.x <= 5",
        "3 > trait.x > 5",
        "5 < trait.x and not false and (trait.y and trait.x < 5)",
        "trait.x in ['a', 'b'] and trait.x in ['c']",
        "trait.x in ['a', 'b'] and trait.x not in ['a', 'b']",
        "trait.x == 'a' and trait.x > 1",
        "trait.x > 'a' and trait.x > 1 and trait.x < 2",
        "trait.x == null and trait.x == 1",
        "trait.x is None and trait.x > 1",
        "trait.x == 1 and trait.x == true",
        "count('X') > days(2) and count('X') < days(1)",
        "count('X', within='1h') >= 2 and count('X', within='1h') == 0",
    ],
)
def test_what_contradicts_itself_is_never_true(text: str) -> None:
    """A way that nobody can take is a mistake of its author."""
    assert analyse(text).is_never_true


@pytest.mark.parametrize(
    "text",
    [
        "trait.x == 'a' or trait.x == 'b'",
        "trait.x == 'a' and trait.y == 'b'",
        "trait.x >= 5 and trait.x <= 5",
        "trait.x != 'a' and trait.x != 'b'",
        "trait.x in ['a', 'b'] and trait.x != 'a'",
        "trait.x == 1 and trait.x in [1, 2] and trait.x < 2",
        "count('X', within='1h') > 5 and count('X', within='2h') < 3",
        "trait.x > 1 and not (trait.x < 0)",
        "trait.x == 1 and trait.x == 1.0",
        "trait.x == trait.y and trait.x > 5 and trait.y < 3",
    ],
)
def test_what_may_be_true_is_not_called_a_contradiction(text: str) -> None:
    """A guard that is refused wrongly cannot be written at all; what is not seen does no harm."""
    assert not analyse(text).is_never_true


def test_no_value_satisfies_what_is_called_a_contradiction() -> None:
    """Against trying all of them: literals, their neighbours, other types, and nothing."""
    random = Random(7)
    literals = ["0", "1", "2", "'a'", "'b'", "true", "null"]
    operators = ["==", "!=", "<", "<=", ">", ">=", "in", "not in"]
    values = [None, True, False, -1, 0, 0.5, 1, 1.5, 2, 3, "", "a", "ab", "b", "c", [], {}]
    n_found = 0
    for _ in range(2_000):
        tests = []
        for _ in range(random.randint(2, 4)):
            operator, literal = random.choice(operators), random.choice(literals)
            if operator in ("<", "<=", ">", ">=") and literal in ("true", "null"):
                literal = "1"
            if operator.endswith("in"):
                literal = f"[{literal}, {random.choice(literals)}]"
            tests.append(f"trait.x {operator} {literal}")
        compiled = analyse(" and ".join(tests))
        answers = [compiled.expression.call(PlainScope(traits={"x": value})) for value in values]
        n_found += compiled.is_never_true
        assert not (compiled.is_never_true and any(answers)), " and ".join(tests)
    assert n_found > 500
