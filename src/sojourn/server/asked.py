"""Asked: what the API may be asked: to change what is in force, to revive actions, and to count."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from sojourn.analytics.belonging.asked import Segments
from sojourn.analytics.experiments.asked import Experiment, Experiments
from sojourn.analytics.questions import QUESTIONS, Question
from sojourn.definitions.durations import MAX_DURATION_MS
from sojourn.model.operating import FailedRetried

KINDS: dict[str, type[Question]] = {
    **QUESTIONS,
    "experiments": Experiments,
    "experiment": Experiment,
    "segments": Segments,
}
"""What an inquiry may be, by its name."""

MAX_DEFINITIONS = 1_000  # files in one request.
MAX_STEPS = 10_000  # in order: more than any product has.
MAX_RETRIED = 1_000  # ids in one request; all of them needs none.


class Definition(Struct, kw_only=True, forbid_unknown_fields=True):
    """One file."""

    file: str
    """Its name, for messages."""
    text: str


class Settings(Struct, kw_only=True, forbid_unknown_fields=True):
    """What the configuration says of how events are read."""

    steps: Annotated[list[str], Meta(max_length=MAX_STEPS)]
    """The order in which a person is meant to pass the product's steps."""
    session_gap_ms: Annotated[int, Meta(gt=0, le=MAX_DURATION_MS)]
    """So long without an event, and the next visit begins."""


class Publish(Struct, kw_only=True, forbid_unknown_fields=True):
    """Files to bring into force."""

    definitions: Annotated[list[Definition], Meta(max_length=MAX_DEFINITIONS)]
    is_whole: bool = False
    """They are all there is: a journey in force that is not among them is closed."""
    settings: Settings | None = None
    """What is to hold beside them; null: what is in force."""
    policy: Literal["pin", "follow", "map"] = "pin"
    """People inside older versions stay, or go along."""
    states: dict[str, str] = {}
    """State of an older version -> state of the new one."""
    dry_run: bool = False
    """Show what would change, and change nothing."""


class Rollback(Struct, kw_only=True, forbid_unknown_fields=True):
    """An older version to bring into force again."""

    journey: str
    to: str | None = None
    """The version; null: the one published before."""
    policy: Literal["pin", "follow", "map"] = "pin"
    states: dict[str, str] = {}
    dry_run: bool = False


class Hold(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to stand still, or to go on."""

    name: Literal["$pause", "$resume", "$stop", "$release"]
    journey: str = ""
    """Of `$pause` and `$resume`."""


class Retry(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which dead letters to try again."""

    action_ids: Annotated[list[str], Meta(max_length=MAX_RETRIED)] | None
    """Ids of their actions; null for all of them."""


class Retried(Struct, kw_only=True):
    """How many dead letters are on their way again."""

    revived: int


class RetryFailed(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which failed events to try again."""

    ids: Annotated[list[Annotated[int, Meta(ge=1, le=1 << 62)]], Meta(max_length=MAX_RETRIED)]
    """Their numbers, as `/api/v1/failed-events` gives them."""


class FailedRetriedList(Struct, kw_only=True):
    """What came of each failed event that was tried again."""

    retried: list[FailedRetried]


class Inquiry(Struct, frozen=True, kw_only=True):
    """One question, and how events are to be read for it."""

    name: str
    """Of the question, as in `KINDS`."""
    asked: msgspec.Raw
    """The question, as JSON."""
    columns: str = ""
    """Which column says what, as `--map` does."""
    steps: str = ""
    """Step rules, as YAML."""
    experiment: str = ""
    """Of a report: which one."""

    @property
    def question(self) -> Question:
        """What is asked."""
        return msgspec.json.decode(self.asked, type=KINDS[self.name])
