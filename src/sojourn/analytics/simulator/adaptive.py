"""Adaptive: invented people at a decision, offered something by one rule or another, the truth being known.

People enter a journey, day after day, and come to a decision in one of a few states (cells of their context).
What they are offered stays theirs, as in the engine; some come back once more. Who converts under which offer
is drawn before anybody decides: so all rules meet the same people, and differences are theirs alone.

Weights are learnt as the engine learns them: an exposure counts when the time in which it can be rewarded is
over, a batch of them at once, and `definitions/thompson.py` makes weights of the counts. The engine does so
every quarter of an hour; here it is once a day.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.definitions.thompson import weights

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]

FLOOR = 0.05
"""The engine's default."""
TRIAL_DAYS = 14


class World(Struct, frozen=True, kw_only=True):
    """Who comes, and what converts whom."""

    name: str
    about: str
    offers: tuple[str, ...]
    """The first one is what everybody gets today."""
    states: tuple[str, ...]
    share: tuple[float, ...]
    """Of the people in each state; they sum to 1."""
    rates: tuple[tuple[float, ...], ...]
    """State -> offer -> the chance that a visit ends in a conversion."""
    later: tuple[tuple[float, ...], ...] | None = None
    """The same from the middle of the time on, where the world changes."""
    per_day: int = 250
    days: int = 60
    comes_back: float = 0.3
    """The chance of a second visit, 1 to 5 days later, where the first did not convert."""
    within_days: int = 3
    """How long after the decision a conversion rewards it."""


class People(NamedTuple):
    """Everybody who comes, and what would become of them. Arrays have the shape (n_people,)."""

    day: Codes
    state: Codes
    place: Floats
    """Where the hash puts them, 0 to 1."""
    converts: Flags
    """Shape (n_offers, n_people): whether they would convert, sooner or later."""
    rewards: Flags
    """Shape (n_offers, n_people): whether in time."""


class Counts(NamedTuple):
    """What is known at the beginning of a day, each of the shape (n_states, n_offers)."""

    won: Floats
    tried: Floats


class Compared(Struct, frozen=True, kw_only=True):
    """What one rule came to, over all replicates; each (estimate, low, high)."""

    rule: str
    conversion: tuple[float, float, float]
    """The share of people who convert; the interval is of the mean over replicates."""
    lift: tuple[float, float, float]
    """Conversions more than by the static funnel, as a share of those; of the mean likewise."""
    one_run: tuple[float, float]
    """Between what 95 of 100 replicates lie: what whoever does it once may see of that."""
    over_split: tuple[float, float, float]
    """Conversions more than by the fixed split, as a share of those; of the mean likewise."""
    regret: tuple[float, float, float]
    """Conversions of 1,000 people fewer than by the best in each state; of the mean likewise."""


Rule = Callable[[World, int, Counts], Floats]
"""(the world, the day, what is known) -> weights of the offers in each state, shape (n_states, n_offers)."""


def people_of(world: World, seed: int) -> People:
    """Invent people; the same seed invents the same."""
    random = np.random.default_rng(seed)
    n = world.per_day * world.days
    day = np.repeat(np.arange(world.days), world.per_day)
    state = np.minimum(
        np.searchsorted(np.cumsum(world.share), random.random(n), side="right"), len(world.share) - 1
    )
    place, first, second, again, pause = random.random((5, n))
    gap = 1 + np.floor(pause * 5).astype(np.int64)
    comes_back = again < world.comes_back
    now, then = _rates(world, day, state), _rates(world, day + gap, state)
    at_once = first < now
    returning = ~at_once & comes_back & (second < then)
    in_time = returning & (gap <= world.within_days)
    return People(day, state, place, at_once | returning, at_once | in_time)


def play(world: World, people: People, rule: Rule) -> Codes:
    """Let a rule decide for everybody; return the offer of each, shape (n_people,)."""
    n_states, n_offers = len(world.states), len(world.offers)
    known = Counts(np.zeros((n_states, n_offers)), np.zeros((n_states, n_offers)))
    offer = np.zeros(len(people.day), dtype=np.int64)
    for day in range(world.days):
        over = day - world.within_days - 1
        if over >= 0:
            _settle(known, people, offer, _of_day(world, over))
        today = _of_day(world, day)
        edges = rule(world, day, known).cumsum(axis=1)[people.state[today]]
        offer[today] = np.minimum((people.place[today][:, None] >= edges).sum(axis=1), n_offers - 1)
    return offer


def converted(people: People, offer: Codes) -> Flags:
    """Tell who converted with what they were offered, shape (n_people,)."""
    chosen: Flags = people.converts[offer, np.arange(len(offer))]
    return chosen


