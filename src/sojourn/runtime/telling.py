"""Telling: a fact in one line, as a person would say it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from sojourn.model import fact as facts
from sojourn.model.fact import Fact


def tell_story(timeline: Sequence[Fact]) -> list[str]:
    """Say what happened, a line each; an outcome names its action, where the timeline has that too."""
    decided = {fact.action_id: fact for fact in timeline if isinstance(fact, facts.ActionDecided)}
    lines = []
    for fact in timeline:
        cause = decided.get(fact.action_id) if isinstance(fact, facts.Delivered) else None
        line = tell(fact)
        if cause is not None:
            line = f"{cause.journey}: action for {cause.sink}" + line.removeprefix("action")
        lines.append(line)
    return lines


def tell(fact: Fact) -> str:  # noqa: PLR0911 - one line for each kind of fact
    """Say in a line what happened."""
    match fact:
        case facts.StepTaken():
            return f"did {fact.name}" + (f", by {fact.channel}" if fact.channel else "")
        case facts.SessionStarted() | facts.SessionRevised() | facts.SessionEnded():
            return _tell_session(fact)
        case facts.Identified():
            return f"is known: {_ids(fact)} ({fact.how})"
        case facts.IdentityRefused():
            return f"was not joined with {fact.other_id}: {fact.reason}"
        case facts.SegmentEntered():
            return f"is in the segment {fact.segment}"
        case facts.SegmentLeft():
            return f"is no more in the segment {fact.segment}"
        case facts.ConsentChanged():
            return f"{'allowed' if fact.granted else 'forbade'} {fact.scope}"
        case facts.FrictionFound():
            where = f" at {fact.target}" if fact.target else ""
            return f"met friction{where}: {fact.signal}, score {fact.score:.2f}"
        case facts.Exposed() | facts.AssignmentConflict() | facts.Rewarded():
            return _tell_experiment(fact)
        case facts.Delivered():
            attempts = "1 attempt" if fact.attempts == 1 else f"{fact.attempts} attempts"
            return f"action {fact.outcome} after {attempts}" + _because(fact.detail)
        case _:
            return f"{fact.journey}: {_tell_journey(fact)}"


_Session = facts.SessionStarted | facts.SessionRevised | facts.SessionEnded
_Experiment = facts.Exposed | facts.AssignmentConflict | facts.Rewarded
_Journey = (
    facts.Entered
    | facts.NotEntered
    | facts.Transitioned
    | facts.Migrated
    | facts.GoalReached
    | facts.Exited
    | facts.ActionDecided
    | facts.ActionDeferred
    | facts.ActionWithheld
    | facts.JourneyError
)


def _tell_session(fact: _Session) -> str:
    match fact:
        case facts.SessionStarted():
            return "session began" + (f", by {fact.channel}" if fact.channel else "")
        case facts.SessionRevised():
            n = len(fact.replaces)
            return "a late event moved the session's start" if n < 2 else f"{n} sessions are one"
        case facts.SessionEnded():
            return (
                f"session was over: {fact.n_events} events in {(fact.ended_at - fact.started_at) // 1000} s"
            )
        case _:
            assert_never(fact)


def _tell_experiment(fact: _Experiment) -> str:
    match fact:
        case facts.Exposed():
            where = f"{fact.journey}: " if fact.journey else ""
            return f"{where}met experiment {fact.experiment}: {fact.variant}"
        case facts.AssignmentConflict():
            return f"keeps {fact.kept} of {fact.experiment}; had met {fact.dropped}, too"
        case facts.Rewarded():
            return f"rewarded {fact.variant} of {fact.experiment}"
        case _:
            assert_never(fact)


def _tell_journey(fact: _Journey) -> str:  # noqa: PLR0911 - one line for each kind of fact
    match fact:
        case facts.Entered():
            return (
                "entered"
                + (f" for {fact.key}" if fact.key else "")
                + (" (held out)" if fact.held_out and not fact.holdout else "")
                + (f" (held out: {fact.holdout})" if fact.holdout else "")
            )
        case facts.NotEntered():
            return f"did not enter: {fact.reason}" + _because(fact.detail)
        case facts.Transitioned():
            source, target = ", ".join(fact.source), ", ".join(fact.target)
            return f"{source or 'start'} -> {target}" + (f", on {fact.event}" if fact.event else "")
        case facts.Migrated():
            return f"moved to version {fact.version}, in {', '.join(fact.target)}"
        case facts.GoalReached():
            late = " after it was over" if fact.after_exit else ""
            return f"reached its goal{late}" + ("" if fact.value is None else f", worth {fact.value:g}")
        case facts.Exited():
            return f"left: {fact.reason}" + _because(fact.detail)
        case facts.ActionDecided():
            return f"action for {fact.sink}, in {fact.state}"
        case facts.ActionDeferred():
            return f"action for {fact.sink} is put off: {fact.reason}" + _because(fact.detail)
        case facts.ActionWithheld():
            return f"action for {fact.sink} was not sent: {fact.reason}" + _because(fact.detail)
        case facts.JourneyError():
            return f"went wrong: {fact.detail}"
        case _:
            assert_never(fact)


def _ids(fact: facts.Identified) -> str:
    return " and ".join(each for each in (fact.anonymous_id, fact.user_id) if each)


def _because(detail: str) -> str:
    return f" ({detail})" if detail else ""
