"""The job: sources, the three stages and sinks, put together.

flink run -py .../job.py SETTINGS.json
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyflink.common import Types
from pyflink.common.serialization import SimpleStringSchema
from pyflink.datastream import OutputTag, StreamExecutionEnvironment
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import KafkaRecordSerializationSchema, KafkaSink
from pyflink.table import StreamTableEnvironment
from pyflink.table.expressions import col

from sojourn.model.topics import LARGEST_BYTES
from sojourn.runtime.flink.labels import Labels
from sojourn.runtime.flink.operators import (
    ACTIONS,
    CONTROL_STATE,
    ENTRIES,
    FACTS,
    FAILED,
    OUTPUTS,
    STATES,
    TO,
    IdentityOperator,
    Sorter,
    StageOperator,
)
from sojourn.runtime.flink.settings import JobSettings, read_settings

_TABLE = """
CREATE TABLE {name} (
  `partition` INT METADATA VIRTUAL, `offset` BIGINT METADATA VIRTUAL,
  stamped TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL, content BYTES,
  WATERMARK FOR stamped AS stamped - INTERVAL '0.001' SECOND
) WITH ({options})
"""
_NAMED_TABLE = """
CREATE TABLE {name} (name STRING, content BYTES) WITH ({options})
"""


def build(env: StreamExecutionEnvironment, settings: JobSettings) -> None:
    """Put the job together."""
    env.set_max_parallelism(settings.shards)
    tables = StreamTableEnvironment.create(env)
    # Readers are found again in a savepoint by where they stand in this program, at any parallelism.
    tables.get_config().set("table.exec.uid.generation", "ALWAYS")
    events = _source(tables, "events", settings.topics.events, settings)
    # A reader without a partition would hold the watermark back for ever: one partition, one reader.
    controls = _source(tables, "controls", settings.topics.controls, settings, n_readers=1)
    heard = controls.broadcast(CONTROL_STATE)
    labels = Labels(settings.shards).of

    def stage(stream: Any, operator: StageOperator, name: str) -> Any:
        keyed = stream.key_by(lambda record: labels[record[0]], Types.INT())
        worked = keyed.connect(heard).process(operator, OUTPUTS).name(name).uid(name)
        return worked.process(Sorter(), Types.INT()).name(f"{name}-sorter").uid(f"{name}-sorter")

    common = settings.shards, settings.in_force
    tells = settings.states
    identity = stage(
        events, IdentityOperator(*common, tells_states=tells, passes_on=settings.entries), "identity"
    )
    to_alias = identity.get_side_output(TO["alias"])
    alias = stage(to_alias, StageOperator("alias", *common, tells_states=tells), "alias")
    lives = identity.get_side_output(TO["profile"]).union(alias.get_side_output(TO["profile"]))
    profile = stage(lives, StageOperator("profile", *common, tells_states=tells), "profile")

    if settings.entries:
        entries = _sink(settings.topics.entries, DeliveryGuarantee.EXACTLY_ONCE, settings)
        identity.get_side_output(ENTRIES).sink_to(entries).name("entries").uid("entries-sink")
    stages = (identity, alias, profile)
    for tag, topic, guarantee in (
        (FACTS, settings.topics.facts, DeliveryGuarantee.EXACTLY_ONCE),
        (FAILED, settings.topics.failed, DeliveryGuarantee.AT_LEAST_ONCE),
    ):
        name = topic.rpartition(".")[2]
        _union(stages, tag).sink_to(_sink(topic, guarantee, settings)).name(name).uid(f"{name}-sink")
    _name_records(tables, stages, settings)


def _name_records(tables: StreamTableEnvironment, stages: Sequence[Any], settings: JobSettings) -> None:
    # What a record is named by is written as the table connector does: of the sinks that PyFlink knows none
    # has names. Their ids follow from their order, which must stay.
    named = [
        # An action may not wait for a checkpoint. After a failure the same ones are written again, byte for
        # byte, to the same partition, and whoever carries them out knows them by their ids.
        (ACTIONS, settings.topics.actions),
        *([(STATES, settings.topics.states)] if settings.states else []),
    ]
    statements = tables.create_statement_set()
    for tag, topic in named:
        name = topic.rpartition(".")[2]
        tables.create_temporary_view(f"{name}_told", _union(stages, tag))
        options = {
            **_kafka(topic, settings),
            "key.format": "raw",
            "key.fields": "name",
            "value.format": "raw",
            "value.fields-include": "EXCEPT_KEY",
            "sink.delivery-guarantee": "at-least-once",
            "properties.max.request.size": str(LARGEST_BYTES),
        }
        tables.execute_sql(_NAMED_TABLE.format(name=name, options=_told(options)))
        told = f"INSERT INTO {name} SELECT f0, NULLIF(f1, x'') FROM {name}_told"  # noqa: S608 - names of ours
        statements.add_insert_sql(told)
    statements.attach_as_datastream()


def _union(stages: Sequence[Any], tag: OutputTag) -> Any:
    first, *others = [each.get_side_output(tag) for each in stages]
    return first.union(*others)


def _source(
    tables: StreamTableEnvironment,
    name: str,
    topic: str,
    settings: JobSettings,
    *,
    n_readers: int | None = None,
) -> Any:
    options = {
        **_kafka(topic, settings),
        "properties.isolation.level": "read_committed",
        "scan.startup.mode": "earliest-offset",
        "format": "raw",
        **({} if n_readers is None else {"scan.parallelism": str(n_readers)}),
    }
    tables.execute_sql(_TABLE.format(name=name, options=_told(options)))
    # A tick has done its work once the reader has seen its instant: it goes no further.
    return tables.to_data_stream(tables.from_path(name).where(col("content").is_not_null))


def _kafka(topic: str, settings: JobSettings) -> dict[str, str]:
    own = {f"properties.{key}": value for key, value in settings.client.items()}
    return {
        "connector": "kafka", "topic": topic, "properties.bootstrap.servers": settings.brokers, **own,
    }  # fmt: skip


def _told(options: Mapping[str, str]) -> str:
    return ", ".join(f"'{key}' = '{_quoted(value)}'" for key, value in options.items())


def _quoted(value: str) -> str:
    return value.replace("'", "''")


def _sink(topic: str, guarantee: DeliveryGuarantee, settings: JobSettings) -> KafkaSink:
    schema = (
        KafkaRecordSerializationSchema.builder()
        .set_topic(topic)
        .set_value_serialization_schema(SimpleStringSchema("UTF-8"))
        .build()
    )
    builder = (
        KafkaSink.builder()
        .set_bootstrap_servers(settings.brokers)
        .set_record_serializer(schema)
        .set_delivery_guarantee(guarantee)
        .set_transactional_id_prefix(topic)
        .set_property("transaction.timeout.ms", str(settings.transaction_timeout_ms))
        .set_property("max.request.size", str(LARGEST_BYTES))
    )
    for key, value in settings.client.items():
        builder = builder.set_property(key, value)
    return builder.build()


def main() -> None:
    """Build and run it."""
    env = StreamExecutionEnvironment.get_execution_environment()
    build(env, read_settings(Path(sys.argv[1])))
    env.execute("sojourn")


if __name__ == "__main__":
    main()
