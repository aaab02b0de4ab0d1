"""The cluster: what its processes are told, all of one section of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from sojourn import runtime
from sojourn.adapters import kafka_topics
from sojourn.adapters.kafka_client import Client, client_of, refuse_ours
from sojourn.adapters.kafka_log import OURS, OWNER
from sojourn.adapters.kafka_topics import make_topics
from sojourn.config import Config
from sojourn.model.errors import ConfigError
from sojourn.model.topics import Topics
from sojourn.runtime.flink.settings import JobSettings

_LOGINS = {
    "PLAIN": "plain.PlainLoginModule",
    "SCRAM-SHA-256": "scram.ScramLoginModule",
    "SCRAM-SHA-512": "scram.ScramLoginModule",
}
_SAME = frozenset({"security.protocol", "sasl.mechanism", "ssl.endpoint.identification.algorithm"})
"""What both clients call the same, and the job needs, too."""
_ENVIRONMENT = {
    "config.providers": "env",
    "config.providers.env.class": (
        "org.apache.flink.kafka.shaded.org.apache.kafka.common.config.provider.EnvVarConfigProvider"
    ),
}
"""Has Kafka's own client read `${env:NAME}` where the job runs: the secret is in no file and no plan."""


def client_for(config: Config) -> Client:
    """Return how the configured cluster is reached; raises ConfigError where none is."""
    cluster = config.cluster
    if not cluster.brokers:
        raise ConfigError(
            f"{OWNER}: brokers is not set; say where Kafka is: `cluster: {{ brokers: host:9092 }}` in "
            "sojourn.yaml, or SOJOURN_CLUSTER_BROKERS [no-brokers]"
        )
    refuse_ours(OWNER, OURS, cluster.client, cluster.client_env)
    return client_of(OWNER, cluster.brokers, cluster.client, cluster.client_env)


def topics_of(config: Config) -> Topics:
    """Name its topics."""
    return Topics.of(config.cluster.prefix)


def topics_in_use(config: Config) -> list[str]:
    """Name those that its configuration asks for."""
    topics = topics_of(config)
    unused = set() if config.cluster.lake.catalog else {topics.entries}
    return [name for name in msgspec.structs.astuple(topics) if name not in unused]


def make_cluster(config: Config) -> list[str]:
    """Create the topics that are not there; return their names. Raises ConfigError."""
    cluster = config.cluster
    kept = cluster.retention
    return make_topics(
        client_for(config).settings,
        topics_of(config),
        n_shards=cluster.shards,
        n_partitions=cluster.partitions,
        replicas=cluster.replicas,
        retention=kafka_topics.Retention(
            events_ms=kept.events_ms,
            facts_ms=kept.facts_ms,
            actions_ms=kept.actions_ms,
            dead_letters_ms=kept.dead_letters_ms,
            entries_ms=kept.entries_ms,
        ),
        has_entries=bool(cluster.lake.catalog),
    )


def job_settings(config: Config) -> JobSettings:
    """Return what the Flink job is told; raises ConfigError where it cannot be told in Java's words."""
    client_for(config)  # the same mistakes are refused
    cluster = config.cluster
    told = java_client(cluster.client, cluster.client_env) | cluster.job_client
    return JobSettings(
        brokers=cluster.brokers,
        prefix=cluster.prefix,
        shards=cluster.shards,
        entries=bool(cluster.lake.catalog),
        client=told,
        states=cluster.states or bool(cluster.serving.url),
    )


def write_job(config: Config, file: Path) -> None:
    """Write what the Flink job is told; raises ConfigError."""
    content = msgspec.json.format(msgspec.json.encode(job_settings(config)), indent=2)
    try:
        file.write_bytes(content + b"\n")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written ({error.strerror}); choose another --out") from None


def job_command(file: Path, *, parallelism: int) -> str:
    """Return the command that begins the job."""
    job = Path(runtime.__file__).with_name("flink") / "job.py"
    return f"flink run -d -p {parallelism} -py {job} {file.resolve()}"


def java_client(settings: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
    """Say in the words of Kafka's Java client how a cluster is reached.

    Args:
        settings: as librdkafka has them; those that are about the connection are translated.
        secrets: further ones, each with the environment variable that holds it, by which it is named here.
    """
    told = {**settings, **{key: f"${{env:{variable}}}" for key, variable in secrets.items()}}
    if "sasl.mechanisms" in told:
        told["sasl.mechanism"] = told.pop("sasl.mechanisms")
    found = {key: value for key, value in told.items() if key in _SAME}
    if "sasl.password" in told:
        found["sasl.jaas.config"] = _login(told)
    if "ssl.ca.location" in told:
        found |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": told["ssl.ca.location"]}
    return found | (_ENVIRONMENT if secrets else {})


def _login(told: Mapping[str, str]) -> str:
    mechanism = told.get("sasl.mechanism", "").upper()
    module = _LOGINS.get(mechanism)
    if module is None:
        known = ", ".join(sorted(_LOGINS))
        raise ConfigError(
            f"{OWNER}: client: sasl.mechanism: expected one of {known} beside sasl.password, got "
            f"{mechanism!r}; say the job's own settings under cluster.job_client [bad-option]"
        )
    user, password = (_quoted(told.get(name, "")) for name in ("sasl.username", "sasl.password"))
    where = "org.apache.flink.kafka.shaded.org.apache.kafka.common.security"
    return f'{where}.{module} required username="{user}" password="{password}";'


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
