"""Guards: what the expression language means, what it refuses and where, and that nothing breaks it."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.definitions.expression import Expression, Needs
from sojourn.definitions.guards import MAX_DEPTH, analyse, compile_expression
from sojourn.model.errors import DefinitionError, Problem
from tests.definitions.naive_expressions import evaluate
from tests.definitions.scopes import PlainScope
from tests.soak import tries

SCOPE = PlainScope(
    properties={
        "total": 120,
        "zero": 0,
        "flag": True,
        "items": [{"sku": "a-1"}],
        "a b": 1,
        "tags": ["vip", 3],
    },
    traits={"plan": "pro"},
    profile={"user_id": "u1", "traits": {"plan": "pro"}},
    entry={"name": "Checkout Started", "properties": {"cart_id": "c9"}},
    active=frozenset({"waiting"}),
    counts={("Viewed", None): 7, ("Viewed", 3_600_000): 2},
    ages={"Viewed": 400.0},
    steps={"Shipping": 3},
    variants={"offer": "free"},
    has_regressed=True,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("properties.total > 100 and trait.plan == 'pro'", True),
        ("traits.plan in ['free', 'basic']", False),
        ("trait.plan not in ('free', 'basic')", True),
        ("properties.items[0].sku", "a-1"),
        ("properties.items[-1]['sku']", "a-1"),
        ("properties.items[1].sku", None),
        ("properties['a b']", 1),
        ("properties.missing.deeper[3].still", None),
        ("0 < properties.total <= 120", True),
        ("properties.total / 0", None),
        ("properties.missing + 1", None),
        ("properties.total % 7", 1),
        ("'vip' in properties.tags", True),
        ("'vi' in 'avid'", True),
        ("'sku' in properties.items[0]", True),
        ("lower('ABC') == 'abc'", True),
        ("len(properties.items)", 1),
        ("count('Viewed')", 7),
        ("count('Viewed', within='1h')", 2),
        ("since('Viewed') > minutes(5)", True),
        ("since('Never') > 1 or since('Never') < 1", False),
        ("visits('Shipping') >= 3 and loops('Shipping') == 2", True),
        ("regressed()", True),
        ("variant('offer') == 'free'", True),
        ("In('waiting') and not In('done')", True),
        ("'big' if properties.total > 100 else 'small'", "big"),
        ("properties.missing or 'nothing'", "nothing"),
        ("entry.properties.cart_id", "c9"),
        ("profile.traits.plan", "pro"),
        ("true and not false and null == None", True),
        ("hours(2) + days(1)", 93_600),
        ("  properties.total\n  > 100\n", True),
    ],
)
def test_an_expression_means_what_an_author_expects(text: str, expected: Any) -> None:
    """The examples of the reference page."""
    assert compile_expression(text).call(SCOPE) == expected


@pytest.mark.parametrize("operator", ["==", "<", "<=", ">", ">="])
def test_comparing_a_missing_value_is_false(operator: str) -> None:
    """A guard about something unknown must not let people through."""
    assert compile_expression(f"properties.missing {operator} properties.missing").call(SCOPE) is False


def test_unequal_is_always_the_opposite_of_equal() -> None:
    """`!=` on a missing value is true: otherwise `x != 1 or x == 1` would leave people out."""
    assert compile_expression("properties.missing != 1").call(SCOPE) is True


@pytest.mark.parametrize(
    "text", ["properties.missing == None", "properties.missing is None", "trait.plan != null"]
)
def test_none_is_how_presence_is_asked_for(text: str) -> None:
    """Authors need one way to ask whether something is there."""
    assert compile_expression(text).call(SCOPE) is True


def test_a_computed_none_is_a_missing_value() -> None:
    """Only the None that an author writes asks for presence; found by the oracle."""
    assert compile_expression("properties.missing == 1 / 0").call(SCOPE) is False


@pytest.mark.parametrize(
    "text", ["properties.flag == 1", "properties.zero == False", "properties.flag in [1, 2]"]
)
def test_true_is_not_one(text: str) -> None:
    """Python takes them for equal; JSON does not."""
    assert compile_expression(text).call(SCOPE) is False


def test_needs_are_collected_exactly() -> None:
    """Only what is asked for is kept up to date."""
    text = (
        "count('A', within='1h') + count('A', within='30m') + count('B') > 1 and since('C') > 1"
        " and visits('S') > loops('T') and regressed() and trait.plan == profile.traits.tier"
        " and variant('E') == 'x' and properties.x == 1"
    )
    assert compile_expression(text).needs == Needs(
        counts={"A": 3_600_000, "B": 0},
        since=frozenset({"C"}),
        visits=frozenset({"S", "T"}),
        regressed=True,
        traits=frozenset({"plan", "tier"}),
        experiments=frozenset({"E"}),
    )


def test_a_bare_name_is_a_variable_where_charts_have_them() -> None:
    """SCXML's charts speak of `i`, journeys of `properties.i`."""
    expression = compile_expression("i * 2 + 1 == 7 and j == null", bare_names=True)
    assert expression.call(PlainScope(data={"i": 3})) is True


