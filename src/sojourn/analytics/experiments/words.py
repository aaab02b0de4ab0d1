"""Words: a comparison as a sentence, and what must not be concluded from it."""

from __future__ import annotations

import math

from sojourn.analytics.experiments.results import Compared
from sojourn.definitions.durations import write_duration

_SHARES = ("conversion", "retention")

NOT_TO_CONCLUDE = {
    "always-valid": "No difference shown is not 'no effect': all of the interval is still possible.",
    "fixed": "These intervals are for one look, at a time fixed before. Whoever looks each day and stops at "
    "the first clear answer is wrong far more often than `level` says: use always-valid.",
    "planned-looks": "These bounds are for the looks that were planned, at these numbers of people, and for "
    "no others.",
}


def sentence(one: Compared) -> str:
    """Say what was found.

    The effect is that after CUPED; means are as measured.
    """
    if one.decision == "sample ratio mismatch: do not read":
        return "The arms do not have the people they should have: find out why before anything is read."
    if one.decision == "chances not logged: do not read":
        return "Chances of the arms changed and were not logged: a difference may be that of other people."
    treated, control = (amount(mean, one.kind) for mean in one.means)
    beside = f"{one.variant} {treated} beside {control}"
    if one.decision == "too few people yet" or not math.isfinite(one.effect.low):
        return f"{beside}; too few people to say more."
    more = "more" if one.effect.estimate > 0 else "less"
    size = amount(abs(one.effect.estimate), one.kind, is_difference=True)
    low, high = (amount(bound, one.kind, is_difference=True) for bound in (one.effect.low, one.effect.high))
    found = f"{beside}: {size} {more} ({low.removesuffix(' points')} to {high})"
    if one.decision == "no difference shown yet":
        return f"{found}; that may be chance."
    return f"{found}; {one.decision}."


def amount(value: float, kind: str, *, is_difference: bool = False) -> str:
    """Write a mean in its unit.

    >>> amount(0.1828, "conversion"), amount(0.0766, "conversion", is_difference=True)
    ('18.28%', '7.66 points')
    >>> amount(1.4226, "value"), amount(5_400_000, "time_to")
    ('1.423', '1h30m')
    """
    if math.isnan(value):
        return "nothing"
    if kind in _SHARES:
        return f"{value * 100:.2f} points" if is_difference else f"{value:.2%}"
    if kind == "time_to":
        sign = "-" if value < 0 else ""
        return sign + write_duration(round(abs(value) / 60_000) * 60_000)
    return f"{value:,.4g}" if abs(value) < 1_000 else f"{value:,.0f}"
