"""Observing: what an engine with hold-outs sees of a simulated population, and no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.buckets import BUCKETS, buckets
from sojourn.analytics.simulator.draws import Draws, Flags, Floats
from sojourn.analytics.simulator.living import NEVER, Steps, live, people_of
from sojourn.analytics.simulator.scenarios import Scenario
from sojourn.definitions.holdouts import OF_CHANNEL

Codes = NDArray[np.int32]
Tell = Callable[[int], None]

CHUNK = 8_192
ID_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Met:
    """Opportunities: who could be met, by which channel, when. Each of the shape (n_opportunities,)."""

    person: Codes
    step: Steps
    channel: Steps
    shown: Flags
    """False: held out, a ghost."""
    clicked: Flags


@dataclass(frozen=True, slots=True)
class Visits:
    """Who came by without being met, shape (n_visits,)."""

    person: Codes
    step: Steps


T = TypeVar("T", Met, Visits)


@dataclass(frozen=True, slots=True)
class Observed:
    """All that is seen. Arrays of people have the shape (n_people,)."""

    scenario: Scenario
    seed: int
    first: int
    """The number of the first of the people."""
    held: Flags
    """Shape (n_channels, n_people): whom each channel's hold-out keeps back."""
    known: Floats
    worth: Floats
    converted: Steps
    """At which step, or NEVER."""
    met: Met
    visits: Visits

    @property
    def n_people(self) -> int:
        """Count the people."""
        return len(self.known)

    @property
    def has_converted(self) -> Flags:
        """Who did."""
        has: Flags = self.converted != NEVER
        return has


def observe(
    scenario: Scenario,
    *,
    people: int,
    seed: int,
    holdout: float,
    first: int = 0,
    tell: Tell = lambda _: None,
) -> Observed:
    """Let people live with hold-outs, one of each channel, independent of one another.

    Args:
        scenario: The world.
        people: How many.
        seed: Which.
        holdout: The share that each channel keeps back.
        first: The number of the first of them.
        tell: Called with how many people were done.
    """
    parts = []
    for start in range(first, first + people, CHUNK):
        n = min(CHUNK, first + people - start)
        parts.append(
            _part(scenario, Draws(seed, start, n), start - first, _held(scenario, start, n, holdout))
        )
        tell(n)
    held, known, worth, converted = (np.concatenate([part[i] for part in parts], axis=-1) for i in range(4))
    return Observed(
        scenario=scenario,
        seed=seed,
        first=first,
        held=held,
        known=known,
        worth=worth,
        converted=converted,
        met=_joined(Met, [part[4] for part in parts]),
        visits=_joined(Visits, [part[5] for part in parts]),
    )


def ids_of(first: int, n_people: int) -> NDArray[np.bytes_]:
    """Return the ids of people: `p00000042`."""
    numbers = np.char.zfill(np.arange(first, first + n_people).astype(f"S{ID_DIGITS}"), ID_DIGITS)
    return np.char.add(b"p", numbers)


def _held(scenario: Scenario, first: int, n_people: int, holdout: float) -> Flags:
    ids = ids_of(first, n_people)
    edge = holdout * BUCKETS
    return np.stack([buckets(OF_CHANNEL + channel.name, ids) < edge for channel in scenario.channels])


class _Notes:
    """What happens, step by step."""

    def __init__(self) -> None:
        self.met_rows: list[tuple[NDArray[np.int64], int, int, Flags, Flags]] = []
        self.visit_rows: list[tuple[NDArray[np.int64], int]] = []

    def met(self, step: int, channel: int, *, could: Flags, shown: Flags, clicked: Flags) -> None:
        who = np.flatnonzero(could[0])
        self.met_rows.append((who, step, channel, shown[0, who], clicked[0, who]))

    def visited(self, step: int, own: Flags) -> None:
        self.visit_rows.append((np.flatnonzero(own[0]), step))


def _part(
    scenario: Scenario, draws: Draws, offset: int, held: Flags
) -> tuple[Flags, Floats, Floats, Steps, Met, Visits]:
    notes = _Notes()
    converted = live(scenario, draws, ~held[:, None, :], notes)[0]
    people = people_of(scenario, draws)
    who = [row[0] for row in notes.met_rows]
    lengths = [len(each) for each in who]
    met = Met(
        (np.concatenate(who) + offset).astype(np.int32),
        np.repeat([row[1] for row in notes.met_rows], lengths).astype(np.int16),
        np.repeat([row[2] for row in notes.met_rows], lengths).astype(np.int16),
        np.concatenate([row[3] for row in notes.met_rows]),
        np.concatenate([row[4] for row in notes.met_rows]),
    )
    came = [row[0] for row in notes.visit_rows]
    visits = Visits(
        (np.concatenate(came) + offset).astype(np.int32),
        np.repeat([row[1] for row in notes.visit_rows], [len(each) for each in came]).astype(np.int16),
    )
    return held, people.known, people.worth, converted, met, visits


def _joined(kind: type[T], parts: list[T]) -> T:
    names = [each.name for each in fields(kind)]
    return kind(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
