"""Asked: what may be asked of an experiment, as the options of a command and the parameters of a path."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from sojourn.analytics.questions.asked import Question

Method = Literal["always-valid", "fixed", "planned-looks"]

LEVEL, TUNING = 0.95, 5_000  # as statistics have them, which load numpy; a test holds them together.


class Experiments(Question, frozen=True, kw_only=True):
    """The experiments that people met, and how many got which variant."""


class Experiment(Question, frozen=True, kw_only=True):
    """What each variant of an experiment did, with intervals that hold however often one looks."""

    metric: Annotated[
        tuple[str, ...],
        Meta(description="A metric's name; by default all there are. Repeatable.", extra={"metavar": "NAME"}),
    ] = ()
    control: Annotated[
        str | None,
        Meta(
            description="The variant that others are compared with; by default one named control, none, "
            "baseline, off or default, else the first by name.",
            extra={"metavar": "VARIANT"},
        ),
    ] = None
    method: Annotated[
        Method,
        Meta(
            description="always-valid: look whenever you like. fixed: one look, at a time fixed before. "
            "planned-looks: some looks, at numbers of people fixed before (O'Brien-Fleming)."
        ),
    ] = "always-valid"
    level: Annotated[
        float,
        Meta(
            ge=0.5,
            le=0.9999,
            description="Of the intervals: 0.95 is one wrong claim in twenty.",
        ),
    ] = LEVEL
    tuning: Annotated[
        int,
        Meta(
            ge=10,
            le=1_000_000_000,
            description="Of always-valid: about how many people are expected in two arms. It is chosen "
            "before, never by what is seen.",
        ),
    ] = TUNING
    looks: Annotated[int, Meta(ge=1, le=50, description="Of planned looks: how many.")] = 5
    planned: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="Of planned looks: people of the two arms at the last one.", extra={"metavar": "N"}),
    ] = None
    by: Annotated[
        tuple[str, ...],
        Meta(
            description="The effect by an attribute, as people had it when they met the experiment. "
            "Repeatable.",
            extra={"metavar": "ATTRIBUTE"},
        ),
    ] = ()
    until: Annotated[
        str | None,
        Meta(description="As if it were then: 2026-03-01 (UTC).", extra={"metavar": "TIME"}),
    ] = None
