"""Attempts: who guesses waits, and who does not is not kept waiting for long."""

from __future__ import annotations

import pytest

from sojourn.server.access.attempts import BY_ADDRESS, BY_NAME, FORGET_MS, Attempts

NOW = 1_000_000


def waits(attempts: Attempts, n_tries: int, *, name: str = "ada", address: str = "192.0.2.1") -> list[int]:
    """Fail so often, each time as soon as one may; return how long one had to wait each time."""
    now, found = NOW, []
    for _ in range(n_tries):
        wait = attempts.begin(name, address, now=now)
        if wait:
            assert attempts.begin(name, address, now=now + wait - 1) == 1
            now += wait
            assert attempts.begin(name, address, now=now) == 0
        found.append(wait)
    return found


def test_a_name_waits_twice_as_long_each_time_up_to_a_minute() -> None:
    """The first few are slips of the hand."""
    assert waits(Attempts(), 13) == [
        0,
        0,
        0,
        0,
        0,
        1_000,
        2_000,
        4_000,
        8_000,
        16_000,
        32_000,
        60_000,
        60_000,
    ]


def test_an_address_that_tries_many_names_waits_too() -> None:
    """Up to a quarter of an hour."""
    attempts = Attempts()
    found = [attempts.begin(f"name{number}", "192.0.2.1", now=NOW) for number in range(25)]
    assert found == [0] * BY_ADDRESS.free + [BY_ADDRESS.first_ms] * 5
    assert BY_ADDRESS.wait_ms(1_000) == BY_ADDRESS.longest_ms == 900_000


def test_many_at_once_are_many() -> None:
    """An attempt counts from its beginning, not from its answer: nobody gets more by not waiting for it."""
    attempts = Attempts()
    found = [attempts.begin("ada", f"192.0.2.{number}", now=NOW) for number in range(9)]
    assert found == [0] * BY_NAME.free + [1_000] * 4


def test_who_gets_in_begins_anew_and_their_address_does_not() -> None:
    """Else one account of one's own would buy any number of guesses at others."""
    attempts = Attempts()
    for number in range(BY_ADDRESS.free):
        attempts.begin(f"victim{number}", "192.0.2.1", now=NOW)
        attempts.begin("mallory", "198.51.100.1", now=NOW)
        attempts.succeeded("mallory", "198.51.100.1")
    assert attempts.begin("mallory", "198.51.100.1", now=NOW) == 0
    attempts.succeeded("victim0", "203.0.113.9")
    assert attempts.begin("another", "192.0.2.1", now=NOW) == 1_000


def test_after_an_hour_all_is_forgotten() -> None:
    """A slip of last month is none of today's."""
    attempts = Attempts()
    waits(attempts, 30)
    assert attempts.begin("ada", "192.0.2.1", now=NOW + 10 * FORGET_MS) == 0
    assert len(attempts) == 2


def test_an_ipv6_network_is_one_address() -> None:
    """Everybody is given 2^64 of them."""
    attempts = Attempts()
    for number in range(BY_ADDRESS.free):
        attempts.begin(f"n{number}", f"2001:db8::{number:x}", now=NOW)
    assert attempts.begin("x", "2001:db8::ffff:1", now=NOW) == 1_000
    assert attempts.begin("x", "2001:db8:0:1::1", now=NOW) == 0


@pytest.mark.parametrize("most", [1, 2, 10])
def test_what_is_remembered_has_a_bound(most: int) -> None:
    """Names come from anybody."""
    attempts = Attempts(most=most)
    for number in range(100):
        attempts.begin(f"name{number}", f"192.0.2.{number}", now=NOW)
    assert len(attempts) == most
