"""Forecasts: what a person will probably do, from where they stand. A forecast is no effect.

The probabilities themselves are global and learnt elsewhere: they come into force at a position of the log,
as definitions do, so that a turn that reads them stays a function of its state, its inputs and the catalogue.
"""

from __future__ import annotations

from sojourn.definitions.churn import ChurnModel, p_alive
from sojourn.definitions.expression import EXIT
from sojourn.definitions.forecasts import OTHER
from sojourn.definitions.journey import Catalogue
from sojourn.engine.sessions import current
from sojourn.engine.state import Life


def probability(life: Life, catalogue: Catalogue, goal: str, *, at: int) -> float | None:
    """Return the probability of reaching a goal before the current visit ends, 0 to 1.

    None where nothing has been learnt of the goal yet, or the person has taken no step. Once the visit is
    over nothing can be reached in it: 0, and 1 for its end (EXIT).
    """
    forecast = catalogue.forecasts.get(goal)
    session = current(life.sessions)
    if forecast is None or session is None or not life.step:
        return None
    if at - session.ended_at > catalogue.session_gap_ms:
        return 1.0 if goal == EXIT else 0.0
    found = forecast.get(life.step)
    return forecast.get(OTHER) if found is None else found


def churn(life: Life, model: ChurnModel, *, at: int) -> float | None:
    """Return the probability that a person is gone for good, 0 to 1; None before the second visit.

    The model calls everybody alive who came once; that is no knowledge.
    """
    session = current(life.sessions)
    n_repeats = life.n_sessions - 1
    if session is None or n_repeats < 1:
        return None
    last = max(0, session.started_at - life.first_seen_at) / model.unit_ms
    now = max(0, at - life.first_seen_at) / model.unit_ms
    return 1 - p_alive(model, n_repeats=n_repeats, last=last, now=max(now, last))
