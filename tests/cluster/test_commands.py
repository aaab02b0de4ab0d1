"""The commands of a cluster, on real topics."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from sojourn.adapters.kafka_client import Client
from sojourn.adapters.kafka_controls import Publisher, read_controls
from sojourn.definitions.controls import PUBLISH, Publishing, control_event
from sojourn.model.errors import UnavailableError
from sojourn.model.topics import LARGEST_BYTES, Topics
from sojourn.wiring.cluster import java_client
from tests.cluster.machines import PEERS, Kafka
from tests.cluster.shops import WELCOME, Shop

pytestmark = pytest.mark.cluster


@pytest.fixture
def shop(kafka: Kafka, tmp_path: Path) -> Shop:
    """An installation without topics."""
    return Shop(tmp_path, kafka.brokers)


def test_topics_are_created_once(shop: Shop) -> None:
    """Said twice, it finds everything there; other partitions are refused: states lie by them."""
    # Entries are for a lake, and this shop has none.
    names = {f"{shop.prefix}.{name}" for name in Topics.__struct_fields__ if name != "entries"}
    made, again = shop.answer("init"), shop.answer("init")
    assert (set(made["created"]), made["kept"]) == (names, [])
    assert (again["created"], set(again["kept"])) == ([], names)
    shop.file.write_text(shop.file.read_text().replace('"shards": 8', '"shards": 9'))
    refused = shop.run("init")
    assert refused.returncode == 2
    assert "has 8 partitions, not 9" in refused.stderr


def test_topics_of_before_take_the_largest_records_of_now(shop: Shop) -> None:
    """An earlier release left the brokers' limit, 1 MiB: what a stage tells at once may be more."""
    shop.run("init")
    kafka = AdminClient({"bootstrap.servers": shop.brokers})
    entry = ConfigEntry("max.message.bytes", "1048588", incremental_operation=AlterConfigOpType.SET)
    place = ConfigResource(ResourceType.TOPIC, shop.topics.facts, incremental_configs=[entry])
    (done,) = kafka.incremental_alter_configs([place]).values()
    done.result(20)
    assert shop.answer("init")["created"] == []
    (found,) = kafka.describe_configs([ConfigResource(ResourceType.TOPIC, shop.topics.facts)]).values()
    assert found.result(20)["max.message.bytes"].value == str(LARGEST_BYTES)


def test_the_same_is_published_once(shop: Shop) -> None:
    """What is in force follows from the topic of controls, and said twice from there it is nothing new."""
    shop.run("init")
    dry = shop.answer("publish", "--dry-run")
    assert [each["change"] for each in dry["journeys"]] == ["new"]
    assert shop.entries(shop.topics.controls) == []
    assert shop.answer("publish")["revision"] == 1
    assert shop.answer("publish")["revision"] is None
    (control,) = shop.entries(shop.topics.controls)
    assert control.event.name == PUBLISH
    words = {message.partition(): message for message in shop.messages(shop.topics.events)}
    assert sorted(words) == list(range(shop.shards))  # so that every shard looks at it
    assert all(one.value() == b"" and one.timestamp()[1] >= control.at for one in words.values())
    shop.journey.write_text(WELCOME.replace("1d", "2d"))
    assert shop.answer("publish")["revision"] == 2
    assert len(shop.entries(shop.topics.controls)) == 2


def test_a_definition_with_a_mistake_is_refused_with_its_line(shop: Shop) -> None:
    """And nothing is appended."""
    shop.run("init")
    shop.journey.write_text(WELCOME.replace("1d: done", "1d: nowhere"))
    refused = shop.run("publish", "--yes")
    assert refused.returncode == 1
    assert "welcome.yaml:4:27" in refused.stderr, refused.stderr
    assert shop.entries(shop.topics.controls) == []


def test_a_state_that_is_gone_is_refused_until_it_is_mapped(shop: Shop) -> None:
    """Nobody counts people here, so that it is asked what becomes of those who may be there."""
    shop.run("init")
    shop.answer("publish")
    shop.journey.write_text(WELCOME.replace("waiting", "resting"))
    refused = shop.run("publish", "--yes", "--policy", "follow")
    assert refused.returncode == 1
    assert "people may be in 'waiting'" in refused.stderr
    assert len(shop.entries(shop.topics.controls)) == 1
    mapped = shop.answer("publish", "--map", "waiting=resting")
    assert (mapped["policy"], mapped["revision"]) == ("map", 2)


def test_of_two_who_publish_at_once_one_looks_again(shop: Shop) -> None:
    """The brokers let the newer one go on: nobody's plan is carried out on top of one it has not seen."""
    shop.run("init")
    client = Client({"bootstrap.servers": shop.brokers})
    first, second = (Publisher(client, shop.topics, n_shards=shop.shards) for _ in range(2))
    with pytest.raises(UnavailableError, match="somebody else publishes"):
        first.append(control_event(PUBLISH, Publishing(), after=0, now=7))
    entry = second.append(control_event(PUBLISH, Publishing(), after=0, now=8))
    assert read_controls(client, shop.topics) == [entry]


def test_a_secret_is_read_where_the_job_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By Kafka's own client, as the connector has it: the file names the variable only."""
    if not shutil.which("javac"):
        pytest.skip("needs a Java compiler")
    secrets = {"sasl.password": "KAFKA_PASSWORD"}
    told = java_client({"sasl.mechanism": "PLAIN", "sasl.username": "shop"}, secrets)
    put = "".join(f"p.put({json.dumps(key)}, {json.dumps(value)});" for key, value in told.items())
    kafka = "org.apache.flink.kafka.shaded.org.apache.kafka.clients.admin.AdminClientConfig"
    (tmp_path / "Told.java").write_text(
        "class Told { public static void main(String[] a) { var p = new java.util.HashMap<String, Object>();"
        f'p.put("bootstrap.servers", "localhost:1"); {put}'
        f'System.out.println(new {kafka}(p).getPassword("sasl.jaas.config").value()); }} }}'
    )
    monkeypatch.setenv("KAFKA_PASSWORD", "hunter2")
    path = f"{PEERS / 'flink-jars'}/*:{next((PEERS / 'kafka').glob('slf4j-api-*.jar'))}"
    done = subprocess.run(
        ["java", "-cp", path, "Told.java"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert 'PlainLoginModule required username="shop" password="hunter2";' in done.stdout, done.stderr


def test_before_there_are_topics_it_says_what_to_do(shop: Shop) -> None:
    """Whoever begins with the second step."""
    for command in ("publish", "serve"):
        refused = shop.run(command)
        assert refused.returncode == 2
        assert "run `sojourn cluster init`" in refused.stderr, refused.stderr


def test_the_job_is_told_where_everything_is(shop: Shop, tmp_path: Path) -> None:
    """And the command names the file."""
    out = tmp_path / "job.json"
    told = shop.answer("job", "--out", str(out), "--parallelism", "2")
    assert told["command"].startswith("flink run -d -p 2 -py ")
    assert told["command"].endswith(str(out))
    found = json.loads(out.read_text())
    assert (found["brokers"], found["prefix"], found["shards"]) == (shop.brokers, shop.prefix, 8)
