"""Stories: your own journeys under pytest: given a person, when they do something, then what came of it.

    story = Story("journeys/welcome.yaml")
    story.when("Signed Up", who="ann", plan="pro")
    story.after("1d")
    story.then.sent("crm", template="welcome").is_in("greeted")

It is the engine that runs live, over a log and a store in memory, with a clock that only the story moves. A
name with a question mark before it (`?phone`) is a device whose person nobody can name yet. Hold-outs are
off unless asked for, so that a person in a story is one who gets what the journey sends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.definitions.catalogue import build_catalogue, load_definitions
from sojourn.definitions.durations import parse_duration
from sojourn.definitions.journey import Catalogue, Journey
from sojourn.definitions.policy import Policy
from sojourn.definitions.zones import zone_named
from sojourn.model.action import Action, Delivery, Outcome
from sojourn.model.event import Event
from sojourn.model.views import ProfileView
from sojourn.runtime.driver import Driver
from sojourn.runtime.outbox import outcome_event
from sojourn.runtime.reading import MAX_TIMELINE, find_profile
from sojourn.testing.then import Then

STARTS = "2026-01-05 09:00"  # A Monday morning.
SUFFIXES = frozenset({".yaml", ".yml", ".json"})

Definition = str | Path
"""A file, a folder of files, or the text itself (which has more than one line)."""


class Story:
    """People, the journeys in force, and a clock.

    Args:
        definitions: Files, folders of files, or texts: journeys, and whatever else stands in such files.
        policy: The file or text of the policy, where it is not among them.
        segments: The file or text of the segments, where they are not among them.
        starts: The first instant of the story, as `2026-03-29 09:00`.
        zone: In which time zone instants are written and told.
        holdouts: Whether hold-outs keep people back, as they do live.

    Raises DefinitionError with all that is wrong in the journeys.
    """

    def __init__(
        self,
        *definitions: Definition,
        policy: Definition | None = None,
        segments: Definition | None = None,
        starts: str = STARTS,
        zone: str = "UTC",
        holdouts: bool = False,
    ) -> None:
        self.zone = zone
        self.now = instant(starts, zone)
        """The story's clock, ms."""
        self.log = MemoryLog(floor=self.now)
        self.store = MemoryStore()
        self.who = "ann"
        """Whom the story spoke of last."""
        self._shared = [shared for shared in (policy, segments) if shared is not None]
        self._has_holdouts = holdouts
        self._published: list[Journey] = []
        self.driver: Driver
        self.publish(*definitions)

    @property
    def catalogue(self) -> Catalogue:
        """What is in force."""
        return self.driver.catalogue

    def publish(self, *definitions: Definition) -> Story:
        """Bring journeys into force instead of those before; who is inside one of these stays in it."""
        read = load_definitions(_texts([*definitions, *self._shared]))
        current, policy = list(read.journeys), read.policy
        if not self._has_holdouts:
            current = [replace(journey, holdout=0.0) for journey in current]
            policy = without_holdouts(policy)
        names = {(journey.name, journey.version) for journey in current}
        before = [one for one in self._published if (one.name, one.version) not in names]
        catalogue = build_catalogue(
            current, older=before, policy=policy, segments=read.segments, flags=read.flags
        )
        self._published = [*before, *current]
        self.driver = Driver(self.log, self.store, catalogue)
        return self

    # -- What happens.

    def given(
        self,
        name: str | None = None,
        *,
        who: str | None = None,
        ago: str = "1d",
        traits: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Story:
        """Say what was before: an event that happened `ago`, or traits known since then. It moves nobody."""
        event = self._event(
            name or "$identify", who, traits=traits, properties={**(properties or {}), **more}
        )
        happened_at = self.now - parse_duration(ago)
        past = replace(event, occurred_at=happened_at, received_at=happened_at)
        return self.take(past, imported=True)

    def when(
        self,
        name: str,
        *,
        who: str | None = None,
        traits: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Story:
        """Let a person do something now; further arguments are properties of the event.

        `$identify`, `$page`, `$screen`, `$group` and `$alias` are the calls of an SDK with those names.
        """
        properties = {**(properties or {}), **more}
        return self.take(self._event(name, who, traits=traits, properties=properties, context=context))

    def signs_in(self, device: str, who: str, **traits: Any) -> Story:
        """Let the person at a device (`?phone`) say who they are."""
        event = self._event("$identify", who, traits=traits)
        return self.take(replace(event, anonymous_id=device.removeprefix("?")))

    def outcome(self, sink: str, outcome: Outcome = "delivered", *, reason: str = "") -> Story:
        """Tell what became of the last action for a sink: `delivered`, `failed` or `expired`."""
        sent = [action for action in self.actions(self.who) if action.sink == sink]
        assert sent, f"nothing was sent to {self.who} by {sink}, so nothing can become of it"
        delivery = Delivery(outcome=outcome, attempts=1, reason=reason)
        return self.take(outcome_event(sent[-1], delivery, now=self.now))

    def after(self, duration: str) -> Story:
        """Let time pass (`30m`, `1d`); what is due meanwhile happens at its own instant."""
        return self.go_to(self.now + parse_duration(duration))

    def at(self, moment: str, zone: str | None = None) -> Story:
        """Let time pass until `2026-03-29 09:00`, by the clock of a zone (the story's, unless given)."""
        return self.go_to(instant(moment, zone or self.zone))

    @property
    def then(self) -> Then:
        """What came of it, for whom the story spoke of last; `then("bob")` asks about another."""
        assert not self.driver.failures.n_noted, "the engine failed, by a bug of ours; its traceback is above"
        return Then(self, self.who)

    # -- What it is made of, for who needs more.

    def take(self, *events: Event, imported: bool = False) -> Story:
        """Append events now, and let them be processed."""
        appended = self.log.append(events, now=self.now, play=imported, shadow=imported)
        self.driver.take(appended.entries)
        return self

    def go_to(self, at: int) -> Story:
        """Move the clock to an instant, ms."""
        if at < self.now:
            raise ValueError("a story does not go back in time; say what was before with `given`")
        self.now = at
        clock, _ = self.log.seal(at)
        self.driver.settle([], until=clock)
        return self

    def actions(self, who: str | None = None) -> list[Action]:
        """Return what was decided to be sent, to one person or to all, in the order of deciding."""
        decided = sorted((letter.action for letter in self.store.letters.values()), key=_decided_at)
        if who is None:
            return decided
        profile = self.profile(who)
        ids = set() if profile is None else {*profile.user_ids, *profile.anonymous_ids}
        return [action for action in decided if action.profile_id[2:] in ids]

    def profile(self, who: str) -> ProfileView | None:
        """Return a person as the API would show them; None where nobody has the id."""
        return find_profile(self.store, who.removeprefix("?"), limit=MAX_TIMELINE)

    def _event(
        self,
        name: str,
        who: str | None,
        *,
        traits: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> Event:
        self.who = who = who or self.who
        is_device = who.startswith("?")
        return Event(
            source="story",
            message_id=f"story-{self.log.end() + 1}",
            kind=_KINDS.get(name, "track"),
            name=name,
            occurred_at=self.now,
            received_at=self.now,
            user_id=None if is_device else who,
            anonymous_id=who[1:] if is_device else None,
            properties=_json(properties),
            traits=_json(traits),
            context=_json(context),
        )


_KINDS: dict[str, Literal["identify", "page", "screen", "group", "alias"]] = {
    "$identify": "identify", "$page": "page", "$screen": "screen", "$group": "group", "$alias": "alias",
}  # fmt: skip


def instant(moment: str, zone: str) -> int:
    """Read a moment of a zone's wall clock, ms. Raises ValueError saying what was expected."""
    rules = zone_named(zone)
    if rules is None:
        raise ValueError(f"expected a time zone such as Europe/Berlin, got {zone!r}")
    try:
        read = datetime.fromisoformat(moment)
    except ValueError:
        raise ValueError(f"expected a moment such as 2026-03-29 09:00, got {moment!r}") from None
    aware = read if read.tzinfo is not None else read.replace(tzinfo=rules)
    return round(aware.timestamp() * 1000)


def without_holdouts(policy: Policy) -> Policy:
    """Return a policy that keeps nobody back."""
    channels = {name: replace(channel, holdout=0.0) for name, channel in policy.channels.items()}
    return replace(policy, holdout=0.0, channels=channels, asks_nodes=False)


def _texts(definitions: Iterable[Definition]) -> list[tuple[str, str]]:
    """Return (name, text) of every file and text."""
    found: list[tuple[str, str]] = []
    for n, definition in enumerate(definitions):
        if isinstance(definition, str) and "\n" in definition:
            found.append((f"text {n + 1} of the story", definition))
            continue
        path = Path(definition)
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        found += [
            (str(file), file.read_text("utf-8")) for file in files if file == path or file.suffix in SUFFIXES
        ]
    return found


def _json(value: Mapping[str, Any] | None) -> Raw:
    return Raw(msgspec.json.encode(value or {}))


def _decided_at(action: Action) -> int:
    return action.at
