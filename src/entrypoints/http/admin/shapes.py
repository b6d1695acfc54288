"""Wire shapes of administration; the command line prints the same with `--json`."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from application.ports.administration import Place
from application.use_cases.user_directory import ShownUser
from domain.declared_fields import DeclaredFields
from domain.user import User
from entrypoints.http.native.sessions import SessionShape, session_shapes
from entrypoints.http.native.shapes import USER_EXAMPLE, UserShape, shaped


class AdministeredUserShape(UserShape, frozen=True, kw_only=True):
    """A person, as administrators see them: nothing of the password."""

    disabled_at: Annotated[datetime | None, Meta(description="Since when nobody gets in by this account.")]
    first_signed_in_at: datetime | None


class UserPageShape(Struct, frozen=True, kw_only=True):
    """A page of users, newest first; `next` goes into `after` for the one after."""

    users: list[AdministeredUserShape]
    next: str | None


class ShownUserShape(Struct, frozen=True, kw_only=True):
    """A user, and where they are signed in."""

    user: AdministeredUserShape
    sessions: list[SessionShape]


ADMINISTERED_USER_EXAMPLE = {**USER_EXAMPLE, "disabled_at": None, "first_signed_in_at": "2026-01-01T12:00:00Z"}
SESSION_EXAMPLE = {
    "id": "5b2c1a64-1d7e-4c0a-9c55-7a1f4b0e2d33",
    "current": False,
    "device": "Firefox on Linux",
    "address": "192.0.2.0/24",
    "transport": "cookie",
    "remember": True,
    "created_at": "2026-01-01T12:00:00Z",
    "last_seen_at": "2026-01-02T12:00:00Z",
    "expires_at": "2026-01-16T12:00:00Z",
}


def administered_user_shape(user: User, declared: DeclaredFields) -> AdministeredUserShape:
    """A user on the wire."""
    more = {"disabled_at": user.disabled_at, "first_signed_in_at": user.first_signed_in_at}
    return shaped(AdministeredUserShape, user, declared, **more)


def user_page_shape(users: list[User], most: int, declared: DeclaredFields) -> UserPageShape:
    """A page on the wire."""
    return UserPageShape(
        users=[administered_user_shape(user, declared) for user in users],
        next=Place.of(users[-1]).text if len(users) == most else None,
    )


def shown_user_shape(shown: ShownUser, declared: DeclaredFields) -> ShownUserShape:
    """A user with their sessions on the wire."""
    return ShownUserShape(user=administered_user_shape(shown.user, declared), sessions=session_shapes(shown.sessions))
