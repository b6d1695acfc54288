"""How PostgreSQL writes values down: COPY's text format, and literals of SQL.

Sources: PostgreSQL's manual, *COPY*, "Text Format", and *SQL Syntax*, "Lexical Structure".
"""

import re

_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|([\s\S]))")
_UNICODE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([\s\S]))")

VALUE = (
    r"(?:(?i:NULL|TRUE|FALSE|DEFAULT)\b|[+-]?(?:[0-9][0-9.]*+(?:[eE][+-]?[0-9]++)?|\.[0-9]++|(?i:Infinity|NaN)\b)"
    r"|[eE]'(?:[^'\\]|''|\\[\s\S])*+'(?!')|[bBxX]?'(?:[^']|'')*+'(?!'))"
    r'(?:::(?:"[^"]*+"|[\w.]|\[\]|\([0-9, ]*+\)|[ ](?=[a-z]))++)?'
)
"""A literal as pg_dump, and whoever writes like it, puts it into an INSERT; possibly with a cast."""

_HALVES = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Half characters that stand for no byte of a text in another encoding, as \\udc80 to \\udcff do."""

_WORDS: dict[str, str | None] = {"null": None, "default": None, "true": "true", "false": "false"}


def copied(text: str) -> str | None:
    """A field of COPY's text format: `\\N` is null, a backslash escapes. Bytes above ASCII are UTF-8's."""
    if "\\" not in text:
        return text
    if text == "\\N":
        return None
    if _ESCAPE.search(text) is None:
        return text
    return _whole(_ESCAPE.sub(_escaped, text))


def _escaped(found: re.Match[str]) -> str:
    octal, hexadecimal, letter = found.groups()
    if letter is not None:
        return _LETTERS.get(letter, letter)
    return _byte(int(octal, 8) & 0xFF if octal else int(hexadecimal, 16))


def literal(text: str) -> str | None:
    """The value of what `VALUE` matches, as text; None for NULL, and for DEFAULT, which stands for what the database
    makes itself."""
    if text[0] == "'":
        return text[1 : text.rindex("'")].replace("''", "'")
    if text[0] in "eE" and text[1:2] == "'":
        return _whole(_UNICODE.sub(_escaped_in_literal, text[2 : text.rindex("'")].replace("''", "'")))
    if text[0] in "bBxX" and text[1:2] == "'":
        return text[2 : text.rindex("'")]
    word = text.partition("::")[0].strip()
    return _WORDS.get(word.lower(), word)


def _escaped_in_literal(found: re.Match[str]) -> str:
    octal, hexadecimal, four, eight, letter = found.groups()
    if letter is not None:
        return _LETTERS.get(letter, letter)
    if four or eight:
        code = int(four or eight, 16)
        return chr(code) if code <= 0x10FFFF else "\udcff"
    return _byte(int(octal, 8) & 0xFF if octal else int(hexadecimal, 16))


def _byte(value: int) -> str:
    """A byte among characters, until all of them are there."""
    return chr(value) if value < 0x80 else chr(0xDC00 + value)


def _whole(text: str) -> str:
    """Bytes that make up a character become it, and so do pairs of half characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        paired = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if _HALVES.search(text) else text
        return _LONE.sub("\ufffd", paired).encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    return text
