"""JSON: one object a line (NDJSON), or an array of objects."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from adapters.transfer.files import lines_of, unpacked
from adapters.transfer.rows import MOST_IN_A_ROW, Misread, Row
from adapters.transfer.text import Text
from application.ports.transfer import SourceUnreadable

_SPACE = re.compile(r"[ \t\r\n]*+(?=[\s\S])")
_KEY = re.compile(r'"((?:[^"\\]|\\.)*+)"[ \t\r\n]*+:(?=[\s\S])')
_NO_OBJECT = "It is no JSON object."


def read_json(path: Path) -> Iterator[Row | Misread]:
    """Row by row: by lines, or the elements of an array. Raises `SourceUnreadable`."""
    with unpacked(path) as file:
        start = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return read_array(path) if start == b"[" else _read_lines(path)


def _read_lines(path: Path) -> Iterator[Row | Misread]:
    decode = msgspec.json.Decoder().decode
    with unpacked(path) as file:
        for number, line in enumerate(lines_of(path, file), 1):
            try:
                value = decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                if not line.strip():
                    continue
                if line.strip() == b"{":
                    raise SourceUnreadable(
                        f"{path}, line {number}: an object over several lines; write one object a line, or an array."
                    ) from None
                yield Misread(number, "It is no JSON.")
                continue
            yield _row(number, value)


def read_array(path: Path, key: str | None = None) -> Iterator[Row | Misread]:
    """The elements of the array that the file is, or of the one at `key` in the object that the file is. The line is
    where the element begins. Raises `SourceUnreadable`, also in the middle, where it is no JSON any more."""
    with unpacked(path) as file:
        text = Text(path, file)
        if key is not None:
            _go_to(text, key)
        if _next(text) != "[":
            raise text.unreadable("there is no array" if key is None else f"{key} is no array")
        text.pos += 1
        if _next(text) == "]":
            return
        while True:
            line = text.line
            yield _row(line, _value(text))
            mark = _next(text)
            text.pos += 1
            if mark == "]":
                return
            if mark != ",":
                raise text.unreadable("no JSON")
            _next(text)


def _go_to(text: Text, key: str) -> None:
    """To the value of a key of the object that begins here."""
    if _next(text) != "{":
        raise text.unreadable("there is no object")
    mark = ","
    while mark == ",":
        text.pos += 1
        _next(text)
        found = text.match(_KEY)
        if found is None:
            break
        text.pos = found.end()
        if found[1] == key:
            return
        _next(text)
        _value(text)
        mark = _next(text)
    raise text.unreadable(f"there is no {key}")


def _next(text: Text) -> str:
    """The character after white space; reading stands on it."""
    found = text.match(_SPACE)
    if found is None:
        raise text.unreadable("the file ends in the middle")
    text.pos = found.end()
    return text.buffer[text.pos]


def _value(text: Text) -> object:
    decoder = json.JSONDecoder()
    while True:
        try:
            value, end = decoder.raw_decode(text.buffer, text.pos)
        except (ValueError, RecursionError):
            end = len(text.buffer)
        if end < len(text.buffer):  # a number that ends where we stopped reading may go on
            written, text.pos = text.buffer[text.pos : end], end
            return value if written.isascii() and "\\u" not in written else _well_encoded(written)
        if len(text.buffer) - text.pos > MOST_IN_A_ROW or not text.more():
            raise text.unreadable("no JSON, or too long")


def _well_encoded(written: str) -> object:
    """The value again; None when it has half characters, or is no UTF-8."""
    try:
        return msgspec.json.decode(written)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None


def _row(line: int, value: object) -> Row | Misread:
    return Row(line, value) if isinstance(value, dict) else Misread(line, _NO_OBJECT)
