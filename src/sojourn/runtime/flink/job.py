"""The job: sources, the three stages and sinks, put together.

flink run -py .../job.py SETTINGS.json

The stages are Python. What hands on between them, and to the sinks, is SQL, which Flink runs in Java: all
Python of a task shares one lock, and one more function for each record costs as much as a small turn.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from pyflink.common import TypeInformation, Types
from pyflink.datastream import DataStream, KeyedStream, StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway
from pyflink.table import Schema, StreamTableEnvironment

from sojourn.model.topics import LARGEST_BYTES
from sojourn.model.turn import STAGES, Stage
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
    StageOperator,
)
from sojourn.runtime.flink.settings import JobSettings, read_settings

_SOURCE_TABLE = """
CREATE TABLE {name} (
  `partition` INT METADATA VIRTUAL, `offset` BIGINT METADATA VIRTUAL,
  stamped TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL, content BYTES,
  WATERMARK FOR stamped AS stamped - INTERVAL '0.001' SECOND
) WITH ({options})
"""
# A tick has done its work once the reader has seen its instant: it goes no further.
_LOGGED = """
SELECT ARRAY[{labels}][`partition` + 1], ROW(`partition`, `offset`, content), stamped
FROM events WHERE content IS NOT NULL
"""
_HEARD = "SELECT `partition`, `offset`, stamped, content FROM controls WHERE content IS NOT NULL"
_PASSED = "SELECT f1, f3 FROM told_{stage} WHERE f0 = {to}"
_WRITTEN = "INSERT INTO {name} SELECT {what} FROM told WHERE f0 = {to}"
_SINK_TABLE = "CREATE TABLE {name} ({columns}) WITH ({options})"
_SINK = {"value.format": "raw", "properties.max.request.size": str(LARGEST_BYTES)}
_NAMED = ("name STRING, content BYTES", "f2, NULLIF(f3, x'')")
_NAMELESS = ("content BYTES", "f3")
"""A topic's columns, and what they are of an output."""

_BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())
_RECORDS = Types.ROW([Types.INT(), Types.ROW([Types.INT(), Types.LONG(), _BYTES]), Types.INSTANT()])
_PARCELS = Types.ROW([Types.INT(), _BYTES])
"""What comes to the first stage and to the others: its key's label, and what the stage is given."""


def build(env: StreamExecutionEnvironment, settings: JobSettings) -> None:
    """Put the job together.

    Readers and sinks are found again in a savepoint by where they stand here: their order must stay.
    """
    env.set_max_parallelism(settings.shards)
    tables = StreamTableEnvironment.create(env)
    tables.get_config().set("table.exec.uid.generation", "ALWAYS")
    _read(tables, "events", settings.topics.events, settings)
    # A reader without a partition would hold the watermark back for ever: one partition, one reader.
    _read(tables, "controls", settings.topics.controls, settings, n_readers=1)
    labels = ", ".join(map(str, Labels(settings.shards).of))
    logged = _rows(tables, _LOGGED.format(labels=labels), _RECORDS)
    heard = tables.to_data_stream(tables.sql_query(_HEARD)).broadcast(CONTROL_STATE)

    def put(stage: str, rows: DataStream, operator: StageOperator) -> None:
        worked = _keyed(rows).connect(heard).process(operator, OUTPUTS).name(stage).uid(stage)
        tables.create_temporary_view(f"told_{stage}", tables.from_data_stream(worked, _told()))

    def passed(stage: str, to: Stage) -> DataStream:
        return _rows(tables, _PASSED.format(stage=stage, to=TO[to]), _PARCELS)

    common = settings.shards, settings.in_force
    tells = settings.states
    put("identity", logged, IdentityOperator(*common, tells_states=tells, passes_on=settings.entries))
    put("alias", passed("identity", "alias"), StageOperator("alias", *common, tells_states=tells))
    lives = passed("identity", "profile").union(passed("alias", "profile"))
    put("profile", lives, StageOperator("profile", *common, tells_states=tells))
    _write(tables, settings)


def _rows(tables: StreamTableEnvironment, query: str, kind: TypeInformation) -> DataStream:
    """Return a query's rows, of a type that PyFlink can key its functions by: tables' own is none."""
    rows = tables.to_data_stream(tables.sql_query(query))
    rows._j_data_stream.getTransformation().setOutputType(kind.get_java_type_info())
    return rows


