"""`ostiary users`: administration from the shell, and where the first administrator comes from (ASVS 6.3.2)."""

import sys
from typing import TYPE_CHECKING, Any

import click

from entrypoints.cli.asking import as_json, ask, fail, user_called
from entrypoints.cli.exporting import export_users
from entrypoints.cli.importing import import_users

# Whatever knows the service is imported within the commands: `serve` needs none of it from here.
if TYPE_CHECKING:
    from application.use_cases.user_directory import ShownUser
    from domain.email_address import EmailAddress
    from domain.user import User
    from entrypoints.composition import Ostiary


@click.group()
def users() -> None:
    """Make, find and look after users. WHO is an address, a username or an id."""


users.add_command(import_users)
users.add_command(export_users)


@users.command()
@click.option("--email", required=True, help="Theirs; it needs no proof.")
@click.option("--name", help="What they are called.")
@click.option("--username", help="Where usernames are used.")
@click.option("--role", default="user", show_default=True, help="`admin` administers.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@as_json
def create(email: str, name: str | None, username: str | None, role: str, password_stdin: bool, as_json: bool) -> None:
    """Make a user. Without a password, a letter lets them choose one."""
    password = _password(from_stdin=password_stdin)

    async def question(ostiary: "Ostiary") -> "User":
        from application.use_cases.user_creation import CreateUserCommand

        command = CreateUserCommand(email=email, name=name, username=username, role=role, password=password)
        return await ostiary.use_cases.create_user(command)

    user = ask(question)
    from entrypoints.cli.printing import print_user

    letter = " A letter to choose a password is on its way; it leaves while the service or its worker runs."
    said = f"{user.email} is here, as {user.role}: {user.id}.{letter if password is None else ''}"
    print_user(user, as_json=as_json, said=said)


def _password(*, from_stdin: bool) -> str | None:
    """Never an argument, which everybody on the machine can read."""
    if from_stdin:
        try:
            password = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            fail("password: standard input is not in UTF-8.")
        return password or fail("password: there is none on standard input.")
    if not sys.stdin.isatty():
        return None
    prompt = "Password (nothing: a letter lets them choose one)"
    typed: str = click.prompt(prompt, default="", hide_input=True, show_default=False, err=True)
    if typed and click.prompt("Once more", default="", hide_input=True, show_default=False, err=True) != typed:
        fail("password: The two passwords differ.")
    return typed or None


@users.command("list")
@click.option("--search", help="Part of an address, a name or a username; or a whole id.")
@click.option("--role", help="Only those with this role.")
@click.option("--disabled/--enabled", default=None, help="Only those who are.")
@click.option("--verified/--unverified", default=None, help="Only those whose address is.")
@click.option("--most", type=click.IntRange(1), default=100, show_default=True, help="How many at most.")
@as_json
def list_users(
    search: str | None, role: str | None, disabled: bool | None, verified: bool | None, most: int, as_json: bool
) -> None:
    """List users, newest first."""

    async def question(ostiary: "Ostiary") -> "list[User]":
        from application.administrators import CommandLine
        from application.ports.administration import Place
        from application.use_cases.user_directory import MOST_USERS, ListUsersCommand

        found: list[User] = []
        page: list[User] = []
        while len(found) <= most and (not found or len(page) == MOST_USERS):
            command = ListUsersCommand(
                caller=CommandLine(),
                search=search,
                role=role,
                disabled=disabled,
                verified=verified,
                after=Place.of(found[-1]) if found else None,
            )
            page = await ostiary.use_cases.list_users(command)
            if not page:
                break
            found += page
        return found

    found = ask(question)
    from entrypoints.cli.printing import print_users

    print_users(found[:most], as_json=as_json)
    if len(found) > most:
        click.echo("There are more: --most says how many to list.", err=True)


@users.command()
@click.argument("who")
@as_json
def show(who: str, as_json: bool) -> None:
    """Show one user, and where they are signed in."""

    async def question(ostiary: "Ostiary") -> "ShownUser":
        from application.administrators import CommandLine
        from application.use_cases.user_directory import ShowUserCommand

        user = await user_called(ostiary, who)
        return await ostiary.use_cases.show_user(ShowUserCommand(caller=CommandLine(), whom=user.id))

    shown = ask(question)
    from entrypoints.cli.printing import print_shown

    print_shown(shown, as_json=as_json)


@users.command()
@click.argument("who")
@as_json
def disable(who: str, as_json: bool) -> None:
    """Shut a user out: every session ends at once."""
    _change(who, "{} is disabled, and signed in nowhere any more.", as_json=as_json, disabled=True)


@users.command()
@click.argument("who")
@as_json
def enable(who: str, as_json: bool) -> None:
    """Let a user in again; no old session comes back."""
    _change(who, "{} can sign in again.", as_json=as_json, disabled=False)


@users.command()
@click.argument("who")
@click.argument("role")
@as_json
def role(who: str, role: str, as_json: bool) -> None:
    """Give a user another role, at their next request."""
    _change(who, "{} has the role {} now.", as_json=as_json, role=role)


def _change(who: str, said: str, *, as_json: bool, **what: Any) -> None:
    async def question(ostiary: "Ostiary") -> "User":
        from application.administrators import CommandLine
        from application.use_cases.administration import ChangeUserCommand

        user = await user_called(ostiary, who)
        command = ChangeUserCommand(caller=CommandLine(), user_id=user.id, **what)
        return await ostiary.use_cases.change_user(command)

    user = ask(question)
    from entrypoints.cli.printing import print_user

    print_user(user, as_json=as_json, said=said.format(user.email, user.role))


@users.command("end-sessions")
@click.argument("who")
@as_json
def end_sessions(who: str, as_json: bool) -> None:
    """End every session of a user."""

    async def question(ostiary: "Ostiary") -> "User":
        from application.administrators import CommandLine
        from application.use_cases.administration import EndUserSessionsCommand

        user = await user_called(ostiary, who)
        await ostiary.use_cases.end_user_sessions(EndUserSessionsCommand(caller=CommandLine(), user_id=user.id))
        return user

    user = ask(question)
    from entrypoints.cli.printing import print_user

    print_user(user, as_json=as_json, said=f"{user.email} is signed in nowhere any more.")


@users.command()
@click.argument("who")
@click.option("--expire-password", is_flag=True, help="The old one lets nobody in any more, and every session ends.")
@as_json
def reset(who: str, expire_password: bool, as_json: bool) -> None:
    """Send a user a letter to choose a new password."""

    async def question(ostiary: "Ostiary") -> "tuple[User, EmailAddress]":
        from application.administrators import CommandLine
        from application.use_cases.started_reset import StartResetCommand

        user = await user_called(ostiary, who)
        command = StartResetCommand(caller=CommandLine(), user_id=user.id, expire_password=expire_password)
        return user, await ostiary.use_cases.start_reset(command)

    user, email = ask(question)
    from entrypoints.cli.printing import print_user

    expired = " The old password lets nobody in any more." if expire_password else ""
    said = f"A letter to {email} is on its way; it leaves while the service or its worker runs.{expired}"
    print_user(user, as_json=as_json, said=said)
