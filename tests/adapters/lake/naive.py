"""The naive lake: every table computed row by row from all entries and facts, in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec

from sojourn.model import fact as facts
from sojourn.model.event import Entry
from sojourn.model.fact import Fact
from sojourn.model.lake import DERIVED, FACT_TABLES
from tests.adapters.lake.folders import Numbered, Rows


def naive(entries: Sequence[Entry], numbered: Sequence[Numbered]) -> dict[str, Rows]:
    """Compute what `read_all` should return."""
    people = People(numbered)
    names = session_names(numbered, people)
    found: dict[str, list[tuple[Any, ...]]] = {"events": events(entries, numbered, people, names)}
    for table in FACT_TABLES:
        found[table.name] = []
        for group, n, fact in numbered:
            if type(fact) in table.facts:
                person = people.of(fact)
                row = fact_row(table, group, n, fact)
                if table.name == "steps":
                    row["session_id"] = names.get((person, row["session_id"]), row["session_id"])
                found[table.name].append((*row.values(), person))
    found["sessions"] = sessions(numbered, people, names)
    found["enrolments"] = enrolments(numbered, people)
    found["identities"] = people.identities()
    found["people"] = people_seen(numbered, people, names)
    assert found.keys() >= {table.name for table in DERIVED}
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def fact_row(table: Any, group: int, n: int, fact: Fact) -> dict[str, Any]:
    """Write one fact as its table's row."""
    fields = msgspec.structs.asdict(fact)
    row: dict[str, Any] = {}
    for column in table.columns:
        value = fields.get(column.field)
        if column.name == "fact_group":
            value = group
        elif column.name == "fact_n":
            value = n
        elif column.name == table.word:
            value = table.facts[type(fact)]
        elif column.kind == "names" and value is not None:
            value = ",".join(value)
        elif column.kind == "json" and value is not None:
            value = msgspec.json.encode(value).decode() if value else None
        row[column.name] = None if value == "" else value
    return row


class People:
    """Who everybody is by now."""

    def __init__(self, numbered: Sequence[Numbered]) -> None:
        self.first: dict[str, tuple[str | None, int, int]] = {}
        self.pointers: dict[str, str] = {}
        said = [fact for _, _, fact in numbered]
        for fact in sorted(said, key=lambda fact: fact.position):
            match fact:
                case facts.Identified(anonymous_id=str(device)):
                    self.first.setdefault("a:" + device, (fact.profile_id, fact.position, fact.at))
                case facts.Identified(user_id=str(user)):
                    self.pointers[fact.profile_id] = "u:" + user
                case facts.IdentityRefused(reason="merge-limit"):
                    self.first.setdefault("a:" + fact.other_id, (None, fact.position, fact.at))
        self.pointers = {key: to for key, to in self.pointers.items() if key != to}

    def end_of(self, profile: str) -> str:
        """Follow aliases to their end, or round their circle."""
        walked = [profile]
        while (to := self.pointers.get(walked[-1])) is not None:
            if to in walked:
                return min(walked[walked.index(to) :])
            walked.append(to)
        return walked[-1]

    def of(self, fact: Any) -> str:
        """Say whose fact it is by now."""
        profile = fact.profile_id
        owner, position, at = self.first.get(profile, (None, 0, 0))
        is_before = fact.position < position if fact.position else fact.at <= at
        return self.end_of(owner if owner is not None and is_before else profile)

    def identities(self) -> Rows:
        """List the profiles that are another person by now."""
        devices = [
            (device, self.end_of(owner), position, at)
            for device, (owner, position, at) in self.first.items()
            if owner is not None
        ]
        users = [(key, self.end_of(key), None, None) for key in self.pointers if self.end_of(key) != key]
        return [*devices, *users]


Names = dict[tuple[str, str], str]


def session_names(numbered: Sequence[Numbered], people: People) -> Names:
    """Say what each visit that was renamed is called now."""
    steps: Names = {}
    for _, _, fact in numbered:
        if isinstance(fact, facts.SessionRevised):
            for old in fact.replaces:
                if old != fact.session_id:
                    steps[people.of(fact), old] = fact.session_id
    found = {}
    for person, old in steps:
        name = old
        while (person, name) in steps:
            name = steps[person, name]
        found[person, old] = name
    return found


AS_SENT = (
    "occurred_at", "received_at", "timestamp", "sent_at", "source", "message_id", "kind", "name",
    "anonymous_id", "user_id", "previous_id", "group_id", "session_id",
)  # fmt: skip
"""What an event says, and its row too."""


