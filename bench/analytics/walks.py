"""Walks: many at once through a table of chances, by a seed alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from bench.analytics import shop

Codes = NDArray[np.int8]
Floats = NDArray[np.float64]

PEOPLE_A_CHUNK = 50_000
MAX_STEPS = 60  # of a visit: whoever is still there, leaves.
MAX_TOUCHES = 40
DAY_MS = 86_400_000
SINCE_MS = 1_767_225_600_000  # 2026-01-01
FIRST_WITHIN_MS = 60 * DAY_MS
PAUSE_MS = 3 * DAY_MS  # between two visits of a person, on average
MIN_PAUSE_MS = 1_800_000  # 30 min: what is shorter is one visit
DWELL_MS = 45_000


class Trail(NamedTuple):
    """What people did, person after person in the order of time; arrays have the shape (n_events,)."""

    person: NDArray[np.int32]
    step: Codes
    """An index into `shop.STEPS`."""
    at: NDArray[np.int64]
    """ms since 1970 UTC; no two of a person are the same."""
    channel: Codes
    """An index into `shop.CHANNELS` where a visit begins; else -1."""


class Touched(NamedTuple):
    """Paths of touches: `codes[offsets[i]:offsets[i + 1]]` are those of path `i`."""

    offsets: NDArray[np.int64]
    codes: Codes
    """An index into `shop.CHANNELS`."""
    is_conversion: NDArray[np.bool_]
    """Shape (n_paths,)."""
    value: NDArray[np.float64]
    """Shape (n_paths,), whole cents; 0 where nothing was bought."""


def trail(n_events: int, *, seed: int) -> Trail:
    """Let people visit the shop until so many events have happened."""
    chunks: list[Trail] = []
    n_left = n_events
    while n_left > 0:
        made = _people(PEOPLE_A_CHUNK, np.random.default_rng([seed, len(chunks)]))
        made = made._replace(person=made.person + np.int32(len(chunks) * PEOPLE_A_CHUNK))
        chunks.append(Trail(*(column[:n_left] for column in made)))
        n_left -= len(made.step)
    return Trail(*map(np.concatenate, zip(*chunks, strict=True)))


def touched(n_paths: int, *, seed: int) -> Touched:
    """Let people come by channels until they buy, or do not come again."""
    random = np.random.default_rng([seed, 2])
    ways, converts = _touches()
    path, codes = _walk(n_paths, _channels(), ways, random, longest=MAX_TOUCHES)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(path, minlength=n_paths))])
    is_conversion = random.random(n_paths) < converts[codes[offsets[1:] - 1]]
    value = np.round(random.lognormal(3.8, 0.7, n_paths), 2) * is_conversion
    return Touched(offsets, codes, is_conversion, value)


def _people(n_people: int, random: Generator) -> Trail:
    """Let so many people visit, each once or more often."""
    n_visits = np.minimum(random.geometric(0.5, n_people), 12)
    visitor = np.repeat(np.arange(n_people, dtype=np.int32), n_visits)
    first = np.array(_shares(shop.ENTRANCES, shop.STEPS))
    ways = np.array([_shares(shop.WAYS[step], (*shop.STEPS, shop.END)) for step in shop.STEPS])
    visit, step = _walk(len(visitor), first, ways, random, longest=MAX_STEPS)
    person = visitor[visit]
    is_entrance, is_first = _is_new(visit), _is_new(person)
    wait = 1 + random.exponential(DWELL_MS, len(step)).astype(np.int64)
    pause = MIN_PAUSE_MS + random.exponential(PAUSE_MS, len(step)).astype(np.int64)
    wait = np.where(is_entrance, pause, wait)
    wait = np.where(is_first, random.integers(0, FIRST_WITHIN_MS, len(step)), wait)
    total = np.cumsum(wait)
    before = (total - wait)[is_first]
    channel = random.choice(len(shop.CHANNELS), len(step), p=_channels())
    return Trail(
        person=person,
        step=step,
        at=SINCE_MS + total - np.repeat(before, np.bincount(person, minlength=n_people)),
        channel=np.where(is_entrance, channel, -1).astype(np.int8),
    )


def _walk(
    n: int, first: Floats, ways: Floats, random: Generator, *, longest: int
) -> tuple[NDArray[np.int64], Codes]:
    """Walk so many times; return (which walk, state) of each step, walk after walk.

    Args:
        n: How many walks.
        first: Shape (n_states,): how likely each begins there.
        ways: Shape (n_states, n_states + 1): how likely each follows; the last column is the end.
        random: What decides.
        longest: So many steps at most.
    """
    n_states, limits = len(first), ways.cumsum(axis=1)
    walk, state = np.arange(n), random.choice(n_states, n, p=first)
    walks, states = [walk], [state]
    for _ in range(longest - 1):
        state = (random.random(len(state))[:, None] > limits[state]).sum(axis=1)
        goes_on = state < n_states
        walk, state = walk[goes_on], state[goes_on]
        walks.append(walk)
        states.append(state)
    order = np.argsort(np.concatenate(walks), kind="stable")
    return np.concatenate(walks)[order], np.concatenate(states)[order].astype(np.int8)


def _is_new(groups: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Tell where a group begins; groups lie one after another."""
    return np.diff(groups, prepend=-1) != 0


def _shares(weights: dict[str, float], names: tuple[str, ...]) -> Floats:
    assert set(weights) <= set(names), "a way leads to a step, or to the end"
    found = np.array([weights.get(name, 0.0) for name in names])
    return np.asarray(found / found.sum())


def _channels() -> Floats:
    """Return how likely each channel is, shape (n_channels,): Zipf's law."""
    weights = 1 / np.arange(1, len(shop.CHANNELS) + 1)
    return np.asarray(weights / weights.sum())


def _touches() -> tuple[Floats, Floats]:
    """Return how likely each channel follows each, and how likely who comes by it last buys.

    Shapes (n_channels, n_channels + 1), the last column being the end, and (n_channels,).
    """
    n = len(shop.CHANNELS)
    comes_again = np.linspace(0.80, 0.68, n)[:, None]
    # Three in ten come by the channel they came by before.
    follows = comes_again * (0.7 * _channels() + 0.3 * np.eye(n))
    # Neighbours in rank are far apart in this.
    buys = np.linspace(0.2, 0.6, n)[np.arange(n) * 7 % n]
    return np.column_stack([follows, 1 - comes_again]), buys
