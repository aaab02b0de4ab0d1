"""Naming: the message id that an event goes by, derived where the client gave none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sojourn.model.ids import derive
from sojourn.server.ingest.message import Message, Request, WireId, read_text

MAX_MESSAGE_ID_CHARS = 100  # Segment's own bound (segment-docs#5924); longer ones are hashed, never cut.


class Namer:
    """Names the messages of one request."""

    def __init__(self, request: Request, pieces: Sequence[bytes], *, batch_sent_at: object) -> None:
        self._request = request
        self._pieces = pieces
        self._batch_sent_at = batch_sent_at
        self._n_same: Counter[bytes] = Counter()

    def name(self, message: Message, index: int) -> str:
        """Return the name of the message at `index`.

        One without an id is named after its source, its bytes, and when it was sent, so that a retried
        request names it the same. Where nothing says when, its bytes may well come twice and mean two events,
        so it is named after this request. Equal bytes in one request are several events.
        """
        given = read_message_id(message.messageId)
        if given is not None:
            return given
        piece = self._pieces[index]
        self._n_same[piece] += 1
        return derive(
            "message", self._request.source, piece.decode(), self._when(message), str(self._n_same[piece])
        )

    def _when(self, message: Message) -> str:
        sent_at = self._batch_sent_at if message.sentAt is None else message.sentAt
        if sent_at is None:
            sent_at = self._request.sent_at
        if sent_at is not None:
            return f"sent {sent_at}"
        has_time = message.timestamp is not None or message.originalTimestamp is not None
        return "" if has_time else f"arrived {self._request.arrival}"


def read_message_id(value: WireId) -> str | None:
    """Return a given message id, hashed where it is over MAX_MESSAGE_ID_CHARS; None where none was given."""
    text = read_text(value)
    if text is None or len(text) <= MAX_MESSAGE_ID_CHARS:
        return text
    return derive("message id", text)
