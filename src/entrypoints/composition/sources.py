"""Other systems' data, opened as the command line says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import assert_never

import msgspec

from adapters.transfer.better_auth import BetterAuthTables, read_better_auth
from adapters.transfer.django import django_dump, django_table, is_dumpdata
from adapters.transfer.files import Kind, kind_of
from adapters.transfer.firebase import FirebaseHashConfig, firebase_csv, firebase_json
from adapters.transfer.generic import generic_line, read_generic
from adapters.transfer.keycloak import keycloak
from adapters.transfer.live import Dsn
from adapters.transfer.opening import open_tables
from adapters.transfer.rows import let_go
from adapters.transfer.seen import SeenOnDisk
from adapters.transfer.supabase import TABLE as SUPABASE_TABLE
from adapters.transfer.supabase import read_supabase
from adapters.transfer.tutorial import TABLE as TUTORIAL_TABLE
from adapters.transfer.tutorial import read_tutorial
from application.ports.transfer import Entry, Seen, SourceUnreadable
from domain.newcomer import Newcomer
from entrypoints.database_url import for_driver, url_problem
from entrypoints.import_options import ImportOptions

People = AsyncIterator[Entry]


@asynccontextmanager
async def source_opened(options: ImportOptions, now: datetime) -> AsyncIterator[tuple[People, Seen]]:
    """The people of another system as of `now`, and a fresh memory of whom it has shown. Raises `SourceUnreadable`,
    then and later, also for options that do not go together."""
    with SeenOnDisk() as seen:
        async with let_go(_read(options, now)) as people:
            yield people, seen


def exported_line(newcomer: Newcomer) -> str:
    """Somebody as a line of NDJSON that `import generic` reads; holds their hash."""
    return msgspec.json.encode(generic_line(newcomer)).decode()


async def _read(options: ImportOptions, now: datetime) -> People:
    _check(options)
    source = _place(options.source)
    match options.system:
        case "supabase":
            people = read_supabase(source, now, options.table or SUPABASE_TABLE)
        case "better-auth":
            people = read_better_auth(_better_auth(source, options), now)
        case "tutorial":
            people = read_tutorial(source, options.table or TUTORIAL_TABLE, trims=options.trims)
        case "django":
            people = _django(source, options, now)
        case "generic":
            people = read_generic(_file(source), options.hash_form)
        case "firebase":
            people = _firebase(_file(source), options.hash_config, now)
        case "keycloak":
            people = keycloak(_file(source), now)
        case _ as other:
            assert_never(other)
    async with let_go(people):
        async for entry in people:
            yield entry


def _check(options: ImportOptions) -> None:
    belongs = {
        "a second source": (options.more is not None, {"better-auth"}),
        "--table": (options.table is not None, {"supabase", "better-auth", "tutorial", "django"}),
        "--key": (options.key is not None, {"django"}),
        "--accounts-table": (options.accounts_table is not None, {"better-auth"}),
        "--hash-config": (options.hash_config is not None, {"firebase"}),
        "--hash-form": (options.hash_form != "auto", {"generic"}),
        "--trims": (options.trims, {"tutorial"}),
    }
    for what, (given, systems) in belongs.items():
        if given and options.system not in systems:
            raise SourceUnreadable(f"{what} is for {', '.join(sorted(systems))} only.")


def _place(text: str) -> Path | Dsn:
    if "://" not in text:
        return Path(text)
    if text.startswith("sqlite:///"):
        return Path(text.removeprefix("sqlite:///"))
    if problem := url_problem(text):
        raise SourceUnreadable(f"The URL: {problem}.")
    return Dsn(for_driver(text))


def _file(place: Path | Dsn) -> Path:
    if isinstance(place, Dsn):
        raise SourceUnreadable("This system is read from a file, not from a database.")
    return place


def _better_auth(users: Path | Dsn, options: ImportOptions) -> BetterAuthTables:
    return BetterAuthTables(
        users=users,
        accounts=_place(options.more) if options.more is not None else None,
        user_table=options.table or "user",
        account_table=options.accounts_table or "account",
    )


def _firebase(file: Path, hash_config: Path | None, now: datetime) -> People:
    config = None
    if hash_config is not None:
        try:
            config = FirebaseHashConfig.parse(hash_config.read_text())
        except (OSError, UnicodeDecodeError) as trouble:
            raise SourceUnreadable(f"{hash_config} could not be read.") from trouble
    return firebase_json(file, config, now) if kind_of(file) is Kind.JSON else firebase_csv(file, config, now)


async def _django(source: Path | Dsn, options: ImportOptions, now: datetime) -> People:
    if isinstance(source, Path) and is_dumpdata(source):
        async with let_go(django_dump(source, now, options.table or "auth.user")) as people:
            async for entry in people:
                yield entry
        return
    async with open_tables(source) as tables:
        table = django_table(tables, now, options.table or "auth_user", options.key or "id")
        async with let_go(table) as people:
            async for entry in people:
                yield entry
