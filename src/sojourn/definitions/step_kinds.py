"""Step kinds: what each kind of step becomes: `KINDS` is the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sojourn.definitions.actions import read_action, read_actions, read_split
from sojourn.definitions.chart import Assign
from sojourn.definitions.drafts import Draft, Way
from sojourn.definitions.expression import Expression
from sojourn.definitions.internal_events import DONE_CALL, DONE_STATE
from sojourn.definitions.journey import Call
from sojourn.definitions.reading import IN_A_STATE, Reading
from sojourn.definitions.step_context import Context, Kind, Place, step_name
from sojourn.definitions.wait_for import add_wait_for
from sojourn.definitions.waits import read_wait
from sojourn.definitions.ways import SHADOWED, add_variants
from sojourn.definitions.yaml import AnyNode, MappingNode, Node, ScalarNode

MAX_TIMES = 100  # rounds of one repeat: more is a journey that never ends.


def _add_send(step: Context) -> None:
    def work() -> None:
        action = read_action(step.node, step.reading)
        step.draft.entry += [action] if action is not None else []
        step.lead("nothing", step.following())

    step.drafting.later(work)


def _add_do(step: Context) -> None:
    def work() -> None:
        step.draft.entry += read_actions(step.node, step.reading)
        step.lead("nothing", step.following())

    step.drafting.later(work)


def _add_wait(step: Context) -> None:
    def work() -> None:
        after_ms, due, may_be_at_once = read_wait(step.node, step.reading, seed=step.draft.id)
        fields = {"after_ms": after_ms, "due": due, "may_be_at_once": may_be_at_once}
        step.lead("time", step.following(), step.node, **fields)

    step.drafting.later(work)


def _add_branch(step: Context) -> None:
    nodes = step.reading.items(step.node, "a list of cases: [{ when, steps }, .., { steps }]")
    cases = [step.reading.mapping(node, "case") for node in nodes]
    paths: list[Place] = []
    for i, (node, case) in enumerate(zip(nodes, cases, strict=True), start=1):
        if "steps" in case and "to" in case:
            step.reading.refuse(node, "a case has steps, or leads to one; got both", "bad-value")
        paths.append(_path_of(step, case.get("steps"), case.get("to"), str(i)))

    def work() -> None:
        is_decided = False
        for node, case, path in zip(nodes, cases, paths, strict=True):
            if is_decided:
                step.reading.refuse(node, SHADOWED, "shadowed")
                return
            compiled = step.reading.condition(case.get("when"), hidden=IN_A_STATE)
            is_decided = "when" not in case or (compiled is not None and compiled.is_always_true)
            when = None if compiled is None or is_decided else compiled.expression
            step.lead("nothing", path(), node, when=when)
        if not is_decided:
            step.lead("nothing", step.following())

    step.drafting.later(work)


def _path_of(step: Context, steps: AnyNode | None, to: AnyNode | None, label: str) -> Place:
    """Return where one of several alternatives leads: to steps of its own, to a state, or on."""
    if steps is not None or to is None:
        return step.lists.add_path(step, steps, label)
    return lambda: step.drafting.target(step.draft, to) or step.following()


def _add_split(step: Context) -> None:
    entries = step.reading.mapping(step.node, "split", required=("variants",))
    places: dict[str, Mapping[str, AnyNode]] = {}
    for keyword in ("steps", "to"):
        if keyword in entries:
            pairs = step.reading.any_mapping(entries[keyword], "an object: variant -> where it leads")
            places[keyword] = {key.text: value for key, value in pairs}
    steps, to = places.get("steps", {}), places.get("to", {})
    both = steps.keys() & to.keys()
    for variant in sorted(both):
        step.reading.refuse(to[variant], f"the variant {variant!r} has steps already", "bad-value")
    labels = _variants_of(entries)
    paths = {name: _path_of(step, steps.get(name), to.get(name), name) for name in labels}

    def work() -> None:
        default = f"{step.reading.journey}.{step.draft.id}"
        experiment = read_split(entries, step.reading, default=default, asked=[*steps, *to])
        if experiment is None:
            return
        targets = {name: (path(), step.node) for name, path in paths.items()}
        add_variants(step.drafting, step.draft, experiment, targets)

    step.drafting.later(work)


def _variants_of(entries: Mapping[str, AnyNode]) -> list[str]:
    node = entries.get("variants")
    return [*node.entries] if isinstance(node, MappingNode) else []


def _add_repeat(step: Context) -> None:
    entries = step.reading.mapping(step.node, "repeat", required=("times", "steps"))
    step.draft.kind = "compound"
    round_ = step.drafting.add(step.draft, "round", step.draft.place)
    counter = step.draft.id
    step.draft.entry.append(Assign(counter, Expression("0", lambda _scope: 0)))
    body = step.lists.add(step.draft, entries["steps"], after=lambda: round_) if "steps" in entries else None
    times = _times(entries.get("times"), step.reading)

    def work() -> None:
        until = step.reading.condition(entries.get("until"), hidden=IN_A_STATE)
        if until is not None and until.is_always_true:
            message = "this is always true, so that nothing is repeated; leave the step out"
            step.reading.refuse(entries["until"], message, "always-true")
        elif until is not None:
            round_.ways.append(Way("nothing", step.following(), entries["until"], when=until.expression))
        place = step.draft.place
        round_.ways.append(Way("nothing", step.following(), place, when=_at_least(counter, times)))
        if body is not None:
            again = Assign(counter, _one_more(counter))
            round_.ways.append(Way("nothing", body(), place, content=[again]))

    step.drafting.later(work)


def _times(node: AnyNode | None, reading: Reading) -> int:
    if node is None:
        return 1
    value = node.value if isinstance(node, ScalarNode) else None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_TIMES:
        reading.refuse(node, f"expected how many times at most, 1 to {MAX_TIMES}", "bad-value")
        return 1
    return value


def _at_least(counter: str, times: int) -> Expression:
    def rounds(scope: Any) -> Any:
        return scope.data.get(counter, 0)

    return Expression(f"rounds >= {times}", lambda scope: rounds(scope) >= times, reads=(("rounds", rounds),))


def _one_more(counter: str) -> Expression:
    return Expression("rounds + 1", lambda scope: scope.data.get(counter, 0) + 1)


def _add_parallel(step: Context) -> None:
    step.draft.kind = "parallel"
    regions = [_add_region(step, name, place, node) for name, place, node in _branches(step)]
    join = "all" if step.join is None else step.reading.text(step.join, "all or any")
    if join not in ("all", "any", "") and step.join is not None:
        step.reading.refuse(step.join, f"expected all or any, got {join[:40]!r}", "bad-value")

    def work() -> None:
        awaited = regions if join == "any" else [step.draft]
        for state in awaited:
            step.lead("event", step.following(), event=DONE_STATE + state.id)

    step.drafting.later(work)


def _branches(step: Context) -> list[tuple[str, Node, AnyNode]]:
    """Read what runs side by side: a list of lists, or lists by name."""
    if isinstance(step.node, MappingNode) and step.node.entries:
        pairs = [(step.node.keys[key], value) for key, value in step.node.entries.items()]
        names = [step_name(key, key.text, step.reading) for key, _ in pairs]
        return [(name, key, value) for name, (key, value) in zip(names, pairs, strict=True) if name]
    nodes = step.reading.items(step.node, "lists of steps: [[..], [..]], or by name: { a: [..], b: [..] }")
    return [(f"path-{i}", node, node) for i, node in enumerate(nodes, start=1)]


def _add_region(step: Context, name: str, place: Node, node: AnyNode) -> Draft:
    region = step.drafting.add(step.draft, name, place)
    region.kind = "compound"
    step.lists.add(region, node, after=lambda: step.drafting.finished(region))
    return region


def _add_call(step: Context) -> None:
    def work() -> None:
        entries: Mapping[str, AnyNode] = {"journey": step.node}
        if isinstance(step.node, MappingNode):
            entries = step.reading.mapping(step.node, "call", required=("journey",))
        if "journey" not in entries:
            return
        name = step.reading.text(entries["journey"], "the name of a journey")
        if name and name == step.reading.journey:
            step.reading.refuse(entries["journey"], "a journey cannot call itself", "bad-value")
        is_awaited = step.reading.flag(entries["wait"]) if "wait" in entries else True
        key = step.reading.expression(entries.get("key"), hidden=IN_A_STATE)
        step.draft.entry.append(Call(journey=name, key=key, is_awaited=is_awaited))
        if is_awaited:
            step.lead("event", step.following(), event=DONE_CALL + step.draft.id)
        else:
            step.lead("nothing", step.following())

    step.drafting.later(work)


def _target_of_exit(step: Context, node: AnyNode) -> Draft:
    is_empty = isinstance(node, ScalarNode) and (node.value is None or node.text == "exit")
    is_empty = is_empty or (isinstance(node, MappingNode) and not node.entries)
    if not is_empty:
        step.reading.refuse(node, "exit takes nothing: write exit", "bad-value")
    return step.drafting.done(step.draft.place)


def _target_of_goto(step: Context, node: AnyNode) -> Draft | None:
    return step.drafting.target(step.draft, node)


def _target_of_resume(step: Context, node: AnyNode) -> Draft | None:
    return step.drafting.history(step.draft, node)


def _jump(target: Callable[[Context, AnyNode], Draft | None]) -> Kind:
    """Make a kind of step that leads elsewhere at once."""

    def add(step: Context) -> None:
        def work() -> None:
            to = target(step, step.node)
            if to is not None:
                step.lead("nothing", to, step.node)

        step.drafting.later(work)

    return Kind(add, target, is_jump=True)


KINDS: Mapping[str, Kind] = {
    "send": Kind(_add_send),
    "do": Kind(_add_do),
    "wait": Kind(_add_wait),
    "wait_for": Kind(add_wait_for),
    "branch": Kind(_add_branch),
    "split": Kind(_add_split),
    "repeat": Kind(_add_repeat),
    "parallel": Kind(_add_parallel),
    "call": Kind(_add_call),
    "goto": _jump(_target_of_goto),
    "resume": _jump(_target_of_resume),
    "exit": _jump(_target_of_exit),
}
"""What a step may be."""
