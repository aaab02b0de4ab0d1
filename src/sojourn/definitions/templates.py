"""Templates: JSON values whose strings may hold Liquid, compiled once.

A string renders to a string, as in Liquid. One exception: a string that is exactly one `{{ .. }}` keeps the
type of a number, a boolean, null, a list or an object, because receivers want numbers as numbers. Missing
values render to nothing. Values are data: nothing in them is ever read as a template, nor, in what stands
under the name `html`, as markup, unless the template says `safe`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from liquid.builtin.output import OutputNode
from liquid.context import RenderContext
from liquid.exceptions import LiquidError
from liquid.stringify import to_liquid_string
from liquid.template import BoundTemplate
from liquid.undefined import Undefined

from sojourn.definitions.journey import Template
from sojourn.definitions.liquid_rules import (
    MAX_OUTPUT_BYTES,
    JourneyEnvironment,
    asks_the_clock,
    make_environment,
    open_ranges,
)
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import DefinitionError, Problem

MAX_TEMPLATE_CHARACTERS = 20_000
MAX_BODY_BYTES = 262_144  # of all strings of one body together.
MAX_DEPTH = 40  # levels of a value; as deep as a definition may be.

TEMPLATE_NAMES = frozenset(
    {"event", "properties", "trait", "traits", "profile", "entry", "session", "journey"}
)
"""What the engine gives a template."""

HTML = "html"
"""Under this name a body has a page: values in it are escaped."""

Path = tuple[str | int, ...]
Place = Callable[[Path, int, int], tuple[int, int]]
_Render = Callable[[Mapping[str, Any]], Any]

# What python-liquid and its filters raise on values they did not expect.
_FAILURES = (
    LiquidError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RecursionError,
)


class TemplateError(ValueError):
    """A template could not be rendered with the values at hand."""


def compile_template(value: Any, *, file: str = "<template>", place: Place | None = None) -> Template:
    """Compile a JSON value, or raise DefinitionError with every problem.

    `place` tells where line and column (from 1) of the string at a path stand in the file.
    """
    compiler = _Compiler(file, place or (lambda _path, line, column: (line, column)))
    render = compiler.compile(value, ())
    if compiler.problems:
        raise DefinitionError(compiler.problems)
    return Template(value, _whole(render) if render else lambda _names: value, frozenset(compiler.names))


class _Compiler:
    def __init__(self, file: str, place: Place) -> None:
        self.problems: list[Problem] = []
        self.names: set[str] = set()
        self._file = file
        self._place = place

    def compile(self, value: Any, path: Path) -> _Render | None:
        """Return what renders the value; None where it is constant."""
        if len(path) > MAX_DEPTH:
            self._refuse(path, f"expected at most {MAX_DEPTH} levels", "too-deep")
            return None
        if isinstance(value, str):
            return self._text(value, path) if "{" in value else None
        if isinstance(value, dict):
            return _object(value, {key: self.compile(each, (*path, key)) for key, each in value.items()})
        if isinstance(value, list):
            return _list(value, [self.compile(each, (*path, i)) for i, each in enumerate(value)])
        return None

    def _text(self, source: str, path: Path) -> _Render | None:
        if "{{" not in source and "{%" not in source:
            return None
        if len(source) > MAX_TEMPLATE_CHARACTERS:
            message = f"expected at most {MAX_TEMPLATE_CHARACTERS} characters, got {len(source)}"
            self._refuse(path, message, "too-long")
            return None
        is_html = path[-1:] == (HTML,)
        environment = _environment(is_html=is_html)
        try:
            template = environment.from_string(source)
            flaws = list(_flaws(template, source, environment))
            self.names |= {str(name) for name in template.analyze().globals}
        except _FAILURES as error:
            token = getattr(error, "token", None)
            offset = token.start_index if token is not None else 0
            message = str(error.message) if isinstance(error, LiquidError) else "too complicated"
            self._refuse(path, f"this is not Liquid: {message}", "template", before=source[: max(0, offset)])
            return None
        for offset, message, code in flaws:
            self._refuse(path, message, code, before=source[:offset])
        return _typed(template) if _is_one_output(template) and not is_html else _plain(template)

    def _refuse(self, path: Path, message: str, code: str, *, before: str = "") -> None:
        lines = before.split("\n")
        line, column = self._place(path, len(lines), len(lines[-1]) + 1)
        self.problems.append(Problem(file=self._file, line=line, column=column, message=message, code=code))


@cache
def _environment(*, is_html: bool) -> JourneyEnvironment:
    return make_environment(is_html=is_html)


def _flaws(
    template: BoundTemplate, source: str, environment: JourneyEnvironment
) -> Iterator[tuple[int, str, str]]:
    """Find what Liquid takes and journeys refuse: place, message, code."""
    analysis = template.analyze()
    for name, spans in analysis.filters.items():
        if name not in environment.filters:
            message = f"unknown filter {name!r}{did_you_mean(name, environment.filters)}"
            yield spans[0].index, message, "unknown-filter"
    for name, variables in analysis.globals.items():
        if name not in TEMPLATE_NAMES:
            message = f"unknown name {name!r}{did_you_mean(str(name), TEMPLATE_NAMES)}"
            yield variables[0].span.index, message, "unknown-name"
    for offset in open_ranges(template):
        yield offset, "a range must lie between two numbers, at most 1,000 apart", "not-allowed"
    clock = asks_the_clock(source)
    if clock is not None:
        yield clock, "a template cannot ask for the present time; use event.at or entry.at", "not-allowed"


def _is_one_output(template: BoundTemplate) -> bool:
    return len(template.nodes) == 1 and isinstance(template.nodes[0], OutputNode)


def _plain(template: BoundTemplate) -> _Render:
    def render(names: Mapping[str, Any]) -> str:
        try:
            return template.render(names)
        except _FAILURES as error:
            raise _failure(error) from None

    return render


def _typed(template: BoundTemplate) -> _Render:
    """Render a single `{{ .. }}`, keeping the type of what is not text."""
    node = template.nodes[0]
    assert isinstance(node, OutputNode)

    def render(names: Mapping[str, Any]) -> Any:
        try:
            context = RenderContext(template, globals=template.make_globals(names))
            return _json(node.expression.evaluate(context), MAX_DEPTH)
        except _FAILURES as error:
            raise _failure(error) from None

    return render


def _failure(error: Exception) -> TemplateError:
    reason = error.message if isinstance(error, LiquidError) else str(error)
    return TemplateError(f"the template cannot be rendered: {reason}")


def _json(value: Any, n_levels: int) -> Any:
    """Make sure that a value is JSON, whatever a filter made of it."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if n_levels == 0:
        raise ValueError("the value is nested too deep")
    if isinstance(value, Undefined):
        return ""
    if isinstance(value, Mapping):
        return {str(key): _json(each, n_levels - 1) for key, each in value.items()}
    if isinstance(value, list | tuple | range):
        return [_json(each, n_levels - 1) for each in value]
    text = to_liquid_string(value, autoescape=False)
    if len(text.encode()) > MAX_OUTPUT_BYTES:
        raise ValueError(f"a text is longer than {MAX_OUTPUT_BYTES} bytes")
    return text


def _object(value: dict[str, Any], renders: Mapping[str, _Render | None]) -> _Render | None:
    changing = {key: render for key, render in renders.items() if render is not None}
    if not changing:
        return None
    return lambda names: {**value, **{key: render(names) for key, render in changing.items()}}


def _list(value: list[Any], renders: list[_Render | None]) -> _Render | None:
    if not any(renders):
        return None
    pairs = list(zip(value, renders, strict=True))
    return lambda names: [render(names) if render else each for each, render in pairs]


def _whole(render: _Render) -> _Render:
    """Bound what all strings of one body come to together."""

    def bounded(names: Mapping[str, Any]) -> Any:
        value = render(names)
        if _n_characters(value) > MAX_BODY_BYTES:
            raise TemplateError(f"the body is longer than {MAX_BODY_BYTES} characters")
        return value

    return bounded


def _n_characters(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(len(key) + _n_characters(each) for key, each in value.items())
    if isinstance(value, list):
        return sum(_n_characters(each) for each in value)
    return 1
