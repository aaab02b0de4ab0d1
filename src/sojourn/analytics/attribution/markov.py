"""Markov models: a channel is worth what is lost where nobody passes it, exactly and at any order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sojourn.analytics.attribution.chain import Flow, safe_divide, solved, won_without
from sojourn.analytics.attribution.paths import Floats, Paths
from sojourn.analytics.attribution.tallies import Credit, Gradient, Measure, Tally
from sojourn.analytics.attribution.windows import Walks, count_states, walks_of

CHEAP_CELLS = 4_096
"""Windows times channels that are solved in about a millisecond."""


@dataclass(frozen=True, slots=True, eq=False)
class Markov:
    """Removal effects in an absorbing chain over windows of touches, made ready for some paths.

    RE(c) = 1 - P(conversion, and c never passed) / P(conversion); conversions are shared in proportion to
    it, and value likewise with the value won in place of P (Anderl, Becker, von Wangenheim and Schumann
    2016, "Mapping the customer journey"). The removal effects themselves add up to more than 1: paths hold
    several channels.
    """

    walks: Walks
    tallies: Sequence[Tally]

    @property
    def is_dear(self) -> bool:
        """Whether 200 replicates would take longer than one waits."""
        return (
            self.walks.space.order > 1
            and self.walks.space.n_states * self.walks.space.n_channels > CHEAP_CELLS
        )

    def credit(self, sums: Sequence[Floats]) -> Credit:
        """Solve the chain."""
        if self.walks.space.order > 1:
            return self.credit_of(self.outputs(sums))
        flow, won, _ = self._read(sums)
        return _credit(_passed_at_order_1(flow, won), won.sum(axis=1))

    def outputs(self, sums: Sequence[Floats]) -> Floats:
        """Return what is won without each channel: conversions, then value, the last of each without none."""
        flow, won, short = self._read(sums)
        return (won_without(flow, won) + short).ravel()

    def credit_of(self, outputs: Floats) -> Credit:
        """Share out by what is lost without each channel."""
        left = outputs.reshape(2, -1)
        return _credit(left[:, -1:] - left[:, :-1], left[:, -1])

    def gradients(self, sums: Sequence[Floats]) -> Iterator[Gradient]:
        """Yield how what is won without a channel changes with each sum.

        One more walk that leaves window s for t changes x(s) by (x(t) - x(s)) / mass(s), and that reaches
        the start by way of the visits y(s) of walks that have not passed the channel; one more that begins
        in s wins x(s).
        """
        flow, won, _ = self._read(sums)
        mass, sources, targets = flow.mass(), *flow.space.moves()
        for columns in solved(flow, won, visits=True):
            assert columns.visits is not None
            for reward, removed, x, visits in zip(
                columns.reward, columns.removed, columns.won.T, columns.visits.T, strict=True
            ):
                part = safe_divide(visits, mass)
                short = (np.arange(len(sums[4])) == len(sums[4]) - 1) * 1.0
                short[removed] -= removed < len(short) - 1
                moved = part[sources] * (x[targets] - x[sources])
                at_end = [-part * x, part, None, short] if reward else [part * (1 - x), None, short, None]
                yield [x, moved, *at_end, None, -part * x][: len(sums)]

    def p_conversion(self, sums: Sequence[Floats]) -> float:
        """Return the chance of a conversion, solved from the chain: the same at every order."""
        flow, won, short = self._read(sums)
        return float((won_without(flow, won[:1])[0, -1] + short[0, -1]) / (flow.starts.sum() + sums[6][0]))

    def size(self, sums: Sequence[Floats]) -> tuple[int, int]:
        """Count the states (windows, and paths too short to have one) and the moves between them."""
        return count_states(self.walks, sums[0], sums[1])

    def _read(self, sums: Sequence[Floats]) -> tuple[Flow, Floats, Floats]:
        """Return the chain, what is won at its ends, and what too short paths win without each channel."""
        starts, moves, converted, value, short, short_value, _, *nulls = sums
        flow = Flow(self.walks.space, starts, moves, converted + nulls[0] if nulls else converted)
        passed = np.stack([short, short_value])
        return (
            flow,
            np.stack([converted, value]),
            passed[:, -1:] - passed * (np.arange(len(short)) < len(short) - 1),
        )


def markov(paths: Paths, order: int = 1, *, nulls: bool = True) -> Markov:
    """Make the chain of some order ready.

    Args:
        paths: The paths; those without a touch take no part.
        order: How many touches a state remembers.
        nulls: Whether paths that did not convert are part of the chain.

    Raises:
        ConfigError: The order does not fit the number of channels.
    """
    counted = paths.journeys > 0 if nulls else paths.conversions > 0
    walks = walks_of(paths, order, counted)
    space = walks.space
    weight: Measure = "journeys" if nulls else "conversions"
    n, n_states = space.n_channels, space.n_states
    short = np.concatenate([walks.short.path, walks.short_paths])
    features = np.concatenate([walks.short.place, np.full(len(walks.short_paths), n, dtype=np.int32)])
    tallies = [
        Tally(weight, n_states, *walks.starts),
        Tally(weight, space.n_moves, *walks.moves),
        Tally("conversions", n_states, *walks.ends),
        Tally("value", n_states, *walks.ends),
        Tally("conversions", n + 1, short, features),
        Tally("value", n + 1, short, features),
        Tally(weight, 1, walks.short_paths, np.zeros(len(walks.short_paths), dtype=np.int32)),
    ]
    if nulls:
        tallies.append(Tally("nulls", n_states, *walks.ends))
    return Markov(walks, tallies)


def _passed_at_order_1(flow: Flow, won: Floats) -> Floats:
    """Return what is won by walks that pass each channel, shape (n_rewards, n_channels), by one inverse.

    With N = (I - Q)^-1, h = starts N the visits and p = N r what is won from a state on, a walk ever
    reaches c with h_c / N_cc and wins p_c from there: Kemeny and Snell, theorem 3.5.4.
    """
    n, mass = flow.space.n_channels, flow.mass()
    shares = safe_divide(flow.moves.reshape(n, n), mass[:, None])
    fundamental = np.linalg.inv(np.eye(n) - shares)
    won_from = fundamental @ safe_divide(won, mass).T
    passed: Floats = (flow.starts @ fundamental / np.diagonal(fundamental)) * won_from.T
    return passed


def _credit(passed: Floats, totals: Floats) -> Credit:
    """Share out conversions and value (the two rows) by what was won on walks that pass each channel."""
    # Rounding may leave -1e-17 for a channel whose conversions are all gone in a replicate.
    effects = np.maximum(safe_divide(passed, totals[:, None]), 0.0)
    given = safe_divide(effects, effects.sum(axis=1, keepdims=True)) * totals[:, None]
    return Credit(given[0], given[1], effects[0])
