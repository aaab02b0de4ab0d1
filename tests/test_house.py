"""House rules: what the documents at the root promise of the whole tree, held by tests."""

from __future__ import annotations

import ast
import importlib
import json
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PURE_ROOMS = ("model", "definitions", "engine")
PLACES = ("src", "tests", "demo", "bench", "docs", "examples", ".ci", ".github", "web")
NOT_OURS = {"__pycache__", "node_modules", "dist", "build"}

FILE_LINES = 500  # near it, a file splits by meaning
FUNCTION_LINES = 50  # without the docstring: a promise may be long
POSITIONAL_PARAMETERS = 4  # more are keyword-only, and spelled out at the call

# fmt: off
IMPURE_MODULES = frozenset([
    "asyncio", "concurrent", "glob", "logging", "multiprocessing", "os", "pathlib", "random", "secrets",
    "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time",
    "urllib.request", "uuid",
])
# fmt: on
IMPURE_BUILTINS = frozenset({"open", "input", "print", "__import__"})
IMPURE_METHODS = frozenset(
    {"now", "utcnow", "today", "open"}
)  # of datetime and date; of io, where text lives too

UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
# Home folders, and what the machine this was first written on calls its own.
MACHINE = re.compile(
    "|".join(["/wo" + "rk/", r"/ho" + r"me/\w+/", "/ro" + "ot/", "/Us" + "ers/", "fa" + "rm-"])
)

LICENCES = frozenset(
    [
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "ISC",
        "MIT",
        "MIT-0",
        "PSF-2.0",
        "Zlib",
    ]
)
# A copyleft that ends at the borders of its own files: fine for what we use unmodified, not for what we copy.
LICENCES_OF_UNMODIFIED = {"certifi": "MPL-2.0", "hypothesis": "MPL-2.0", "pathspec": "MPL-2.0"}
# Fonts; the public domain; and one file of its own, used unmodified under the first of its two licences.
LICENCES_OF_THE_STUDIO = {"OFL-1.1", "Unlicense", "EPL-2.0 OR GPL-3.0-or-later"}


def files(*suffixes: str) -> list[Path]:
    """List the project's own files with one of these suffixes, in a steady order."""
    found = [path for path in ROOT.iterdir() if path.is_file()]
    for place in PLACES:
        found += [
            path for path in (ROOT / place).rglob("*") if path.is_file() and not NOT_OURS & set(path.parts)
        ]
    return sorted(path for path in found if path.suffix in suffixes)


def name_of(path: Path) -> str:
    """Name a file as a message should."""
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    """Parse one file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=name_of(path))


def functions(path: Path) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef, bool]]:
    """Yield (place, function, whether it is a method with a receiver) for each function in a file."""
    for parent in ast.walk(tree_of(path)):
        for node in ast.iter_child_nodes(parent):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                is_static = any(
                    isinstance(name, ast.Name) and name.id == "staticmethod" for name in node.decorator_list
                )
                yield (
                    f"{name_of(path)}:{node.lineno} {node.name}",
                    node,
                    isinstance(parent, ast.ClassDef) and not is_static,
                )


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, module) for each import in a file."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, node.module or ""


def pure_files(*rooms: str) -> list[Path]:
    """List the source files of some rooms."""
    return [path for room in rooms for path in sorted((ROOT / "src/sojourn" / room).rglob("*.py"))]


def project() -> dict[str, Any]:
    """Read pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def distribution_name(requirement: str) -> str:
    """Take the normalised name out of a requirement: `ua_parser[regex]>=1` is `ua-parser`."""
    return normalised(re.split(r"[\s\[<>=!~;(]", requirement.strip(), maxsplit=1)[0])


def normalised(name: str) -> str:
    """Write a distribution's name as PEP 503 does."""
    return re.sub(r"[-_.]+", "-", name).lower()


def our_requirements() -> set[str]:
    """Name every distribution that pyproject.toml asks for."""
    groups = project()["dependency-groups"].values()
    extras = project()["project"]["optional-dependencies"].values()
    wanted = [*project()["project"]["dependencies"], *project()["build-system"]["requires"]]
    wanted += [line for extra in extras for line in extra]
    return {distribution_name(line) for line in [*wanted, *(line for group in groups for line in group)]}


def locked() -> set[str]:
    """Name every distribution in uv.lock, ours excepted."""
    packages = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    return {normalised(package["name"]) for package in packages} - {"sojourn"}


