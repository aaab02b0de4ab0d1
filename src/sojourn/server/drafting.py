"""Drafting: the files of the mounted folders, and drafts over them; two people never overwrite each other."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Protocol

from litestar import Request, Response, delete, get, post, put
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.params import Body, HeaderParameter, Parameter
from msgspec import Meta, Struct

from sojourn.model.authored import DraftView, FileEntry, FileView
from sojourn.model.errors import SojournError
from sojourn.model.views import PlanView
from sojourn.server.access.callers import caller_of
from sojourn.server.refusing import Refusal

MAX_DRAFT_CHARS = 200_000  # as a definition may have.
MAX_DRAFT_BYTES = 2 << 20

Folder = Annotated[str, Parameter(description="A mounted folder's name.", max_length=200)]
Name = Annotated[str, Parameter(description="The file's own name.", max_length=200)]
Match = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match",
        description="The etag of what is replaced: of the draft, else of the file.",
        max_length=200,
    ),
]
NoneMatch = Annotated[
    str | None,
    HeaderParameter(name="If-None-Match", description="`*`: there is no draft yet.", max_length=200),
]
Asked = Request[object, object, State]


class Draft(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a draft says."""

    text: Annotated[str, Meta(max_length=MAX_DRAFT_CHARS)]
    base_etag: str | None = None
    """Of the file the text was begun from. With `If-None-Match: *` null says that there is none; with
    `If-Match` null keeps what the draft was begun from, and the file's own etag lays it over that file."""


class PublishDraft(Struct, kw_only=True, forbid_unknown_fields=True):
    """A draft to bring into force."""

    etag: str
    """Of the draft that was looked at."""
    policy: Literal["pin", "follow", "map"] = "pin"
    """People inside older versions stay, or go along."""
    states: dict[str, str] = {}
    """State of an older version -> state of the new one."""
    dry_run: bool = False
    """Show what would change, and change nothing."""


class ConflictError(SojournError):
    """Somebody else was there first."""

    def __init__(self, status: int, code: str, reason: str, *, now: FileView) -> None:
        super().__init__(reason)
        self.status = status
        self.code = code
        self.reason = reason
        self.now = now


class Conflict(Refusal, kw_only=True):
    """Why something was not saved, and what is there instead."""

    now: FileView


class Drafting(Protocol):
    """What may be done with files and drafts; wiring does it. All but `publish_draft` may wait for disks."""

    def files(self) -> list[FileEntry]:
        """List files of the mounted folders, and drafts, by their names."""

    def file(self, file: str) -> FileView:
        """Return one of them; raises InputError where there is neither file nor draft."""

    def save(self, file: str, draft: Draft, *, match: str | None, who: str) -> DraftView:
        """Keep a draft in the place of what has the etag `match` (None: there is no draft yet).

        Raises InputError where there can be no such file, and ConflictError.
        """

    def drop(self, file: str, *, match: str | None) -> None:
        """Let a draft go; raises InputError and ConflictError."""

    async def publish_draft(self, file: str, asked: PublishDraft) -> PlanView:
        """Plan a draft and, unless it is refused or a dry run, write its file and bring it into force.

        Raises InputError, ConflictError, DefinitionError.
        """


def drafting(drafts: Drafting) -> list[HTTPRouteHandler]:
    """Make the routes of files and drafts."""
    return [*_reading(drafts), *_writing(drafts), _publishing(drafts)]


def refuse_conflict(request: Request[Any, Any, Any], error: ConflictError) -> Response[Conflict]:
    """Answer where somebody else was there first: with what is there now."""
    del request
    do = "look at what is there now (`now`), and send what you want with its etag"
    body = Conflict(code=error.code, message=error.reason, do=do, now=error.now)
    return Response(body, status_code=error.status)


def _reading(drafts: Drafting) -> list[HTTPRouteHandler]:
    @get("/api/v1/files", summary="Files and drafts", tags=["authoring"], sync_to_thread=True)
    def list_files() -> list[FileEntry]:
        """Files of the mounted folders, and drafts over them or beside them, by their names."""
        return drafts.files()

    @get("/api/v1/files/{folder:str}/{name:str}", summary="One file", tags=["authoring"], sync_to_thread=True)
    def get_file(folder: Folder, name: Name) -> FileView:
        """A file as it is on disk, and the draft over it."""
        return drafts.file(f"{folder}/{name}")

    return [list_files, get_file]


def _writing(drafts: Drafting) -> list[HTTPRouteHandler]:
    stale = ResponseSpec(
        Refusal, description="It is not what you saw: `now` says what is there.", generate_examples=False
    )

    @put(
        "/api/v1/drafts/{folder:str}/{name:str}",
        summary="Save a draft",
        tags=["authoring"],
        sync_to_thread=True,
        request_max_body_size=MAX_DRAFT_BYTES,
        responses={412: stale},
    )
    def save_draft(
        request: Asked,
        folder: Folder,
        name: Name,
        *,
        data: Annotated[Draft, Body()],
        match: Match = None,
        none_match: NoneMatch = None,
    ) -> DraftView:
        """Keep a draft, in the place of the one you saw.

        `If-Match` names what you saw: the draft's etag, or the file's where there is no draft. With
        `If-None-Match: *` there must be no draft, and the file must still be the one of `base_etag`.
        """
        del none_match  # without a match, there must be none
        return drafts.save(f"{folder}/{name}", data, match=_bare(match), who=caller_of(request.scope).name)

    @delete(
        "/api/v1/drafts/{folder:str}/{name:str}",
        summary="Drop a draft",
        tags=["authoring"],
        sync_to_thread=True,
        status_code=200,
        responses={412: stale},
    )
    def drop_draft(folder: Folder, name: Name, match: Match = None) -> None:
        """Let a draft go, the one that `If-Match` names (without it: whatever it is); the file stays."""
        drafts.drop(f"{folder}/{name}", match=_bare(match))

    return [save_draft, drop_draft]


def _publishing(drafts: Drafting) -> HTTPRouteHandler:
    changed = ResponseSpec(
        Refusal,
        description="The file is no longer the one the draft was begun from.",
        generate_examples=False,
    )
    stale = ResponseSpec(Refusal, description="The draft is not the one you saw.", generate_examples=False)

    @post(
        "/api/v1/drafts/{folder:str}/{name:str}/publish",
        summary="Publish a draft",
        tags=["authoring"],
        status_code=200,
        responses={409: changed, 412: stale},
    )
    async def publish_draft(folder: Folder, name: Name, data: Annotated[PublishDraft, Body()]) -> PlanView:
        """Write a draft into its file, and bring it into force; `refused` says why it was not done.

        Whatever happens in between, a start publishes the files: what is in the file comes into force.
        """
        return await drafts.publish_draft(f"{folder}/{name}", data)

    return publish_draft


def _bare(etag: str | None) -> str | None:
    """Read an etag of a header, with its quotes or without."""
    return None if etag is None else etag.strip().removeprefix("W/").strip('"')
