"""The catalogue: all journeys in force, and what they together ask of a profile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sojourn.definitions.compile import check_journey
from sojourn.definitions.expression import Needs
from sojourn.definitions.friction_rules import FRICTION_EVENT
from sojourn.definitions.journey import Catalogue, Experiment, Journey
from sojourn.definitions.needs import merge_needs
from sojourn.model.errors import DefinitionError, Problem


def load_journeys(files: Iterable[tuple[str, str]]) -> list[Journey]:
    """Compile journeys from (file name, text) pairs.

    Raises DefinitionError with the problems of all files, two journeys of one name among them.
    """
    journeys: list[Journey] = []
    problems: list[Problem] = []
    first_files: dict[str, str] = {}
    for file, text in files:
        checked = check_journey(text, file=file)
        problems += checked.problems
        if checked.journey is None:
            continue
        name = checked.journey.name
        if name in first_files:
            message = f"the journey {name!r} is defined in {first_files[name]} too; rename one of them"
            problems.append(Problem(file=file, line=1, column=1, message=message, code="duplicate-journey"))
        first_files.setdefault(name, file)
        journeys.append(checked.journey)
    if problems:
        raise DefinitionError(problems)
    return journeys


def build_catalogue(
    journeys: Iterable[Journey],
    *,
    older: Iterable[Journey] = (),
    ranks: Mapping[str, int] = {},
    session_gap_ms: int = 30 * 60_000,  # the web's convention since Urchin.
) -> Catalogue:
    """Index the journeys in force; `older` are the versions somebody may still be inside.

    Raises DefinitionError where two journeys share a name, or two experiments an id with different variants.
    """
    current = sorted(journeys, key=lambda journey: journey.name)
    every = [*older, *current]
    problems = [*_duplicates(current), *_conflicts(current)]
    if problems:
        raise DefinitionError(problems)
    return Catalogue(
        journeys={journey.name: journey for journey in current},
        versions={(journey.name, journey.version): journey for journey in every},
        entries=_entries(current),
        needs=merge_needs([*(journey.needs for journey in every), _needs_of_names(every)]),
        ranks=dict(ranks),
        session_gap_ms=session_gap_ms,
    )


def _entries(journeys: list[Journey]) -> dict[str, tuple[Journey, ...]]:
    entries: dict[str, tuple[Journey, ...]] = {}
    for journey in journeys:
        for name in sorted(journey.entry.names):
            entries[name] = (*entries.get(name, ()), journey)
    return entries


def _needs_of_names(journeys: list[Journey]) -> Needs:
    """Return what journeys need by listening: signals of friction are found where somebody hears of them."""
    names: set[str] = set()
    for journey in journeys:
        names |= {*journey.entry.names, *journey.chart.names, *journey.needs.counts, *journey.needs.since}
        for rule in (*journey.exits, *((journey.goal,) if journey.goal else ())):
            names |= rule.names
    return Needs(friction=any(name.startswith(FRICTION_EVENT) for name in names))


def _duplicates(journeys: list[Journey]) -> list[Problem]:
    names = [journey.name for journey in journeys]
    return [
        _problem(name, f"the journey {name!r} is defined more than once", "duplicate-journey")
        for name in sorted({name for name in names if names.count(name) > 1})
    ]


def _conflicts(journeys: list[Journey]) -> list[Problem]:
    """One id is one experiment: whoever met it has one variant, everywhere."""
    problems: list[Problem] = []
    owners: dict[str, tuple[str, Experiment]] = {}
    for journey in journeys:
        for experiment in journey.experiments.values():
            owner, known = owners.setdefault(experiment.id, (journey.name, experiment))
            if known != experiment:
                message = (
                    f"the experiment {experiment.id!r} is another one in the journey {owner!r}; rename one"
                )
                problems.append(_problem(journey.name, message, "duplicate-experiment"))
    return problems


def _problem(journey: str, message: str, code: str) -> Problem:
    return Problem(file=f"journey {journey}", line=1, column=1, message=message, code=code)
