"""Variants: the distinct whole paths, and how many take each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.cases import Unit, unit_means
from sojourn.analytics.events import Events
from sojourn.analytics.graph.sequences import Sequences, n_people, sequences
from sojourn.analytics.proportions import independent, wilson
from sojourn.analytics.tables import Table
from sojourn.model.errors import ConfigError

QUANTILES = (0.5, 0.9)
SHOWN_STEPS = 100  # of one path in a table; `n_steps` says how many it has.


@dataclass(frozen=True, eq=False)
class Variants:
    """All distinct paths, the most frequent first; of equally frequent ones the shorter first."""

    events: Events
    unit: Unit
    collapse: bool
    sequences: Sequences
    variant: NDArray[np.int64]
    """Shape (n_cases,): which path each case took."""
    example: NDArray[np.int64]
    """Shape (n_variants,): a case that took it."""
    count: NDArray[np.int64]
    """Shape (n_variants,): how many cases took it."""

    def __len__(self) -> int:
        """Count the distinct paths."""
        return len(self.count)

    @cached_property
    def definition(self) -> dict[str, Any]:
        """Say what the numbers mean, and how many people stand behind them."""
        return {
            "unit": self.unit,
            "case": unit_means(self.events, self.unit),
            "repeats": "equal steps right after one another are one" if self.collapse else "kept",
            "ties": "events at one instant are in the order they came",
            "duration": "from the first event of a case to its last",
            "intervals": "Wilson, 95%"
            + ("" if self.unit == "person" else ", widened as those of one person are alike"),
            "n_variants": len(self),
            "n_cases": len(self.sequences),
            "n_people": self.events.n_people,
        }

    def path(self, variant: int) -> list[str]:
        """Return a path as the names of its steps."""
        case = self.example[variant]
        steps = self.sequences.step[self.sequences.starts[case] : self.sequences.starts[case + 1]]
        return [self.events.steps[code] for code in steps.tolist()]

    def table(self, *, limit: int = 20) -> Table:
        """Lay out the most frequent paths, and the others as one row of `kind` "other"; they add up to all
        cases."""
        shown = min(max(limit, 0), len(self))
        group = np.minimum(self.variant, shown)
        n_rows = shown + (shown < len(self))
        count = np.bincount(group, minlength=n_rows)
        worth = None
        if self.unit == "session":
            every = np.ones(len(group), dtype=np.bool_)
            worth = [independent(group == i, every, self.sequences.person) for i in range(n_rows)]
        low, high = wilson(count, len(group), of_effective=worth)
        paths = [self.path(i) for i in range(shown)]
        rest = [None] * (n_rows - shown)
        return Table(
            {
                "kind": ["variant"] * shown + ["other"] * len(rest),
                "path": [path[:SHOWN_STEPS] for path in paths] + rest,
                "n_steps": [len(path) for path in paths] + rest,
                "n_variants": np.array([1] * shown + [len(self) - shown] * len(rest), dtype=np.int64),
                "count": count,
                "people": n_people(group, self.sequences.person, n_rows),
                "share": count / max(1, len(group)),
                "low": low,
                "high": high,
                **self._durations(group, n_rows),
            },
            self.definition,
        )

    def _durations(self, group: NDArray[np.int64], n_rows: int) -> dict[str, list[float]]:
        at = self.events.at
        took = at[self.sequences.last_event] - at[self.sequences.event[self.sequences.starts[:-1]]]
        rank = np.argsort(group, kind="stable")
        bounds = np.searchsorted(group[rank], np.arange(n_rows + 1))
        of_row = [took[rank[bounds[i] : bounds[i + 1]]] for i in range(n_rows)]
        return {f"p{q * 100:g}_ms": [float(np.quantile(some, q)) for some in of_row] for q in QUANTILES}

    def people(self, variant: int) -> list[str]:
        """List the ids of the people who took a path, each once.

        Raises:
            ConfigError: There is no such path.
        """
        if not 0 <= variant < len(self):
            raise ConfigError(f"there are {len(self)} variants, counted from 0")
        return [
            self.events.people[i] for i in np.unique(self.sequences.person[self.variant == variant]).tolist()
        ]


def variants(events: Events, *, unit: Unit = "person", collapse: bool = False) -> Variants:
    """Tell the distinct whole paths of people or sessions apart.

    Paths are told apart by a 64-bit hash, and then compared step by step: a collision is found, and hashed
    anew.
    """
    lined_up = sequences(events, unit, collapse=collapse)
    lengths = np.diff(lined_up.starts)
    place = np.arange(len(lined_up.step)) - np.repeat(lined_up.starts[:-1], lengths)
    salt = 0
    while True:
        hashes, example, variant, count = np.unique(
            _hashes(lined_up, place, salt), return_index=True, return_inverse=True, return_counts=True
        )
        if _are_alike(lined_up, place, example[variant]):
            break
        salt += 1
    # Of equally frequent ones the shorter first, then by hash: an order that does not depend on that of
    # people.
    rank = np.lexsort((hashes, lengths[example], -count))
    number = np.empty(len(rank), dtype=np.int64)
    number[rank] = np.arange(len(rank))
    return Variants(events, unit, collapse, lined_up, number[variant], example[rank], count[rank])


def _hashes(lined_up: Sequences, place: NDArray[np.int64], salt: int) -> NDArray[np.uint64]:
    """Hash each case: the sum of its steps, each mixed with its place (splitmix64: G. Steele and others,
    2014)."""
    if not len(lined_up):
        return np.zeros(0, dtype=np.uint64)
    mixed = place.astype(np.uint64) << np.uint64(32)
    mixed += lined_up.step.view(np.uint32)
    mixed += np.uint64((salt + 1) * 0x9E3779B97F4A7C15 % (1 << 64))
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed ^= mixed >> np.uint64(shift)
        mixed *= np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return np.add.reduceat(mixed, lined_up.starts[:-1])


def _are_alike(lined_up: Sequences, place: NDArray[np.int64], example: NDArray[np.int64]) -> bool:
    """Tell whether each case has the same steps as its example."""
    lengths = np.diff(lined_up.starts)
    if (lengths != lengths[example]).any():
        return False
    other = lined_up.step[np.repeat(lined_up.starts[example], lengths) + place]
    return bool((lined_up.step == other).all())
