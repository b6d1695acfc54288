"""POST /auth/verify-email and /auth/resend-verification."""

from typing import Annotated, Any, ClassVar, Literal

from litestar import Response, post
from msgspec import Meta, Struct

from application.use_cases.email_verification import VerifyEmailCommand
from application.use_cases.resend_verification import ResendVerificationCommand
from entrypoints.http.decoding import Body, decode
from entrypoints.http.edge import AnyRequest, InjectedEdge
from entrypoints.http.native.shapes import DEVICE_HEADERS, SIGNED_IN_EXAMPLE, SignedInShape, signed_in_response
from entrypoints.http.openapi import documented


class VerifyEmailBody(Body, frozen=True, kw_only=True):
    """The letter's token, and perhaps a second fact. The sign-up cookie, if the browser has it, is one; for somebody
    who is a user already, their session."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("token",)

    token: Annotated[str | None, Meta(description="From the letter's link.")] = None
    email: Annotated[str | None, Meta(description="If given, must be the address the letter went to.")] = None
    password: Annotated[str | None, Meta(description="The password chosen at sign-up.")] = None
    new_password: Annotated[str | None, Meta(description="Instead: a new one; whoever signed up is out.")] = None
    name: Annotated[str | None, Meta(description="With `new_password`: the name to go by.")] = None
    transport: Annotated[Literal["cookie", "token"], Meta(description="How the session token travels.")] = "cookie"
    remember: Annotated[bool, Meta(description="Whether the session outlives the browser's.")] = True


class ResendVerificationBody(Body, frozen=True, kw_only=True):
    """Whose letter to write again."""

    email: Annotated[str | None, Meta(description="The address; whoever waits under it is meant.")] = None
    token: Annotated[str | None, Meta(description="Or an expired token from a letter.")] = None


class ResentShape(Struct, frozen=True, kw_only=True):
    """The one answer: if somebody waits, a letter is on its way."""

    status: str


@post(
    "/auth/verify-email",
    status_code=200,
    opt=documented(
        "verifyEmail",
        "Prove a mailbox",
        "Turns the sign-up whose letter was opened into a user and signs in. The token proves the mailbox; the sign-up "
        "cookie or `password` proves the person, or `new_password` starts afresh. With none of them: 403 "
        "`password_required`, and nothing is spent. A user who has not been verified yet is verified in the same way, "
        "by a session in place of the sign-up cookie; `new_password` ends every other session.",
        body=VerifyEmailBody,
        example={"token": "PYr8qQyq3OWXrQnHmG4eJjXKpX3kS1S9J6wqQ0m3b5Y", "password": "engine of difference"},
        headers=DEVICE_HEADERS,
        success=SignedInShape,
        success_example=SIGNED_IN_EXAMPLE,
        refusals=(
            "validation_error",
            "token_invalid",
            "token_expired",
            "password_required",
            "already_verified",
            "rate_limited",
            "overloaded",
            "unavailable",
        ),
    ),
)
async def verify_email(request: AnyRequest, edge: InjectedEdge) -> Response[Any]:
    """Prove a mailbox."""
    body = await decode(request, VerifyEmailBody)
    signed_in = await edge.use_cases.verify_email(
        VerifyEmailCommand(
            token=body.token or "",
            email=body.email,
            cookie=edge.cookies.sign_up_of(request),
            caller=await edge.caller_if_any(request),
            password=body.password,
            new_password=body.new_password,
            name=body.name,
            session=edge.wish_of(request, body.transport, remember=body.remember),
        )
    )
    return signed_in_response(signed_in, edge)


@post(
    "/auth/resend-verification",
    status_code=202,
    opt=documented(
        "resendVerification",
        "Ask for the letter again",
        "Answers the same whether or not anybody waits. The newer letter's link replaces the older one's.",
        body=ResendVerificationBody,
        example={"email": "ada@example.com"},
        success=ResentShape,
        success_example={"status": "verification_sent"},
        refusals=("validation_error", "rate_limited", "unavailable"),
    ),
)
async def resend_verification(request: AnyRequest, edge: InjectedEdge) -> Response[Any]:
    """Ask for the letter again."""
    body = await decode(request, ResendVerificationBody)
    await edge.use_cases.resend_verification(
        ResendVerificationCommand(
            email=body.email,
            token=body.token,
            cookie=edge.cookies.sign_up_of(request),
            client=edge.client_of(request),
        )
    )
    return Response(ResentShape(status="verification_sent"), status_code=202)
