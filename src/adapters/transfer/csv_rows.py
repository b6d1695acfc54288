"""CSV with a header, as `\\copy … csv header` and dashboards write it (RFC 4180)."""

import csv
from collections.abc import Iterator
from pathlib import Path

from adapters.transfer.files import lines_of, unpacked
from adapters.transfer.rows import MOST_IN_A_ROW, MOST_IN_A_VALUE, Misread, Row
from application.ports.transfer import SourceUnreadable

_SEPARATORS = ",;\t"


def read_csv(path: Path) -> Iterator[Row | Misread]:
    """Row by row. Values longer than a MiB and rows with another number of fields are misread. Raises
    `SourceUnreadable` where quotes go wrong: nobody knows then where the next row begins, and what people wrote about
    themselves must not be taken for one."""
    csv.field_size_limit(MOST_IN_A_ROW)
    with unpacked(path) as file:
        lines = _Lines(lines_of(path, file))
        separator = max(_SEPARATORS, key=lines.first().count)
        records = csv.reader(lines, delimiter=separator, strict=True)
        try:
            header = [cell.strip() for cell in next(records, [])]
            _check(path, header)
            width = len(header)
            ended = records.line_num
            for record in records:
                line, ended = ended + 1, records.line_num
                if lines.fault is not None:
                    yield Misread(line, lines.fault)
                    lines.fault = None
                elif len(record) == width:
                    if len(longest := max(record, key=len)) > MOST_IN_A_VALUE:
                        yield Misread(line, f"A value has {len(longest)} characters; {MOST_IN_A_VALUE} are read.")
                    else:
                        yield Row(line, dict(zip(header, [cell or None for cell in record], strict=True)))
                elif record:
                    yield Misread(line, f"There are {len(record)} fields and not {width} as in the header.")
        except csv.Error as error:
            # The text of the error names no value; the record began one line after the last that was whole.
            raise SourceUnreadable(f"{path}, line {ended + 1 if records.line_num else 1}: no CSV: {error}.") from None


class _Lines:
    """The lines as text; notes what no text may have."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._first: str | None = None
        self.fault: str | None = None

    def first(self) -> str:
        """The first line, which stays to be read."""
        self._first = next(self, "")
        return self._first

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        line = next(self._lines)
        if b"\0" in line:
            self.fault = "There is a NUL in it."
        try:
            return line.decode()
        except UnicodeDecodeError:
            self.fault = "It is no UTF-8."
            return line.decode(errors="replace")


def _check(path: Path, header: list[str]) -> None:
    if not any(header):
        raise SourceUnreadable(f"{path}, line 1: there is no header with the names of the columns.")
    twice = next((number for number, name in enumerate(header, 1) if name in header[: number - 1]), None)
    if twice is not None:
        raise SourceUnreadable(f"{path}, line 1: column {twice} has the name of another; is there a header?")
