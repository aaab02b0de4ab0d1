"""Configuration: read once, from one file and the environment; what is wrong is said with its place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import asdict

from sojourn.config import (
    Config,
    Deliver,
    Http,
    Logging,
    Rate,
    Secret,
    Sink,
    Source,
    Unsubscribe,
    journey_files,
    load_config,
    start,
)
from sojourn.model.errors import ConfigError
from sojourn.runtime.outbox import Policy

TOKEN = "a-token-of-many-characters"

EVERYTHING = f"""\
data: there
journeys: [a.yaml]
metrics: b.yaml
http: {{ host: 0.0.0.0, port: 9000, proxies: 1 }}
sources:
  web: {{ write_key: 0012 }}
  server: {{ write_key_env: SERVER_KEY }}
sinks:
  hook: {{ type: webhook, url: "https://example.com", retries: 3, rate: 30/m }}
admin_token: {TOKEN}
geo_database: city.mmdb
keep_full_ip: true
dedup_window: 7d
session_gap: 45m
deliver:
  {{ max_attempts: 3, max_in_flight: 2, delivery_timeout: 5s, backoff_base: 10ms, backoff_cap: 1h,
     rate: {{ most: 100, per: 10s, burst: 5 }} }}
unsubscribe: {{ secret_env: LINKS, public_url: "https://shop.example/sojourn" }}
log: {{ level: debug, format: json }}
steps: [Viewed, Bought]
"""


def load(folder: Path, text: str, environment: Mapping[str, str] | None = None) -> Config:
    """Load a configuration of this text."""
    file = folder / "sojourn.yaml"
    file.write_text(text)
    return load_config(file, environment=environment or {})


def complaint(folder: Path, text: str, environment: Mapping[str, str] | None = None) -> str:
    """Say how a text is refused, without its folder."""
    with pytest.raises(ConfigError) as refused:
        load(folder, text, environment)
    return str(refused.value).replace(f"{folder}/", "")


def test_every_setting_is_read_into_its_type(tmp_path: Path) -> None:
    """The whole file, compared as one value; relative paths begin where the file is."""
    (tmp_path / "city.mmdb").touch()
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).touch()

    assert load(tmp_path, EVERYTHING, {"SERVER_KEY": "s3", "LINKS": TOKEN}) == Config(
        data=tmp_path / "there",
        journeys=[tmp_path / "a.yaml"],
        metrics=[tmp_path / "b.yaml"],
        http=Http(host="0.0.0.0", port=9000, proxies=1),
        sources={"web": Source(write_key=Secret("0012")), "server": Source(write_key=Secret("s3"))},
        sinks={
            "hook": Sink(
                type="webhook",
                options={"url": "https://example.com", "retries": 3},
                rate=Rate(most=30, per_ms=60_000),
            )
        },
        admin_token=Secret(TOKEN),
        geo_database=tmp_path / "city.mmdb",
        keep_full_ip=True,
        dedup_window_ms=7 * 86_400_000,
        session_gap_ms=45 * 60_000,
        deliver=Deliver(
            max_attempts=3,
            max_in_flight=2,
            delivery_timeout_ms=5_000,
            backoff_base_ms=10,
            backoff_cap_ms=3_600_000,
            rate=Rate(most=100, per_ms=10_000, burst=5),
        ),
        unsubscribe=Unsubscribe(secret=Secret(TOKEN), public_url="https://shop.example/sojourn"),
        log=Logging(level="debug", format="json"),
        steps=["Viewed", "Bought"],
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "http:\nsources:\nsinks:\n"])
def test_what_is_left_out_is_as_by_default(tmp_path: Path, text: str) -> None:
    """An empty group is no mistake."""
    assert load(tmp_path, text) == Config(
        data=tmp_path / "data", journeys=[tmp_path / "journeys"], metrics=[tmp_path / "metrics"]
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("htpp: {}", "sojourn.yaml:1:1: unknown setting 'htpp'; did you mean 'http'?"),
        (
            "http:\n  prot: 80",
            "sojourn.yaml:2:3: http: unknown setting 'prot'; did you mean 'port'?",
        ),
        (
            "http:\n  port: many",
            "sojourn.yaml:2:9: http.port: expected a whole number from 0 to 65535, got 'many'",
        ),
        (
            "http:\n  port: 70000",
            "sojourn.yaml:2:9: http.port: expected a whole number from 0 to 65535, got '70000'",
        ),
        ("keep_full_ip: yes", "sojourn.yaml:1:15: keep_full_ip: expected true or false, got 'yes'"),
        (
            "session_gap: 30",
            "sojourn.yaml:1:14: session_gap: expected a duration such as 30s, 5m, 1h30m, 7d or 2w, got '30'",
        ),
        (
            "log: { level: loud }",
            "sojourn.yaml:1:15: log.level: expected one of debug, info, warning, error, got 'loud'",
        ),
        ("data: [a]", "sojourn.yaml:1:7: data: expected one value, got a list"),
        ("data:", "sojourn.yaml:1:6: data: expected a value, got nothing"),
        ("http: 80", "sojourn.yaml:1:7: http: expected settings as `name: value`, one a line"),
        (
            "sources: { web: key }",
            "sojourn.yaml:1:17: sources.web: expected settings as `name: value`, one a line",
        ),
        ("sources: { web: {} }", "sojourn.yaml:1:17: sources.web: needs 'write_key'"),
        (
            "sources: { web: { write_key_env: KEY } }",
            "sojourn.yaml:1:34: sources.web.write_key_env: the environment variable KEY is not set; set it",
        ),
        (
            "sources: { 'a b': { write_key: k } }",
            "sojourn.yaml:1:12: sources.a b: expected a name of letters, digits, `_.-`, at most 64",
        ),
        (
            "sinks: { hook: {} }",
            "sojourn.yaml:1:16: sinks.hook: needs 'type': webhook, email, slack, kafka, console, file, "
            "or a plugin's",
        ),
        (
            f"admin_token: {TOKEN}\nadmin_token_env: KEY",
            "sojourn.yaml:2:1: 'admin_token_env' says the same again; keep one of the two",
        ),
        (
            "data: a\ndata: b",
            "sojourn.yaml:2:1: the key 'data' stands here twice; it is also in line 1",
        ),
        (
            "sources: { a: { write_key: k }, b: { write_key: k } }",
            "sojourn.yaml: sources: 'a' and 'b' share a write key; give each its own",
        ),
        (
            "sources: { sojourn: { write_key: k } }",
            "sojourn.yaml: sources: 'sojourn' is the engine's own name; choose another",
        ),
        ("admin_token: short", "sojourn.yaml: admin_token: expected at least 16 characters, got fewer"),
        ("steps: [a, b, a]", "sojourn.yaml: steps: 'a' stands there twice; give each step one place"),
        (
            "deliver: { rate: fast }",
            "sojourn.yaml:1:18: deliver.rate: expected so many in a time, such as 100/s or 5/10s, got 'fast'",
        ),
        (
            "sinks: { hook: { type: webhook, rate: 0/s } }",
            "sojourn.yaml:1:39: sinks.hook.rate: expected so many in a time, such as 100/s or 5/10s, "
            "got '0/s'",
        ),
        (
            "sinks: { hook: { type: webhook, rate: { most: 3, burst: 0 } } }",
            "sojourn.yaml:1:57: sinks.hook.rate.burst: expected a whole number from 1 to 1000000, got '0'",
        ),
        ("sinks: { hook: { type: webhook, rate: {} } }", "sojourn.yaml:1:39: sinks.hook.rate: needs 'most'"),
        (
            f"unsubscribe: {{ secret: {TOKEN} }}",
            "sojourn.yaml: unsubscribe: needs both secret and public_url, or neither",
        ),
        (
            "unsubscribe: { secret: short, public_url: 'https://a.example' }",
            "sojourn.yaml: unsubscribe.secret: expected at least 16 characters, got fewer",
        ),
        (
            f"unsubscribe: {{ secret: {TOKEN}, public_url: shop.example }}",
            "sojourn.yaml: unsubscribe.public_url: expected https://host, and a path where a proxy adds one, "
            "got 'shop.example'",
        ),
        ("geo_database: none", "sojourn.yaml: geo_database: there is no file none; mend the path"),
        ("metrics: none", "sojourn.yaml: metrics: there is no none; mend the path, or make the folder"),
        ("journeys: none", "sojourn.yaml: journeys: there is no none; mend the path, or make the folder"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    """Where, what was expected, what came, what to do."""
    assert complaint(tmp_path, text).startswith(expected)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    """Nobody likes to be told one mistake a start."""
    assert complaint(tmp_path, "htpp: {}\nhttp: { port: x }\nkeep_full_ip: 1").count("\n") == 2


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Whoever names a file wants that one."""
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        load_config(tmp_path / "none.yaml", environment={})


