"""POST /auth/signup."""

from typing import Annotated, Any, ClassVar, Literal, assert_never

from litestar import Response, post
from msgspec import UNSET, Meta, Struct, UnsetType

from application.admission import SignedIn
from application.sign_up_form import SignUpCommand
from application.use_cases.open_sign_up import SignedUp
from application.waiting_room import VerificationSent
from entrypoints.http.decoding import Body, Purpose, decode_profile
from entrypoints.http.edge import AnyRequest, InjectedEdge
from entrypoints.http.native.shapes import SIGNED_IN_EXAMPLE, USER_EXAMPLE, UserShape, signed_in_response, user_shape
from entrypoints.http.openapi import documented
from entrypoints.settings import Settings


class SignUpBody(Body, frozen=True, kw_only=True):
    """Somebody asks to join."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("email", "password")
    DECLARED: ClassVar[Purpose] = "to join"

    email: Annotated[str | None, Meta(description="At most 254 characters; spelling is normalised.")] = None
    password: Annotated[str | None, Meta(description="See GET /auth/policy; never trimmed.")] = None
    name: Annotated[str | None, Meta(description="1 to 64 characters; required unless the policy says otherwise.")] = (
        None
    )
    username: Annotated[str | None, Meta(description="Only where the policy asks for one.")] = None
    password_confirm: Annotated[str | None, Meta(description="If given, must equal the password.")] = None
    locale: Annotated[
        str | None,
        Meta(description="The language of letters, such as de or pt-BR. Without it, Accept-Language decides."),
    ] = None

    @classmethod
    def required_besides(cls, settings: Settings) -> list[str]:
        """The profile, as far as it is asked for."""
        return [field for field in ("name", "username") if getattr(settings, field) == "required"]


class OpenSignUpBody(SignUpBody, frozen=True, kw_only=True):
    """Somebody joins, and may have a session at once."""

    transport: Annotated[Literal["cookie", "token"], Meta(description="How the session token travels.")] = "cookie"
    remember: Annotated[bool, Meta(description="Whether the session outlives the browser's.")] = True


class VerificationSentShape(Struct, frozen=True, kw_only=True):
    """The one answer: a letter is on its way to whoever owns the address."""

    status: str
    email: str


class SignedUpShape(Struct, frozen=True, kw_only=True):
    """There is a user, whose mailbox is yet to be proven. Without a session unless signing up signs in."""

    user: UserShape
    access_token: Annotated[str | UnsetType, Meta(description="For `Authorization: Bearer`.")] = UNSET
    token_type: str | UnsetType = UNSET
    expires_in: Annotated[int | UnsetType, Meta(description="Seconds the access token is good for.")] = UNSET
    refresh_token: Annotated[
        str | UnsetType, Meta(description="The session's own token, only for `transport: token`.")
    ] = UNSET


_EXAMPLE = {"email": "ada@example.com", "password": "engine of difference", "name": "Ada"}
_REFUSALS = ("validation_error", "conflict", "rate_limited", "overloaded", "unavailable")


@post(
    "/auth/signup",
    status_code=202,
    opt=documented(
        "signUp",
        "Ask to join",
        "Answers the same whether or not the address has an account, and its owner is told by letter; under `friendly` "
        "disclosure (see the policy) a taken address is a conflict. Sets the HttpOnly sign-up cookie, which lets the "
        "letter's link work without the password in this browser.",
        body=SignUpBody,
        example=_EXAMPLE,
        success=VerificationSentShape,
        success_example={"status": "verification_sent", "email": "ada@example.com"},
        refusals=_REFUSALS,
    ),
)
async def sign_up(request: AnyRequest, edge: InjectedEdge) -> Response[Any]:
    """Ask to join."""
    return await _answer(request, edge, SignUpBody)


@post(
    "/auth/signup",
    status_code=201,
    opt=documented(
        "signUp",
        "Join",
        "Makes the user at once, unverified, and signs in unless that is switched off; a letter asks for the address "
        "to be confirmed. A taken address or username is a conflict.",
        body=OpenSignUpBody,
        example=_EXAMPLE,
        success=SignedUpShape,
        success_example={**SIGNED_IN_EXAMPLE, "user": {**USER_EXAMPLE, "email_verified": False}},
        refusals=_REFUSALS,
    ),
)
async def open_sign_up(request: AnyRequest, edge: InjectedEdge) -> Response[Any]:
    """Join, where verification is optional."""
    return await _answer(request, edge, OpenSignUpBody)


async def _answer(request: AnyRequest, edge: InjectedEdge, shape: type[SignUpBody]) -> Response[Any]:
    body, given, misfits = await decode_profile(request, shape, edge.declared.names)
    session = body if isinstance(body, OpenSignUpBody) else OpenSignUpBody()
    outcome = await edge.use_cases.sign_up(
        SignUpCommand(
            email=body.email,
            password=body.password,
            name=body.name,
            username=body.username,
            password_confirm=body.password_confirm,
            fields=given,
            locale=body.locale,
            session=edge.wish_of(request, session.transport, remember=session.remember),
            malformed=tuple(misfits),
        )
    )
    match outcome:
        case VerificationSent():
            sent = VerificationSentShape(status="verification_sent", email=outcome.email.canonical)
            return Response(sent, status_code=202, cookies=[edge.cookies.for_sign_up(outcome.cookie)])
        case SignedUp():
            return Response(SignedUpShape(user=user_shape(outcome.user, edge.declared)), status_code=201)
        case SignedIn():
            return signed_in_response(outcome, edge, status=201)
        case _:
            assert_never(outcome)