def test_in_is_asked_by_name_and_answered_by_id() -> None:
    """Nested states have longer ids than authors write."""
    expression = compile_expression("In('quiet')", states={"quiet": "trial.usage.quiet"})
    assert expression.call(PlainScope(active=frozenset({"trial.usage.quiet"}))) is True


def test_what_names_mean_is_asked_anew_for_each_text_they_stand_in() -> None:
    """What was read once stays read; states, segments and hidden names are others in each place."""
    asks_state, asks_segment, plain = "In('quiet')", "in_segment('vip')", "trait.plan == 'pro'"
    for state_id in ("a.quiet", "b.quiet"):
        compiled = compile_expression(asks_state, states={"quiet": state_id})
        assert compiled.call(PlainScope(active=frozenset({state_id}))) is True
    assert analyse(asks_segment, segments={"vip"}).expression.needs.segments == {"vip"}
    assert analyse(plain) is analyse(plain, states={"quiet": "a.quiet"}, segments={"vip"})
    for text, hidden, code in (
        (asks_state, {}, "unknown-state"),
        (asks_segment, {}, "unknown-segment"),
        (plain, {"trait": "not here"}, "unknown-name"),
    ):
        with pytest.raises(DefinitionError) as refused:
            analyse(text, states={}, segments={"gone"}, hidden=hidden)
        assert [problem.code for problem in refused.value.problems] == [code]


@pytest.mark.parametrize(
    ("text", "column", "code"),
    [
        ("propertis.x > 1", 1, "unknown-name"),
        ("1 < vists('x')", 5, "unknown-name"),
        ("event.nmae == 'x'", 1, "unknown-name"),
        ("properties.__class__", 1, "not-allowed"),
        ("properties.a._b == 1", 1, "not-allowed"),
        ("'é' == properties.x and y", 25, "unknown-name"),
        ("(lambda: 1)()", 1, "not-allowed"),
        ("[x for x in properties.y]", 1, "not-allowed"),
        ("f'{properties.x}'", 1, "not-allowed"),
        ("(x := 1)", 2, "not-allowed"),
        ("count(*properties.x)", 7, "bad-argument"),
        ("2 ** 99", 1, "not-allowed"),
        ("~1", 1, "not-allowed"),
        ("b'x'", 1, "not-allowed"),
        ("'a'.upper()", 1, "not-allowed"),
        ("[1, 2]", 1, "not-allowed"),
        ("{'a': 1}", 1, "not-allowed"),
        ("properties.x is 1", 1, "not-allowed"),
        ("properties.x == 1 # why", 19, "not-allowed"),
        ("'a\\n' == 'b'", 3, "not-allowed"),
        ("properties.x in [properties.y]", 18, "not-allowed"),
        ("properties", 1, "bad-argument"),
        ("count", 1, "bad-argument"),
        ("count(properties.name)", 7, "bad-argument"),
        ("count('')", 7, "bad-argument"),
        ("count('x', 'y')", 1, "bad-argument"),
        ("count('x', since='1h')", 12, "bad-argument"),
        ("count('x', within=60)", 19, "bad-duration"),
        ("count('x', within='1 hour')", 19, "bad-duration"),
        ("visits('x', within='1h')", 13, "bad-argument"),
        ("properties[properties.x]", 1, "bad-argument"),
        ("properties.x > True", 1, "bad-comparison"),
        ("count('x') > 'a'", 1, "bad-comparison"),
        ("1e999 > properties.x", 1, "bad-number"),
        ("friction.scores > 0.6", 1, "unknown-name"),
        ("friction > 0.6", 1, "bad-argument"),
        ("friction('rag') > 0", 10, "unknown-name"),
        ("propensity() > 0.2", 1, "bad-argument"),
        ("propensity('$exit') > 0.2", 12, "bad-argument"),
        ("hazard('Order Completed') > 0.2", 1, "bad-argument"),
        ("churn(within='1d') > 0.2", 7, "bad-argument"),
        ("properties.x >", 15, "syntax"),
        ("9in properties.x", 2, "syntax"),
        (" 0xfor properties.x", 5, "syntax"),
        ("properties.x == 1.if 1 else 2", 19, "syntax"),
        ("", 1, "syntax"),
        ("   ", 1, "syntax"),
    ],
)
def test_what_is_not_of_the_language_is_refused_at_its_column(text: str, column: int, code: str) -> None:
    """A message that does not say where costs an author minutes."""
    problems = refused(text)
    assert (problems[0].line, problems[0].column, problems[0].code) == (1, column, code)


