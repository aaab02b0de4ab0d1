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
    return blake2b("\x1f".join([f"{len(part)}:{part}" for part in parts]).encode(), digest_size=DIGEST_BYTES).digest()


def derive(*parts: str) -> str:
    """Name an effect after its causes: 32 hexadecimal digits, the same on every run."""
    return digest(*parts).hex()


def user_profile(user_id: str) -> ProfileId:
    """Name the profile of a known person."""
    return ProfileId("u:" + user_id)


def anonymous_profile(anonymous_id: str) -> ProfileId:
    """Name the profile of a person nobody can name yet."""
    return ProfileId("a:" + anonymous_id)
