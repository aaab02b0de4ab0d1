"""Opt-outs: a link says what it said when it was signed, and nobody signs one but who has the secret."""

from __future__ import annotations

import random

import pytest

from sojourn.model.optout import MAX_TOKEN_CHARS, OptOut, read, sign

SECRET = "a secret of the operator"
WISH = OptOut("ann", None, "email", "newsletter")


@pytest.mark.parametrize(
    "wish",
    [
        WISH,
        OptOut(None, "phone", "push"),
        OptOut("ü" * 1_000, None, "e-mail", ""),
        OptOut("a.b/c+d", None, ""),
    ],
)
def test_a_token_says_what_was_signed(wish: OptOut) -> None:
    """Whatever the ids are, the longest that the door takes among them."""
    token = sign(wish, SECRET)
    assert read(token, SECRET) == wish
    assert len(token) <= MAX_TOKEN_CHARS
    assert token.replace(".", "").replace("-", "").replace("_", "").isalnum(), "it stands in a path as it is"


def test_the_same_wish_has_the_same_token() -> None:
    """A mail that is sent again is the same mail."""
    assert sign(WISH, SECRET) == sign(WISH, SECRET)


def test_no_changed_token_is_read() -> None:
    """Of any place, any other character; nobody forbids mails for somebody else."""
    token = sign(WISH, SECRET)
    dice = random.Random(1)
    for place in range(len(token)):
        other = dice.choice([letter for letter in "Aaz09-_.=é" if letter != token[place]])
        assert read(token[:place] + other + token[place + 1 :], SECRET) in (None, WISH)
    assert (
        read(token.partition(".")[0] + "." + sign(OptOut("bob", None, "email"), SECRET)[-22:], SECRET) is None
    )


@pytest.mark.parametrize("token", ["", ".", "a", "a.b", "é.é", "=.=", "a" * 10_000, "\x00", "....", " . "])
def test_what_is_no_token_says_nothing(token: str) -> None:
    """Anybody may ask for any path."""
    assert read(token, SECRET) is None


def test_another_secret_reads_nothing() -> None:
    """A secret that was changed makes the old links void."""
    assert read(sign(WISH, SECRET), SECRET + "!") is None
