"""Lines: a text file's lines as a stream, unpacked where it is packed, none longer than a bound."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sojourn.model.errors import InputError

LINE_BYTES = 1_048_576  # 1 MiB: 32 times what Segment lets one event weigh.
READ_BYTES = 262_144  # Larger reads were not faster.

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class Lines:
    """A file's lines, and how far the reading is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO = path.open("rb")
        self.total_bytes = path.stat().st_size
        self.number = 0
        """Of the line last returned, from 1."""

    @property
    def read_bytes(self) -> int:
        """How many of the file's own (packed) bytes are read."""
        return self._file.tell()

    def __iter__(self) -> Iterator[bytes]:
        """Yield each line without its end; one that is too long yields its first `LINE_BYTES` + 1 bytes.

        Raises:
            InputError: The file is no text of UTF-8, or its packing is damaged.
        """
        stream = self._unpacked()
        try:
            for line in self._each(stream):
                self.number += 1
                yield line
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(
                "damaged-file",
                f"its packing is damaged after line {self.number} ({error}); nothing was imported",
                path=self._path.name,
            ) from None

    def close(self) -> None:
        """Release the file."""
        self._file.close()

    def _unpacked(self) -> BinaryIO:
        """Tell packing by its first bytes: names lie."""
        start = self._file.read(2)
        self._file.seek(0)
        if start == _GZIP:
            unpacked = gzip.GzipFile(fileobj=self._file)
            return io.BufferedReader(unpacked, READ_BYTES)
        return self._file

    def _each(self, stream: BinaryIO) -> Iterator[bytes]:
        line = stream.readline(LINE_BYTES + 1)
        if line.startswith(_UTF_16):
            raise InputError(
                "bad-encoding",
                "is UTF-16; write it as UTF-8 (iconv -f UTF-16 -t UTF-8)",
                path=self._path.name,
            )
        line = line.removeprefix(_BOM)
        while line:
            if line.endswith(b"\n"):
                yield line[:-2] if line.endswith(b"\r\n") else line[:-1]
            else:
                yield line
                while len(line) > LINE_BYTES and not line.endswith(b"\n"):
                    line = stream.readline(LINE_BYTES + 1)
            line = stream.readline(LINE_BYTES + 1)
