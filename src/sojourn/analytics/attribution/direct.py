"""Direct traffic: what becomes of touches that name no channel, but only say that somebody came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.attribution.paths import Paths
from sojourn.model.errors import ConfigError

DirectRule = Literal["keep", "drop", "last-non-direct", "merge"]

DIRECT_NAMES = ("direct", "(direct)", "(direct) / (none)", "direct / none")
"""How analytics tools write it; upper and lower case are one."""

_SAID = {
    "keep": "a channel as any other",
    "drop": "left out, unless the path holds nothing else",
    "last-non-direct": "left out at the end of a path, unless the path holds nothing else",
    "merge": "one with the touch before it",
}


def apply_direct_rule(paths: Paths, rule: DirectRule, names: Sequence[str] = DIRECT_NAMES) -> Paths:
    """Treat direct traffic in every path by one rule, and say so in `Paths.rules`.

    `keep`: it is a channel. `drop`: it is left out; a path that holds nothing else stays as it is.
    `last-non-direct`: it is left out after the last touch of another channel; a path that holds nothing
    else stays. `merge`: each is one with the touch before it, whatever channel that was; at the head of a
    path, where there is none, direct touches become a single one. A merged touch happened when its last
    part did.

    Raises:
        ConfigError: The rule is none of these.
    """
    if rule not in _SAID:
        raise ConfigError(f"direct traffic: {rule!r} is no rule; there are {', '.join(_SAID)}")
    is_direct = direct_codes(paths, names)[paths.codes]
    if rule != "keep" and is_direct.any():
        kept = {"drop": _is_kept, "last-non-direct": _is_not_at_the_end, "merge": _is_unmerged}[rule]
        paths = kept_by(paths, rule, kept(paths, is_direct))
    there = [name for name in paths.channels if name.lower() in {each.lower() for each in names}]
    said = f"{rule}: {_SAID[rule]} ({', '.join(there or names)})"
    return replace(paths, rules={**paths.rules, "direct": said})


def direct_codes(paths: Paths, names: Sequence[str]) -> NDArray[np.bool_]:
    """Tell which channels are direct traffic, shape (n_channels,)."""
    lower = {name.lower() for name in names}
    return np.array([name.lower() in lower for name in paths.channels], dtype=np.bool_)


def last_non_direct(paths: Paths, is_direct: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return each path's last touch that is not direct, or -1, shape (n_paths,): an index into `codes`."""
    places = np.where(is_direct, -1, np.arange(len(paths.codes)))
    found = np.full(len(paths), -1, dtype=np.int64)
    has_touches = paths.lengths > 0
    if has_touches.any():
        found[has_touches] = np.maximum.reduceat(places, paths.offsets[:-1][has_touches])
    return found


def kept_by(paths: Paths, rule: DirectRule, kept: NDArray[np.bool_]) -> Paths:
    """Leave out the other touches, and count them; where touches merge, the age is the newest one's."""
    n_gone = int(len(kept) - kept.sum())
    if rule == "merge" and paths.age_ms is not None and n_gone:
        begins = np.flatnonzero(kept)
        age_ms = paths.age_ms.copy()
        age_ms[begins] = np.minimum.reduceat(paths.age_ms, begins)
        paths = replace(paths, age_ms=age_ms)
    return replace(paths.keep_touches(kept), left_out={**paths.left_out, "direct-touches": n_gone})


def _is_kept(paths: Paths, is_direct: NDArray[np.bool_]) -> NDArray[np.bool_]:
    is_all_direct = last_non_direct(paths, is_direct) < 0
    return ~is_direct | is_all_direct[paths.path_of_touch()]


def _is_not_at_the_end(paths: Paths, is_direct: NDArray[np.bool_]) -> NDArray[np.bool_]:
    last = last_non_direct(paths, is_direct)[paths.path_of_touch()]
    return (np.arange(len(paths.codes)) <= last) | (last < 0)


def _is_unmerged(paths: Paths, is_direct: NDArray[np.bool_]) -> NDArray[np.bool_]:
    is_first = np.zeros(len(paths.codes), dtype=np.bool_)
    is_first[paths.offsets[:-1][paths.lengths > 0]] = True
    return ~is_direct | is_first
