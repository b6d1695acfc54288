"""POST /auth/refresh."""

from typing import Annotated, Any

from litestar import Response, post
from msgspec import Meta

from application.use_cases.refresh import RefreshCommand
from domain.session import Transport
from entrypoints.http.decoding import Body, decode
from entrypoints.http.edge import AnyRequest, InjectedEdge
from entrypoints.http.native.shapes import SIGNED_IN_EXAMPLE, SignedInShape, signed_in_response
from entrypoints.http.openapi import documented


class RefreshBody(Body, frozen=True, kw_only=True):
    """The token of a native client; a browser's travels in its cookie."""

    refresh_token: Annotated[
        str | None, Meta(description="What `transport: token` was answered with. Without it, the session cookie.")
    ] = None


@post(
    "/auth/refresh",
    status_code=200,
    opt=documented(
        "refresh",
        "Renew the session and its access token",
        "Answers as signing in does. Keep what it answers: a token replaced more than 30 seconds ago is taken for "
        "stolen, and ends the session. Within those seconds the same request may be made again, and by any number of "
        "tabs at once.",
        body=RefreshBody,
        example={"refresh_token": "AW8bDFJdDk0_mlMMLxt8nhEAAAABYjR2kQ"},
        success=SignedInShape,
        success_example=SIGNED_IN_EXAMPLE,
        refusals=("validation_error", "unauthenticated", "unavailable"),
        by_session_token=True,
    ),
)
async def refresh(request: AnyRequest, edge: InjectedEdge) -> Response[Any]:
    """Renew the session and its access token."""
    body = await decode(request, RefreshBody)
    by_token = body.refresh_token is not None
    renewed = await edge.use_cases.refresh(
        RefreshCommand(
            session_token=body.refresh_token if by_token else edge.cookies.session_of(request),
            transport=Transport.TOKEN if by_token else Transport.COOKIE,
            client=edge.client_of(request),
        )
    )
    return signed_in_response(renewed, edge)
