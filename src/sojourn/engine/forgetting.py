"""Forgetting: what is left of a state when a person goes, whose an entry was, and what stands in its place.

Pure, so that the engine, and whoever writes their bytes again, cannot differ on what was theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from sojourn.definitions.controls import PSEUDONYM, Forgetting, read_forgetting
from sojourn.definitions.journey import Catalogue
from sojourn.engine import identity
from sojourn.engine.deferred import withhold_all
from sojourn.engine.inside import tell
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Life, Pointer, State, Tie
from sojourn.engine.turn import turn
from sojourn.model.action import Action
from sojourn.model.event import EMPTY, ERASED, OUR_SOURCE, Entry, Event
from sojourn.model.fact import Exited, Fact, IdentityRefused
from sojourn.model.ids import ProfileId, anonymous_profile, user_profile
from sojourn.model.turn import Aliased, Arrived, Key, Named, Result, Stage

NO_DEFINITIONS = Catalogue(journeys={})

_encode = msgspec.json.Encoder().encode


# -- What is left of a state.


def keys_of(forgetting: Forgetting) -> list[Key]:
    """Return every place that holds, or may hold, something of theirs."""
    return [
        *(("identity", each) for each in [*forgetting.devices, *forgetting.shared]),
        *(("alias", each) for each in forgetting.users),
        *(("profile", each) for each in forgetting.users),
    ]


def people_of(forgetting: Forgetting, *, shared: Iterable[str]) -> frozenset[ProfileId]:
    """Return the profiles that go whole: those of devices that others named, too, do not."""
    devices = frozenset(map(anonymous_profile, forgetting.devices)) - set(map(anonymous_profile, shared))
    return devices | frozenset(map(user_profile, forgetting.users))


def forget(
    stage: Stage, key: str, state: State | None, forgetting: Forgetting, *, at: int, position: int
) -> Result | None:
    """Take one key through the control that forgets somebody; None where nothing of theirs is there.

    All that was due by `at` is done. A result without a state: nothing is left at this key.
    """
    match state:
        case Tie():
            return _forget_tie(key, state, forgetting, at=at, position=position)
        case Pointer() if stage == "alias":
            return Result(None, True, [], [], [], None)
        case Life() if stage == "profile":
            ledger = _ledger(user_profile(key), at, position)
            _end(state, ledger)
            return Result(None, True, [], [], ledger.facts, None)
        case _:
            return None


def goes(key: str, state: State | None, forgetting: Forgetting) -> bool:
    """Tell whether a life ends at this key. Whatever is still to be asked of it is to be asked first."""
    match state:
        case Life():
            return True
        case Tie():
            return state.life is not None and not is_shared(key, state, forgetting)
        case _:
            return False


def _forget_tie(key: str, tie: Tie, forgetting: Forgetting, *, at: int, position: int) -> Result | None:
    ledger = _ledger(anonymous_profile(key), at, position)
    if is_shared(key, tie, forgetting):
        if not any(_is_own(owner, forgetting) for owner in tie.owners):
            return None
        if tie.owner is not None and _is_own(tie.owner, forgetting):
            tie.owner = None
        tie.owners = [forgetting.pseudonym(each) if each in forgetting.users else each for each in tie.owners]
        return Result(tie, True, [], [], [], identity.wake_of(tie, ledger))
    if tie.life is not None:
        _end(tie.life, ledger)
    return Result(None, True, [], [], ledger.facts, None)


def is_shared(device: str, tie: Tie, forgetting: Forgetting) -> bool:
    """Tell whether a device was others', too: it stays theirs. (By now they may be forgotten as well.)"""
    if device in forgetting.shared:
        return True
    named = (each for each in tie.owners if not each.startswith(PSEUDONYM))
    return tie.is_shared or any(each not in forgetting.users for each in named)


def _is_own(owner: str, forgetting: Forgetting) -> bool:
    return owner in forgetting.users or owner.startswith(forgetting.pseudonyms)


def _ledger(profile_id: ProfileId, at: int, position: int) -> Ledger:
    ledger = Ledger(NO_DEFINITIONS, profile_id)
    ledger.at, ledger.position = at, position
    return ledger


