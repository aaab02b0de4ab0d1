"""Publishing on a cluster: planned over what the controls say is in force, and brought by one more of them.

The states of people are in Flink, where nobody counts them by state. So a plan is refused for what people
could be in, not for what they are in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from sojourn.adapters.kafka_controls import Publisher, read_controls
from sojourn.config import Config
from sojourn.definitions.catalogue import Definitions, load_definitions
from sojourn.definitions.controls import PUBLISH, control_event
from sojourn.definitions.journey import Catalogue
from sojourn.definitions.moving import counterpart
from sojourn.definitions.planning import Planned, Request, plan
from sojourn.definitions.publishing import InForce, apply_control, catalogue_of
from sojourn.model.event import Entry
from sojourn.model.views import PlanView
from sojourn.server.asked import Publish
from sojourn.wiring.cluster import client_for, topics_of
from sojourn.wiring.desk import settings_asked
from sojourn.wiring.house import now_ms


class Known(Struct, frozen=True):
    """What is in force, and up to which control it was read."""

    in_force: InForce
    catalogue: Catalogue
    position: int


def publish(config: Config, asked: Publish) -> PlanView:
    """Plan what is asked for, and, unless it is refused or only to be shown, append the control.

    Raises ConfigError, DefinitionError, InputError; UnavailableError where somebody else publishes.
    """
    client, topics = client_for(config), topics_of(config)
    # Made before the controls are read: who publishes after that is told so, and so are we.
    publisher = None if asked.dry_run else Publisher(client, topics, n_shards=config.cluster.shards)
    known = in_force_of(read_controls(client, topics))
    planned = plan_on(known, asked)
    view = planned.view
    if view.refused or publisher is None or planned.publishing is None:
        return view
    event = control_event(PUBLISH, planned.publishing, after=known.position, now=now_ms())
    view.revision = apply_control(known.in_force, publisher.append(event)).revision
    return view


def in_force_of(controls: Sequence[Entry]) -> Known:
    """Return what controls, in their order, come to."""
    in_force = InForce()
    for entry in controls:
        in_force = apply_control(in_force, entry)
    return Known(in_force, catalogue_of(in_force)[0], controls[-1].position if controls else 0)


def plan_on(known: Known, asked: Publish) -> Planned:
    """Plan over what is in force; raises DefinitionError and InputError."""
    request = Request(policy=asked.policy, states=asked.states)
    texts = [(each.file, each.text) for each in asked.definitions]
    definitions = load_definitions(texts, shared=() if asked.is_whole else known.in_force.shared)
    planned = plan(
        known.in_force,
        known.catalogue,
        definitions,
        people={},
        is_whole=asked.is_whole,
        request=request,
        settings=settings_asked(asked.settings),
    )
    if planned.publishing is not None and request.taking != "pin":
        planned.view.refused += _unmapped(known.catalogue, definitions, planned, request)
    return planned


def _unmapped(
    catalogue: Catalogue, definitions: Definitions, planned: Planned, request: Request
) -> Iterator[str]:
    """Yield which states of older versions have no place in what changes."""
    new = {journey.name: journey for journey in definitions.journeys}
    changed = [] if planned.publishing is None else planned.publishing.changes
    for journey in (new[change.journey] for change in changed):
        states = {
            state.id
            for (name, version), old in catalogue.versions.items()
            for state in old.chart.states[1:]
            if name == journey.name and version != journey.version and state.is_leaf
            if counterpart(old.chart, journey.chart, state.id, request.states) is None
        }
        for state in sorted(states):
            yield (
                f"journey {journey.name}: people may be in {state!r}, which version {journey.version} does "
                f"not have; say where they go with --map {state}=STATE, or keep them with --policy pin "
                "[unmapped-state]"
            )
