"""The trail: the steps of one visit, and what in their order goes against the person."""

from __future__ import annotations

from msgspec import Struct

from sojourn.definitions.friction_rules import FrictionRules

MAX_STEPS = 64  # distinct steps counted per visit, as sessions do.

_KEPT = 4  # steps: what A, B, A, B takes.


class Trail(Struct, array_like=True):
    """The steps of the current visit, as far as friction cares."""

    visit: str = ""
    """The session's id."""
    recent: list[tuple[str, int]] = []
    """The last four steps, each with its own time; coming again to where one is, is no step."""
    counts: dict[str, int] = {}
    """How often each was entered since there was a new furthest rank, or a loop was told."""
    n_since_loop: int = 0
    turns: list[bool] = []
    """Of the newest steps: whether each led to an earlier rank."""
    furthest: int = -1
    rank: int = -1
    """Of the newest step that has one."""
    is_backtracking: bool = False


def is_a_step(trail: Trail, step: str, at: int) -> bool:
    """Tell whether a step leads on: not one that came late, and not the one the person is in."""
    return not trail.recent or (at >= trail.recent[-1][1] and step != trail.recent[-1][0])


def walk(trail: Trail, step: str, at: int, *, rank: int, rules: FrictionRules) -> list[str]:
    """Take one step more; return the signals it makes, by name.

    Args:
        trail: changed in place.
        step: where the person is now; `is_a_step` has said so.
        at: the event's own time, ms.
        rank: the step's stage; -1 where it has none.
        rules: the settings.
    """
    found = []
    if _is_quick_back(trail, step, at, rules):
        found.append("quick_back")
    if _goes_back(trail, rank, rules):
        found.append("backtrack")
    if _loops(trail, step, rank, rules):
        found.append("loop")
    trail.recent = [*trail.recent, (step, at)][-_KEPT:]
    return found


def _is_quick_back(trail: Trail, step: str, at: int, rules: FrictionRules) -> bool:
    recent = trail.recent
    return len(recent) >= 2 and recent[-2][0] == step and at - recent[-1][1] < rules.quick_back_ms


def _goes_back(trail: Trail, rank: int, rules: FrictionRules) -> bool:
    """Tell whether more than half of the newest steps lead back now, and did not before this one."""
    trail.turns = [*trail.turns, 0 <= rank < trail.rank][-rules.n_backtrack :]
    was_backtracking = trail.is_backtracking
    trail.is_backtracking = len(trail.turns) == rules.n_backtrack and 2 * sum(trail.turns) > rules.n_backtrack
    if rank >= 0:
        trail.rank = rank
    return trail.is_backtracking and not was_backtracking


def _loops(trail: Trail, step: str, rank: int, rules: FrictionRules) -> bool:
    """Tell whether the step closes a loop: entered too often without getting further, or A, B, A, B."""
    if rank > trail.furthest:
        trail.furthest = rank
        trail.counts = {}
    if step in trail.counts or len(trail.counts) < MAX_STEPS:
        trail.counts[step] = trail.counts.get(step, 0) + 1
    trail.n_since_loop += 1
    nodes = [node for node, _ in trail.recent[-3:]]
    is_to_and_fro = trail.n_since_loop >= _KEPT and nodes[1] == step and nodes[0] == nodes[2]
    if not is_to_and_fro and trail.counts.get(step, 0) < rules.n_loop:
        return False
    trail.counts, trail.n_since_loop = {}, 0
    return True
