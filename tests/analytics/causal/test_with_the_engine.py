"""With the engine: hold-outs of every kind at once, people named late, and what the lake tells of them."""

from __future__ import annotations

from random import Random

from sojourn.adapters.lake import columns
from sojourn.adapters.lake.reading import join_tables
from sojourn.adapters.lake.resolving import resolve
from sojourn.adapters.lake.writing import open_database
from sojourn.analytics.buckets import buckets
from sojourn.analytics.causal.reading import read_trials
from sojourn.analytics.causal.trials import Trials, Unit
from sojourn.model.fact import ActionDecided, ActionWithheld
from sojourn.model.lake import Reach, Slice
from sojourn.testing import Story

PEOPLE, SHARE, MAX_ROWS = 300, 0.2, 1_000_000
POLICY = "policy:\n  holdout: 20%\n  channels:\n    email: { holdout: 20% }\n    push: { holdout: 20% }\n"
JOURNEY = """
journey: NAME
entry: { on: ON, reentry: always }
holdout: 20%
steps:
  - name: first
    send: { sink: crm, channel: email, holdout: 20%, body: { say: hello } }
  - wait: 1h
  - name: second
    send: { sink: crm, channel: push, body: { say: again } }
"""
Row = tuple[str, str, int, bool]
"""(unit, person, when first, whether held)."""


def lived() -> Story:
    """Let people enter two journeys, some of them again, and some as a device that is named in between."""
    texts = [
        JOURNEY.replace("NAME", name).replace("ON", on) for name, on in (("one", "Began"), ("two", "Left"))
    ]
    story, random = Story(*texts, policy=POLICY, holdouts=True), Random(3)
    for n in range(PEOPLE):
        who, device = f"p{n}", f"?d{n}"
        is_late = random.random() < 0.3
        story.when("Began", who=device if is_late else who)
        story.after("2h")
        if is_late:
            story.signs_in(device, who)
        for _ in range(random.randrange(3)):
            story.when(random.choice(["Began", "Left"]), who=who)
            story.after("90m")
    return story


def by_lake(story: Story) -> tuple[Trials, list[str]]:
    """Lay the story's facts out as a lake does, and read the trials from it."""
    connection = open_database()
    join_tables(connection, [])
    groups, entries = story.store.facts_after(0, MAX_ROWS), story.log.read(0, MAX_ROWS)
    reach = Reach(entries[-1].position, groups[-1][0], story.now)
    columns.fill(connection, Slice(Reach(), reach, entries, groups), schema="tail")
    resolve(connection)
    people = [
        who
        for (who,) in connection.execute("SELECT DISTINCT person_id FROM events ORDER BY 1").fetchall()
        if who
    ]
    return read_trials(connection, people), people


def by_facts(story: Story) -> list[Row]:
    """Go through the facts, one by one."""
    first: dict[tuple[str, str], tuple[int, bool]] = {}
    for _, group in story.store.facts_after(0, MAX_ROWS):
        for fact in group:
            if not isinstance(fact, ActionDecided | ActionWithheld):
                continue
            keepers = {each for each in fact.holdouts.split(",") if each}
            who = "u:p" + fact.profile_id[3:]
            names = {
                "global": "everything",
                "channel": f"channel {fact.channel}",
                "journey": f"journey {fact.journey}",
                "node": f"node {fact.journey}/{fact.state}",
            }
            for word, name in names.items():
                if keepers <= {word}:
                    first.setdefault((name, who), (fact.at, bool(keepers)))
    held = {name for (name, _), (_, is_held) in first.items() if is_held}
    return sorted((name, who, at, is_held) for (name, who), (at, is_held) in first.items() if name in held)


def test_the_lake_tells_first_opportunities_as_the_facts_do() -> None:
    """Of global, channel, journey and node hold-outs, each from people whom nothing else kept back."""
    story = lived()
    trials, people = by_lake(story)
    rows = [
        (str(trials.units[unit]), people[person], at, held)
        for unit, person, at, held in zip(
            trials.unit.tolist(),
            trials.person.tolist(),
            trials.at.tolist(),
            trials.is_held.tolist(),
            strict=True,
        )
    ]
    assert sorted(rows) == by_facts(story)
    assert {str(unit) for unit in trials.units} >= {
        "everything", "channel email", "channel push", "journey one", "journey two", "node one/first",
        "node two/first",
    }  # fmt: skip


def test_every_arm_is_where_the_hash_has_the_id_of_the_first_asking() -> None:
    """Of channels, nodes and everything: a name that comes later moves nobody."""
    trials, _ = by_lake(lived())
    edge = round(SHARE * 10_000)
    for i, unit in enumerate(trials.units):
        if unit.kind == "journey":  # asked anew for each journey, maybe after a name
            continue
        rows = trials.of(i)
        ids = [trials.ids[person] for person in trials.person[rows].tolist()]
        assert ((buckets(unit.seed, ids) < edge) == trials.is_held[rows]).all(), unit
    assert Unit("node", "one/first").seed == "holdout/node/one/first"
