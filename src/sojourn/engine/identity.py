"""Identity: whose event this is (stages `identity` and `alias`).

Inputs flow forward only (law 4): a device's events go to the person it belongs to; a person nobody can name
yet lives here, and moves forward once, when named. Two named people never merge: an alias between user ids
is a pointer for the events to come, and can be taken back.
"""

from __future__ import annotations

from typing import Literal

from sojourn.engine import due, entries
from sojourn.engine.ledger import Ledger
from sojourn.engine.objects import read_object
from sojourn.engine.profile import MAX_IDS, live, merge
from sojourn.engine.state import Life, Pointer, Tie, decode_life, encode
from sojourn.model.event import Event, is_erased
from sojourn.model.fact import Identified, IdentityRefused
from sojourn.model.turn import Aliased, Arrived, Forward, Named

MAX_POINTED = 100  # users an id ever pointed to, as many as ids of a person.
MAX_OWNERS = 5  # people who may name one device before it counts as shared (a kiosk, a family tablet).

How = Literal["identify", "both_ids", "alias"]


def resolve(tie: Tie, anonymous_id: str, arrived: Arrived, ledger: Ledger) -> bool:
    """Pass one event of a device on to its person, or let the unnamed person live through it.

    Returns whether the tie changed.
    """
    event = arrived.event
    if is_erased(event):
        return _name_forgotten(tie, event, ledger)
    if event.kind == "alias":
        return _resolve_alias(tie, anonymous_id, arrived, ledger)
    user_id = event.user_id
    if user_id is not None:
        how: How = "identify" if event.kind == "identify" else "both_ids"
        changed = tie.owner != user_id and _name(
            tie, user_id, arrived, ledger, anonymous_id=anonymous_id, how=how
        )
        ledger.forward.append(Forward("alias", user_id, arrived))
        return changed
    if tie.owner is not None:
        ledger.forward.append(Forward("alias", tie.owner, arrived))
        return False
    if tie.life is None:
        tie.life = Life(anonymous_ids=[anonymous_id])
    live(tie.life, arrived, ledger)
    return True


def point(pointer: Pointer, user_id: str, given: Arrived | Named | Aliased, ledger: Ledger) -> bool:
    """Pass an input on to the profile a user id stands for now; returns whether the pointer changed."""
    if not isinstance(given, Aliased):
        ledger.forward.append(Forward("profile", pointer.to or user_id, given))
        return False
    pointer.to = given.user_id
    if given.user_id is not None and given.user_id not in pointer.ever:
        pointer.ever = [*pointer.ever, given.user_id][-MAX_POINTED:]
    how = "alias" if given.user_id else "unalias"
    ledger.note(Identified, user_id=given.user_id or user_id, how=how, message_id=given.message_id)
    return True


def receive(life: Life, named: Named, ledger: Ledger) -> None:
    """Tie a device to a named profile and take in the life lived on it, within the limit of merges."""
    if named.anonymous_id not in life.anonymous_ids:
        if len(life.anonymous_ids) >= MAX_IDS:
            ledger.note(
                IdentityRefused,
                other_id=named.anonymous_id,
                reason="merge-limit",
                message_id=named.message_id,
            )
            if named.life is not None:
                entries.dismiss(decode_life(named.life), ledger)
            return
        life.anonymous_ids.append(named.anonymous_id)
    ledger.note(Identified, anonymous_id=named.anonymous_id, how=named.how, message_id=named.message_id)
    if named.life is not None:
        merge(life, decode_life(named.life), ledger, is_history=named.is_history)


def _resolve_alias(tie: Tie, previous_id: str, arrived: Arrived, ledger: Ledger) -> bool:
    """`previous_id` may be a device's or a person's: nobody can know, so both are pointed at the new name."""
    event = arrived.event
    user_id = event.user_id
    if user_id is None or user_id == previous_id:
        ledger.note(
            IdentityRefused, other_id=user_id or previous_id, reason="self-alias", message_id=event.message_id
        )
        return False
    undoes = is_undo(event)
    if _is_unmet(tie) and not undoes:
        tie.is_user = True
    if tie.is_user or undoes:
        target = None if undoes else user_id
        aliased = Aliased(arrived.at, arrived.position, target, event.message_id)
        ledger.forward.append(Forward("alias", previous_id, aliased))
    if undoes or tie.owner == user_id:
        return False
    return _name(tie, user_id, arrived, ledger, anonymous_id=previous_id, how="alias")


def _name(tie: Tie, user_id: str, arrived: Arrived, ledger: Ledger, *, anonymous_id: str, how: How) -> bool:
    if tie.is_shared:
        return False
    message_id = arrived.event.message_id
    if _is_one_too_many(tie, user_id, message_id, ledger):
        return True
    life = None if tie.life is None else encode(tie.life)
    kind = arrived.is_shadow, arrived.is_history
    named = Named(arrived.at, arrived.position, anonymous_id, how, message_id, life, *kind)
    ledger.forward.append(Forward("alias", user_id, named))
    tie.owner, tie.life = user_id, None
    return True


def _is_one_too_many(tie: Tie, user_id: str, message_id: str, ledger: Ledger) -> bool:
    """Count somebody who names the device; with too many of them it is shared, and this says so."""
    if user_id not in tie.owners:
        tie.owners = [*tie.owners, user_id]
    if len(tie.owners) <= MAX_OWNERS:
        return False
    tie.owner, tie.owners, tie.is_shared = None, [], True
    ledger.note(IdentityRefused, other_id=user_id, reason="shared-device", message_id=message_id)
    return True


def _name_forgotten(tie: Tie, event: Event, ledger: Ledger) -> bool:
    """Let somebody who was forgotten have named the device: others come after them, or too many did."""
    user_id = event.user_id
    if user_id is None or tie.is_shared or tie.owner == user_id:
        return False
    if event.kind == "alias":
        tie.is_user = True
    if not _is_one_too_many(tie, user_id, event.message_id, ledger):
        tie.owner, tie.life = user_id, None
    return True


def _is_unmet(tie: Tie) -> bool:
    """Tell whether no device has this id, as far as anybody knows.

    An application may have asked of it: what it was told makes a life in which nobody did anything.
    """
    return tie == Tie(life=tie.life) and (tie.life is None or tie.life.n_events == 0)


def is_undo(event: Event) -> bool:
    """Tell whether an alias is taken back by an event."""
    return read_object(event.properties).get("undo") is True


def wake_of(tie: Tie, ledger: Ledger) -> int | None:
    """Return when the unnamed person's earliest timer is due."""
    return None if tie.life is None else due.wake_of(tie.life, ledger)
