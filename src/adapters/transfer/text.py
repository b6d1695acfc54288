"""A long text through a window, for grammars that know no lines."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from adapters.transfer.rows import MOST_IN_A_ROW
from application.ports.transfer import SourceUnreadable

_BLOCK = 256 * 1024
_SOON = 64 * 1024


class Text:
    """`buffer` holds what is ahead of `pos`, as far as it has been read; a line feed is added at the end.

    What is no UTF-8 stands there as half characters (`surrogateescape`).
    """

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self.buffer = ""
        self.pos = 0
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        self._line = 1
        self._counted = 0
        self._ended = False

    @property
    def line(self) -> int:
        """Where `pos` is, from 1."""
        self._line += self.buffer.count("\n", self._counted, self.pos)
        self._counted = self.pos
        return self._line

    def more(self) -> bool:
        """Read on, twice as far each time; False at the end. What is behind `pos` is forgotten."""
        if self._ended:
            return False
        self._line = self.line
        ahead = self.buffer[self.pos :]
        block = self._file.read(max(_BLOCK, len(ahead)))
        self._ended = not block
        self.buffer = ahead + self._decoder.decode(block, final=self._ended) + ("\n" if self._ended else "")
        self.pos = self._counted = 0
        return True

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What is found at `pos`, reading on as far as needed. Patterns end with what shows that they are whole."""
        while (found := pattern.match(self.buffer, self.pos)) is None:
            if len(self.buffer) - self.pos > MOST_IN_A_ROW or not self.more():
                return None
        return found

    def match_soon(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What is found at `pos` within the next 64 KiB."""
        while (found := pattern.match(self.buffer, self.pos)) is None:
            if len(self.buffer) - self.pos > _SOON or not self.more():
                return None
        return found

    def start(self, characters: int) -> str:
        """The next so many; fewer at the end."""
        while len(self.buffer) - self.pos < characters and self.more():
            pass
        return self.buffer[self.pos : self.pos + characters]

    def lines_until(self, end: str) -> Iterator[list[str]]:
        """Lines, some at a time, without their ends, up to one that begins with `end`; then `pos` is behind that.

        Raises `SourceUnreadable` when there is none: the last lines of the file may be cut off, and are not shown.
        """
        while True:
            cut = self.buffer.rfind("\n", self.pos) + 1
            if cut:
                here = self.buffer.startswith(end, self.pos)
                found = self.pos if here else self.buffer.find(f"\n{end}", self.pos, cut) + 1
                if here or found:
                    lines = self.buffer[self.pos : found].split("\n")[:-1]
                    self.pos = self.buffer.index("\n", found) + 1
                    yield lines
                    return
            if self._ended or (not cut and len(self.buffer) - self.pos > MOST_IN_A_ROW):
                raise self.unreadable("the file is cut off, or no text")
            if cut:
                lines = self.buffer[self.pos : cut].split("\n")[:-1]
                self.pos = cut
                yield lines
            self.more()

    def unreadable(self, what: str) -> SourceUnreadable:
        """What to raise where reading cannot go on."""
        return SourceUnreadable(f"{self.path}, line {self.line}: {what}.")
