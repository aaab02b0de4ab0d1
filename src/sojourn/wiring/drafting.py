"""Drafting: drafts over the mounted files, and how one is published: into its file first, then into force."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection

from sojourn.adapters.mounted import ChangedError, Mounted, MountedFile, etag_of
from sojourn.adapters.sqlite.drafts import SqliteDrafts
from sojourn.config import Config
from sojourn.config.loading import DEFINITION_SUFFIXES
from sojourn.definitions.checking import check_files
from sojourn.definitions.metrics_reading import check_metrics
from sojourn.definitions.roots import Root, root_of
from sojourn.model.authored import DraftView, FileEntry, FileView
from sojourn.model.errors import DefinitionError, InputError
from sojourn.model.views import PlanView
from sojourn.server.asked import Definition, Publish
from sojourn.server.drafting import ConflictError, Draft, PublishDraft

Bring = Callable[[Publish, Callable[[], None]], Awaitable[PlanView]]
"""Plans what is asked for; where it is not refused, calls what comes first, and then brings it into force."""


class Drafts:
    """The files of one house, and the drafts over them. Any thread may call all but `publish_draft`."""

    def __init__(self, config: Config, drafts: SqliteDrafts, *, bring: Bring, now: Callable[[], int]) -> None:
        self._mounted = Mounted([*config.journeys, *config.metrics], DEFINITION_SUFFIXES)
        self._drafts = drafts
        self._bring = bring
        self._now = now
        self._sinks: Collection[str] = tuple(config.sinks_in_force())
        self._publishing = asyncio.Lock()
        self._counted: tuple[tuple[tuple[str, str], ...], dict[str, int]] = ((), {})

    def files(self) -> list[FileEntry]:
        """List files of the mounted folders, and drafts, by their names."""
        on_disk = {one.file: one for one in self._mounted.all()}
        drafts = {one.file: one for one in self._drafts.all() if self._mounted.holds(one.file)}
        texts = {file: on_disk[file].text for file in on_disk} | {
            file: one.text for file, one in drafts.items()
        }
        problems = self._problems(texts)
        return [
            self._entry(file, on_disk.get(file), drafts.get(file), n_problems=problems.get(file, 0))
            for file in sorted(texts)
        ]

    def file(self, file: str) -> FileView:
        """Return one of them; raises InputError where there is neither file nor draft."""
        found = self._look(file)
        if found.text is None and found.draft is None:
            raise InputError(
                "unknown-file", f"there is no file {file[:100]!r}, and no draft of one", status=404
            )
        return found

    def save(self, file: str, draft: Draft, *, match: str | None, who: str) -> DraftView:
        """Keep a draft in the place of what has the etag `match`."""
        now = self._look(file)
        base = now.draft.base_etag if now.draft else now.etag
        if match is None:
            is_fresh = now.draft is None and draft.base_etag == now.etag
        else:
            is_fresh = match == (now.draft.etag if now.draft else now.etag)
            if draft.base_etag is not None:  # laid over the file anew
                is_fresh = is_fresh and draft.base_etag == now.etag
                base = now.etag
        if not is_fresh:
            raise _not_what_you_saw(now)
        kept = DraftView(
            file=file,
            text=draft.text,
            etag=etag_of(draft.text),
            base_etag=base,
            updated_at=self._now(),
            updated_by=who,
        )
        if not self._drafts.put(kept, before=now.draft.etag if now.draft else None):
            raise _not_what_you_saw(self._look(file))
        return kept

    def drop(self, file: str, *, match: str | None) -> None:
        """Let a draft go."""
        if self._drafts.drop(file, etag=match):
            return
        now = self._look(file)
        if now.draft is not None:
            raise _not_what_you_saw(now)
        raise InputError("unknown-draft", f"there is no draft of {file[:100]!r}", status=404)

    async def publish_draft(self, file: str, asked: PublishDraft) -> PlanView:
        """Plan a draft and, unless it is refused or a dry run, write its file and bring it into force."""
        async with self._publishing:
            now = await asyncio.to_thread(self._look, file)
            draft = now.draft
            if draft is None:
                raise InputError("unknown-draft", f"there is no draft of {file[:100]!r}", status=404)
            if draft.etag != asked.etag:
                raise _not_what_you_saw(now)
            if now.etag not in (draft.base_etag, draft.etag):
                raise _file_changed(now)
            view = await self._carry_out(now, draft, asked)
            if not view.refused and not asked.dry_run:
                await asyncio.to_thread(self._drafts.drop, file, etag=draft.etag)
            return view

    async def _carry_out(self, now: FileView, draft: DraftView, asked: PublishDraft) -> PlanView:
        def write() -> None:
            self._write(now.file, draft)

        renamed = _renamed(now, draft)
        if renamed:
            return PlanView(policy=asked.policy, journeys=[], refused=[renamed], revision=None)
        if now.kind == "metrics":
            return await self._publish_metrics(draft, asked, write)
        publish = Publish(
            definitions=[Definition(file=draft.file, text=draft.text)],
            policy=asked.policy,
            states=asked.states,
            dry_run=asked.dry_run,
        )
        return await self._bring(publish, write)

    async def _publish_metrics(
        self, draft: DraftView, asked: PublishDraft, write: Callable[[], None]
    ) -> PlanView:
        """Put metrics into their file: reports read it there, and the engine never does."""
        problems = check_metrics([(draft.file, draft.text)]).problems
        if problems:
            raise DefinitionError(problems)
        if not asked.dry_run:
            await asyncio.to_thread(write)
        return PlanView(policy=asked.policy, journeys=[], refused=[], revision=None)

    def _write(self, file: str, draft: DraftView) -> None:
        """Put a draft into its file; where a crash came after that the last time, it is there already."""
        found = self._mounted.find(file)
        if found is not None and found.etag == draft.etag:
            return
        try:
            self._mounted.replace(file, draft.text, base_etag=draft.base_etag)
        except ChangedError:
            raise _file_changed(self._look(file)) from None
        except OSError as error:
            reason = f"{file} cannot be written ({error.strerror}); nothing was published"
            raise InputError("not-writable", reason, status=422) from None

    def _look(self, file: str) -> FileView:
        """Return what is there, whatever it is; raises InputError where there can be no such file."""
        found, draft = self._mounted.find(file), self._drafts.find(file)
        text = draft.text if draft else found.text if found else ""
        return FileView(
            file=file,
            kind=root_of(text).kind,
            text=found.text if found else None,
            etag=found.etag if found else None,
            draft=draft,
            is_writable=self._mounted.is_writable(file),
        )

    def _entry(
        self, file: str, found: MountedFile | None, draft: DraftView | None, *, n_problems: int
    ) -> FileEntry:
        root: Root = root_of(draft.text if draft else found.text if found else "")
        return FileEntry(
            file=file,
            kind=root.kind,
            name=root.name or file.partition("/")[2],
            etag=draft.etag if draft else found.etag if found else "",
            is_draft=draft is not None,
            is_new=found is None,
            is_writable=self._mounted.is_writable(file),
            updated_at=draft.updated_at if draft else found.updated_at if found else 0,
            updated_by=draft.updated_by if draft else "",
            n_problems=n_problems,
        )

    def _problems(self, texts: dict[str, str]) -> dict[str, int]:
        """Count the errors in each file, all of them together; anew only where one of them changed."""
        mark = tuple((file, etag_of(text)) for file, text in sorted(texts.items()))
        if self._counted[0] != mark:
            verdict = check_files(sorted(texts.items()), sinks=self._sinks)
            counts: dict[str, int] = {}
            for problem in verdict.problems:
                counts[problem.file] = counts.get(problem.file, 0) + 1
            self._counted = (mark, counts)
        return self._counted[1]


def _renamed(now: FileView, draft: DraftView) -> str:
    """Say why a draft must not take the name of its file's journey away; empty where it does not."""
    before, after = root_of(now.text or ""), root_of(draft.text)
    if before.kind != "journey" or not before.name or (before.kind, before.name) == (after.kind, after.name):
        return ""
    return (
        f"{now.file} holds the journey {before.name}, and the draft would take it away from those inside; "
        f"keep `journey: {before.name}`, and put the other into a file of its own"
    )


def _not_what_you_saw(now: FileView) -> ConflictError:
    who = f", saved by {now.draft.updated_by}" if now.draft else ""
    there = (
        f"a draft with the etag {now.draft.etag}{who}" if now.draft else f"the file with the etag {now.etag}"
    )
    reason = f"{now.file}: somebody was there first: there is {there}"
    return ConflictError(412, "not-what-you-saw", reason, now=now)


def _file_changed(now: FileView) -> ConflictError:
    reason = f"{now.file} was changed on disk since the draft was begun; compare, and save the draft over it"
    return ConflictError(409, "file-changed", reason, now=now)
