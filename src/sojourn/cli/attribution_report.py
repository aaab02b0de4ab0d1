"""The report of an attribution: how it is laid out for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sojourn.cli.figures import bar, percent
from sojourn.cli.output import table

if TYPE_CHECKING:
    from sojourn.analytics.attribution import Attribution, ChannelCredit, Interval

Cell = Callable[["ChannelCredit"], str]


def for_people(answers: Sequence[Attribution]) -> Iterator[Any]:
    """Lay out each model's answer, and then once what all have in common."""
    for answer in answers:
        yield _channels(answer)
        yield from _parameters(answer)
    yield from _common(answers[0])


def _channels(answer: Attribution) -> Any:
    """Lay out the channels; a column that says nothing here is not shown."""
    level = percent(answer.definition.interval.level).removesuffix(".0%").removesuffix("%")
    has_interval = answer.definition.interval.replicates > 0
    some = answer.channels
    columns: list[tuple[str, bool, Cell]] = [
        ("channel", True, lambda one: one.channel),
        ("conversions", True, lambda one: _number(one.conversions)),
        (f"{level} % interval", has_interval, lambda one: _span(one.low, one.high)),
        ("", True, lambda one: bar(max(one.share or 0.0, 0.0))),
        ("of all", True, lambda one: percent(one.share)),
        ("value", answer.totals.value > 0, lambda one: _number(one.value)),
        (
            "interval",
            has_interval and answer.totals.value > 0,
            lambda one: _span(one.value_low, one.value_high),
        ),
        ("removal effect", any(one.removal_effect is not None for one in some), _removal),
        ("Shapley value", any(one.phi is not None for one in some), lambda one: _small(one.phi)),
        (
            "sampling error",
            any(one.standard_error is not None for one in some),
            lambda one: "" if one.standard_error is None else _number(one.standard_error),
        ),
        ("converted with it", True, lambda one: _number(one.converting)),
        ("people", any(one.people is not None for one in some), lambda one: f"{one.people:,}"),
        ("", any(one.is_rare for one in some), lambda one: "rare" if one.is_rare else ""),
    ]
    shown = [(name, cell) for name, is_shown, cell in columns if is_shown]
    rows = [[cell(one) for _, cell in shown] for one in some]
    title = f"{answer.model}: {answer.definition.formula}"
    return table([name for name, _ in shown], rows, title=title)


def _parameters(answer: Attribution) -> Iterator[str]:
    """Say what the model was told or found, and how its intervals were made."""
    told = dict(answer.definition.parameters)
    scores = told.pop("orders", [])
    if told:
        yield ", ".join(f"{name.replace('_', ' ')} {_plain(each)}" for name, each in told.items())
    for score in scores:
        yield (
            f"  order {score.order}: log-likelihood {score.log_likelihood:.4f} a journey held out, "
            f"BIC {score.bic:,.0f}, {score.n_parameters:,} parameters"
        )
    yield _intervals(answer.definition.interval)


def _common(answer: Attribution) -> Iterator[str]:
    """Say what was counted, by which rules, and what credit is not."""
    totals, told = answer.totals, answer.definition
    yield ""
    yield (
        f"{_number(totals.journeys)} journeys, {_number(totals.conversions)} conversions "
        f"({percent(totals.conversion_rate) or 'none'}), value {_number(totals.value)}"
        + ("" if totals.people is None else f", {totals.people:,} people")
    )
    yield from (f"{subject}: {rule}" for subject, rule in told.rules.items())
    yield from (f"left out: {n:,} {reason.replace('-', ' ')}" for reason, n in told.left_out.items())
    if any(one.is_rare for one in answer.channels):
        yield f"rare: fewer than {told.min_support} conversions stand behind it; the interval is uncertain"
    yield f"{told.kind[0].upper()}{told.kind[1:]}: it says who stood on the way, not who brought it about."


def _intervals(made: Interval) -> str:
    if not made.replicates:
        return made.note or "no intervals: --replicates says how many"
    drawn = f"{made.units:,} {'people' if made.unit == 'person' else 'journeys'}"
    groups = f" in {made.groups:,} groups" if made.groups < made.units else ""
    return f"intervals: {made.method}, {made.replicates:,} replicates of {drawn}{groups}, seed {made.seed}"


def _removal(one: ChannelCredit) -> str:
    if one.removal_effect is None:
        return ""
    span = (
        f" ({_small(one.removal_low)} to {_small(one.removal_high)})" if one.removal_low is not None else ""
    )
    return _small(one.removal_effect) + span


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{_number(low)} to {_number(high)}"


def _number(number: float) -> str:
    """Write a count with as many digits as mean something.

    >>> _number(19785.0), _number(5344.9477), _number(4.6136), _number(-0.94)
    ('19,785', '5,345', '4.61', '-0.94')
    """
    return f"{number:,.0f}" if abs(number) >= 100 or number == round(number) else f"{number:,.2f}"


def _small(number: float | None) -> str:
    return "" if number is None else f"{number:.4f}"


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
