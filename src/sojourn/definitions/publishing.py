"""Publishing: which definitions are in force, as a document that each control of the log changes.

Pure: what is in force at a position is the first document and the controls up to there, whoever asks and
whenever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sojourn.definitions.catalogue import build_catalogue, check_definitions, load_journeys
from sojourn.definitions.controls import (
    FORGET,
    LEARNT,
    LEFT,
    MOVED,
    PAUSE,
    PLAY,
    PLAYED,
    PUBLISH,
    RELEASE,
    RESUME,
    STOP,
    Change,
    Holding,
    Learnt,
    Publishing,
    Taking,
)
from sojourn.definitions.journey import EVERY_JOURNEY, Catalogue, Hold, Journey, Migration
from sojourn.model.errors import DefinitionError, Problem
from sojourn.model.event import Entry

MAX_OLDER = 50  # versions kept per journey: a year of weekly edits.
MAX_MIGRATIONS = 1_000  # the newest are kept: 20 publishings that take 50 versions along.
MAX_ALLOCATIONS = 1_000  # experiments with learnt weights, the newest: nobody runs so many at once.
MAX_HOLDS = 100  # per journey, the newest: a timer that came due in an older one has long fired.


class Version(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of one journey, and when it last came into force."""

    journey: str
    version: str
    text: str
    revision: int = 0
    at: int = 0
    policy: Taking = "pin"


