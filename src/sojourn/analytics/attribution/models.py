"""Models by name: what each is, in words and in code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from sojourn.analytics.attribution import heuristics
from sojourn.analytics.attribution.choosing import MAX_ORDER, best_order, score_orders
from sojourn.analytics.attribution.direct import DIRECT_NAMES
from sojourn.analytics.attribution.markov import Markov, markov
from sojourn.analytics.attribution.paths import Paths
from sojourn.analytics.attribution.rates import N_PERMUTATIONS, RateGame, rate_game
from sojourn.analytics.attribution.shapley import ordered_sum_game, sum_game
from sojourn.analytics.attribution.tallies import Model, measures_of, sums_of
from sojourn.definitions.durations import write_duration
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError

DAY_MS = 86_400_000
HALF_LIFE_MS = 7 * DAY_MS
"""A week, as Google Analytics had it."""


class Weights(Struct, frozen=True, kw_only=True):
    """Weights of touches by their place; see `heuristics.by_position`."""

    head: tuple[float, ...]
    tail: tuple[float, ...]
    rest: float
    middle: float = 0.0


U_SHAPED = Weights(head=(0.4,), tail=(0.4,), rest=0.2)
W_SHAPED = Weights(head=(0.3,), tail=(0.3,), rest=0.1, middle=0.3)


class Options(Struct, frozen=True, kw_only=True):
    """What models may be told."""

    order: int | Literal["auto"] = 1
    """Of Markov models; `auto`: by held-out likelihood."""
    max_order: int = MAX_ORDER
    """The highest that `auto` tries."""
    nulls: bool = True
    """Whether paths that did not convert are part of a Markov chain."""
    half_life_ms: int = HALF_LIFE_MS
    weights: Weights = U_SHAPED
    """Of `custom`."""
    direct_names: tuple[str, ...] = DIRECT_NAMES
    """Of `last-non-direct`."""
    n_permutations: int = N_PERMUTATIONS
    """Of `shapley-rate`, with more channels than can be gone through."""
    seed: int = 0


class Prepared(NamedTuple):
    """A model made ready, and what was decided on the way."""

    model: Model
    parameters: dict[str, Any]


class Entry(NamedTuple):
    """One model."""

    formula: str
    source: str
    prepare: Callable[[Paths, Options], Prepared]


def prepare(name: str, paths: Paths, options: Options) -> Prepared:
    """Make a model ready for some paths.

    Raises:
        ConfigError: There is no such model, or it does not fit the paths or options.
    """
    return entry(name).prepare(paths, options)


def entry(name: str) -> Entry:
    """Find a model; raise ConfigError where there is none."""
    if name not in MODELS:
        raise ConfigError(f"no model is called {name!r}{did_you_mean(name, MODELS)}")
    return MODELS[name]


def _plain(rule: Callable[[Paths], Model]) -> Callable[[Paths, Options], Prepared]:
    return lambda paths, _: Prepared(rule(paths), {})


def _last_non_direct(paths: Paths, options: Options) -> Prepared:
    names = options.direct_names
    return Prepared(heuristics.last_touch_not_direct(paths, names), {"direct": list(names)})


def _time_decay(paths: Paths, options: Options) -> Prepared:
    parameters = {"half_life": write_duration(options.half_life_ms)}
    return Prepared(heuristics.time_decay(paths, options.half_life_ms), parameters)


def _weighed(weights: Weights, paths: Paths) -> Prepared:
    parameters = {"head": list(weights.head), "tail": list(weights.tail), "rest": weights.rest}
    if weights.middle:
        parameters["middle"] = weights.middle
    model = heuristics.by_position(
        paths, head=weights.head, tail=weights.tail, rest=weights.rest, middle=weights.middle
    )
    return Prepared(model, parameters)


def _markov(paths: Paths, options: Options) -> Prepared:
    parameters: dict[str, Any] = {}
    order = options.order
    if order == "auto":
        scores = score_orders(paths, options.max_order, seed=options.seed)
        order = best_order(scores)
        parameters["chosen_by"] = "log-likelihood of held-out journeys"
        parameters["orders"] = scores
    model: Markov = markov(paths, order, nulls=options.nulls)
    n_states, n_moves = model.size(sums_of(model, measures_of(paths)))
    chain = "with" if options.nulls else "without"
    return Prepared(
        model, {"order": order, "nulls": chain, "states": n_states, "transitions": n_moves, **parameters}
    )


def _rates(paths: Paths, options: Options) -> Prepared:
    model = rate_game(paths, n_permutations=options.n_permutations, seed=options.seed)
    if isinstance(model, RateGame):
        return Prepared(model, {"coalitions": "all"})
    drawn = {"coalitions": "sampled", "permutations": options.n_permutations, "seed": options.seed}
    return Prepared(model, drawn)


_RULE = "rule of thumb"
_ZHAO = "Zhao, Mahboobi and Bagheri 2018, arXiv 1804.05327"

MODELS: dict[str, Entry] = {
    "first": Entry("all to the first touch", _RULE, _plain(heuristics.first)),
    "last": Entry("all to the last touch before the conversion", _RULE, _plain(heuristics.last)),
    "last-non-direct": Entry(
        "all to the last touch that is not direct traffic; to direct traffic where there is no other",
        _RULE,
        _last_non_direct,
    ),
    "linear": Entry("the same to each touch", _RULE, _plain(heuristics.linear)),
    "time-decay": Entry(
        "to each touch in proportion to 2^(-age / half-life), age being the time from it to the conversion",
        _RULE,
        _time_decay,
    ),
    "u-shaped": Entry(
        "0.4 to the first touch, 0.4 to the last, 0.2 shared by the others; of two touches each gets half",
        _RULE,
        lambda paths, _: _weighed(U_SHAPED, paths),
    ),
    "w-shaped": Entry(
        "0.3 each to the first touch, the one halfway and the last, 0.1 shared by the others; in "
        "proportion where there are fewer",
        _RULE,
        lambda paths, _: _weighed(W_SHAPED, paths),
    ),
    "custom": Entry(
        "to each touch by the weight of its place, in proportion",
        _RULE,
        lambda paths, options: _weighed(options.weights, paths),
    ),
    "markov": Entry(
        "in proportion to the removal effect RE(c) = 1 - P(conversion, c never passed) / P(conversion) in an "
        "absorbing Markov chain over the last `order` touches",
        "Anderl, Becker, von Wangenheim and Schumann 2016, Int. J. Research in Marketing 33(3)",
        _markov,
    ),
    "shapley": Entry(
        "phi_i = sum over sets T that hold i of R(T) / |T|, R(T) being what journeys with exactly the "
        "channels T brought",
        _ZHAO,
        _plain(sum_game),
    ),
    "shapley-ordered": Entry(
        "as shapley; what a set gives a channel is shared evenly among the places it has in the path",
        _ZHAO,
        _plain(ordered_sum_game),
    ),
    "shapley-rate": Entry(
        "in proportion to the Shapley value of v(S) = conversions / journeys of those who met no channel "
        "outside S",
        "Shapley 1953; Dalessandro, Perlich, Stitelman and Provost 2012, ADKDD",
        _rates,
    ),
}


def named(names: Sequence[str]) -> list[str]:
    """Check names of models, and keep each once, in the order they came."""
    for name in names:
        entry(name)
    return list(dict.fromkeys(names))
