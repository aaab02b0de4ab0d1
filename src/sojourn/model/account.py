"""Account: who may sign in to the studio, and the sessions they have open."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Role = Literal["viewer", "editor", "admin"]
"""What somebody may do; each may do what those before it may."""

ROLES: tuple[Role, ...] = ("viewer", "editor", "admin")

OPERATOR = "$operator"
"""Whoever showed the admin token instead of a name; no account is called so, for names have no `$`."""


class Account(Struct, frozen=True, kw_only=True):
    """Somebody who may sign in."""

    name: str
    """As `normal_name` returns it."""
    role: Role
    password: str
    """What the password was hashed to, with the parameters it was hashed by; never the password."""
    created_at: int
    last_seen_at: int | None = None


class Session(Struct, frozen=True, kw_only=True):
    """One browser that is signed in."""

    mark: bytes
    """A digest of the token in its cookie, by which it is found: who reads the database has no token."""
    account: str
    """The account's name, or `OPERATOR`."""
    started_at: int
    seen_at: int
