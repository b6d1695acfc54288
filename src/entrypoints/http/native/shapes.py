"""Wire shapes that several conversations answer with."""

from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, TypeVar

from litestar import Response
from msgspec import UNSET, Meta, Struct, UnsetType, defstruct

from application.admission import SignedIn
from domain.declared_fields import DeclaredFields
from domain.session import Transport
from domain.user import User
from entrypoints.http.edge import DEVICE_HEADER, Edge


class UserShape(Struct, frozen=True, kw_only=True):
    """A person, as they and their product may see them; the operator's declared fields stand beside these."""

    id: Annotated[str, Meta(description="A UUID; it never changes.")]
    email: Annotated[str, Meta(description="In its canonical spelling.")]
    email_verified: Annotated[bool, Meta(description="Whether its mailbox is proven.")]
    name: str | None
    username: Annotated[str | None, Meta(description="null where usernames are not used.")]
    role: Annotated[str, Meta(description="`user`, `admin`, or a name of yours.")]
    locale: Annotated[str | None, Meta(description="The language of letters to them; null for the default.")]
    created_at: datetime


UserShapeT = TypeVar("UserShapeT", bound=UserShape)


class SignedInShape(Struct, frozen=True, kw_only=True):
    """A session has begun, or goes on."""

    user: UserShape
    access_token: Annotated[str, Meta(description="For `Authorization: Bearer`.")]
    token_type: Annotated[str, Meta(description="`Bearer`.")]
    expires_in: Annotated[int, Meta(description="Seconds the access token is good for.")]
    refresh_token: Annotated[
        str | UnsetType, Meta(description="The session's own token, only for `transport: token`.")
    ] = UNSET
    device_token: Annotated[
        str | UnsetType, Meta(description="To be sent as X-Ostiary-Device next time, only for `transport: token`.")
    ] = UNSET


DEVICE_HEADERS = {DEVICE_HEADER: "The `device_token` of an earlier answer, for clients without cookies."}
"""What `documented` says of device marks."""

USER_EXAMPLE = {
    "id": "6f1b0c52-5d0e-4d3f-9a53-0c2f1b7c9e11",
    "email": "ada@example.com",
    "email_verified": True,
    "name": "Ada",
    "username": None,
    "role": "user",
    "locale": "en",
    "created_at": "2026-01-01T12:00:00Z",
}
SIGNED_IN_EXAMPLE = {
    "user": USER_EXAMPLE,
    "access_token": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl",
    "token_type": "Bearer",
    "expires_in": 900,
}


def user_shape(user: User, declared: DeclaredFields) -> UserShape:
    """A user on the wire, with every declared field; null where there is nothing."""
    return shaped(UserShape, user, declared)


def shaped(shape: type[UserShapeT], user: User, declared: DeclaredFields, **more: Any) -> UserShapeT:
    """The same in a shape that has `more`."""
    made: UserShapeT = _shape_with(shape, declared)(
        id=str(user.id),
        email=user.email.canonical,
        email_verified=user.email_verified,
        name=user.name.text if user.name else None,
        username=user.username.name if user.username else None,
        role=user.role,
        locale=user.locale,
        created_at=user.created_at,
        **declared.shown(user.fields),
        **more,
    )
    return made


@lru_cache(maxsize=8)
def _shape_with(shape: type[UserShape], declared: DeclaredFields) -> Any:
    """What a user looks like where these fields are declared."""
    fields = [(field.name, Any) for field in declared.all]
    return defstruct(shape.__name__, fields, bases=(shape,), frozen=True, kw_only=True)


def with_marks(response: Response[Any], marks: str | None, transport: Transport, edge: Edge) -> Response[Any]:
    """The answer with device marks, if there are new ones, travelling as the session does."""
    if marks is not None and transport is Transport.TOKEN:
        response.headers[DEVICE_HEADER] = marks
    elif marks is not None:
        response.cookies += [edge.cookies.for_device(marks)]
    return response


def signed_in_response(signed_in: SignedIn, edge: Edge, *, status: int = 200) -> Response[Any]:
    """Session token and device marks travel in cookies or in the body, never in both."""
    by_token = signed_in.session.transport is Transport.TOKEN
    marks = signed_in.device_marks
    shape = SignedInShape(
        user=user_shape(signed_in.user, edge.declared),
        access_token=signed_in.access_token,
        token_type="Bearer",  # noqa: S106 - RFC 6750
        expires_in=signed_in.expires_in,
        refresh_token=signed_in.session_token.text if by_token else UNSET,
        device_token=marks if by_token and marks is not None else UNSET,
    )
    response = Response(shape, status_code=status)
    if not by_token:
        response.cookies += edge.cookies.for_session(signed_in)
        response.cookies += [edge.cookies.for_device(marks)] if marks is not None else []
    return response
