"""Actions: what a state wants is decided here: to the outbox, or withheld with its reason."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from sojourn.definitions.journey import Do, Experiment
from sojourn.engine.experiments import assign
from sojourn.engine.inside import Inside
from sojourn.model.action import Action
from sojourn.model.fact import ActionDecided, ActionWithheld, Exposed
from sojourn.model.ids import ActionId, derive

_encode_json = msgspec.json.Encoder().encode


def want(inside: Inside, do: Do, state: str) -> None:
    """Decide one action: to the outbox, or withheld with its reason."""
    enrolment, ledger = inside.enrolment, inside.ledger
    enrolment.n += 1
    action_id = ActionId(derive("action", enrolment.id, str(enrolment.n)))
    named = {"action_id": action_id, "sink": do.sink, "state": state}
    if enrolment.is_held_out or enrolment.is_shadow:
        inside.tell(ActionWithheld, reason="held-out" if enrolment.is_held_out else "history", **named)
        return
    try:
        body = Raw(_encode_json(do.body.render(inside.view.names())))
    except ValueError as error:  # a template's bounds; its syntax was checked when it was loaded
        inside.tell(ActionWithheld, reason="template", detail=str(error), **named)
        return
    life = inside.life
    ledger.actions.append(
        Action(
            id=action_id,
            sink=do.sink,
            at=ledger.at,
            expires_at=ledger.at + do.expires_ms,
            profile_id=ledger.profile_id,
            user_id=life.user_ids[0] if life.user_ids else None,
            anonymous_id=life.anonymous_ids[-1] if life.anonymous_ids else None,
            journey=enrolment.journey,
            version=enrolment.version,
            enrolment_id=enrolment.id,
            state=state,
            body=body,
        )
    )
    inside.tell(ActionDecided, **named)


def expose(inside: Inside, experiment: Experiment) -> None:
    ledger = inside.ledger
    drawn, propensity = assign(experiment, ledger.unit)
    # Sticky: the first variant stays, whatever becomes of the weights.
    variant = inside.life.variants.setdefault(experiment.id, drawn)
    if variant != drawn:
        propensity = dict(zip(experiment.variants, experiment.weights, strict=True)).get(variant, propensity)
    if not inside.enrolment.is_held_out:
        ledger.note(
            Exposed,
            experiment=experiment.id,
            variant=variant,
            journey=inside.enrolment.journey,
            enrolment_id=inside.enrolment.id,
            propensity=propensity,
        )
