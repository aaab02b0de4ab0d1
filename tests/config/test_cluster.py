"""The section `cluster`: read into its types, and refused with its place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from sojourn.config import Cluster, load_config
from sojourn.config.settings import Retention
from sojourn.model.errors import ConfigError

PASSWORD = "hunter2-and-more"

EVERYTHING = f"""\
cluster:
  brokers: "one:9092, two:9092"
  prefix: shop
  shards: 128
  partitions: 16
  replicas: 1
  tick: 50ms
  retention: {{ events: 60d, facts: 1d, actions: 12h, dead_letters: 90d }}
  client:
    security.protocol: SASL_SSL
    sasl.username: 0012
    sasl.password: {PASSWORD}
  client_env: {{ ssl.key.password: KEY_PASSWORD }}
  job_client: {{ ssl.keystore.type: PEM }}
"""


def load(folder: Path, text: str, environment: Mapping[str, str] | None = None) -> Cluster:
    """Load a configuration of this text."""
    file = folder / "sojourn.yaml"
    file.write_text(text)
    return load_config(file, environment=environment or {}).cluster


def test_every_setting_is_read_into_its_type(tmp_path: Path) -> None:
    """The client's own settings are texts, as the client takes them."""
    found = load(tmp_path, EVERYTHING)
    assert found == Cluster(
        brokers="one:9092, two:9092",
        prefix="shop",
        shards=128,
        partitions=16,
        replicas=1,
        tick_ms=50,
        retention=Retention(
            events_ms=60 * 86_400_000,
            facts_ms=86_400_000,
            actions_ms=43_200_000,
            dead_letters_ms=90 * 86_400_000,
        ),
        client={
            "security.protocol": "SASL_SSL",
            "sasl.username": "0012",
            "sasl.password": PASSWORD,
        },
        client_env={"ssl.key.password": "KEY_PASSWORD"},
        job_client={"ssl.keystore.type": "PEM"},
    )
    assert PASSWORD not in repr(found)


def test_what_is_one_value_can_come_from_the_environment(tmp_path: Path) -> None:
    """As every such setting."""
    told = {"SOJOURN_CLUSTER_BROKERS": "kafka:9092", "SOJOURN_CLUSTER_RETENTION_FACTS": "3d"}
    found = load(tmp_path, "", told)
    assert (found.brokers, found.retention.facts_ms) == ("kafka:9092", 3 * 86_400_000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "cluster:\n  shard: 3",
            "sojourn.yaml:2:3: cluster: unknown setting 'shard'; did you mean 'shards'?",
        ),
        ("cluster: { shards: 1024 }", "1:20: cluster.shards: expected a whole number from 1 to 1023"),
        ("cluster: { tick: 1ms }", "cluster.tick: expected 5 ms to 10 s"),
        ("cluster: { prefix: a shop }", "cluster.prefix: expected letters"),
        ("cluster: { brokers: kafka }", "cluster.brokers: expected host:port"),
        (
            "cluster: { client: { a: [] } }",
            "sojourn.yaml:1:25: cluster.client.a: expected one value, got a list",
        ),
        ("cluster: { client: { a: b }, client_env: { a: B } }", "'a' stands in client, too; keep one"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    """And with what was expected."""
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, text)
    assert expected in str(refused.value)
