"""The part of the API that the studio's authors use: checking, charts, traffic, drafts and rehearsals."""

from __future__ import annotations

from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from sojourn.model.authored import (
    CheckView,
    DraftView,
    FileEntry,
    FileView,
    InsidePage,
    RehearsalView,
    TrafficView,
    VersionTextView,
)
from sojourn.model.charts import ChartView
from sojourn.server.authoring import Authoring, Check, authoring
from sojourn.server.drafting import Draft, Drafting, PublishDraft, drafting
from sojourn.server.rehearsals import Rehearse, Rehearsing, rehearsing

STUDIO_VIEWS: tuple[type[Struct], ...] = (
    Check, CheckView, ChartView, VersionTextView, TrafficView, InsidePage, FileEntry, FileView, Draft,
    DraftView, PublishDraft, Rehearse, RehearsalView,
)  # fmt: skip


class Studio(Struct, frozen=True):
    """Who answers authors."""

    authors: Authoring
    drafts: Drafting
    rehearsals: Rehearsing


def studio_handlers(studio: Studio) -> list[HTTPRouteHandler]:
    """Make the routes."""
    return [*authoring(studio.authors), *drafting(studio.drafts), *rehearsing(studio.rehearsals)]
