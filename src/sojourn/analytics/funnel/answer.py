"""The answer of a funnel: how many got how far, how fast, who they are, and where the others went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.cases import Unit, cases_of, unit_means
from sojourn.analytics.events import Cases, Events
from sojourn.analytics.funnel.any_order import spans_in_any_order
from sojourn.analytics.funnel.counted import Counted, count_attempts, count_cases
from sojourn.analytics.funnel.definition import Funnel
from sojourn.analytics.funnel.drop_off import after_drop_off, went_to
from sojourn.analytics.funnel.moments import moments
from sojourn.analytics.funnel.relevant import Relevant, relevant
from sojourn.analytics.funnel.spans import spans_in_order
from sojourn.analytics.funnel.whose import by_attribute
from sojourn.analytics.graph.sankey import Sankey
from sojourn.analytics.proportions import Share, independent, share_of
from sojourn.analytics.tables import Table
from sojourn.model.errors import ConfigError

QUANTILES = (0.1, 0.5, 0.9)


class FunnelStep(Struct, frozen=True, kw_only=True):
    """How many got to one step, and how many of them no further."""

    step: str
    count: int
    """Of what is counted: people, sessions or attempts."""
    people: int
    """Whose they are."""
    dropped: int
    """Got here and no further; of the last step: 0."""
    from_start: Share
    from_previous: Share


@dataclass(frozen=True, eq=False)
class FunnelAnswer:
    """What a funnel came to. Each further question is answered from the same counted passes, so all views
    agree."""

    funnel: Funnel
    events: Events
    cases: Cases
    relevant: Relevant
    counted: Counted

    @cached_property
    def definition(self) -> dict[str, Any]:
        """Say what the numbers mean, and how many people stand behind them."""
        return {
            **self.funnel.in_words(),
            "case": unit_means(self.events, self.unit),
            "n_events": len(self.events),
            "n_people": self.events.n_people,
            "n_cases": len(self.cases),
        }

    @property
    def unit(self) -> Unit:
        """What is followed."""
        return "session" if self.funnel.per == "session" else "person"

    @cached_property
    def person(self) -> NDArray[np.int32]:
        """Whose each counted pass is, shape (n_counted,), ascending."""
        return self.cases.person[self.counted.case]

    @cached_property
    def steps(self) -> tuple[FunnelStep, ...]:
        """Count who got to each step; no later step has more than one before it."""
        answer = []
        depths = np.bincount(self.counted.depth, minlength=len(self.funnel.steps) + 1)
        counts = np.cumsum(depths[:0:-1])[::-1].tolist()
        for k, label in enumerate(self.funnel.labels):
            is_last = k + 1 == len(counts)
            answer.append(
                FunnelStep(
                    step=label,
                    count=counts[k],
                    people=_distinct(self.person[self.counted.reached(k + 1)]),
                    dropped=0 if is_last else counts[k] - counts[k + 1],
                    from_start=self._share(k + 1, 1),
                    from_previous=self._share(k + 1, max(k, 1)),
                )
            )
        return tuple(answer)

    def _share(self, depth: int, of_depth: int) -> Share:
        return self.share(self.counted.depth >= depth, self.counted.depth >= of_depth)

    def share(self, hit: NDArray[np.bool_], tried: NDArray[np.bool_]) -> Share:
        """Return how many of some of the counted are of others, with an interval that knows whose they are.

        Both have the shape (n_counted,); what is hit was tried.
        """
        effective = None if self.funnel.per == "person" else independent(hit, tried, self.person)
        n_hit, n_tried = int(np.count_nonzero(hit)), int(np.count_nonzero(tried))
        return share_of(n_hit, n_tried, level=self.funnel.level, of_effective=effective)

    def table(self) -> Table:
        """Lay out the counts, one row a step."""
        shares = [(one.from_start, one.from_previous) for one in self.steps]
        columns: dict[str, Any] = {"n": np.arange(1, len(self.steps) + 1)}
        columns |= {
            name: [getattr(one, name) for one in self.steps]
            for name in ("step", "count", "people", "dropped")
        }
        for i, prefix in enumerate(("from_start", "from_previous")):
            columns[prefix] = [both[i].share for both in shares]
            columns[f"{prefix}_low"] = [both[i].low for both in shares]
            columns[f"{prefix}_high"] = [both[i].high for both in shares]
        return Table(columns, self.definition)

    @cached_property
    def moments(self) -> NDArray[np.int64]:
        """The relevant event of each step of each counted pass, shape (n_steps, n_counted); -1 past its
        depth."""
        return moments(self.relevant, self.funnel, self.counted)

    def times(self, quantiles: tuple[float, ...] = QUANTILES) -> Table:
        """Tell how long steps took those who took them: from the step before, and from the start; ms.

        One row a step after the first. Those who dropped out are not in it, so it says how fast who goes on
        is, and not how long others should be waited for: for that see `time_to_convert`.
        """
        columns: dict[str, Any] = {
            "n": np.arange(2, len(self.funnel.steps) + 1),
            "step": self.funnel.labels[1:],
            "count": [],
        }
        names = {q: f"p{q * 100:g}" for q in quantiles}
        for prefix in ("from_previous", "from_start"):
            columns |= {f"{prefix}_{name}_ms": [] for name in names.values()}
        for k in range(1, len(self.funnel.steps)):
            which = self.counted.reached(k + 1)
            columns["count"].append(len(which))
            at = self.relevant.at[self.moments[k, which]]
            began = {
                "from_previous": self.relevant.at[self.moments[k - 1, which]],
                "from_start": self.relevant.at[self.counted.first[which]],
            }
            for prefix, before in began.items():
                took = np.quantile(at - before, quantiles).tolist() if len(which) else [None] * len(quantiles)
                for name, value in zip(names.values(), took, strict=True):
                    columns[f"{prefix}_{name}_ms"].append(value)
        return Table(columns, self.definition)

    def passes(self, step: int = 1, *, only_dropped: bool = False) -> Table:
        """List exactly those counted at a step (from 1): one row for each, by person.

        Args:
            step: The step they got to.
            only_dropped: And no further.

        Raises:
            ConfigError: The funnel has no such step.
        """
        which = self._at(step, only_dropped=only_dropped)
        columns: dict[str, Any] = {"person": _pick(self.events.people, self.person[which])}
        if self.funnel.per == "session" and self.events.session is not None:
            columns["session"] = self.events.session[self.relevant.event[self.counted.first[which]]]
        columns["got_to"] = self.counted.depth[which].astype(np.int64)
        columns["began_at"] = self.relevant.at[self.counted.first[which]]
        columns["got_there_at"] = self.relevant.at[self.counted.last[which]]
        return Table(columns, {**self.definition, "step": step, "only_dropped": only_dropped})

    def people(self, step: int = 1, *, only_dropped: bool = False) -> list[str]:
        """List the ids of the people counted at a step (from 1), each once."""
        which = self._at(step, only_dropped=only_dropped)
        return _pick(self.events.people, np.unique(self.person[which]))

    def _at(self, step: int, *, only_dropped: bool) -> NDArray[np.int64]:
        if not 1 <= step <= len(self.funnel.steps):
            raise ConfigError(f"the funnel has steps 1 to {len(self.funnel.steps)}, not {step}")
        if only_dropped:
            return np.flatnonzero(self.counted.depth == step) if step < len(self.funnel.steps) else _NOBODY
        return self.counted.reached(step)

    def by_attribute(self, name: str, *, limit: int = 10) -> Table:
        """Break the counts down by an attribute: see `whose.by_attribute`."""
        return by_attribute(self, name, limit=limit)

    def went_to(self, *, limit: int = 10) -> Table:
        """Tell what those who got no further did next: see `drop_off.went_to`."""
        return went_to(self, limit=limit)

    def after_drop_off(self, step: int, *, n_columns: int = 4, limit: int = 8) -> Sankey:
        """Draw where those went who got to a step and no further: see `drop_off.after_drop_off`."""
        return after_drop_off(self, step, n_columns=n_columns, limit=limit)


def funnel(events: Events, asked: Funnel) -> FunnelAnswer:
    """Count how many get how far.

    Raises:
        ConfigError: A step or an exclusion names what no event has.
    """
    cases = cases_of(events, "session" if asked.per == "session" else "person")
    some = relevant(events, cases, asked)
    spans = (spans_in_any_order if asked.order == "any" else spans_in_order)(some, asked)
    counted = (count_attempts if asked.per == "attempt" else count_cases)(some, spans)
    return FunnelAnswer(asked, events, cases, some, counted)


_NOBODY = np.zeros(0, dtype=np.int64)


def _pick(names: Sequence[str], which: NDArray[Any]) -> list[str]:
    return [names[i] for i in which.tolist()]


def _distinct(ascending: NDArray[Any]) -> int:
    return int(np.count_nonzero(np.diff(ascending, prepend=-1)))
