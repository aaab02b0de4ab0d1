"""Attributing: paths and the names of models in, credit with intervals out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.attribution.heuristics import Heuristic
from sojourn.analytics.attribution.models import Options, entry, named, prepare
from sojourn.analytics.attribution.paths import NONE, Floats, Paths, summed
from sojourn.analytics.attribution.resampling import Deal, Draws, Replicates, deal, interval
from sojourn.analytics.attribution.results import (
    MIN_SUPPORT,
    Attribution,
    ChannelCredit,
    Definition,
    Interval,
    Totals,
)
from sojourn.analytics.attribution.sets import distinct_channels
from sojourn.analytics.attribution.tallies import Credit, Tally, evaluate, measures_of
from sojourn.model.errors import ConfigError

LEVEL = 0.95
N_REPLICATES = 200
MAX_REPLICATES = 10_000

Tell = Callable[[str], None]


class Bootstrap(Struct, frozen=True, kw_only=True):
    """How intervals are made."""

    replicates: int = N_REPLICATES
    """0: no intervals."""
    level: float = LEVEL
    seed: int = 0


class _Support(NamedTuple):
    """What stands behind each channel, shape (n_channels,)."""

    journeys: Floats
    converting: Floats
    people: NDArray[np.int64] | None


class _Bounds(NamedTuple):
    """Bounds of the three numbers of a channel, (low, high) of the shape (n_channels,); None: none."""

    conversions: tuple[Floats, Floats] | None = None
    value: tuple[Floats, Floats] | None = None
    removal: tuple[Floats, Floats] | None = None


def attribute(
    paths: Paths,
    models: Sequence[str] = ("markov",),
    *,
    options: Options = Options(),  # noqa: B008 - it is frozen
    bootstrap: Bootstrap = Bootstrap(),  # noqa: B008 - it is frozen
    tell: Tell = lambda _: None,
) -> list[Attribution]:
    """Credit channels by each model.

    The credit of all channels, and of `(none)` for conversions without a touch, adds up to the conversions
    of the paths, and likewise for value.

    Args:
        paths: What led to conversions.
        models: Names, as `models.MODELS` has them.
        options: What models may be told.
        bootstrap: How intervals are made.
        tell: Called with each model's name before it is asked.

    Raises:
        ConfigError: A name, an option or a model does not fit.
    """
    if not 0 <= bootstrap.replicates <= MAX_REPLICATES:
        raise ConfigError(f"{bootstrap.replicates} replicates; expected 0 to {MAX_REPLICATES:,}")
    if not 0 < bootstrap.level < 1:
        raise ConfigError(f"the level is {bootstrap.level}; expected a share between 0 and 1")
    asking = _Asking(paths, options, bootstrap)
    answers = []
    for name in named(models):
        tell(name)
        answers.append(asking.ask(name))
    return answers


class _Asking:
    """Some paths, and what all models need to know of them."""

    def __init__(self, paths: Paths, options: Options, bootstrap: Bootstrap) -> None:
        self.paths, self.options, self.bootstrap = paths, options, bootstrap
        self.measures = measures_of(paths)
        self.support = _support(paths)
        self.dealt: Deal | None = None
        self.draws: Draws | None = None
        if bootstrap.replicates:
            self.dealt = deal(paths.sample, bootstrap.seed)
            self.draws = Draws(self.dealt, bootstrap.replicates, bootstrap.seed)

    def ask(self, name: str) -> Attribution:
        """Ask one model."""
        prepared = prepare(name, self.paths, self.options)
        credit = evaluate(prepared.model, self.measures)
        replicates = self.draws.replicate(self.paths, prepared.model) if self.draws else None
        rows = self._rows(self.paths.channels, credit, self._bounds(replicates), self.support)
        known = entry(name)
        return Attribution(
            model=name,
            definition=Definition(
                formula=known.formula,
                source=known.source,
                parameters=prepared.parameters,
                rules=dict(self.paths.rules),
                left_out=dict(self.paths.left_out),
                interval=self._interval(replicates),
            ),
            totals=self.totals(),
            channels=sorted([*rows, *self._untouched()], key=lambda row: (-row.conversions, row.channel)),
        )

    def totals(self) -> Totals:
        """Sum the paths up."""
        conversions, nulls = float(self.paths.conversions.sum()), float(self.paths.nulls.sum())
        journeys, person = conversions + nulls, self.paths.sample.person
        return Totals(
            journeys=journeys,
            conversions=conversions,
            value=float(self.paths.value.sum()),
            nulls=nulls,
            conversion_rate=conversions / journeys if journeys else None,
            people=None if person is None else int(person.max(initial=-1)) + 1,
        )

    def _untouched(self) -> list[ChannelCredit]:
        """Credit nobody with the conversions before which nobody was met."""
        empty = np.flatnonzero((self.paths.lengths == 0) & (self.paths.conversions > 0)).astype(np.int32)
        if not len(empty):
            return []
        nowhere = np.zeros(len(empty), dtype=np.int32)
        model = Heuristic([Tally("conversions", 1, empty, nowhere), Tally("value", 1, empty, nowhere)])
        replicates = self.draws.replicate(self.paths, model) if self.draws else None
        is_empty = self.paths.lengths == 0
        people = None
        if (person := self.paths.sample.person) is not None:
            rows = is_empty[self.paths.sample.path] & (self.paths.sample.conversions > 0)
            people = np.array([len(np.unique(person[rows]))])
        support = _Support(
            self.paths.journeys[is_empty].sum(keepdims=True),
            self.paths.conversions[is_empty].sum(keepdims=True),
            people,
        )
        name = NONE if NONE not in self.paths.channels else "(no touch)"
        return self._rows([name], evaluate(model, self.measures), self._bounds(replicates), support)

    def _rows(
        self, names: Sequence[str], credit: Credit, bounds: _Bounds, support: _Support
    ) -> list[ChannelCredit]:
        total = float(self.paths.conversions.sum())
        return [
            ChannelCredit(
                channel=name,
                conversions=float(credit.conversions[i]),
                **_pair("", bounds.conversions, i),
                share=float(credit.conversions[i]) / total if total else None,
                value=float(credit.value[i]),
                **_pair("value_", bounds.value, i),
                removal_effect=_at(credit.removal_effect, i),
                **_pair("removal_", bounds.removal, i),
                phi=_at(credit.phi, i),
                standard_error=_at(credit.error, i),
                positions=None if credit.positions is None else credit.positions[i].tolist(),
                journeys=float(support.journeys[i]),
                converting=float(support.converting[i]),
                people=None if support.people is None else int(support.people[i]),
                is_rare=bool(
                    (support.converting if support.people is None else support.people)[i] < MIN_SUPPORT
                ),
            )
            for i, name in enumerate(names)
        ]

    def _bounds(self, replicates: Replicates | None) -> _Bounds:
        if replicates is None:
            return _Bounds()
        level, effects = self.bootstrap.level, replicates.removal_effect
        return _Bounds(
            interval(replicates.conversions, level),
            interval(replicates.value, level),
            None if effects is None else interval(effects, level),
        )

    def _interval(self, replicates: Replicates | None) -> Interval:
        dealt = self.dealt
        note = (
            ""
            if replicates or not dealt
            else "no interval: this model is too large to be asked again and again"
        )
        return Interval(
            method=f"bootstrap, {replicates.method}" if replicates else "none",  # type: ignore[arg-type]
            level=self.bootstrap.level,
            replicates=self.bootstrap.replicates if replicates else 0,
            unit="journey" if self.paths.sample.person is None else "person",
            units=dealt.n_units if dealt else 0,
            groups=dealt.n_groups if dealt else 0,
            seed=self.bootstrap.seed,
            note=note,
        )


def _support(paths: Paths) -> _Support:
    """Count the journeys, conversions and converting people whose path holds each channel."""
    n, sample = paths.n_channels, paths.sample
    path, code = distinct_channels(paths, np.arange(len(paths), dtype=np.int32))
    journeys, converting = (summed(code, each[path], n) for each in (paths.journeys, paths.conversions))
    if sample.person is None:
        return _Support(journeys, converting, None)
    # With people known each path is one journey, and so one person's.
    person = np.zeros(len(paths), dtype=np.int64)
    person[sample.path] = sample.person
    is_converting = paths.conversions[path] > 0
    pairs = np.unique(person[path[is_converting]] * max(n, 1) + code[is_converting])
    return _Support(journeys, converting, np.bincount(pairs % max(n, 1), minlength=n))


def _pair(prefix: str, bounds: tuple[Floats, Floats] | None, i: int) -> dict[str, Any]:
    low, high = (None, None) if bounds is None else (float(bounds[0][i]), float(bounds[1][i]))
    return {f"{prefix}low": low, f"{prefix}high": high}


def _at(column: Floats | None, i: int) -> float | None:
    return None if column is None else float(column[i])
