"""Draft: a policy as somebody writes it, or a learner does: the weight of each variant, in each context.

    policy: bolder
    experiments:
      rescue-offer:
        weights: { none: 0.2, free_shipping: 0.8 }
        cells:
          '"pro"': { none: 0.9, free_shipping: 0.1 }
      banner: uniform
      greeting: always short

`weights` hold in every context that `cells` does not name. A cell is named as exposures name it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct

from sojourn.analytics.policies.decisions import Floats
from sojourn.analytics.texts import read_text
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.yaml import AnyNode, MappingNode, ScalarNode, load
from sojourn.model.errors import ConfigError, DefinitionError, Problem

UNIFORM, ALWAYS = "uniform", "always "
ROUNDED = 0.001
"""What weights may miss a sum of 1 by: they are then made to."""

_KEYWORDS = ("policy", "experiments")
_EXPERIMENT_KEYWORDS = ("weights", "cells")


class Split(Struct, frozen=True):
    """Weights of variants that sum to 1; without any, each variant has the same."""

    weights: Mapping[str, float] = {}

    def over(self, variants: Sequence[str]) -> Floats:
        """Return the probability of each variant; raise ConfigError where one is none of them."""
        for name in self.weights:
            if name not in variants:
                hint, known = did_you_mean(name, variants), ", ".join(variants)[:300]
                raise ConfigError(
                    f"the draft draws {name!r}, which was never drawn nor could be{hint}; it knows {known}"
                )
        if not self.weights:
            return np.full(len(variants), 1 / len(variants))
        return np.array([self.weights.get(name, 0.0) for name in variants])


class Draft(Struct, frozen=True):
    """A policy for one experiment."""

    default: Split = Split()
    cells: Mapping[str, Split] = {}

    def shares(self, variants: Sequence[str], contexts: Sequence[str]) -> Floats:
        """Return the probability of each variant in each context, shape (n_contexts, n_variants).

        Raises:
            ConfigError: A variant is none of these; or there are cells, and all of them are none of these
                contexts: they are called otherwise there.
        """
        unseen = self.unseen(contexts)
        if unseen and len(unseen) == len(self.cells):
            hint, known = did_you_mean(unseen[0], contexts), ", ".join(map(repr, contexts))[:300]
            raise ConfigError(f"no decision was made in the cell {unseen[0]!r}{hint}; the log knows {known}")
        return np.stack([self.cells.get(cell, self.default).over(variants) for cell in contexts])

    def unseen(self, contexts: Sequence[str]) -> tuple[str, ...]:
        """Return the cells that none of these contexts is."""
        return tuple(cell for cell in self.cells if cell not in contexts)


class Drafts(Struct, frozen=True):
    """What a file says of experiments, by name."""

    name: str
    experiments: Mapping[str, Draft]

    def of(self, experiment: str | None) -> tuple[str, Draft]:
        """Return one experiment's, the only one where none is named; ConfigError where there is none."""
        names = sorted(self.experiments)
        if experiment is None and len(names) == 1:
            return names[0], self.experiments[names[0]]
        if experiment is None:
            raise ConfigError(f"the draft is of {', '.join(names)}; say which with --experiment")
        if experiment not in self.experiments:
            hint = did_you_mean(experiment, names)
            raise ConfigError(f"the draft says nothing of {experiment!r}{hint}; it is of {', '.join(names)}")
        return experiment, self.experiments[experiment]


def parse_draft(text: str) -> Draft | None:
    """Read `uniform` or `always VARIANT`; None where it is neither."""
    if text == UNIFORM:
        return Draft()
    if text.startswith(ALWAYS) and text.removeprefix(ALWAYS).strip():
        return Draft(Split({text.removeprefix(ALWAYS).strip(): 1.0}))
    return None


def load_drafts(path: Path) -> Drafts:
    """Read a file; raise ConfigError where there is none, DefinitionError where it is no policy."""
    known = "--policy takes a file of a draft, `uniform` or `always VARIANT`"
    return read_drafts(read_text(path, "this policy", otherwise=known), file=str(path))


