"""Traits and counters: what is known of a person, kept so that the order of arrival does not matter."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping
from typing import Any

import msgspec

from sojourn.engine.objects import encode_json
from sojourn.engine.state import Counter, Trait

_encode_state = msgspec.msgpack.Encoder().encode

MAX_TRAITS = 300  # as Segment Unify; more is a product's data model in the wrong place.
MAX_TRAIT_NAME_CHARS = 200  # a longer name is not learnt.
MAX_TRAIT_BYTES = 4_096  # of a value: a text or a short list, no document; 300 of them are 1.2 MB.
MAX_TIMES = 256  # a windowed count saturates here.


def learn(traits: dict[str, Trait], said: Mapping[str, Any], *, at: int, message_id: str) -> None:
    """Take in what an event says of a person; the newest (at, message id) wins, name by name."""
    for name, value in said.items():
        if len(name) <= MAX_TRAIT_NAME_CHARS:
            _keep_newer(traits, name, Trait(at, message_id, _storable(value)))


def merge_traits(traits: dict[str, Trait], others: Mapping[str, Trait]) -> None:
    """Bring the traits of another life in."""
    for name, other in others.items():
        _keep_newer(traits, name, other)


def tally(counters: dict[str, Counter], name: str, *, at: int, window_ms: int) -> None:
    """Count one event; `window_ms` is the longest window any definition asks for (0: none)."""
    counter = counters.get(name)
    if counter is None:
        counter = counters[name] = Counter()
    counter.n += 1
    counter.last_at = max(counter.last_at, at)
    if window_ms:
        insort(counter.times, at)
        _prune(counter, window_ms)


def merge_counters(
    counters: dict[str, Counter], others: Mapping[str, Counter], windows: Mapping[str, int]
) -> None:
    """Bring the counters of another life in."""
    for name, other in others.items():
        counter = counters.setdefault(name, Counter())
        counter.n += other.n
        counter.last_at = max(counter.last_at, other.last_at)
        counter.times = sorted(counter.times + other.times)
        _prune(counter, windows.get(name, 0))


def count_within(counter: Counter, *, at: int, within_ms: int) -> int:
    """Count the events in (at - within_ms, at]; never more than MAX_TIMES."""
    return bisect_right(counter.times, at) - bisect_right(counter.times, at - within_ms)


def _storable(value: Any) -> Any:
    """Return a value as states can hold it.

    As its JSON text, where an integer in it is beyond 64 bits; None, where it is larger than MAX_TRAIT_BYTES:
    an older value must not stay as if nothing newer had been said.
    """
    if isinstance(value, float | bool | None):
        return value
    try:
        n_bytes = len(_encode_state(value))
    except OverflowError:
        value = encode_json(value).decode()
        n_bytes = len(value)
    return value if n_bytes <= MAX_TRAIT_BYTES else None


def _keep_newer(traits: dict[str, Trait], name: str, new: Trait) -> None:
    old = traits.get(name)
    if old is None:
        if len(traits) < MAX_TRAITS:
            traits[name] = new
    elif (new.at, new.message_id) > (old.at, old.message_id):
        traits[name] = new


def _prune(counter: Counter, window_ms: int) -> None:
    times = counter.times
    n_old = bisect_left(times, times[-1] - window_ms) if times else 0
    n_over = max(n_old, len(times) - MAX_TIMES)
    if n_over:
        del times[:n_over]
