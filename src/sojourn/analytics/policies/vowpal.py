"""Vowpal Wabbit: a contextual bandit that learns across contexts, from decisions that were logged.

It explores by SquareCB (Foster and Rakhlin, 2020) and corrects for what was drawn by its propensity
(importance-weighted regression, Bietti, Agarwal and Langford, 2021). A context is its parts: what was learnt
of `"pro"|"SE"` says something of `"pro"|"DE"`, which counts of cells never do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sojourn.analytics.policies.decisions import Decisions
from sojourn.analytics.policies.draft import Draft, Split
from sojourn.analytics.policies.learning import check_floor
from sojourn.definitions.thompson import with_floor
from sojourn.model.errors import ConfigError

PARTS = "|"
"""Between the parts of a cell's name, as the engine writes it."""
_LEARNER = "--cb_explore_adf --squarecb --cb_type mtr -q ca --quiet"
_UNLIKELY = str.maketrans({" ": "_", ":": "_", "|": "_", "\n": "_", "\r": "_", "\t": "_"})  # its own marks


def learn_vowpal(decisions: Decisions, floor: float, *, seed: int = 0) -> Draft:
    """Learn from decisions in their order; return what it would draw in each context.

    What holds in other contexts is what it would draw of somebody of whom nothing is known. The same
    decisions and seed give the same draft.

    Raises:
        ConfigError: Vowpal Wabbit is not installed, or the floor is too high.
    """
    check_floor(decisions, floor)
    workspace = _workspace(seed)
    variants = [f"|a v={variant.translate(_UNLIKELY)}" for variant in decisions.variants]
    shared = [_context(cell) for cell in decisions.contexts]
    try:
        for drawn, cell, cost in _costs(decisions):
            lines = [f"{cost} {line}" if i == drawn else line for i, line in enumerate(variants)]
            workspace.learn([shared[cell], *lines])
        named = {
            cell: _split(workspace.predict([shared[i], *variants]), decisions.variants, floor)
            for i, cell in enumerate(decisions.contexts)
            if cell
        }
        unknown = _split(workspace.predict([_context(""), *variants]), decisions.variants, floor)
    finally:
        workspace.finish()
    return Draft(unknown, named)


def _workspace(seed: int) -> Any:
    try:
        import vowpalwabbit  # noqa: PLC0415 - an extra
    except ImportError:
        raise ConfigError(
            "--with vw needs Vowpal Wabbit, which is not installed: pip install 'sojourn[bandit]'"
        ) from None
    return vowpalwabbit.Workspace(f"{_LEARNER} --random_seed {seed}")


def _costs(decisions: Decisions) -> Iterator[tuple[int, int, str]]:
    """Yield what was drawn, in which context, and its label: the cost, and the chance it was drawn with."""
    columns = (decisions.variant, decisions.context, decisions.reward, decisions.propensity)
    for drawn, cell, reward, propensity in zip(*(column.tolist() for column in columns), strict=True):
        yield drawn, cell, f"0:{-reward:.9g}:{propensity:.9g}"


def _context(cell: str) -> str:
    parts = cell.split(PARTS) if cell else []
    return "shared |c " + " ".join(f"{i}={part.translate(_UNLIKELY)}" for i, part in enumerate(parts))


def _split(shares: Sequence[float], variants: Sequence[str], floor: float) -> Split:
    total = sum(shares)
    return Split(dict(zip(variants, with_floor([share / total for share in shares], floor), strict=True)))
