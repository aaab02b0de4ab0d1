"""The package as npm would bring it: in a strict project, a bundler, and a server without pages."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.sdk.pages import DIST, MODULES

USE = """
import { load, type Sojourn } from "@sojourn/browser";
import { autocapture } from "@sojourn/browser/autocapture";
import { SojournProvider } from "@sojourn/browser/openfeature";
import { vitals } from "@sojourn/browser/vitals";

export const sojourn: Sojourn = load("dev", { host: "https://events.example.com" });
autocapture(sojourn, { rage: "posthog" });
vitals(sojourn);
sojourn.identify("ada", { plan: "pro" });
sojourn.track("Checkout Started", { cart_id: "c-1" });
new SojournProvider({ url: "https://events.example.com", key: "page", sojourn });
"""
WRONG = """
// @ts-expect-error: no such option
load("dev", { host: "https://events.example.com", nothing: 1 });
// @ts-expect-error: a name is a text
sojourn.track(7);
// @ts-expect-error: no such rule
autocapture(sojourn, { rage: "nobody's" });
"""
STRICT = (
    "--noEmit",
    "--strict",
    "--skipLibCheck",
    "--target",
    "es2022",
    "--lib",
    "es2022,dom",
    "--module",
    "nodenext",
)
BUNDLE = """
import { build } from "VITE"
const lib = { entry: "script.js", formats: ["es"] }
const [{ output }] = await build({ configFile: false, logLevel: "silent", build: { write: false, lib } })
console.log(output[0].code.length)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a project that depends on the package, and on nothing else."""
    if not (DIST / "index.d.ts").exists() or not (MODULES / "typescript").is_dir():
        pytest.skip("the browser SDK is not built: make studio")
    scope = tmp_path / "node_modules/@sojourn"
    scope.mkdir(parents=True)
    (scope / "browser").symlink_to(DIST.parent)
    (tmp_path / "package.json").write_text('{ "type": "module" }', encoding="utf-8")
    return tmp_path


def node(project: Path, *args: str) -> str:
    """Run Node in a project; return what it says, or fail with it."""
    found = shutil.which("node", path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip("the environment has no Node of its own: make test brings one")
    done = subprocess.run(
        [found, *args], cwd=project, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_strict_project_of_node_modules_has_its_types(project: Path) -> None:
    """What is right compiles, and what is wrong does not: types that were not found would be `any`."""
    (project / "use.ts").write_text(USE + WRONG, encoding="utf-8")
    node(project, str(MODULES / "typescript/bin/tsc"), *STRICT, "use.ts")


def test_a_server_without_pages_may_import_and_run_it(project: Path) -> None:
    """And sees one way in."""
    code = USE.replace(", type Sojourn", "").replace(": Sojourn", "")
    names = 'console.log(Object.keys(await import("@sojourn/browser")).join())'
    (project / "use.mjs").write_text(code + names, encoding="utf-8")
    assert node(project, "use.mjs").strip() == "load"


def test_a_bundler_keeps_the_script_that_is_imported_for_what_it_does(project: Path) -> None:
    """The modules are free of side effects, the scripts are nothing else."""
    (project / "script.js").write_text('import "@sojourn/browser/sojourn.min.js"', encoding="utf-8")
    code = BUNDLE.replace("VITE", (MODULES / "vite/dist/node/index.js").as_uri())
    n_chars = int(node(project, "--input-type=module", "--eval", code))
    assert n_chars > (DIST / "sojourn.min.js").stat().st_size / 2
