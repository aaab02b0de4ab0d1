"""The battery of accounts: what every implementation of the `Accounts` port must do."""

from __future__ import annotations

from collections.abc import Callable

from sojourn.model.account import OPERATOR, Account, Role, Session
from sojourn.model.ports import Accounts

KEPT = "what a password was hashed to"


def check_accounts(
    make_accounts: Callable[[], Accounts], *, reopen: Callable[[Accounts], Accounts] | None = None
) -> None:
    """Raise AssertionError, with a sentence, at the first promise that is not kept.

    `make_accounts` returns a new one with nobody in it. `reopen` closes one and opens it again: then every
    check runs once more, with it opened again between steps. Leave it out where nothing is kept.
    """
    steps: list[Callable[[Accounts], Accounts]] = [_same] if reopen is None else [_same, reopen]
    for step in steps:
        for check in (
            _check_names,
            _check_passwords,
            _check_removal,
            _check_sessions,
            _check_bound,
            _check_age,
        ):
            check(make_accounts(), step).close()


def _check_names(accounts: Accounts, step: Callable[[Accounts], Accounts]) -> Accounts:
    assert accounts.all() == [], "there is nobody at first"
    assert accounts.find("ada") is None, "who is not there is not found"
    ada, ben = _account("ada", role="admin"), _account("ben@example.com")
    assert accounts.add(ben), "a new name is added"
    assert accounts.add(ada), "a second one is added beside it"
    accounts = step(accounts)
    assert not accounts.add(_account("ada")), "a name is given once"
    assert accounts.find("ada") == ada, "and stays as it was"
    assert accounts.find("ADA") is None, "names are compared as they are"
    assert accounts.all() == [ada, ben], "all are there, by name"
    return accounts


def _check_passwords(accounts: Accounts, step: Callable[[Accounts], Accounts]) -> Accounts:
    ada, session = _account("ada"), _session("ada", 1)
    accounts.add(ada)
    accounts.add(_account("ben"))
    assert accounts.open_session(session, password=KEPT, most=9), "who has the password gets in"
    assert accounts.open_session(_session("ben", 2), password=KEPT, most=9), "others get in beside them"
    accounts = step(accounts)
    assert accounts.change_password("ada", "another"), "who is there gets another password"
    assert not accounts.change_password("nobody", "another"), "who is not there gets none"
    accounts = step(accounts)
    found = accounts.find("ada")
    assert found is not None
    assert (found.password, found.role) == ("another", ada.role), "the password is another, and nothing else"
    assert accounts.session(session.mark) is None, "another password ends all sessions of its account"
    assert accounts.session(b"mark-2") is not None, "and no others"
    assert not accounts.open_session(_session("ada", 3), password=KEPT, most=9), (
        "an old password opens nothing"
    )
    assert accounts.session(b"mark-3") is None, "and nothing of it is kept"
    return accounts


def _check_removal(accounts: Accounts, step: Callable[[Accounts], Accounts]) -> Accounts:
    accounts.add(_account("ada"))
    accounts.open_session(_session("ada", 1), password=KEPT, most=9)
    accounts = step(accounts)
    assert accounts.remove("ada"), "who is there is removed"
    assert not accounts.remove("ada"), "once"
    accounts = step(accounts)
    assert accounts.find("ada") is None, "and is not found any more"
    assert accounts.session(b"mark-1") is None, "nor is a session of theirs"
    assert not accounts.open_session(_session("ada", 2), password=KEPT, most=9), "who is gone opens nothing"
    assert accounts.add(_account("ada")), "the name is free again"
    return accounts


def _check_sessions(accounts: Accounts, step: Callable[[Accounts], Accounts]) -> Accounts:
    ada = _account("ada")
    accounts.add(ada)
    first, second, operator = _session("ada", 1), _session("ada", 2), _session(OPERATOR, 3)
    for session in (first, second):
        accounts.open_session(session, password=KEPT, most=9)
    assert accounts.open_session(operator, password=None, most=9), "the operator needs no account"
    accounts = step(accounts)
    assert accounts.session(first.mark) == (first, ada), "a session is found with its account"
    assert accounts.session(operator.mark) == (operator, None), "or with none"
    assert accounts.session(b"other") is None, "what was not begun is not found"
    accounts.see(first, 70)
    accounts.see(operator, 80)
    accounts = step(accounts)
    seen = accounts.session(first.mark)
    assert seen is not None
    assert (seen[0].started_at, seen[0].seen_at) == (first.started_at, 70), (
        "a session is seen, and not begun anew"
    )
    assert accounts.all()[0].last_seen_at == 70, "and its account with it"
    accounts.end_session(first.mark)
    accounts.end_session(b"other")
    accounts = step(accounts)
    assert accounts.session(first.mark) is None, "one is ended"
    assert accounts.session(second.mark) is not None, "and no other"
    accounts.end_sessions(OPERATOR)
    assert accounts.session(operator.mark) is None, "all of a name are ended"
    assert accounts.session(second.mark) is not None, "and none of another"
    return accounts


def _check_bound(accounts: Accounts, step: Callable[[Accounts], Accounts]) -> Accounts:
    for name in ("ada", "ben"):
        accounts.add(_account(name))
    accounts.open_session(_session("ben", 0), password=KEPT, most=2)
    for number in (3, 1, 2):
        accounts.open_session(_session("ada", number, seen_at=number), password=KEPT, most=2)
        accounts = step(accounts)
    kept = [number for number in (1, 2, 3) if accounts.session(f"mark-{number}".encode()) is not None]
    assert kept == [2, 3], "of too many, the one that was not seen for longest is ended"
    assert accounts.session(b"mark-0") is not None, "others have their own"
    return accounts


def _check_age(accounts: Accounts, step: Callable[[Accounts], Accounts]) -> Accounts:
    accounts.add(_account("ada"))
    for number, started_at, seen_at in ((1, 10, 99), (2, 11, 20), (3, 11, 21)):
        session = Session(
            mark=f"mark-{number}".encode(), account="ada", started_at=started_at, seen_at=seen_at
        )
        accounts.open_session(session, password=KEPT, most=9)
    accounts = step(accounts)
    assert accounts.expire(started_before=11, seen_before=21) == 2, "it says how many are ended"
    accounts = step(accounts)
    assert accounts.session(b"mark-1") is None, "one that began too early is ended"
    assert accounts.session(b"mark-2") is None, "one that was not seen for too long, too"
    assert accounts.session(b"mark-3") is not None, "one at the very bound goes on"
    return accounts


def _account(name: str, *, role: Role = "viewer") -> Account:
    return Account(name=name, role=role, password=KEPT, created_at=5)


def _session(account: str, number: int, *, seen_at: int = 50) -> Session:
    return Session(mark=f"mark-{number}".encode(), account=account, started_at=40, seen_at=seen_at)


def _same(accounts: Accounts) -> Accounts:
    return accounts
