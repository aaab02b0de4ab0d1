"""Words: what was found said in sentences, and what not to conclude from it."""

from __future__ import annotations

from collections.abc import Sequence

from sojourn.analytics.causal.measuring import MAX_MIXED, MIN_GHOSTS
from sojourn.analytics.causal.results import Settings, UnitEffect
from sojourn.definitions.durations import write_duration


def decision(unit: UnitEffect) -> str:
    """Say in a sentence what the trial shows."""
    total = unit.incremental
    if unit.verdict == "broken":
        return (
            "broken: the arms are not what the hold-out should have made; no difference here means anything"
        )
    if total.estimate is None or total.low is None or total.high is None:
        return "unknown: too few people to bound it"
    span = f"({count(total.low)} to {count(total.high)})"
    if unit.verdict == "brings":
        return f"brings about {count(total.estimate)} conversions {span}"
    if unit.verdict == "harms":
        span = f"({count(-total.high)} to {count(-total.low)})"
        return f"costs {count(-total.estimate)} conversions {span}: stop or change it"
    return f"not shown to do anything: {count(total.estimate)} conversions {span}; keep the hold-out going"


def count(number: float) -> str:
    """Write a number of conversions.

    >>> count(4560.4), count(-3.21), count(0.0)
    ('4,560', '-3.2', '0')
    """
    return f"{number:,.0f}" if abs(number) >= 100 or number == round(number) else f"{number:,.1f}"


def notes_on(unit: UnitEffect) -> list[str]:
    """Say what to know about one trial, after what is said already."""
    notes = [*unit.notes]
    if unit.ratio.is_broken:
        notes.append(
            f"sample ratio: {unit.ratio.observed:.2%} were kept back where {unit.ratio.expected or 0:.2%} "
            "should have been; something loses people of one arm"
        )
    if unit.ratio.expected is None:
        notes.append("the share kept back is not known from the hash, so the sample ratio is not checked")
    if unit.held < MIN_GHOSTS:
        notes.append(f"only {unit.held:,} people were kept back: the interval is not to be trusted")
    elif unit.verdict == "unclear" and is_one_sided(unit) and not unit.notes:
        notes.append("too few conversions for an arm this small: the interval is not to be trusted")
    if unit.mixed:
        heavy = unit.mixed > MAX_MIXED * max(unit.people, 1)
        notes.append(
            f"{unit.mixed:,} people were assigned both ways (merged lives, a changed share); the first counts"
            + ("; that is above 1%: find out why" if heavy else "")
        )
    if unit.versions > 1:
        notes.append(f"{unit.versions} versions of journeys were in force; this is the mean over them")
    if unit.unfinished:
        notes.append(f"{unit.unfinished:,} people are still in their window and left out")
    if unit.check is not None and not unit.check.agrees:
        notes.append("comparing everybody, opportunity or not, says otherwise: look into it")
    return notes


def not_among(q: float) -> str:
    """Say that a trial is clear by itself, and no claim among all that are told."""
    return f"clear by itself, and not among all trials that are told at once (q = {q:.2g})"


def is_one_sided(unit: UnitEffect) -> bool:
    """Whether the interval leaves nothing out, were it to be trusted."""
    total = unit.incremental
    return total.low is not None and total.high is not None and (total.low > 0 or total.high < 0)


def cautions(units: Sequence[UnitEffect], settings: Settings, *, has_credit: bool) -> list[str]:
    """Say what not to conclude."""
    said = [
        "A total is of this time, these people and these hold-outs; it is no forecast of more of the same.",
        "What is not shown is not zero: the interval says how large it may be.",
    ]
    if sum(unit.kind == "channel" for unit in units) > 1:
        said.append(
            "Each channel is told beside all others as they run: without two, not the sum of both is lost."
        )
    if len({unit.kind for unit in units}) > 1:
        said.append("Channels, journeys and states overlap: never add a journey's total to its channel's.")
    if len(units) > 1:
        said.append(
            f"{len(units)} trials are told at once: what is claimed counts after correction (q, "
            "Benjamini-Hochberg). Each interval is its trial's alone: of "
            f"{round(1 / (1 - settings.level))} one misses."
        )
    if has_credit:
        said.append("How far path credit is off is as uncertain as the shares it is held against.")
    if settings.looks == "once":
        said.append("These intervals are of one look: who looks each day and stops at a good one is misled.")
    if settings.window_ms is None:
        said.append("Conversions after the last event are not in it: late ones count once they are there.")
    said.append(
        "Do not split these people by what they did after their first opportunity: that may be an effect."
    )
    return said


def about_shares(units: Sequence[UnitEffect], *, is_factorial: bool) -> str:
    """Say what shares are of."""
    channels = [unit for unit in units if unit.kind == "channel"]
    if not any(unit.share for unit in channels):
        return ""
    said = (
        "Shapley values of what all channels bring about together: they add up"
        if is_factorial
        else "what is lost by switching a channel off, the others going on (do(off)): they need not add up "
        "to what all bring about; that takes hold-outs large enough for every set of channels"
    )
    if any(unit.share and unit.share.share < 0 for unit in channels):
        said += ". A share below 0 is a loss, as a part of all gains"
    return said


def window(settings: Settings) -> str:
    """Say which conversions count."""
    if settings.window_ms is None:
        return "from the first opportunity to the last event there is"
    return f"{write_duration(settings.window_ms)} from the first opportunity; who is still in it is left out"


def interval(settings: Settings) -> str:
    """Say how intervals are made."""
    if settings.looks == "once":
        return "of one look (Welch)"
    return "holds at every look (asymptotic confidence sequence)"
