"""GET, PATCH and DELETE /auth/me, GET /auth/users/{id}."""

from typing import Annotated, Any, ClassVar

from litestar import Response, delete, patch, route
from litestar.params import FromPath
from msgspec import UNSET, Meta, UnsetType

from application.use_cases.account_deletion import DeleteAccountCommand
from application.use_cases.profile import ChangeProfileCommand
from application.use_cases.user_directory import ShowUserCommand
from entrypoints.http.decoding import Body, Purpose, decode, decode_profile
from entrypoints.http.edge import READING, AnyRequest, InjectedEdge, id_or_nobodys
from entrypoints.http.native.shapes import DEVICE_HEADERS, USER_EXAMPLE, UserShape, user_shape, with_marks
from entrypoints.http.openapi import documented
from entrypoints.settings import Settings


@route(
    "/auth/me",
    http_method=READING,
    status_code=200,
    opt=documented(
        "me",
        "Who am I?",
        "The signed-in user, by session cookie or bearer token.",
        success=UserShape,
        success_example=USER_EXAMPLE,
        refusals=("unauthenticated", "unavailable"),
        protected=True,
    ),
)
async def me(request: AnyRequest, edge: InjectedEdge) -> Response[Any]:
    """Who am I?"""
    caller = await edge.caller_of(request)
    return Response(user_shape(caller.user, edge.declared))


class ChangeProfileBody(Body, frozen=True, kw_only=True):
    """What is to change. null clears what is not required; what is left out stays as it is."""

    DECLARED: ClassVar[Purpose] = "to change"

    name: Annotated[str | UnsetType | None, Meta(description="1 to 64 characters.")] = UNSET
    username: Annotated[
        str | UnsetType | None,
        Meta(description="Only where the policy asks for one. The old one stays yours for 7 days."),
    ] = UNSET
    locale: Annotated[str | UnsetType | None, Meta(description="The language of letters, such as de.")] = UNSET

    @classmethod
    def clearable(cls, settings: Settings) -> list[str]:
        """The locale; name and username, where they are optional."""
        return ["locale", *(field for field in ("name", "username") if getattr(settings, field) == "optional")]


@patch(
    "/auth/me",
    status_code=200,
    opt=documented(
        "changeProfile",
        "Change my profile",
        "Only what is given changes. A username that somebody else holds, or gave up within the last 7 days, is a "
        "conflict. Address, password and role are not changed here.",
        body=ChangeProfileBody,
        example={"name": "Ada Lovelace"},
        success=UserShape,
        success_example={**USER_EXAMPLE, "name": "Ada Lovelace"},
        headers=DEVICE_HEADERS,
        refusals=("validation_error", "unauthenticated", "conflict", "rate_limited", "unavailable"),
        protected=True,
    ),
)
async def change_profile(request: AnyRequest, edge: InjectedEdge) -> Response[Any]:
    """Change my profile."""
    body, given, misfits = await decode_profile(request, ChangeProfileBody, edge.declared.names, clearable=True)
    caller = await edge.caller_of(request, misfits)
    transport = caller.session.transport
    typed = {"name": body.name, "username": body.username, "locale": body.locale}
    changed = await edge.use_cases.change_profile(
        ChangeProfileCommand(
            caller=caller,
            typed={name: text for name, text in typed.items() if text is not UNSET},
            fields=given,
            device_marks=edge.device_marks_of(request, transport),
            client=edge.client_of(request),
            malformed=tuple(misfits),
        )
    )
    return with_marks(Response(user_shape(changed.user, edge.declared)), changed.device_marks, transport, edge)


class DeleteAccountBody(Body, frozen=True, kw_only=True):
    """The password, unless the sign-in is less than ten minutes old."""

    password: Annotated[str | None, Meta(description="The account's; not asked for just after signing in.")] = None


@delete(
    "/auth/me",
    status_code=204,
    opt=documented(
        "deleteAccount",
        "Delete my account",
        "With everything personal. A letter tells the owner, whose link brings the account back for a week.",
        body=DeleteAccountBody,
        example={"password": "engine of difference"},
        refusals=(
            "validation_error",
            "unauthenticated",
            "reauthentication_required",
            "rate_limited",
            "overloaded",
            "unavailable",
        ),
        protected=True,
    ),
)
async def delete_account(request: AnyRequest, edge: InjectedEdge) -> Response[None]:
    """Delete my account."""
    body = await decode(request, DeleteAccountBody)
    caller = await edge.caller_of(request)
    command = DeleteAccountCommand(caller=caller, password=body.password, client=edge.client_of(request))
    await edge.use_cases.delete_account(command)
    return Response(None, status_code=204, cookies=edge.cookies.expired())


@route(
    "/auth/users/{user_id:str}",
    http_method=READING,
    status_code=200,
    opt=documented(
        "user",
        "One user",
        "One's own; 403 for every other id, whether or not there is such a user (R54). Administrators see everybody, "
        "and 404 where there is nobody.",
        success=UserShape,
        success_example=USER_EXAMPLE,
        refusals=("unauthenticated", "forbidden", "not_found", "unavailable"),
        protected=True,
    ),
)
async def user(request: AnyRequest, edge: InjectedEdge, user_id: FromPath[str]) -> Response[Any]:
    """One user."""
    caller = await edge.caller_of(request)
    if user_id.lower() == str(caller.user.id):
        return Response(user_shape(caller.user, edge.declared))
    shown = await edge.use_cases.show_user(ShowUserCommand(caller=caller, whom=id_or_nobodys(user_id)))
    return Response(user_shape(shown.user, edge.declared))
