"""Objects: the JSON that events carry as bytes, read when somebody asks, and written as it was said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

_decode = msgspec.json.Decoder().decode

encode_json = msgspec.json.Encoder().encode
"""Writes JSON; an object's members stay in their order, which is their author's."""


def read_object(raw: bytes | msgspec.Raw) -> Mapping[str, Any]:
    """Decode a JSON object; empty where it is something else."""
    found = _decode(raw)
    return found if isinstance(found, dict) else {}
