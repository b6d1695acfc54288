"""Users, sessions and events as commands print them: tables for people, the shapes of the API for programs."""

from datetime import datetime

import click
import msgspec

from application.use_cases.user_directory import ShownUser
from domain.declared_fields import DeclaredFields
from domain.events import RecordedEvent
from domain.user import User
from entrypoints.cli.asking import table
from entrypoints.http.admin.shapes import administered_user_shape
from entrypoints.http.native.sessions import events_shape, session_shapes


def print_json(shape: object) -> None:
    """For programs."""
    click.echo(msgspec.json.format(msgspec.json.encode(shape), indent=2).decode())


def _shape_of(user: User) -> dict[str, object]:
    """A user as the API shows them, with every field that is stored, declared today or not."""
    shape: dict[str, object] = msgspec.to_builtins(administered_user_shape(user, DeclaredFields()))
    return {**shape, **user.fields}


def print_users(users: list[User], *, as_json: bool) -> None:
    """A list of them."""
    if as_json:
        print_json({"users": [_shape_of(user) for user in users]})
        return
    headings = ["address", "name", "username", "role", "state", "since", "id"]
    click.echo(table(headings, [_cells(user) for user in users]))


def print_user(user: User, *, as_json: bool, said: str) -> None:
    """One after something was done to them: what, in a sentence."""
    if as_json:
        print_json(_shape_of(user))
    else:
        click.echo(said)


def print_shown(shown: ShownUser, *, as_json: bool) -> None:
    """One with their sessions."""
    if as_json:
        print_json({"user": _shape_of(shown.user), "sessions": session_shapes(shown.sessions)})
        return
    user = shown.user
    lines = {
        "id": str(user.id),
        "address": f"{user.email} ({'verified' if user.email_verified else 'not verified'})",
        "name": str(user.name or "-"),
        "username": str(user.username or "-"),
        "role": user.role,
        "state": _state(user),
        "since": at(user.created_at),
        "first sign-in": at(user.first_signed_in_at),
        **{name: str(value) for name, value in user.fields.items()},
    }
    width = max(map(len, lines))
    click.echo("\n".join(f"{name:<{width}}  {value}" for name, value in lines.items()))
    if not shown.sessions:
        click.echo("\nSigned in nowhere.")
        return
    rows = [
        [
            each.device,
            each.masked_address,
            at(each.created_at),
            at(each.last_seen_at),
            at(each.expires_at),
        ]
        for each in shown.sessions
    ]
    click.echo("\n" + table(["signed in with", "from", "began", "last seen", "expires"], rows))


def print_events(events: list[RecordedEvent], *, as_json: bool) -> None:
    """A list of them."""
    if as_json:
        print_json({"events": events_shape(events, len(events) + 1).events})
        return
    rows = [
        [
            at(event.at),
            event.kind + (" !" if event.failed else ""),
            str(event.user_id or "-"),
            str(event.actor_id or "-"),
            event.reason or "-",
            event.address or "-",
        ]
        for event in events
    ]
    click.echo(table(["when (UTC)", "what", "user", "by", "reason", "from"], rows))


def print_counts(counts: dict[str, int], *, as_json: bool, nothing: str) -> None:
    """How many of each."""
    if as_json:
        print_json(counts)
    elif counts:
        click.echo(
            table(["what", "how many"], [[name.replace("_", " "), str(count)] for name, count in counts.items()])
        )
    else:
        click.echo(nothing)


def _cells(user: User) -> list[str]:
    name, username = str(user.name or "-"), str(user.username or "-")
    return [str(user.email), name, username, user.role, _state(user), at(user.created_at), str(user.id)]


def _state(user: User) -> str:
    if user.disabled_at is not None:
        return f"disabled {at(user.disabled_at)}"
    return "active" if user.email_verified else "not verified"


def at(moment: datetime | None) -> str:
    """A moment, as people read it."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "-"
