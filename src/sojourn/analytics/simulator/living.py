"""Living: one population, step by step, in one world or in many at once."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.simulator.draws import Draws, Flags, Floats, Purpose
from sojourn.analytics.simulator.scenarios import MAX_AWARENESS, Channel, Scenario

NEVER = -1
"""Instead of the step of a conversion."""

Steps = NDArray[np.int16]


class People(NamedTuple):
    """Who they are before anything happens; each of the shape (n_people,)."""

    intent: Floats
    """Standard normal; nobody sees it."""
    known: Floats
    """What is known of them before: a noisy sign of their intent, standard normal."""
    worth: Floats
    """What a conversion of theirs is worth."""
    delay: Steps
    """Steps from deciding to converting."""


class Note(Protocol):
    """Whoever writes down what happens."""

    def met(self, step: int, channel: int, *, could: Flags, shown: Flags, clicked: Flags) -> None:
        """Who could be met, who was, and who came by for it; each of the shape (n_worlds, n_people)."""
        ...

    def visited(self, step: int, own: Flags) -> None:
        """Who came by of their own accord, shape (n_worlds, n_people)."""
        ...


def people_of(scenario: Scenario, draws: Draws) -> People:
    """Invent people."""
    intent, noise = draws.normal(Purpose.INTENT), draws.normal(Purpose.NOISE)
    delay = np.zeros(draws.n_people, dtype=np.int16)
    if scenario.delay:  # geometric
        stay = np.log(1 - 1 / (scenario.delay + 1))
        delay = np.floor(np.log(draws.uniform(Purpose.DELAY)) / stay).clip(0, 365).astype(np.int16)
    worth = np.exp(3.6 + 0.5 * draws.normal(Purpose.VALUE))  # a median of 37
    return People(
        intent=intent,
        known=scenario.rho * intent + np.sqrt(1 - scenario.rho**2) * noise,
        worth=worth.round(2),
        delay=delay,
    )


def live(scenario: Scenario, draws: Draws, on: Flags, note: Note | None = None) -> Steps:
    """Let people live through all steps.

    Args:
        scenario: The world.
        draws: The people's draws.
        on: Shape (n_channels, n_worlds, n_people), or 1 for the latter two: whom a channel meets where it
            could. Where it is off, people do what they do without it.
        note: Told of what happens.

    Returns:
        At which step each converted, or NEVER, shape (n_worlds, n_people). It may be one in the tail.
    """
    people = people_of(scenario, draws)
    n_worlds = max(1, on.shape[1])
    shape = (n_worlds, draws.n_people)
    intent = people.intent.astype(np.float32)
    awareness = np.zeros(shape, dtype=np.float32)
    has_visited, is_open = np.zeros(shape, dtype=bool), np.ones(shape, dtype=bool)
    ended = np.full(shape, NEVER, dtype=np.int16)
    reached = [
        draws.uniform(Purpose.REACH, 0, c) < channel.reach for c, channel in enumerate(scenario.channels)
    ]
    for step in range(scenario.steps):
        awareness *= np.float32(scenario.carry)
        direct = np.zeros(shape, dtype=np.float32)
        has_come = np.zeros(shape, dtype=bool)
        # Who has decided is met as ever until the conversion is seen.
        is_there = is_open if not scenario.delay else is_open | (step < ended + people.delay)
        for c, channel in enumerate(scenario.channels):
            could = is_there & _could(channel, draws, step, c, intent=intent, awareness=awareness)
            could &= reached[c]
            if channel.after == "visit":
                could &= has_visited
            shown = could & on[c]
            comes = _comes(channel, draws, step, c)
            anyway = _anyway(channel, draws, step, c) & comes
            clicked = shown & comes
            has_come |= clicked | (could & anyway)
            if channel.awareness:
                awareness += np.float32(channel.awareness) * shown
            if channel.direct:
                direct += np.float32(channel.direct) * shown
            if note is not None:
                note.met(step, c, could=could, shown=shown, clicked=clicked)
                note.visited(step, could & anyway & ~shown)
        felt = np.minimum(awareness, np.float32(MAX_AWARENESS))
        own = is_there & _visits(scenario, draws, step, intent=intent, awareness=felt)
        if note is not None:
            note.visited(step, own)
        has_come |= own
        odds = np.float32(scenario.by_awareness) * felt + direct + np.float32(scenario.by_visit) * has_come
        needed = draws.logit(Purpose.CONVERT, step) - scenario.base - scenario.by_intent * people.intent
        decides = is_open & (needed.astype(np.float32) < odds)
        ended[decides] = step
        is_open &= ~decides
        has_visited |= has_come
    seen = np.where(ended == NEVER, NEVER, ended + people.delay)
    return np.where(seen < scenario.steps + scenario.tail, seen, NEVER).astype(np.int16)


def _could(
    channel: Channel,
    draws: Draws,
    step: int,
    c: int,
    *,
    intent: NDArray[np.float32],
    awareness: NDArray[np.float32],
) -> Flags:
    """Tell whom a channel could meet, were they there."""
    needed = draws.logit(Purpose.OPPORTUNITY, step, c).astype(np.float32)
    needed -= np.float32(channel.rate) + np.float32(channel.targeting) * intent
    if channel.after == "awareness":
        return needed < np.minimum(awareness, np.float32(MAX_AWARENESS))
    return needed < 0


def _anyway(channel: Channel, draws: Draws, step: int, c: int) -> Flags:
    """Tell who had come by anyway, did they come at all."""
    if channel.harvest in (0.0, 1.0):
        return np.full(draws.n_people, channel.harvest == 1.0)
    return draws.uniform(Purpose.ANYWAY, step, c) < channel.harvest


def _visits(
    scenario: Scenario,
    draws: Draws,
    step: int,
    *,
    intent: NDArray[np.float32],
    awareness: NDArray[np.float32],
) -> Flags:
    """Tell who comes by of their own accord."""
    needed = draws.logit(Purpose.VISIT, step).astype(np.float32)
    needed -= np.float32(scenario.visit) + np.float32(scenario.visit_by_intent) * intent
    return needed < np.float32(scenario.visit_by_awareness) * awareness


def _comes(channel: Channel, draws: Draws, step: int, c: int) -> Flags:
    if channel.click >= 1:
        return np.ones(draws.n_people, dtype=bool)
    return draws.uniform(Purpose.CLICK, step, c) < channel.click
