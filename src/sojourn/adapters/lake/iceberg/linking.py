"""Links: a data folder that stands for a cluster's lake, so that whatever asks a folder asks that.

`lake/iceberg.json` has where the catalogue is; of secrets it names the variables.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from sojourn.adapters.lake.durable import replace_file
from sojourn.adapters.lake.iceberg.catalogue import Place
from sojourn.model.errors import ConfigError

LINK = "iceberg.json"


def read_link(lake: Path) -> Place | None:
    """Return the place that the folder of a lake stands for; None where it is a lake itself, or nothing."""
    path = lake / LINK
    try:
        return msgspec.json.decode(path.read_bytes(), type=Place)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except msgspec.DecodeError as error:
        raise ConfigError(
            f"{path}: is not ours ({error}); write it anew with `sojourn cluster lake link` [lake-link]"
        ) from None


def write_link(lake: Path, place: Place) -> Path:
    """Let the folder of a lake stand for a place; raises ConfigError where it is a lake itself."""
    if (lake.parent / "log.db").exists() or (lake / "progress.json").exists():
        raise ConfigError(f"{lake.parent}: has data of its own; name another folder with --data [lake-link]")
    try:
        lake.mkdir(parents=True, exist_ok=True)
        replace_file(lake / LINK, msgspec.json.format(msgspec.json.encode(place), indent=2) + b"\n")
    except OSError as error:
        raise ConfigError(f"{lake / LINK}: cannot be written ({error.strerror}) [lake-link]") from None
    return lake / LINK
