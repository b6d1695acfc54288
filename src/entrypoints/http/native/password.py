"""POST /auth/forgot-password, /auth/reset-password and /auth/change-password."""

from typing import Annotated, Any, ClassVar, Literal

from litestar import Response, post
from msgspec import Meta, Struct

from application.use_cases.password_change import ChangePasswordCommand
from application.use_cases.password_reset import ForgotPasswordCommand, ResetPasswordCommand
from domain.session import Transport
from entrypoints.http.decoding import Body, decode, decode_leniently
from entrypoints.http.edge import AnyRequest, InjectedEdge
from entrypoints.http.native.shapes import DEVICE_HEADERS, with_marks
from entrypoints.http.openapi import documented
from entrypoints.settings import Settings


class ForgotPasswordBody(Body, frozen=True, kw_only=True):
    """Whose password is forgotten."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("email",)

    email: Annotated[str | None, Meta(description="The account's address.")] = None


class ResetPasswordBody(Body, frozen=True, kw_only=True):
    """The letter's token and a new password."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("token", "password")

    token: Annotated[str | None, Meta(description="From the letter's link.")] = None
    password: Annotated[str | None, Meta(description="The new one; see GET /auth/policy.")] = None
    transport: Annotated[
        Literal["cookie", "token"], Meta(description="How the device mark travels: as a cookie or a header.")
    ] = "cookie"


class ChangePasswordBody(Body, frozen=True, kw_only=True):
    """The password in force and a new one."""

    current_password: Annotated[str | None, Meta(description="The one in force.")] = None
    password: Annotated[str | None, Meta(description="The new one; see GET /auth/policy.")] = None

    @classmethod
    def required_besides(cls, settings: Settings) -> list[str]:
        """The use case asks for both, once it is known who asks."""
        return ["current_password", "password"]


class ResetRequestedShape(Struct, frozen=True, kw_only=True):
    """The one answer: if somebody has this address, a letter is on its way."""

    status: str


@post(
    "/auth/forgot-password",
    status_code=202,
    opt=documented(
        "forgotPassword",
        "Ask for a new password",
        "Answers the same whether or not anybody has the address. The newer letter's link replaces the older one's.",
        body=ForgotPasswordBody,
        example={"email": "ada@example.com"},
        headers=DEVICE_HEADERS,
        success=ResetRequestedShape,
        success_example={"status": "reset_requested"},
        refusals=("validation_error", "rate_limited", "unavailable"),
    ),
)
async def forgot_password(request: AnyRequest, edge: InjectedEdge) -> Response[Any]:
    """Ask for a new password."""
    body = await decode(request, ForgotPasswordBody)
    await edge.use_cases.forgot_password(
        ForgotPasswordCommand(
            email=body.email,
            # Whichever way they travel: a client that has forgotten its password need not say how it carries sessions.
            device_marks=edge.device_marks_of(request, Transport.TOKEN)
            or edge.device_marks_of(request, Transport.COOKIE),
            client=edge.client_of(request),
        )
    )
    return Response(ResetRequestedShape(status="reset_requested"), status_code=202)


@post(
    "/auth/reset-password",
    status_code=204,
    opt=documented(
        "resetPassword",
        "Choose a new password",
        "Ends every session, voids every older link and every change that waits, and tells the owner. Nobody is signed "
        "in by it; this device is marked, so that failed sign-ins of others do not stand in the way.",
        body=ResetPasswordBody,
        example={"token": "PYr8qQyq3OWXrQnHmG4eJjXKpX3kS1S9J6wqQ0m3b5Y", "password": "difference of engines"},
        headers=DEVICE_HEADERS,
        refusals=("validation_error", "token_invalid", "token_expired", "rate_limited", "overloaded", "unavailable"),
    ),
)
async def reset_password(request: AnyRequest, edge: InjectedEdge) -> Response[None]:
    """Choose a new password."""
    body = await decode(request, ResetPasswordBody)
    transport = Transport(body.transport)
    reset = await edge.use_cases.reset_password(
        ResetPasswordCommand(
            token=body.token or "",
            password=body.password,
            device_marks=edge.device_marks_of(request, transport),
            client=edge.client_of(request),
        )
    )
    return with_marks(Response(None, status_code=204), reset.device_marks, transport, edge)


@post(
    "/auth/change-password",
    status_code=204,
    opt=documented(
        "changePassword",
        "Change the password",
        "Ends every other session, voids every older link and every change that waits, and tells the owner.",
        body=ChangePasswordBody,
        example={"current_password": "engine of difference", "password": "difference of engines"},
        headers=DEVICE_HEADERS,
        refusals=("validation_error", "unauthenticated", "rate_limited", "overloaded", "unavailable"),
        protected=True,
    ),
)
async def change_password(request: AnyRequest, edge: InjectedEdge) -> Response[None]:
    """Change the password."""
    body, misfits = await decode_leniently(request, ChangePasswordBody)
    caller = await edge.caller_of(request, misfits)
    transport = caller.session.transport
    changed = await edge.use_cases.change_password(
        ChangePasswordCommand(
            caller=caller,
            current_password=body.current_password,
            password=body.password,
            device_marks=edge.device_marks_of(request, transport),
            client=edge.client_of(request),
            malformed=tuple(misfits),
        )
    )
    return with_marks(Response(None, status_code=204), changed.device_marks, transport, edge)
