"""Behaviour: what one invented person does, as a Markov chain over events, in visits over their days.

Every draw is named after its causes: the seed, the person, and what is drawn for which step. So the same
person behaves alike under every version of a journey, until an action makes a difference to them (common
random numbers: Kahn and Marshall 1953).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import accumulate
from math import log
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Raw, Struct

from sojourn.definitions.zones import zone_named
from sojourn.model.event import EMPTY, Event, Kind
from sojourn.model.turn import Arrived
from sojourn.runtime.rehearsal.listening import Constant, Listening
from sojourn.runtime.rehearsal.population import ELSEWHERE, Choices, Population

START = datetime(2026, 1, 5, tzinfo=UTC)
"""A Monday; every simulation begins at it, so that its report is the same on every day."""
START_MS = int(START.timestamp() * 1000)

SOURCE = "simulation"
PAUSE_S = 45  # between two events of a visit, on average.
MAX_EVENTS_FACTOR = 10  # A visit is at most so many times as long as the average one.

SPREAD = 4.0
"""The most active person comes so many times as often as the average, the least active so many times less."""
MEAN_ACTIVITY = (SPREAD - 1 / SPREAD) / (2 * log(SPREAD))
"""The mean of `SPREAD ** (2 * draw - 1)`, over draws from [0, 1)."""

# Hour by the person's own clock -> how many visits begin in it, beside the others: most in the evening.
HOURS = (1, 1, 1, 1, 1, 2, 4, 6, 8, 9, 9, 9, 10, 9, 8, 8, 9, 10, 12, 14, 14, 11, 6, 3)
HOUR_EDGES = list(accumulate(HOURS))

_encode = msgspec.json.Encoder().encode


class Draws:
    """The chance of one person: numbers in [0, 1), each named after what it is for."""

    def __init__(self, seed: int, person: str) -> None:
        self._stem = blake2b(f"{seed}/{person}".encode(), digest_size=16)

    def draw(self, purpose: str) -> float:
        """Return the number of a purpose: always the same."""
        hashed = self._stem.copy()
        hashed.update(purpose.encode())
        return int.from_bytes(hashed.digest()[:6], "big") / (1 << 48)


class Chain:
    """What people may do next, after each event."""

    def __init__(self, population: Population, listening: Listening) -> None:
        self._names = list(population.events)
        self._is_goal = [listening.roles.get(name) == "goal" for name in self._names]
        self._usual = self._edges(population.events, 1.0)
        self._factor = population.response.goal
        self._moved = self._edges(population.events, self._factor)
        self._after = {
            event: (
                self._edges(population.events | weights, 1.0),
                self._edges(population.events | weights, self._factor),
            )
            for event, weights in population.after.items()
        }

    @property
    def is_moved_by_actions(self) -> bool:
        """Whether an action makes any difference to what people do."""
        return self._factor != 1.0

    def next(self, previous: str, place: float, *, is_moved: bool) -> str:
        """Return what somebody does after an event; `place` in [0, 1) decides."""
        usual, moved = self._after.get(previous, (self._usual, self._moved))
        edges = moved if is_moved else usual
        return self._names[_find(edges, place)]

    def _edges(self, weights: Mapping[str, float], factor: float) -> list[float]:
        own = [
            weights[name] * (factor if is_goal else 1.0)
            for name, is_goal in zip(self._names, self._is_goal, strict=True)
        ]
        return list(accumulate(own))


class Lot:
    """Values to choose one from, each with its weight."""

    def __init__(self, choices: Choices) -> None:
        self._values = list(choices)
        self._edges = list(accumulate(choices.values()))

    def pick(self, place: float) -> Constant:
        """Return the value at a place in [0, 1)."""
        return self._values[_find(self._edges, place)]


class World:
    """What all people of one simulation share."""

    def __init__(self, population: Population, listening: Listening, *, seed: int, n_days: int) -> None:
        """Prepare; `population` has everything that is usual filled in (see `usual`)."""
        self.population = population
        self.chain = Chain(population, listening)
        self.seed = seed
        self.n_days = n_days
        self.zones = Lot(population.time_zones)
        self.traits = {name: Lot(choices) for name, choices in population.traits.items()}
        self.properties = {name: Lot(choices) for name, choices in population.properties.items()}
        self.ids = [name for name in listening.properties if name not in population.properties]
        """Properties that guards compare with nothing: ids, of a cart or an order."""


class Step(Struct, frozen=True, order=True):
    """A place in a person's life at which they do something."""

    at: int
    day: int
    n: int
    """Within the visit."""


