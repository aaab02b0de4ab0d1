"""Drafting: the states of one journey while they are read: who there is, and who a name means.

It goes in two rounds: first which states there are, then (`later`) how they are left, when every name is
known.
"""

from __future__ import annotations

from collections.abc import Callable

from sojourn.definitions.drafts import Draft
from sojourn.definitions.experiment import Experiment
from sojourn.definitions.reading import Reading
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.yaml import AnyNode, Node

DONE = "done"
"""The state that needs no definition: the end."""

EXIT = "exit"
"""Another name of it, where no state is called so."""

FINISHED = "finished"
"""Where steps inside a state end: the state is done then."""

RESUME = "resume"
"""The hidden history of a state that something leads back into."""


class Drafting:
    """The drafts of one journey, by name and by id."""

    def __init__(self, reading: Reading, root: Draft) -> None:
        self.reading = reading
        self.root = root
        self.experiments: list[Experiment] = []
        """In document order."""
        self._by_name: dict[str, list[Draft]] = {}
        self._by_id: dict[str, Draft] = {}
        self._later: list[Callable[[], None]] = []

    def add(self, parent: Draft, name: str, place: Node) -> Draft:
        """Add a state inside another."""
        draft = Draft(name, f"{parent.id}.{name}" if parent.id else name, place, parent=parent)
        if draft.id in self._by_id:
            message = f"another state here is called {name!r}; choose another name"
            self.reading.refuse(place, message, "duplicate-name")
        parent.children.append(draft)
        self._by_name.setdefault(name, []).append(draft)
        self._by_id[draft.id] = draft
        return draft

    def later(self, work: Callable[[], None]) -> None:
        """Leave work for the second round, when all states are known."""
        self._later.append(work)

    def finish(self) -> None:
        """Go the second round."""
        self.reading.states = {
            **{name: drafts[0].id for name, drafts in self._by_name.items() if len(drafts) == 1},
            **{draft_id: draft_id for draft_id in self._by_id},
        }
        for work in self._later:
            work()

    def child(self, parent: Draft, node: AnyNode) -> Draft | None:
        """Find a state among those directly inside another."""
        name = self.reading.text(node, "the name of a state")
        found = {child.name: child for child in parent.children}
        if name and name not in found:
            self._unknown(node, name, [*found])
        return found.get(name)

    def target(self, source: Draft, node: AnyNode) -> Draft | None:
        """Find a state by its name: a sibling, an ancestor's sibling, or else the only one of that name."""
        name = self.reading.text(node, "the name of a state")
        if not name:
            return None
        found = self._nearby(source, name) or self._by_id.get(name)
        if found is not None:
            return found
        named = self._by_name.get(name, [])
        if len(named) == 1:
            return named[0]
        if named:
            message = f"there are several states {name!r}; write {' or '.join(each.id for each in named)}"
            self.reading.refuse(node, message, "ambiguous-state")
            return None
        if name in (DONE, EXIT):
            return self.done(node)
        self._unknown(node, name, [*self._by_name, *self._by_id, DONE])
        return None

    def history(self, source: Draft, node: AnyNode) -> Draft | None:
        """Find where one was inside a state, however deep: a hidden history state."""
        state = self.target(source, node)
        if state is None:
            return None
        if state.kind not in ("compound", "parallel"):
            message = f"{state.name!r} has no states inside, so there is nowhere to go back to in it"
            self.reading.refuse(node, message, "bad-value")
            return None
        for child in state.children:
            if child.kind == "history" and child.is_hidden:
                return child
        name = RESUME
        while f"{state.id}.{name}" in self._by_id:
            name += "-"
        hidden = self.add(state, name, node)
        hidden.kind, hidden.is_deep, hidden.is_hidden = "history", True, True
        return hidden

    def done(self, place: Node) -> Draft:
        """Return the end of the journey."""
        return self._final(self.root, DONE, place)

    def finished(self, parent: Draft) -> Draft:
        """Return the end of the steps inside a state."""
        return self._final(parent, FINISHED, parent.place)

    def _final(self, parent: Draft, name: str, place: Node) -> Draft:
        found = self._by_id.get(f"{parent.id}.{name}" if parent.id else name)
        if found is None:
            found = self.add(parent, name, place)
            found.kind = "final"
        return found

    def _nearby(self, source: Draft, name: str) -> Draft | None:
        first, *rest = name.split(".")
        for above in source.ancestors():
            found = next((child for child in above.children if child.name == first), None)
            inside = self._by_id.get(".".join([found.id, *rest])) if found else None
            if inside is not None:
                return inside
        return None

    def _unknown(self, node: Node, name: str, known: list[str]) -> None:
        self.reading.refuse(node, f"no state is named {name!r}{did_you_mean(name, known)}", "unknown-state")
