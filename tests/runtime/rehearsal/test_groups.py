"""Groups: people who can ever concern one another stay together, and nobody else."""

from __future__ import annotations

from random import Random

import pytest

from sojourn.model.event import Event
from sojourn.runtime.rehearsal.groups import Groups
from tests.engine.makers import event


def naive_components(events: list[Event]) -> set[frozenset[str]]:
    """Grow components until none touch."""
    found: list[set[str]] = []
    for one in events:
        ids = {f"{kind}{name}" for kind, name in (("a", one.anonymous_id), ("u", one.user_id)) if name}
        if one.kind == "alias" and one.previous_id:
            ids |= {"a" + one.previous_id, "u" + one.previous_id}
        touching = [component for component in found if component & ids]
        found = [component for component in found if not component & ids]
        found.append(ids.union(*touching))
    return {frozenset(component) for component in found}


@pytest.mark.parametrize("seed", range(40))
def test_groups_are_the_components_of_ids_that_met(seed: int) -> None:
    """A group too small would lose what identity brings together; one too large is only slow."""
    random = Random(seed)
    events = [draw(random) for _ in range(40)]
    groups = Groups()
    numbers = [groups.join(one) for one in events]
    roots = [groups.root(number) for number in numbers]
    components = naive_components(events)
    for first, root in zip(events, roots, strict=True):
        for second, other in zip(events, roots, strict=True):
            together = any(
                one_id(first) in component and one_id(second) in component for component in components
            )
            assert (root == other) == together, f"seed {seed}: {first} and {second}"


def draw(random: Random) -> Event:
    """Draw an event of one of a few devices and people, some of them aliases."""
    device = f"d{random.randrange(12)}" if random.random() < 0.7 else None
    user = f"u{random.randrange(12)}" if device is None or random.random() < 0.2 else None
    if user is not None and random.random() < 0.2:
        return event("$alias", user_id=user, previous_id=random.choice("du") + str(random.randrange(12)))
    return event("Viewed", anonymous_id=device, user_id=user)


def one_id(one: Event) -> str:
    """Return one of the ids of an event."""
    return f"a{one.anonymous_id}" if one.anonymous_id else f"u{one.user_id}"


def test_an_id_is_found_as_a_user_and_as_a_device() -> None:
    """Who asks for a person need not know which kind of id it is."""
    groups = Groups()
    groups.join(event("Viewed", anonymous_id="x"))
    groups.join(event("Viewed", user_id="x"))
    assert len(groups.find("x")) == 2
    assert groups.find("nobody") == []
