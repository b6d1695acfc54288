"""What a source has shown so far."""

from types import TracebackType
from typing import Self

from adapters.transfer.staging import scratch


class SeenOnDisk:
    """`application.ports.transfer.Seen`, in bounded memory; forgotten when it is closed."""

    def __init__(self) -> None:
        self._connection = scratch()
        self._connection.execute(
            "CREATE TABLE seen (kind TEXT, value TEXT, line INTEGER, PRIMARY KEY (kind, value)) WITHOUT ROWID"
        )
        self._execute = self._connection.cursor().execute

    def first(self, kind: str, value: str, line: int) -> int | None:
        if self._execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (kind, value, line)).rowcount:
            return None
        found = self._execute("SELECT line FROM seen WHERE kind = ? AND value = ?", (kind, value)).fetchone()
        return int(found[0])

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
