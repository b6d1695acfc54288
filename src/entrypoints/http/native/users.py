"""GET /auth/me and /auth/users/{id}."""

from typing import Any

from litestar import Response, route
from litestar.params import FromPath

from domain.errors import Forbidden
from entrypoints.http.edge import READING, AnyRequest, InjectedEdge
from entrypoints.http.native.shapes import USER_EXAMPLE, UserShape, user_shape
from entrypoints.http.openapi import documented


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
    return Response(user_shape(caller.user))


@route(
    "/auth/users/{user_id:str}",
    http_method=READING,
    status_code=200,
    opt=documented(
        "user",
        "One user",
        "One's own; 403 for every other id, whether or not there is such a user (R54).",
        success=UserShape,
        success_example=USER_EXAMPLE,
        refusals=("unauthenticated", "forbidden", "unavailable"),
        protected=True,
    ),
)
async def user(request: AnyRequest, edge: InjectedEdge, user_id: FromPath[str]) -> Response[Any]:
    """One user."""
    caller = await edge.caller_of(request)
    if user_id.lower() != str(caller.user.id):
        raise Forbidden
    return Response(user_shape(caller.user))
