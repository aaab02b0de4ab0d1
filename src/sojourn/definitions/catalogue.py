"""The catalogue: all definitions in force, and what they together ask of a profile."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from msgspec import Struct

from sojourn.definitions.calls import check_calls
from sojourn.definitions.compile import check_journey
from sojourn.definitions.experiment import Experiment, Flag
from sojourn.definitions.experiment_index import index_experiments
from sojourn.definitions.expression import Needs
from sojourn.definitions.flags import FlagDraft, flag_name, read_flag, unique
from sojourn.definitions.friction_rules import FRICTION_EVENT
from sojourn.definitions.journey import Catalogue, Journey, Segment
from sojourn.definitions.needs import merge_needs
from sojourn.definitions.policy import DEFAULT_POLICY, Policy
from sojourn.definitions.policy_reading import read_policy
from sojourn.definitions.reading import Reading
from sojourn.definitions.segments import (
    SegmentDraft,
    in_order,
    index_segments,
    read_segments,
    segment_names,
)
from sojourn.definitions.yaml import MappingNode, ScalarNode, load
from sojourn.model.errors import DefinitionError, Problem

SHARED = frozenset({"segments", "policy", "flag"})
"""What journeys share, in files of their own: segments and policy as a whole, and each flag by itself."""


class Definitions(Struct, frozen=True, kw_only=True):
    """What the files of a folder come to."""

    journeys: tuple[Journey, ...] = ()
    segments: tuple[Segment, ...] = ()
    """One that asks for another stands after it."""
    policy: Policy = DEFAULT_POLICY
    flags: tuple[Flag, ...] = ()
    """By their names."""
    texts: tuple[str, ...] = ()
    """Of the files that hold segments, policy or a flag, as written: what is kept to compile them again."""


class CheckedFiles(Struct, frozen=True, kw_only=True):
    """What came of checking a folder's files."""

    definitions: Definitions
    """What is good in them."""
    problems: list[Problem]
    warnings: list[Problem]


def load_definitions(
    files: Iterable[tuple[str, str]], *, shared: Sequence[str] = (), segments: Collection[str] = ()
) -> Definitions:
    """Compile (file name, text) pairs of any kind: journeys, segments, policy, flags.

    `shared` are texts of segments, policy and flags: those stand by of which no file brings any (a flag: none
    of its name). `segments` are
    names that hold where no text defines any. Raises DefinitionError with the problems of all files, two
    journeys of one name among them.
    """
    each = list(files)
    checked = check_definitions([*each, *standing_by(each, shared)], segments=segments)
    if checked.problems:
        raise DefinitionError(checked.problems)
    return checked.definitions


def check_definitions(
    files: Iterable[tuple[str, str]],
    *,
    sinks: Collection[str] | None = None,
    segments: Collection[str] = (),
) -> CheckedFiles:
    """Compile files and say what is wrong, or probably not meant; this raises nothing.

    `sinks` are those of the configuration; None: nobody knows. `segments` are names that hold where no file
    defines any.
    """
    each = list(files)
    roots = {n: root for n, (file, text) in enumerate(each) if (root := _shared_root(text, file=file))}
    brought = {name for root in roots.values() for name in segment_names(root.entries.get("segments"))}
    known = brought or set(segments)
    readings = [(Reading(each[n][0], sinks=sinks, segments=known), root) for n, root in roots.items()]
    drafts = [draft for reading, root in readings for draft in _segments(root, reading)]
    ordered = in_order(drafts)
    flags = unique(_flags([each[n][1] for n in roots], readings))
    policy = _policy(readings)
    journeys, problems, warnings = _check_journeys(
        [pair for n, pair in enumerate(each) if n not in roots],
        sinks=sinks,
        segments=known,
        policy=None if policy is DEFAULT_POLICY else policy,
    )
    told = [reading.told() for reading, _ in readings]
    return CheckedFiles(
        definitions=Definitions(
            journeys=tuple(journeys),
            segments=tuple(ordered),
            policy=policy,
            flags=tuple(flags),
            texts=tuple(each[n][1] for n in roots),
        ),
        problems=[one for wrong, _ in told for one in wrong] + problems,
        warnings=[one for _, unmeant in told for one in unmeant] + warnings,
    )


