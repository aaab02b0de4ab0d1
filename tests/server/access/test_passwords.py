"""Passwords: what is kept tells nothing, and only the right one is taken."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.model.errors import InputError
from sojourn.server.access.passwords import (
    MAX_CHARS,
    MIN_CHARS,
    Cost,
    check_password,
    hash_password,
    is_password,
    normal_name,
)
from tests.soak import tries

CHEAP = Cost(log_n=2, r=1, p=1)
PASSWORD = "correct horse battery staple"


def test_a_password_is_hashed_by_scrypt_with_the_parameters_it_says() -> None:
    """Anybody can check: this is the standard library's scrypt, and nothing of our own."""
    kept = hash_password(PASSWORD, Cost(log_n=4, r=2, p=3))
    found = re.fullmatch(r"\$scrypt\$ln=4,r=2,p=3\$([^$]{22})\$([^$]{43})", kept)
    assert found is not None
    salt, hashed = (b64decode(text + "==") for text in found.groups())
    assert hashed == hashlib.scrypt(PASSWORD.encode(), salt=salt, n=16, r=2, p=3, dklen=32)


def test_by_default_the_work_is_what_owasp_asks_for() -> None:
    """N=2^15, r=8, p=3 is one of the settings of its cheat sheet; a weaker one must not slip in."""
    assert hash_password(PASSWORD, Cost()).startswith("$scrypt$ln=15,r=8,p=3$")
    assert is_password(PASSWORD, hash_password(PASSWORD, Cost()))


@given(st.text(max_size=50), st.text(max_size=50))
@settings(max_examples=tries(50), deadline=None)
def test_only_the_password_itself_is_taken(password: str, other: str) -> None:
    """Whatever characters it has."""
    kept = hash_password(password, CHEAP)
    assert is_password(password, kept)
    assert not is_password(other + "x" + password, kept)


def test_two_hashes_of_one_password_differ() -> None:
    """Who reads the file does not see who has the same."""
    assert hash_password(PASSWORD, CHEAP) != hash_password(PASSWORD, CHEAP)


def test_a_hash_of_other_parameters_is_still_compared() -> None:
    """They are raised one day, and those of before must not lock anybody out."""
    assert is_password(PASSWORD, hash_password(PASSWORD, Cost(log_n=3, r=2, p=1)))


def test_letters_that_look_alike_are_alike() -> None:
    """Keyboards compose them differently."""
    assert is_password("Cafe\u0301 au lait, ein Glas", hash_password("Caf\u00e9 au lait, ein Glas", CHEAP))


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("x" * (MIN_CHARS - 1), "got 11"),
        ("correct horse" * MAX_CHARS, "characters"),
        ("aaaaaaaaaaaaaaaa", "different"),
        ("abababababababab", "different"),
        ("ada-lovelace1", "name"),
        ("", "got 0"),
    ],
)
def test_a_password_that_is_soon_guessed_is_refused(password: str, reason: str) -> None:
    """With what is wrong, and never with the password."""
    with pytest.raises(InputError, match=reason) as refused:
        check_password(password, "ada-lovelace")
    assert refused.value.code == "bad-password"
    assert not password or password not in refused.value.reason


def test_some_words_are_a_password() -> None:
    """Nobody has to think of a digit and a sign."""
    check_password(PASSWORD, "ada")


@pytest.mark.parametrize(("written", "kept"), [(" Ada ", "ada"), ("Ben+x@Example.com", "ben+x@example.com")])
def test_a_name_is_kept_without_capitals(written: str, kept: str) -> None:
    """So that nobody is two people."""
    assert normal_name(written) == kept


@pytest.mark.parametrize("name", ["", " ", "$operator", "a b", "ä", "a\x00", "../x", "x" * 65, "a/b", "-x"])
def test_what_cannot_be_a_name_is_refused(name: str) -> None:
    """Above all the operator's own, which has all rights."""
    with pytest.raises(InputError, match="bad-name"):
        normal_name(name)
