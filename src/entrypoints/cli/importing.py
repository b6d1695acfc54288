"""`ostiary users import`: people come from another system with their passwords (R36)."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

import click

from entrypoints.cli.asking import as_json, ask, fail
from entrypoints.import_options import HASH_FORMS, SYSTEMS, ImportOptions, System

# Whatever knows the service is imported within the commands, as in `users`.
if TYPE_CHECKING:
    from application.use_cases.user_import import ImportReport, Remark
    from entrypoints.composition import Ostiary

_ADDRESSES: dict[str, Literal["as_they_are", "proven", "unproven"]] = {
    "as-they-are": "as_they_are",
    "proven": "proven",
    "unproven": "unproven",
}
_SHOWN = 50
"""Remarks that are shown; a file has room for all."""

_TELL_EVERY = 50_000
"""Entries, where nobody watches a line change."""


@click.command("import", epilog="\n\n".join(f"{name} - {what}" for name, what in SYSTEMS.items()))
@click.argument("system", type=click.Choice(list(SYSTEMS)))
@click.argument("source")
@click.argument("more", required=False)
@click.option("--write", is_flag=True, help="Bring them in. Without it, this is a trial that writes nothing.")
@click.option(
    "--addresses",
    type=click.Choice(list(_ADDRESSES)),
    default="as-they-are",
    show_default=True,
    help="Whether to believe that addresses are proven.",
)
@click.option("--origin", help="What to call the system they come from. Default: SYSTEM.")
@click.option("--report", type=click.Path(path_type=Path), help="A file for all remarks, a JSON object a line.")
@click.option("--table", help="The table of users, where it has another name.")
@click.option("--key", help="Django: the primary key of that table, where it is not id.")
@click.option("--accounts-table", help="Better Auth: the table of accounts, where it has another name.")
@click.option("--hash-config", type=click.Path(path_type=Path), help="Firebase: a file with the hash parameters.")
@click.option(
    "--hash-form",
    type=click.Choice(HASH_FORMS),
    default="auto",
    show_default=True,
    help="Generic: what hashes are that do not say it themselves.",
)
@click.option("--trims", is_flag=True, help="Tutorial: passwords were trimmed before they were hashed.")
@as_json
def import_users(
    system: System,
    source: str,
    more: str | None,
    write: bool,
    addresses: str,
    origin: str | None,
    report: Path | None,
    table: str | None,
    key: str | None,
    accounts_table: str | None,
    hash_config: Path | None,
    hash_form: str,
    trims: bool,
    as_json: bool,
) -> None:
    """Bring users in from SYSTEM, with their ids and passwords.

    SOURCE is a file, a database's URL, or - for a URL on standard input, where nobody else on the machine reads it.
    MORE is Better Auth's accounts, where they are in a file of their own. See docs/import.md.
    """
    from application.candidates import LONGEST_SYSTEM

    if origin is not None and len(origin) > LONGEST_SYSTEM:
        fail(f"--origin has at most {LONGEST_SYSTEM} characters.")
    options = ImportOptions(
        system=system,
        source=_source(source),
        more=more,
        table=table,
        key=key,
        accounts_table=accounts_table,
        hash_config=hash_config,
        hash_form=hash_form,
        trims=trims,
    )
    with _remarks_kept(report) as remarks:
        found = _import(options, remarks, write=write, addresses=addresses, origin=origin or system)
    if as_json:
        click.echo(json.dumps(_as_json(found, remarks, write=write), indent=2))
    else:
        _print(found, remarks, write=write, report=report)


def _source(given: str) -> str:
    if given != "-":
        return given
    if sys.stdin.isatty():
        typed: str = click.prompt("URL of the database", hide_input=True, err=True)
        return typed.strip()
    return sys.stdin.readline().strip() or fail("There is no URL on standard input.")


class _Remarks:
    """The first remarks, how many there are, and all of them in a file."""

    def __init__(self, file: IO[str] | None) -> None:
        self._file = file
        self.first: list[Remark] = []
        self.number = 0

    def add(self, remark: "Remark") -> None:
        self.number += 1
        if len(self.first) < _SHOWN:
            self.first.append(remark)
        if self._file is not None:
            self._file.write(json.dumps(asdict(remark)) + "\n")


@contextmanager
def _remarks_kept(file: Path | None) -> Iterator[_Remarks]:
    if file is None:
        yield _Remarks(None)
        return
    try:
        opened = file.open("x", encoding="utf-8")
    except OSError as trouble:
        fail(f"{file}: {trouble.strerror}")
    with opened:
        yield _Remarks(opened)


def _import(options: ImportOptions, remarks: _Remarks, *, write: bool, addresses: str, origin: str) -> "ImportReport":
    latest: list[ImportReport] = []

    async def question(ostiary: "Ostiary") -> "ImportReport":
        from application.ports.transfer import SourceUnreadable
        from application.use_cases.user_import import ImportUsersCommand
        from entrypoints.composition.sources import source_opened

        try:
            now = ostiary.use_cases.import_users.clock.now()
            async with source_opened(options, now) as (people, seen):
                command = ImportUsersCommand(
                    source=people,
                    seen=seen,
                    system=origin,
                    write=write,
                    addresses=_ADDRESSES[addresses],
                    tell=remarks.add,
                    progress=lambda report: _tell_progress(report, latest),
                )
                return await ostiary.use_cases.import_users(command)
        except SourceUnreadable as trouble:
            fail(f"{printable(str(trouble), most=2000)}{_so_far(latest, write=write)}")

    try:
        return ask(question)
    except KeyboardInterrupt:
        click.echo(f"Interrupted.{_so_far(latest, write=write)}", err=True)
        sys.exit(130)


def _tell_progress(report: "ImportReport", latest: "list[ImportReport]") -> None:
    latest[:] = [report]
    if sys.stderr.isatty():
        click.echo(f"\r{report.read:,} read, {report.come:,} come, {report.stay:,} stay ", err=True, nl=False)
    elif report.read % _TELL_EVERY == 0:
        click.echo(f"{report.read:,} read", err=True)


def _so_far(latest: "list[ImportReport]", *, write: bool) -> str:
    if not write or not latest:
        return " Nothing is written."
    return f" {latest[0].come:,} have come so far. Repeat the command: whoever is here is left as they are."


def _as_json(found: "ImportReport", remarks: _Remarks, *, write: bool) -> dict[str, object]:
    shown = list(map(asdict, remarks.first))
    return {"written": write, **asdict(found), "remarks": remarks.number, "first_remarks": shown}


def _print(found: "ImportReport", remarks: _Remarks, *, write: bool, report: Path | None) -> None:
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)
    without = found.come - found.with_password
    lines = [
        ("read", found.read, ""),
        ("come", found.come, "" if write else "if this is done with --write"),
        ("  with their password", found.with_password, ""),
        ("  without a password", without, "they choose one by the letter that they ask for at “forgot password”"),
        ("  address not proven", found.unproven, "they cannot sign in before they have proven it: docs/import.md"),
        ("  disabled", found.disabled, ""),
        ("  administrators", found.administrators, "their role in the source says so: they may do everything here"),
        ("here already", found.here, "left as they are"),
        ("stay", found.stay, ""),
    ]
    for words, number, meaning in lines:
        click.echo(f"{words:<22}{number:>12,}{f'   {meaning}' if number and meaning else ''}")
    if remarks.first:
        click.echo("\nWho stays, or what of theirs:")
        for remark in sorted(remarks.first, key=lambda remark: remark.line):
            click.echo(f"  line {remark.line}  {printable(remark.whom)}  {printable(remark.reason)}")
        if remarks.number > len(remarks.first):
            rest = remarks.number - len(remarks.first)
            click.echo(f"  … and {rest:,} more{f', all in {report}' if report else '; --report FILE writes them all'}")
    if not write:
        click.echo("\nThis was a trial: nothing is written. The same with --write brings them in.")


def printable(text: str, most: int = 200) -> str:
    """Text of another system for a terminal, which must not obey it."""
    return "".join(char if char.isprintable() else "�" for char in text)[:most]
