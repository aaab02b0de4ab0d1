"""Findings: incidents, which have a time, and standing friction, which has not; ranked by what they cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import ceil
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.cases import Unit
from sojourn.analytics.events import MISSING, Events
from sojourn.analytics.friction.scan import Trials, Window, edges, p_value, scan_many
from sojourn.analytics.friction.signals import MIN_CASES, Kind, Signal, signals_of
from sojourn.analytics.friction.walks import Flags, Walks, walks_of
from sojourn.analytics.proportions import wilson
from sojourn.analytics.selecting import known_steps
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError

N_SHUFFLES = 999
MAX_P = 0.01  # of a false incident anywhere, however many places were looked at.
MAX_BINS = 400  # of days: a longer history is looked at in steps of several.
MAX_VALUES = 30  # of an attribute, the most frequent: what has more is no segment.
ENOUGH = 99  # shuffles for what is plain, and for more evidence of what is known.
PLAIN = 1e-7
CLEARED = ((19, 0.05), (ENOUGH, 0.02))
"""So many shuffles, and the p-value above which they are enough: no suspect, however few are looked at."""

WORTH_SHUFFLING = 6.0  # log-likelihood: below it no window was ever unusual.
SAME = 0.5  # of the days of two windows that both have, for them to be one incident.

_EPOCH = date(1970, 1, 1)


class Lost(Struct, frozen=True):
    """Conversions fewer than one would expect: beside what others do, so a sign and not proof."""

    estimate: float
    low: float
    high: float


class Evidence(Struct, frozen=True):
    """Another signal that tells of the same incident."""

    signal: Kind
    steps: list[str]
    segment: dict[str, str]
    first: date
    last: date
    p: float


class Finding(Struct, frozen=True, kw_only=True):
    """One place where people struggle."""

    kind: Literal["incident", "standing"]
    signal: Kind
    steps: list[str]
    segment: dict[str, str]
    """Whose it is: an attribute and its value; empty: everybody's."""
    first: date | None = None
    """The day it most likely began (UTC)."""
    last: date | None = None
    first_between: tuple[date, date] | None = None
    """When it may have begun as well: a 95% likelihood interval."""
    last_between: tuple[date, date] | None = None
    cases: int
    """In how many cases it was seen."""
    people: int
    times: int | None = None
    """How often in all."""
    at_risk: int
    """In how many it could have been."""
    share: float
    share_elsewhere: float
    """Incident: in the other days; standing: 0 where there is no such thing as elsewhere."""
    p: float | None = None
    """How often chance finds an incident like it anywhere, over everything looked at."""
    conversions_lost: Lost | None = None
    evidence: list[Evidence] = []


class Findings(Struct, frozen=True, kw_only=True):
    """What was found, the costliest first, and what was looked at."""

    definition: dict[str, Any]
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class _Question:
    walks: Walks
    steps: Sequence[str]
    converts: Flags | None
    day: NDArray[np.int64]
    day_0: int
    days_a_bin: int
    n_bins: int
    segments: list[tuple[dict[str, str], Flags]]

    def date_of(self, place: int, *, is_last: bool = False) -> date:
        days = self.day_0 + place * self.days_a_bin + (self.days_a_bin - 1 if is_last else 0)
        return _EPOCH + timedelta(days=days)


@dataclass(frozen=True, slots=True)
class _Suspect:
    signal: Signal
    segment: dict[str, str]
    among: NDArray[np.int64]
    """The cases at risk in the segment."""
    window: Window
    p: float = 1.0


def find_friction(
    events: Events,
    *,
    unit: Unit = "person",
    goal: Sequence[str] = (),
    ranks: Mapping[str, int] | None = None,
    attributes: Sequence[str] | None = None,
    seed: int = 0,
    n_shuffles: int = N_SHUFFLES,
    progress: Callable[[float], None] | None = None,
) -> Findings:
    """Find incidents and standing friction.

    Args:
        events: What people did.
        unit: What a case is.
        goal: The steps that are conversions; none: nothing is said of conversions lost.
        ranks: Stage rank by step; None: what usually comes first is before.
        attributes: By what they may be told whose they are, MAX_VALUES values each, the most frequent; None:
            by every attribute there is.
        seed: Of the shuffles: the same seed, the same findings.
        n_shuffles: How often chance is asked, for each suspect.
        progress: Hears of each part that is done; all of them are 1.

    Raises:
        ConfigError: No step is called as a goal is, or no attribute as one of the attributes.
    """
    known_steps("goal", goal, events.steps)
    walks = walks_of(events, unit)
    is_goal = np.isin(np.asarray(events.steps, dtype=object), list(goal)) if goal else None
    by_rank = _ranks_of(events.steps, ranks)
    found = signals_of(walks, events.steps, goal=is_goal, ranks=by_rank)
    asked = _question(events, walks, is_goal, attributes)
    suspects, n_looked_at = _suspects(
        asked, found.found, seed=seed, n_shuffles=n_shuffles, progress=progress or _unheard
    )
    incidents = [_incident(asked, group) for group in _grouped(suspects)]
    standing = [_standing(asked, signal) for signal in found.found if signal.kind != "drop"]
    definition = {
        "unit": unit,
        "goal": list(goal),
        "ranks": "given" if ranks else "what usually comes first",
        "attributes": sorted({name for segment, _ in asked.segments for name in segment}),
        "days": "UTC, by the beginning of a case",
        "days_a_bin": asked.days_a_bin,
        "test": f"scan statistic over days, hits shuffled within people, {n_shuffles} times, seed {seed}",
        "p": f"of any false incident among {n_looked_at} looked at (Bonferroni), at most {MAX_P}",
        "conversions_lost": "fewer conversions than cases without it had: not causal",
        "cases": walks.n_cases,
        "signals": len(found.found),
        "signals_in_too_few_cases": found.n_rare,
        "signals_beyond_the_list": found.n_more,
    }
    return Findings(definition=definition, findings=[*_ranked(incidents), *_ranked(standing)])