def _end(life: Life, ledger: Ledger) -> None:
    for enrolment in life.enrolments:
        tell(enrolment, ledger, Exited, reason="forgotten", state=enrolment.machine.active)
    if life.pacing is not None:
        withhold_all(life.pacing.deferred, ledger, detail="forgotten")


# -- Whose an entry was.


class Window(Struct, frozen=True):
    """The part of the log in which somebody lived on a shared device, before they named it."""

    device: str
    after: int
    """The position it begins behind."""
    after_at: int
    until: int
    """The position at which it was named."""
    until_at: int

    def has(self, fact: Fact) -> bool:
        """Tell whether a fact about the device's unnamed life falls into it."""
        if fact.position > 0:
            return self.after < fact.position < self.until
        return self.after_at < fact.at <= self.until_at


class _Device:
    """One shared device on its way through the log."""

    def __init__(self) -> None:
        self.tie = Tie()
        self.pending: list[Entry] = []
        """Tombstones of entries lived without a name, and not taken along by anybody yet."""
        self.began, self.began_at = 0, 0


class Ownership:
    """Says of each entry, in the order of the log, whose it was; up to the control that forgets."""

    def __init__(self, forgetting: Forgetting, *, shared: Iterable[str]) -> None:
        """Begin at the start of the log.

        `shared` are those of its devices that others named, too, as of the control.
        """
        self._forgetting = forgetting
        self._users = frozenset(forgetting.users)
        self._shared = {each: _Device() for each in shared}
        self._own = frozenset(forgetting.devices) - frozenset(self._shared)
        self.left: dict[int, Entry] = {}
        """Entries of theirs by position -> what stands in their place."""
        self.windows: list[Window] = []

    def take(self, entry: Entry) -> None:
        """Look at the next entry; those that have none of the ids may be left out."""
        event = entry.event
        control = read_forgetting(event)
        if control is not None:
            self._take_control(control, entry)
            return
        device = event.previous_id if event.kind == "alias" and event.previous_id else event.anonymous_id
        if device is not None and device in self._shared:
            self._take_shared(device, entry)
        elif device in self._own or event.anonymous_id in self._own:
            self.left[entry.position] = tombstone(entry)
        elif event.user_id in self._users:
            self.left[entry.position] = self._without_user(entry)

    def _without_user(self, entry: Entry) -> Entry:
        """Return what is left of what one of them said; of another's alias, that it was taken back."""
        event = entry.event
        is_anothers = event.kind == "alias" and event.previous_id not in self._users
        if is_anothers and event.user_id in self._users and identity.is_undo(event):
            return _undone(entry, self._forgetting.pseudonym(event.user_id))
        return tombstone(entry)

    def _take_shared(self, device: str, entry: Entry) -> None:
        """Let the engine's own identity say whose it is."""
        at = self._shared[device]
        event = entry.event
        before = _owners(at.tie)
        bare = event if event.kind == "alias" else replace(event, properties=EMPTY)
        given = Arrived(entry.at, entry.position, bare, entry.is_history, entry.is_shadow)
        was_unnamed = at.tie.life is None
        result = turn("identity", device, at.tie, [given], until=entry.at, catalogue=NO_DEFINITIONS)
        at.tie = result.state
        if was_unnamed and at.tie.life is not None:
            at.began, at.began_at = entry.position - 1, entry.at - 1
        is_theirs = event.user_id in self._users
        for forward in result.forward:
            own = forward.key in self._users or forward.key.startswith(self._forgetting.pseudonyms)
            is_theirs |= own and isinstance(forward.input, Arrived | Aliased)
            if isinstance(forward.input, Named):
                if own and forward.input.life is not None:
                    self.left |= {one.position: one for one in at.pending}
                    window = Window(device, at.began, at.began_at, entry.position, entry.at)
                    self.windows.append(window)
                at.pending = []
        if is_theirs:
            self.left[entry.position] = self._without_user(entry)
            if _owners(at.tie) != before and event.user_id is not None:
                who = self._forgetting.pseudonym(event.user_id)
                naming = Naming(device, who, makes_user=at.tie.is_user and not before[-1])
                self.left[entry.position] = tombstone(entry, naming)
        elif not result.forward and at.tie.life is not None and not at.tie.is_shared:
            at.pending.append(tombstone(entry))

    def _take_control(self, control: Forgetting, entry: Entry) -> None:
        """An earlier request went through these devices, too; what is nobody else's any more it forgets."""
        if not self._own.isdisjoint(control.shared):
            self.left[entry.position] = erased_control(entry, gone=self._own)
        for device, at in self._shared.items():
            if device in control.devices or device in control.shared:
                result = forget("identity", device, at.tie, control, at=entry.at, position=entry.position)
                if result is not None:
                    at.tie = result.state or Tie()
                    at.pending = at.pending if result.state is not None else []


