"""Named: failed events that name somebody, however their sender wrote the id.

What failed at the door is kept as it was sent: letters may be escaped, an id may be a number or have blanks
around it, and the end may be cut off. It is read as the door would have read it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from math import isfinite

import msgspec

from sojourn.adapters.sqlite.erasing import Finder
from sojourn.model.event import FailedEvent
from sojourn.server.ingest.message import read_text

ID_NAMES = frozenset({
    "userId", "user_id", "anonymousId", "anonymous_id", "previousId", "previous_id",
})  # fmt: skip
"""Where a failed event says whose it is."""

_ESCAPE = b"\\"
_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_NAME = rf'"(?:{"|".join(sorted(ID_NAMES))})"'


def failed_of(finder: Finder, ids: Collection[str]) -> list[int]:
    """Return the numbers of failed events that name one of some ids; those with an escape are all read."""
    if not ids:
        return []
    needles = [*(each.encode("utf-8", "surrogatepass") for each in sorted(ids)), _ESCAPE]
    return [number for number, event in finder.failed(needles) if is_about(event, ids)]


def is_about(event: FailedEvent, ids: Collection[str]) -> bool:
    """Tell whether a failed event names one of these ids; of what cannot be read, wherever that stands."""
    wanted = set(ids)
    try:
        waiting = [msgspec.json.decode(event.body)]
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _may_be_about(event.body, wanted)
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if any(_id_of(part.get(name)) in wanted for name in ID_NAMES):
                return True
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return False


def _id_of(value: object) -> str | None:
    """Return an id as the door reads it; None where it reads none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return None if isinstance(value, float) and not isfinite(value) else read_text(value)


def _may_be_about(body: bytes, ids: Collection[str]) -> bool:
    text = _ESCAPED.sub(_unescaped, body.decode("utf-8", "replace"))
    whole = text.encode("utf-16", "surrogatepass").decode(
        "utf-16", "replace"
    )  # two escapes may be one letter
    each = "|".join(re.escape(one) for one in sorted(ids))
    return re.search(rf'"\s*(?:{each})\s*"|{_NAME}\s*:\s*(?:{each})(?:\.0+)?(?![\w.])', whole) is not None


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else found[2]
