"""What can be said of an import at the command line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

System = Literal["supabase", "better-auth", "tutorial", "generic", "firebase", "django", "keycloak"]

SYSTEMS: Mapping[System, str] = {
    "supabase": "Supabase Auth: its database, a dump by pg_dump or Supabase's CLI, CSV or NDJSON of auth.users",
    "better-auth": "Better Auth: its database (PostgreSQL or SQLite), a dump, or two files of CSV or NDJSON",
    "tutorial": "the SQLite file of the Next.js tutorial",
    "generic": "CSV or NDJSON as `ostiary users export` writes it",
    "firebase": "JSON or CSV of `firebase auth:export`",
    "django": "its database, a dump, CSV, NDJSON, or JSON of `manage.py dumpdata`",
    "keycloak": "a realm export: a file, or a folder of them",
}
"""Where people may come from, and what is read of it."""

HASH_FORMS = ("auto", "scrypt-node", "scrypt-node-trim", "scrypt-better-auth", "aspnet-identity-v3")
"""Of `adapters.transfer.generic.PREFIXES`; a test holds the two against each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """A source, and how to read it."""

    system: System
    source: str = field(repr=False)
    """A file or folder, or the URL of a database, which holds a password."""
    more: str | None = field(default=None, repr=False)
    table: str | None = None
    key: str | None = None
    accounts_table: str | None = None
    hash_config: Path | None = None
    hash_form: str = "auto"
    trims: bool = False