def test_a_problem_in_a_later_line_is_found_there() -> None:
    """Long guards are written over several lines."""
    assert [(each.line, each.column) for each in refused("properties.x == 1\n  and nope")] == [(2, 7)]


def test_all_problems_of_one_expression_are_told() -> None:
    """An author corrects them in one go."""
    assert [each.column for each in refused("nope and 1 < nada('x') and properties.x")] == [1, 14]


def test_a_misspelt_name_comes_with_the_nearest_one() -> None:
    """Most unknown names are typing errors."""
    assert refused("propertis.x")[0].message == "unknown name 'propertis'; did you mean 'properties'?"


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("count('x') => 3", "write >= instead of =>"),
        ("trait.name = 'a'", "write == instead of ="),
        ("trait.name = '=>'", "write == instead of ="),
        ("trait.a && trait.b", "write and instead of &&"),
        ("trait.a || trait.b", "write or instead of ||"),
        ("!trait.a", "write not instead of !"),
        ("trait.a === 1", "write == instead of ==="),
        ("trait.a <> 1", "write != instead of <>"),
        ("count('x') >", "something is missing at its end"),
    ],
)
def test_what_other_languages_write_is_answered_with_the_word_here(text: str, advice: str) -> None:
    """ "invalid syntax" alone sends an author to a search engine."""
    assert refused(text)[0].message == f"this is not an expression: invalid syntax; {advice}"


def test_hidden_names_say_why() -> None:
    """At the entry there is no entry yet."""
    with pytest.raises(DefinitionError, match="nobody has entered yet"):
        compile_expression("entry.key == 1", hidden={"entry": "nobody has entered yet"})


@pytest.mark.parametrize(
    "text",
    [
        "(" * 3_000 + "1" + ")" * 900,
        "(" * 150 + "1" + ")" * 150 + " and " + "not " * 500 + "1",
        "-" * 3_999 + "1",
        "1" + " + 1" * 900,
        "properties" + ".a" * 1_900,
        "x" * 1_000_000,
        "9" * 3_999,
        "\x00",
        "\ud800",
        "1 if 1 else " * 300 + "1",
        "properties.x[" * 300 + "1" + "]" * 300,
    ],
)
def test_huge_and_deep_expressions_are_refused(text: str) -> None:
    """Untrusted text must not exhaust stack or memory."""
    refused(text)


def test_the_deepest_accepted_expression_still_compiles() -> None:
    """Generated code nests brackets deeper than its source; Python's parser takes 200."""
    text = "properties.x"
    for _ in range(MAX_DEPTH // 2 - 1):
        text = f"(0 < -({text}) < 9)"
    assert compile_expression(text).call(SCOPE) is False


@pytest.mark.parametrize(
    ("text", "never", "always"),
    [
        ("false", True, False),
        ("properties.x and 1 > 2", True, False),
        ("not (properties.x or true)", True, False),
        ("true or properties.x", False, True),
        ("1 + 1 == 2", False, True),
        ("properties.x", False, False),
    ],
)
def test_what_cannot_change_is_known_before_it_runs(text: str, never: bool, always: bool) -> None:
    """`check` refuses ways that nobody can take."""
    compiled = analyse(text)
    assert (compiled.is_never_true, compiled.is_always_true) == (never, always)


NAMES = st.sampled_from(["a", "b", "c d", "items"])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([10**400, -(2**63), 2**1030])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "a", "b", "Ab", "pro"])
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, JSON, max_size=4)
SCOPES = st.builds(
    PlainScope,
    properties=OBJECTS,
    traits=OBJECTS,
    entry=st.fixed_dictionaries({}, optional={"properties": OBJECTS, "key": LEAVES}),
    session=st.fixed_dictionaries({}, optional={"n_events": st.integers(0, 9)}),
    active=st.frozensets(st.sampled_from(["a", "b"])),
    counts=st.dictionaries(
        st.tuples(st.sampled_from("AB"), st.sampled_from([None, 3_600_000])), st.integers(0, 5)
    ),
    ages=st.dictionaries(st.sampled_from("AB"), st.floats(0, 1e6)),
    steps=st.dictionaries(st.sampled_from("AB"), st.integers(0, 5)),
    variants=st.dictionaries(st.sampled_from("AB"), st.sampled_from(["a", "b"])),
    has_regressed=st.booleans(),
)

