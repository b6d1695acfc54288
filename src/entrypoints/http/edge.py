"""What every controller needs besides the request: the use cases, the cookies, and who is calling."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import HttpMethod, Request
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from structlog.contextvars import bind_contextvars

from application.admission import SessionWish
from application.catalogue import UseCases
from application.recognition import Caller
from application.use_cases.identify import IdentifyCommand
from domain.client import Client
from domain.declared_fields import DeclaredFields
from domain.errors import Unauthenticated, ValidationError, Violation
from domain.sentence import Sentence
from domain.session import Transport
from domain.violations import Broken, Violations
from entrypoints.composition import Ostiary
from entrypoints.http.cookies import Cookies
from entrypoints.http.forwarding import caller_address
from entrypoints.http.languages import languages_of

READING = [HttpMethod.GET, HttpMethod.HEAD]
"""The methods of whatever is only read (RFC 9110 section 9.3.2)."""

DEVICE_HEADER = "X-Ostiary-Device"
"""Where clients without cookies show their device token."""

MOST_A_PAGE = 100
"""Entries of a list in one answer."""

AnyRequest = Request[Any, Any, Any]


@dataclass(frozen=True)
class Edge:
    """Handed to each controller by the framework's injection."""

    ostiary: Ostiary
    cookies: Cookies

    @property
    def use_cases(self) -> UseCases:
        """What can be asked."""
        return self.ostiary.use_cases

    @property
    def declared(self) -> DeclaredFields:
        """The operator's profile fields."""
        return self.ostiary.profile.declared

    def client_of(self, request: AnyRequest) -> Client:
        """Who is calling; every log line of the request carries it from here on (R65)."""
        address = caller_address(
            request.client.host if request.client else "",
            request.headers.getall("x-forwarded-for", []),
            self.ostiary.settings.trusted_proxies,
        )
        client = Client(
            address=address,
            user_agent=request.headers.get("user-agent", ""),
            languages=languages_of(request),
        )
        masked = self.ostiary.settings.log_client == "masked"
        bind_contextvars(client=client.masked_address if masked else client.address, user_agent=client.browser)
        return client

    def wish_of(self, request: AnyRequest, transport: str, *, remember: bool) -> SessionWish:
        """The session that is wished for. Device marks travel as it does: in a cookie, or for token in a header."""
        by = Transport(transport)
        return SessionWish(
            transport=by,
            remember=remember,
            device_marks=self.device_marks_of(request, by),
            client=self.client_of(request),
        )

    def device_marks_of(self, request: AnyRequest, transport: Transport) -> str | None:
        """The device marks that the caller holds."""
        if transport is Transport.COOKIE:
            return self.cookies.device_of(request)
        headers = request.headers.getall(DEVICE_HEADER, [])
        return headers[0] if len(headers) == 1 else None

    def page_of(self, request: AnyRequest) -> tuple[UUID | None, int]:
        """Which page of a list is asked for: what was read last, and how many at most. Raises `ValidationError`."""
        violations = Violations()
        before = violations.parse_optional("before", request.query_params.get("before"), _parse_id)
        most = violations.parse_optional("most", request.query_params.get("most"), _parse_most)
        violations.settle()
        return before, most or MOST_A_PAGE

    async def caller_of(self, request: AnyRequest, misfits: Sequence[Violation] = ()) -> Caller:
        """The signed-in caller, by bearer token or session cookie. Raises `Unauthenticated`; or `ValidationError` where
        the body had `misfits`, because what is wrong with a body is said first, as everywhere."""
        caller = await self.caller_if_any(request)
        if caller is None:
            raise ValidationError(misfits) if misfits else Unauthenticated
        return caller

    async def caller_if_any(self, request: AnyRequest) -> Caller | None:
        """The caller where being signed in is welcome and not asked for."""
        try:
            return await self._identified(request)
        except Unauthenticated:
            return None

    async def _identified(self, request: AnyRequest) -> Caller:
        self.client_of(request)  # so that the log knows who was refused
        authorization = request.headers.getall("authorization", [])
        if not authorization:
            return await self.use_cases.identify(IdentifyCommand(session_cookie=self.cookies.session_of(request)))
        scheme, _, token = authorization[0].partition(" ")
        if len(authorization) > 1 or scheme.lower() != "bearer" or not token:
            raise Unauthenticated
        return await self.use_cases.identify(IdentifyCommand(access_token=token))


def id_or_nobodys(text: str) -> UUID:
    """An id from a path; for what is none, the one that nobody has: a use case says who may learn that there is
    nothing."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _parse_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Broken("invalid_type", Sentence("This is no id.")) from None


def _parse_most(text: str) -> int:
    if not re.fullmatch("[0-9]{1,4}", text, re.ASCII) or not 1 <= int(text) <= MOST_A_PAGE:
        raise Broken("invalid_type", Sentence("Give a number from 1 to %(most)d.", most=MOST_A_PAGE))
    return int(text)


InjectedEdge = NamedDependency[SkipValidation[Edge]]
"""The type a controller declares its `edge` with."""
