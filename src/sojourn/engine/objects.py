"""Objects: the JSON an event carries as bytes, read when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

_decode = msgspec.json.Decoder().decode


def read_object(raw: bytes | msgspec.Raw) -> Mapping[str, Any]:
    """Decode a JSON object; empty where it is something else."""
    found = _decode(raw)
    return found if isinstance(found, dict) else {}
