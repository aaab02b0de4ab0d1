"""Encoding: the database's numbers against plain Python's, row by row."""

from __future__ import annotations

import json
from hashlib import md5
from random import Random
from typing import Any

import pytest

from sojourn.analytics.policies.reading import read_decisions
from sojourn.analytics.tables import Table

SPLITS = ({"a": 0.5, "b": 0.5}, {"b": 0.2, "a": 0.8}, {"a": 0.3, "b": 0.3, "é": 0.4})


def drawn(random: Random, n: int) -> list[dict[str, Any]]:
    """Draw rows: some of nobody known, some in no context."""
    rows = []
    for _ in range(n):
        shares = random.choice(SPLITS)
        variant = random.choice(sorted(shares))
        rows.append(
            {
                "variant": variant,
                "reward": round(random.gauss(0, 1), 3),
                "propensity": shares[variant],
                "context": random.choice([None, "", '"pro"', "x|y"]),
                "person": random.choice([None, "ann", "bob", "=3", "cid"]),
                "eligible": json.dumps(shares),
            }
        )
    return rows


@pytest.mark.parametrize("seed", range(6))
def test_rows_are_numbered_as_plain_python_numbers_them(seed: int) -> None:
    """In their order; names in the order of names, whoever is nobody known by the row."""
    random = Random(seed)
    rows = drawn(random, random.randrange(1, 40))
    found = read_decisions(Table({name: [row[name] for row in rows] for name in rows[0]})).decisions
    variants = sorted({name for row in rows for name in json.loads(row["eligible"])})
    contexts = sorted({row["context"] or "" for row in rows})
    whose = [f"={i}" if row["person"] is None else f"+{row['person']}" for i, row in enumerate(rows)]
    people = sorted(set(whose))
    assert (list(found.variants), list(found.contexts), found.n_people) == (variants, contexts, len(people))
    assert found.variant.tolist() == [variants.index(row["variant"]) for row in rows]
    assert found.context.tolist() == [contexts.index(row["context"] or "") for row in rows]
    assert found.person.tolist() == [people.index(one) for one in whose]
    assert found.reward.tolist() == [row["reward"] for row in rows]
    assert found.propensity.tolist() == [row["propensity"] for row in rows]
    assert found.eligible is not None
    assert found.drawn_from is not None
    told = [[json.loads(row["eligible"]).get(name, 0.0) for name in variants] for row in rows]
    assert found.eligible[found.drawn_from].tolist() == told
    assert found.half is not None
    assert found.half.tolist() == [is_second(row["person"], i) for i, row in enumerate(rows)]


def is_second(person: str | None, row: int) -> bool:
    """Tell whose half it is: by the last bit of the lower half of the digest, written little end first."""
    if person is None:
        return row % 2 == 1
    return int.from_bytes(md5(person.encode()).digest()[8:], "little") % 2 == 1


def test_where_one_row_does_not_say_what_could_be_drawn_the_log_does_not() -> None:
    """Half of the knowledge would refuse half of the drafts."""
    columns = {"variant": ["a", "b"], "reward": [1.0, 0.0], "propensity": [0.5, 0.5]}
    found = read_decisions(Table(columns | {"eligible": ['{"a": 0.5, "b": 0.5}', None]})).decisions
    assert (found.eligible, found.drawn_from) == (None, None)
    assert found.half is None
