"""Attempts: who guesses waits, twice as long each time, by the name guessed at and by their address."""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address

from msgspec import Struct

MAX_KEPT = 10_000
"""Names and addresses that are remembered; the one not heard of for longest is forgotten for a new one."""
FORGET_MS = 3_600_000  # An hour after the last attempt all is as if nothing had been.


class Patience(Struct, frozen=True, kw_only=True):
    """How many attempts are free, and how long one waits then."""

    free: int
    first_ms: int
    longest_ms: int

    def wait_ms(self, n_failed: int) -> int:
        """Return how long nobody may try after so many failures."""
        over = n_failed - self.free
        return 0 if over < 0 else min(self.first_ms << min(over, 30), self.longest_ms)


BY_NAME = Patience(free=5, first_ms=1_000, longest_ms=60_000)
"""A minute at most: somebody else's guesses must not shut out for long whom the name belongs to."""
BY_ADDRESS = Patience(free=20, first_ms=1_000, longest_ms=900_000)
"""More are free: an office has one address."""


class _Count(Struct):
    n_failed: int = 0
    last_at: int = 0


class Attempts:
    """Counts attempts that failed; each is taken for one from its beginning: many at once are many."""

    def __init__(self, *, most: int = MAX_KEPT) -> None:
        self._most = most
        self._counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    def begin(self, name: str, address: str, *, now: int) -> int:
        """Note an attempt; where it comes too soon, note nothing and return how long to wait (ms)."""
        keys = _keys(name, address)
        wait = max(self._wait(key, now) for key in keys)
        if wait > 0:
            return wait
        for key in keys:
            count = self._counts.setdefault(key, _Count())
            count.n_failed += 1
            count.last_at = now
            self._counts.move_to_end(key)
        while len(self._counts) > self._most:
            self._counts.popitem(last=False)
        return 0

    def succeeded(self, name: str, address: str) -> None:
        """Forget an attempt that did not fail, and those at its name before; others of its address stay."""
        by_name, by_address = _keys(name, address)
        self._counts.pop(by_name, None)
        self._undo(by_address)

    def take_back(self, name: str, address: str) -> None:
        """Forget an attempt that came to nothing: nobody looked whether it was right."""
        for key in _keys(name, address):
            self._undo(key)

    def _wait(self, key: tuple[str, str], now: int) -> int:
        count = self._counts.get(key)
        if count is None:
            return 0
        if now - count.last_at > FORGET_MS:
            del self._counts[key]
            return 0
        patience = BY_NAME if key[0] == "name" else BY_ADDRESS
        return count.last_at + patience.wait_ms(count.n_failed) - now

    def _undo(self, key: tuple[str, str]) -> None:
        """Take one attempt back."""
        count = self._counts.get(key)
        if count is not None:
            count.n_failed -= 1
            if count.n_failed <= 0:
                del self._counts[key]


def _keys(name: str, address: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("name", name), ("address", _network(address))


def _network(address: str) -> str:
    """Return what one asker has: an address, or of IPv6 a /64, which everybody is given whole."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(IPv6Address(int(found) >> 64 << 64))
    return str(found)
