"""Actions: what a state wants is decided here: to the outbox, put off, or withheld with its reason."""

from __future__ import annotations

from msgspec import Raw, structs

from sojourn.definitions.experiment import Experiment
from sojourn.definitions.journey import Do
from sojourn.engine import exposures
from sojourn.engine.bounds import too_many_actions
from sojourn.engine.deferred import put_off, take_due, tell
from sojourn.engine.experiments import choose
from sojourn.engine.holdouts import holdouts_of_action
from sojourn.engine.inside import Inside
from sojourn.engine.ledger import Ledger
from sojourn.engine.objects import encode_json
from sojourn.engine.pacing import judge, record
from sojourn.engine.state import Life, Wanted
from sojourn.model.action import Action
from sojourn.model.fact import ActionDecided, ActionWithheld
from sojourn.model.ids import ActionId, derive


def want(inside: Inside, do: Do, state: str) -> None:
    """Decide one action now: to the outbox, put off, or withheld with its reason."""
    enrolment, ledger = inside.enrolment, inside.ledger
    enrolment.n += 1
    wanted = Wanted(
        0,
        derive("action", enrolment.id, str(enrolment.n)),
        do.sink,
        ledger.catalogue.policy.channel_of(do.sink, named=do.channel),
        do.topic,
        ledger.at + do.expires_ms,
        enrolment.id,
        enrolment.journey,
        enrolment.version,
        state,
        b"",
        "" if do.is_transactional else enrolment.holdout,
        0.0 if do.is_transactional else do.holdout,
    )
    excess = too_many_actions(inside, state)
    if _is_shadow(inside):
        tell(wanted, ledger, ActionWithheld, reason="history")
        return
    if excess:
        tell(wanted, ledger, ActionWithheld, reason="bound", detail=excess)
        return
    stop = judge(inside.life, wanted, ledger, is_owed=do.is_transactional) if wanted.channel else None
    if stop is not None and not stop.until:
        tell(wanted, ledger, ActionWithheld, reason=stop.reason, detail=stop.detail)
        return
    try:
        body = encode_json(do.body.render(inside.view.names()))
    except ValueError as error:  # a template's bounds; its syntax was checked when it was loaded
        tell(wanted, ledger, ActionWithheld, reason="template", detail=str(error))
        return
    if stop is not None:
        put_off(inside.life, structs.replace(wanted, body=body), stop, ledger)
        return
    _settle(inside.life, wanted, body, ledger, is_owed=do.is_transactional)


def decide_again(life: Life, ledger: Ledger) -> None:
    """Decide the next action that was put off until now, as if it were wanted now."""
    wanted = take_due(life, ledger)
    if ledger.at > wanted.expires_at:
        tell(wanted, ledger, ActionWithheld, reason="expired")
        return
    stop = judge(life, wanted, ledger, is_owed=False)
    if stop is None:
        _settle(life, wanted, wanted.body, ledger, is_owed=False)
    elif stop.until:  # the person's zone is another one meanwhile, or the policy
        put_off(life, wanted, stop, ledger)
    else:
        tell(wanted, ledger, ActionWithheld, reason=stop.reason, detail=stop.detail)


def expose(inside: Inside, experiment: Experiment) -> None:
    """Give a person their variant, which stays; who is held out, or a shadow, has not met it."""
    life, ledger = inside.life, inside.ledger
    if experiment.id in life.met or inside.enrolment.is_held_out or _is_shadow(inside):
        return
    learnt = ledger.catalogue.allocations
    choice = choose(experiment, ledger.unit, kept=life.variants, scope=inside.view, learnt=learnt)
    if choice is not None:
        enrolment = inside.enrolment
        exposures.meet(life, choice, ledger, journey=enrolment.journey, enrolment_id=enrolment.id)


def _is_shadow(inside: Inside) -> bool:
    """Tell whether history wants it: whoever entered in an import, or an event of one."""
    return inside.enrolment.is_shadow or inside.ledger.is_shadow


def _settle(life: Life, wanted: Wanted, body: bytes, ledger: Ledger, *, is_owed: bool) -> None:
    """Let an action go that nothing stops but, perhaps, a hold-out; either way it counts for caps.

    So both arms are alike: who is held out would get the next message when the others do, and not before.
    """
    holdouts = [] if is_owed else holdouts_of_action(life, wanted, ledger)
    if wanted.channel and not is_owed:
        record(life, wanted.channel, ledger)
    if holdouts:
        where = {"channel": f"channel {wanted.channel}", "node": f"node {wanted.state}"}
        detail = where.get(holdouts[0], holdouts[0])
        tell(wanted, ledger, ActionWithheld, reason="held-out", detail=detail, holdouts=",".join(holdouts))
        return
    ledger.actions.append(
        Action(
            id=ActionId(wanted.action_id),
            sink=wanted.sink,
            at=ledger.at,
            expires_at=wanted.expires_at,
            profile_id=ledger.profile_id,
            user_id=life.user_ids[0] if life.user_ids else None,
            anonymous_id=life.anonymous_ids[-1] if life.anonymous_ids else None,
            journey=wanted.journey,
            version=wanted.version,
            enrolment_id=wanted.enrolment_id,
            state=wanted.state,
            body=Raw(body),
            channel=wanted.channel,
            topic=wanted.topic,
        )
    )
    tell(wanted, ledger, ActionDecided)
