"""Authored: what whoever writes journeys is shown: problems, files and drafts, and what became of them."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from sojourn.model.charts import ChartView


class ProblemView(Struct, kw_only=True):
    """One thing wrong in a definition, or probably not meant, and where."""

    file: str
    line: int
    """From 1."""
    column: int
    """From 1."""
    severity: Literal["error", "warning"]
    code: str
    """Kebab-case: `dead-end`, `unknown-name`, ..."""
    message: str
    """What was expected, what came, what to do."""


class CheckView(Struct, kw_only=True):
    """What came of checking definitions."""

    problems: list[ProblemView]
    """By file, in the order they were given, then by place."""
    charts: list[ChartView]
    """Of the journeys that compile, also where others do not."""


class VersionTextView(Struct, kw_only=True):
    """One version of a journey as it was written."""

    journey: str
    version: str
    text: str
    before: str | None
    """The version published before it, where that is kept."""
    before_text: str | None


class DwellView(Struct, kw_only=True):
    """How long people stayed in a state who left it, ms; each to within 3 %."""

    p50: int
    p90: int


class StateTraffic(Struct, kw_only=True):
    """What went through one state."""

    n_people: int = 0
    """In it now, whatever the time asked for."""
    entered: int = 0
    left: int = 0
    dwell_ms: DwellView | None = None
    """Of those who left; null where nobody did."""


class TrafficView(Struct, kw_only=True):
    """What went through the states and ways of one version of a journey."""

    journey: str
    version: str
    states: dict[str, StateTraffic]
    """Atomic and final states that anybody was in."""
    ways: dict[str, int]
    """By the ids of the chart's ways; those nobody took are not there."""
    since: int | None
    """The first instant counted, ms: the start of an hour; null: all there ever was."""
    until: int | None
    at: int
    """The instant of the log up to which everything is counted, ms."""
    position: int
    """The log's last entry that is counted."""


class InsideView(Struct, kw_only=True):
    """One person inside a journey."""

    id: str
    """`u:` or `a:`, and the user id or anonymous id."""
    enrolment_id: str
    key: str
    version: str
    state: list[str]
    since: int
    """When they came into the state that was asked for, else into the one they are in longest, ms."""


class InsidePage(Struct, kw_only=True):
    """People inside a journey, those who came last first."""

    items: list[InsideView]
    next: str | None
    """What to ask for as `after`, for those who came before; null at the end."""


Kind = Literal["journey", "shared", "flag", "metrics", "unknown"]


class DraftView(Struct, kw_only=True):
    """A draft over a file, or of a file that is not there yet."""

    file: str
    text: str
    etag: str
    """Of the draft: what to send as `If-Match` with the next one."""
    base_etag: str | None
    """Of the file it was begun from; null: there was none."""
    updated_at: int
    updated_by: str


class FileView(Struct, kw_only=True):
    """A file of the mounted folders, and the draft over it."""

    file: str
    """The folder's name, and its own: `journeys/welcome.yaml`."""
    kind: Kind
    text: str | None
    """As it is on disk; null where it is not there yet."""
    etag: str | None
    """Of the file on disk."""
    draft: DraftView | None
    is_writable: bool
    """Whether a draft of it can be published."""


class FileEntry(Struct, kw_only=True):
    """One file, or draft, among the others."""

    file: str
    kind: Kind
    """`shared`: segments, a policy, or both."""
    name: str
    """Of the journey or flag; else the file's."""
    etag: str
    """Of the draft where there is one, else of the file."""
    is_draft: bool
    is_new: bool
    """There is a draft, and no file yet."""
    is_writable: bool
    updated_at: int
    """When the draft was saved, else when the file was written, ms."""
    updated_by: str
    """Of a draft."""
    n_problems: int
    """Errors of the draft, else of the file, beside the others as they stand."""


class RehearsalView(Struct, kw_only=True):
    """One rehearsal over HTTP, and how it is doing."""

    id: str
    kind: Literal["replay", "simulate"]
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    progress: float
    """0 to 1."""
    phase: str
    """What it is at: `reading`, `playing`, `living`; empty before and after."""
    asked_at: int
    ended_at: int | None
    report: dict[str, Any] | None = None
    """As `sojourn replay --json` and `sojourn simulate --json` write it; null until it is done."""
    error: str = ""
    """Why it failed; empty where it did not."""
    code: str = ""
    """The same, one word: `bad-definition`, `no-history`, `too-slow`, ..."""
