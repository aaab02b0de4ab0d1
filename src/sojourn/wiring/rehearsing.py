"""Rehearsing: drafts, the definitions they are beside, and the history they are played over, put together."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO, Literal

from msgspec import Struct

from sojourn.config import Config, journey_files
from sojourn.definitions.catalogue import (
    Definitions,
    build_catalogue,
    check_definitions,
    load_definitions,
    load_journeys,
)
from sojourn.definitions.journey import Catalogue
from sojourn.model.errors import ConfigError, InputError
from sojourn.model.event import Entry, Event
from sojourn.model.ids import message_digest
from sojourn.runtime.importing import Reading
from sojourn.runtime.rehearsal import (
    START_MS,
    Deliver,
    Frame,
    History,
    Plan,
    Population,
    Report,
    Trial,
    Watch,
    Window,
    World,
    as_played,
    build_report,
    gather,
    listen,
    read_population,
    related,
    replay,
    simulate,
    usual,
    with_drafts,
)
from sojourn.wiring.house import ReadableLog, has_data, open_readings
from sojourn.wiring.inforce import configured_texts

READ_EVENTS = 4_000  # of the log, at once: four of its blocks.
ALL_EXAMPLES = 1_000_000  # where one person is asked for, everything of theirs is told.

Phase = Literal["reading", "playing", "living"]

Tell = Callable[[Phase, int, int], None]
"""Takes (phase, how many are done, of how many)."""


class Sides(Struct, frozen=True):
    """The versions that are set side by side, as they are played."""

    draft: Catalogue
    published: Catalogue | None
    drafts: frozenset[str]
    watch: Watch


class Request(Struct, frozen=True, kw_only=True):
    """One replay, as it is asked for."""

    drafts: Sequence[Path]
    against: Sequence[Path] | None = None
    """Files of the definitions to compare with; None: those that are published; empty: none."""
    files: Sequence[Reading] = ()
    """The history; empty: the folder's own log."""
    window: Window = Window()
    deliver: Deliver = "yes"
    person: str | None = None
    n_examples: int = 3
    n_processes: int = 1
    out: IO[bytes] | None = None


def run_replay(config: Config, request: Request, tell: Tell) -> Report:
    """Replay a history under drafts; nothing is sent, and the data folder is only read.

    Raises:
        ConfigError: A file, a folder or a setting is not as it must be.
        DefinitionError: A draft is refused.
        InputError: A file cannot be read, nobody has the id asked for, or there is nothing to replay.
    """
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sojourn-replay-")))
        sides = choose_sides(config, request.drafts, request.against)
        history = stack.enter_context(closing(_history(config, request, tell)))
        plan = Plan(
            draft=sides.draft,
            published=sides.published,
            watch=sides.watch,
            deliver=request.deliver,
            n_examples=request.n_examples if request.person is None else ALL_EXAMPLES,
            only=None if request.person is None else _groups_of(history, request.person),
        )
        part = replay(
            history,
            plan,
            n_processes=request.n_processes,
            tell=_Counted(tell, "playing", history.n_events),
            out=request.out,
            scratch=scratch,
        )
        since = request.window.since
        frame = Frame(
            draft=sides.draft,
            published=sides.published,
            drafts=sides.drafts,
            since=history.first_at if since is None else since,
            until=history.until,
            deliver=request.deliver,
        )
        return build_report(part, frame)


class Simulation(Struct, frozen=True, kw_only=True):
    """One simulation, as it is asked for."""

    drafts: Sequence[Path]
    against: Sequence[Path] | None = None
    population: Path | None = None
    n_people: int = 10_000
    n_days: int = 30
    seed: int = 1
    n_examples: int = 0
    n_processes: int = 1


def run_simulation(config: Config, asked: Simulation, tell: Tell) -> Report:
    """Let an invented population live under drafts, in virtual time; nothing is sent.

    Raises:
        ConfigError: A file, a folder or a setting is not as it must be.
        DefinitionError: A draft, or the population, is refused.
    """
    sides = choose_sides(config, asked.drafts, asked.against)
    said = Population() if asked.population is None else _read_population(asked.population)
    drafts = [sides.draft.journeys[name] for name in sorted(sides.drafts)]
    listening = listen(drafts, sides.draft.segments.values())
    population = usual(listening, said)
    world = World(population, listening, seed=asked.seed, n_days=asked.n_days)
    trial = Trial(
        draft=sides.draft,
        published=sides.published,
        world=world,
        n_people=asked.n_people,
        watch=sides.watch,
        n_examples=asked.n_examples,
    )
    counted = _Counted(tell, "living", asked.n_people)
    part = simulate(trial, n_processes=asked.n_processes, tell=counted)
    frame = Frame(
        draft=sides.draft,
        published=sides.published,
        drafts=sides.drafts,
        since=START_MS,
        until=trial.until,
        deliver="yes",
    )
    return build_report(part, frame)