def read_drafts(text: str, *, file: str) -> Drafts:
    """Read policies; raise DefinitionError with every problem at its line."""
    reading = _Reading(file)
    root = load(text, file=file)
    entries = reading.object(root, "a policy", _KEYWORDS)
    experiments: dict[str, Draft] = {}
    if "experiments" in entries:
        for name, node in reading.entries(entries["experiments"], "experiments by name"):
            experiments[name] = _draft(node, reading)
    if not experiments and not reading.problems:
        reading.refuse(root, "expected `experiments`, and at least one of them", "missing")
    title = entries.get("policy")
    called = title.text if isinstance(title, ScalarNode) else ""
    if reading.problems:
        raise DefinitionError(reading.problems)
    return Drafts(called, experiments)


def write_drafts(drafts: Drafts) -> str:
    """Write policies as `read_drafts` reads them."""
    lines = [f"policy: {_quoted(drafts.name)}", "experiments:"]
    for name, draft in drafts.experiments.items():
        lines += [f"  {_quoted(name)}:", f"    weights: {_written(draft.default)}"]
        if draft.cells:
            lines.append("    cells:")
            lines += [f"      {_quoted(cell)}: {_written(split)}" for cell, split in draft.cells.items()]
    return "\n".join(lines) + "\n"


def _draft(node: AnyNode, reading: _Reading) -> Draft:
    if isinstance(node, ScalarNode):
        found = parse_draft(node.text)
        if found is None:
            reading.refuse(
                node, "expected `uniform`, `always VARIANT`, or an object with `weights`", "bad-value"
            )
        return found or Draft()
    parts = reading.object(node, "an experiment", _EXPERIMENT_KEYWORDS)
    if "weights" not in parts:
        reading.refuse(node, "an experiment needs `weights`: what holds where no cell does", "missing")
        return Draft()
    named = reading.entries(parts["cells"], "weights by cell") if "cells" in parts else []
    return Draft(_split(parts["weights"], reading), {cell: _split(each, reading) for cell, each in named})


def _split(node: AnyNode, reading: _Reading) -> Split:
    if isinstance(node, ScalarNode):
        short = parse_draft(node.text)
        if short is None:
            reading.refuse(node, "expected `uniform`, `always VARIANT`, or weights by variant", "bad-value")
        return short.default if short else Split()
    weights: dict[str, float] = {}
    for name, each in reading.entries(node, "weights by variant"):
        value = each.value if isinstance(each, ScalarNode) else None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            reading.refuse(each, "expected a weight from 0 to 1", "bad-value")
        else:
            weights[name] = float(value)
    total = math.fsum(weights.values())
    if not reading.problems and abs(total - 1) > ROUNDED:
        reading.refuse(node, f"weights must sum to 1, and these do to {total:g}", "bad-value")
    return Split({name: weight / total for name, weight in weights.items()} if total else {})


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _written(split: Split) -> str:
    if not split.weights:
        return UNIFORM
    return "{ " + ", ".join(f"{_quoted(name)}: {weight:g}" for name, weight in split.weights.items()) + " }"


class _Reading:
    """One file being read, and what is wrong in it."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def object(self, node: AnyNode, kind: str, keywords: Sequence[str]) -> Mapping[str, AnyNode]:
        found = dict(self.entries(node, f"{kind} as an object, with {', '.join(keywords)}"))
        if isinstance(node, MappingNode):
            for key in found.keys() - set(keywords):
                hint = did_you_mean(key, keywords)
                self.refuse(node.keys[key], f"{kind} knows no {key!r}{hint}", "unknown-keyword")
        return found

    def entries(self, node: AnyNode, expected: str) -> list[tuple[str, AnyNode]]:
        if not isinstance(node, MappingNode) or not node.entries:
            self.refuse(node, f"expected {expected}", "bad-type")
            return []
        return list(node.entries.items())

    def refuse(self, node: AnyNode, message: str, code: str) -> None:
        problem = Problem(file=self.file, line=node.line, column=node.column, message=message, code=code)
        self.problems.append(problem)
