"""Guards: expressions in a small, safe language, compiled once to Python code.

The language is an allow-list of Python's expressions over the names of `vocabulary.py`. What is refused is
refused here, with its line and column; what is accepted never raises, whatever the profile holds. Missing
things are None; comparing a missing thing, or things of unlike types, is false; `!=` is the opposite of `==`.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from sojourn.definitions import values
from sojourn.definitions.clocks import ClockReader
from sojourn.definitions.comparing import Comparison
from sojourn.definitions.contradictions import contradict
from sojourn.definitions.durations import parse_duration
from sojourn.definitions.expression import EXIT, Clock, Expression, Needs
from sojourn.definitions.expression_text import ExpressionText, Refused
from sojourn.definitions.fragments import NUMBERS, Fragment, callable_of, common_kind, fold, literal
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.vocabulary import (
    ANY_FIELD,
    FUNCTIONS,
    LITERALS,
    ROOTS,
    SECONDS,
    SHORTCUTS,
    Function,
)
from sojourn.model.errors import DefinitionError, Problem

MAX_DEPTH = 32  # levels; three brackets each stay below the 200 that Python's own parser takes.
MAX_READS = 12  # of one expression, told beside its answer: more explains nothing.
MAX_NAME_CHARACTERS = 200  # of an event, step, experiment or state: as ingest allows.
MAX_KNOWN = 4_096  # expressions, the last ones read: whoever types has the same guards again, all but one.


class Compiled(NamedTuple):
    """An expression, and what is known of it before it ever runs."""

    expression: Expression
    is_never_true: bool
    is_always_true: bool
    clock: Clock = Clock()
    """When time alone may change it, where `untimed` is empty."""
    untimed: tuple[Problem, ...] = ()
    """Parts of which nobody can say when time changes them."""


def compile_expression(
    text: str,
    *,
    bare_names: bool = False,
    states: Mapping[str, str] | None = None,
    hidden: Mapping[str, str] = {},
) -> Expression:
    """Compile one expression, or raise DefinitionError with its line and column (both from 1, in `text`).

    With `bare_names` an unknown plain name is a variable of the chart's data. `states` maps the names that
    `In` may be asked for to ids of states; None: any. `hidden` maps names that cannot be used to the reason.
    """
    return analyse(text, bare_names=bare_names, states=states, hidden=hidden).expression


def analyse(
    text: str,
    *,
    bare_names: bool = False,
    states: Mapping[str, str] | None = None,
    hidden: Mapping[str, str] = {},
    segments: Collection[str] | None = None,
) -> Compiled:
    """Do what `compile_expression` does, and say what else is known of the result.

    `segments` are those that `in_segment` may be asked for; None: any.
    """
    known = _by_itself(text, bare_names=bare_names, hidden=tuple(hidden.items()))
    if known is not None:
        return known
    return _analysed(_Writer(text, bare_names=bare_names, states=states, hidden=hidden, segments=segments))


@lru_cache(maxsize=MAX_KNOWN)
def _by_itself(text: str, *, bare_names: bool, hidden: tuple[tuple[str, str], ...]) -> Compiled | None:
    """Read an expression that asks for no state and no segment; None: what it comes to hangs on those too.

    None as well where something is wrong: more may be, once states and segments are known.
    """
    writer = _Writer(text, bare_names=bare_names, states=None, hidden=dict(hidden), segments=None)
    try:
        compiled = _analysed(writer)
    except DefinitionError:
        return None
    return None if writer.asks_names else compiled


def _analysed(writer: _Writer) -> Compiled:
    code = writer.write()
    expression = Expression(writer.text, callable_of(code), writer.needs(), writer.reads())
    untimed = tuple(writer.untimed())
    return Compiled(expression, code.truth is False, code.truth is True, writer.clock.clock(), untimed)


_ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.Mod: "remainder",
}

_NOT_ALLOWED = {
    ast.Lambda: "functions cannot be defined here",
    ast.ListComp: "comprehensions are not part of the language",
    ast.SetComp: "comprehensions are not part of the language",
    ast.DictComp: "comprehensions are not part of the language",
    ast.GeneratorExp: "comprehensions are not part of the language",
    ast.JoinedStr: "f-strings are not part of the language",
    ast.NamedExpr: "names cannot be assigned here; for 'equals' write ==",
    ast.Starred: "* cannot stand before a value",
    ast.List: "a list may stand only after 'in'",
    ast.Tuple: "a list may stand only after 'in'",
    ast.Set: "sets are not part of the language; after 'in' write a list: [..]",
    ast.Dict: "objects are not part of the language",
}


class _Writer:
    """Turns one text into Python source, collecting problems and what it asks of a profile on the way."""

    def __init__(
        self,
        text: str,
        *,
        bare_names: bool,
        states: Mapping[str, str] | None,
        hidden: Mapping[str, str],
        segments: Collection[str] | None,
    ) -> None:
        self.text = text
        self._text = ExpressionText(text)
        self._bare_names = bare_names
        self._states = states
        self._hidden = hidden
        self._problems: list[Problem] = []
        self._n_temporaries = 0
        self._segments = segments
        self.clock = ClockReader()
        self._counts: dict[str, int] = {}
        self._asked: dict[str, set[str]] = {}
        self._read: dict[str, Fragment] = {}
        self._codes: dict[ast.expr, Fragment] = {}
        self._writers: dict[type[ast.expr], Callable[[Any, int], Fragment]] = {
            ast.Constant: self._constant,
            ast.Name: self._path,
            ast.Attribute: self._path,
            ast.Subscript: self._path,
            ast.Call: self._call,
            ast.BoolOp: self._logic,
            ast.UnaryOp: self._unary,
            ast.Compare: self._comparisons,
            ast.BinOp: self._arithmetic,
            ast.IfExp: self._choice,
        }

    def write(self) -> Fragment:
        """Return the whole expression, or raise all that is wrong with it."""
        try:
            code = self._code(self._text.parse(), 0)
        except Refused as refused:
            self._report(refused)
        if self._problems:
            raise DefinitionError(self._problems)
        return code

    @property
    def asks_names(self) -> bool:
        """Whether it asks for states or segments, whose names are others in each place."""
        return not self._asked.keys().isdisjoint(("In", "in_segment"))

    def needs(self) -> Needs:
        """What the expression asks of a profile."""
        asked = {name: frozenset(names) for name, names in self._asked.items()}
        return Needs(
            counts=self._counts,
            since=asked.get("since", frozenset()),
            visits=asked.get("visits", frozenset()) | asked.get("loops", frozenset()),
            regressed="regressed" in asked,
            traits=asked.get("traits", frozenset()),
            experiments=asked.get("variant", frozenset()),
            segments=asked.get("in_segment", frozenset()),
            profile="profile" in asked,
            friction="friction" in asked,
            propensities=asked.get("propensity", frozenset())
            | (frozenset({EXIT}) if "hazard" in asked else frozenset()),
        )

    def reads(self) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
        """What the expression looks at, as it is written: the first MAX_READS of it."""
        return tuple((name, callable_of(code)) for name, code in self._read.items())

    def _noted(self, node: ast.expr, code: Fragment) -> Fragment:
        """Remember a part that looks something up."""
        if len(self._read) < MAX_READS:
            self._read.setdefault(ast.unparse(node), code)
        return code

    def untimed(self) -> list[Problem]:
        """Say where an age is used so that nobody can tell when time changes the answer."""
        message = "compare since(..) itself with a constant here, as in since('X') > days(3)"
        return [self._problem(Refused(node, message, "untimed")) for node in self.clock.loose()]

    def _report(self, refused: Refused) -> None:
        self._problems.append(self._problem(refused))

    def _problem(self, refused: Refused) -> Problem:
        line, column = self._text.position(refused.place)
        return Problem(
            file="<expression>", line=line, column=column, message=refused.message, code=refused.code
        )

    def _code(self, node: ast.expr, depth: int) -> Fragment:
        if depth > MAX_DEPTH:
            raise Refused(node, f"expected at most {MAX_DEPTH} levels of nesting", "too-deep")
        write = self._writers.get(type(node))
        try:
            if write is None:
                message = _NOT_ALLOWED.get(type(node), "this is not part of the language")
                raise Refused(node, message, "not-allowed")
            code = self._codes[node] = write(node, depth + 1)
            return code
        except Refused as refused:
            if refused.code == "too-deep":
                raise
            self._report(refused)
            return Fragment("None")

    def _constant(self, node: ast.Constant, _depth: int) -> Fragment:
        value = node.value
        if value is not None and not isinstance(value, str | int | float):
            raise Refused(
                node, f"expected a string, a number, True, False or None, got {node.value!r}", "not-allowed"
            )
        if isinstance(value, int) and value.bit_length() > values.MAX_NUMBER_BITS:
            raise Refused(node, "the number is too large", "bad-number")
        if isinstance(value, float) and not math.isfinite(value):
            raise Refused(node, "the number is too large", "bad-number")
        return literal(value)

    def _logic(self, node: ast.BoolOp, depth: int) -> Fragment:
        parts = [self._code(part, depth) for part in node.values]
        is_and = isinstance(node.op, ast.And)
        text = "(" + (" and " if is_and else " or ").join(part.text for part in parts) + ")"
        truths = [part.truth for part in parts]
        # One false part decides an `and`, one true part an `or`.
        decided = (not is_and) in truths or (is_and and contradict(node.values, self._known_beforehand))
        truth = (not is_and) if decided else (is_and if all(each is is_and for each in truths) else None)
        return fold(text, common_kind(parts), parts, truth=truth)

    def _known_beforehand(self, node: ast.expr) -> tuple[Any, ...] | None:
        """Return the value of a part that is constant, as a tuple of one."""
        code = self._codes.get(node)
        return (code.value,) if code is not None and code.is_constant else None

    def _unary(self, node: ast.UnaryOp, depth: int) -> Fragment:
        operand = self._code(node.operand, depth)
        if isinstance(node.op, ast.Not):
            truth = None if operand.truth is None else not operand.truth
            return fold(f"(not {operand.text})", "bool", [operand], truth=truth)
        if isinstance(node.op, ast.USub):
            return fold(f"negative({operand.text})", "maybe_number", [operand])
        raise Refused(node, "only - and not may stand before a value", "not-allowed")

    def _arithmetic(self, node: ast.BinOp, depth: int) -> Fragment:
        name = _ARITHMETIC.get(type(node.op))
        if name is None:
            raise Refused(node, "expected one of + - * / %", "not-allowed")
        left, right = self._code(node.left, depth), self._code(node.right, depth)
        is_number = name != "add" or left.kind in NUMBERS or right.kind in NUMBERS
        return fold(
            f"{name}({left.text}, {right.text})", "maybe_number" if is_number else "any", [left, right]
        )

    def _choice(self, node: ast.IfExp, depth: int) -> Fragment:
        parts = [self._code(part, depth) for part in (node.body, node.test, node.orelse)]
        body, test, orelse = parts
        truth = body.truth if body.truth is orelse.truth else None
        text = f"({body.text} if {test.text} else {orelse.text})"
        return fold(text, common_kind([body, orelse]), parts, truth=truth)

    def _comparisons(self, node: ast.Compare, depth: int) -> Fragment:
        if len(node.ops) > 1:
            return self._chain(node, depth)
        left, operator, right = self._code(node.left, depth), node.ops[0], node.comparators[0]
        comparison = Comparison(operator, node, self._temporary)
        if isinstance(operator, ast.In | ast.NotIn) and isinstance(right, ast.List | ast.Tuple):
            choices = tuple(self._choice_literal(item, depth) for item in right.elts)
            return comparison.write_membership(left, choices)
        right_code = self._code(right, depth)
        self.clock.compare(operator, (node.left, right), (left, right_code))
        return comparison.write(left, right_code)

    def _chain(self, node: ast.Compare, depth: int) -> Fragment:
        """`a < b < c`: the values are bound first, so that each is computed once, whichever pair decides."""
        operands: list[Fragment] = []
        bindings: list[str] = []
        each = (node.left, *node.comparators)
        for operand in each:
            if isinstance(operand, ast.List | ast.Tuple):
                message = "'in' a list cannot be part of a chain; join with 'and'"
                raise Refused(operand, message, "not-allowed")
            code = self._code(operand, depth)
            if not code.is_constant:
                name = self._temporary()
                bindings.append(f"({name} := {code.text})")
                code = code._replace(text=name)
            operands.append(code)
        for i, operator in enumerate(node.ops):
            self.clock.compare(operator, (each[i], each[i + 1]), (operands[i], operands[i + 1]))
        pairs = [
            Comparison(operator, node, self._temporary).write(*operands[i : i + 2])
            for i, operator in enumerate(node.ops)
        ]
        bound = "(" + ", ".join(bindings) + ",) and " if bindings else ""
        is_never = any(pair.truth is False for pair in pairs) or contradict([node], self._known_beforehand)
        truth = False if is_never else None
        return fold(f"({bound}{' and '.join(pair.text for pair in pairs)})", "bool", operands, truth=truth)

    def _choice_literal(self, node: ast.expr, depth: int) -> Any:
        code = self._code(node, depth)
        if not code.is_constant:
            raise Refused(node, "a list after 'in' may hold only strings and numbers", "not-allowed")
        return code.value

    def _temporary(self) -> str:
        self._n_temporaries += 1
        return f"v{self._n_temporaries}"

    def _path(self, node: ast.expr, _depth: int) -> Fragment:
        root, parts = _unfold(node)
        if root.id in LITERALS and not parts:
            return literal(LITERALS[root.id])
        known = self._known(root)
        if known is None:
            return self._noted(node, Fragment(f"scope.data.get({root.id!r})"))
        attribute, fields = known
        if not parts:
            message = f"{root.id!r} needs a name after it, such as {root.id}.{min(fields, default='x')}"
            raise Refused(node, message, "bad-argument")
        names = [part for part, _ in parts]
        if fields is not ANY_FIELD and names[0] not in fields:
            message = f"{root.id} has no {names[0]!r}{did_you_mean(str(names[0]), fields)}"
            raise Refused(parts[0][1], message, "unknown-name")
        shortcut = SHORTCUTS.get((attribute, str(names[0])))
        if shortcut is not None:
            attribute, names = shortcut, names[1:]
        if not names or not isinstance(names[0], str):
            raise Refused(node, f"expected a name in {attribute}", "bad-argument")
        if attribute in ("traits", "profile", "friction"):
            self._asked.setdefault(attribute, set()).add(names[0])
        text = f"scope.{attribute}.get({names[0]!r})"
        for name in names[1:]:
            text = self._part(text, name)
        return self._noted(node, Fragment(text))

    def _known(self, root: ast.Name) -> tuple[str, frozenset[str]] | None:
        """Look a first name up; None: it is a variable."""
        if root.id in self._hidden:
            raise Refused(root, self._hidden[root.id], "unknown-name")
        if root.id in ROOTS:
            return ROOTS[root.id]
        if self._bare_names and not root.id.startswith("_"):
            return None
        if root.id in FUNCTIONS or root.id in SECONDS:
            raise Refused(root, f"{root.id} is a function: write {root.id}(..)", "bad-argument")
        known = [name for name in (*ROOTS, *FUNCTIONS, *LITERALS) if name not in self._hidden]
        message = f"unknown name {root.id!r}{did_you_mean(root.id, known)}"
        raise Refused(root, message, "unknown-name")

    def _part(self, text: str, name: str | int) -> str:
        value = self._temporary()
        if isinstance(name, str):
            return f"({value}.get({name!r}) if ({value} := {text}).__class__ is dict else None)"
        is_there = f"len({value}) >= {name + 1 if name >= 0 else -name}"
        return f"({value}[{name}] if ({value} := {text}).__class__ is list and {is_there} else None)"

    def _call(self, node: ast.Call, depth: int) -> Fragment:
        if not isinstance(node.func, ast.Name):
            raise Refused(node, "only functions of the language can be called", "not-allowed")
        name = node.func.id
        if name in self._hidden:
            raise Refused(node.func, self._hidden[name], "unknown-name")
        if name in FUNCTIONS:
            return self._profile_function(node, name, FUNCTIONS[name])
        if name not in SECONDS and name not in ("lower", "len"):
            known = [*FUNCTIONS, *SECONDS, "lower", "len"]
            raise Refused(node.func, f"unknown function {name!r}{did_you_mean(name, known)}", "unknown-name")
        if len(node.args) != 1 or node.keywords:
            raise Refused(node, f"{name} takes one value", "bad-argument")
        argument = self._code(node.args[0], depth)
        if name in SECONDS:
            return fold(f"multiply({argument.text}, {SECONDS[name]})", "maybe_number", [argument])
        if name == "lower":
            return fold(f"lower({argument.text})", "any", [argument])
        return fold(f"length({argument.text})", "maybe_number", [argument])

    def _profile_function(self, node: ast.Call, name: str, function: Function) -> Fragment:
        within_ms = self._window(node, name, function)
        n_expected = 1 if function.argument else 0
        if len(node.args) != n_expected:
            expected = f"the name of one {function.argument}, in quotes" if n_expected else "nothing"
            raise Refused(node, f"{name} takes {expected}", "bad-argument")
        asked = self._asked.setdefault(name, set())
        argument = ""
        if n_expected:
            argument = self._literal_name(node.args[0], name, function)
            asked.add(argument)
        if name == "count":
            self._counts[argument] = max(self._counts.get(argument, 0), within_ms or 0)
            self.clock.count(argument, within_ms)
        elif name == "since":
            self.clock.since(node, argument)
        code = Fragment(function.call.format(name=repr(argument), within_ms=within_ms), function.kind)
        return self._noted(node, code)

    def _window(self, node: ast.Call, name: str, function: Function) -> int | None:
        if not node.keywords:
            return None
        keyword = node.keywords[0]
        if not function.has_window or len(node.keywords) > 1 or keyword.arg != "within":
            hint = "; did you mean within='1h'?" if function.has_window else ""
            raise Refused(keyword, f"{name} knows no such argument{hint}", "bad-argument")
        value = keyword.value
        if not (isinstance(value, ast.Constant) and isinstance(value.value, str)):
            raise Refused(value, "expected a duration in quotes, such as within='1h'", "bad-duration")
        try:
            return parse_duration(value.value)
        except ValueError as error:
            raise Refused(value, str(error), "bad-duration") from None

    def _literal_name(self, node: ast.expr, name: str, function: Function) -> str:
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            raise Refused(
                node, f"{name} takes the name of one {function.argument}, in quotes", "bad-argument"
            )
        value = node.value
        if not 0 < len(value) <= MAX_NAME_CHARACTERS:
            raise Refused(node, f"expected 1 to {MAX_NAME_CHARACTERS} characters", "bad-argument")
        if name == "in_segment" and self._segments is not None and value not in self._segments:
            message = f"no segment is named {value!r}{did_you_mean(value, self._segments)}"
            raise Refused(node, message, "unknown-segment")
        if function.choices and value not in function.choices:
            message = f"no {function.argument} is named {value!r}{did_you_mean(value, function.choices)}"
            raise Refused(node, message, "unknown-name")
        if name == "propensity" and value == EXIT:
            raise Refused(node, "for the end of the visit write hazard()", "bad-argument")
        if name != "In" or self._states is None:
            return value
        if value not in self._states:
            message = f"no state is named {value!r}{did_you_mean(value, self._states)}"
            raise Refused(node, message, "unknown-state")
        return self._states[value]


def _unfold(node: ast.expr) -> tuple[ast.Name, list[tuple[str | int, ast.expr]]]:
    """Split `a.b['c'][0]` into its root and its parts, each with its place."""
    parts: list[tuple[str | int, ast.expr]] = []
    outer = node
    while not isinstance(node, ast.Name):
        if len(parts) >= MAX_DEPTH:
            raise Refused(outer, f"expected at most {MAX_DEPTH} levels of nesting", "too-deep")
        if isinstance(node, ast.Attribute):
            if node.attr.startswith("_"):
                message = f"names with a leading underscore are refused; write [{node.attr!r}]"
                raise Refused(node, message, "not-allowed")
            parts.append((node.attr, node))
            node = node.value
        elif isinstance(node, ast.Subscript):
            parts.append((_index(node), node))
            node = node.value
        else:
            raise Refused(node, "only a name can have parts, such as properties.total", "not-allowed")
    return node, parts[::-1]


def _index(node: ast.Subscript) -> str | int:
    index = node.slice
    sign = 1
    if isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub):
        sign, index = -1, index.operand
    if isinstance(index, ast.Constant):
        if type(index.value) is str and sign == 1:
            return index.value
        if type(index.value) is int and index.value < 2**31:
            return sign * index.value
    raise Refused(node, "expected a name in quotes or a whole number in [..]", "bad-argument")