def recorded_licences() -> dict[str, str]:
    """Read THIRD_PARTY.md: distribution -> its licence expression."""
    rows = re.findall(
        r"^\| ([\w.-]+) \| ([^|]+) \|", (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8"), re.M
    )
    return {normalised(name): licence.strip() for name, licence in rows if name not in ("Package", "---")}


def declared_licence(distribution: metadata.Distribution) -> str:
    """Return what a distribution says of its own licence, in all the places it may say it."""
    tags = distribution.metadata
    classifiers = [line for line in tags.get_all("Classifier") or [] if line.startswith("License")]
    return " ".join([tags.get("License-Expression") or "", (tags.get("License") or "")[:200], *classifiers])


def test_every_file_opens_with_a_sentence_that_names_its_room() -> None:
    """A reader who opens any file knows where they are (style, rule 1)."""
    written = [
        path for path in files(".py") if path.stat().st_size
    ]  # an empty __init__.py has nothing to say
    assert [name_of(path) for path in written if not ast.get_docstring(tree_of(path))] == []


def test_no_file_is_longer_than_the_wall() -> None:
    """A file that grows past it holds two subjects."""
    long = {
        name_of(path): n
        for path in files(".py")
        if (n := len(path.read_text("utf-8").splitlines())) > FILE_LINES
    }
    assert long == {}


def test_no_two_modules_of_the_web_differ_by_their_capitals_alone() -> None:
    """Where a file system tells no capitals apart, `./Tail` would import `tail.ts`."""
    modules = [name_of(path).rpartition(".")[0] for path in files(".ts", ".tsx")]
    assert [name for name, n in Counter(name.lower() for name in modules).items() if n > 1] == []


def test_no_function_is_longer_than_the_wall() -> None:
    """What does not fit a screen does not fit a head."""
    long = {}
    for path in files(".py"):
        for place, node, _ in functions(path):
            first = node.body[0]
            is_documented = ast.get_docstring(node) is not None
            promise = (first.end_lineno or first.lineno) - first.lineno + 1 if is_documented else 0
            lines = (node.end_lineno or node.lineno) - node.lineno + 1 - promise
            if lines > FUNCTION_LINES:
                long[place] = lines
    assert long == {}


def test_no_function_takes_more_positional_parameters_than_one_remembers() -> None:
    """At the call, a fifth bare value says nothing; tests take fixtures by name and are spared."""
    crowded = {}
    for path in files(".py"):
        if path.is_relative_to(ROOT / "tests"):
            continue
        for place, node, is_method in functions(path):
            n_positional = len(node.args.posonlyargs) + len(node.args.args) - is_method
            if n_positional > POSITIONAL_PARAMETERS:
                crowded[place] = n_positional
    assert crowded == {}


def test_no_function_hides_a_boolean_among_positional_parameters() -> None:
    """`close(True)` makes every reader look it up."""
    hidden = []
    for path in files(".py"):
        for place, node, _ in functions(path):
            parameters = [*node.args.posonlyargs, *node.args.args]
            hidden += [
                f"{place}({one.arg})"
                for one in parameters
                if isinstance(one.annotation, ast.Name)
                and one.annotation.id == "bool"
                and not path.is_relative_to(ROOT / "tests")
                and not is_command_line(path)
            ]
    assert hidden == []


def is_command_line(path: Path) -> bool:
    """Tell the command line's files: Typer reads flags off positional parameters, and calls them by name."""
    return path.is_relative_to(ROOT / "src/sojourn/cli")


def test_pure_rooms_touch_neither_clock_nor_chance_nor_world() -> None:
    """Law 1 and 2: what is replayed must not be able to ask twice."""
    touched = []
    for path in pure_files(*PURE_ROOMS):
        for line, module in imported(path):
            if module in IMPURE_MODULES or module.partition(".")[0] in IMPURE_MODULES:
                touched.append(f"{name_of(path)}:{line} imports {module}")
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call):
                called = node.func
                if isinstance(called, ast.Name) and called.id in IMPURE_BUILTINS:
                    touched.append(f"{name_of(path)}:{node.lineno} calls {called.id}")
                if isinstance(called, ast.Attribute) and called.attr in IMPURE_METHODS:
                    touched.append(f"{name_of(path)}:{node.lineno} calls .{called.attr}()")
    assert touched == []


def test_rooms_that_many_threads_share_know_what_they_read_before_they_run() -> None:
    """Tasks of a cluster are threads of one process. msgspec learns a type where it first meets it, and a
    second thread that meets it meanwhile reads through an empty place: the process ends.
    """
    late = [
        f"{name_of(path)}:{node.lineno} reads a type that no Decoder of the module has made ready"
        for path in pure_files("model", "definitions", "engine", "runtime/shards", "runtime/flink")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "decode"
        and any(given.arg == "type" for given in node.keywords)
    ]
    assert late == []


def test_the_nouns_and_the_engine_import_the_standard_library_and_msgspec_only() -> None:
    """They must run wherever a Python runs: inside Flink's too."""
    allowed = sys.stdlib_module_names | {"msgspec", "sojourn"}
    foreign = [
        f"{name_of(path)}:{line} imports {module}"
        for path in pure_files("model", "engine")
        for line, module in imported(path)
        if module.partition(".")[0] not in allowed
    ]
    assert foreign == []


