"""Checks of the graph: states that nobody reaches or leaves, loops that never wait, waits in vain."""

from __future__ import annotations

from heapq import heappop, heappush

from sojourn.definitions.drafts import Draft, Way
from sojourn.definitions.internal_events import DONE_STATE
from sojourn.definitions.loops import Loops, entered_anew, is_in, may_pass
from sojourn.definitions.reading import Reading

MAX_PASSING_WAITS = 50  # that may be over at once: half of the events a machine may send itself at once.


def check_graph(root: Draft, reading: Reading, *, goal_within_ms: int | None = None) -> None:
    """Note in `reading` what is wrong with the graph as a whole, each problem where the state stands."""
    drafts = list(root.all())[1:]
    for draft in drafts:
        _check_way_out(draft, reading)
    _check_reached(root, drafts, reading)
    _check_loops(drafts, reading)
    passing = [way for draft in drafts for way in draft.ways if way.may_be_at_once]
    if len(passing) > MAX_PASSING_WAITS:
        message = f"expected at most {MAX_PASSING_WAITS} waits until a date or a window in one journey"
        reading.refuse(passing[MAX_PASSING_WAITS].place, message, "too-long")
    _check_done_events(root, drafts, reading)
    _check_regions(drafts, reading)
    if goal_within_ms is not None:
        _check_times(root, goal_within_ms, reading)


def _check_reached(root: Draft, drafts: list[Draft], reading: Reading) -> None:
    """Refuse what nobody reaches: of what only leads to one another, the first alone."""
    reached = _reached([root])
    for draft in drafts:
        is_inside_unreached = draft.parent not in reached  # its parent is the problem then
        if draft not in reached and not is_inside_unreached:
            message = f"state {draft.name!r} is never reached; add a way to it or remove it"
            reading.refuse(draft.place, message, "unreachable")
            reached |= _reached([draft])


def _check_done_events(root: Draft, drafts: list[Draft], reading: Reading) -> None:
    """Warn of a way that waits for something to be done that never is."""
    by_id = {draft.id: draft for draft in drafts}
    for draft in (root, *drafts):
        for way in draft.ways:
            awaited = by_id.get(way.event.removeprefix(DONE_STATE)) if way.event else None
            if awaited is not None and way.event.startswith(DONE_STATE) and not _can_be_done(awaited):
                message = f"state {awaited.name!r} is never done: nothing inside it ends"
                reading.warn(way.place, message, "never-done")


def _check_regions(drafts: list[Draft], reading: Reading) -> None:
    """Warn of a way from one region into another: in a statechart that starts all of them anew."""
    for draft in drafts:
        for way in draft.ways:
            if any(above.kind == "parallel" and is_in(draft, above) for above in entered_anew(draft, way)):
                message = "this leads from one region into another, which starts all of them anew"
                reading.warn(way.place, message, "restarts-regions")


def _can_be_done(draft: Draft) -> bool:
    if draft.kind == "parallel":
        return all(_can_be_done(child) for child in draft.children if child.kind != "history")
    return any(child.kind == "final" for child in draft.children)


def _check_times(root: Draft, goal_within_ms: int, reading: Reading) -> None:
    """Warn of waits that end when the goal can no longer be reached, the first on each way."""
    reached_ms = _earliest(root)
    for draft in root.all():
        begins_ms = reached_ms.get(draft)
        for way in draft.ways:
            if way.after_ms > goal_within_ms:
                reading.warn(way.place, "this waits longer than the goal's window", "after-goal")
            elif begins_ms is not None and begins_ms <= goal_within_ms < begins_ms + way.after_ms:
                message = "this ends after the goal's window, with the waits on the way to it"
                reading.warn(way.place, message, "after-goal")


def _earliest(root: Draft) -> dict[Draft, int]:
    """Return how long after the entry each state is reached at the earliest, ms."""
    earliest: dict[Draft, int] = {}
    waiting: list[tuple[int, int, Draft]] = [(0, 0, root)]
    n_seen = 0  # of two at one instant, the one seen first: drafts have no order of their own
    while waiting:
        at_ms, _, draft = heappop(waiting)
        if draft in earliest:
            continue
        earliest[draft] = at_ms
        for each in (*draft.ancestors(), *draft.starts()):
            n_seen += 1
            heappush(waiting, (at_ms, n_seen, each))
        for way in draft.ways:
            n_seen += 1
            heappush(waiting, (at_ms + way.after_ms, n_seen, way.to))
    return earliest


def _check_way_out(draft: Draft, reading: Reading) -> None:
    if draft.kind == "final" and not _leads_on(draft):
        message = f"state {draft.name!r} ends its part, and nothing leads on from there"
        reading.refuse(draft.place, f"{message}; add done.state.{draft.parent_id} to its parent", "dead-end")
    if draft.kind != "atomic":
        return
    ways = [*draft.ways, *(way for above in draft.ancestors() for way in above.ways)]
    if not ways:
        message = f"state {draft.name!r} waits but has no way out; add a transition or make it final"
        reading.refuse(draft.place, message, "dead-end")
    elif all(way.cause == "nothing" and way.when is not None for way in ways):
        message = f"state {draft.name!r} is left only under conditions; end its branch with {{ to: .. }}"
        reading.refuse(draft.place, message, "stuck-branch")


def _leads_on(final: Draft) -> bool:
    """Whether a final state ends the journey, or lies in something that can still be left."""
    for above in final.ancestors():
        if above.kind == "root" or above.ways:
            return above.kind != "root" or final.parent is above
        if above.kind == "parallel" and any(_leaves(way, above) for each in above.all() for way in each.ways):
            return True
    return False


def _leaves(way: Way, outer: Draft) -> bool:
    return not is_in(way.to, outer)


def _reached(first: list[Draft]) -> set[Draft]:
    """Find every state that can become active where these are."""
    reached: set[Draft] = set(first)
    waiting = [*first]
    while waiting:
        draft = waiting.pop()
        entered = [*draft.starts(), *(way.to for way in draft.ways)]
        for target in entered:
            for each in (target, *target.ancestors()):
                if each not in reached:
                    reached.add(each)
                    waiting.append(each)
    return reached


def _check_loops(drafts: list[Draft], reading: Reading) -> None:
    """Refuse what never comes to rest, once for each circle."""
    for circle in Loops(drafts).circles():
        names = " -> ".join(each.name for each in circle)
        message = f"{names} is a loop without a wait; add an event or a time to it"
        if may_pass(circle):
            message += " (a call, and a wait until a date or a window, may be over at once)"
        reading.refuse(circle[0].place, message, "loop-without-wait")