def _unheard(_: float) -> None:
    """Tell nobody how much is done."""


def _ranked(findings: Sequence[Finding]) -> list[Finding]:
    """Put the costliest first: by conversions lost for sure, then by people."""
    return sorted(findings, key=lambda one: (-_cost(one), -one.people, one.signal, one.steps))


def _cost(finding: Finding) -> float:
    return max(0.0, finding.conversions_lost.low) if finding.conversions_lost is not None else 0.0


def _ranks_of(steps: Sequence[str], ranks: Mapping[str, int] | None) -> NDArray[np.int64] | None:
    if not ranks:
        return None
    return np.array([ranks.get(step, -1) for step in steps], dtype=np.int64)


def _question(
    events: Events, walks: Walks, is_goal: Flags | None, attributes: Sequence[str] | None
) -> _Question:
    day = walks.day()
    day_0, n_days = (int(day.min()), int(np.ptp(day)) + 1) if len(day) else (0, 0)
    days_a_bin = max(1, ceil(n_days / MAX_BINS))
    return _Question(
        walks=walks,
        steps=events.steps,
        converts=None if is_goal is None else walks.has(is_goal[walks.step]),
        day=(day - day_0) // days_a_bin,
        day_0=day_0,
        days_a_bin=days_a_bin,
        n_bins=ceil(n_days / days_a_bin),
        segments=list(_segments(events, walks, attributes)),
    )


def _segments(
    events: Events, walks: Walks, attributes: Sequence[str] | None
) -> Iterator[tuple[dict[str, str], Flags]]:
    yield {}, np.ones(walks.n_cases, dtype=np.bool_)
    for name in sorted(events.columns) if attributes is None else attributes:
        if name not in events.columns:
            raise ConfigError(f"no attribute {name!r} was read{did_you_mean(name, events.columns)}")
        column = events.columns[name]
        labels = walks.labels(column.codes)
        counts = np.bincount(labels[labels != MISSING], minlength=len(column.values))
        common = np.argsort(-counts, kind="stable")[:MAX_VALUES]
        for code in common[counts[common] >= MIN_CASES].tolist():
            yield {name: column.values[code]}, labels == code


def _suspects(
    asked: _Question,
    signals: Sequence[Signal],
    *,
    seed: int,
    n_shuffles: int,
    progress: Callable[[float], None],
) -> tuple[list[_Suspect], int]:
    """Scan every signal in every segment; return what chance does not make, and how many were scanned."""
    scanned: list[_Suspect] = []
    for signal in signals:
        scanned += _scan(asked, signal)
        progress(0.5 / len(signals))
    suspected = [one for one in scanned if one.window.llr >= WORTH_SHUFFLING]
    suspected.sort(key=lambda one: -one.window.llr)
    suspects: list[_Suspect] = []
    for n, one in enumerate(suspected):
        is_known = any(_is_same(one, other) for other in suspects)  # more evidence needs no closer look
        n_asked = min(n_shuffles, ENOUGH) if is_known else n_shuffles
        p = _p_of(
            _trials(asked, one.signal, one.among), one.window, n_asked, np.random.default_rng([seed, n])
        )
        if p * len(scanned) <= MAX_P:
            suspects.append(replace(one, p=p * len(scanned)))
        progress(0.5 / len(suspected))
    return suspects, len(scanned)


def _scan(asked: _Question, signal: Signal) -> list[_Suspect]:
    """Find the most unusual days of one signal in each segment in which it is common enough to tell."""
    looked_at, series = [], []
    for segment, members in asked.segments:
        among = np.flatnonzero(signal.at_risk & members)
        n_hit = int(signal.hit[among].sum())
        if MIN_CASES <= n_hit < len(among):
            looked_at.append((segment, among))
            series.append(_trials(asked, signal, among).daily())
    if not series:
        return []
    hits, trials = (np.stack(each) for each in zip(*series, strict=True))
    windows = zip(*(found.tolist() for found in scan_many(hits, trials)), strict=True)
    return [
        _Suspect(signal, segment, among, Window(*window))
        for (segment, among), window in zip(looked_at, windows, strict=True)
    ]


