"""JSON documents larger than memory: the entries of one list in them, one at a time. ijson reads the JSON."""

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import ijson

from adapters.transfer.json_values import plain
from application.ports.transfer import SourceUnreadable

Way = tuple[str | None, ...]
"""Where a list stands: the names that lead to it; None for a place in an outer list."""

_CHUNK = 64 * 1024
_LARGEST = 1024 * 1024
"""Characters of one entry, and bytes of one value."""
_DEEPEST = 32
_OUTERMOST = 512


@dataclass(frozen=True, slots=True)
class Skipped:
    """An entry that nobody should hold in memory."""

    reason: str


async def entries(path: Path, ways: Collection[Way], what: str) -> AsyncIterator[tuple[int, object]]:
    """Every entry of the list that stands at one of these ways, with its number from 1: the stream knows no lines.
    Numbers that JSON elsewhere could not hold come as text. `what` the list holds is for the operator. Raises
    `SourceUnreadable` when there is no such list, when there are two, and at the place where it is no JSON."""
    try:
        file = await asyncio.to_thread(path.open, "rb")
    except OSError as error:
        raise SourceUnreadable(f"{path} cannot be opened: {error.strerror}.") from None
    with file:
        reading = _Reading(file, path, frozenset(ways), what)
        number = 0
        while (found := await asyncio.to_thread(reading.more)) is not None:
            for entry in found:
                number += 1
                yield number, entry
    if not reading.lists:
        raise SourceUnreadable(f"{path} holds no list of {what}.")


class _Reading:
    """A document, chunk by chunk."""

    def __init__(self, file: BinaryIO, path: Path, ways: frozenset[Way], what: str) -> None:
        self._file, self._path, self._ways, self._what = file, path, ways, what
        self._events: list[tuple[str, Any]] = ijson.sendable_list()
        self._parser = ijson.basic_parse_coro(self._events)
        self._read = self._without_event = self._count = 0
        self._outer: list[tuple[str | None, bool]] = []  # the open containers around the list: place, and a list?
        self._key: str | None = None
        self._inner: list[Any] = []  # the open containers of an entry
        self._keys: list[object] = []
        self._size = self._depth = 0
        self._skip = ""
        self.lists = 0

    def more(self) -> list[object] | None:
        """The entries that end in the next chunk; None after the last chunk."""
        try:
            chunk = self._file.read(_CHUNK)
        except OSError as error:
            raise SourceUnreadable(f"{self._path} cannot be read: {error.strerror}.") from None
        if not self._read:
            chunk = chunk.removeprefix(b"\xef\xbb\xbf")
        self._read += len(chunk)
        self._parse(chunk)
        found: list[object] = []
        for kind, value in self._events:
            if self._depth:
                self._inside(kind, value, found)
            else:
                self._outside(kind, value, found)
        self._without_event = 0 if self._events else self._without_event + len(chunk)
        if self._without_event > _LARGEST:
            raise self._unreadable(f"holds a value of more than {_LARGEST} bytes")
        self._events.clear()
        self._count += len(found)
        return found if chunk else None

    def _parse(self, chunk: bytes) -> None:
        try:
            self._parser.send(chunk) if chunk else self._parser.close()
        # What the parser says quotes the text around the place, and hashes are text. A number too long for a Python
        # integer is a SystemError; the events of that chunk are then never looked at.
        except (ijson.JSONError, ArithmeticError, ValueError, SystemError):
            self._events.clear()
            raise self._unreadable("is no JSON" if chunk else "ends in the middle") from None

    def _unreadable(self, fault: str) -> SourceUnreadable:
        place = f"after {self._count} {self._what}, within the {_CHUNK // 1024} KiB before byte {self._read}"
        return SourceUnreadable(f"{self._path} {fault}, {place}.")

    def _outside(self, kind: str, value: Any, found: list[object]) -> None:
        if kind == "map_key":
            self._key = value
            return
        if kind in ("end_map", "end_array"):
            self._outer.pop()
            return
        in_list = bool(self._outer) and self._outer[-1][1]
        if in_list and len(self._outer) <= 3 and self._way() in self._ways:
            self._size, self._skip = 0, ""
            self._inside(kind, value, found)
        elif kind in ("start_map", "start_array"):
            if len(self._outer) >= _OUTERMOST:
                raise self._unreadable(f"nests more than {_OUTERMOST} levels")
            self._outer.append((None if in_list else self._key, kind == "start_array"))
            if kind == "start_array" and len(self._outer) <= 3 and self._way() in self._ways:
                self.lists += 1
                if self.lists > 1:
                    raise self._unreadable(f"holds a second list of {self._what}, where one is expected")

    def _way(self) -> Way:
        return tuple(place for place, _ in self._outer[1:])

    def _inside(self, kind: str, value: Any, found: list[object]) -> None:
        if kind == "map_key":
            self._grow(len(value))
            if not self._skip:
                self._keys[-1] = plain(value)
        elif kind in ("start_map", "start_array"):
            self._depth += 1
            self._grow(0)
            if self._depth > _DEEPEST:
                self._give_up(f"nests more than {_DEEPEST} levels")
            if not self._skip:
                opened: Any = {} if kind == "start_map" else []
                if self._inner:
                    self._put(opened)
                self._inner.append(opened)
                self._keys.append(None)
        elif kind in ("end_map", "end_array"):
            self._depth -= 1
            if not self._skip:
                self._keys.pop()
                value = self._inner.pop()
            if not self._depth:
                found.append(Skipped(self._skip) if self._skip else value)
        else:
            self._grow(len(value) if isinstance(value, str) else 0)
            if not self._depth:
                found.append(plain(value))
            elif not self._skip:
                self._put(plain(value))

    def _put(self, value: object) -> None:
        into = self._inner[-1]
        if isinstance(into, dict):
            into[self._keys[-1]] = value
        else:
            into.append(value)

    def _grow(self, size: int) -> None:
        self._size += size + 8
        if self._size > _LARGEST:
            self._give_up(f"is larger than {_LARGEST} characters")

    def _give_up(self, reason: str) -> None:
        self._skip = self._skip or reason
        self._inner.clear()
        self._keys.clear()
