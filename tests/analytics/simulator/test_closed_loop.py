"""The closed loop: simulated people pass the real engine, and it decides what the simulation said."""

from __future__ import annotations

from sojourn.analytics.simulator.observing import Observed, ids_of, observe
from sojourn.analytics.simulator.recording import OPPORTUNITY, opportunity_at
from sojourn.analytics.simulator.scenarios import SCENARIOS
from sojourn.analytics.simulator.tables import BY, journeys_of
from sojourn.model.fact import ActionDecided, ActionWithheld
from sojourn.testing import Story

PEOPLE, HOLDOUT = 300, 0.2
MAX_GROUPS = 1_000_000
Decided = tuple[str, str, bool]
"""(person, channel, whether it was kept back)."""


def by_engine(observed: Observed) -> list[Decided]:
    """Let the engine hear of every opportunity, in its own journeys, and tell what it decided, in order."""
    files = journeys_of(observed, HOLDOUT)
    policy = files.pop("policy.yaml")
    story = Story(*files.values(), policy=policy, holdouts=True)
    ids, names = ids_of(observed.first, observed.n_people), [c.name for c in observed.scenario.channels]
    at = opportunity_at(observed)
    began = story.now - int(at.min())
    for row in at.argsort(kind="stable").tolist():
        story.go_to(began + int(at[row]))
        who = ids[observed.met.person[row]].decode()
        story.when(OPPORTUNITY, who=who, **{BY: names[observed.met.channel[row]]})
    facts = [
        fact
        for _, group in story.store.facts_after(0, MAX_GROUPS)
        for fact in group
        if isinstance(fact, ActionDecided | ActionWithheld)
    ]
    assert all(isinstance(fact, ActionDecided) or fact.reason == "held-out" for fact in facts)
    return [(fact.profile_id[2:], fact.channel, isinstance(fact, ActionWithheld)) for fact in facts]


def test_the_engine_sends_and_keeps_back_what_the_simulation_says() -> None:
    """The same people, by the same hash, at every opportunity: ghosts too."""
    observed = observe(SCENARIOS["C"], people=PEOPLE, seed=4, holdout=HOLDOUT)
    met, names = observed.met, [channel.name for channel in observed.scenario.channels]
    ids = ids_of(observed.first, observed.n_people)
    simulated = [
        (ids[person].decode(), names[channel], not shown)
        for person, channel, shown in zip(met.person, met.channel, met.shown.tolist(), strict=True)
    ]
    decided = by_engine(observed)
    assert len({name for _, name, is_ghost in decided if is_ghost}) == len(names)
    assert sorted(decided) == sorted(simulated)