def _p_of(trials: Trials, window: Window, n_shuffles: int, random: np.random.Generator) -> float:
    """Ask chance a few times first: most suspects are cleared by that, and most incidents plain."""
    p = 1.0
    for n_asked, cleared in (*CLEARED, (n_shuffles, 0.0)):
        p = p_value(trials, window.llr, n_shuffles=min(n_asked, n_shuffles), random=random)
        if p > cleared or n_asked >= n_shuffles or (n_asked >= ENOUGH and p < PLAIN):
            break
    return p


def _trials(asked: _Question, signal: Signal, among: NDArray[np.int64]) -> Trials:
    return Trials(asked.day[among], signal.hit[among], asked.walks.person[among], asked.n_bins)


def _grouped(suspects: Sequence[_Suspect]) -> list[list[_Suspect]]:
    """Put together what happened at one time to people who may be the same; the clearest leads each group."""
    groups: list[list[_Suspect]] = []
    for suspect in sorted(suspects, key=lambda one: (-one.window.llr, one.signal.steps)):
        for group in groups:
            if _is_same(suspect, group[0]):
                group.append(suspect)
                break
        else:
            groups.append([suspect])
    return groups


def _is_same(one: _Suspect, other: _Suspect) -> bool:
    shared = one.segment.keys() & other.segment.keys()
    if any(one.segment[name] != other.segment[name] for name in shared):
        return False
    a, b = one.window, other.window
    common = min(a.last, b.last) - max(a.first, b.first) + 1
    shorter = min(a.last - a.first, b.last - b.first) + 1
    return common >= SAME * shorter and common > 0


def _incident(asked: _Question, group: Sequence[_Suspect]) -> Finding:
    lead = group[0]
    signal, window, among = lead.signal, lead.window, lead.among
    inside = (asked.day[among] >= window.first) & (asked.day[among] <= window.last)
    hit = signal.hit[among]
    begins, ends = edges(*_trials(asked, signal, among).daily(), window)
    cases = among[inside & hit]
    return Finding(
        kind="incident",
        signal=signal.kind,
        steps=[asked.steps[code] for code in signal.steps],
        segment=lead.segment,
        first=asked.date_of(window.first),
        last=asked.date_of(window.last, is_last=True),
        first_between=(asked.date_of(begins[0]), asked.date_of(begins[1])),
        last_between=(asked.date_of(ends[0], is_last=True), asked.date_of(ends[1], is_last=True)),
        cases=len(cases),
        people=len(np.unique(asked.walks.person[cases])),
        at_risk=int(inside.sum()),
        share=float(hit[inside].mean()),
        share_elsewhere=float(hit[~inside].mean()),
        p=lead.p,
        conversions_lost=_lost(asked, among[inside], among[~inside]),
        evidence=[_evidence(asked, other) for other in group[1:]],
    )


def _evidence(asked: _Question, suspect: _Suspect) -> Evidence:
    return Evidence(
        suspect.signal.kind,
        [asked.steps[code] for code in suspect.signal.steps],
        suspect.segment,
        asked.date_of(suspect.window.first),
        asked.date_of(suspect.window.last, is_last=True),
        suspect.p,
    )


def _standing(asked: _Question, signal: Signal) -> Finding:
    hit, rest = np.flatnonzero(signal.hit), np.flatnonzero(signal.at_risk & ~signal.hit)
    at_risk = len(hit) + len(rest)
    return Finding(
        kind="standing",
        signal=signal.kind,
        steps=[asked.steps[code] for code in signal.steps],
        segment={},
        cases=len(hit),
        people=len(np.unique(asked.walks.person[hit])),
        times=signal.n_times,
        at_risk=at_risk,
        share=len(hit) / at_risk,
        share_elsewhere=0.0,
        conversions_lost=_lost(asked, hit, rest),
    )


def _lost(asked: _Question, cases: NDArray[np.int64], others: NDArray[np.int64]) -> Lost | None:
    """Return how many more of the cases had converted if they had done so as often as the others.

    The interval is Newcombe's (1998, method 10) of the difference of two shares.
    """
    if asked.converts is None or not len(cases) or not len(others):
        return None
    here, there = asked.converts[cases], asked.converts[others]
    share, other_share = float(here.mean()), float(there.mean())
    (low, other_low), (high, other_high) = wilson(
        [int(here.sum()), int(there.sum())], [len(here), len(there)]
    )
    down = np.hypot(other_share - other_low, high - share)
    up = np.hypot(other_high - other_share, share - low)
    difference, n = other_share - share, len(cases)
    return Lost(n * difference, n * (difference - float(down)), n * (difference + float(up)))
