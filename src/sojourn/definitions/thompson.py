"""Thompson weights: how often each arm is to be drawn, by the chance that it is the best.

Thompson sampling (1933) draws from each arm's posterior and plays the arm that drew most. The chance with
which it plays an arm is the chance that the arm is best: an integral, taken here by quadrature instead of
by chance, so that weights are known, logged, and the same wherever they are computed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul
from typing import NamedTuple

DIGITS = 6
"""Of a weight. What machines compute differently (the last bits of `exp`) is behind them."""

_UNITS = 10**DIGITS
_DROP = 27.0  # beyond where a density is e^-27 of its mode lies less than 1e-10 of it
_PANEL = 1.5  # scales of the narrowest density: six Gauss nodes in each reach some 1e-7 (tests: 1e-6)
_N_NODES = 6
_TINY = 1e-300  # a distribution function is never 0: others are got by dividing it out


class _Arm(NamedTuple):
    """The posterior Beta(a, b) of an arm's rate x, as a density of its log-odds, which is log-concave."""

    place: int
    a: float
    b: float
    log_beta: float
    scale: float
    low: float
    high: float


def weights(successes: Sequence[float], trials: Sequence[float], floor: float) -> tuple[float, ...]:
    """Return how often to draw each arm: as often as it is best, and never less than the floor.

    Args:
        successes: Of each arm so far, at least 0. Not whole where old ones are forgotten.
        trials: Of each arm, at least its successes.
        floor: The least share of an arm, from 0 to 1 / arms; of more than 6 digits it is cut.

    Returns:
        A share for each arm, in steps of 1e-6: at least `floor`, and they sum to 1. What an arm has above the
        floor is in proportion to what it would have above it without one: shares that all are above stay.

    Raises:
        ValueError: There is no arm, or a number is outside its bounds.

    >>> weights([30, 45], [1000, 1000], 0.05)
    (0.05, 0.95)
    >>> weights([3, 4, 5], [100, 100, 100], 0.02)
    (0.158361, 0.309723, 0.531916)
    """
    return with_floor(chances(successes, trials), floor)


