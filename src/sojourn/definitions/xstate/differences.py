"""Differences: where XState v5 and our charts (SCXML's) part, and no rewriting brings them together.

A machine that does one of these is refused: it would do something else here than where it was drawn.
"""

from __future__ import annotations

from collections.abc import Iterator

from sojourn.definitions.xstate.domains import is_internal, is_nothing
from sojourn.definitions.xstate.machine import Machine, Way
from sojourn.definitions.xstate.reading import Refusals


def refuse_differences(machine: Machine, refusals: Refusals) -> None:
    """Note every transition, and every shape, that means something else in XState."""
    for way in machine.ways():
        _check_way(machine, way, refusals)
    for index, vertex in enumerate(machine.vertices):
        if vertex.kind == "parallel":
            _check_regions(machine, index, refusals)
    if machine.vertices[0].kind == "parallel" and all(_can_end(machine, each) for each in machine.regions(0)):
        message = (
            "a machine of regions alone that ends with them; put a state around them, and lead on from it"
        )
        refusals.refuse((), message, "parallel-end")


def _check_way(machine: Machine, way: Way, refusals: Refusals) -> None:
    for target in way.targets or ():
        vertex = machine.vertices[target]
        if vertex.kind == "history" and machine.is_inside(way.source, vertex.parent):
            message = (
                "a way back into a state from inside it: what it leaves would depend on what is remembered"
            )
            refusals.refuse(way.path, message, "history-inside")
        if target == 0 and (way.source or way.is_reentering):
            message = "the machine itself cannot be entered again; name a state in it"
            refusals.refuse(way.path, message, "root-target")
    if way.source == 0 and way.is_reentering:
        refusals.refuse(way.path, "the machine itself cannot be left and entered again", "root-target")
    if way.cause == "always" and way.targets and is_internal(machine, way):
        message = (
            "a transition that is always open and leads inside its own state would be taken again and again"
        )
        refusals.refuse(way.path, message, "loop-without-wait")


def _check_regions(machine: Machine, parallel: int, refusals: Refusals) -> None:
    """Look for transitions that act without leaving, and meet others on the way between region and root.

    XState asks what is outside the regions only where no region answers at all; SCXML asks for each region.
    Where both would leave something, the inner one wins in either; where one only acts, SCXML takes both.
    """
    if len(machine.regions(parallel)) < 2:
        return
    inner = [
        way for way in machine.ways() if machine.is_inside(way.source, parallel) and way.cause != "always"
    ]
    for outer in _outside(machine, parallel):
        for way in inner:
            only_acts = any(_only_acts(machine, each) for each in (outer, way))
            if only_acts and _may_meet(outer, way):
                message = (
                    f"also answered inside {machine.vertices[parallel].key or 'the machine'}, and one of the "
                    "two leads nowhere: XState takes the inner one alone, a journey both; use two events"
                )
                refusals.refuse(outer.path, message, "parallel-answer")
                break


def _outside(machine: Machine, parallel: int) -> Iterator[Way]:
    for index in (parallel, *machine.ancestors(parallel)):
        yield from (way for way in machine.vertices[index].ways if way.cause != "always")


def _only_acts(machine: Machine, way: Way) -> bool:
    return way.targets is None or is_nothing(machine, way)


def _may_meet(one: Way, other: Way) -> bool:
    return "*" in (one.event, other.event) or (
        one.cause == other.cause == "event" and one.event == other.event
    )


def _can_end(machine: Machine, index: int) -> bool:
    """Tell whether a region can be done."""
    vertex = machine.vertices[index]
    inside = machine.regions(index)
    if vertex.kind == "parallel":
        return all(_can_end(machine, each) for each in inside)
    return any(machine.vertices[each].kind == "final" for each in inside)
