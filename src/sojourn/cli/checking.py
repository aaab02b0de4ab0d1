"""Checking: `sojourn check` says what is wrong in journeys and metrics, and where."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sojourn.cli.options import ConfigOption, DataOption, JsonOption, configuration
from sojourn.cli.output import printable, say_json
from sojourn.cli.texts import journey_paths, read_text
from sojourn.model.errors import ConfigError, DefinitionError, Problem

if TYPE_CHECKING:
    from sojourn.config import Config


def check(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILES]...", help="By default those of the configuration.")
    ] = None,
    *,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Say what is wrong in definitions of all kinds, and where: `file:line:column: message [code]`."""
    settings = _settings(config, data, is_needed=not files)
    paths = journey_paths(files) if files else _configured(settings)
    texts = [(str(path), read_text(path)) for path in paths]
    texts, metrics = _apart(texts)
    n_metrics, wrong = _judge_metrics(metrics)
    good, problems, warnings = _judge(texts, _sinks(settings))
    problems += wrong
    if json:
        say_json({"problems": problems, "warnings": warnings})
    else:
        for problem in problems:
            typer.echo(printable(str(problem)))
        for warning in warnings:
            typer.echo(printable(f"warning: {warning}"))
        n_problems = len(problems)
        good += f", {_several(n_metrics, 'metric')}" if metrics else ""
        typer.echo(_several(n_problems, "problem") if problems else f"{good}: nothing is wrong")
    if problems:
        raise typer.Exit(1)


def _several(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _apart(texts: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return (files of journeys and what they share, files of metrics)."""
    from sojourn.definitions.metrics_reading import is_metrics_file  # noqa: PLC0415 - help needs no YAML

    metrics = [(file, text) for file, text in texts if is_metrics_file(text, file=file)]
    return [each for each in texts if each not in metrics], metrics


def _judge_metrics(texts: list[tuple[str, str]]) -> tuple[int, list[Problem]]:
    """Return (how many metrics are good, what is wrong)."""
    from sojourn.definitions.metrics_reading import check_metrics  # noqa: PLC0415 - as above

    checked = check_metrics(texts)
    return 0 if checked.problems else len(checked.metrics), checked.problems


def _judge(
    texts: list[tuple[str, str]], sinks: Collection[str] | None
) -> tuple[str, list[Problem], list[Problem]]:
    """Return (how many are good, in words, what is wrong, what is probably not meant)."""
    from sojourn.definitions.catalogue import build_catalogue, check_definitions  # noqa: PLC0415 - help needs no YAML

    checked = check_definitions(texts, sinks=sinks)
    if checked.problems:
        return "", checked.problems, checked.warnings
    definitions = checked.definitions
    try:
        build_catalogue(
            definitions.journeys,
            segments=definitions.segments,
            policy=definitions.policy,
            flags=definitions.flags,
        )
    except DefinitionError as error:
        return "", error.problems, checked.warnings
    good = _several(len(definitions.journeys), "journey")
    if definitions.flags:
        good += f" and {_several(len(definitions.flags), 'flag')}"
    return good, [], checked.warnings


def _settings(config: Path | None, data: Path | None, *, is_needed: bool) -> Config:
    """Read the configuration; one nobody asked for may be wrong, and the journeys good."""
    from sojourn.config import Config  # noqa: PLC0415 - help needs no YAML

    try:
        return configuration(config, data)
    except ConfigError:
        if is_needed or config is not None:
            raise
        return Config()


def _sinks(settings: Config) -> Collection[str] | None:
    """Return the sinks a journey may name; None where nothing is configured yet."""
    return settings.sinks_in_force() if settings.sinks or settings.sources else None


def _configured(settings: Config) -> list[Path]:
    from sojourn.config import journey_files, metric_files  # noqa: PLC0415 - help needs no YAML

    found = [*journey_files(settings), *metric_files(settings)]
    if not found:
        folders = ", ".join(str(path) for path in settings.journeys)
        raise ConfigError(f"{folders}: no journeys there; name the files, or mend 'journeys' in sojourn.yaml")
    return found
