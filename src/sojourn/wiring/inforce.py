"""Which definitions are in force: kept in the store, so that a restart takes up where it stopped.

What the log holds unprocessed after a crash was acknowledged under the old definitions, so it is processed
under them, and only then do the new ones come into force. Older versions stay for the people inside.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace

from sojourn.config import Config, journey_files
from sojourn.definitions.catalogue import (
    Definitions,
    build_catalogue,
    check_definitions,
    load_definitions,
    load_journeys,
)
from sojourn.definitions.journey import Catalogue, Journey
from sojourn.model.errors import ConfigError, DefinitionError, Problem
from sojourn.model.ports import Store

DOCUMENT = "definitions"
MAX_OLDER = 50  # versions kept per journey: a year of weekly edits.

log = structlog.get_logger("sojourn")


class Kept(Struct, frozen=True):
    """The definitions of the last run, as text."""

    current: list[str]
    older: list[str] = []
    shared: list[str] = []
    """The files that hold segments or policy."""
    revision: int = 0
    """Grows with every change of what is in force."""


def read_definitions(config: Config) -> Definitions:
    """Compile the configured files; raises DefinitionError with the problems of all."""
    return load_definitions(_files(config))


def journey_warnings(config: Config) -> list[Problem]:
    """Return what the configured files say that is allowed and probably not meant, each with its place."""
    return check_definitions(_files(config), sinks=config.sinks_in_force()).warnings


def last_catalogue(config: Config, store: Store) -> Catalogue | None:
    """Return the catalogue of the last run; None where there was none."""
    kept = _kept(store)
    if kept is None:
        return None
    definitions = _compile_shared(kept.shared)
    definitions = replace(definitions, journeys=tuple(_compile(kept.current)))
    return _catalogue(config, definitions, _compile(kept.older), revision=kept.revision)


def bring_into_force(config: Config, store: Store, definitions: Definitions) -> Catalogue:
    """Make these the definitions in force, and keep them; the last run's journeys become older ones."""
    journeys = definitions.journeys
    kept = _kept(store) or Kept([])
    texts = {journey.text for journey in journeys}
    older = [text for text in dict.fromkeys(kept.older + kept.current) if text not in texts]
    before = _newest(_compile(older), {(journey.name, journey.version) for journey in journeys})
    document = Kept(
        [journey.text for journey in journeys],
        [journey.text for journey in before],
        list(definitions.texts),
        kept.revision,
    )
    if document != kept:
        document = replace(document, revision=kept.revision + 1)
        store.keep(DOCUMENT, msgspec.json.encode(document))
    return _catalogue(config, definitions, before, revision=document.revision)


def _files(config: Config) -> list[tuple[str, str]]:
    files = []
    for path in journey_files(config):
        try:
            files.append((str(path), path.read_text("utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{path}: cannot be read as a journey ({error}); see its permissions and that it is UTF-8"
            ) from error
    return files


def _kept(store: Store) -> Kept | None:
    raw = store.kept(DOCUMENT)
    return None if raw is None else msgspec.json.decode(raw, type=Kept)


def _compile(texts: Sequence[str]) -> list[Journey]:
    """Compile what an earlier run accepted; what this release refuses is left out, and not silently."""
    journeys: list[Journey] = []
    for text in texts:
        try:
            journeys += load_journeys([("a journey of an earlier run", text)])
        except DefinitionError as error:
            log.warning(
                "a journey of an earlier run is refused by this release",
                problems=[str(problem) for problem in error.problems],
                do="people inside it leave it; to keep them, go back to the release before",
            )
    return journeys


def _compile_shared(texts: Sequence[str]) -> Definitions:
    """Compile the segments and the policy of an earlier run; what this release refuses is not in force."""
    checked = check_definitions(
        [(f"definitions of an earlier run ({n})", text) for n, text in enumerate(texts)]
    )
    if checked.problems:
        log.warning(
            "definitions of an earlier run are refused by this release",
            problems=[str(problem) for problem in checked.problems],
            do="nobody is in these segments until the new ones are in force",
        )
    return checked.definitions


def _newest(journeys: Sequence[Journey], current: set[tuple[str, str]]) -> list[Journey]:
    """Keep the newest MAX_OLDER of each name, in their order; a version in force is not older."""
    kept: list[Journey] = []
    n_kept: dict[str, int] = {}
    for journey in reversed(journeys):
        if (journey.name, journey.version) in current:
            continue
        n_kept[journey.name] = n_kept.get(journey.name, 0) + 1
        if n_kept[journey.name] <= MAX_OLDER:
            kept.append(journey)
    return kept[::-1]


def _catalogue(
    config: Config, definitions: Definitions, older: Sequence[Journey], *, revision: int
) -> Catalogue:
    return build_catalogue(
        definitions.journeys,
        older=older,
        ranks=config.ranks(),
        session_gap_ms=config.session_gap_ms,
        segments=definitions.segments,
        policy=definitions.policy,
        revision=revision,
    )
