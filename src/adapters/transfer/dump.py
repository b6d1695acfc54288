"""pg_dump's plain files, and others of their kind: COPY and INSERT, read without a database."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from adapters.transfer.files import unpacked
from adapters.transfer.literals import VALUE, copied, literal
from adapters.transfer.rows import MOST_IN_A_ROW, MOST_IN_A_VALUE, Misread, Row, TableName, named
from adapters.transfer.text import Text
from application.ports.transfer import SourceUnreadable

_IDENTIFIER = r'(?:"(?:[^"]|"")*+"|[^\W\d]\w*+)'
_NAME = rf"(?P<name>{_IDENTIFIER}(?:\.{_IDENTIFIER})*+)"
_COLUMNS = rf"(?:\((?P<columns>\s*+{_IDENTIFIER}(?:\s*+,\s*+{_IDENTIFIER})*+\s*+)\)\s*+)"
_SPACE = re.compile(r"[\s;]*+")
_COMMENT = re.compile(r"/\*(?:[^*]|\*(?!/))*+\*/")
_LINE = re.compile(r"[^\n]*+\n")
_HEAD = re.compile(
    rf"(?i:(?P<copy>COPY)\s++{_NAME}\s*+{_COLUMNS}?FROM\s++stdin\s*+;[^\n]*+\n"
    rf"|(?P<insert>INSERT)\s++INTO\s++(?:ONLY\s++)?{_NAME.replace('name', 'into')}\s*+"
    rf"{_COLUMNS.replace('columns', 'listed')}?(?:OVERRIDING\s++\w++\s++VALUE\s++)?VALUES\b(?=\s*+\()"
    rf"|(?P<create>CREATE)\s++(?:\w++\s++)*?TABLE\s++(?:IF\s++NOT\s++EXISTS\s++)?"
    rf"{_NAME.replace('name', 'made')}(?=\s*+\()"
    rf"|SET\s++client_encoding\s*+(?:=|TO)\s*+'?(?P<encoding>[\w-]++)(?=['\s;]))"
)
_IN_STATEMENT = re.compile(
    r"(?>[eE]'(?:[^'\\]|''|\\[\s\S])*+'(?=[^'])|(?![eE]')\w++(?=[\s\S])|[^;'\"$\w/\-]++"
    r"|'(?:[^']|'')*+'(?=[^'])|\"(?:[^\"]|\"\")*+\"(?=[^\"])|--[^\n]*+\n|-(?=[^-])"
    r"|/\*(?:[^*]|\*(?!/))*+\*/|/(?=[^*])|\$\d++(?=\D)|\$(?=[^\w$])|\$(?P<tag>(?:[^\W\d]\w*+)?)\$[\s\S]*?\$(?P=tag)\$)++"
)
"""As much of a statement as is there whole."""
_ROUTINE = re.compile(r"(?i:\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)\b)")
_TUPLE = re.compile(rf"\(\s*+{VALUE}(?:\s*+,\s*+{VALUE})*+\s*+\)")
_VALUE = re.compile(VALUE)
_AFTER = re.compile(r"\s*+(?:(?P<comma>,)|(?i:ON\s++CONFLICT\b[^;]*+)?;)")
_DATA_FOR = re.compile(r"-- Data for Name: (.+); Type: TABLE DATA; Schema: (.+?);")
_END_OF_COPY = "\\."
_NO_COLUMNS = frozenset({"constraint", "primary", "unique", "check", "foreign", "exclude", "like"})
_UTF8 = frozenset({"utf8", "utf-8", "unicode", "sql_ascii"})


def read_dump(path: Path, table: str) -> Iterator[Row | Misread]:
    """A table's rows, from every COPY and INSERT of it. The line is where a row begins. Raises `SourceUnreadable`: when
    the table is not there, or two are that could be meant, when columns are nowhere named, and where the file breaks
    off."""
    with unpacked(path) as file:
        yield from _Dump(Text(path, file), TableName.parse(table)).rows()


class _Dump:
    def __init__(self, text: Text, wanted: TableName) -> None:
        self._text = text
        self._wanted = wanted
        self._chosen: TableName | None = None
        self._present: set[TableName] = set()
        self._columns: list[str] | None = None

    def rows(self) -> Iterator[Row | Misread]:
        while self._to_next_statement():
            head = self._text.match_soon(_HEAD)
            if head is None:
                self._skip()
            elif head["encoding"]:
                if head["encoding"].lower() not in _UTF8:
                    raise self._text.unreadable("no UTF-8; make the dump with pg_dump --encoding=UTF8")
                self._skip()
            elif head["create"]:
                self._note_columns(head)
            elif not self._is_wanted(_table(head["name"] or head["into"])):
                if head["copy"]:
                    self._text.pos = head.end()
                    self._skip_copy()
                else:
                    self._skip()
            else:
                yield from self._copy(head) if head["copy"] else self._insert(head)
                if head["copy"] and self._wanted.schema is not None:
                    return  # all of it is in one COPY, and no other table can be meant
        if self._chosen is None and not any(map(self._wanted.means, self._present)):
            raise SourceUnreadable(
                f"{self._text.path}: there is no table {self._wanted}; there are {named(map(str, self._present))}."
            )

    def _to_next_statement(self) -> bool:
        """Past white space, comments, and psql's own commands, which stand on lines of theirs."""
        while start := self._after_space(2):
            if start == "/*":
                found = self._text.match(_COMMENT)
            elif start == "--" or start[0] == "\\":
                found = self._text.match(_LINE)
            else:
                return True
            if found is None:
                raise self._text.unreadable("a comment that does not end")
            self._text.pos = found.end()
            if data := _DATA_FOR.match(found[0]):
                self._present.add(TableName(None if data[2] == "-" else data[2], data[1]))
        return False

    def _after_space(self, characters: int) -> str:
        """What comes after white space; reading stands on it."""
        while True:
            found = _SPACE.match(self._text.buffer, self._text.pos)
            self._text.pos = found.end() if found else self._text.pos
            if self._text.pos < len(self._text.buffer) or not self._text.more():
                return self._text.start(characters)

    def _is_wanted(self, table: TableName) -> bool:
        self._present.add(table)
        if not self._wanted.means(table):
            return False
        if self._chosen not in (None, table):
            raise self._text.unreadable(f"{table} after {self._chosen}; name the table together with its schema")
        self._chosen = table
        return True

    def _skip(self) -> str:
        """To the end of a statement, which is returned as far as it is remembered."""
        kept = ""
        while True:
            while (found := _IN_STATEMENT.match(self._text.buffer, self._text.pos)) is not None:
                if len(kept) < MOST_IN_A_VALUE:
                    kept += found[0]
                self._text.pos = found.end()
            if self._text.buffer[self._text.pos : self._text.pos + 1] == ";":
                self._text.pos += 1
                words = kept.upper().split() if _ROUTINE.match(kept) else []
                # A body of SQL that was parsed when it was made has semicolons of its own.
                if not words or "ATOMIC" not in words or words[-1] == "END":
                    return kept
                kept += " ; "
            elif len(self._text.buffer) - self._text.pos > MOST_IN_A_ROW or not self._text.more():
                raise self._text.unreadable("a statement that does not end; the file may be cut off")

    def _note_columns(self, head: re.Match[str]) -> None:
        table = _table(head["made"])
        self._present.add(table)
        body = self._skip().partition("(")[2]
        if self._wanted.means(table):
            starts = [re.match(_IDENTIFIER, part.strip()) for part in _at_commas(body)]
            names = [start[0] for start in starts if start is not None]
            self._columns = [_plain(name) for name in names if name.lower() not in _NO_COLUMNS]

    def _named_columns(self, listed: str | None) -> list[str]:
        if listed:
            return [_plain(name) for name in re.findall(_IDENTIFIER, listed)]
        if self._columns is None:
            raise self._text.unreadable(
                "the columns are nowhere named; make the dump with --column-inserts, or together with the schema"
            )
        return self._columns

    def _copy(self, head: re.Match[str]) -> Iterator[Row | Misread]:
        columns = self._named_columns(head["columns"])
        width = len(columns)
        self._text.pos = head.end()
        number = self._text.line
        for lines in self._text.lines_until(_END_OF_COPY):
            for line in lines:
                written = line.removesuffix("\r")
                fields: Sequence[str | None] = written.split("\t")
                if "\\" in written:
                    fields = [None if field == "\\N" else copied(field) for field in written.split("\t")]
                if len(fields) != width:
                    yield Misread(number, f"There are {len(fields)} fields and not {width} as columns are named.")
                else:
                    yield Row(number, dict(zip(columns, fields, strict=True)))
                number += 1

    def _skip_copy(self) -> None:
        for _ in self._text.lines_until(_END_OF_COPY):
            pass

    def _insert(self, head: re.Match[str]) -> Iterator[Row | Misread]:
        columns = self._named_columns(head["listed"])
        self._text.pos = head.end()
        while True:
            self._after_space(1)
            line = self._text.line
            found = self._text.match(_TUPLE)
            if found is None:
                raise self._text.unreadable("no row as pg_dump writes it, or the file is cut off")
            self._text.pos = found.end()
            fields = [literal(value) for value in _VALUE.findall(found[0])]
            if len(fields) != len(columns):
                yield Misread(line, f"There are {len(fields)} values and not {len(columns)} as columns are named.")
            else:
                yield Row(line, dict(zip(columns, fields, strict=True)))
            after = self._text.match(_AFTER)
            if after is None:
                raise self._text.unreadable("no INSERT as pg_dump writes it, or the file is cut off")
            self._text.pos = after.end()
            if not after["comma"]:
                return


def _table(written: str) -> TableName:
    return TableName.parse(written)


def _plain(identifier: str) -> str:
    if identifier[0] == '"':
        return identifier[1:-1].replace('""', '"')
    return identifier


def _at_commas(body: str) -> list[str]:
    """A list's parts; commas in brackets and quotes divide nothing."""
    parts, depth = [""], 0
    for piece in re.findall(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[^'"]""", body):
        depth += (piece == "(") - (piece == ")")
        if depth < 0:
            break
        if piece == "," and not depth:
            parts.append("")
        else:
            parts[-1] += piece
    return parts
