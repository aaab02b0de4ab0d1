"""Roles: what each route of the API needs, in one table."""

from __future__ import annotations

from typing import Literal, assert_never

from sojourn.model.account import ROLES, Role
from sojourn.server.access.callers import Caller

Need = Literal["anyone", "viewer", "editor", "admin", "own"]
"""A role, at the least; `anyone`: nobody need have signed in; `own`: the account named, or an admin."""

READS = frozenset({"GET", "HEAD", "OPTIONS"})

NEEDS: dict[tuple[str, str], Need] = {
    ("POST", "/api/v1/session"): "anyone",
    ("DELETE", "/api/v1/session"): "viewer",
    ("GET", "/api/v1/accounts"): "admin",
    ("POST", "/api/v1/accounts/{name}/password"): "own",
    # What is sent, and changes nothing:
    ("POST", "/api/v1/check"): "viewer",
    ("POST", "/api/v1/rehearsals"): "viewer",
    ("DELETE", "/api/v1/rehearsals/{rehearsal_id}"): "viewer",
    # What is in force, and what is done:
    ("POST", "/api/v1/publish"): "editor",
    ("POST", "/api/v1/rollback"): "editor",
    ("POST", "/api/v1/holds"): "editor",
    ("POST", "/api/v1/journeys/{name}/enter"): "editor",
    ("POST", "/api/v1/dead-letters/retry"): "editor",
    ("POST", "/api/v1/failed-events/retry"): "editor",
    ("PUT", "/api/v1/drafts/{folder}/{name}"): "editor",
    ("DELETE", "/api/v1/drafts/{folder}/{name}"): "editor",
    ("POST", "/api/v1/drafts/{folder}/{name}/publish"): "editor",
}
"""(method, path as the document has it) -> what it needs; for all others see `need_of`."""


def need_of(method: str, path: str) -> Need:
    """Return what a route needs; one that is not in the table wants a viewer to read, and else an admin."""
    return NEEDS.get((method, path), "viewer" if method in READS else "admin")


def may(caller: Caller, need: Need, *, name: str = "") -> bool:
    """Tell whether somebody may do what needs this; `name` is the account that a path names."""
    match need:
        case "anyone":
            return True
        case "own":
            return caller.role == "admin" or caller.name == name
        case "viewer" | "editor" | "admin":
            return _rank(caller.role) >= _rank(need)
        case _:
            assert_never(need)


def _rank(role: Role) -> int:
    return ROLES.index(role)
