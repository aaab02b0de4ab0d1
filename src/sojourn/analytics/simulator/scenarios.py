"""Scenarios: what the simulated people are like, what channels do to them, and how the world is arranged."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError


class Channel(Struct, frozen=True, kw_only=True):
    """One channel. Effects are in log-odds of converting at a step."""

    name: str
    rate: float
    """Log-odds that somebody of middling intent could be met at a step."""
    targeting: float = 0.0
    """What one unit of intent adds to that: how much the channel looks for those who would buy anyway."""
    reach: float = 1.0
    """The share of people whom it can reach at all (who subscribed)."""
    after: Literal["", "visit", "awareness"] = ""
    """What must be before it can meet somebody: a `visit`; `awareness`: it adds to the rate (who is aware of
    the product searches for it)."""
    awareness: float = 0.0
    """What meeting somebody adds to their awareness."""
    direct: float = 0.0
    """What meeting somebody adds at that step alone."""
    click: float = 1.0
    """The probability that who is met comes by."""
    harvest: float = 0.0
    """The probability that they had come by anyway."""


class Scenario(Struct, frozen=True, kw_only=True):
    """One world."""

    name: str
    about: str
    channels: tuple[Channel, ...]
    bottom: tuple[str, ...] = ("retargeting", "brand")
    """The channels nearest to the conversion, by which over-valuation is told."""
    steps: int = 28
    """Days in which people are met."""
    tail: int = 0
    """Days after them in which conversions are still seen."""
    carry: float = 0.85
    """What is left of awareness after a step."""
    base: float = -6.4
    by_intent: float = 0.9
    by_awareness: float = 0.75
    by_visit: float = 1.6
    visit: float = -3.4
    visit_by_intent: float = 0.6
    visit_by_awareness: float = 0.3
    delay: float = 0.0
    """How many steps after the decision the conversion happens, on average; 0: at once."""
    rho: float = 0.7
    """How well what is known of people before tells their intent: a correlation."""


MAX_AWARENESS = 3.0  # More of it changes nothing.

_TYPICAL = (
    Channel(name="display", rate=-2.6, awareness=0.75, click=0.1),
    Channel(name="social", rate=-3.0, targeting=0.2, awareness=0.9, click=0.25),
    Channel(name="email", rate=-2.6, targeting=0.2, reach=0.3, awareness=0.5, direct=0.5, click=0.4),
    Channel(
        name="retargeting", rate=-1.5, targeting=0.3, after="visit", awareness=0.1, direct=0.25, click=0.35,
        harvest=0.5,
    ),
    Channel(
        name="brand", rate=-3.6, targeting=0.8, after="awareness", direct=0.15, harvest=0.5,
    ),
)  # fmt: skip


def _each(channels: tuple[Channel, ...], **fields: object) -> tuple[Channel, ...]:
    return tuple(replace(channel, **fields) for channel in channels)


def _with(channels: tuple[Channel, ...], name: str, **fields: object) -> tuple[Channel, ...]:
    return tuple(replace(each, **fields) if each.name == name else each for each in channels)


_C = Scenario(
    name="C",
    about="typical: targeting by intent, carry-over, half of the searchers come anyway",
    channels=_TYPICAL,
)

SCENARIOS: dict[str, Scenario] = {
    each.name: each
    for each in (
        Scenario(
            name="A",
            about="plain: nobody is targeted, nothing carries over, nobody comes anyway",
            channels=_each(_TYPICAL, targeting=0.0, after="", harvest=0.0),
            carry=0.0,
        ),
        replace(
            _C,
            name="B",
            about="mild: some targeting, three of ten searchers come anyway",
            channels=tuple(
                replace(each, targeting=each.targeting / 2, harvest=0.3 if each.harvest else 0.0)
                for each in _TYPICAL
            ),
        ),
        _C,
        replace(
            _C,
            name="D",
            about="harvested: as C, but nearly all searchers and returning visitors come anyway",
            channels=tuple(
                replace(each, harvest=0.95, direct=0.0) if each.harvest else each for each in _TYPICAL
            ),
        ),
        replace(
            _C,
            name="E",
            about="A/A: as C, and no channel does anything",
            channels=_each(_TYPICAL, awareness=0.0, direct=0.0, harvest=1.0),
        ),
        replace(
            _C,
            name="F",
            about="harmful: as C, and retargeting drives people away",
            channels=_with(_TYPICAL, "retargeting", awareness=-0.5, direct=-0.3),
        ),
        replace(
            _C, name="G", about="delayed: as C, and who decides to buy does so days later", delay=5.0, tail=21
        ),
    )
}
"""By the name it is asked for."""


def scenario_named(name: str) -> Scenario:
    """Find a scenario; raise ConfigError where there is none."""
    found = SCENARIOS.get(name.upper())
    if found is None:
        hint = did_you_mean(name.upper(), SCENARIOS)
        raise ConfigError(f"no scenario is called {name!r}{hint} [scenario]")
    return found
