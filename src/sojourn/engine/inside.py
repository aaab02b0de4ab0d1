"""Inside: one enrolment while something happens to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from sojourn.definitions.journey import Journey
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Enrolment, Life
from sojourn.engine.view import View
from sojourn.model.fact import Fact


class Inside(Struct, frozen=True, gc=False):
    """One enrolment while something happens to it."""

    life: Life
    enrolment: Enrolment
    journey: Journey
    view: View
    ledger: Ledger

    def tell(self, kind: Callable[..., Fact], **fields: Any) -> None:
        """Write a fact about the enrolment down."""
        tell(self.enrolment, self.ledger, kind, **fields)


def journey_of(enrolment: Enrolment, ledger: Ledger) -> Journey | None:
    return ledger.catalogue.versions.get((enrolment.journey, enrolment.version))


def tell(enrolment: Enrolment, ledger: Ledger, kind: Callable[..., Fact], **fields: Any) -> None:
    """Write a fact about an enrolment down."""
    ledger.facts.append(
        kind(
            profile_id=ledger.profile_id,
            at=ledger.at,
            position=ledger.position,
            journey=enrolment.journey,
            version=enrolment.version,
            enrolment_id=enrolment.id,
            **fields,
        )
    )
