"""The ledger of one turn: where its facts, actions and forwards are written down as it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from sojourn.definitions.journey import Catalogue
from sojourn.engine.state import Enrolment
from sojourn.model.action import Action
from sojourn.model.fact import Fact
from sojourn.model.ids import ProfileId
from sojourn.model.turn import Forward


class Called(Struct, frozen=True, gc=False):
    """One journey wanted by another for the same person, not begun yet."""

    parent: Enrolment
    state: str
    """The state that wants it, and waits for it."""
    journey: str
    key: Any
    """What the call says of the key; None: nothing."""
    n: int
    """Which effect of the parent it is: names the enrolment."""


class Return(Struct, frozen=True, gc=False):
    """A called journey that is over, or could not be entered: its parent is still to be told."""

    parent: str
    """The parent's enrolment id."""
    state: str


class Ledger:
    """Who the turn is about, where in the log it stands, and what came of it so far."""

    __slots__ = (
        "actions", "at", "calls", "catalogue", "facts", "forward", "is_shadow", "position", "profile_id",
        "returns", "unit",
    )  # fmt: skip

    def __init__(self, catalogue: Catalogue, profile_id: ProfileId) -> None:
        self.catalogue = catalogue
        self.profile_id = profile_id
        self.unit = profile_id[2:]
        """What assignment hashes: the id without its prefix."""
        self.facts: list[Fact] = []
        self.actions: list[Action] = []
        self.forward: list[Forward] = []
        self.calls: list[Called] = []
        """Journeys that are to be entered before this instant is over, in order."""
        self.returns: list[Return] = []
        self.at = 0
        self.position = 0
        self.is_shadow = False
        """An imported event is at work: whoever enters is a shadow, and what anybody wants is not sent."""

    def note(self, kind: Callable[..., Fact], **fields: Any) -> None:
        """Write a fact down: about this person, at this instant, caused by this entry."""
        self.facts.append(kind(profile_id=self.profile_id, at=self.at, position=self.position, **fields))