class Move(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A publishing takes the people inside one version along."""

    journey: str
    version: str
    """The one they are in."""
    to: str
    revision: int
    at: int
    states: dict[str, str] = {}
    position: int = 0


class InForce(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that is in force, as text: what a store keeps and a log leads to."""

    revision: int = 0
    at: int = 0
    """The instant of the log of the last control, ms."""
    position: int = 0
    """Its position."""
    renewed: int = 0
    renewed_at: int = 0
    current: dict[str, str] = {}
    """Journey -> the version that new people enter."""
    versions: list[Version] = []
    """Those somebody may be inside, the one published last at the end."""
    shared: list[str] = []
    """The definitions that belong to no single journey."""
    moves: list[Move] = []
    holds: dict[str, list[Hold]] = {}
    ranks: dict[str, int] = {}
    session_gap_ms: int = 1_800_000  # 30 min: the web's convention since Urchin.
    forecasts: dict[str, dict[str, float]] = {}
    allocations: dict[str, dict[str, list[float]]] = {}
    arms: dict[str, list[str]] = {}
    """Experiment -> the variants that its allocations are of, in order."""
    is_playing: bool = False
    """Imports were played last: nobody has served since."""


class Arrival(Struct, frozen=True, kw_only=True):
    """What `$moved` says."""

    move: str
    """The name of the move, derived from what was moved."""
    in_force: InForce
    """As it was there, with the instants and positions of there."""
    documents: dict[str, bytes] = {}
    """What was counted and learnt there, by the names that its store knows it by."""


def apply_control(in_force: InForce, entry: Entry) -> InForce:
    """Return what is in force after a control; itself, where the control changes nothing or says nothing.

    What a control cannot mean was refused before it was appended; here it is only skipped, for a log is
    replayed by later releases, too.
    """
    change = _CHANGES[entry.event.name]
    after = replace(in_force, revision=in_force.revision + 1, at=entry.at, position=entry.position)
    try:
        changed = change(after, bytes(entry.event.properties))
    except msgspec.MsgspecError:
        return in_force
    return in_force if changed is None else changed


def catalogue_of(in_force: InForce, *, known: Catalogue | None = None) -> tuple[Catalogue, list[Problem]]:
    """Compile what is in force; return it, and why this release leaves out what an earlier one took.

    Versions that `known` has are taken from there.
    """
    problems: list[Problem] = []
    compiled: dict[tuple[str, str], Journey] = {}
    for kept in in_force.versions:
        journey = _compiled(kept, known, problems)
        if journey is not None:
            compiled[kept.journey, kept.version] = journey
    current = {place: one for place, one in compiled.items() if in_force.current.get(place[0]) == place[1]}
    older = [one for place, one in compiled.items() if place not in current]
    catalogue = _built(in_force, list(current.values()), older, problems)
    return (
        replace(
            catalogue,
            renewed=in_force.renewed,
            renewed_at=in_force.renewed_at,
            migrations=_migrations(in_force.moves),
            holds={name: tuple(holds) for name, holds in in_force.holds.items()},
            forecasts=in_force.forecasts,
            allocations=_fitting(in_force, catalogue),
            is_playing=in_force.is_playing,
        ),
        problems,
    )


def asks_everybody(before: Catalogue, after: Catalogue) -> bool:
    """Tell whether a change concerns people to whom nothing happens: who moves, waits or is waited for."""
    if before.migrations != after.migrations or before.holds != after.holds:
        return True
    is_kept_for_all = any(one.segments or one.scheduled for one in (before, after))
    return is_kept_for_all and before.renewed != after.renewed


def rests_on_the_last(before: Catalogue, after: Catalogue, *, at: int) -> bool:
    """Tell whether everybody must have been asked about the last change before this one, of `at` (ms), comes.

    Who is asked moves by what was in force at the last change, and sees all of it: other definitions,
    settings, forecasts and allocations must wait. Holds have dates of their own, and need not, but where they
    move people at that same instant, or one is forgotten. An import begins or ends: what is due before it is
    no shadow, and what is due after it is none any more.
    """
    if before.renewed != after.renewed or before.forecasts != after.forecasts:
        return True
    if before.allocations != after.allocations:
        return True
    if before.is_playing != after.is_playing or _ended(before) - _ended(after):
        return True
    return at in _moving(before) and asks_everybody(before, after)


def _moving(catalogue: Catalogue) -> set[int]:
    """Return the instants at which people go along with a publishing, or go on after a hold."""
    moves = {one.at for migrations in catalogue.migrations.values() for one in migrations}
    return moves | {one.until for holds in catalogue.holds.values() for one in holds if one.until is not None}


def _ended(catalogue: Catalogue) -> set[tuple[str, Hold]]:
    return {(name, one) for name, holds in catalogue.holds.items() for one in holds if one.until is not None}


# -- Each control; None: it changes nothing.

_read_publishing = msgspec.json.Decoder(Publishing).decode
_read_holding = msgspec.json.Decoder(Holding).decode
_read_learnt = msgspec.json.Decoder(Learnt).decode
_read_arrival = msgspec.json.Decoder(Arrival).decode


def _publish(after: InForce, body: bytes) -> InForce | None:
    publishing = _read_publishing(body)
    current = dict(after.current)
    versions, moves = list(after.versions), list(after.moves)
    for change in publishing.changes:
        others = [one for one in versions if (one.journey, one.version) != (change.journey, change.version)]
        if change.policy != "pin":
            moves += _moves(change, others, after)
        versions = [*others, _version(change, after)]
        current[change.journey] = change.version
    for name in publishing.removed:
        current.pop(name, None)
    versions = _newest(versions, current)
    kept = {(one.journey, one.version) for one in versions}
    moves = [one for one in moves if {(one.journey, one.version), (one.journey, one.to)} <= kept]
    return replace(
        after,
        renewed=after.revision,
        renewed_at=after.at,
        current=current,
        versions=versions,
        moves=moves[-MAX_MIGRATIONS:],
        shared=after.shared if publishing.shared is None else publishing.shared,
        ranks=after.ranks if publishing.ranks is None else publishing.ranks,
        session_gap_ms=publishing.session_gap_ms or after.session_gap_ms,
    )


def _version(change: Change, after: InForce) -> Version:
    return Version(
        journey=change.journey,
        version=change.version,
        text=change.text,
        revision=after.revision,
        at=after.at,
        policy=change.policy,
    )


def _moves(change: Change, others: Iterable[Version], after: InForce) -> list[Move]:
    return [
        Move(
            journey=change.journey,
            version=other.version,
            to=change.version,
            revision=after.revision,
            at=after.at,
            states=change.states,
            position=after.position,
        )
        for other in others
        if other.journey == change.journey
    ]


def _newest(versions: list[Version], current: dict[str, str]) -> list[Version]:
    """Keep of each journey the version in force and the newest MAX_OLDER others, in their order."""
    kept: list[Version] = []
    n_older: dict[str, int] = {}
    for one in reversed(versions):
        if current.get(one.journey) != one.version:
            n_older[one.journey] = n_older.get(one.journey, 0) + 1
        if n_older.get(one.journey, 0) <= MAX_OLDER or current.get(one.journey) == one.version:
            kept.append(one)
    return kept[::-1]


def _pause(after: InForce, body: bytes) -> InForce | None:
    return _hold(after, _read_holding(body).journey)


def _resume(after: InForce, body: bytes) -> InForce | None:
    return _release(after, _read_holding(body).journey)


def _stop(after: InForce, body: bytes) -> InForce | None:
    del body
    return _hold(after, EVERY_JOURNEY)


def _release_all(after: InForce, body: bytes) -> InForce | None:
    del body
    return _release(after, EVERY_JOURNEY)


def _hold(after: InForce, name: str) -> InForce | None:
    holds = after.holds.get(name, [])
    if holds and holds[-1].until is None:
        return None
    return replace(
        after, holds={**after.holds, name: [*holds, Hold(after.at, position=after.position)][-MAX_HOLDS:]}
    )


def _release(after: InForce, name: str) -> InForce | None:
    holds = after.holds.get(name, [])
    if not holds or holds[-1].until is not None:
        return None
    return replace(after, holds={**after.holds, name: [*holds[:-1], replace(holds[-1], until=after.at)]})


def _learn(after: InForce, body: bytes) -> InForce | None:
    learnt = _read_learnt(body)
    allocations = {**after.allocations, **learnt.allocations}
    return replace(
        after,
        forecasts={**after.forecasts, **learnt.forecasts},
        allocations=dict(list(allocations.items())[-MAX_ALLOCATIONS:]),
        arms=dict(list({**after.arms, **learnt.arms}.items())[-MAX_ALLOCATIONS:]),
    )


def _play(after: InForce, body: bytes) -> InForce | None:
    del body
    return None if after.is_playing else replace(after, is_playing=True)


def _end_play(after: InForce, body: bytes) -> InForce | None:
    del body
    return replace(after, is_playing=False) if after.is_playing else None


def _forget(after: InForce, body: bytes) -> None:
    """Somebody is forgotten: what is in force is no person's."""
    del after, body


def _arrive(after: InForce, body: bytes) -> InForce:
    """An installation was moved here: what was in force there is so from here on, and nothing else is."""
    del after
    return _read_arrival(body).in_force


def _leave(after: InForce, body: bytes) -> None:
    """It was moved away: what was in force is, for whoever looks back."""
    del after, body


_CHANGES: dict[str, Callable[[InForce, bytes], InForce | None]] = {
    PUBLISH: _publish,
    PAUSE: _pause,
    RESUME: _resume,
    STOP: _stop,
    RELEASE: _release_all,
    LEARNT: _learn,
    PLAY: _play,
    PLAYED: _end_play,
    FORGET: _forget,
    MOVED: _arrive,
    LEFT: _leave,
}


def is_all_held(in_force: InForce) -> bool:
    """Tell whether all stands still: somebody stopped it, and nobody released it."""
    holds = in_force.holds.get(EVERY_JOURNEY)
    return holds is not None and len(holds) > 0 and holds[-1].until is None


# -- From texts to what runs.


def _compiled(kept: Version, known: Catalogue | None, problems: list[Problem]) -> Journey | None:
    journey = known.versions.get((kept.journey, kept.version)) if known else None
    if journey is not None:
        return journey
    try:
        (journey,) = load_journeys([(f"journey {kept.journey}, version {kept.version}", kept.text)])
    except DefinitionError as error:
        problems += error.problems
        return None
    # People inside know it by the name it was published under, whatever this release would call it.
    return replace(journey, name=kept.journey, version=kept.version)


def _built(
    in_force: InForce, current: list[Journey], older: list[Journey], problems: list[Problem]
) -> Catalogue:
    """Build the catalogue; where this release refuses the journeys together, leave out those it refuses."""
    shared = check_definitions(
        [(f"segments, policy and flags ({n})", text) for n, text in enumerate(in_force.shared)]
    )
    problems += shared.problems
    settings: dict[str, Any] = {
        "ranks": in_force.ranks,
        "session_gap_ms": in_force.session_gap_ms,
        "segments": shared.definitions.segments,
        "policy": shared.definitions.policy,
        "flags": shared.definitions.flags,
    }
    try:
        return build_catalogue(current, older=older, **settings)
    except DefinitionError as error:
        problems += error.problems
    taken: list[Journey] = []
    for journey in current:
        try:
            build_catalogue([*taken, journey], older=older, **settings)
        except DefinitionError:
            older = [*older, journey]
        else:
            taken.append(journey)
    return build_catalogue(taken, older=older, **settings)


def _fitting(in_force: InForce, catalogue: Catalogue) -> dict[str, dict[str, list[float]]]:
    """Return what was learnt of the variants in force, in their order; nothing of others."""
    found = {}
    for name, cells in in_force.allocations.items():
        experiment, arms = catalogue.experiments.get(name), in_force.arms.get(name)
        if experiment is None or (arms is not None and set(arms) != set(experiment.variants)):
            continue
        order = range(len(experiment.variants)) if arms is None else [*map(arms.index, experiment.variants)]
        found[name] = {
            cell: [weights[i] for i in order] for cell, weights in cells.items() if len(weights) == len(order)
        }
    return found


def _migrations(moves: Iterable[Move]) -> dict[tuple[str, str], tuple[Migration, ...]]:
    found: dict[tuple[str, str], tuple[Migration, ...]] = {}
    for one in moves:
        place = (one.journey, one.version)
        migration = Migration(
            revision=one.revision, at=one.at, to=one.to, states=one.states, position=one.position
        )
        found[place] = (*found.get(place, ()), migration)
    return found
