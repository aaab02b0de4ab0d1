"""Writes the dashboards: `python deploy/grafana/write.py`. Under each heading, three or four to a row."""

from __future__ import annotations

import json
from pathlib import Path

from panels import ACCEPTED, DELIVERIES, REQUESTS, Panel, Rows, dashboard, named, quantiles, rate

FOLDER = Path(__file__).with_name("dashboards")

EMBEDDED: Rows = (
    (
        "Is it well?",
        (
            Panel(
                "Takes events",
                "short",
                "Servers that answer.",
                [('sum(up{job="sojourn"})', "up")],
                is_stat=True,
            ),
            Panel(
                "Entries behind",
                "short",
                "In the log and not yet through the engine. Nothing is lost; people are moved late.",
                [("sum(sojourn_lag_entries)", "")],
                is_stat=True,
            ),
            Panel(
                "Engine failures",
                "short",
                "Must be 0: a bug of ours. The log has the traceback.",
                [("sum(sojourn_engine_failures_total)", "")],
                is_stat=True,
            ),
            Panel(
                "Actions that wait",
                "short",
                "In the outbox, on their way or put off.",
                [('sum(sojourn_kept{kind="outbox"})', "")],
                is_stat=True,
            ),
        ),
    ),
    (
        "Events",
        (
            REQUESTS,
            ACCEPTED,
            Panel(
                "Duplicates",
                "cps",
                "Refused because their message id was there before: a client that sends again.",
                [named(rate("sojourn_events_duplicate_total"), "duplicates")],
            ),
        ),
    ),
    (
        "The engine",
        (
            Panel(
                "Event to action",
                "s",
                "From an event's receipt to its action, durable in the outbox: p99 < 0.1 s is meant.",
                quantiles("sojourn_event_to_action_seconds"),
            ),
            Panel(
                "Through the engine",
                "cps",
                "Entries processed, and actions decided.",
                [
                    named(rate("sojourn_events_processed_total"), "entries"),
                    named(rate("sojourn_actions_decided_total"), "actions"),
                ],
            ),
            Panel(
                "Commits",
                "cps",
                "Each is one write to the disk, whatever is in it.",
                [named(rate("sojourn_commits_total"), "commits")],
            ),
            Panel(
                "What is kept",
                "short",
                "People, devices, timers, actions and dead letters.",
                [("sum by (kind) (sojourn_kept)", "{{kind}}")],
            ),
        ),
    ),
    ("Deliveries", DELIVERIES),
    (
        "Decisions",
        (
            Panel(
                "A decision takes",
                "s",
                "From a request read to the bytes of its answer.",
                quantiles("sojourn_decision_seconds"),
            ),
            Panel(
                "Decisions",
                "reqps",
                "Answers to applications.",
                [rate("sojourn_decision_seconds_count", "kind")],
            ),
            Panel(
                "Streams open",
                "short",
                "Applications that are told of changes.",
                [("sum(sojourn_streams_open)", "streams")],
            ),
        ),
    ),
    (
        "Analytics and the lake",
        (
            Panel(
                "Questions",
                "reqps",
                "By what became of them. `too-slow` and `no-answer` ask for less, or for more memory.",
                [rate("sojourn_analytics_questions_total", "outcome")],
            ),
            Panel(
                "The lake is behind",
                "s",
                "How old the oldest is that its files lack; readers take it from the log.",
                [("max(sojourn_lake_lag_seconds)", "behind")],
            ),
            Panel("The lake's size", "bytes", "Bytes in its files.", [("sum(sojourn_lake_bytes)", "bytes")]),
        ),
    ),
)