def test_the_environment_wins(tmp_path: Path) -> None:
    """Containers are configured so."""
    environment = {
        "SOJOURN_HTTP_PORT": "9001",
        "SOJOURN_ADMIN_TOKEN": TOKEN,
        "SOJOURN_DEDUP_WINDOW": "1d",
        "SOJOURN_DATA": "/srv/sojourn",
        "SOJOURN_DELIVER_RATE": "5/10s",
        "SOJOURN_LOG_LEVEL": "",
    }

    config = load(tmp_path, "http: { port: 9000 }", environment)

    assert config.deliver.rate == Rate(most=5, per_ms=10_000)
    assert (config.http.port, config.dedup_window_ms, config.data) == (9001, 86_400_000, Path("/srv/sojourn"))
    assert config.admin_token == Secret(TOKEN)
    assert config.log == Logging()


def test_a_wrong_variable_is_refused_by_its_name(tmp_path: Path) -> None:
    """There is no line to point at."""
    said = complaint(tmp_path, "", {"SOJOURN_HTTP_PORT": "x"})

    assert said == "environment: SOJOURN_HTTP_PORT: expected a whole number from 0 to 65535, got 'x'"


def test_a_variable_that_is_nearly_a_setting_is_a_slip(tmp_path: Path) -> None:
    """Silence would leave the API shut, and nobody would know why."""
    said = complaint(tmp_path, "", {"SOJOURN_ADMIN_TOKN": TOKEN})

    assert said == "environment: SOJOURN_ADMIN_TOKN is no setting; did you mean SOJOURN_ADMIN_TOKEN?"


