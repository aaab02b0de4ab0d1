"""Policy: what holds for all journeys together: channels with their consent, caps, quiet hours, hold-outs."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from sojourn.definitions.churn import ChurnModel
from sojourn.definitions.durations import write_duration
from sojourn.definitions.friction_rules import FrictionRules

# Hold-outs are on unless somebody says `off`: what a message is worth can be known only from people who did
# not get it, and nobody can hold back people afterwards. A channel's own is on only where it is asked for:
# each further one takes people from the others, and few ask what a channel as a whole is worth.
DEFAULT_JOURNEY_HOLDOUT = 0.05  # LaunchDarkly advises 1-5 %, PostHog 1-10 %: enough to see a lift in weeks.
DEFAULT_HOLDOUT = 0.01  # global: who gets nothing at all, to know what all journeys together are worth.

EVERYTHING = "all"
"""No channel may have this name: as the scope of a consent it means every channel."""

MAX_MOST = (
    200  # of a cap: so many instants are kept of a person and channel, and no more are needed to judge.
)


class Cap(Struct, frozen=True, kw_only=True):
    """At most so many messages in a window."""

    most: int
    within_ms: int = 0
    """A sliding window; 0: a calendar one."""
    calendar: Literal["", "day", "week", "month"] = ""
    """A window of the person's own calendar."""

    def __str__(self) -> str:
        return f"{self.most} per {self.calendar or write_duration(self.within_ms)}"


class Quiet(Struct, frozen=True, kw_only=True):
    """Hours in which nobody is disturbed, by the person's own clock; they may span midnight."""

    start_min: int
    """Minutes after midnight, 0 to 1,439."""
    end_min: int
    """Another minute than `start_min`: the first that is not quiet."""
    then: Literal["later", "drop"] = "later"

    def __str__(self) -> str:
        start, end = divmod(self.start_min, 60), divmod(self.end_min, 60)
        return f"{start[0]:02}:{start[1]:02} to {end[0]:02}:{end[1]:02}"


class Channel(Struct, frozen=True, kw_only=True):
    """One way to reach people."""

    sinks: frozenset[str] = frozenset()
    """What goes to one of these goes by this channel."""
    consent: Literal["opt_out", "opt_in"] = "opt_out"
    """`opt_out`: allowed until forbidden; `opt_in`: forbidden until allowed."""
    caps: tuple[Cap, ...] = ()
    quiet: Quiet | None = None
    """The policy's own, where the channel says nothing; None: never quiet."""
    holdout: float = 0.0
    """The share of people who get nothing by this channel, 0 to 1."""


class Policy(Struct, frozen=True, kw_only=True):
    """All of it."""

    channels: dict[str, Channel] = {}
    caps: tuple[Cap, ...] = ()
    """Over all channels together."""
    quiet: Quiet | None = None
    """For channels that say nothing of their own."""
    holdout: float = 0.0
    """The share of people who get nothing at all, 0 to 1."""
    time_zone: str = "UTC"
    """Of people whose own nobody knows."""
    friction: FrictionRules = FrictionRules()
    churn: ChurnModel = ChurnModel()
    asks_nodes: bool = True
    """Whether the hold-outs of states and of flags' experiments are asked; a story of a journey does not."""

    def channel_of(self, sink: str, *, named: str = "") -> str:
        """Return the channel of an action: the one it names, else its sink's; empty where there is none."""
        if named:
            return named
        for name, channel in self.channels.items():
            if sink in channel.sinks:
                return name
        return ""

    def channel(self, name: str) -> Channel:
        """Return a channel; one that only actions name is held to what holds for all."""
        return self.channels.get(name) or Channel(quiet=self.quiet)


DEFAULT_POLICY = Policy(holdout=DEFAULT_HOLDOUT)
"""Where no file says another."""