def events(
    entries: Sequence[Entry], numbered: Sequence[Numbered], people: People, names: Names
) -> list[tuple[Any, ...]]:
    """Write entries as rows."""
    steps = {fact.position: fact for _, _, fact in numbered if isinstance(fact, facts.StepTaken)}
    rows = []
    for entry in entries:
        event, step = entry.event, steps.get(entry.position)
        person = None if step is None else people.of(step)
        session_id = None if step is None else step.session_id
        context = msgspec.json.decode(event.context)
        properties = msgspec.json.decode(event.properties)
        campaign, device, geo = context.get("campaign", {}), event.device, event.geo
        path = context.get("page", {}).get("path") or (
            properties.get("path") if event.kind == "page" else None
        )
        row = (
            entry.position,
            entry.at,
            *(getattr(event, name) for name in AS_SENT),
            step and step.profile_id,
            names.get((person or "", session_id or ""), session_id),
            step and step.channel,
            campaign.get("source"),
            campaign.get("medium"),
            campaign.get("name"),
            path,
            *(bytes(raw).decode() for raw in (event.properties, event.traits, event.context)),
            event.ip,
            device and device.kind,
            device and device.browser,
            device and device.os,
            device and device.is_bot,
            geo and geo.country,
            geo and geo.region,
            geo and geo.city,
            entry.is_history,
            entry.is_shadow,
            person,
        )
        rows.append(tuple(None if value in ("", "{}") else value for value in row))
    return rows


def sessions(numbered: Sequence[Numbered], people: People, names: Names) -> Rows:
    """Add up what was said of each visit, and the steps taken in it."""
    said: dict[tuple[str, str], list[Any]] = defaultdict(list)
    taken: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for _, _, fact in numbered:
        session_id = getattr(fact, "session_id", None)
        if session_id is not None:
            person = people.of(fact)
            key = (person, names.get((person, session_id), session_id))
            (taken if isinstance(fact, facts.StepTaken) else said)[key].append(fact)
    rows = []
    for (person, session_id), changes in said.items():
        steps = sorted(taken[person, session_id], key=lambda fact: (fact.occurred_at, fact.position))
        started_at = min(fact.started_at for fact in changes)
        channel = [
            fact.channel
            for fact in changes
            if not isinstance(fact, facts.SessionEnded) and fact.started_at == started_at
        ]
        ends = [fact for fact in changes if isinstance(fact, facts.SessionEnded)]
        instants = [started_at, *(fact.ended_at for fact in ends), *(fact.occurred_at for fact in steps)]
        rows.append(
            (
                session_id,
                person,
                started_at,
                max(instants),
                len(steps),
                ends[-1].n_events if ends else None,
                steps[0].name if steps else None,
                steps[-1].name if steps else None,
                (channel[-1] if channel else None) or None,
                isinstance(changes[-1], facts.SessionEnded),
            )
        )
    return rows


def enrolments(numbered: Sequence[Numbered], people: People) -> Rows:
    """Follow each enrolment from its entry."""
    own: dict[str, list[Any]] = defaultdict(list)
    for _, _, fact in numbered:
        enrolment_id = getattr(fact, "enrolment_id", None)
        if enrolment_id is not None:
            own[enrolment_id].append(fact)
    rows = []
    for enrolment_id, facts_ in own.items():
        entered = next((fact for fact in facts_ if isinstance(fact, facts.Entered)), None)
        if entered is None:
            continue
        exits = [fact for fact in facts_ if isinstance(fact, facts.Exited)]
        moves = [fact for fact in facts_ if isinstance(fact, facts.Transitioned | facts.Migrated)]
        goals = [fact for fact in facts_ if isinstance(fact, facts.GoalReached)]
        versions = [fact.version for fact in moves if isinstance(fact, facts.Migrated)]
        states = exits[-1].state if exits else moves[-1].target if moves else []
        rows.append(
            (
                enrolment_id,
                people.of(entered),
                entered.journey,
                [entered.version, *versions][-1],
                entered.key or None,
                entered.at,
                entered.held_out,
                entered.holdout or None,
                entered.parent,
                ",".join(states) or None,
                sum(isinstance(one, facts.Transitioned) for one in moves),
                exits[-1].at if exits else None,
                exits[-1].reason if exits else None,
                goals[0].at if goals else None,
                goals[0].value if goals else None,
            )
        )
    return rows


def people_seen(numbered: Sequence[Numbered], people: People, names: Names) -> Rows:
    """Say of everybody what they did, in numbers."""
    own: dict[str, list[Any]] = defaultdict(list)
    for _, _, fact in numbered:
        if isinstance(fact, facts.StepTaken):
            own[people.of(fact)].append(fact)
    return [
        (
            person,
            len({fact.profile_id for fact in steps}),
            min(fact.occurred_at for fact in steps),
            max(fact.occurred_at for fact in steps),
            len(steps),
            len({names.get((person, fact.session_id), fact.session_id) for fact in steps} - {None}),
        )
        for person, steps in own.items()
    ]
