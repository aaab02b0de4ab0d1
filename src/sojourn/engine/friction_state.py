"""The state of friction: the signals of late, what is still waited for, and the score they make."""

from __future__ import annotations

import math
from bisect import insort

from msgspec import Struct

from sojourn.definitions.friction_rules import FrictionRules
from sojourn.engine.rage import Burst
from sojourn.engine.trail import Trail

MAX_SIGNALS = 32  # kept, the newest: with tau 10 min the 33rd weighs nothing a guard could notice.
MAX_WAITING_CLICKS = 8  # on different elements, inside the 2.5 s in which one is found dead or alive.
MAX_DEADLINES = 16  # forms begun and not submitted, a cart, a step: more is a program, not a person.

_FORGOTTEN = 40  # times tau: e^-40 is nothing beside any weight.


class Signal(Struct, array_like=True, frozen=True, order=True):
    """One thing that went against the person."""

    at: int
    """By the events' own time, ms."""
    name: str
    target: str


class WaitingClick(Struct, array_like=True, frozen=True):
    """A click of which nobody knows yet whether it did anything."""

    at: int
    """Its own time, ms."""
    seen_at: int
    """When the log had it, ms; later, where other things have happened since that told nothing of it."""
    target: str
    is_shadow: bool = False


class Deadline(Struct, array_like=True, frozen=True, order=True):
    """Something that is to happen by an instant of the log's clock, or is a signal."""

    due: int
    name: str
    """The signal: `form_abandon`, `cart_abandon` or `stall`."""
    target: str
    is_shadow: bool = False


class Friction(Struct, array_like=True):
    """All that is kept of it for one person."""

    signals: list[Signal] = []
    """The newest MAX_SIGNALS, ascending."""
    n_signals: int = 0
    """All of them so far: names the next one's event."""
    found_at: dict[str, int] = {}
    """Of signals that clients find too: when the engine last found one, ms."""
    told_at: dict[str, int] = {}
    """The same: when the client last found one."""
    burst: Burst | None = None
    clicks: list[WaitingClick] = []
    """At most one for each element; in order of arrival."""
    click: WaitingClick | None = None
    """The newest one, until an error is charged to it."""
    trail: Trail | None = None
    deadlines: list[Deadline] = []
    """The next one due first."""

    def keep(self, signal: Signal) -> None:
        """Keep one more signal; the oldest goes where there are too many."""
        insort(self.signals, signal)
        del self.signals[:-MAX_SIGNALS]
        self.n_signals += 1

    def expect(self, deadline: Deadline) -> None:
        """Wait for something anew; where too much is waited for already, the one due last gives way."""
        self.drop(deadline.name, deadline.target)
        insort(self.deadlines, deadline)
        del self.deadlines[MAX_DEADLINES:]

    def drop(self, name: str, target: str | None = None) -> None:
        """Wait no longer for something; with no target, for all of its kind."""
        if self.deadlines:
            self.deadlines = [
                one
                for one in self.deadlines
                if one.name != name or (target is not None and one.target != target)
            ]


def score(friction: Friction | None, rules: FrictionRules, at: int) -> float:
    """Say how much goes against the person: 1 - exp(-sum of the contributions), from 0 to below 1."""
    if friction is None or not friction.signals:
        return 0.0
    return round(1 - math.exp(-sum(part for _, part in contributions(friction, rules, at))), 6)


def contributions(friction: Friction, rules: FrictionRules, at: int) -> list[tuple[Signal, float]]:
    """Take the score apart: each signal that still counts, with weight times exp(-age / tau)."""
    tau_ms, weights, exp = rules.tau_ms, rules.weights, math.exp
    oldest = at - _FORGOTTEN * tau_ms
    # A signal that is newer than the clock, by its device's, is of now.
    return [
        (signal, weights.get(signal.name, 0.0) * (exp((signal.at - at) / tau_ms) if signal.at < at else 1.0))
        for signal in friction.signals
        if signal.at > oldest
    ]


def count(friction: Friction | None, name: str, *, at: int, within_ms: int | None) -> int:
    """Count the signals of a name in (at - within_ms, at], or all that are kept."""
    if friction is None:
        return 0
    oldest = -1 if within_ms is None else at - within_ms
    return sum(signal.name == name and oldest < signal.at <= at for signal in friction.signals)


def merge(one: Friction | None, other: Friction | None) -> Friction | None:
    """Bring together what two lives of one person know; of what is under way, the newer visit's goes on."""
    if one is None or other is None:
        return one or other
    newer = max((other, one), key=_latest)
    return Friction(
        signals=sorted([*one.signals, *other.signals])[-MAX_SIGNALS:],
        n_signals=one.n_signals + other.n_signals,
        found_at=_later(one.found_at, other.found_at),
        told_at=_later(one.told_at, other.told_at),
        burst=newer.burst,
        clicks=newer.clicks,
        click=newer.click,
        trail=newer.trail,
        deadlines=_deadlines([*one.deadlines, *other.deadlines]),
    )


def _later(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in sorted(one.keys() | other.keys())}


def _deadlines(several: list[Deadline]) -> list[Deadline]:
    """Of what both lives wait for, the later deadline holds: it was begun anew."""
    kept = {(one.name, one.target): one for one in sorted(several)}
    return sorted(kept.values())[:MAX_DEADLINES]


def _latest(friction: Friction) -> int:
    """Return the latest instant something under way is from."""
    step = friction.trail.recent[-1][1] if friction.trail and friction.trail.recent else 0
    click = friction.burst.times[-1] if friction.burst else 0
    return max(step, click)
