"""Actions: what a journey wants done; deliveries: what became of it."""

from __future__ import annotations

from typing import Literal

from msgspec import Raw, Struct

from sojourn.model.ids import ActionId, EnrolmentId, ProfileId

Outcome = Literal["delivered", "failed", "expired"]


class Action(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing to be done, once, by one sink."""

    id: ActionId
    """Derived from the enrolment and its step count: also the idempotency key a receiver sees."""
    sink: str
    """The name under which the configuration knows the sink."""
    at: int
    """The instant it was decided, ms."""
    expires_at: int
    """After this instant it is no longer worth doing, ms."""
    profile_id: ProfileId
    user_id: str | None = None
    anonymous_id: str | None = None
    journey: str
    version: str
    enrolment_id: EnrolmentId
    state: str
    """The state whose entry wanted it."""
    body: Raw
    """What to send: a JSON object, its templates rendered."""
    channel: str = ""
    """By which it reaches the person, as the policy names it; empty: by none that the policy knows."""
    topic: str = ""
    """What it is about, for consent: `newsletter`."""

    def whose(self) -> tuple[str | None, str | None]:
        """Return the person's user id or anonymous id: one of them, and None for the other.

        Never both: an event with both ids ties a device to a person, and by the time one is told of this
        action somebody else may be sitting at the device.
        """
        if self.user_id is not None:
            return self.user_id, None
        if self.anonymous_id is not None:
            return None, self.anonymous_id
        kind, _, own_id = self.profile_id.partition(":")
        return (own_id, None) if kind == "u" else (None, own_id)


class Delivery(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one attempt, or giving up, came to."""

    outcome: Outcome
    attempts: int
    status: int | None = None
    """The sink's own code (HTTP status), where it has one."""
    reason: str = ""


class Letter(Struct, kw_only=True):
    """An action on its way: the outbox's row."""

    action: Action
    attempts: int = 0
    due_at: int = 0
    """Not before this instant, ms."""
    last_error: str = ""
    dead_at: int | None = None
