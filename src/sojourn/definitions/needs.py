"""Needs: what several expressions together ask of a profile."""

from __future__ import annotations

from collections.abc import Iterable

from sojourn.definitions.expression import Needs


def merge_needs(several: Iterable[Needs]) -> Needs:
    """Return what all of them ask: of a count its longest window, of everything else all names."""
    counts: dict[str, int] = {}
    each = list(several)
    for needs in each:
        for name, within_ms in needs.counts.items():
            counts[name] = max(counts.get(name, 0), within_ms)
    return Needs(
        counts=dict(sorted(counts.items())),
        since=frozenset().union(*(needs.since for needs in each)),
        visits=frozenset().union(*(needs.visits for needs in each)),
        regressed=any(needs.regressed for needs in each),
        traits=frozenset().union(*(needs.traits for needs in each)),
        experiments=frozenset().union(*(needs.experiments for needs in each)),
        segments=frozenset().union(*(needs.segments for needs in each)),
        profile=any(needs.profile for needs in each),
        friction=any(needs.friction for needs in each),
        propensities=frozenset().union(*(needs.propensities for needs in each)),
    )
