"""Loading: which file is read, what the environment says beside it, and where journeys are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from sojourn.config.reading import (
    SHOWN_CHARS,
    Reader,
    Setting,
    WrongValueError,
    is_one_value,
    read_scalar,
    settings_of,
)
from sojourn.config.settings import Cluster, Config, Secret, Unsubscribe
from sojourn.definitions.yaml import load
from sojourn.model.errors import ConfigError, DefinitionError
from sojourn.model.event import OUR_SOURCE

FILE_NAME = "sojourn.yaml"
PREFIX = "SOJOURN_"
FILE_VARIABLE = PREFIX + "CONFIG"
DATA_VARIABLE = PREFIX + "DATA"

TOKEN_CHARS = 16  # Shorter ones are guessed.
# How alike a variable and a setting must be to be a slip: Kubernetes sets SOJOURN_PORT for a service.
NEAR = 0.85
# RFC 8058 wants https for one-click; http is for trying it out on one machine.
_PUBLIC_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]+(/[A-Za-z0-9._~/-]*)?", re.ASCII)
TICK_FROM_MS, TICK_TO_MS = 5, 10_000
_PREFIX = re.compile(r"[A-Za-z0-9._-]{1,200}", re.ASCII)  # a topic's name may have 249 characters
_STORE = re.compile(r"rediss?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(/[0-9]{1,4})?/?", re.ASCII)
_BROKER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}", re.ASCII)
DEFINITION_SUFFIXES = frozenset({".yaml", ".yml", ".json"})


def load_config(
    file: Path | None = None, *, data: Path | None = None, environment: Mapping[str, str]
) -> Config:
    """Read the configuration, once.

    Args:
        file: The configuration file; None: `SOJOURN_CONFIG`, else `sojourn.yaml` in the data folder or beside
            it where that is named, else in the folder we are in. With none of them, all is as by default.
        data: The data folder; None: `SOJOURN_DATA`, else what the file says.
        environment: `SOJOURN_HTTP_PORT` and the like: each wins over the file.

    Raises:
        ConfigError: A setting is wrong, each with its file, line and column, and what was expected.
    """
    here = Path.cwd()
    if data is None and environment.get(DATA_VARIABLE):
        data = Path(environment[DATA_VARIABLE])
    if data is not None:
        data = here / data.expanduser()
    if file is None and environment.get(FILE_VARIABLE):
        file = Path(environment[FILE_VARIABLE])
    file = here / file.expanduser() if file is not None else _found(here, data)
    folder = file.parent if file is not None else data or here
    settings = _from_file(file, folder, environment) if file is not None else Config()
    config = _from_environment(settings, here, environment)
    config = replace(
        config,
        data=data or folder / config.data,
        journeys=[folder / path for path in config.journeys],
        metrics=[folder / path for path in config.metrics],
        geo_database=None if config.geo_database is None else folder / config.geo_database,
    )
    where = str(file) if file is not None else "environment"
    _check(config, where)
    if settings.journeys != Config().journeys:  # Nobody needs to have the default folder.
        _check_paths("journeys", config.journeys, where)
    if settings.metrics != Config().metrics:
        _check_paths("metrics", config.metrics, where)
    return config


def journey_files(config: Config) -> list[Path]:
    """List the files of journeys, sorted within their folder; none where the folder is not there."""
    return _files(config.journeys)


def metric_files(config: Config) -> list[Path]:
    """List the files of metrics, sorted within their folder; none where the folder is not there."""
    return _files(config.metrics)


def _files(paths: list[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(each for each in path.iterdir() if each.suffix in DEFINITION_SUFFIXES)
        elif path.is_file():
            found.append(path)
    return found


def _found(here: Path, data: Path | None) -> Path | None:
    folders = (here,) if data is None else (data, data.parent)
    return next((folder / FILE_NAME for folder in folders if (folder / FILE_NAME).is_file()), None)


def _from_file(file: Path, folder: Path, environment: Mapping[str, str]) -> Config:
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: is not UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror}); `sojourn init` writes one") from None
    reader = Reader(str(file), folder=folder, environment=environment)
    try:
        is_empty = all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines())
        found = reader.group(Config, load("{}" if is_empty else text, file=str(file)))
    except DefinitionError as error:
        raise ConfigError(str(error)) from None
    if reader.problems:
        raise ConfigError("\n".join(reader.problems))
    return Config(**found)


def _from_environment(config: Config, here: Path, environment: Mapping[str, str]) -> Config:
    """Let variables win over the file; one that is nearly a setting's name is a slip."""
    known = {variable: (places, setting) for variable, places, setting in _variables(Config)}
    problems: list[str] = []
    for variable, text in environment.items():
        if not variable.startswith(PREFIX) or not text:
            continue
        if variable not in known:
            problems += _slip(variable, known)
            continue
        places, setting = known[variable]
        try:
            value = read_scalar(setting.kind, setting.field, text, folder=here)
        except WrongValueError as wrong:
            problems.append(f"environment: {variable}: {wrong}")
            continue
        config = _with(config, [*places, setting.field], value)
    if problems:
        raise ConfigError("\n".join(problems))
    return config


def _variables(
    kind: type[Struct], places: tuple[str, ...] = ()
) -> Iterator[tuple[str, tuple[str, ...], Setting]]:
    """Yield (variable, fields on the way, setting) of every setting that is one value."""
    for setting in settings_of(kind):
        is_group = isinstance(setting.kind, type) and issubclass(setting.kind, Struct)
        if is_group and not is_one_value(setting.kind):
            yield from _variables(setting.kind, (*places, setting.field))
        elif getattr(setting.kind, "__origin__", None) not in (dict, list):
            yield PREFIX + "_".join((*places, setting.name)).upper(), places, setting


