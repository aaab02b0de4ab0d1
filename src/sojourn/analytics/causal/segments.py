"""Segments: the same trial among people who differed before it; what they did after it is no segment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.causal.effects import effect_of
from sojourn.analytics.causal.measuring import Tested
from sojourn.analytics.causal.outcomes import places_before
from sojourn.analytics.causal.results import SegmentEffect, Settings
from sojourn.analytics.events import MISSING, Events
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError

MAX_SEGMENTS = 50
MIN_ARM = 30
"""People of the smaller arm of a segment, below which it is put with the rest."""
REST, UNKNOWN = "(rest)", "(unknown)"


def by_segment(events: Events, tested: Tested, name: str, settings: Settings) -> list[SegmentEffect]:
    """Measure a trial among people by what an attribute of theirs was at their first opportunity.

    Intervals are so wide that all hold together (Bonferroni).

    Raises:
        ConfigError: No attribute is called so, or it is known of nobody before their first opportunity.
    """
    codes, values = _segments(events, tested, name)
    rows = []
    n_segments = len(np.unique(codes))
    alpha = (1 - settings.level) / max(n_segments, 1)
    for code in np.unique(codes).tolist():
        kept = codes == code
        is_held = tested.is_held[kept]
        effect = effect_of(
            tested.outcome[kept], is_held, tested.known[kept], alpha=alpha, looks=settings.looks
        )
        rows.append(
            SegmentEffect(
                kind=tested.unit.kind,
                name=tested.unit.name,
                segment=values[code],
                people=len(is_held),
                held=int(is_held.sum()),
                effect=effect,
                incremental=effect.times(int((~is_held).sum())),
            )
        )
    return rows


def _segments(events: Events, tested: Tested, name: str) -> tuple[NDArray[np.int64], list[str]]:
    """Return the segment of each person, and the names of segments."""
    if name not in events.columns:
        raise ConfigError(f"no attribute is called {name!r}{did_you_mean(name, events.columns)}")
    column = events.columns[name]
    high = places_before(events, tested.person, tested.at)
    last = np.maximum.accumulate(np.where(column.codes == MISSING, MISSING, np.arange(len(column.codes))))
    place = last[high - 1]
    is_known = (high > events.starts[tested.person]) & (place >= events.starts[tested.person])
    if not is_known.any():
        raise ConfigError(
            f"--by {name}: it is known of nobody before their first opportunity; people who differ in what "
            "came after it may differ because of it, and the arms would not be alike [post-treatment]"
        )
    names = [*column.values, REST, UNKNOWN]
    codes = np.where(is_known, column.codes[np.maximum(place, 0)], len(names) - 1).astype(np.int64)
    n_held = np.bincount(codes[tested.is_held], minlength=len(names))
    n_met = np.bincount(codes[~tested.is_held], minlength=len(names))
    smaller = np.minimum(n_held, n_met)
    largest = np.argsort(-smaller, kind="stable")[:MAX_SEGMENTS]
    stays = (smaller >= MIN_ARM) & np.isin(np.arange(len(names)), largest)
    return np.where(stays[codes], codes, len(names) - 2), names
