"""Lessons: what facts teach, and when that is to be put into the log; the same wherever facts come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from sojourn.definitions.controls import Learnt
from sojourn.definitions.journey import Catalogue
from sojourn.model.fact import Fact
from sojourn.runtime.allocating import Allocator
from sojourn.runtime.learning import Learner
from sojourn.runtime.tallies import Kept


class Documents(Struct, frozen=True):
    """What was kept of lessons, by name."""

    documents: Mapping[str, bytes] = {}

    def kept(self, name: str) -> bytes | None:
        """Return a document of it."""
        return self.documents.get(name)


class Lessons:
    """The counts of steps and of variants."""

    def __init__(self, store: Kept) -> None:
        self.learner = Learner(store)
        """What people's steps forecast; it learns while somebody asks."""
        self.allocator = Allocator(store)
        """What rewards say of variants; it counts while an experiment's allocation is adaptive."""

    def take(self, facts: Iterable[Fact], catalogue: Catalogue) -> None:
        """Count what some facts teach, as far as what is in force asks for it."""
        if catalogue.needs.propensities:
            self.learner.take(facts)
        if catalogue.adaptive:
            self.allocator.take(facts, catalogue.adaptive)

    def learnt(self, clock: int, catalogue: Catalogue) -> Learnt | None:
        """Return what is to be put into the log by now; None where it is not time, or nothing is new."""
        goals, adaptive = catalogue.needs.propensities, catalogue.adaptive
        forecasts = self.learner.forecasts(clock, goals) if self.learner.due(clock, goals) else {}
        is_due = bool(adaptive) and self.allocator.due(clock, adaptive)
        allocations = self.allocator.allocations(clock, adaptive) if is_due else {}
        if not forecasts and all(catalogue.allocations.get(k) == v for k, v in allocations.items()):
            return None
        arms = {name: list(adaptive[name].variants) for name in allocations}
        return Learnt(forecasts=forecasts, allocations=allocations, arms=arms)

    def documents(self, clock: int) -> dict[str, bytes]:
        """Return what a commit keeps of it: nothing, where it kept it a moment ago."""
        return self.learner.document(clock) | self.allocator.document(clock)

    def all_documents(self) -> dict[str, bytes]:
        """Return all that another one of them would go on from."""
        return self.learner.kept() | self.allocator.kept()
