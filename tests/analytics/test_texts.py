"""Texts: a file that cannot be read is named, with what it was to hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from sojourn.analytics.texts import read_text
from sojourn.model.errors import ConfigError


def test_a_text_is_read_as_utf_8(tmp_path: Path) -> None:
    """Whatever the machine's own encoding is."""
    (tmp_path / "rules.yaml").write_bytes("steps: {}  # für alle".encode())
    assert read_text(tmp_path / "rules.yaml", "these step rules") == "steps: {}  # für alle"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none", "none: these rules cannot be read: there is no such file; name another"),
        ("folder", "folder: these rules cannot be read ("),
        ("latin", "latin: these rules cannot be read ('utf-8' codec"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(tmp_path: Path, name: str, message: str) -> None:
    """No such file, a folder, another encoding."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin").write_bytes(b"f\xfcr")
    with pytest.raises(ConfigError) as refused:
        read_text(tmp_path / name, "these rules", otherwise="name another")
    assert message in str(refused.value)
