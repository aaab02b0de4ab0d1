"""Segments: the effect by what people were before their assignment, corrected for how many were asked for."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from sojourn.analytics.experiments.comparing import Pair
from sojourn.analytics.experiments.results import Segmented, SegmentEffect
from sojourn.analytics.experiments.rules import Rule
from sojourn.analytics.experiments.samples import foretold
from sojourn.analytics.statistics.distributions import chi_square_tail
from sojourn.analytics.statistics.heterogeneity import interaction
from sojourn.analytics.statistics.mismatch import MAX_P_ONCE
from sojourn.analytics.statistics.multiplicity import benjamini_hochberg

MAX_SEGMENTS = 10  # of an attribute, the largest; the rest is one.
MIN_PEOPLE = 30  # of a segment; a smaller one is in the rest.
UNKNOWN, REST = "(unknown)", "(other)"


class Attribute(Struct, frozen=True):
    """What people were, each at the assignment."""

    name: str
    codes: NDArray[np.int64]
    """Shape (n,): an index into `values`; -1: unknown."""
    values: list[str]


def segmented(pair: Pair, attribute: Attribute, rule: Rule) -> Segmented:
    """Compare within each segment of an attribute.

    Args:
        pair: The people of two arms.
        attribute: Of the same people, in the same order.
        rule: How one may look. The level of its intervals is shared by the segments (Bonferroni).

    Returns:
        Refused where the arms differ in the attribute more than chance allows: then it is not from before the
        assignment, and the effect within it is no effect.
    """
    names, group = _groups(attribute)
    if not pair.is_weighted and _differs(group, pair.is_treated, len(names)):
        reason = (
            f"the arms differ in {attribute.name!r} itself, which should be from before the assignment; "
            "within what an arm changes there is no effect to be read"
        )
        return Segmented(attribute=attribute.name, effects=[], p=1.0, q=1.0, differs=False, refused=reason)
    theta, centre = foretold(*pair.sides())
    shared = replace(rule, level=1 - rule.alpha / max(1, len(names)))
    effects, contrasts = [], []
    for code, name in enumerate(names):
        part = pair.some(group == code)
        found = part.apart(theta=theta, centre=centre)
        contrasts.append(found)
        effects.append(SegmentEffect(value=name, people=len(part.over_at), effect=shared.interval(found)))
    test = interaction(contrasts, alpha=rule.alpha, tuning=rule.tuning)
    p = test.always_valid_p if rule.method == "always-valid" else test.p
    return Segmented(attribute=attribute.name, effects=effects, p=p, q=p, differs=False)


def corrected(several: list[list[Segmented]], *, alpha: float) -> list[list[Segmented]]:
    """Correct for all attributes and metrics that were asked for, and say which differ."""
    flat = [one for each in several for one in each]
    q = benjamini_hochberg([float("nan") if one.refused else one.p for one in flat]).tolist()
    done = iter(
        one if one.refused else replace(one, q=value, differs=value <= alpha)
        for one, value in zip(flat, q, strict=True)
    )
    return [[next(done) for _ in each] for each in several]


def _groups(attribute: Attribute) -> tuple[list[str], NDArray[np.int64]]:
    """Return (names of segments, the segment of each person): the largest, then the rest, then unknown."""
    counts = np.bincount(attribute.codes[attribute.codes >= 0], minlength=len(attribute.values))
    large = [code for code in range(len(attribute.values)) if counts[code] >= MIN_PEOPLE]
    large.sort(key=lambda code: (-counts[code], attribute.values[code]))
    kept = large[:MAX_SEGMENTS]
    names = [attribute.values[code] for code in kept]
    table = np.full(len(attribute.values) + 1, len(kept))  # the last: unknown
    table[kept] = np.arange(len(kept))
    if counts.sum() > counts[kept].sum():
        names.append(REST)
    table[-1] = len(names)
    if (attribute.codes < 0).any():
        names.append(UNKNOWN)
    return names, table[attribute.codes].astype(np.int64)


def _differs(group: NDArray[np.int64], is_treated: NDArray[np.bool_], n: int) -> bool:
    """Whether arms have the segments in other shares, beyond chance."""
    counts = np.bincount(group * 2 + is_treated, minlength=2 * n).reshape(n, 2)
    total = counts.sum()
    if n < 2 or not counts.sum(axis=0).all():
        return False
    wanted = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / total
    statistic = float(((counts - wanted) ** 2 / wanted).sum())
    return chi_square_tail(statistic, n - 1) < MAX_P_ONCE