TASK = "flink_taskmanager_job_task"
WATERMARK = f"{TASK}_operator_currentInputWatermark"
STAGES = "{operator_name=~'identity|alias|profile'}"
COLLECTED = "flink_taskmanager_Status_JVM_GarbageCollector_All_Time"
CLUSTER: Rows = (
    (
        "Is it well?",
        (
            Panel("Doors", "short", "That answer.", [('sum(up{job="sojourn-door"})', "")], is_stat=True),
            Panel("Workers", "short", "That answer.", [('sum(up{job="sojourn-worker"})', "")], is_stat=True),
            Panel(
                "The job has run for",
                "ms",
                "Since it began, or began again; 0 where it does not run.",
                [("max(flink_jobmanager_job_runningTime)", "")],
                is_stat=True,
            ),
            Panel(
                "The job is behind",
                "s",
                "How far its last stage is behind the log's clock.",
                [
                    (
                        f"max(time() - {WATERMARK}{{operator_name='profile'}} / 1000)",
                        "",
                    )
                ],
                is_stat=True,
            ),
        ),
    ),
    (
        "Doors",
        (
            REQUESTS,
            ACCEPTED,
            Panel(
                "Wait for Kafka",
                "short",
                "Events whose records are not confirmed; at 20,000 a door says 503.",
                [("sum by (instance) (sojourn_log_pending)", "{{instance}}")],
            ),
            Panel(
                "Not confirmed",
                "cps",
                "Records that Kafka refused; must be 0.",
                [named(rate("sojourn_log_refused_total"), "records")],
            ),
            Panel(
                "Ticks",
                "cps",
                "Records of nothing that keep clocks going; by `cluster.tick` and `cluster.shards`.",
                [named(rate("sojourn_log_ticks_total"), "ticks")],
            ),
        ),
    ),
    (
        "The job",
        (
            Panel(
                "Records through stages",
                "cps",
                "Records in, by stage; each is a batch of one shard.",
                [(f"sum by (task_name) ({TASK}_numRecordsInPerSecond)", "{{task_name}}")],
            ),
            Panel(
                "Busy",
                "ms",
                "Milliseconds of a second in which a task works. Near 1,000 it is full: rescale.",
                [(f"max by (task_name) ({TASK}_busyTimeMsPerSecond)", "{{task_name}}")],
            ),
            Panel(
                "Held back",
                "ms",
                "Milliseconds of a second in which a task waits for the one after it.",
                [(f"max by (task_name) ({TASK}_backPressuredTimeMsPerSecond)", "{{task_name}}")],
            ),
            Panel(
                "Behind the log",
                "s",
                "How far each stage's watermark is behind now.",
                [
                    (
                        # One that has heard nothing yet is at the beginning of time.
                        f"max by (operator_name) (time() - {WATERMARK}{STAGES} / 1000 < 1e9)",
                        "{{operator_name}}",
                    )
                ],
            ),
            Panel(
                "Records not read",
                "short",
                "Written to the topics and not yet read by the job.",
                [(f"sum by (task_name) ({TASK}_operator_pendingRecords)", "{{task_name}}")],
            ),
        ),
    ),
    (
        "Checkpoints",
        (
            Panel(
                "A checkpoint takes",
                "ms",
                "Facts become visible with it, and a failure goes back to the last.",
                [("max(flink_jobmanager_job_lastCheckpointDuration)", "last")],
            ),
            Panel(
                "Its size",
                "bytes",
                "Of all states, and of what changed since the one before.",
                [
                    ("max(flink_jobmanager_job_lastCheckpointFullSize)", "all"),
                    ("max(flink_jobmanager_job_lastCheckpointSize)", "changed"),
                ],
            ),
            Panel(
                "Completed and failed",
                "cps",
                "One a second is meant; failed ones are not.",
                [
                    named(rate("flink_jobmanager_job_numberOfCompletedCheckpoints"), "completed"),
                    named(rate("flink_jobmanager_job_numberOfFailedCheckpoints"), "failed"),
                ],
            ),
            Panel(
                "Began again",
                "short",
                "How often the job restarted since its JobManager started.",
                [("max(flink_jobmanager_job_numRestarts)", "restarts")],
            ),
        ),
    ),
    (
        "TaskManagers",
        (
            Panel(
                "Processor",
                "percentunit",
                "Of the whole machine, by each JVM; Python runs in it.",
                [("max by (tm_id) (flink_taskmanager_Status_JVM_CPU_Load)", "{{tm_id}}")],
            ),
            Panel(
                "Heap",
                "bytes",
                "Of each JVM. Python's memory and RocksDB's come on top.",
                [("max by (tm_id) (flink_taskmanager_Status_JVM_Memory_Heap_Used)", "{{tm_id}}")],
            ),
            Panel(
                "Collecting garbage",
                "ms",
                "Milliseconds of a second.",
                [
                    (
                        f"sum by (tm_id) (rate({COLLECTED}[$__rate_interval]))",
                        "{{tm_id}}",
                    )
                ],
            ),
        ),
    ),
    (
        "Workers",
        (
            Panel(
                "Actions that wait",
                "short",
                "Written and not committed as done.",
                [("sum(sojourn_actions_lag)", "actions")],
            ),
            Panel(
                "Partitions",
                "short",
                "Of each worker; one without any has no work.",
                [("sum by (instance) (sojourn_actions_partitions)", "{{instance}}")],
            ),
            Panel(
                "Held",
                "short",
                "1 while nothing is sent, because all journeys were stopped.",
                [("max(sojourn_outbox_held)", "held")],
            ),
        ),
    ),
    (
        "Decisions",
        (
            Panel(
                "A decision takes",
                "s",
                "From a request read to the bytes of its answer.",
                quantiles("sojourn_decision_seconds"),
            ),
            Panel(
                "Answers that did not know all",
                "cps",
                "They waited for their person's own events as long as `decisions.wait`, in vain.",
                [named(rate("sojourn_decisions_behind_total"), "behind")],
            ),
            Panel(
                "The serving store is behind",
                "s",
                "How old the newest state was, by the log's clock, when the store had it.",
                [("max by (instance) (sojourn_states_delay_seconds)", "{{instance}}")],
            ),
            Panel(
                "Brought to the store",
                "cps",
                "States, by all feeders.",
                [named(rate("sojourn_states_stored_total"), "states")],
            ),
        ),
    ),
    ("Deliveries", DELIVERIES),
)


WRITTEN = {
    "embedded.json": dashboard("sojourn-embedded", "Sojourn", "One process on one folder.", EMBEDDED),
    "cluster.json": dashboard(
        "sojourn-cluster", "Sojourn on a cluster", "Doors, the job on Flink, and workers.", CLUSTER
    ),
}


def text_of(name: str) -> str:
    """Return a dashboard's file."""
    return json.dumps(WRITTEN[name], indent=1) + "\n"


def main() -> None:
    """Write all of them."""
    for name in WRITTEN:
        (FOLDER / name).write_text(text_of(name), encoding="utf-8")


if __name__ == "__main__":
    main()
