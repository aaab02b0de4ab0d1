"""Simulation: an invented population in virtual time, under a draft and beside what is published."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from sojourn.definitions.journey import Catalogue
from sojourn.model.turn import Arrived
from sojourn.runtime.rehearsal.behaviour import START_MS, Person, Step, World
from sojourn.runtime.rehearsal.collecting import Collector, Part, add_up
from sojourn.runtime.rehearsal.comparing import Side, lay_out
from sojourn.runtime.rehearsal.playing import Answers, Living, hears_outcomes, play
from sojourn.runtime.rehearsal.population import DAY_MS
from sojourn.runtime.rehearsal.replaying import seldom_collecting
from sojourn.runtime.rehearsal.watch import Watch
from sojourn.runtime.rehearsal.workers import Tell, spread

TASK_PEOPLE = 50


class Trial(Struct, frozen=True, kw_only=True):
    """What is simulated."""

    draft: Catalogue
    published: Catalogue | None
    world: World
    n_people: int
    watch: Watch | None = None
    n_examples: int = 3

    @property
    def until(self) -> int:
        """The instant at which it ends: the last day is over for everybody."""
        return START_MS + (self.world.n_days + 2) * DAY_MS


def simulate(trial: Trial, *, n_processes: int, tell: Tell) -> Part:
    """Let everybody live, under both versions; every action is delivered at once.

    The answer depends on the trial alone, and not on how many processes share the work.
    """
    tasks = [
        range(first, min(first + TASK_PEOPLE, trial.n_people))
        for first in range(0, trial.n_people, TASK_PEOPLE)
    ]

    def work(some: Sequence[range], told: Tell) -> bytes:
        simulator = _Simulator(trial)
        with seldom_collecting():
            for task in some:
                for number in task:
                    simulator.live(number)
                told(len(task))
        return msgspec.json.encode(simulator.part())

    parts = spread(tasks, work, n_processes=n_processes, tell=tell)
    return add_up(parts, n_examples=trial.n_examples)


class _Simulator:
    """Lets one person after the other live."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        catalogues = [each for each in (trial.draft, trial.published) if each is not None]
        self._sides = [(catalogue, hears_outcomes(catalogue)) for catalogue in catalogues]
        self._collector = Collector(until=trial.until, n_examples=trial.n_examples)

    def live(self, number: int) -> None:
        """Let one person live under each version."""
        world = self._trial.world
        steps = list(Person(world, number).steps())
        if world.chain.is_moved_by_actions:
            sides = [self._side_by_step(number, steps, catalogue) for catalogue, _ in self._sides]
        else:
            person = Person(world, number)
            arrivals = [arrived for step in steps for arrived in person.act(step)]
            sides = [self._side(arrivals, catalogue, hears=hears) for catalogue, hears in self._sides]
        self._collector.take(sides[0], sides[1] if len(sides) > 1 else None, n_events=len(steps))

    def part(self) -> Part:
        """Return what everybody came to."""
        watch = self._trial.watch
        return self._collector.part({} if watch is None else watch.asked)

    def _side(self, arrivals: Sequence[Arrived], catalogue: Catalogue, *, hears: bool) -> Side:
        return lay_out(play(arrivals, catalogue, until=self._trial.until, deliver="yes", hears=hears))

    def _side_by_step(self, number: int, steps: Sequence[Step], catalogue: Catalogue) -> Side:
        """Let a person live with what they get, which may change what they do."""
        person = Person(self._trial.world, number)
        living = Living(catalogue, Answers((), deliver="yes"), hear=lambda action: person.hear(action.at))
        for step in steps:
            living.settle(step.at)
            for arrived in person.act(step):
                living.take(arrived)
        return lay_out(living.end(self._trial.until))
