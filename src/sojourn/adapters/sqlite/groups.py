"""Groups: a row of `facts` as it is kept: all groups of facts of one commit, numbered from the row's own."""

from __future__ import annotations

import msgspec

from sojourn.model.fact import Fact

Groups = list[tuple[int, bytes]]
"""Of each group of facts: the number of the same key's group before it (0: none), and the encoded facts."""

encode_groups = msgspec.msgpack.Encoder().encode
decode_groups = msgspec.msgpack.Decoder(Groups).decode
decode_facts = msgspec.msgpack.Decoder(list[Fact]).decode
