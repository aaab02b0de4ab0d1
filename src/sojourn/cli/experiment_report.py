"""Reports of experiments: how they are laid out for people, in a terminal and on a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sojourn.analytics.experiments.words import amount
from sojourn.analytics.report import Section, page
from sojourn.analytics.report.forest import Effect, forest, narrowing
from sojourn.cli.figures import percent
from sojourn.cli.output import instant, table

if TYPE_CHECKING:
    from sojourn.analytics.experiments.results import Compared, Listing, Report, Segmented
    from sojourn.analytics.statistics.interval import Interval


def list_for_people(found: Listing) -> Iterator[Any]:
    """Lay out which experiments there are."""
    rows = [
        (
            one.experiment,
            ", ".join(f"{name} {people:,}" for name, people in one.variants.items()),
            f"{one.multiple:,}",
            one.allocation,
            _instant(one.first_at_ms),
            _instant(one.last_at_ms),
            "sample ratio mismatch" if one.is_mismatch else "",
        )
        for one in found.experiments
    ]
    columns = ("experiment", "people", "in several", "allocation", "first met", "last met", "")
    yield table(columns, rows)


def for_people(found: Report) -> Iterator[Any]:
    """Lay out one report: who is in it, what each metric says, and what not to conclude."""
    yield f"{found.experiment}: {found.people:,} people, beside {found.control}"
    yield _ratio(found)
    yield _arms(found)
    yield _comparisons(found)
    for one in found.comparisons:
        yield f"{one.metric}: {one.says}"
        yield from (f"  {note}" for note in one.notes)
        for each in one.segments:
            yield from _segments(one, each)
    yield ""
    yield from (f"- {warning}" for warning in found.warnings)


def report_page(found: Report) -> str:
    """Write one report as a page with its intervals drawn."""
    effects = [
        Effect(
            f"{one.metric}, {one.variant}",
            one.relative.estimate,
            one.relative.low,
            one.relative.high,
            f"{percent(one.relative.estimate)}, {one.decision}",
            is_clear=one.decision in ("better", "worse"),
        )
        for one in found.comparisons
    ]
    arms = [
        [arm.variant, arm.people, percent(arm.people / max(1, found.people)), percent(arm.expected_share)]
        for arm in found.arms
    ]
    sections = [
        Section(
            "What was found",
            note=" ".join(found.warnings),
            columns=("metric", "", "q"),
            rows=[[one.metric, one.says, one.q] for one in found.comparisons],
        ),
        Section(
            "Effects",
            note=f"Each variant beside {found.control}, as a share of its mean. The line is no difference.",
            picture=forest("Relative effects", effects),
        ),
        Section("People", note=_ratio(found), columns=("variant", "people", "share", "expected"), rows=arms),
        *(_path(one) for one in found.comparisons if len(one.looks) > 1),
        *(_segment_section(one, each) for one in found.comparisons for each in one.segments),
    ]
    return page(f"Experiment {found.experiment}", sections, definition=found.definition)


def _arms(found: Report) -> Any:
    rows = [
        (
            arm.variant,
            f"{arm.people:,}",
            percent(arm.people / max(1, found.people)),
            percent(arm.expected_share),
        )
        for arm in found.arms
    ]
    return table(("variant", "people", "share", "expected"), rows)


def _ratio(found: Report) -> str:
    if found.ratio.p is None:
        return f"sample ratio: not checked ({found.ratio.source})"
    says = "MISMATCH" if found.ratio.is_mismatch else "fine"
    several = f"; {found.multiple:,} in several variants left out" if found.multiple else ""
    return f"sample ratio: {says} (p {found.ratio.p:.3g}, {found.ratio.source}){several}"


def _comparisons(found: Report) -> Any:
    rows = [
        (
            one.metric,
            one.variant,
            " / ".join(f"{n:,}" for n in one.people),
            f"{one.waiting:,}",
            " / ".join(amount(mean, one.kind) for mean in one.means),
            _range(one.effect, one.kind),
            _relative(one.relative),
            f"{one.q:.3g}",
            one.decision,
        )
        for one in found.comparisons
    ]
    level = percent(found.definition["level"]).removesuffix(".0%").removesuffix("%") + "%"
    columns = (
        "metric", "variant", "people", "waiting", "means", f"difference ({level})", "relative", "q",
        "decision",
    )  # fmt: skip
    return table(columns, rows, title=f"{found.definition['method']}, beside {found.control}")


def _segments(one: Compared, segmented: Segmented) -> Iterator[Any]:
    if segmented.refused:
        yield f"  by {segmented.attribute}: {segmented.refused}"
        return
    says = "differs" if segmented.differs else "no difference between them shown"
    rows = [(each.value, f"{each.people:,}", _range(each.effect, one.kind)) for each in segmented.effects]
    title = f"{one.metric}, {one.variant} by {segmented.attribute}: {says} (q {segmented.q:.3g})"
    yield f"  {title}"
    yield table((segmented.attribute, "people", "difference"), rows)


def _path(one: Compared) -> Section:
    looks = [
        Effect(
            f"{look.people:,} people",
            look.estimate,
            look.low,
            look.high,
            f"{amount(look.low, one.kind)} to {amount(look.high, one.kind)}",
            is_clear=look.is_clear,
        )
        for look in one.looks
    ]
    note = "How the interval came to be, by how many people's window was over."
    return Section(f"{one.metric}, {one.variant}", note=note, picture=narrowing(one.metric, looks))


def _segment_section(one: Compared, segmented: Segmented) -> Section:
    title = f"{one.metric}, {one.variant} by {segmented.attribute}"
    if segmented.refused:
        return Section(title, note=segmented.refused)
    rows = [
        Effect(each.value, each.effect.estimate, each.effect.low, each.effect.high, f"{each.people:,} people")
        for each in segmented.effects
    ]
    says = "The effect differs" if segmented.differs else "That the effect differs is not shown"
    return Section(title, note=f"{says} (q {segmented.q:.3g}).", picture=forest(title, rows))


def _range(effect: Interval, kind: str) -> str:
    if effect.low == float("-inf") or effect.low != effect.low:
        return "unknown"
    estimate, low, high = (
        amount(value, kind, is_difference=True) for value in (effect.estimate, effect.low, effect.high)
    )
    return f"{estimate} ({low.removesuffix(' points')} to {high.removesuffix(' points')})"


def _relative(effect: Interval) -> str:
    if effect.low == float("-inf") or effect.low != effect.low:
        return ""
    return f"{effect.estimate:+.1%} ({effect.low:+.1%} to {effect.high:+.1%})"


def _instant(at_ms: int | None) -> str:
    return "" if at_ms is None else instant(at_ms)
