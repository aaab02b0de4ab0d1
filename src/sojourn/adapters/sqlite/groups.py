"""Groups: a row of `facts` as it is kept: all groups of facts of one commit, numbered from the row's own."""

from __future__ import annotations

import msgspec

from sojourn.model.fact import Fact

Groups = list[tuple[int, bytes]]
"""Of each group of facts: the number of the same key's group before it (0: none), and the encoded facts."""

encode_groups = msgspec.msgpack.Encoder().encode
decode_groups = msgspec.msgpack.Decoder(Groups).decode
_decode_facts = msgspec.msgpack.Decoder(list[Fact]).decode
NO_FACTS = b"\x90"
"""An empty array; zeros behind it keep a group that was erased as long as it was."""


def decode_facts(body: bytes) -> list[Fact]:
    """Read a group's facts; none where they were erased."""
    return [] if body[:1] == NO_FACTS else _decode_facts(body)
