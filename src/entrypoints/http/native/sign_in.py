"""POST /auth/signin and /auth/signout."""

from typing import Annotated, Any, Literal

from litestar import Response, post
from msgspec import Meta

from application.use_cases.sessions import Scope, SignOutCommand
from application.use_cases.sign_in import SignInCommand
from domain.session import Transport
from entrypoints.http.decoding import Body, decode, decode_leniently
from entrypoints.http.edge import AnyRequest, InjectedEdge
from entrypoints.http.native.shapes import DEVICE_HEADERS, SIGNED_IN_EXAMPLE, SignedInShape, signed_in_response
from entrypoints.http.openapi import documented
from entrypoints.settings import Settings


class SignInBody(Body, frozen=True, kw_only=True):
    """An e-mail address or a username, and the password."""

    email: Annotated[str | None, Meta(description="The address, or else the username.")] = None
    username: Annotated[str | None, Meta(description="The username, or else the address.")] = None
    password: Annotated[str | None, Meta(description="Never trimmed.")] = None
    transport: Annotated[Literal["cookie", "token"], Meta(description="How the session token travels.")] = "cookie"
    remember: Annotated[bool, Meta(description="Whether the session outlives the browser's.")] = True

    @classmethod
    def required_besides(cls, settings: Settings) -> list[str]:
        """The use case asks for it, together with the address or username that goes with it."""
        return ["password"]


class SignOutBody(Body, frozen=True, kw_only=True):
    """What to sign out of."""

    scope: Annotated[Literal["this", "others", "all"], Meta(description="This session, the others, or all.")] = "this"


@post(
    "/auth/signin",
    status_code=200,
    opt=documented(
        "signIn",
        "Sign in",
        "One answer, 401 `invalid_credentials`, for an unknown address, a wrong password, an address not yet verified "
        "and a disabled account.",
        body=SignInBody,
        example={"email": "ada@example.com", "password": "engine of difference"},
        headers=DEVICE_HEADERS,
        success=SignedInShape,
        success_example=SIGNED_IN_EXAMPLE,
        refusals=("validation_error", "invalid_credentials", "rate_limited", "overloaded", "unavailable"),
    ),
)
async def sign_in(request: AnyRequest, edge: InjectedEdge) -> Response[Any]:
    """Sign in."""
    body, misfits = await decode_leniently(request, SignInBody)
    signed_in = await edge.use_cases.sign_in(
        SignInCommand(
            email=body.email,
            username=body.username,
            password=body.password,
            session=edge.wish_of(request, body.transport, remember=body.remember),
            malformed=tuple(misfits),
        )
    )
    return signed_in_response(signed_in, edge)


@post(
    "/auth/signout",
    status_code=204,
    opt=documented(
        "signOut",
        "Sign out",
        "The session is dead at once, under its access tokens too, and its cookie expires.",
        body=SignOutBody,
        example={"scope": "this"},
        refusals=("validation_error", "unauthenticated", "unavailable"),
        protected=True,
    ),
)
async def sign_out(request: AnyRequest, edge: InjectedEdge) -> Response[None]:
    """Sign out."""
    scope = Scope((await decode(request, SignOutBody)).scope)
    caller = await edge.caller_of(request)
    await edge.use_cases.sign_out(SignOutCommand(caller=caller, scope=scope, client=edge.client_of(request)))
    stays = scope is Scope.OTHERS or caller.session.transport is Transport.TOKEN
    return Response(None, status_code=204, cookies=[] if stays else edge.cookies.expired())