def strange_devices(forgetting: Forgetting, entries: Iterable[Entry]) -> set[str]:
    """Return devices that they named and their profiles do not know: too many others had named them."""
    found = set()
    for entry in entries:
        event = entry.event
        if event.user_id in forgetting.users:
            found |= {event.anonymous_id, event.previous_id if event.kind == "alias" else None}
    return {each for each in found if each is not None} - set(forgetting.devices)


class Belongings:
    """Tells which facts and actions are theirs, once the log was read."""

    def __init__(self, forgetting: Forgetting, *, shared: Iterable[str], windows: Iterable[Window]) -> None:
        self._forgetting = forgetting
        self._people = people_of(forgetting, shared=shared)
        self._shared = {anonymous_profile(each): each for each in shared}
        self._windows = list(windows)

    def left(self, fact: Fact) -> Fact | None:
        """Return what is left of a fact: itself where it is nobody's of them, None where it is theirs."""
        if fact.profile_id in self._people:
            return None
        device = self._shared.get(fact.profile_id)
        if device is None:
            return fact
        if any(one.device == device and one.has(fact) for one in self._windows):
            return None
        if isinstance(fact, IdentityRefused) and fact.other_id in self._forgetting.users:
            pseudonym = self._forgetting.pseudonym(fact.other_id)
            return replace(fact, other_id=pseudonym, message_id=str(fact.position))
        return fact

    def has(self, action: Action) -> bool:
        """Tell whether an action is theirs that a shared device's life wanted; the others were withdrawn."""
        device = self._shared.get(action.profile_id)
        return any(one.device == device and one.after_at < action.at <= one.until_at for one in self._windows)


def _owners(tie: Tie) -> tuple[list[str], str | None, bool, bool]:
    return list(tie.owners), tie.owner, tie.is_shared, tie.is_user


# -- What stands in its place.


def _undone(entry: Entry, pseudonym: str) -> Entry:
    """Return what is left of an alias of somebody else's that they took back."""
    said = entry.event
    event = Event(
        source=said.source,
        message_id=said.message_id,
        kind="alias",
        name=said.name,
        occurred_at=entry.at,
        received_at=entry.at,
        previous_id=said.previous_id,
        user_id=pseudonym,
        properties=Raw(b'{"undo":true}'),
    )
    return replace(entry, event=event)


class Naming(Struct, frozen=True):
    """What an entry that is gone had done to a device which others named, too."""

    device: str
    who: str
    """The pseudonym of who named it."""
    makes_user: bool
    """It was an alias, and told first that the id may be a user's."""


def tombstone(entry: Entry, naming: Naming | None = None) -> Entry:
    """Return what stands in the place of an entry: its position and instant, and nothing of a person."""
    event = Event(
        source=OUR_SOURCE,
        message_id=str(entry.position),
        kind="alias" if naming and naming.makes_user else "track",
        name=ERASED,
        occurred_at=entry.at,
        received_at=entry.at,
        anonymous_id=naming.device if naming else None,
        user_id=naming.who if naming else None,
    )
    return Entry(position=entry.position, at=entry.at, event=event)


def erased_control(entry: Entry, *, shared: Sequence[str] = (), gone: Iterable[str] = ()) -> Entry:
    """Return a control without the ids it named.

    `shared` are devices that others named, too, and need to hear of it; `gone` are those of an earlier
    request that are nobody's any more.
    """
    control = read_forgetting(entry.event)
    assert control is not None
    kept = [each for each in (shared or control.shared) if each not in set(gone)]
    bare = replace(control, users=[], devices=[], shared=kept)
    event = replace(entry.event, properties=Raw(_encode(bare)))
    return replace(entry, event=event)


def bare_control(entry: Entry) -> Entry:
    """Return a control that names nobody and no device: for a log that has nothing of theirs any more."""
    control = read_forgetting(entry.event)
    assert control is not None
    return erased_control(entry, gone=control.shared)
