"""Ways: how a state is left, as an author writes it: `state`, `{ to, when }`, `{ resume }`, or several."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.definitions.drafting import Drafting
from sojourn.definitions.drafts import Cause, Draft, Way
from sojourn.definitions.experiment import Experiment
from sojourn.definitions.reading import IN_A_STATE
from sojourn.definitions.yaml import AnyNode, MappingNode, SequenceNode

SHADOWED = "this is never reached: a way above it has no condition; put that one last"


def read_ways(
    drafting: Drafting, draft: Draft, cause: Cause, node: AnyNode, *, event: str = "", after_ms: int = 0
) -> list[Way]:
    """Read alternatives, of which the first that is true wins."""
    reading = drafting.reading
    several = isinstance(node, SequenceNode)
    alternatives = reading.items(node, "one or more ways") if several else (node,)
    ways: list[Way] = []
    is_decided = False
    for alternative in alternatives:
        if is_decided:
            reading.refuse(alternative, SHADOWED, "shadowed")
            break
        way, is_decided = _read_way(drafting, draft, cause, alternative)
        if way is not None:
            way.event, way.after_ms = event, after_ms
            ways.append(way)
    return ways


def add_variants(
    drafting: Drafting, draft: Draft, experiment: Experiment, targets: Mapping[str, tuple[Draft, AnyNode]]
) -> None:
    """Let a state split people by an experiment: each variant leads to its target at once."""
    if any(other.id == experiment.id for other in drafting.experiments):
        message = f"the experiment {experiment.id!r} is defined twice"
        drafting.reading.refuse(draft.place, message, "duplicate-experiment")
    drafting.experiments.append(experiment)
    draft.entry.append(experiment)
    for variant in (*experiment.variants[1:], experiment.variants[0]):
        if variant not in targets:
            continue
        # The control comes last and unconditionally: a variant of an older version leads there too.
        is_control = variant == experiment.variants[0]
        text = f"variant({experiment.id!r}) == {variant!r}"
        target, place = targets[variant]
        when = None if is_control else drafting.reading.derived(text)
        draft.ways.append(Way("nothing", target, place, when=when))


def _read_way(drafting: Drafting, draft: Draft, cause: Cause, node: AnyNode) -> tuple[Way | None, bool]:
    """Read one way; also whether it is always taken, so that none below it can be."""
    if not isinstance(node, MappingNode):
        target = drafting.target(draft, node)
        return (None if target is None else Way(cause, target, node)), True
    reading = drafting.reading
    entries = reading.mapping(node, "way")
    compiled = reading.condition(entries.get("when"), hidden=IN_A_STATE)
    is_always = "when" not in entries or (compiled is not None and compiled.is_always_true)
    if ("to" in entries) is ("resume" in entries):
        message = (
            "a way leads to one state, or resumes one; got both" if "to" in entries else "way needs 'to'"
        )
        reading.refuse(node, message, "bad-value" if "to" in entries else "missing")
        return None, is_always and "to" in entries
    place = entries["to"] if "to" in entries else entries["resume"]
    target = (drafting.target if "to" in entries else drafting.history)(draft, place)
    if target is None:
        return None, is_always
    when = None if compiled is None or is_always else compiled.expression
    return Way(cause, target, place, when=when), is_always
