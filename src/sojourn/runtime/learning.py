"""Learning: the live journey graph as decayed counts, and what it forecasts of goals and exits.

People's steps make a Markov chain that ends where their visit does. The counts are global, so no turn may
read them: what was solved from them is put into the log (`$learnt`), and from that position on it is in
force, live and in every replay. A forecast says what people do from where somebody stands; it says nothing
about what an intervention would change.

That a visit ended is said when the next one begins, which may be never. So its end is not counted: of each
step, what was never followed by another one was the last. Visits still under way look ended, a few in a
thousand of a week's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.definitions.expression import EXIT
from sojourn.definitions.forecasts import OTHER
from sojourn.model.fact import Fact, StepTaken
from sojourn.runtime.tallies import Kept

DOCUMENT = "journey_graph"
HALF_LIFE_MS = 7 * 86_400_000  # a week: every day of it counts about alike, and a release shows in days.
EVERY_MS = 15 * 60_000  # of the log's clock, between two forecasts: half the gap that ends a visit.
KEEP_MS = 60_000  # of the log's clock, between two stored documents: a crash forgets a minute of counts.
MAX_STEPS = 200  # told apart; the rest is OTHER: a dense solve takes milliseconds.
PRIOR = 1.0  # steps' worth of what people do anywhere, mixed into each step's own counts (Dirichlet).
EXIT_PRIOR = (1.0, 9.0)  # Beta: before anything is known, every tenth step is the last.

_MAX_DOUBLINGS = 60  # of a step's weight before all are scaled down; floats hold 1,000.

Matrix = NDArray[np.float64]


class Graph(Struct, kw_only=True):
    """The counts; a step taken one half-life later weighs twice as much."""

    origin: int = 0
    """The instant at which a step weighs 1, ms."""
    steps: dict[str, float] = {}
    """Step -> how often it was taken."""
    moves: dict[str, dict[str, float]] = {}
    """Step -> the next one -> how often. What is missing to `steps` were the last ones of their visits."""
    solved_at: int = 0
    """When the last forecast was made, by the log's clock, ms."""
    is_new: bool = False
    """Something was counted since."""


class Learner:
    """Takes facts in, and says from time to time what they forecast."""

    def __init__(self, store: Kept) -> None:
        kept = store.kept(DOCUMENT)
        self._graph = Graph() if kept is None else msgspec.json.decode(kept, type=Graph)
        self._goals: frozenset[str] = frozenset()
        self._kept_at = 0

    def take(self, facts: Iterable[Fact]) -> None:
        """Count the steps among some facts."""
        for fact in facts:
            if type(fact) is StepTaken:
                self._count(fact)

    def due(self, clock: int, goals: Collection[str]) -> bool:
        """Tell whether a forecast is to be made: somebody asks, enough time is over, something was learnt."""
        self._goals = frozenset(goals)
        return bool(goals) and self._graph.is_new and clock - self._graph.solved_at >= EVERY_MS

    def forecasts(self, clock: int, goals: Collection[str]) -> dict[str, dict[str, float]]:
        """Solve the graph for some goals (EXIT among them, or not); return goal -> step -> probability."""
        self._goals = frozenset(goals)
        self._graph.solved_at, self._graph.is_new = clock, False
        return solve_graph(self._graph, sorted(goals), at=clock)

    def kept(self) -> dict[str, bytes]:
        """Return all that another one of them would go on from."""
        return {DOCUMENT: msgspec.json.encode(self._graph)}

    def document(self, clock: int) -> dict[str, bytes]:
        """Return what a commit keeps of it: nothing, where it kept it a moment ago."""
        if clock - self._kept_at < KEEP_MS or not self._graph.steps:
            return {}
        self._kept_at = clock
        return self.kept()

    def _count(self, step: StepTaken) -> None:
        graph = self._graph
        n_doublings = (step.at - graph.origin) / HALF_LIFE_MS
        if n_doublings > _MAX_DOUBLINGS:
            _scale(graph, step.at, 2.0**-n_doublings if graph.steps else 1.0)
            n_doublings = 0.0
        weight = 2.0**n_doublings
        graph.steps[step.name] = graph.steps.get(step.name, 0.0) + weight
        if step.previous:
            row = graph.moves.setdefault(step.previous, {})
            row[step.name] = row.get(step.name, 0.0) + weight
        graph.is_new = True
        if len(graph.steps) > 2 * MAX_STEPS:
            _fold_rare(graph, self._goals)


