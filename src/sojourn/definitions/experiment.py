"""Experiments and flags: how people are split, and what a stand-alone flag says to whom."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from sojourn.definitions.expression import Expression, Needs

DEFAULT_FLOOR = 0.05
"""The least share of a variant under adaptive allocation: what off-policy evaluation can still divide by."""

ValueType = Literal["string", "boolean", "integer", "number", "object"]


class Namespace(Struct, frozen=True):
    """A part of all people: experiments in parts of one namespace that do not overlap never share anybody."""

    id: str
    start: float
    """From here, 0 to 1."""
    end: float
    """To below here."""


class Reward(Struct, frozen=True, kw_only=True):
    """What an adaptive allocation is for."""

    names: frozenset[str] = frozenset()
    """Events that are it; empty: the goal of the experiment's journey."""
    when: Expression | None = None
    within_ms: int
    """Counted from the exposure."""


class Experiment(Struct, frozen=True, kw_only=True):
    """A random split of people among variants."""

    id: str
    """Its name in all facts; a later version begins anew under another one."""
    variants: tuple[str, ...]
    """The first one is the control."""
    weights: tuple[float, ...]
    """Of the variants, in order; they sum to 1."""
    seed: str = ""
    """What the hash begins with; empty: the id."""
    hash: Literal[1, 2] = 2
    coverage: float = 1.0
    """The share of people who take part, 0 to 1."""
    namespace: Namespace | None = None
    holdout: float = 0.0
    """The share of people who are kept from it, asked before anything else, 0 to 1."""
    is_sticky: bool = True
    """Whoever met a variant keeps it, whatever becomes of weights, coverage and namespace."""
    excludes: tuple[str, ...] = ()
    """Ids of experiments (earlier versions): whoever met one of them takes no part."""
    allocation: Literal["fixed", "adaptive"] = "fixed"
    reward: Reward | None = None
    """There, where the allocation is adaptive."""
    floor: float = DEFAULT_FLOOR
    """The least weight of a variant that an adaptive allocation comes to."""
    by: tuple[Expression, ...] = ()
    """What the cell of a contextual allocation is made of."""

    @property
    def as_written(self) -> Experiment:
        """The same with expressions as texts, so that two that say the same are equal."""
        texts = tuple(Expression(one.source, _no_call) for one in self.by)
        reward = self.reward
        if reward is not None and reward.when is not None:
            reward = replace(reward, when=Expression(reward.when.source, _no_call))
        return replace(self, by=texts, reward=reward)


class Rule(Struct, frozen=True, kw_only=True):
    """One rule of a flag: for whom, and either a variant or an experiment."""

    when: Expression | None = None
    variant: str = ""
    experiment: Experiment | None = None


class Flag(Struct, frozen=True, kw_only=True):
    """A stand-alone feature flag: a value for everybody who asks."""

    name: str
    text: str
    """The definition as written."""
    version: str
    """12 digits of the digest of its content."""
    type: ValueType
    variants: dict[str, Any]
    """Variant -> its value: any JSON value of the type."""
    default: str
    """The variant of everybody whom no rule gives another."""
    rules: tuple[Rule, ...] = ()
    is_enabled: bool = True
    needs: Needs = Needs()

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """The experiments of its rules, in order."""
        return tuple(rule.experiment for rule in self.rules if rule.experiment is not None)


def _no_call(scope: Any) -> None:
    del scope
