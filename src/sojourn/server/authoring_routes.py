"""The part of the API that authors use: checking, charts, traffic, drafts and rehearsals."""

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

AUTHORING_VIEWS: tuple[type[Struct], ...] = (
    Check, CheckView, ChartView, VersionTextView, TrafficView, InsidePage, FileEntry, FileView, Draft,
    DraftView, PublishDraft, Rehearse, RehearsalView,
)  # fmt: skip


class Authored(Struct, frozen=True):
    """Who answers authors."""

    authors: Authoring
    drafts: Drafting
    rehearsals: Rehearsing


def authoring_routes(authored: Authored) -> list[HTTPRouteHandler]:
    """Make the routes."""
    return [*authoring(authored.authors), *drafting(authored.drafts), *rehearsing(authored.rehearsals)]
