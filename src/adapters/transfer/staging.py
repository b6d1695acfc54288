"""What is too much for memory and needed for a while: kept by SQLite in a file without a name, which is gone with the
connection, also when the process dies."""

import sqlite3

_CACHE_KIB = 16 * 1024


def scratch() -> sqlite3.Connection:
    """An empty database of our own, in a transaction that is never committed.

    The file is SQLite's own temporary one: made when the cache is full, 0600, unlinked as soon as it is open.
    """
    connection = sqlite3.connect("", isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    return connection
