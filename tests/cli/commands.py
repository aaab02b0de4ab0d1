"""Commands, run as somebody types them."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner

from sojourn.cli.app import app


def run(*arguments: str) -> Any:
    """Run a command."""
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def answer(*arguments: str) -> Any:
    """Run a command and read its last line, which must be JSON."""
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])
