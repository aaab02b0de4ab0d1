"""Exposures: who met which variant, said once for each person and experiment, and what rewards it.

An exposure comes from a split inside a journey, from the house's own event that logs a decision, or from an
application that says which flag it used. The first one stays, also where two lives become one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct, structs

from sojourn.definitions.experiment import Experiment
from sojourn.engine.experiments import Choice
from sojourn.engine.flags import judge
from sojourn.engine.holdouts import keep_unit
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Life, Met
from sojourn.engine.view import View
from sojourn.model.event import EXPOSED, OUR_SOURCE, Event
from sojourn.model.fact import AssignmentConflict, Exposed, Rewarded

TOLD = frozenset({"Flag Exposed", "$feature_flag_called"})
"""Names of the events by which an application says that it used a flag."""

MAX_ID_CHARS = 100  # of a decision, as an application names it.
MAX_MET = 1_000  # experiments of one person: nobody runs so many at once.


class _Logged(Struct, frozen=True):
    """What the house's own event says of a decision it told."""

    experiment: str
    variant: str
    propensity: float
    flag: str = ""
    eligible: dict[str, float] = {}
    decision_id: str = ""
    context: str = ""
    journey: str = ""
    version: str = ""


_read_logged = msgspec.json.Decoder(_Logged).decode


def is_logged(event: Event) -> bool:
    """Tell whether the house itself says that a decision exposed somebody."""
    return event.name == EXPOSED and event.source == OUR_SOURCE


def hear_logged(life: Life, event: Event, ledger: Ledger) -> None:
    """Take over what a decision said, as it was said."""
    try:
        said = _read_logged(event.properties)
    except msgspec.MsgspecError:
        return  # of a later release
    adaptive = ledger.catalogue.adaptive.get(said.experiment)
    choice = Choice(
        experiment=said.experiment,
        variant=said.variant,
        propensity=said.propensity,
        eligible=said.eligible,
        context=said.context,
        allocation="fixed" if adaptive is None else "adaptive",
    )
    keep_unit(life, ledger)
    meet(life, choice, ledger, flag=said.flag, decision_id=said.decision_id, journey=said.journey)


def hear_told(life: Life, view: View, ledger: Ledger) -> None:
    """Expose somebody whose application says that it used a flag: `flag`, and perhaps the `variant` it used.

    A variant that the experiment has is believed: an answer may be older than the weights in force.
    """
    said = view.properties
    flag = ledger.catalogue.flags.get(str(said.get("flag") or said.get("$feature_flag") or ""))
    choice = judge(flag, view, life).choice if flag is not None else None
    if flag is None or choice is None:
        return
    told = said.get("variant", said.get("$feature_flag_response"))
    if isinstance(told, str) and told in choice.eligible and choice.eligible[told] > 0:
        choice = structs.replace(choice, variant=told, propensity=choice.eligible[told])
    keep_unit(life, ledger)
    meet(life, choice, ledger, flag=flag.name, decision_id=str(said.get("decision_id") or "")[:MAX_ID_CHARS])


def meet(life: Life, choice: Choice, ledger: Ledger, **told: Any) -> None:
    """Write an exposure down and keep its variant; the first one stays, and another one is a conflict."""
    name = choice.experiment
    met = life.met.get(name)
    if met is not None:
        if met.variant != choice.variant:
            _tell_conflict(met, name, choice.variant, ledger)
        return
    if len(life.met) >= MAX_MET:
        return
    experiment = ledger.catalogue.experiments.get(name)
    reward = experiment.reward if experiment is not None else None
    until = ledger.at + reward.within_ms if reward is not None else 0
    life.met[name] = Met(ledger.at, choice.variant, choice.context, until)
    if experiment is None or experiment.is_sticky:
        life.variants[name] = choice.variant
    ledger.note(
        Exposed,
        experiment=name,
        variant=choice.variant,
        propensity=choice.propensity,
        eligible=choice.eligible,
        context=choice.context,
        allocation=choice.allocation,
        **told,
    )


def reward(life: Life, experiments: Iterable[Experiment], view: View | None, ledger: Ledger) -> None:
    """Reward the variants that somebody met of these experiments, each once and in time.

    `view` sees the event that is the reward; None: it is a goal that was reached.
    """
    for experiment in experiments:
        met = life.met.get(experiment.id)
        if met is None or not met.until:
            continue
        if ledger.at > met.until:
            met.until = 0
            continue
        when = experiment.reward.when if experiment.reward is not None else None
        if when is not None and view is not None and not when.call(view):
            continue
        met.until = 0
        ledger.note(
            Rewarded, experiment=experiment.id, variant=met.variant, context=met.context, exposed_at=met.at
        )


def merge_met(life: Life, other: Life, ledger: Ledger) -> None:
    """Bring in what another life met: of two exposures to one experiment the first stays.

    Of two at one instant, the life's own; the same whichever device is named first. Where both met more than
    a life holds, the life's own stay, and then the earliest.
    """
    for name, theirs in sorted(other.met.items(), key=lambda each: (each[1].at, each[0])):
        own = life.met.get(name)
        if own is None:
            if len(life.met) < MAX_MET:
                life.met[name] = theirs
            continue
        first, second = (theirs, own) if theirs.at < own.at else (own, theirs)
        life.met[name] = first
        first.has_conflict |= second.has_conflict
        if first.variant != second.variant:
            _tell_conflict(first, name, second.variant, ledger)
    for name, variant in other.variants.items():
        if name in life.met or (name not in other.met and len(life.variants) < MAX_MET):
            life.variants.setdefault(name, variant)
    for name in other.met.keys() & life.met.keys() & life.variants.keys():
        life.variants[name] = life.met[name].variant


def _tell_conflict(met: Met, experiment: str, dropped: str, ledger: Ledger) -> None:
    if not met.has_conflict:
        met.has_conflict = True
        ledger.note(AssignmentConflict, experiment=experiment, kept=met.variant, dropped=dropped)
