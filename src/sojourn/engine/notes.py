"""Notes: where in the log the newest event lies that names an id, for whoever is to see it before answering.

A door notes it as it acknowledges an event; a state has seen the event once it is taken up to that place.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from sojourn.model.event import Entry

Place = tuple[int, int]
"""(at, position) in the log."""


class Note(Struct, array_like=True, frozen=True, gc=False):
    """The newest event that names an id, or that says whose a device is."""

    id: str
    at: int
    position: int
    user_id: str = ""
    """The user that the same event names; empty: none."""
    is_tie: bool = False
    """It says whose the id is; a later event that only names the id does not take its place."""

    @property
    def place(self) -> Place:
        """Where the event lies."""
        return self.at, self.position


encode_note = msgspec.msgpack.Encoder().encode
decode_note = msgspec.msgpack.Decoder(Note).decode


def notes_of(entries: Iterable[Entry]) -> list[Note]:
    """Say what is to be noted of events that are in the log: of each id the newest."""
    found: dict[tuple[str, bool], Note] = {}
    for entry in entries:
        for note in _notes(entry):
            known = found.get((note.id, note.is_tie))
            if known is None or note.place >= known.place:
                found[note.id, note.is_tie] = note
    return list(found.values())


def _notes(entry: Entry) -> Iterable[Note]:
    event = entry.event
    user = event.user_id or ""
    device = event.previous_id if event.kind == "alias" else event.anonymous_id
    if device:
        yield Note(device, entry.at, entry.position, user)
        if user:
            yield Note(device, entry.at, entry.position, user, is_tie=True)
    if event.kind == "alias" and event.anonymous_id and event.anonymous_id != device:
        yield Note(event.anonymous_id, entry.at, entry.position, user)
    if user:
        yield Note(user, entry.at, entry.position, user)
