"""Statements compiled once for all engines of a process, of which most tests make one or two that would do it anew."""

from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine


class _Compiled(dict[Any, Any]):
    """By statement and kind of database: SQLAlchemy asks by statement and engine, and each of ours is like the next."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_of_the_kind(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(_of_the_kind(key), compiled)


def _of_the_kind(key: Any) -> Any:
    dialect, *statement = key
    return (type(dialect), *statement)


def share_compiled() -> None:
    """From now on, in this process; those that tests start are not changed."""
    compiled = _Compiled()

    @event.listens_for(Engine, "engine_connect")
    def share(connection: Connection) -> None:
        connection.execution_options(compiled_cache=compiled)
