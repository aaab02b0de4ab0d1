"""Flags: what a stand-alone flag says to a person; asking changes nothing and is not exposure."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from sojourn.definitions.experiment import Flag
from sojourn.engine.experiments import Choice, choose
from sojourn.engine.holdouts import holdout_of_experiment
from sojourn.engine.state import Life
from sojourn.engine.view import View

__all__ = ["Choice", "Judgement", "judge"]

Reason = Literal["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED"]
"""As OpenFeature has them: nobody was asked, a guard decided, a hash did, the flag is switched off."""


class Judgement(Struct, frozen=True, kw_only=True):
    """What a flag says to one person."""

    value: Any
    variant: str
    reason: Reason
    choice: Choice | None = None
    """The random choice behind it; None where there is none: nobody is exposed to anything then."""
    holdout: str = ""
    """Which hold-out keeps the person from the experiment they would be in: `global` or `experiment`."""


def judge(flag: Flag, view: View, life: Life) -> Judgement:
    """Say what a flag is for a person: the first rule that is for them decides, else its default.

    Whoever takes no part in a rule's experiment (coverage, namespace) goes on to the next rule; whom a
    hold-out keeps from it gets the default, and no later rule's variant.
    """
    if not flag.is_enabled:
        return _said(flag, flag.default, "DISABLED")
    for rule in flag.rules:
        if rule.when is not None and not rule.when.call(view):
            continue
        experiment = rule.experiment
        if experiment is None:
            return _said(flag, rule.variant, "STATIC" if rule.when is None else "TARGETING_MATCH")
        holdout = holdout_of_experiment(life, experiment, view)
        if holdout:
            return Judgement(
                value=flag.variants[flag.default], variant=flag.default, reason="SPLIT", holdout=holdout
            )
        if any(earlier in life.met for earlier in experiment.excludes):
            continue  # also where the variant they met did not stay
        choice = choose(
            experiment, view.unit, kept=life.variants, scope=view, learnt=view.catalogue.allocations
        )
        if choice is not None:
            return Judgement(
                value=flag.variants[choice.variant], variant=choice.variant, reason="SPLIT", choice=choice
            )
    return _said(flag, flag.default, "STATIC")


def _said(flag: Flag, variant: str, reason: Reason) -> Judgement:
    return Judgement(value=flag.variants[variant], variant=variant, reason=reason)