@pytest.mark.parametrize("variable", ["SOJOURN_PORT", "SOJOURN_SERVICE_HOST", "SOJOURN_PORT_8080_TCP_ADDR"])
def test_variables_that_kubernetes_sets_are_no_mistake(tmp_path: Path, variable: str) -> None:
    """It sets them for every service, and somebody calls theirs `sojourn`."""
    assert load(tmp_path, "", {variable: "tcp://10.0.0.1:80"}).http == Http()


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    """Neither by a log line nor by a traceback."""
    config = load(tmp_path, f"admin_token: {TOKEN}\nsources: {{ web: {{ write_key: k3y }} }}")

    assert TOKEN not in f"{config} {config!r} {config.admin_token}"
    assert "k3y" not in repr(config)


def test_a_wrong_secret_is_not_repeated(tmp_path: Path) -> None:
    """Errors are pasted into chats."""
    assert "tooshort" not in complaint(tmp_path, "admin_token: tooshort")


def test_the_file_is_found_in_the_data_folder_or_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--data DIR` is enough; what is in the folder comes first."""
    monkeypatch.chdir("/")
    data = tmp_path / "shop" / "data"
    data.mkdir(parents=True)
    (tmp_path / "shop" / "sojourn.yaml").write_text("http: { port: 1 }")
    beside = load_config(data=data, environment={})
    (data / "sojourn.yaml").write_text("http: { port: 2 }")
    inside = load_config(data=data, environment={})

    assert (beside.http.port, beside.data, beside.journeys) == (1, data, [tmp_path / "shop" / "journeys"])
    assert (inside.http.port, inside.data, inside.journeys) == (2, data, [data / "journeys"])


def test_without_a_folder_the_file_is_where_we_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`cd shop && sojourn serve`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sojourn.yaml").write_text("http: { port: 3 }")

    config = load_config(environment={})

    assert (config.http.port, config.data) == (3, tmp_path / "data")


def test_without_a_file_everything_is_as_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To look at a file of events nobody needs to configure anything."""
    monkeypatch.chdir(tmp_path)

    assert load_config(data=Path("d"), environment={}) == Config(
        data=tmp_path / "d", journeys=[tmp_path / "d" / "journeys"], metrics=[tmp_path / "d" / "metrics"]
    )


def test_journeys_are_the_yaml_and_json_files_of_their_folders(tmp_path: Path) -> None:
    """In a steady order; a README beside them is no journey."""
    for name in ("b.yaml", "a.yml", "c.json", "README.md"):
        (tmp_path / name).touch()

    found = journey_files(Config(journeys=[tmp_path, tmp_path / "b.yaml"]))

    assert [path.name for path in found] == ["a.yml", "b.yaml", "c.json", "b.yaml"]


def test_a_started_folder_has_a_configuration_that_is_right(tmp_path: Path) -> None:
    """What `init` writes, `serve` reads: fresh secrets, a console sink, a journey."""
    started = start(tmp_path / "shop")

    config = load_config(started.config, environment={})

    assert config.admin_token is not None
    assert list(config.write_keys().values()) == ["web"]
    assert config.sinks == {"console": Sink(type="console", options={})}
    assert journey_files(config) == [started.journey]


def test_secrets_are_fresh_and_their_file_is_its_owners(tmp_path: Path) -> None:
    """Two folders never share a key."""
    first, second = start(tmp_path / "a"), start(tmp_path / "b")

    assert first.config.read_text() != second.config.read_text()
    assert first.config.stat().st_mode & 0o077 == 0


def test_a_chosen_write_key_is_used(tmp_path: Path) -> None:
    """For tutorials, and for SDKs that have theirs already."""
    config = load_config(start(tmp_path, source="app", write_key="dev").config, environment={})

    assert config.write_keys() == {"dev": "app"}


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A second `init` would change the keys of every SDK."""
    before = start(tmp_path).config.read_text()

    with pytest.raises(ConfigError, match="is there already"):
        start(tmp_path)

    assert (tmp_path / "sojourn.yaml").read_text() == before


def test_delivery_settings_are_the_outbox_s_own() -> None:
    """They have the names and defaults of its policy, though neither room may import the other."""
    policy = asdict(Policy())
    settings = asdict(Deliver())

    assert settings.pop("rate") is None  # the policy has those of all sinks, by name
    assert settings.items() <= policy.items()