def compare(world: World, *, replicates: int, seed: int = 0, level: float = 0.95) -> list[Compared]:
    """Play all rules with the same people, and other people in each replicate."""
    rates = np.empty((replicates, len(RULES)))
    for i in range(replicates):
        people = people_of(world, seed + i)
        rates[i] = [converted(people, play(world, people, rule)).mean() for rule in RULES.values()]
    lifts, over_split = rates / rates[:, :1] - 1, rates / rates[:, 1:2] - 1
    regrets = 1_000 * (rates[:, -1:] - rates)
    tail = (1 - level) / 2
    ends = np.quantile(lifts, [tail, 1 - tail], axis=0).T
    return [
        Compared(
            rule=name,
            conversion=_mean(rates[:, i], level),
            lift=_mean(lifts[:, i], level),
            one_run=(float(ends[i, 0]), float(ends[i, 1])),
            over_split=_mean(over_split[:, i], level),
            regret=_mean(regrets[:, i], level),
        )
        for i, name in enumerate(RULES)
    ]


def _mean(values: Floats, level: float) -> tuple[float, float, float]:
    """Return a mean over replicates and its normal interval."""
    reach = NormalDist().inv_cdf((1 + level) / 2) * values.std(ddof=1) / len(values) ** 0.5
    return float(values.mean()), float(values.mean() - reach), float(values.mean() + reach)


# -- Rules.


def static(world: World, day: int, known: Counts) -> Floats:
    """Offer everybody what everybody gets today: a funnel."""
    del day, known
    return _always(world, np.zeros(len(world.states), dtype=np.int64))


def fixed(world: World, day: int, known: Counts) -> Floats:
    """Split evenly, to the end."""
    del day, known
    return np.full((len(world.states), len(world.offers)), 1 / len(world.offers))


def winner(world: World, day: int, known: Counts) -> Floats:
    """Split evenly for two weeks, and then offer everybody what converted most so far."""
    if day < TRIAL_DAYS:
        return fixed(world, day, known)
    rate = known.won.sum(axis=0) / np.maximum(known.tried.sum(axis=0), 1)
    return _always(world, np.full(len(world.states), int(rate.argmax())))


def adaptive(world: World, day: int, known: Counts) -> Floats:
    """Split by the chance that an offer is the best, of all people alike."""
    del day
    found = weights(known.won.sum(axis=0).tolist(), known.tried.sum(axis=0).tolist(), FLOOR)
    return np.tile(np.array(found), (len(world.states), 1))


def branching(world: World, day: int, known: Counts) -> Floats:
    """Split by the chance that an offer is the best, in each state by itself."""
    del world, day
    each = zip(known.won.tolist(), known.tried.tolist(), strict=True)
    return np.array([weights(won, tried, FLOOR) for won, tried in each])


def best_offer(world: World, day: int, known: Counts) -> Floats:
    """Offer everybody the one that is best over the whole time, which nobody knows beforehand."""
    del day, known
    overall = np.array(world.share) @ _average(world)
    return _always(world, np.full(len(world.states), int(overall.argmax())))


def best_by_state(world: World, day: int, known: Counts) -> Floats:
    """Offer in each state what is best there on that day, which nobody knows beforehand."""
    del known
    return _always(world, np.array(_rates_on(world, day)).argmax(axis=1))


RULES: dict[str, Rule] = {
    "static funnel: today's offer for all": static,
    "fixed split, evenly": fixed,
    f"fixed split for {TRIAL_DAYS} days, then its winner": winner,
    "adaptive split": adaptive,
    "branching on live state, adaptive in each": branching,
    "(the best single offer, known beforehand)": best_offer,
    "(the best in each state, known beforehand)": best_by_state,
}
"""What is compared: with the first and the second; and with the last, which nobody can have."""


def _of_day(world: World, day: int) -> slice:
    return slice(day * world.per_day, (day + 1) * world.per_day)


def _settle(known: Counts, people: People, offer: Codes, rows: slice) -> None:
    """Count the exposures of a day whose time is over."""
    n_states, n_offers = known.won.shape
    place = people.state[rows] * n_offers + offer[rows]
    rewarded = people.rewards[:, rows][offer[rows], np.arange(len(place))]
    known.tried.ravel()[:] += np.bincount(place, minlength=n_states * n_offers)
    known.won.ravel()[:] += np.bincount(place, weights=rewarded, minlength=n_states * n_offers)


def _always(world: World, offer: Codes) -> Floats:
    found = np.zeros((len(world.states), len(world.offers)))
    found[np.arange(len(offer)), offer] = 1.0
    return found


def _rates_on(world: World, day: int) -> tuple[tuple[float, ...], ...]:
    return world.rates if world.later is None or day < world.days // 2 else world.later


def _rates(world: World, day: Codes, state: Codes) -> Floats:
    """Return the chance that a visit converts under each offer, shape (n_offers, n_people)."""
    now, later = np.array(world.rates), np.array(world.later or world.rates)
    is_later = day >= world.days // 2
    return np.where(is_later[None, :], later[state].T, now[state].T)


def _average(world: World) -> Floats:
    average: Floats = (np.array(world.rates) + np.array(world.later or world.rates)) / 2
    return average
