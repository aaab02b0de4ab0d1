"""Loops: circles of ways that need neither an event from outside nor time: they never come to rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sojourn.definitions.drafts import Draft, Way

DONE_STATE = "done.state."
"""Before a state's id: the event that says that it is done."""

DONE_CALL = "done.call."
"""Before a state's id: the event by which the engine says that what the state called is over."""

INTERNAL = (DONE_STATE, DONE_CALL, "after(", "error.")
"""How the names of events begin that only the engine sends."""

Taken = tuple[Draft, Way]
"""A way, and the state it leads out of."""


class Loops:
    """What can follow at once on what, in one graph of states."""

    def __init__(self, drafts: list[Draft]) -> None:
        self._drafts = drafts
        self._heard: dict[str, list[Taken]] = {}
        """Done event -> the ways that it moves."""
        for draft in drafts:
            for way in draft.ways:
                if way.event.startswith(DONE_STATE):
                    self._heard.setdefault(way.event, []).append((draft, way))
        self._quick: dict[Draft, bool] = {}

    def circles(self) -> Iterator[list[Draft]]:
        """Yield circles, each beginning and ending in one state; of those that meet, the first."""
        done: set[Draft] = set()
        for draft in self._drafts:
            circle = circle_from(draft, done, self._following)
            if circle is not None:
                yield circle

    def _following(self, draft: Draft) -> Iterator[Draft]:
        """Yield the states whose own ways at once may be taken right after one of this state's."""
        for source, way in self._at_once(draft):
            yield from (each for each in entered(source, way) if any(self._at_once(each)))

    def _at_once(self, draft: Draft) -> Iterator[Taken]:
        """Yield what may be taken as soon as a state is entered."""
        if draft.kind == "history":
            return
        yield from ((draft, way) for way in draft.ways if _may_be_at_once(way))
        if draft.kind == "final":
            for event in self._said_by(draft):
                yield from self._heard.get(event, ())

    def _said_by(self, final: Draft) -> Iterator[str]:
        """Yield the done events that follow on a final state at once.

        A parallel state around it is done only where its other regions end as fast, once all start anew.
        """
        done = final.parent
        while done is not None and done.kind != "root":
            yield DONE_STATE + done.id
            done = done.parent
            if done is None or done.kind != "parallel" or not self._is_quick(done):
                return

    def _is_quick(self, state: Draft) -> bool:
        """Tell whether a state may be done as soon as it is entered."""
        if state not in self._quick:
            if state.kind == "parallel":
                self._quick[state] = all(self._is_quick(region) for region in state.starts())
            else:
                self._quick[state] = self._ends_at_once(state)
        return self._quick[state]

    def _ends_at_once(self, state: Draft) -> bool:
        waiting = list(_started(state.starts()))
        seen: set[Draft] = set()
        while waiting:
            draft = waiting.pop()
            if draft in seen or state not in draft.ancestors():
                continue
            seen.add(draft)
            if draft.kind == "final" and draft.parent is state:
                return True
            for source, way in self._at_once(draft):
                waiting += entered(source, way)
        return False


def circle_from(
    start: Draft, done: set[Draft], following: Callable[[Draft], Iterator[Draft]]
) -> list[Draft] | None:
    """Walk depth first, without recursion; return the first circle, beginning and ending in one state.

    `done` are states that lead into no new circle; those walked are added to it.
    """
    path: list[tuple[Draft, Iterator[Draft]]] = []
    on_path: set[Draft] = set()

    def step_into(draft: Draft) -> None:
        path.append((draft, following(draft)))
        on_path.add(draft)

    if start not in done:
        step_into(start)
    while path:
        draft, successors = path[-1]
        successor = next(successors, None)
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


def may_pass(circle: list[Draft]) -> bool:
    """Tell whether a circle has a wait in it that may be over at once."""
    return any(way.may_be_at_once or way.event.startswith(DONE_CALL) for each in circle for way in each.ways)


def is_in(draft: Draft, outer: Draft) -> bool:
    """Tell whether a state is another one, or inside it."""
    return draft is outer or outer in draft.ancestors()


def entered_anew(source: Draft, way: Way) -> Iterator[Draft]:
    """Yield the states around the target of a way that it leaves, if they are active, and enters."""
    domain = next(
        above for above in source.ancestors() if above.kind != "parallel" and above in way.to.ancestors()
    )
    for above in way.to.ancestors():
        if above is domain:
            return
        yield above


def entered(source: Draft, way: Way) -> Iterator[Draft]:
    """Yield what is active once a way is taken: its target, what that starts with, and all above.

    Of a parallel state that is entered on the way to the target, the other regions start too.
    """
    yield from way.to.ancestors()
    first = [way.to]
    for state in entered_anew(source, way):
        if state.kind == "parallel":
            first += [region for region in state.starts() if not is_in(way.to, region)]
    yield from _started(first)


def _started(first: list[Draft]) -> Iterator[Draft]:
    """Yield states that are entered, and all that they start with."""
    waiting = [*first]
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


def _may_be_at_once(way: Way) -> bool:
    # A call may be over at once too: where the journey that is called lets nobody in.
    return way.cause == "nothing" or way.may_be_at_once or way.event.startswith(DONE_CALL)