class Person:
    """One invented person; what they do is asked step by step, for actions may change it."""

    def __init__(self, world: World, number: int) -> None:
        self.user_id = f"person-{world.seed}-{number}"
        self._world = world
        self._draws = Draws(world.seed, str(number))
        self._zone_name = str(world.zones.pick(self._draws.draw("time zone")))
        self._context = Raw(_encode({"timezone": self._zone_name}))
        self._moved_until = -1
        self._previous = ""
        self._position = 0

    def hear(self, at: int) -> None:
        """Get a message: for a while it may change what they do."""
        self._moved_until = at + self._world.population.response.within_ms

    def steps(self) -> list[Step]:
        """Return all instants at which they do something, in order; these do not depend on what they get."""
        zone = zone_named(self._zone_name)
        assert zone is not None, "a population with an unknown zone is refused"
        activity = SPREAD ** (2 * self._draws.draw("activity") - 1) / MEAN_ACTIVITY
        chance = min(1.0, self._world.population.visits_per_day * activity)
        days = [day for day in range(self._world.n_days) if self._draws.draw(f"visit {day}") < chance]
        # A visit that begins late may end after the next one began.
        return sorted(step for day in days for step in self._visit(day, zone))

    def act(self, step: Step) -> Iterator[Arrived]:
        """Yield what they do at a step; before their first, who they are is said."""
        if self._position == 0 and self._world.traits:
            yield self._arrived("$identify", "identify", step, traits=Raw(_encode(self._traits())))
        self._previous = "" if step.n == 0 else self._previous
        place = self._draws.draw(f"event {step.day}/{step.n}")
        is_moved = step.at <= self._moved_until
        name = self._previous = self._world.chain.next(self._previous, place, is_moved=is_moved)
        kind: Kind = "page" if name == ELSEWHERE else "track"
        yield self._arrived(name, kind, step, properties=self._properties(name, step))

    def _visit(self, day: int, zone: ZoneInfo) -> Iterator[Step]:
        at = self._begin(day, zone)
        mean = self._world.population.events_per_visit
        n = 0
        while True:
            yield Step(at, day, n)
            n += 1
            if n >= mean * MAX_EVENTS_FACTOR or self._draws.draw(f"more {day}/{n}") >= 1 - 1 / mean:
                return
            pause_s = -PAUSE_S * log(1 - self._draws.draw(f"pause {day}/{n}"))
            at += max(1, round(pause_s * 1000))

    def _begin(self, day: int, zone: ZoneInfo) -> int:
        """Return when a day's visit begins, by the person's own clock."""
        hour = _find(HOUR_EDGES, self._draws.draw(f"hour {day}"))
        second = int(self._draws.draw(f"second {day}") * 3_600)
        # One day late: nowhere on earth has the first day begun before START.
        date = START.date() + timedelta(days=day + 1)
        moment = datetime(date.year, date.month, date.day, hour, second // 60, second % 60, tzinfo=zone)
        return int(moment.timestamp() * 1000)

    def _traits(self) -> dict[str, Any]:
        draw = self._draws.draw
        return {name: lot.pick(draw(f"trait {name}")) for name, lot in self._world.traits.items()}

    def _properties(self, name: str, step: Step) -> Raw:
        """Return what guards ask for; an id stays the same all visit long."""
        if name == ELSEWHERE:
            return EMPTY
        world, draw = self._world, self._draws.draw
        drawn: dict[str, Any] = {each: f"{each}-{self.user_id}-{step.day}" for each in world.ids}
        for each, lot in world.properties.items():
            drawn[each] = lot.pick(draw(f"property {each} {step.day}/{step.n}"))
        return Raw(_encode(drawn))

    def _arrived(
        self, name: str, kind: Kind, step: Step, *, properties: Raw = EMPTY, traits: Raw = EMPTY
    ) -> Arrived:
        self._position += 1
        event = Event(
            source=SOURCE,
            message_id=f"{self.user_id}/{self._position}",
            kind=kind,
            name=name,
            occurred_at=step.at,
            received_at=step.at,
            user_id=self.user_id,
            properties=properties,
            traits=traits,
            context=self._context,
        )
        return Arrived(step.at, self._position, event)


def _find(edges: Sequence[float], place: float) -> int:
    """Return which of some edges a place in [0, 1) of them all lies before."""
    return min(bisect_right(edges, place * edges[-1]), len(edges) - 1)