def solve_graph(graph: Graph, goals: Sequence[str], *, at: int) -> dict[str, dict[str, float]]:
    """Return goal -> step -> probability, to 6 digits; a goal nobody reached yet is 0 from everywhere."""
    names = _frequent(graph, goals)
    places = {name: i for i, name in enumerate(names)}
    moves = np.zeros((len(names), len(names)))
    steps = np.zeros(len(names))
    for name, weight in graph.steps.items():
        steps[places.get(name, 0)] += weight
    for name, row in graph.moves.items():
        for following, weight in row.items():
            moves[places.get(name, 0), places.get(following, 0)] += weight
    now = 2.0 ** ((graph.origin - at) / HALF_LIFE_MS)  # what a step taken at `origin` weighs by now
    moves, steps = moves * now, steps * now
    exits = np.maximum(steps - moves.sum(axis=1), 0.0)
    chain = smoothed(moves, exits)
    found = {}
    for goal in goals:
        if goal == EXIT:
            values = (exits + EXIT_PRIOR[0]) / (moves.sum(axis=1) + exits + sum(EXIT_PRIOR))
        elif goal in places:
            values = reaching(chain, places[goal])
        else:
            values = np.zeros(len(names))
        found[goal] = {name: round(float(value), 6) for name, value in zip(names, values, strict=True)}
    return found


def smoothed(moves: Matrix, exits: Matrix) -> Matrix:
    """Return the probabilities of moving from step to step; what a row lacks to 1 is the exit's.

    Each row is mixed with what people do anywhere, as if PRIOR more steps had been seen: a rare step is like
    any other until it is known better.
    """
    totals = moves.sum(axis=1) + exits
    everywhere = moves.sum(axis=0) / totals.sum() if totals.sum() > 0 else moves.sum(axis=0)
    probabilities: Matrix = (moves + PRIOR * everywhere) / (totals + PRIOR)[:, None]
    return probabilities


def reaching(chain: Matrix, goal: int) -> Matrix:
    """Return from each state the probability of reaching one of them before the chain ends; 1 from itself.

    An absorbing chain: with the goal's own row taken out, B = (I - Q)^-1 R. A state from which the chain can
    never end makes the matrix singular; smoothing leaves none.
    """
    rows = [i for i in range(len(chain)) if i != goal]
    values = np.ones(len(chain))
    inner = np.eye(len(rows)) - chain[np.ix_(rows, rows)]
    values[rows] = np.clip(np.linalg.solve(inner, chain[rows, goal]), 0.0, 1.0)
    return values


def _frequent(graph: Graph, goals: Collection[str]) -> list[str]:
    """Return the steps told apart: OTHER, the most frequent ones, and goals, however rare."""
    ranked = sorted(graph.steps.keys() - {OTHER}, key=lambda name: (-graph.steps[name], name))
    reached = [goal for goal in sorted(goals) if goal in graph.steps]
    return list(dict.fromkeys([OTHER, *ranked[:MAX_STEPS], *reached]))


def _fold_rare(graph: Graph, goals: Collection[str]) -> None:
    """Count the rare steps as OTHER from now on."""
    kept = set(_frequent(graph, goals))
    steps, moves = graph.steps, graph.moves
    graph.steps, graph.moves = {}, {}
    for name, weight in steps.items():
        own = name if name in kept else OTHER
        graph.steps[own] = graph.steps.get(own, 0.0) + weight
    for name, row in moves.items():
        target = graph.moves.setdefault(name if name in kept else OTHER, {})
        for following, weight in row.items():
            own = following if following in kept else OTHER
            target[own] = target.get(own, 0.0) + weight


def _scale(graph: Graph, origin: int, factor: float) -> None:
    """Let a step weigh 1 at another instant."""
    graph.origin = origin
    graph.steps = {name: weight * factor for name, weight in graph.steps.items()}
    graph.moves = {
        name: {following: weight * factor for following, weight in row.items()}
        for name, row in graph.moves.items()
    }
