"""The cluster, as far as it needs no Kafka: what the job is told, and what is planned over controls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from sojourn.config import Cluster, Config
from sojourn.definitions.controls import PUBLISH, control_event
from sojourn.model.errors import ConfigError, DefinitionError
from sojourn.model.event import Entry
from sojourn.runtime.flink.settings import JobSettings, read_settings
from sojourn.server.asked import Publish
from sojourn.wiring.cluster import client_for, java_client, job_command, write_job
from sojourn.wiring.cluster_publishing import Known, in_force_of, plan_on

PASSWORD = "hunter2-and-more"
WELCOME = """\
journey: welcome
entry: { on: Signed Up }
states:
  waiting: { after: { 1d: done } }
"""


def asked(text: str = WELCOME, **how: Any) -> Publish:
    """Ask for one file that is all there is."""
    definitions = [{"file": "welcome.yaml", "text": text}]
    return msgspec.convert({"definitions": definitions, "is_whole": True, **how}, Publish)


def published(known: Known, request: Publish) -> Known:
    """Carry a plan out, as the topic of controls would."""
    publishing = plan_on(known, request).publishing
    assert publishing is not None
    event = control_event(PUBLISH, publishing, after=known.position, now=7)
    controls = [Entry(position=known.position + 1, at=7, event=event)]
    return in_force_of(controls)


def test_what_is_in_force_is_what_the_controls_come_to() -> None:
    """Published twice, there is nothing to publish."""
    known = in_force_of([])
    assert plan_on(known, asked()).view.journeys[0].change == "new"
    after = published(known, asked())
    assert after.in_force.revision == 1
    again = plan_on(after, asked())
    assert (again.publishing, again.view.journeys[0].change) == (None, "unchanged")


def test_people_who_go_along_need_a_place() -> None:
    """Wherever they may be, for nobody counts them; those who stay need none."""
    known = published(in_force_of([]), asked())
    gone = WELCOME.replace("waiting", "resting")
    assert plan_on(known, asked(gone)).view.refused == []
    (refused,) = plan_on(known, asked(gone, policy="follow")).view.refused
    assert "people may be in 'waiting'" in refused
    assert "--map waiting=STATE" in refused
    assert plan_on(known, asked(gone, states={"waiting": "resting"})).view.refused == []


def test_a_mistake_is_refused_with_its_line() -> None:
    """As everywhere."""
    with pytest.raises(DefinitionError, match=r"welcome\.yaml:4:27"):
        plan_on(in_force_of([]), asked(WELCOME.replace("1d: done", "1d: nowhere")))


def test_the_job_is_told_everything_but_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable is named in its place, and read where the job runs."""
    monkeypatch.setenv("KAFKA_PASSWORD", PASSWORD)
    cluster = Cluster(
        brokers="one:9093,two:9093",
        prefix="shop",
        shards=128,
        client={
            "security.protocol": "SASL_SSL",
            "sasl.mechanisms": "SCRAM-SHA-512",
            "sasl.username": 'a "shop"',
            "ssl.ca.location": "/etc/kafka/ca.pem",
            "compression.type": "lz4",
        },
        client_env={"sasl.password": "KAFKA_PASSWORD"},
        job_client={"request.timeout.ms": "5000"},
    )
    file = tmp_path / "job.json"
    write_job(Config(cluster=cluster), file)
    assert PASSWORD not in file.read_text()
    told = read_settings(file)
    login = told.client.pop("sasl.jaas.config")
    assert login.endswith(
        '.scram.ScramLoginModule required username="a \\"shop\\"" password="${env:KAFKA_PASSWORD}";'
    )
    assert told.client.pop("config.providers.env.class").endswith(".EnvVarConfigProvider")
    assert told == JobSettings(
        brokers="one:9093,two:9093",
        prefix="shop",
        shards=128,
        client={
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": "/etc/kafka/ca.pem",
            "config.providers": "env",
            "request.timeout.ms": "5000",
        },
    )
    command = job_command(file, parallelism=4)
    assert command.split()[:4] == ["flink", "run", "-d", "-p"]
    assert Path(command.split()[6]).is_file()


def test_a_login_the_job_cannot_be_told_is_refused() -> None:
    """With where to say it in Java's words."""
    with pytest.raises(ConfigError, match=r"sasl\.mechanism.*cluster\.job_client"):
        java_client({"sasl.mechanism": "GSSAPI"}, {"sasl.password": "X"})


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        (Cluster(), "brokers is not set"),
        (Cluster(brokers="a:1", client={"acks": "1"}), "'acks' is set by Sojourn itself"),
        (Cluster(brokers="a:1", client_env={"sasl.password": "NO_SUCH"}), "variable NO_SUCH is not set"),
    ],
)
def test_a_cluster_that_cannot_be_reached_is_refused(cluster: Cluster, said: str) -> None:
    """Before anything is asked of it."""
    with pytest.raises(ConfigError, match="cluster: ") as caught:
        client_for(Config(cluster=cluster))
    assert said in str(caught.value)
