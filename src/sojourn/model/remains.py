"""Remains: what is still there of somebody who was forgotten on a cluster, and until when."""

from __future__ import annotations

from msgspec import Struct

from sojourn.model.views import ForgottenRow, ForgottenView


class Remain(Struct, kw_only=True):
    """One place, and what is left there."""

    place: str
    """A topic's name, or what else keeps something."""
    until: int | None
    """When the last byte is gone, ms; null: nobody knows, see `how`."""
    is_gone: bool
    how: str
    """By what it goes, or what to do that it does."""


class ClusterForgottenRow(Struct, kw_only=True):
    """A request to forget somebody on a cluster; nothing in it is personal."""

    row: ForgottenRow
    remains: list[Remain]
    shards: int
    """Of all stages together."""
    ended: int | None = None
    """In how many of these the control took effect; null where the job does not write states."""


class ClusterForgottenView(Struct, kw_only=True):
    """Who is meant on a cluster, and what became of it."""

    view: ForgottenView
    is_known: bool
    """Whether people's states could be asked which ids are theirs; else those that were named are taken."""
    remains: list[Remain]
    """What would be there until when, if it were done now; or is."""