def _keyed(rows: DataStream) -> KeyedStream:
    """Key rows by their first field; what a stage is given is the second.

    PyFlink's own `key_by` makes such rows of others, by a function in Python.
    """
    by_first = get_gateway().jvm.KeyByKeySelector()
    key = Types.ROW([Types.INT()]).get_java_type_info()
    return KeyedStream(rows._j_data_stream.keyBy(by_first, key), None, rows)


def _told() -> Schema:
    """Return what a stage's outputs are as a table, which hands the watermark on."""
    told = Schema.new_builder()
    for number, kind in enumerate(("INT", "INT", "STRING", "BYTES")):
        told = told.column(f"f{number}", kind)
    at = told.column_by_metadata("told_at", "TIMESTAMP_LTZ(3)", "rowtime")
    return at.watermark("told_at", "SOURCE_WATERMARK()").build()


def _write(tables: StreamTableEnvironment, settings: JobSettings) -> None:
    """Write what the stages tell into topics."""
    topics = settings.topics
    once = {
        "sink.delivery-guarantee": "exactly-once",
        "properties.transaction.timeout.ms": str(settings.transaction_timeout_ms),
        # A checkpoint commits it, seconds later: until then many go in one request.
        "properties.linger.ms": "100",
        "properties.batch.size": "262144",
    }
    again = {"sink.delivery-guarantee": "at-least-once"}
    named = again | {"key.format": "raw", "key.fields": "name", "value.fields-include": "EXCEPT_KEY"}
    # An action may wait neither for a checkpoint nor for others. After a failure the same ones are written
    # again, byte for byte, to the same partition, and whoever carries them out knows them by their ids.
    at_once = named | {"properties.linger.ms": "0"}
    sinks = [
        (FACTS, topics.facts, _NAMELESS, once),
        (FAILED, topics.failed, _NAMELESS, again),
        (ACTIONS, topics.actions, _NAMED, at_once),
        *([(ENTRIES, topics.entries, _NAMELESS, once)] if settings.entries else []),
        *([(STATES, topics.states, _NAMED, named)] if settings.states else []),
    ]
    stages = " UNION ALL ".join(f"SELECT f0, f2, f3 FROM told_{stage}" for stage in STAGES)  # noqa: S608 - ours
    tables.create_temporary_view("told", tables.sql_query(stages))
    statements = tables.create_statement_set()
    for to, topic, (columns, what), how in sinks:
        name = topic.rpartition(".")[2]
        options = how | _topic(topic, settings) | _SINK | {"sink.transactional-id-prefix": topic}
        tables.execute_sql(_SINK_TABLE.format(name=name, columns=columns, options=_options(options)))
        statements.add_insert_sql(_WRITTEN.format(name=name, what=what, to=to))
    statements.attach_as_datastream()


def _read(
    tables: StreamTableEnvironment,
    name: str,
    topic: str,
    settings: JobSettings,
    *,
    n_readers: int | None = None,
) -> None:
    """Name a topic whose records are read with their places and instants."""
    options = {
        **_topic(topic, settings),
        "properties.isolation.level": "read_committed",
        "scan.startup.mode": "earliest-offset",
        "format": "raw",
        **({} if n_readers is None else {"scan.parallelism": str(n_readers)}),
    }
    tables.execute_sql(_SOURCE_TABLE.format(name=name, options=_options(options)))


def _topic(topic: str, settings: JobSettings) -> dict[str, str]:
    own = {f"properties.{key}": value for key, value in settings.client.items()}
    return {
        "connector": "kafka", "topic": topic, "properties.bootstrap.servers": settings.brokers, **own,
    }  # fmt: skip


def _options(options: Mapping[str, str]) -> str:
    return ", ".join(f"'{key}' = '{_quoted(value)}'" for key, value in options.items())


def _quoted(value: str) -> str:
    return value.replace("'", "''")


def main() -> None:
    """Build and run it."""
    env = StreamExecutionEnvironment.get_execution_environment()
    build(env, read_settings(Path(sys.argv[1])))
    env.execute("sojourn")


if __name__ == "__main__":
    main()