def with_floor(shares: Sequence[float], floor: float) -> tuple[float, ...]:
    """Raise shares that sum to 1 to the floor at least, and round them; as `weights` says.

    >>> with_floor([0.01, 0.39, 0.6], 0.1)
    (0.1, 0.356962, 0.543038)
    """
    n_arms = len(shares)
    if not 0 <= floor * n_arms <= 1 + 1e-9:
        raise ValueError(f"a floor of {floor} for {n_arms} arms: expected 0 to 1 / {n_arms}")
    least = min(int(floor * _UNITS + 1e-6), _UNITS // n_arms)
    above = [max(share - floor, 0.0) for share in shares]
    return tuple((least + more) / _UNITS for more in _dealt(_UNITS - least * n_arms, above))


def chances(successes: Sequence[float], trials: Sequence[float]) -> tuple[float, ...]:
    """Return for each arm the chance that its rate is the highest, each rate's prior being uniform.

    To 1e-6, for up to 20 arms and 1e7 trials; they sum to 1. Raises as `weights`.
    """
    if not trials or len(successes) != len(trials):
        raise ValueError(f"expected successes and trials of each arm, got {len(successes)} and {len(trials)}")
    if not all(0 <= won <= tried < math.inf for won, tried in zip(successes, trials, strict=True)):
        raise ValueError(f"expected 0 <= successes <= trials, got {list(successes)} of {list(trials)}")
    arms = [
        _arm(i, 1.0 + won, 1.0 + tried - won)
        for i, (won, tried) in enumerate(zip(successes, trials, strict=True))
    ]
    bottom = max(arm.low for arm in arms)
    contenders = sorted((arm for arm in arms if arm.high > bottom), key=lambda arm: -arm.high)
    best = [0.0] * len(arms)
    for arm, chance in zip(contenders, _integrated(contenders, bottom), strict=True):
        best[arm.place] = chance
    total = math.fsum(best)
    return tuple(chance / total for chance in best)


def _arm(place: int, a: float, b: float) -> _Arm:
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    scale = math.sqrt((a + b) / a / b)  # of the normal that bends as it does at its mode
    low, high = (_edge(a, b, step) for step in (-scale, scale))
    return _Arm(place, a, b, log_beta, scale, low, high)


def _edge(a: float, b: float, step: float) -> float:
    """Return log-odds beyond which hardly anything lies, going from the mode by steps."""
    mode = math.log(a / b)
    at, least = mode, _log_density(a, b, mode) - _DROP
    while _log_density(a, b, at) > least:
        at += step
    return at


def _log_density(a: float, b: float, at: float) -> float:
    """Return the log of the density at some log-odds, but for a constant."""
    log_x = -math.log1p(math.exp(-at)) if at > -30 else at
    return a * log_x + b * (log_x - at)


def _integrated(arms: list[_Arm], bottom: float) -> list[float]:
    """Integrate each arm's density times the chance that all others are below, from the top down.

    `arms` are sorted by where they end, highest first; `above` is how much of each is above a panel.
    """
    best, above = [0.0] * len(arms), [0.0] * len(arms)
    high = arms[0].high
    while high > bottom:
        inside = [arm for arm in arms if arm.high >= high]
        low = max(high - _PANEL * min(arm.scale for arm in inside), bottom)
        if len(inside) < len(arms):
            low = max(low, arms[len(inside)].high)
        half = (high - low) / 2
        points = [low + half * (1 + node) for node in _NODES]
        log_x = [-math.log1p(math.exp(-at)) if at > -30 else at for at in points]
        densities, below = [], []
        everyone = [1.0] * _N_NODES
        for i, (_, a, b, log_beta, *_) in enumerate(inside):
            density = [
                half * math.exp(a * x + b * (x - at) - log_beta) for x, at in zip(log_x, points, strict=True)
            ]
            part = [max(1 - above[i] - sum(map(mul, row, density)), _TINY) for row in _ABOVE]
            everyone = [*map(mul, everyone, part)]
            above[i] += sum(map(mul, _WEIGHTS, density))
            densities.append(density)
            below.append(part)
        weighed = [*map(mul, _WEIGHTS, everyone)]
        for i, (density, part) in enumerate(zip(densities, below, strict=True)):
            best[i] += sum(w * g / f for w, g, f in zip(weighed, density, part, strict=True))
        high = low
    return best


def _dealt(units: int, parts: Sequence[float]) -> list[int]:
    """Deal out whole units in proportion to some parts; largest remainders get the rest."""
    total = math.fsum(parts)
    exact = [units * part / total if total else units / len(parts) for part in parts]
    dealt = [int(share) for share in exact]
    by_rest = sorted(range(len(parts)), key=lambda i: (round(dealt[i] - exact[i], 3), i))
    for i in by_rest[: units - sum(dealt)]:
        dealt[i] += 1
    return dealt


def _legendre(n: int, at: float) -> list[float]:
    """Return the Legendre polynomials of degree 0 to n (Bonnet's recursion)."""
    found = [1.0, at]
    for k in range(1, n):
        found.append(((2 * k + 1) * at * found[k] - k * found[k - 1]) / (k + 1))
    return found


def _root(k: int) -> float:
    """Return the k-th root of the Legendre polynomial of the nodes' degree, by Newton's method."""
    at = math.cos(math.pi * (k + 0.75) / (_N_NODES + 0.5))
    for _ in range(8):
        *_, before, last = _legendre(_N_NODES, at)
        at -= last * (at * at - 1) / (_N_NODES * (at * last - before))
    return at


def _weight(node: float) -> float:
    before = _legendre(_N_NODES, node)[_N_NODES - 1]
    return 2 * (1 - node * node) / (_N_NODES * before) ** 2


def _integral_above(node: float) -> list[float]:
    """Return what the values at all nodes weigh in the integral from one of them to 1.

    The polynomial through the values is written in Legendre's (whose products the nodes sum exactly), and
    the integral of P_n from u to 1 is (P_(n-1)(u) - P_(n+1)(u)) / (2n + 1).
    """
    here = _legendre(_N_NODES, node)
    integrals = [1 - node, *(here[n - 1] - here[n + 1] for n in range(1, _N_NODES))]
    return [
        weight / 2 * sum(map(mul, integrals, _legendre(_N_NODES, other)))
        for other, weight in zip(_NODES, _WEIGHTS, strict=True)
    ]


_NODES = [_root(k) for k in range(_N_NODES)]
_WEIGHTS = [_weight(node) for node in _NODES]
_ABOVE = [_integral_above(node) for node in _NODES]
