"""Ids: derived from their causes, never drawn (law 6)."""

from __future__ import annotations

from hashlib import blake2b
from typing import NewType

ProfileId = NewType("ProfileId", str)
"""`u:` and a user id, or `a:` and an anonymous id."""

EnrolmentId = NewType("EnrolmentId", str)
ActionId = NewType("ActionId", str)
SessionId = NewType("SessionId", str)

DIGEST_BYTES = 16  # 128 bits: no two of 10^15 messages meet by chance.


def digest(*parts: str) -> bytes:
    """Hash parts so that neither their order nor their borders can be confused; 16 bytes."""
    return blake2b(
        "\x1f".join([f"{len(part)}:{part}" for part in parts]).encode(), digest_size=DIGEST_BYTES
    ).digest()


def message_digest(source: str, message_id: str) -> bytes:
    """Hash what makes a message unique: as `digest(source, message_id)`, in half its time."""
    text = f"{len(source)}:{source}\x1f{len(message_id)}:{message_id}"
    return blake2b(text.encode(), digest_size=DIGEST_BYTES).digest()


def decision_id(unit: str, key: str, version: str, said: str) -> str:
    """Name an answer: as `derive("decision", ...)`, in two thirds of its time: there may be many."""
    of = f"8:decision\x1f{len(unit)}:{unit}\x1f{len(key)}:{key}"
    text = f"{of}\x1f{len(version)}:{version}\x1f{len(said)}:{said}"
    return blake2b(text.encode(), digest_size=DIGEST_BYTES).hexdigest()


def derive(*parts: str) -> str:
    """Name an effect after its causes: 32 hexadecimal digits, the same on every run."""
    return digest(*parts).hex()


def user_profile(user_id: str) -> ProfileId:
    """Name the profile of a known person."""
    return ProfileId("u:" + user_id)


def anonymous_profile(anonymous_id: str) -> ProfileId:
    """Name the profile of a person nobody can name yet."""
    return ProfileId("a:" + anonymous_id)


# fmt: off
BLOCKED_IDS = frozenset({
    # What languages print for nothing: JavaScript, Python, Ruby, Objective-C, SQL, spreadsheets.
    "null", "undefined", "none", "nil", "nan", "n/a", "na", "(null)", "<null>", "[object object]", "[]", "{}",
    "true", "false",
    # Placeholders for a person who is not signed in, and names of the field itself. Segment Unify blocks
    # `anonymous`, `-1` and zeros by default; PostHog refuses most of the others as distinct ids.
    "-1", "anonymous", "guest", "unknown", "unset", "not set", "not_set", "not_authenticated",
    "unauthenticated", "visitor", "id", "distinct_id", "distinctid", "user_id", "userid",
    "anonymous_id", "anonymousid", "email",
})
# fmt: on
"""Ids that many people would share, in lower case."""


def is_blocked_id(text: str) -> bool:
    """Whether an id names nobody: nothing, a word for nothing, or only zeros and dashes.

    >>> is_blocked_id("Undefined"), is_blocked_id("0000-00"), is_blocked_id("u-0")
    (True, True, False)
    """
    text = text.strip()
    return not text.strip("0-") or text.lower() in BLOCKED_IDS