def load_journeys(files: Iterable[tuple[str, str]]) -> list[Journey]:
    """Compile journeys from (file name, text) pairs, whatever segments there are.

    Raises DefinitionError with the problems of all files, two journeys of one name among them.
    """
    journeys, problems, _ = _check_journeys(list(files), sinks=None, segments=None)
    if problems:
        raise DefinitionError(problems)
    return journeys


def build_catalogue(
    journeys: Iterable[Journey],
    *,
    older: Iterable[Journey] = (),
    ranks: Mapping[str, int] = {},
    session_gap_ms: int = 30 * 60_000,  # the web's convention since Urchin.
    policy: Policy = DEFAULT_POLICY,
    segments: Iterable[Segment] = (),
    flags: Iterable[Flag] = (),
) -> Catalogue:
    """Index the definitions in force; `older` are the versions somebody may still be inside.

    `segments` stand in the order of `Definitions.segments`. Raises DefinitionError where two journeys share a
    name, two experiments an id and differ otherwise, or journeys call one another in a circle.
    """
    current = sorted(journeys, key=lambda journey: journey.name)
    every = [*older, *current]
    asked = list(flags)
    problems = [*_duplicates(current), *_conflicts(current, asked), *check_calls(current)]
    if problems:
        raise DefinitionError(problems)
    by_rank = sorted(current, key=lambda journey: (-journey.priority, journey.name))
    in_force = list(segments)
    return Catalogue(
        journeys={journey.name: journey for journey in current},
        versions={(journey.name, journey.version): journey for journey in every},
        entries=_by_name(by_rank, lambda journey: journey.entry.names),
        needs=merge_needs(
            [
                *(one.needs for one in every),
                *(one.when.needs for one in in_force),
                *(one.needs for one in asked),
                _needs_of_names(every, in_force, asked),
            ]
        ),
        ranks=dict(ranks),
        session_gap_ms=session_gap_ms,
        policy=policy,
        segments={segment.name: segment for segment in in_force},
        by_segment=_by_name(by_rank, _joined),
        scheduled=tuple(journey for journey in by_rank if journey.entry.schedule),
        segment_index=index_segments(in_force),
        late_goals=frozenset().union(*(one.goal.names for one in every if one.goal and one.goal.outlives)),
        flags={flag.name: flag for flag in asked},
        **index_experiments(every, asked),
    )


def standing_by(files: Iterable[tuple[str, str]], shared: Sequence[str]) -> list[tuple[str, str]]:
    """Return the texts of what no file brings anew; raise DefinitionError where one holds only half of it."""
    brought = {
        kind: (file, place)
        for file, text in files
        if (root := _shared_root(text, file=file))
        for kind, place in _kinds(root).items()
    }
    standing: list[tuple[str, str]] = []
    for n, text in enumerate(shared):
        name = f"segments, policy and flags in force ({n})"
        root = _shared_root(text, file=name)
        held = _kinds(root).keys() if root else set()
        anew, kept = held & brought.keys(), held - brought.keys()
        if anew and kept:
            file, place = brought[anew.pop()]
            message = (
                f"the {place.text} in force stands in one file with the {kept.pop()}, which would be lost; "
                "publish files that bring both"
            )
            raise DefinitionError(
                [
                    Problem(
                        file=file, line=place.line, column=place.column, message=message, code="half-shared"
                    )
                ]
            )
        if not anew:
            standing.append((name, text))
    return standing


def _shared_root(text: str, *, file: str) -> MappingNode | None:
    """Return a file's root where it holds what is shared; else it is a journey's, or meant as one."""
    try:
        node = load(text, file=file)
    except DefinitionError:
        return None  # told when it is read as a journey
    if not isinstance(node, MappingNode) or "journey" in node.entries:
        return None
    return node if SHARED & node.entries.keys() else None


def _kinds(root: MappingNode) -> dict[str, ScalarNode]:
    """Return what a shared file holds, each with the place of its keyword: a flag by its name."""
    return {
        f"flag {flag_name(root)}" if kind == "flag" else kind: root.keys[kind]
        for kind in SHARED
        if kind in root.entries
    }


def _flags(texts: Sequence[str], readings: Sequence[tuple[Reading, MappingNode]]) -> list[FlagDraft]:
    each = (
        read_flag(text, root, reading)
        for text, (reading, root) in zip(texts, readings, strict=True)
        if "flag" in root.entries
    )
    return [draft for draft in each if draft is not None]


