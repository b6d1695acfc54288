"""POST /auth/signup."""

from typing import Annotated, Any, ClassVar

from litestar import Response, post
from msgspec import Meta, Struct

from application.use_cases.sign_up import SignUpCommand
from entrypoints.http.decoding import Body, decode_leniently
from entrypoints.http.edge import AnyRequest, InjectedEdge
from entrypoints.http.openapi import documented
from entrypoints.settings import Settings


class SignUpBody(Body, frozen=True, kw_only=True):
    """Somebody asks to join."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("email", "password")

    email: Annotated[str | None, Meta(description="At most 254 characters; spelling is normalised.")] = None
    password: Annotated[str | None, Meta(description="See GET /auth/policy; never trimmed.")] = None
    name: Annotated[str | None, Meta(description="1 to 64 characters; required unless the policy says otherwise.")] = (
        None
    )
    username: Annotated[str | None, Meta(description="Only where the policy asks for one.")] = None
    password_confirm: Annotated[str | None, Meta(description="If given, must equal the password.")] = None

    @classmethod
    def required_besides(cls, settings: Settings) -> list[str]:
        """The profile, as far as it is asked for."""
        return [field for field in ("name", "username") if getattr(settings, field) == "required"]


class VerificationSentShape(Struct, frozen=True, kw_only=True):
    """The one answer: a letter is on its way to whoever owns the address."""

    status: str
    email: str


@post(
    "/auth/signup",
    status_code=202,
    opt=documented(
        "signUp",
        "Ask to join",
        "Answers the same whether or not the address has an account; the owner of the mailbox is told by letter. Sets "
        "the HttpOnly sign-up cookie, which lets the letter's link work without the password in this browser.",
        body=SignUpBody,
        example={"email": "ada@example.com", "password": "engine of difference", "name": "Ada"},
        success=VerificationSentShape,
        success_example={"status": "verification_sent", "email": "ada@example.com"},
        refusals=("validation_error", "conflict", "rate_limited", "overloaded", "unavailable"),
    ),
)
async def sign_up(request: AnyRequest, edge: InjectedEdge) -> Response[Any]:
    """Ask to join."""
    body, misfits = await decode_leniently(request, SignUpBody)
    sent = await edge.use_cases.sign_up(
        SignUpCommand(
            email=body.email,
            password=body.password,
            name=body.name,
            username=body.username,
            password_confirm=body.password_confirm,
            client=edge.client_of(request),
            malformed=tuple(misfits),
        )
    )
    shape = VerificationSentShape(status="verification_sent", email=sent.email.canonical)
    return Response(shape, status_code=202, cookies=[edge.cookies.for_sign_up(sent.cookie)])
