"""Reporting: one experiment from exposures and events to what may be read of it, and what may not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from msgspec import Struct

from sojourn.analytics.events import MISSING, Events
from sojourn.analytics.experiments.comparing import Pair, compared, decided, pair_of, with_segments
from sojourn.analytics.experiments.measuring import Happened, happened, measure
from sojourn.analytics.experiments.results import Arm, Compared, Decision, Listed, Listing, Ratio, Report
from sojourn.analytics.experiments.rules import Rule
from sojourn.analytics.experiments.segments import Attribute, corrected, segmented
from sojourn.analytics.experiments.units import EQUAL, Units, experiments_of, shares_of, units_of
from sojourn.analytics.experiments.words import NOT_TO_CONCLUDE
from sojourn.analytics.statistics.mismatch import MAX_P, chi_square_p, sequential_path
from sojourn.definitions.metrics import Metric
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError

CONTROLS = ("control", "none", "baseline", "off", "default")
"""Names that say which arm the others are compared with, where nobody says so."""
MAX_MULTIPLE_SHARE = 0.01  # of people in several variants; above it something is wrong (GrowthBook's alert).

Allocation = Literal["fixed", "changed", "adaptive"]


class Asked(Struct, frozen=True, kw_only=True):
    """What a report is asked for."""

    experiment: str
    metrics: tuple[str, ...] = ()
    """None: all."""
    control: str | None = None
    rule: Rule = Rule()
    segments: tuple[str, ...] = ()
    """Attributes of events."""
    until_ms: int | None = None
    """As if it were then."""


def report(
    exposures: Events,
    events: Events | None,
    goals: Events | None,
    *,
    asked: Asked,
    metrics: Sequence[Metric],
) -> Report:
    """Report an experiment.

    Args:
        exposures: As `units_of` takes them.
        events: With all that metrics and segments read; None: nobody did anything.
        goals: As `Happened` has them.
        asked: What is asked for.
        metrics: All there are; parts of ratios among them.

    Raises:
        ConfigError: There is no such experiment, variant or metric, or the rule does not fit it.
    """
    until_ms = asked.until_ms or _last(exposures, events, goals) + 1
    units = units_of(exposures, asked.experiment, until_ms=until_ms)
    if not len(units):
        several = f"; {units.n_multiple:,} met several variants" if units.n_multiple else ""
        raise ConfigError(f"nobody is in {asked.experiment!r} by then{several}: take a later --until")
    control = control_of(units.arms, asked.control)
    ratio, arms = ratio_of(units)
    allocation = allocation_of(units)
    _check_rule(asked.rule, allocation)
    stop = _stop(units, ratio, allocation)
    chosen = chosen_metrics(metrics, asked.metrics)
    seen = happened(events, goals, units, until_ms=until_ms)
    pairs = _pairs(seen, chosen, {one.name: one for one in metrics}, control=control)
    done = decided([compared(pair, asked.rule) for pair in pairs], pairs, alpha=asked.rule.alpha, stop=stop)
    done = _with_segments(done, pairs, seen, asked)
    return Report(
        experiment=asked.experiment,
        control=control,
        arms=arms,
        people=len(units),
        first_at_ms=int(units.at[0]) if len(units) else None,
        last_at_ms=int(units.at[-1]) if len(units) else None,
        until_ms=until_ms,
        allocation=allocation,
        multiple=units.n_multiple,
        multiple_share=units.multiple_share,
        ratio=ratio,
        comparisons=done,
        warnings=[
            *warnings_of(done, asked.rule, ratio=ratio, multiple_share=units.multiple_share),
            *_propensities_warning(units, ratio),
            *control_warning(control, asked.control, units.arms),
        ],
        definition=_definition(asked, chosen, control),
    )


def listing(exposures: Events) -> Listing:
    """List the experiments anybody met, and how many people got which variant."""
    rows = []
    for name in experiments_of(exposures):
        units = units_of(exposures, name)
        counts = np.bincount(units.arm, minlength=len(units.arms)).tolist()
        rows.append(
            Listed(
                experiment=name,
                variants=dict(zip(units.arms, counts, strict=True)),
                people=len(units),
                multiple=units.n_multiple,
                allocation=allocation_of(units),
                first_at_ms=int(units.at[0]) if len(units) else None,
                last_at_ms=int(units.at[-1]) if len(units) else None,
                is_mismatch=ratio_of(units)[0].is_mismatch,
            )
        )
    return Listing(experiments=rows, definition={"unit": "person", "variant": "the first one met"})


def control_of(arms: Sequence[str], asked: str | None) -> str:
    """Return the arm that the others are compared with."""
    if asked is not None:
        if asked not in arms:
            raise ConfigError(f"no variant is named {asked!r}{did_you_mean(asked, arms)}")
        return asked
    return next((name for name in CONTROLS if name in arms), arms[0] if arms else "")


def control_warning(control: str, asked: str | None, arms: Sequence[str]) -> list[str]:
    """Say with what is compared where neither somebody nor a name says so."""
    if len(arms) < 2:
        return [f"Everybody met {control}: there is no other variant to compare it with."]
    if asked is not None or control in CONTROLS:
        return []
    return [f"No variant is named {CONTROLS[0]}: others are compared with {control}, the first by name."]


def _propensities_warning(units: Units, ratio: Ratio) -> list[str]:
    """Say where propensities were given and could not be used."""
    if not units.n_unread or not ratio.source.startswith(EQUAL):
        return []
    return [
        f"The arms are held against {ratio.source}: write propensities as numbers from 0 to 1 (0.25, not "
        "25%), for everybody, or leave the column out."
    ]


def chosen_metrics(known: Sequence[Metric], names: Sequence[str]) -> list[Metric]:
    """Return the metrics of these names, in this order; all where none is named."""
    by_name = {one.name: one for one in known}
    for name in names:
        if name not in by_name:
            raise ConfigError(f"there is no metric {name!r}{did_you_mean(name, by_name)}")
    return [by_name[name] for name in dict.fromkeys(names)] or list(known)


def allocation_of(units: Units) -> Allocation:
    """Say whether people of one arm had the same chance of it."""
    if units.is_adaptive:
        return "adaptive"
    return "changed" if units.is_changing else "fixed"


def ratio_of(units: Units) -> tuple[Ratio, list[Arm]]:
    """Check whether arms have the people they should have."""
    n, n_arms = len(units), len(units.arms)
    counts = np.bincount(units.arm, minlength=n_arms)
    shares, source = shares_of(units)
    if n_arms < 2:
        source = "there are not two variants"
    if shares is None or n_arms < 2 or not n:
        unknown = [
            Arm(variant=name, people=int(count), expected_share=None, expected_people=None)
            for name, count in zip(units.arms, counts.tolist(), strict=True)
        ]
        return Ratio(p=None, p_once=None, is_mismatch=False, source=source), unknown
    wanted = shares.sum(axis=0) if shares.ndim == 2 else shares * n
    arms = [
        Arm(variant=name, people=int(count), expected_share=float(want / n), expected_people=float(want))
        for name, count, want in zip(units.arms, counts.tolist(), wanted.tolist(), strict=True)
    ]
    p = float(sequential_path(units.arm, shares)[-1])
    once = chi_square_p(counts.tolist(), wanted.tolist()) if (wanted > 0).all() else None
    return Ratio(p=p, p_once=once, is_mismatch=p < MAX_P, source=source), arms


def _check_rule(rule: Rule, allocation: Allocation) -> None:
    if allocation == "adaptive" and rule.method != "always-valid":
        raise ConfigError(
            f"{rule.method}: the allocation learns from outcomes, so its estimates are weighted and read "
            "with always-valid intervals only (Hadad et al., PNAS 2021); leave --method out"
        )


def _stop(units: Units, ratio: Ratio, allocation: Allocation) -> Decision | None:
    """Return why nothing may be read."""
    if allocation != "fixed" and not (units.own_chance > 0).all():
        return "chances not logged: do not read"
    return "sample ratio mismatch: do not read" if ratio.is_mismatch else None


def _pairs(
    seen: Happened, metrics: Sequence[Metric], known: Mapping[str, Metric], *, control: str
) -> list[Pair]:
    units = seen.units
    is_weighted = allocation_of(units) != "fixed" and bool((units.own_chance > 0).all())
    pairs = []
    for metric in metrics:
        measured = measure(seen, metric, known)
        for code, variant in enumerate(units.arms):
            if variant == control:
                continue
            codes = (code, units.arms.index(control))
            is_any = np.ones(len(units), dtype=np.bool_)
            can_be = is_any if units.chances is None else np.all(units.chances[:, list(codes)] > 0, axis=1)
            pairs.append(pair_of(measured, units, codes=codes, can_be=can_be, is_weighted=is_weighted))
    return pairs


def _with_segments(
    done: list[Compared], pairs: Sequence[Pair], seen: Happened, asked: Asked
) -> list[Compared]:
    if not asked.segments:
        return done
    attributes = [attribute_at_assignment(seen, name) for name in dict.fromkeys(asked.segments)]
    found = [
        [
            segmented(pair, Attribute(one.name, one.codes[pair.unit], one.values), asked.rule)
            for one in attributes
        ]
        for pair in pairs
    ]
    tested = corrected(found, alpha=asked.rule.alpha)
    return [with_segments(one, each) for one, each in zip(done, tested, strict=True)]


def attribute_at_assignment(seen: Happened, name: str) -> Attribute:
    """Return what an attribute of people's events said last, up to the instant of their assignment.

    What it says later may be the arm's doing, and is not looked at.
    """
    codes = np.full(len(seen.units), MISSING, dtype=np.int64)
    if seen.events is None:
        return Attribute(name, codes, [])
    column = seen.events.columns[name]
    unit = seen.unit_of[id(seen.events)][seen.events.person()]
    is_before = (unit >= 0) & (column.codes != MISSING)
    some = np.flatnonzero(is_before)
    some = some[seen.events.at[some] <= seen.units.at[unit[some]]]
    codes[unit[some]] = column.codes[some]  # of one person's the last stays
    return Attribute(name, codes, list(column.values))


def _last(*several: Events | None) -> int:
    return max((int(each.at.max()) for each in several if each is not None and len(each)), default=0)


def warnings_of(done: Sequence[Compared], rule: Rule, *, ratio: Ratio, multiple_share: float) -> list[str]:
    """Say what must be known before a number is read, and what must not be concluded."""
    out = []
    if ratio.is_mismatch:
        out.append(
            "Sample ratio mismatch: the arms do not have the people they should have. Somebody is lost, or "
            "counted twice, in one arm more than in another; no number below means anything until that is "
            "found."
        )
    if multiple_share > MAX_MULTIPLE_SHARE:
        out.append(
            f"{multiple_share:.1%} of people met several variants (they are left out): above 1% look "
            "for two ids of one person, or an assignment that is not kept."
        )
    if ratio.p is None:
        out.append(f"The sample ratio could not be checked: {ratio.source}.")
    if done and max(one.waiting for one in done):
        out.append("People whose window is not over are not counted yet.")
    if any(one.theta for one in done):
        out.append("Differences are without what people's own past foretells (CUPED); means are as measured.")
    if any(one.effective_people is not None for one in done):
        out.append(
            "Chances of the arms changed on the way: each person is weighted by the logged chance of their "
            "arm. A plain mean would mix the effect with who came when."
        )
    if len(done) > 1:
        out.append(f"{len(done)} comparisons were made: a claim counts after correction (q), not by its p.")
    if done:
        out.append(NOT_TO_CONCLUDE[rule.method])
    if any(one.segments for one in done):
        out.append("Segments say where to look next. An effect found in one is to be tested again.")
    return out


def _definition(asked: Asked, metrics: Sequence[Metric], control: str) -> dict[str, Any]:
    rule = asked.rule
    return {
        "unit": "person",
        "assignment": "the first exposure; robots, and who met several variants, are left out",
        "window": "(assignment + after, assignment + within]; only people whose window is over",
        "control": control,
        "metrics": {one.name: _said(one) for one in metrics},
        "method": rule.method,
        "level": rule.level,
        "tuning": rule.tuning if rule.method == "always-valid" else None,
        "looks": rule.looks if rule.method == "planned-looks" else None,
        "planned": rule.planned,
        "sample_ratio": f"sequential (Lindon and Malek, 2022), a mismatch below {MAX_P}",
        "correction": "Benjamini-Hochberg over all comparisons",
        "segments": [*dict.fromkeys(asked.segments)],
    }


def _said(metric: Metric) -> dict[str, Any]:
    if metric.kind == "ratio":
        return {"kind": "ratio", "of": metric.numerator, "per": metric.denominator}
    return {
        "kind": metric.kind,
        "on": list(metric.on) or f"the goal of {metric.goal}",
        "after_ms": metric.after_ms,
        "within_ms": metric.within_ms,
        "before_ms": metric.before_ms,
    }
