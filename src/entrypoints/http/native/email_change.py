"""POST /auth/change-email, /auth/confirm-email-change and /auth/undo."""

from typing import Annotated, Any, ClassVar

from litestar import Response, post
from msgspec import Meta, Struct

from application.use_cases.email_change import ChangeEmailCommand, ConfirmEmailChangeCommand
from application.use_cases.undo import UndoChangeCommand
from entrypoints.http.decoding import Body, decode, decode_leniently
from entrypoints.http.edge import AnyRequest, InjectedEdge
from entrypoints.http.openapi import documented
from entrypoints.settings import Settings


class ChangeEmailBody(Body, frozen=True, kw_only=True):
    """The new address, and the password unless the sign-in is less than ten minutes old."""

    email: Annotated[str | None, Meta(description="The new address.")] = None
    password: Annotated[str | None, Meta(description="The account's; not asked for just after signing in.")] = None

    @classmethod
    def required_besides(cls, settings: Settings) -> list[str]:
        """The use case asks for it, once it is known who asks."""
        return ["email"]


class LinkBody(Body, frozen=True, kw_only=True):
    """The token from a letter."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("token",)

    token: Annotated[str | None, Meta(description="From the letter's link.")] = None


class EmailStatusShape(Struct, frozen=True, kw_only=True):
    """What became of it, and the address concerned."""

    status: str
    email: str


_TOKEN_EXAMPLE = {"token": "PYr8qQyq3OWXrQnHmG4eJjXKpX3kS1S9J6wqQ0m3b5Y"}


@post(
    "/auth/change-email",
    status_code=202,
    opt=documented(
        "changeEmail",
        "Ask for another address",
        "Answers the same whether or not somebody has it. A letter goes there; nothing changes until its link is "
        "opened.",
        body=ChangeEmailBody,
        example={"email": "countess@example.com", "password": "engine of difference"},
        success=EmailStatusShape,
        success_example={"status": "confirmation_sent", "email": "countess@example.com"},
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
async def change_email(request: AnyRequest, edge: InjectedEdge) -> Response[Any]:
    """Ask for another address."""
    body, misfits = await decode_leniently(request, ChangeEmailBody)
    caller = await edge.caller_of(request, misfits)
    command = ChangeEmailCommand(
        caller=caller,
        email=body.email,
        password=body.password,
        client=edge.client_of(request),
        malformed=tuple(misfits),
    )
    email = await edge.use_cases.change_email(command)
    return Response(EmailStatusShape(status="confirmation_sent", email=email.canonical), status_code=202)


@post(
    "/auth/confirm-email-change",
    status_code=200,
    opt=documented(
        "confirmEmailChange",
        "Confirm another address",
        "Moves the account to the address that the letter went to. The old one is told, and can undo it for a week.",
        body=LinkBody,
        example=_TOKEN_EXAMPLE,
        success=EmailStatusShape,
        success_example={"status": "email_changed", "email": "countess@example.com"},
        refusals=("validation_error", "token_invalid", "token_expired", "rate_limited", "unavailable"),
    ),
)
async def confirm_email_change(request: AnyRequest, edge: InjectedEdge) -> Response[Any]:
    """Confirm another address."""
    body = await decode(request, LinkBody)
    command = ConfirmEmailChangeCommand(token=body.token or "", client=edge.client_of(request))
    email = await edge.use_cases.confirm_email_change(command)
    return Response(EmailStatusShape(status="email_changed", email=email.canonical))


@post(
    "/auth/undo",
    status_code=200,
    opt=documented(
        "undoChange",
        "This wasn't me",
        "By the link in a letter about a new device, a changed password or address, a stolen session or a deleted "
        "account: brings the account back to how it was before, ends every session, lets no password in any more, and "
        "sends a letter to choose a new one.",
        body=LinkBody,
        example=_TOKEN_EXAMPLE,
        success=EmailStatusShape,
        success_example={"status": "undone", "email": "ada@example.com"},
        refusals=(
            "validation_error",
            "token_invalid",
            "token_expired",
            "conflict",
            "rate_limited",
            "overloaded",
            "unavailable",
        ),
    ),
)
async def undo_change(request: AnyRequest, edge: InjectedEdge) -> Response[Any]:
    """This wasn't me."""
    body = await decode(request, LinkBody)
    command = UndoChangeCommand(token=body.token or "", client=edge.client_of(request))
    email = await edge.use_cases.undo_change(command)
    return Response(EmailStatusShape(status="undone", email=email.canonical))
