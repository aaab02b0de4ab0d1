"""The report of a policy's evaluation: how it is laid out for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sojourn.cli.output import table

if TYPE_CHECKING:
    from sojourn.analytics.policies.evaluating import Estimate, Evaluation, Overlap

CAUTIONS = (
    "It is of the people and the time that were logged; of next month's, only a test tells.",
    "It takes every propensity at its word, and people as independent of one another.",
    "It says nothing of variants that were never drawn, nor of anything but the reward.",
    "Of many drafts judged by the same log, the best one looks better than it is.",
)


def for_people(found: Evaluation, told: Mapping[str, Any]) -> Iterator[Any]:
    """Lay out how far the log says anything, what it says, and what not to conclude."""
    overlap = found.overlap
    yield (
        f"{told['policy']}, judged by {overlap.decisions:,} decisions of {overlap.people:,} people"
        + (f" in {told['experiment']}" if told["experiment"] else "")
        + f": {len(found.definition['variants'])} variants, {found.definition['contexts']} contexts"
    )
    if "reward" in told:
        yield f"reward: {told['reward']}"
    if "unseen_cells" in told:
        yield f"no decision was made in: {', '.join(told['unseen_cells'])}"
    yield from (f"left out: {n:,} {reason}" for reason, n in found.definition["left_out"].items())
    yield table(("overlap", ""), _overlap(overlap))
    level = f"{100 * found.definition['level']:g}"
    columns = ("what a decision earns", "", f"{level} % interval", "by the normal law")
    if found.refused:
        yield table(columns, [_row(found.current, "as it was drawn")])
        yield "Nothing can be said of the draft:"
        yield from (f"- {reason}." for reason in found.refused)
        yield "Draw more of what it would draw (a higher floor), or draft something nearer to what was drawn."
        return
    rows = [_row(found.current, "as it was drawn"), *(_row(one, one.name) for one in found.estimates)]
    if found.difference is not None:
        rows.append(_row(found.difference, "DR less as it was drawn"))
    yield table(columns, rows)
    yield _verdict(found)
    yield "What not to conclude:"
    yield from (f"- {caution}" for caution in CAUTIONS)


def _overlap(overlap: Overlap) -> list[tuple[str, str]]:
    rows = [
        ("effective sample size", f"{overlap.effective:,.0f} of {overlap.decisions:,}"),
        ("largest weight", f"{overlap.largest_weight:,.1f}, {overlap.largest_share:.1%} of all"),
        ("mean weight", f"{overlap.mean_weight:.3f} (1 but for chance, where propensities are right)"),
        ("would draw what was never drawn there", f"{overlap.unseen:.1%}"),
    ]
    if overlap.impossible is not None:
        rows.append(("would draw what could not be drawn there", f"{overlap.impossible:.1%}"))
    return rows


def _row(one: Estimate, name: str) -> tuple[str, str, str, str]:
    return name, _number(one.value), _span(one.low, one.high), _span(one.normal_low, one.normal_high)


def _verdict(found: Evaluation) -> str:
    difference = found.difference
    assert difference is not None, "it is told wherever nothing is refused"
    lows = [low for low in (difference.low, difference.normal_low) if low is not None]
    if not lows:
        return "Not shown to be better: nobody can tell how far the difference may be off."
    if found.promote:
        return f"Worth promoting: DR is above what was earned by {_number(min(lows))} at least."
    return f"Not shown to be better: DR less what was earned may be as low as {_number(min(lows))}."


def _span(low: float | None, high: float | None) -> str:
    return "nobody can tell" if low is None or high is None else f"{_number(low)} to {_number(high)}"


def _number(number: float) -> str:
    return f"{number:,.4g}"
