"""Forgotten: who went, and of whom something is still to be erased; kept in the commits of the controls."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sojourn.definitions.controls import Forgetting
from sojourn.engine.state import Life, State, encode
from sojourn.model.event import Entry
from sojourn.model.ports import Store, Write
from sojourn.model.turn import Key, Result
from sojourn.model.views import ForgottenRow

WAITING = "forgetting"
"""The document of those of whom something is still to be erased: it has their ids."""
LEDGER = "forgotten"
DEBT = "forgotten_debt"
MAX_LEDGER = 10_000  # requests in the document, the newest; older ones are in the log, as controls.

MAX_SHOWN = 20  # of those that are not done, to who looks at how the house does.

_encode = msgspec.json.Encoder().encode
_encode_facts = msgspec.msgpack.Encoder().encode


class Waiting(Struct, frozen=True, kw_only=True):
    """Somebody who is forgotten, and not everywhere yet."""

    forgetting: Forgetting
    position: int
    """Of the control: what comes after it is somebody else's."""
    at: int
    shared: list[str] = []
    """Those of the devices that others named, too."""
    more: list[str] = []
    """Ids that were tied to them before the control, and that it does not name."""


class Debt(Struct, frozen=True):
    """What facts that are erased had counted, and is still to be taken off the tallies."""

    documents: dict[str, bytes] = {}

    def kept(self, name: str) -> bytes | None:
        """Return a document of it."""
        return self.documents.get(name)


def read_debt(store: Store) -> Debt:
    """Return what a store says is owed."""
    raw = store.kept(DEBT)
    return msgspec.json.decode(raw, type=Debt) if raw else Debt()


def under_way(ledger: Sequence[ForgottenRow]) -> list[ForgottenRow]:
    """Return the requests of a ledger that are not done, the oldest first, which is done first."""
    return [row for row in ledger if row.finished_at is None][:MAX_SHOWN]


def kept_ledger(store: Store) -> list[ForgottenRow]:
    """Return the ledger that a store has, the oldest first."""
    raw = store.kept(LEDGER)
    return [] if raw is None else msgspec.json.decode(raw, type=list[ForgottenRow])


class Asked:
    """All requests, for one driver."""

    def __init__(self, store: Store) -> None:
        waiting = store.kept(WAITING)
        self.waiting: list[Waiting] = []
        self.ledger = kept_ledger(store)
        self.has_changed = False
        """Since `documents` were made last."""
        if waiting is not None:
            self.waiting = msgspec.json.decode(waiting, type=list[Waiting])

    def ask(self, forgetting: Forgetting, entry: Entry, *, shared: list[str], more: set[str]) -> None:
        """Take a control in; one that has no ids any more was carried out before this log was read."""
        row = ForgottenRow(
            request_id=forgetting.request,
            at=entry.at,
            by=forgetting.by,
            reason=forgetting.reason,
            hashes=forgetting.marks,
            position=entry.position,
        )
        if forgetting.users or forgetting.devices:
            known = {*forgetting.users, *forgetting.devices}
            waiting = Waiting(
                forgetting=forgetting,
                position=entry.position,
                at=entry.at,
                shared=shared,
                more=sorted(more - known),
            )
            self.waiting.append(waiting)
        else:
            row = replace(row, stage="done", finished_at=entry.at)
        self.ledger = [*self.ledger, row][-MAX_LEDGER:]

    def row(self, request_id: str) -> ForgottenRow | None:
        """Return what the ledger says of a request."""
        return next((row for row in reversed(self.ledger) if row.request_id == request_id), None)

    def tell(self, row: ForgottenRow) -> None:
        """Let the ledger say something else of a request."""
        self.has_changed = True
        self.ledger = [row if row.request_id == old.request_id else old for old in self.ledger]

    def finish(self, request_id: str) -> None:
        """Keep nothing of a request but its row in the ledger."""
        self.has_changed = True
        self.waiting = [one for one in self.waiting if one.forgetting.request != request_id]

    def is_kept(self, store: Store) -> bool:
        """Tell whether a store has all of it."""
        return all(store.kept(name) == value for name, value in self._encoded().items())

    def documents(self) -> dict[str, bytes]:
        """Return both as the store keeps them."""
        self.has_changed = False
        return self._encoded()

    def _encoded(self) -> dict[str, bytes]:
        return {WAITING: _encode(self.waiting), LEDGER: _encode(self.ledger)}


def told_in(position: int) -> str:
    """Name the document in which the store tells of the commit of a control."""
    return f"told/{position}"


def others_of(state: State | None) -> set[str]:
    """Return the ids that a life knows of."""
    return {*state.user_ids, *state.anonymous_ids} if isinstance(state, Life) else set()


def write(key: Key, result: Result) -> Write:
    """Return what is stored of a key that somebody left."""
    facts = _encode_facts(result.facts) if result.facts else b""
    if result.state is None:
        return Write(key, None, None, facts, forget=True)
    return Write(key, encode(result.state), result.wake, facts)
