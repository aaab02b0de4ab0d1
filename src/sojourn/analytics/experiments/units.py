"""Units: who is in an experiment, in which arm, since when, and with which chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.events import MISSING, Events
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError

VARIANT, PROPENSITY, ELIGIBLE, ALLOCATION = "variant", "propensity", "eligible", "allocation"
"""What an exposure has beside person, experiment and instant, by the names exposures are read with."""

EQUAL = "equal shares"  # what arms are held against where nobody said their chances.
SAME = 1e-9  # propensities of one arm that lie closer are one.

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """The people of one experiment, in the order in which they met it. Arrays are (n_units,)."""

    experiment: str
    arms: tuple[str, ...]
    """Sorted."""
    people: Sequence[str]
    """Ids, as many as units."""
    arm: NDArray[np.int64]
    """An index into `arms`: the variant met first."""
    at: NDArray[np.int64]
    """When they met it, ms."""
    chances: Numbers | None
    """Shape (n_units, n_arms): with which probability each arm would have been drawn; None: not known."""
    own_chance: Numbers
    """With which the arm they got was; NaN: not known."""
    is_adaptive: bool
    n_multiple: int
    """How many others met several variants: they are left out."""
    n_unread: int = 0
    """People for whom the column that is to say their chance says no number."""

    def __len__(self) -> int:
        """Count them."""
        return len(self.arm)

    @property
    def multiple_share(self) -> float:
        """The share of people who met several variants."""
        return self.n_multiple / max(1, len(self) + self.n_multiple)

    @property
    def is_changing(self) -> bool:
        """Whether people of one arm had different chances of it."""
        for i in range(len(self.arms)):
            own = self.own_chance[self.arm == i]
            own = own[~np.isnan(own)]
            if len(own) and own.max() - own.min() > SAME:
                return True
        return False


def experiments_of(exposures: Events) -> list[str]:
    """Name the experiments anybody met."""
    return sorted(exposures.steps)


def units_of(exposures: Events, experiment: str, *, until_ms: int | None = None) -> Units:
    """Find who met an experiment.

    Args:
        exposures: Each as an event: the step is the experiment, with the columns VARIANT and, where known,
            ELIGIBLE and ALLOCATION, and the value PROPENSITY.
        experiment: Its name.
        until_ms: Exposures later than that are not seen.

    Raises:
        ConfigError: Nobody met it, or a propensity is none.
    """
    if experiment not in exposures.steps:
        hint = did_you_mean(experiment, exposures.steps)
        raise ConfigError(f"nobody met an experiment named {experiment!r}{hint}")
    code = list(exposures.steps).index(experiment)
    variant = exposures.columns[VARIANT]
    is_of = (exposures.step == code) & (variant.codes != MISSING)
    if until_ms is not None:
        is_of &= exposures.at < until_ms
    some = np.flatnonzero(is_of)
    person = exposures.person()[some]
    begins = np.flatnonzero(np.diff(person, prepend=-1))
    which = variant.codes[some]
    changes = which != np.repeat(which[begins], np.diff(np.append(begins, len(some))))
    is_multiple = np.add.reduceat(changes, begins) > 0 if len(begins) else np.zeros(0, dtype=bool)
    first = some[begins[~is_multiple]]
    first = first[np.argsort(exposures.at[first], kind="stable")]
    met = sorted({variant.values[one] for one in np.unique(which).tolist()})
    chances, arms = _chances(exposures, first, met)
    places = np.array([arms.index(name) if name in arms else MISSING for name in variant.values])
    arm = places[variant.codes[first]].astype(np.int64)
    own = exposures.values.get(PROPENSITY, np.full(len(exposures), np.nan))[first]
    if (wrong := own[(own < 0) | (own > 1 + SAME)]).size:
        raise ConfigError(f"{experiment!r}: expected propensities from 0 to 1, got {wrong[0]:g}")
    n_unread = int(np.isnan(own).sum()) if PROPENSITY in exposures.values else 0
    if chances is not None:
        own = np.where(np.isnan(own), chances[np.arange(len(arm)), arm], own)
    ids = exposures.people
    return Units(
        experiment=experiment,
        arms=tuple(arms),
        people=[ids[i] for i in exposures.person()[first].tolist()],
        arm=arm,
        at=exposures.at[first],
        chances=chances,
        own_chance=own,
        is_adaptive=_is_adaptive(exposures, first),
        n_multiple=int(is_multiple.sum()),
        n_unread=n_unread,
    )


def shares_of(units: Units) -> tuple[Numbers | None, str]:
    """Return (the probability of each arm: (n_arms,) or (n_units, n_arms), where that comes from).

    None: it cannot be told, since chances changed and only that of the arm drawn was logged.
    """
    n_arms = len(units.arms)
    if units.chances is not None:
        return units.chances, "logged with each exposure"
    own = [units.own_chance[units.arm == i] for i in range(n_arms)]
    is_logged = not any(np.isnan(each).any() or not len(each) for each in own)
    if not is_logged and units.is_adaptive:
        return None, "unknown: the allocation learns, and its chances were not logged"
    if not is_logged:
        return np.full(n_arms, 1 / n_arms), f"{EQUAL}, since {_why_equal(units)}"
    if units.is_changing:
        if n_arms != 2:
            return None, "unknown: shares changed, and only the chance of the arm drawn was logged"
        one = np.where(units.arm == 0, units.own_chance, 1 - units.own_chance)
        return np.stack([one, 1 - one], axis=1), "logged with each exposure"
    shares = np.array([float(each[0]) for each in own])
    return shares / shares.sum(), "logged with each exposure"


def _why_equal(units: Units) -> str:
    if units.n_unread:
        return f"of {units.n_unread:,} of {len(units):,} people the propensity is no number"
    return "no propensities were logged"


def _chances(exposures: Events, first: NDArray[Any], met: list[str]) -> tuple[Numbers | None, list[str]]:
    """Return (the chance of each arm for each unit, the arms: those met, and those that could have been)."""
    column = exposures.columns.get(ELIGIBLE)
    if column is None or not len(first) or (column.codes[first] == MISSING).any():
        return None, met
    used = np.unique(column.codes[first])
    told = [_eligible(column.values[code]) for code in used.tolist()]
    if not all(told):
        return None, met
    arms = sorted({*met, *(name for each in told for name in each)})
    rows = np.array([[each.get(name, 0.0) for name in arms] for each in told])
    rows = rows / rows.sum(axis=1, keepdims=True)
    return rows[np.searchsorted(used, column.codes[first])], arms


def _eligible(text: str) -> dict[str, float]:
    try:
        found = msgspec.json.decode(text, type=dict[str, float])
    except msgspec.DecodeError:
        return {}
    return {name: chance for name, chance in found.items() if chance > 0}


def _is_adaptive(exposures: Events, first: NDArray[Any]) -> bool:
    column = exposures.columns.get(ALLOCATION)
    if column is None or "adaptive" not in column.values:
        return False
    return bool((column.codes[first] == list(column.values).index("adaptive")).any())
