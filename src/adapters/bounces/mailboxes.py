"""The messages of a file, one after the other, whatever its size and whoever wrote them."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from application.ports.bounces import NoMailbox

MOST_BYTES = 256 * 1024
"""What is read of one message: a report stands at its beginning."""

_LINE = 64 * 1024


def messages_of(place: Path) -> Iterator[bytes]:
    """Of an mbox file, a Maildir folder, or a file with one message; the beginning of each. Raises `NoMailbox`, then
    and later."""
    try:
        if place.is_dir():
            yield from _maildir(place)
        elif place.is_file():
            with place.open("rb") as file:
                yield from _mbox(file) if file.peek(5)[:5] == b"From " else [file.read(MOST_BYTES)]
        else:
            raise NoMailbox("no such file")
    except OSError as trouble:
        raise NoMailbox(trouble.strerror or "it cannot be read") from None


def _maildir(folder: Path) -> Iterator[bytes]:
    parts = [folder / name for name in ("new", "cur")]
    if not all(part.is_dir() for part in parts):
        raise NoMailbox("a folder without `new` and `cur` is no Maildir")
    for part in parts:
        for file in sorted(part.iterdir()):
            if file.is_file():
                with file.open("rb") as message:
                    yield message.read(MOST_BYTES)


def _mbox(file: IO[bytes]) -> Iterator[bytes]:
    """Split where a line after an empty one begins with `From ` (RFC 4155); no line is held whole that is longer than
    it may be."""
    kept, size, after_blank, line_begins = bytearray(), 0, False, True
    file.readline(_LINE)
    while line := file.readline(_LINE):
        if line_begins and after_blank and line.startswith(b"From "):
            yield bytes(kept)
            kept, size, after_blank = bytearray(), 0, False
            continue
        if size < MOST_BYTES:
            kept += line
            size += len(line)
        after_blank = line_begins and line in (b"\n", b"\r\n")
        line_begins = line.endswith(b"\n")
    yield bytes(kept)
