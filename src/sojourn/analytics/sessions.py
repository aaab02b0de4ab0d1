"""Sessions: cut by silence, where none were recorded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sojourn.analytics.events import Events

GAP_MS = 30 * 60_000  # of silence ends a visit: the web's convention since Urchin, and the engine's.


def with_sessions(events: Events, *, gap_ms: int = GAP_MS) -> Events:
    """Cut each person's events into sessions: a silence above `gap_ms` begins a new one."""
    is_new = np.ones(len(events), dtype=bool)
    np.greater(np.diff(events.at), gap_ms, out=is_new[1:])
    is_new[events.starts[:-1]] = True
    return replace(events, session=(np.cumsum(is_new) - 1).astype(np.int32))
