"""Rage: several clicks that are one burst, and when the burst is rage, by whose rule one likes."""

from __future__ import annotations

from msgspec import Struct

from sojourn.definitions.friction_rules import RageRule

Place = tuple[float, float]


class Click(Struct, frozen=True):
    """One click, as far as friction cares."""

    at: int
    """The event's own time, ms."""
    target: str
    place: Place | None = None
    """Where, in pixels of the page or the window."""


class Burst(Struct, array_like=True):
    """Clicks that belong together so far."""

    target: str
    times: list[int]
    """Of the newest clicks, in order of arrival; as many as the rule counts."""
    place: Place | None
    """Of the newest click."""
    box: list[float]
    """Left, top, right and bottom of all its clicks; empty where no place is known."""
    is_told: bool = False


def press(burst: Burst | None, click: Click, rule: RageRule) -> tuple[Burst | None, bool]:
    """Take one click in; return the burst it is part of now, and whether the burst has just become rage.

    A burst becomes rage once, however long it goes on (a preset may begin a new one at once instead).
    """
    if burst is None or not _continues(burst, click, rule):
        return Burst(click.target, [click.at], click.place, _around([], click.place)), False
    burst.times = [*burst.times, click.at][-rule.count :]
    burst.place = click.place
    burst.box = _around(burst.box, click.place)
    is_rage = not burst.is_told and _is_rage(burst.times, rule)
    if is_rage and rule.is_restarted:
        return None, True
    burst.is_told |= is_rage
    return burst, is_rage


def _continues(burst: Burst, click: Click, rule: RageRule) -> bool:
    if abs(click.at - burst.times[-1]) > rule.gap_ms:
        return False
    if rule.is_window_a_border:
        first = burst.times[max(0, len(burst.times) - rule.count + 1)]
        if click.at - first > rule.window_ms:
            return False
    if rule.is_same_target and click.target != burst.target:
        return False
    if burst.place is None or click.place is None or not rule.distance:
        # Nobody can say how far apart they are: the same element, if it has a name.
        return bool(click.target) and click.target == burst.target
    measure = _measure(burst, click.place, rule)
    return measure <= rule.px if rule.is_px_included else measure < rule.px


def _measure(burst: Burst, place: Place, rule: RageRule) -> float:
    assert burst.place is not None, "only known places are measured"
    if rule.distance == "box":
        left, top, right, bottom = _around(burst.box, place)
        return max(right - left, bottom - top)
    across, down = abs(place[0] - burst.place[0]), abs(place[1] - burst.place[1])
    return across + down if rule.distance == "manhattan" else (across**2 + down**2) ** 0.5


def _is_rage(times: list[int], rule: RageRule) -> bool:
    if len(times) < rule.count:
        return False
    return not rule.window_ms or times[-1] - times[0] <= rule.window_ms


def _around(box: list[float], place: Place | None) -> list[float]:
    if place is None:
        return box
    x, y = place
    return [min(box[0], x), min(box[1], y), max(box[2], x), max(box[3], y)] if box else [x, y, x, y]
