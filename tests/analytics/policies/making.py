"""Logs of decisions whose truth is known."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sojourn.analytics.policies.decisions import Decisions, Floats
from sojourn.analytics.policies.reading import read_decisions
from sojourn.analytics.tables import Table


def encode(**columns: Any) -> Decisions:
    """Encode columns."""
    return read_decisions(Table(columns)).decisions


class World(NamedTuple):
    """A log, a policy that did not write it, and what that policy would earn."""

    decisions: Decisions
    shares: Floats
    truth: float


def world(
    seed: int, *, n_people: int = 1_500, n_contexts: int = 4, n_variants: int = 3, each: int = 2
) -> World:
    """Draw a world: people with `each` decisions in one context, rare rewards, weights of all kinds."""
    random = np.random.default_rng(seed)
    logging = 0.85 * random.dirichlet(np.full(n_variants, 2.0), n_contexts) + 0.15 / n_variants
    shares = random.dirichlet(np.ones(n_variants), n_contexts)
    rates = random.uniform(0.02, 0.2, (n_contexts, n_variants))
    person = np.repeat(np.arange(n_people), each)
    context = random.integers(0, n_contexts, n_people)[person]
    drawn = (random.random(len(person))[:, None] > logging.cumsum(axis=1)[context]).sum(axis=1)
    variant = np.minimum(drawn, n_variants - 1)
    decisions = Decisions(
        variants=tuple("abcdefgh"[:n_variants]),
        contexts=tuple(map(str, range(n_contexts))),
        variant=variant.astype(np.int32),
        context=context.astype(np.int32),
        reward=(random.random(len(person)) < rates[context, variant]).astype(np.float64),
        propensity=logging[context, variant],
        person=person.astype(np.int32),
        n_people=n_people,
    )
    return World(decisions, shares, float((shares * rates).sum(axis=1).mean()))
