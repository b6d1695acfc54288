"""Files as people have them: plain or packed by gzip, and not always what their name says."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from pathlib import Path
from typing import IO, cast

from adapters.transfer.rows import MOST_IN_A_ROW
from application.ports.transfer import SourceUnreadable

_GZIP = b"\x1f\x8b"
_HEAD = 4096

_NOT_READ = (
    (b"PGDMP", "is a dump in PostgreSQL's own format; make one with pg_dump --format=plain"),
    (b"toc.dat", "is a dump in tar format; make one with pg_dump --format=plain"),
    (b"PK\x03\x04", "is a zip archive; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "is packed with zstd; unpack it first"),
    (b"\xfd7zXZ", "is packed with xz; unpack it first"),
    (b"\xff\xfe", "is UTF-16, as some shells write what is sent to a file; let the program write it (pg_dump --file)"),
    (b"\xfe\xff", "is UTF-16; write it as UTF-8"),
)
_SQL = ("--", "SET ", "COPY ", "INSERT ", "CREATE ", "BEGIN", "PRAGMA ", "SELECT ", "ALTER ", "/*", "\\")


class Kind(Enum):
    """What a file is."""

    SQLITE = auto()
    SQL = auto()
    JSON = auto()
    CSV = auto()


def kind_of(path: Path) -> Kind:
    """By what it begins with, and by its name where that says nothing. Raises `SourceUnreadable`."""
    with unpacked(path) as file:
        head = file.read(_HEAD)
        packed = isinstance(file, gzip.GzipFile)
    for magic, sentence in _NOT_READ:
        if head.startswith(magic):
            raise SourceUnreadable(f"{path} {sentence}.")
    if head.startswith(b"SQLite format 3\0"):
        if packed:
            raise SourceUnreadable(f"{path} is an SQLite file packed with gzip; unpack it first.")
        return Kind.SQLITE
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().decode(errors="replace")
    if not text:
        raise SourceUnreadable(f"{path} is empty.")
    if text[0] in "{[":
        return Kind.JSON
    if text.upper().startswith(_SQL) or ".sql" in path.suffixes:
        return Kind.SQL
    return Kind.CSV


@contextmanager
def unpacked(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes. Raises `SourceUnreadable`, also for what goes wrong while it is read."""
    try:
        if not path.is_file():
            raise SourceUnreadable(f"{path} is {'no file' if path.exists() else 'not there'}.")
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP
        with cast(IO[bytes], gzip.GzipFile(path)) if packed else path.open("rb") as file:
            yield file
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise SourceUnreadable(f"{path} is packed with gzip, and damaged or cut off.") from None
    except OSError as error:
        raise SourceUnreadable(f"{path} cannot be read: {error.strerror or 'input/output error'}.") from None


def lines_of(path: Path, file: IO[bytes]) -> Iterator[bytes]:
    """Line by line, each with its end, without a byte order mark. Raises `SourceUnreadable` where there is no end."""
    number = 0
    while line := file.readline(MOST_IN_A_ROW):
        number += 1
        if len(line) >= MOST_IN_A_ROW:
            raise SourceUnreadable(f"{path}, line {number}: longer than {MOST_IN_A_ROW // 1024**2} MiB.")
        yield line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
