"""GET /admin/users, GET and PATCH /admin/users/{id}, POST /admin/users/{id}/end-sessions and /start-reset."""

from typing import Annotated, Any, ClassVar

from litestar import Response, patch, post, route
from litestar.params import FromPath
from msgspec import UNSET, Meta, UnsetType

from application.use_cases.administration import ChangeUserCommand, EndUserSessionsCommand
from application.use_cases.started_reset import StartResetCommand
from application.use_cases.user_directory import ListUsersCommand, ShowUserCommand
from entrypoints.http.admin.queries import Query
from entrypoints.http.admin.shapes import (
    ADMINISTERED_USER_EXAMPLE,
    SESSION_EXAMPLE,
    AdministeredUserShape,
    ShownUserShape,
    UserPageShape,
    administered_user_shape,
    shown_user_shape,
    user_page_shape,
)
from entrypoints.http.decoding import Body, Purpose, decode, decode_profile
from entrypoints.http.edge import READING, AnyRequest, InjectedEdge, id_or_nobodys
from entrypoints.http.native.email_change import EmailStatusShape
from entrypoints.http.openapi import documented


@route(
    "/admin/users",
    http_method=READING,
    status_code=200,
    opt=documented(
        "listUsers",
        "Who is here?",
        "Users, newest first. Administrators only, as everything here.",
        success=UserPageShape,
        success_example={"users": [ADMINISTERED_USER_EXAMPLE], "next": None},
        refusals=("validation_error", "unauthenticated", "forbidden", "unavailable"),
        protected=True,
        query={
            "search": "Part of an address, a name or a username, whatever the case; or a whole id.",
            "role": "Only those with this role.",
            "disabled": "true or false: only those who are, or are not.",
            "verified": "true or false: only those whose address is, or is not.",
            "after": "The `next` of the page before.",
            "most": "How many at most; 100 if not given.",
        },
    ),
)
async def users(request: AnyRequest, edge: InjectedEdge) -> Response[Any]:
    """Who is here?"""
    caller, query = await edge.caller_of(request), Query(request)
    disabled, verified = query.switch("disabled"), query.switch("verified")
    after, most = query.place("after"), query.most()
    command = ListUsersCommand(
        caller=caller,
        search=query.given("search"),
        role=query.given("role"),
        disabled=disabled,
        verified=verified,
        after=after,
        most=most,
        malformed=tuple(query.malformed),
    )
    return Response(user_page_shape(await edge.use_cases.list_users(command), most, edge.declared))


@route(
    "/admin/users/{user_id:str}",
    http_method=READING,
    status_code=200,
    opt=documented(
        "showUser",
        "One user, and where they are signed in",
        "For administrators.",
        success=ShownUserShape,
        success_example={"user": ADMINISTERED_USER_EXAMPLE, "sessions": [SESSION_EXAMPLE]},
        refusals=("unauthenticated", "forbidden", "not_found", "unavailable"),
        protected=True,
    ),
)
async def show_user(request: AnyRequest, edge: InjectedEdge, user_id: FromPath[str]) -> Response[Any]:
    """One user, and where they are signed in."""
    command = ShowUserCommand(caller=await edge.caller_of(request), whom=id_or_nobodys(user_id))
    return Response(shown_user_shape(await edge.use_cases.show_user(command), edge.declared))


class ChangeUserBody(Body, frozen=True, kw_only=True):
    """What is to change; what is left out stays as it is."""

    DECLARED: ClassVar[Purpose] = "to administer"

    role: Annotated[
        str | UnsetType,
        Meta(description="1 to 32 of a-z, 0-9, _ and -, beginning with a letter; `admin` administers."),
    ] = UNSET
    disabled: Annotated[bool | UnsetType, Meta(description="true ends every session at once.")] = UNSET


@patch(
    "/admin/users/{user_id:str}",
    status_code=200,
    opt=documented(
        "changeUser",
        "Change, disable or enable a user",
        "Role and declared fields, those included that their owner cannot set. All that is given, or nothing; true at "
        "the next request. Your own account can be neither demoted nor disabled by you. Address and password are their "
        "owner's alone.",
        body=ChangeUserBody,
        example={"role": "admin", "disabled": False},
        success=AdministeredUserShape,
        success_example={**ADMINISTERED_USER_EXAMPLE, "role": "admin"},
        refusals=("validation_error", "unauthenticated", "forbidden", "not_found", "own_account", "unavailable"),
        protected=True,
    ),
)
async def change_user(request: AnyRequest, edge: InjectedEdge, user_id: FromPath[str]) -> Response[Any]:
    """Change, disable or enable a user."""
    body, given, misfits = await decode_profile(request, ChangeUserBody, edge.declared.names, clearable=True)
    caller = await edge.caller_of(request, misfits)
    command = ChangeUserCommand(
        caller=caller,
        user_id=id_or_nobodys(user_id),
        role=None if body.role is UNSET else body.role,
        disabled=None if body.disabled is UNSET else body.disabled,
        fields=given,
        client=edge.client_of(request),
        malformed=tuple(misfits),
    )
    return Response(administered_user_shape(await edge.use_cases.change_user(command), edge.declared))


@post(
    "/admin/users/{user_id:str}/end-sessions",
    status_code=204,
    opt=documented(
        "endUserSessions",
        "End every session of a user",
        "At once, for Ostiary's own endpoints also under a live access token.",
        refusals=("unauthenticated", "forbidden", "not_found", "unavailable"),
        protected=True,
    ),
)
async def end_user_sessions(request: AnyRequest, edge: InjectedEdge, user_id: FromPath[str]) -> Response[None]:
    """End every session of a user."""
    command = EndUserSessionsCommand(
        caller=await edge.caller_of(request), user_id=id_or_nobodys(user_id), client=edge.client_of(request)
    )
    await edge.use_cases.end_user_sessions(command)
    return Response(None, status_code=204)


class StartResetBody(Body, frozen=True, kw_only=True):
    """Whether the old password is to be worth nothing from now on."""

    expire_password: Annotated[
        bool | None,
        Meta(description="true when somebody else may know it: it lets nobody in any more, and every session ends."),
    ] = None


@post(
    "/admin/users/{user_id:str}/start-reset",
    status_code=202,
    opt=documented(
        "startReset",
        "Send a letter to choose a new password",
        "To the address that the account has. Nobody but its owner chooses. `expire_password` is not for your own.",
        body=StartResetBody,
        example={"expire_password": True},
        success=EmailStatusShape,
        success_example={"status": "reset_sent", "email": "ada@example.com"},
        refusals=(
            "validation_error",
            "unauthenticated",
            "forbidden",
            "not_found",
            "own_account",
            "account_disabled",
            "overloaded",
            "unavailable",
        ),
        protected=True,
    ),
)
async def start_reset(request: AnyRequest, edge: InjectedEdge, user_id: FromPath[str]) -> Response[Any]:
    """Send a letter to choose a new password."""
    body = await decode(request, StartResetBody)
    command = StartResetCommand(
        caller=await edge.caller_of(request),
        user_id=id_or_nobodys(user_id),
        expire_password=body.expire_password or False,
        client=edge.client_of(request),
    )
    email = await edge.use_cases.start_reset(command)
    return Response(EmailStatusShape(status="reset_sent", email=email.canonical), status_code=202)