ATOMS = st.sampled_from(
    [
        *[
            "properties.a",
            "properties['c d']",
            "properties.a.b",
            "properties.items[0]",
            "properties.items[-1].a",
        ],
        *[
            "trait.a",
            "traits.b",
            "entry.key",
            "entry.properties.a",
            "session.n_events",
            "true",
            "null",
            "None",
        ],
        *[
            "0",
            "1",
            "1.0",
            "2.5",
            "True",
            "False",
            "''",
            "'a'",
            "'pro'",
            "count('A')",
            "count('B', within='1h')",
        ],
        *["since('A')", "visits('A')", "loops('B')", "regressed()", "variant('A')", "In('a')"],
    ]
)


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "not in"])
    signs = st.sampled_from(["+", "-", "*", "/", "%"])
    lists = st.lists(st.sampled_from(["0", "1", "True", "None", "'a'", "'b'", "2.5"]), min_size=1, max_size=3)
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("(not {})".format, inner),
        st.builds("(-{})".format, inner),
        st.builds("({} {} {})".format, inner, operators, inner),
        st.builds("({} {} {} {} {})".format, inner, operators, inner, operators, inner),
        st.builds("({} {} {})".format, inner, signs, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("({} is {}None)".format, inner, st.sampled_from(["", "not "])),
        st.builds("({} in [{}])".format, inner, lists.map(", ".join)),
        st.builds("{}({})".format, st.sampled_from(["lower", "len", "minutes", "days"]), inner),
    )


EXPRESSIONS = st.recursive(ATOMS, _grown, max_leaves=12)


@settings(max_examples=tries(300), deadline=None)
@given(text=EXPRESSIONS, scope=SCOPES)
def test_compiled_code_agrees_with_a_naive_evaluator(text: str, scope: PlainScope) -> None:
    """The generated Python takes short cuts; they must not show."""
    expression, found = compiled_or_refused(text)
    assert {problem.code for problem in found} <= {"bad-comparison", "too-deep"}
    assert expression is None or _alike(expression.call(scope), evaluate(text, scope))


@settings(max_examples=tries(150), deadline=None)
@given(text=EXPRESSIONS, scope=SCOPES)
def test_what_is_known_beforehand_is_true(text: str, scope: PlainScope) -> None:
    """A way taken for impossible must be impossible."""
    try:
        compiled = analyse(text)
    except DefinitionError:
        return
    value = bool(evaluate(text, scope))
    assert not (compiled.is_never_true and value)
    assert not (compiled.is_always_true and not value)


PIECES = st.sampled_from(
    [*"()[]{}.,'\"#:=<>!*+-/%~@\n \\", "not", " in ", "properties.a", "lambda", "9", "in", "0x", "or"]
)


@settings(max_examples=tries(300), deadline=None)
@given(st.text(max_size=60) | st.lists(PIECES).map("".join))
def test_any_text_is_refused_or_runs(text: str) -> None:
    """Law 8: a bad definition is refused with its line; nothing else happens."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # what Python warns of has been refused before
        expression, found = compiled_or_refused(text)
    assert all(problem.line >= 1 and problem.column >= 1 and problem.code for problem in found)
    if expression is not None:
        expression.call(SCOPE)


def compiled_or_refused(text: str) -> tuple[Expression | None, list[Problem]]:
    """Return the expression, or what is wrong with it."""
    try:
        return compile_expression(text), []
    except DefinitionError as error:
        return None, error.problems


def refused(text: str) -> list[Problem]:
    """Return what is wrong with a text that must be refused."""
    with pytest.raises(DefinitionError) as caught:
        compile_expression(text)
    return caught.value.problems


def _alike(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return left == right or math.isclose(left, right)
    return type(left) is type(right) and left == right