def _slip(variable: str, known: Mapping[str, Any]) -> list[str]:
    bare = {name.removeprefix(PREFIX): name for name in known}
    near = get_close_matches(variable.removeprefix(PREFIX), bare, n=1, cutoff=NEAR)
    return [f"environment: {variable} is no setting; did you mean {bare[near[0]]}?"] if near else []


def _with(struct: Any, places: list[str], value: Any) -> Any:
    first, *rest = places
    return replace(struct, **{first: _with(getattr(struct, first), rest, value) if rest else value})


def _check(config: Config, where: str) -> None:
    """Refuse what is wrong only as a whole."""
    owners: dict[Secret, str] = {}
    for name, source in config.sources.items():
        if name == OUR_SOURCE:
            raise ConfigError(f"{where}: sources: {name!r} is the engine's own name; choose another")
        owner = owners.setdefault(source.write_key, name)
        if owner != name:
            raise ConfigError(
                f"{where}: sources: {owner!r} and {name!r} share a write key; give each its own"
            )
    token = config.admin_token
    if token is not None and len(token.reveal()) < TOKEN_CHARS:
        raise ConfigError(f"{where}: admin_token: expected at least {TOKEN_CHARS} characters, got fewer")
    _check_unsubscribe(config.unsubscribe, where)
    _check_decisions(config, where)
    _check_cluster(config.cluster, where)
    repeated = sorted({step for step in config.steps if config.steps.count(step) > 1})
    if repeated:
        raise ConfigError(f"{where}: steps: {repeated[0]!r} stands there twice; give each step one place")
    if config.geo_database is not None and not config.geo_database.is_file():
        raise ConfigError(f"{where}: geo_database: there is no file {config.geo_database}; mend the path")


def _check_unsubscribe(unsubscribe: Unsubscribe, where: str) -> None:
    if (unsubscribe.secret is None) != (not unsubscribe.public_url):
        raise ConfigError(f"{where}: unsubscribe: needs both secret and public_url, or neither")
    if unsubscribe.secret is not None and len(unsubscribe.secret.reveal()) < TOKEN_CHARS:
        raise ConfigError(
            f"{where}: unsubscribe.secret: expected at least {TOKEN_CHARS} characters, got fewer"
        )
    if unsubscribe.public_url and not _PUBLIC_URL.fullmatch(unsubscribe.public_url):
        raise ConfigError(
            f"{where}: unsubscribe.public_url: expected https://host, and a path where a proxy adds one, "
            f"got {unsubscribe.public_url[:SHOWN_CHARS]!r}"
        )


def _check_cluster(cluster: Cluster, where: str) -> None:
    """Refuse names that Kafka would not take, and ticks that would be no clock."""
    if not _PREFIX.fullmatch(cluster.prefix):
        raise ConfigError(
            f"{where}: cluster.prefix: expected letters, digits, `.`, `_` and `-`, at most 200, got "
            f"{cluster.prefix[:SHOWN_CHARS]!r}"
        )
    for broker in cluster.brokers.split(",") if cluster.brokers else ():
        if not _BROKER.fullmatch(broker.strip()):
            raise ConfigError(
                f"{where}: cluster.brokers: expected host:port, or several with commas, got "
                f"{broker.strip()[:SHOWN_CHARS]!r}"
            )
    if not TICK_FROM_MS <= cluster.tick_ms <= TICK_TO_MS:
        raise ConfigError(f"{where}: cluster.tick: expected {TICK_FROM_MS} ms to {TICK_TO_MS // 1000} s")
    if cluster.serving.url and not _STORE.fullmatch(cluster.serving.url):
        raise ConfigError(
            f"{where}: cluster.serving.url: expected redis://host:port/0, or rediss:// over TLS, and neither "
            "a user nor a password in it: name them under serving.username and serving.password_env"
        )
    twice = sorted(cluster.client.keys() & cluster.client_env.keys())
    if twice:
        raise ConfigError(f"{where}: cluster.client_env: {twice[0]!r} stands in client, too; keep one")


def _check_decisions(config: Config, where: str) -> None:
    """Refuse keys that two share, that are guessed, or that open more than a page should."""
    owners: dict[Secret, str] = {}
    for name, key in config.decisions.keys.items():
        place = f"{where}: decisions.keys.{name}"
        owner = owners.setdefault(key.key, name)
        if owner != name:
            raise ConfigError(f"{place}: shares its key with {owner!r}; give each its own")
        if key.key == config.admin_token:
            raise ConfigError(f"{place}: is the admin_token, which opens all of the API; give it its own")
        for secret in (key.key, key.secret):
            if secret is not None and len(secret.reveal()) < TOKEN_CHARS:
                raise ConfigError(f"{place}: expected at least {TOKEN_CHARS} characters, got fewer")
        if key.kind == "browser" and not key.flags:
            raise ConfigError(
                f"{place}: is in a page, where everybody reads it: name the flags it opens, such as "
                "flags: [journey.rescue.next_action]"
            )
        if key.kind == "server" and key.secret is not None:
            raise ConfigError(f"{place}: secret is for keys of kind browser; leave it out")
        if key.kind == "server" and key.trust_events:
            raise ConfigError(
                f"{place}: trust_events is for keys of kind browser; one of a server does anyway"
            )


def _check_paths(setting: str, paths: list[Path], where: str) -> None:
    for path in paths:
        if not path.exists():
            raise ConfigError(f"{where}: {setting}: there is no {path}; mend the path, or make the folder")