def choose_sides(config: Config, drafts: Sequence[Path], against: Sequence[Path] | None) -> Sides:
    """Compile drafts, and find what they are to be compared with.

    Raises ConfigError and DefinitionError.
    """
    published = _published(config, against)
    definitions = _compile(drafts, segments=published.segments if published else ())
    draft = with_drafts(published or _catalogue(config, Definitions()), definitions)
    names = frozenset(journey.name for journey in definitions.journeys)
    if definitions.texts:
        names = frozenset(draft.journeys)  # what all journeys share is edited
    both = [draft] if published is None else [draft, published]
    played = related(both, names)
    if published is not None and played == names and not names & published.journeys.keys():
        published = None  # journeys that are new and touch no other: there is nothing to compare with
    return Sides(
        draft=as_played(draft, played),
        published=None if published is None else as_played(published, played),
        drafts=names,
        watch=Watch(definitions.journeys),
    )


class _Counted:
    """Tells how many are done of how many, from how many more are."""

    def __init__(self, tell: Tell, phase: Phase, total: int) -> None:
        self._tell = tell
        self._phase: Phase = phase
        self._total = total
        self._done = 0

    def __call__(self, n_more: int) -> None:
        self._done += n_more
        self._tell(self._phase, self._done, self._total)


def _compile(files: Sequence[Path], *, segments: Collection[str] = ()) -> Definitions:
    """Compile files, and folders of them, which may name these segments where they bring none.

    Where there are none at all, journeys may name any.
    """
    for path in files:
        if not path.exists():
            raise ConfigError(f"{path}: there is no such file; name the journeys to rehearse")
    config = Config(journeys=list(files))
    if not journey_files(config):
        raise ConfigError(f"{', '.join(map(str, files))}: no journeys there; name a file of one")
    texts = configured_texts(config)
    if not segments and not check_definitions(texts).definitions.texts:
        return Definitions(journeys=tuple(load_journeys(texts)))
    return load_definitions(texts, segments=segments)


def _catalogue(config: Config, definitions: Definitions) -> Catalogue:
    return build_catalogue(
        definitions.journeys,
        ranks=config.ranks(),
        session_gap_ms=config.session_gap_ms,
        policy=definitions.policy,
        segments=definitions.segments,
        flags=definitions.flags,
    )


def _read_population(file: Path) -> Population:
    try:
        return read_population(file.read_text("utf-8"), file=str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read as a population ({error}); name a YAML file") from None


def _published(config: Config, against: Sequence[Path] | None) -> Catalogue | None:
    if against is None:
        if not has_data(config):
            return None
        with open_readings(config) as house:
            return house.catalogue
    if not against:
        return None
    return _catalogue(config, _compile(against))


def _history(config: Config, request: Request, tell: Tell) -> History:
    if request.files:
        entries = _entries_of(request.files, tell)
        history = gather(entries, tell=lambda _: None, window=request.window)
    else:
        with open_readings(config) as house:
            end = house.log.end()
            counted = _Counted(tell, "reading", end)
            history = gather(_log_entries(house.log, end), tell=counted, window=request.window)
    if history.n_events == 0:
        history.close()
        raise InputError(
            "no-history",
            "there is no event to replay; name a file of events with --file, import one, or widen --until",
        )
    return history


def _log_entries(log: ReadableLog, end: int) -> Iterator[Entry]:
    """Yield what the log held when it was opened."""
    position = 0
    while position < end:
        entries = log.read(position, READ_EVENTS)
        if not entries:
            return
        yield from (entry for entry in entries if entry.position <= end)
        position = entries[-1].position


def _entries_of(files: Sequence[Reading], tell: Tell) -> Iterator[Entry]:
    """Yield the events of files, each at its own time; a message that was there before is left out."""
    seen: set[bytes] = set()
    total = sum(reading.total for reading in files)
    position = before = 0
    for reading in files:
        for row in reading:
            if row.number % READ_EVENTS == 0:
                tell("reading", before + reading.done, total)
            event = row.item
            if not isinstance(event, Event):
                continue
            mark = message_digest(event.source, event.message_id)
            if mark not in seen:
                seen.add(mark)
                position += 1
                yield Entry(position=position, at=event.occurred_at, event=event)
        before += reading.total


def _groups_of(history: History, person: str) -> tuple[int, ...]:
    groups = tuple(history.groups_of(person))
    if not groups:
        raise InputError(
            "unknown-id",
            f"nobody in this history has the id {person!r}; is it spelled as the events spell it?",
        )
    return groups