def test_the_floors_know_every_library_we_depend_on() -> None:
    """A new dependency must not slip under the contract that keeps the engine pure."""
    contracts = {contract["id"]: contract for contract in project()["tool"]["importlinter"]["contracts"]}
    modules = {"python-dateutil": "dateutil", "python-liquid": "liquid", "pyyaml": "yaml"}
    extras = project()["project"]["optional-dependencies"].values()
    lines = [*project()["project"]["dependencies"], *(line for extra in extras for line in extra)]
    ours = {distribution_name(line) for line in lines} - {"msgspec"}
    expected = {modules.get(name, name.replace("-", "_")) for name in ours}
    assert set(contracts["pure-libraries"]["forbidden_modules"]) == expected


@pytest.mark.parametrize("pattern", [UNFINISHED, MACHINE], ids=["unfinished", "machine"])
def test_no_file_carries_a_trace_that_only_its_writer_understands(pattern: re.Pattern[str]) -> None:
    """Promises to oneself and paths of one's machine mean nothing to a stranger."""
    suffixes = (".py", ".md", ".toml", ".yaml", ".yml", ".json", ".svg", ".ts", ".tsx", ".html", ".css", "")
    traces = [
        f"{name_of(path)}:{n}: {line.strip()[:80]}"
        for path in files(*suffixes)
        for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]
    assert traces == []


def test_every_type_the_glossary_names_exists() -> None:
    """A word and its type have one meaning: a glossary that drifts is worse than none."""
    named = re.findall(r"\[`([\w.]+)`\]", (ROOT / "GLOSSARY.md").read_text(encoding="utf-8"))
    missing = []
    for path in named:
        module, _, name = path.rpartition(".")
        if not hasattr(importlib.import_module(f"sojourn.{module}"), name):
            missing.append(path)
    assert len(named) > 20
    assert missing == []


def test_the_changelog_has_a_place_for_what_comes_next() -> None:
    """Each change brings its sentence for a user."""
    assert re.search(r"^## Unreleased$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)


def test_the_licence_is_apache_in_full() -> None:
    """A licence cut short is another licence."""
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert len(text.splitlines()) == 202


def test_every_distribution_we_ask_for_is_recorded() -> None:
    """Whoever ships Sojourn must be able to say what is in it."""
    assert our_requirements() - recorded_licences().keys() == set()


def test_everything_locked_is_recorded_and_nothing_else() -> None:
    """What our libraries bring along is shipped too."""
    assert recorded_licences().keys() - our_requirements() == locked() - our_requirements()


def test_every_recorded_licence_is_one_we_accept() -> None:
    """Permissive only, but for the few that we use unmodified and name."""
    refused = {
        name: licence
        for name, licence in recorded_licences().items()
        if not set(re.split(r" (?:AND|OR) ", licence)) <= LICENCES
        and LICENCES_OF_UNMODIFIED.get(name) != licence
    }
    assert refused == {}


def test_no_installed_distribution_declares_another_licence_than_recorded() -> None:
    """A library may change its licence with a version: look, at each lock."""
    spellings = {"Apache-2.0": "apache", "MPL-2.0": "mpl", "PSF-2.0": "psf", "0BSD": "0bsd", "CC0-1.0": "cc0"}
    different = {}
    for distribution in metadata.distributions():
        licence = recorded_licences().get(normalised(distribution.name))
        declared = declared_licence(distribution)
        if licence is None or not declared.strip():
            continue
        words = [
            spellings.get(part, part.split("-")[0].lower()) for part in re.split(r" (?:AND|OR) ", licence)
        ]
        said = declared.lower().replace("permission is hereby granted, free of charge", "mit")
        if not any(word in said for word in words) or re.search(r"\b[AL]?GPL", declared):
            different[distribution.name] = (licence, declared)
    assert different == {}


def test_everything_the_studio_is_built_from_is_recorded_with_its_licence() -> None:
    """What is bundled into the wheel is shipped, whatever language it is in."""
    lock = json.loads((ROOT / "web/package-lock.json").read_text(encoding="utf-8"))
    shipped = {
        path.rpartition("node_modules/")[2]: package["license"]
        for path, package in lock["packages"].items()
        if path.startswith("node_modules/")
        and not {"dev", "devOptional", "optional", "peer", "link"} & package.keys()
    }
    rows = re.findall(
        r"^\| ([\w@/.-]+) \| ([^|]+) \|", (ROOT / "web/THIRD_PARTY.md").read_text(encoding="utf-8"), re.M
    )
    assert {name: licence for name, licence in rows if name not in ("Package", "---")} == shipped
    assert set(shipped.values()) <= LICENCES | LICENCES_OF_THE_STUDIO


def test_the_version_stands_in_one_place() -> None:
    """Two places disagree sooner or later."""
    assert project()["project"]["dynamic"] == ["version"]
    assert project()["tool"]["hatch"]["version"]["path"] == "src/sojourn/__init__.py"
    definition = re.compile(r"^__version__\s*=", re.M)
    assert [name_of(path) for path in files(".py") if definition.search(path.read_text("utf-8"))] == [
        "src/sojourn/__init__.py"
    ]
