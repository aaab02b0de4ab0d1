"""Names: what stood between separators becomes the name of a channel, or is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.attribution.paths import Paths, with_names
from sojourn.model.errors import ConfigError


class _Name(Struct, frozen=True):
    """One text between separators, tidied."""

    name: str
    """Empty: a touch without a name."""
    is_torn_before: bool = False
    """A stray separator stood before it: it must begin its path."""
    is_torn_after: bool = False
    """A stray separator stood after it: it must end its path."""


def tidy(paths: Paths, *, separator: str, is_given: bool, empty: str) -> Paths:
    """Trim names, drop stray separators at the ends of paths, and treat touches without a name.

    Args:
        paths: `channels` are the texts between separators, as they stood.
        separator: What was between them.
        is_given: Somebody said so: then names may hold parts of it.
        empty: `error` or `drop`: what becomes of a touch without a name that is not at an end.

    Raises:
        ConfigError: A name holds the separator's mark, or a touch inside a path has no name.
    """
    mark = separator.strip()
    texts = [_tidied(text, mark) for text in paths.channels]
    torn = [mark in text.name for text in texts] if mark and not is_given else []
    if any(torn):
        raise ConfigError(
            f"the channel {paths.channels[torn.index(True)]!r} holds {mark!r}: is that the separator, or "
            f"part of the name? Say which separator the file has: {mark!r} or {separator!r}"
        )
    is_empty = np.array([not text.name for text in texts], dtype=np.bool_)[paths.codes]
    n_stray = _check_ends(paths, texts)
    names = [text.name for text in texts]
    if is_empty.any():
        n_stray += _check_inside(paths, is_empty, empty)
        paths = replace(paths, codes=paths.codes[~is_empty], offsets=_offsets_without(paths, is_empty))
    if n_stray:
        paths = replace(paths, left_out={**paths.left_out, "touches-without-a-name": n_stray})
    return with_names(paths, names)


def _tidied(text: str, mark: str) -> _Name:
    name = text.strip()
    if not mark:
        return _Name(name)
    before, after = name.startswith(f"{mark} "), name.endswith(f" {mark}")
    if name == mark:
        return _Name("")
    name = name[len(mark) if before else 0 : -len(mark) if after else None].strip()
    return _Name(name, before, after)


def _check_ends(paths: Paths, texts: list[_Name]) -> int:
    """Count the torn names; one that is not at its end of a path hides a touch without a name."""
    before = np.array([text.is_torn_before for text in texts], dtype=np.bool_)
    after = np.array([text.is_torn_after for text in texts], dtype=np.bool_)
    if not (before.any() or after.any()):
        return 0
    begins, ends = _ends(paths)
    wrong = (before[paths.codes] & ~begins) | (after[paths.codes] & ~ends)
    if wrong.any():
        raise ConfigError(_no_name(paths, int(np.flatnonzero(wrong)[0])))
    return int(before[paths.codes].sum() + after[paths.codes].sum())


def _check_inside(paths: Paths, is_empty: NDArray[np.bool_], empty: str) -> int:
    """Count the touches without a name that say that somebody wrote a separator too much."""
    path = paths.path_of_touch()
    named = np.flatnonzero(~is_empty)
    first = np.full(len(paths), len(is_empty))
    last = np.full(len(paths), -1)
    first[path[named][::-1]] = named[::-1]
    last[path[named]] = named
    place = np.arange(len(is_empty))
    inside = is_empty & (place > first[path]) & (place < last[path])
    if inside.any() and empty == "error":
        raise ConfigError(_no_name(paths, int(np.flatnonzero(inside)[0])))
    # A path that is nothing but one empty text has no touch at all: nothing was left out.
    return int(is_empty.sum() - ((paths.lengths == 1) & (last < 0)).sum())


def _no_name(paths: Paths, touch: int) -> str:
    path = int(np.searchsorted(paths.offsets, touch, side="right")) - 1
    begin, end = int(paths.offsets[path]), int(paths.offsets[path + 1])
    texts = [paths.channels[code] for code in paths.codes[begin:end].tolist()]
    return (
        f"touch {touch - begin + 1} of the path {texts} has no name; name it in the file, "
        "or let touches without a name be dropped"
    )


def _ends(paths: Paths) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell of each touch whether it begins, and whether it ends its path."""
    begins = np.zeros(len(paths.codes), dtype=np.bool_)
    ends = begins.copy()
    has_touches = paths.lengths > 0
    begins[paths.offsets[:-1][has_touches]] = True
    ends[paths.offsets[1:][has_touches] - 1] = True
    return begins, ends


def _offsets_without(paths: Paths, gone: NDArray[np.bool_]) -> NDArray[np.int64]:
    sums: NDArray[np.int64] = np.concatenate([[0], np.cumsum(~gone)])[paths.offsets]
    return sums
