"""Checking files beside what is in force: every problem with its place, and the journeys that are good."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from sojourn.definitions.catalogue import (
    CheckedFiles,
    Definitions,
    build_catalogue,
    check_definitions,
    standing_by,
)
from sojourn.definitions.journey import Journey
from sojourn.definitions.metrics_reading import check_metrics, is_metrics_file
from sojourn.model.errors import DefinitionError, Problem


class Verdict(Struct, frozen=True, kw_only=True):
    """What is to be said of some files."""

    problems: list[Problem]
    warnings: list[Problem]
    journeys: tuple[Journey, ...]
    """Those that compile, also where others do not."""


def check_files(
    files: Sequence[tuple[str, str]],
    *,
    shared: Sequence[str] = (),
    others: Iterable[Journey] = (),
    sinks: Collection[str] | None = None,
) -> Verdict:
    """Check (file, text) pairs of any kind; this raises nothing.

    `shared` are texts of segments, policy and flags that stand by where no file brings any; `others` are
    journeys in force, which stand beside the files where these bring none of their name. `sinks` are those
    that may be named; None: nobody knows.
    """
    metrics = [pair for pair in files if is_metrics_file(pair[1], file=pair[0])]
    rest = [pair for pair in files if pair not in metrics]
    problems = list(check_metrics(metrics).problems)
    try:
        standing = standing_by(rest, shared)
    except DefinitionError as error:
        problems += error.problems
        standing = []
    checked = check_definitions([*rest, *standing], sinks=sinks)
    problems += checked.problems
    if not checked.problems:
        problems += _together(checked, others, rest)
    own = {text for _, text in rest}
    order = {file: n for n, (file, _) in enumerate(files)}

    def place(problem: Problem) -> tuple[int, int, int]:
        return order.get(problem.file, len(order)), problem.line, problem.column

    return Verdict(
        problems=sorted(problems, key=place),
        warnings=sorted(checked.warnings, key=place),
        journeys=tuple(one for one in checked.definitions.journeys if one.text in own),
    )


def _together(
    checked: CheckedFiles, others: Iterable[Journey], files: Sequence[tuple[str, str]]
) -> list[Problem]:
    """Say what cannot stand beside one another: two experiments of one id, journeys that call in a circle."""
    definitions: Definitions = checked.definitions
    names = {one.name for one in definitions.journeys}
    beside = [one for one in others if one.name not in names]
    try:
        build_catalogue(
            [*definitions.journeys, *beside],
            segments=definitions.segments,
            policy=definitions.policy,
            flags=definitions.flags,
        )
    except DefinitionError as error:
        texts = {text: file for file, text in files}
        whose = {f"journey {one.name}": texts.get(one.text) for one in definitions.journeys}
        return [replace(one, file=whose.get(one.file) or one.file) for one in error.problems]
    return []
