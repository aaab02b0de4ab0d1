"""Passwords: what is kept of one, how one is compared, and which are taken.

They are hashed by scrypt (RFC 7914). The parameters stand beside each hash, as in a PHC string, so that they
can be raised later: `$scrypt$ln=15,r=8,p=3$<salt>$<hash>`, both in base64 without padding.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from base64 import b64decode, b64encode
from hmac import compare_digest

from msgspec import Struct

from sojourn.model.errors import InputError

MIN_CHARS = 12
"""Long is what makes a password hard to guess; NIST SP 800-63B asks for 8 at the very least."""
MAX_CHARS = 1_000  # more than anybody types.
SALT_BYTES = 16
HASH_BYTES = 32

NAME = re.compile(r"[a-z0-9][a-z0-9_.@+-]{0,63}", re.ASCII)
"""What an account may be called: an e-mail address, or a short name."""

_STORED = re.compile(r"\$scrypt\$ln=([0-9]{1,2}),r=([0-9]{1,2}),p=([0-9]{1,2})\$([^$]+)\$([^$]+)", re.ASCII)


class Cost(Struct, frozen=True, kw_only=True):
    """How much work one hash is."""

    log_n: int = 15
    r: int = 8
    p: int = 3
    """By default one of the settings that OWASP's Password Storage Cheat Sheet calls equal: N=2^15, r=8, p=3,
    32 MiB and about 0.2 s. Its first, N=2^17 and p=1, takes 128 MiB, which a small server may not have."""

    @property
    def memory_bytes(self) -> int:
        """What scrypt needs: 128 * r * (N + p + 2) (OpenSSL's bound)."""
        return 128 * self.r * ((1 << self.log_n) + self.p + 2)


def normal_name(name: str) -> str:
    """Return a name as it is kept: without capitals and outer blanks.

    Raises InputError where nobody may be called so.
    """
    wanted = name.strip().lower()
    if not NAME.fullmatch(wanted):
        raise InputError(
            "bad-name",
            "expected at most 64 letters, digits, `_`, `.`, `@`, `+` and `-`, the first a letter or a digit",
            path="name",
            status=422,
        )
    return wanted


def check_password(password: str, name: str) -> None:
    """Raise InputError where a password is one that is soon guessed."""
    n_chars = len(_normal(password))
    if not MIN_CHARS <= n_chars <= MAX_CHARS:
        reason = f"expected {MIN_CHARS} to {MAX_CHARS} characters, got {n_chars}; a few words do"
    elif len(set(password.lower())) < 5:
        reason = "expected at least five different characters"
    elif name.partition("@")[0] in password.lower() and len(password) < len(name) + MIN_CHARS:
        reason = "expected something that does not hold the account's name"
    else:
        return
    raise InputError("bad-password", reason, path="password", status=422)


def hash_password(password: str, cost: Cost) -> str:
    """Return what is kept of a password: another text at each call."""
    salt = secrets.token_bytes(SALT_BYTES)
    hashed = _scrypt(password, salt, cost)
    return f"$scrypt$ln={cost.log_n},r={cost.r},p={cost.p}${_text(salt)}${_text(hashed)}"


def is_password(password: str, kept: str) -> bool:
    """Tell whether a password is the one kept, in a time that says nothing of how they differ."""
    parts = _STORED.fullmatch(kept)
    assert parts is not None, "only hash_password writes what is kept"
    log_n, r, p = (int(number) for number in parts.groups()[:3])
    salt, expected = (b64decode(text + "==") for text in parts.groups()[3:])
    return compare_digest(_scrypt(password, salt, Cost(log_n=log_n, r=r, p=p)), expected)


def _scrypt(password: str, salt: bytes, cost: Cost) -> bytes:
    return hashlib.scrypt(
        _normal(password).encode("utf-8", "surrogatepass"),
        salt=salt,
        n=1 << cost.log_n,
        r=cost.r,
        p=cost.p,
        maxmem=cost.memory_bytes,
        dklen=HASH_BYTES,
    )


def _normal(password: str) -> str:
    """Return one text for all that look alike: keyboards compose letters differently (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password[: MAX_CHARS + 1])


def _text(value: bytes) -> str:
    return b64encode(value).decode().rstrip("=")
