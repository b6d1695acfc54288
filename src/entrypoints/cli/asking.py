"""What commands that ask the service something have in common: how they reach it, what they print, how they fail."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NoReturn, TypeVar

import click

from entrypoints.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from domain.user import User
    from entrypoints.composition import Ostiary

Answer = TypeVar("Answer")

as_json = click.option("--json", "as_json", is_flag=True, help="For programs.")
"""The option that every command has."""


def fail(message: str) -> NoReturn:
    """Say it in a line, and end with status 2."""
    click.echo(message, err=True)
    sys.exit(2)


def settings_or_fail() -> Settings:
    """The settings in force."""
    try:
        return read_settings()
    except SettingsError as error:
        fail(str(error))


def ask(question: "Callable[[Ostiary], Awaitable[Answer]]") -> Answer:
    """What the service answers; a refusal is told in a line, with status 2."""
    settings = settings_or_fail()
    # Imported late: whose settings cannot be read is told so at once.
    from domain.errors import Conflict, Refusal, Unavailable, ValidationError
    from entrypoints.composition import Replacements, SchemaMismatch, compose
    from entrypoints.store_trouble import in_its_words
    from entrypoints.unheard import Unheard

    async def answer() -> Answer:
        async with compose(settings, Replacements(events=Unheard())) as ostiary:
            return await question(ostiary)

    try:
        return asyncio.run(answer())
    except Unavailable as trouble:
        fail(f"The database cannot be used: {in_its_words(trouble)}")
    except (ValidationError, Conflict) as refusal:
        fail("; ".join(f"{found.field}: {found.message}" for found in refusal.violations))
    except Refusal as refusal:
        fail(refusal.detail)
    except (SchemaMismatch, SettingsError) as trouble:
        fail(str(trouble))


async def user_called(ostiary: "Ostiary", who: str) -> "User":
    """The user with this address, username or id; ends the command where there is none."""
    from uuid import UUID

    from application.administrators import CommandLine
    from application.use_cases.user_directory import ShowUserCommand
    from domain.email_address import EmailAddress
    from domain.errors import NotFound
    from domain.username import Username

    whom: UUID | EmailAddress | Username
    try:
        if "@" in who:
            whom = EmailAddress.parse(who)
        else:
            try:
                whom = UUID(who)
            except ValueError:
                whom = Username.parse(who)
        return (await ostiary.use_cases.show_user(ShowUserCommand(caller=CommandLine(), whom=whom))).user
    except (ValueError, NotFound):
        fail(f"There is no user {who!a}.")


def table(headings: list[str], rows: list[list[str]]) -> str:
    """Columns as wide as they need to be."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    lines = [headings, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
