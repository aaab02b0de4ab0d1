"""Which definitions are in force: a document in the store, changed by the controls of the log alone.

At a start the configured files are compared with it, and what differs is published through the log, so what
the log held unprocessed after a crash is processed under the definitions it was acknowledged under. People
inside keep their version; other policies are asked for with `sojourn publish`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import structlog
from msgspec import Struct

from sojourn.config import Config, journey_files
from sojourn.definitions.catalogue import check_definitions
from sojourn.definitions.controls import PUBLISH, control_event
from sojourn.definitions.journey import Catalogue
from sojourn.definitions.planning import difference, load_texts
from sojourn.definitions.publishing import InForce, Version, catalogue_of
from sojourn.model.errors import ConfigError, DefinitionError, Problem
from sojourn.model.ports import Store
from sojourn.runtime.controls import DOCUMENT, Applied, kept_in_force
from sojourn.runtime.driver import Driver

log = structlog.get_logger("sojourn")


class _Kept(Struct, frozen=True):
    """The definitions as releases before there were controls kept them: as text."""

    current: list[str]
    older: list[str] = []


def configured_texts(config: Config) -> list[tuple[str, str]]:
    """Return (file, text) of the configured files; raises ConfigError where one cannot be read."""
    files = []
    for path in journey_files(config):
        try:
            files.append((str(path), path.read_text("utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{path}: cannot be read as a journey ({error}); see its permissions and that it is UTF-8"
            ) from error
    return files


def journey_warnings(config: Config) -> list[Problem]:
    """Return what the configured files say that is allowed and probably not meant, each with its place."""
    return check_definitions(configured_texts(config), sinks=config.sinks_in_force()).warnings


def last_in_force(config: Config, store: Store) -> InForce:
    """Return what is in force at the store's position; nothing is, where nothing was published yet."""
    try:
        return kept_in_force(store) or InForce()
    except msgspec.ValidationError:
        raw = store.kept(DOCUMENT)
        assert raw is not None
    kept = msgspec.json.decode(raw, type=_Kept)
    older, current = _versions(kept.older), _versions(kept.current)
    return InForce(
        current={one.journey: one.version for one in current},
        versions=[*older, *current],
        ranks=config.ranks(),
        session_gap_ms=config.session_gap_ms,
    )


def last_catalogue(config: Config, store: Store) -> Catalogue:
    """Return the catalogue at the store's position."""
    return compiled(last_in_force(config, store))


def compiled(in_force: InForce) -> Catalogue:
    """Compile what is in force; what this release refuses is left out, and not silently."""
    catalogue, problems = catalogue_of(in_force)
    tell_refused(problems)
    return catalogue


def tell_refused(problems: Sequence[Problem]) -> None:
    """Say what this release leaves out of what an earlier one published."""
    if problems:
        log.warning(
            "a journey of an earlier run is refused by this release",
            problems=[str(problem) for problem in problems],
            do="people inside it leave it; to keep them, go back to the release before",
        )


def tell_applied(entry: object, applied: Applied) -> None:
    """Say what a control that is in force left out."""
    del entry
    tell_refused(applied.problems)


def publish_configured(config: Config, driver: Driver, texts: Iterable[tuple[str, str]]) -> None:
    """Publish what the configured files say differently, everybody pinned; the same publishes nothing."""
    assert driver.controls is not None
    publishing = difference(
        driver.controls.in_force,
        load_texts(texts),
        is_whole=True,
        settings={"ranks": config.ranks(), "session_gap_ms": config.session_gap_ms},
    )
    if publishing is not None:
        driver.bring(control_event(PUBLISH, publishing, after=driver.position, now=driver.clock))


def _versions(texts: Sequence[str]) -> list[Version]:
    found: list[Version] = []
    for text in texts:
        try:
            found += [
                Version(journey=one.name, version=one.version, text=one.text)
                for one in load_texts([("a journey of an earlier run", text)]).journeys
            ]
        except DefinitionError as error:
            tell_refused(error.problems)
    return found