def _segments(root: MappingNode, reading: Reading) -> list[SegmentDraft]:
    if "flag" in root.entries:
        return []
    entries = reading.mapping(root, "definitions")
    return read_segments(entries["segments"], reading) if "segments" in entries else []


def _policy(readings: Iterable[tuple[Reading, MappingNode]]) -> Policy:
    """Return the one policy of all files; a second one is a problem."""
    found = [(reading, root) for reading, root in readings if "policy" in root.entries]
    for reading, root in found[1:]:
        message = f"the policy is in {found[0][0].file} too; write all of it in one place"
        reading.refuse(root.keys["policy"], message, "duplicate-policy")
    return read_policy(found[0][1].entries["policy"], found[0][0]) if found else DEFAULT_POLICY


def _check_journeys(
    files: Sequence[tuple[str, str]],
    *,
    sinks: Collection[str] | None,
    segments: Collection[str] | None,
    policy: Policy | None = None,
) -> tuple[list[Journey], list[Problem], list[Problem]]:
    """Return (good journeys, problems, warnings)."""
    journeys: list[Journey] = []
    problems: list[Problem] = []
    warnings: list[Problem] = []
    first_files: dict[str, str] = {}
    for file, text in files:
        checked = check_journey(text, file=file, sinks=sinks, segments=segments, policy=policy)
        problems += checked.problems
        warnings += checked.warnings
        if checked.journey is None:
            continue
        name = checked.journey.name
        if name in first_files:
            message = f"the journey {name!r} is defined in {first_files[name]} too; rename one of them"
            problems.append(Problem(file=file, line=1, column=1, message=message, code="duplicate-journey"))
        first_files.setdefault(name, file)
        journeys.append(checked.journey)
    return journeys, problems, warnings


def _by_name(
    journeys: Sequence[Journey], names_of: Callable[[Journey], Iterable[str]]
) -> dict[str, tuple[Journey, ...]]:
    """Index journeys by what enters them; those of one name stay in their order."""
    index: dict[str, tuple[Journey, ...]] = {}
    for journey in journeys:
        for name in sorted(names_of(journey)):
            index[name] = (*index.get(name, ()), journey)
    return index


def _joined(journey: Journey) -> Iterable[str]:
    """Return the segment whose new members enter; none where it only says which of those who come may."""
    entry = journey.entry
    return {entry.segment} if entry.segment and not entry.names and entry.schedule is None else ()


def _needs_of_names(journeys: list[Journey], segments: list[Segment], flags: list[Flag]) -> Needs:
    """Return what is needed by naming it: signals of friction are found where somebody asks or hears."""
    names: set[str] = set()
    asked = [one.needs for one in journeys] + [one.needs for one in flags]
    for needs in (*asked, *(one.when.needs for one in segments)):
        names |= needs.counts.keys() | needs.since
    for journey in journeys:
        names |= {*journey.entry.names, *journey.chart.names}
        for rule in (*journey.exits, *((journey.goal,) if journey.goal else ())):
            names |= rule.names
    return Needs(friction=any(name.startswith(FRICTION_EVENT) for name in names))


def _duplicates(journeys: list[Journey]) -> list[Problem]:
    names = [journey.name for journey in journeys]
    return [
        _problem(f"journey {name}", f"the journey {name!r} is defined more than once", "duplicate-journey")
        for name in sorted({name for name in names if names.count(name) > 1})
    ]


def _conflicts(journeys: list[Journey], flags: list[Flag]) -> list[Problem]:
    """One id is one experiment: whoever met it has one variant, everywhere."""
    problems: list[Problem] = []
    owners: dict[str, tuple[str, Experiment]] = {}
    each = [
        (f"journey {one.name}", experiment) for one in journeys for experiment in one.experiments.values()
    ]
    each += [(f"flag {one.name}", experiment) for one in flags for experiment in one.experiments]
    for whose, experiment in each:
        owner, known = owners.setdefault(experiment.id, (whose, experiment.as_written))
        if known != experiment.as_written:
            message = f"the experiment {experiment.id!r} is another one in the {owner}; rename one"
            problems.append(_problem(whose, message, "duplicate-experiment"))
    return problems


def _problem(whose: str, message: str, code: str) -> Problem:
    return Problem(file=whose, line=1, column=1, message=message, code=code)
