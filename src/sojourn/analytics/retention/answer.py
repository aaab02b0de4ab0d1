"""The answer of retention: of each cohort, how many came back when, and what could not be seen yet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.events import Events
from sojourn.analytics.groups import Named
from sojourn.analytics.periods import Periods, periods
from sojourn.analytics.proportions import wilson
from sojourn.analytics.retention.definition import Retention
from sojourn.analytics.retention.followed import NOBODY, Counts, Followed, Returns, follow, returns
from sojourn.analytics.tables import Table
from sojourn.model.errors import ConfigError

Status = Literal["over", "partly", "running", "ahead"]

STATUSES: dict[Status, str] = {
    "over": "the whole period is over for all of the cohort",
    "partly": "it is over for some of them, and the share is of these",
    "running": "it has begun and is not over: more may come back",
    "ahead": "nothing of it is in the data",
}
MAX_CELLS = 50_000_000  # 400 MB: what is counted by cohort, first period and column.


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """What is counted of each cohort and column. Arrays are (n_cohorts, n_columns)."""

    count: Counts
    """Who came back, of ..."""
    of: Counts
    """... those for whom the whole period is over."""
    count_so_far: Counts
    """Who came back, of ..."""
    of_so_far: Counts
    """... those for whom it has begun and is not over."""
    ahead: Counts
    """People for whom it has not begun."""

    def status(self) -> NDArray[Any]:
        """Say of each cell what it is: see STATUSES."""
        return np.select(
            [(self.of > 0) & (self.of_so_far + self.ahead == 0), self.of > 0, self.of_so_far > 0],
            ["over", "partly", "running"],
            "ahead",
        )


@dataclass(frozen=True, eq=False)
class RetentionAnswer:
    """What retention came to; every view is of the same people."""

    retention: Retention
    events: Events
    calendar: Periods
    until_ms: int
    followed: Followed
    returns: Returns

    @cached_property
    def definition(self) -> dict[str, Any]:
        """Say what the numbers mean, and how many people stand behind them."""
        n_followed = int(np.count_nonzero(self.followed.cohort != NOBODY))
        return {
            **self.retention.in_words(),
            "until_ms": self.until_ms,
            "n_events": len(self.events),
            "n_people": self.events.n_people,
            "n_followed": n_followed,
            "n_without_first": self.events.n_people - n_followed,
        }

    @property
    def cohorts(self) -> Named:
        """Name the cohorts: (kind, name)."""
        return self.followed.cohorts

    @cached_property
    def sizes(self) -> Counts:
        """Count the people of each cohort."""
        return np.bincount(self.followed.cohort[self.followed.cohort != NOBODY], minlength=len(self.cohorts))

    @cached_property
    def _over_before(self) -> int:
        """The first period that is not over."""
        return int(self.calendar.of(np.array([self.until_ms], dtype=np.int64))[0])

    @cached_property
    def _last_begun(self) -> int:
        return int(self.calendar.of(np.array([self.until_ms - 1], dtype=np.int64))[0])

    @cached_property
    def cells(self) -> Cells:
        """Count each cohort and column.

        Raises:
            ConfigError: There would be more than MAX_CELLS of cohort, first period and column.
        """
        people = np.flatnonzero(self.followed.cohort != NOBODY)
        keys = self.followed.cohort[people] * len(self.calendar) + self.followed.period[people]
        # People of one cohort and one first period are alike in what can be seen of them.
        alike, group = np.unique(keys, return_inverse=True)
        group_of = np.full(self.events.n_people, NOBODY, dtype=np.int64)
        group_of[people] = group
        if len(alike) * len(self.retention.columns) > MAX_CELLS:
            raise ConfigError(
                "too many cohorts, periods and columns at once: ask for a longer period or for fewer"
            )
        cohort, first = np.divmod(alike, len(self.calendar))
        low, high = np.array(self.retention.columns, dtype=np.int64).T
        is_over = first[:, None] + high < self._over_before
        has_begun = first[:, None] + low <= self._last_begun
        back = self._back(group_of, len(alike))
        size = np.bincount(group, minlength=len(alike))[:, None]
        begins = np.searchsorted(cohort, np.arange(len(self.cohorts)))

        def total(of_groups: Counts) -> Counts:
            if not len(begins):
                return np.zeros((0, len(low)), dtype=np.int64)
            return np.add.reduceat(of_groups, begins, axis=0)

        runs = has_begun & ~is_over
        return Cells(
            count=total(back * is_over),
            of=total(size * is_over),
            count_so_far=total(back * runs),
            of_so_far=total(size * runs),
            ahead=total(size * ~has_begun),
        )

    def _back(self, group_of: Counts, n_groups: int) -> Counts:
        """Count who came back, shape (n_groups, n_columns)."""
        person, column = self._pairs
        n_columns = len(self.retention.columns)
        keys = group_of[person] * n_columns + column
        counts = np.bincount(keys, minlength=n_groups * n_columns).reshape(n_groups, n_columns)
        # Of "rolling" a pair is the last n, and stands for those before it.
        return np.cumsum(counts[:, ::-1], axis=1)[:, ::-1] if self.retention.counting == "rolling" else counts

    @cached_property
    def _pairs(self) -> tuple[Counts, Counts]:
        """Who came back in which column: each pair of a person and a column once."""
        person, n = self.returns.person, self.returns.n
        if self.retention.counting == "classic":
            shown = n < len(self.retention.columns)
            return person[shown], n[shown]
        if self.retention.counting == "rolling":
            is_last = np.append(person[1:] != person[:-1], True)[: len(person)]
            return person[is_last], np.minimum(n[is_last], self.retention.n_periods)
        inside = [_once(person[(low <= n) & (n <= high)]) for low, high in self.retention.columns]
        return np.concatenate(inside), np.repeat(np.arange(len(inside)), [len(people) for people in inside])

    def table(self) -> Table:
        """Lay out all cells, one row for each cohort and column."""
        n_columns = len(self.retention.columns)
        return Table(
            {
                "kind": [kind for kind, _ in self.cohorts for _ in range(n_columns)],
                "cohort": [name for _, name in self.cohorts for _ in range(n_columns)],
                "people": np.repeat(self.sizes, n_columns),
                **self._columns(self.cells),
            },
            {**self.definition, "statuses": STATUSES},
        )

    def overall(self) -> Table:
        """Lay out all cohorts together, one row a column."""
        cells = self.cells
        fields = ("count", "of", "count_so_far", "of_so_far", "ahead")
        together = Cells(**{name: getattr(cells, name).sum(axis=0, keepdims=True) for name in fields})
        return Table(self._columns(together), {**self.definition, "statuses": STATUSES})

    def _columns(self, cells: Cells) -> dict[str, Any]:
        low, high = wilson(cells.count.ravel(), cells.of.ravel(), level=self.retention.level)
        with np.errstate(invalid="ignore"):
            share = cells.count.ravel() / cells.of.ravel()
        return {
            "n": self.retention.labels * len(cells.count),
            "status": cells.status().ravel().tolist(),
            "count": cells.count.ravel(),
            "of": cells.of.ravel(),
            "share": share,
            "low": low,
            "high": high,
            "count_so_far": cells.count_so_far.ravel(),
            "of_so_far": cells.of_so_far.ravel(),
            "ahead": cells.ahead.ravel(),
        }

    def people(self, cohort: int, column: int | None = None, *, so_far: bool = False) -> list[str]:
        """List exactly the people counted in a cell, or in a whole cohort.

        Args:
            cohort: Which of `cohorts`.
            column: Which of the definition's columns; None: all of the cohort.
            so_far: Those of `count_so_far` and not those of `count`.

        Raises:
            ConfigError: There is no such cohort or column.
        """
        n_columns = len(self.retention.columns)
        if not 0 <= cohort < len(self.cohorts) or not 0 <= (column or 0) < n_columns:
            raise ConfigError(
                f"there are {len(self.cohorts)} cohorts and {n_columns} columns, counted from 0"
            )
        if column is None:
            who = np.flatnonzero(self.followed.cohort == cohort)
        else:
            person, found = self._pairs
            is_here = found >= column if self.retention.counting == "rolling" else found == column
            who = person[is_here & (self.followed.cohort[person] == cohort)]
            low, high = self.retention.columns[column]
            is_over = self.followed.period[who] + high < self._over_before
            who = who[~is_over & (self.followed.period[who] + low <= self._last_begun) if so_far else is_over]
        return [self.events.people[i] for i in who.tolist()]


def retention(events: Events, asked: Retention) -> RetentionAnswer:
    """Count who comes back.

    Raises:
        ConfigError: The events lack a name or an attribute that is asked for, the zone is unknown, or
            `until_ms` lies before the last event.
    """
    first, last = (int(events.at.min()), int(events.at.max())) if len(events) else (0, 0)
    until_ms = last + 1 if asked.until_ms is None else asked.until_ms
    if until_ms <= last:
        raise ConfigError(
            "there are events after the instant up to which all was observed: leave them out first"
        )
    calendar = periods(asked.period, asked.zone, first=first, last=until_ms)
    followed = follow(events, asked, calendar)
    return RetentionAnswer(
        asked, events, calendar, until_ms, followed, returns(events, asked, calendar, followed)
    )


def _once(people: Counts) -> Counts:
    return people[np.flatnonzero(np.diff(people, prepend=-1))]
