"""Checks of the graph: states that nobody reaches or leaves, and loops that never wait."""

from __future__ import annotations

from collections.abc import Iterator

from sojourn.definitions.drafts import Draft, Way
from sojourn.definitions.reading import Reading


def check_graph(root: Draft, reading: Reading, *, goal_within_ms: int | None = None) -> None:
    """Note in `reading` what is wrong with the graph as a whole, each problem where the state stands."""
    drafts = list(root.all())[1:]
    for draft in drafts:
        _check_way_out(draft, reading)
    reached = _reached(root)
    for draft in drafts:
        is_inside_unreached = draft.parent not in reached  # its parent is the problem then
        if draft not in reached and not is_inside_unreached:
            message = f"state {draft.name!r} is never reached; add a way to it or remove it"
            reading.refuse(draft.place, message, "unreachable")
    _check_loops(drafts, reading)
    for draft in drafts:
        for way in draft.ways:
            if goal_within_ms is not None and way.after_ms > goal_within_ms:
                message = "this waits longer than the goal's window"
                reading.warn(way.place, message, "after-goal")


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
    return way.to is not outer and outer not in way.to.ancestors()


def _reached(root: Draft) -> set[Draft]:
    """Find every state that can become active, starting from the initial ones."""
    reached: set[Draft] = {root}
    waiting = [root]
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
    """Find circles of ways that need neither an event nor time: they would never come to rest."""
    done: set[Draft] = set()
    for draft in drafts:
        circle = _circle_from(draft, done)
        if circle is not None:
            names = " -> ".join(each.name for each in circle)
            message = f"{names} is a loop without a wait; add an event or a time to it"
            reading.refuse(circle[0].place, message, "loop-without-wait")


def _circle_from(start: Draft, done: set[Draft]) -> list[Draft] | None:
    """Walk depth first, without recursion; return the first circle, beginning and ending in one state."""
    path: list[tuple[Draft, Iterator[Draft]]] = []
    on_path: set[Draft] = set()

    def step_into(draft: Draft) -> None:
        path.append((draft, _at_once(draft)))
        on_path.add(draft)

    if start not in done:
        step_into(start)
    while path:
        draft, following = path[-1]
        successor = next(following, None)
        if successor is None:
            path.pop()
            on_path.discard(draft)
            done.add(draft)
        elif successor in on_path:
            states = [each for each, _ in path]
            done.update(states)
            return [*states[states.index(successor) :], successor]
        elif successor not in done:
            step_into(successor)
    return None


def _at_once(draft: Draft) -> Iterator[Draft]:
    """Yield the states whose own ways at once may be taken right after one of this state's."""
    if draft.kind == "history":
        return
    for way in draft.ways:
        if way.cause == "nothing":
            yield from (each for each in _entered(way) if _has_way_at_once(each))


def _entered(way: Way) -> Iterator[Draft]:
    """Yield what is active once a way is taken: its target, what that starts with, and all above."""
    yield from way.to.ancestors()
    waiting = [way.to]
    seen: set[Draft] = set()
    while waiting:
        draft = waiting.pop()
        if draft in seen:
            continue
        seen.add(draft)
        yield draft
        if draft.kind == "history":
            waiting += [each.to for each in draft.ways] or (draft.parent.starts() if draft.parent else [])
        else:
            waiting += draft.starts()


def _has_way_at_once(draft: Draft) -> bool:
    return draft.kind != "history" and any(way.cause == "nothing" for way in draft.ways)
