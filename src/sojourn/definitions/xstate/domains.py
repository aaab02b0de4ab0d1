"""Domains: what an XState transition spares. All that is active inside its domain is left, and nothing else.

SCXML's transitions are external unless they say otherwise, and its domain is always a compound state. XState
v5's are internal unless they say `reenter`, and the domain may be a parallel state, whose regions are then
all left and entered again while the state itself stays. (`getTransitionDomain` in XState's stateUtils.)
"""

from __future__ import annotations

from sojourn.definitions.xstate.machine import Machine, Way


def domain_of(machine: Machine, way: Way) -> int:
    """Return the state inside which a transition with targets leaves and enters.

    A history state counts as itself: what it leads to lies beside it, and a way to it from inside its parent
    is refused elsewhere, because there the two would differ.
    """
    assert way.targets
    if is_internal(machine, way):
        return way.source
    others = (*way.targets[1:], way.source)
    for ancestor in machine.ancestors(way.targets[0]):
        if all(machine.is_inside(other, ancestor) for other in others):
            return ancestor
    return 0


def is_internal(machine: Machine, way: Way) -> bool:
    """Tell whether a transition stays inside its own source."""
    return not way.is_reentering and all(
        target == way.source or machine.is_inside(target, way.source) for target in way.targets or ()
    )


def is_nothing(machine: Machine, way: Way) -> bool:
    """Tell whether a transition changes nothing but acts: to its own source, which holds no states."""
    return way.targets == (way.source,) and is_internal(machine, way) and not machine.regions(way.source)
