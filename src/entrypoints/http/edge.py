"""What every controller needs besides the request: the use cases, the cookies, and who is calling."""

from dataclasses import dataclass
from typing import Any

from litestar import HttpMethod, Request
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from structlog.contextvars import bind_contextvars

from application.admission import SessionWish
from application.catalogue import UseCases
from application.use_cases.identify import Caller, IdentifyCommand
from domain.client import Client
from domain.errors import Unauthenticated
from domain.session import Transport
from entrypoints.composition import Ostiary
from entrypoints.http.cookies import Cookies
from entrypoints.http.forwarding import caller_address

READING = [HttpMethod.GET, HttpMethod.HEAD]
"""The methods of whatever is only read (RFC 9110 section 9.3.2)."""

DEVICE_HEADER = "X-Ostiary-Device"
"""Where clients without cookies show their device token."""

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

    def client_of(self, request: AnyRequest) -> Client:
        """Who is calling; every log line of the request carries it from here on (R65)."""
        address = caller_address(
            request.client.host if request.client else "",
            request.headers.getall("x-forwarded-for", []),
            self.ostiary.settings.trusted_proxies,
        )
        client = Client(address=address, user_agent=request.headers.get("user-agent", ""))
        masked = self.ostiary.settings.log_client == "masked"
        bind_contextvars(client=client.masked_address if masked else client.address, user_agent=client.browser)
        return client

    def wish_of(self, request: AnyRequest, transport: str, *, remember: bool) -> SessionWish:
        """The session that is wished for. Device marks travel as it does: in a cookie, or for token in a header."""
        by = Transport(transport)
        headers = request.headers.getall(DEVICE_HEADER, [])
        in_header = headers[0] if len(headers) == 1 else None
        return SessionWish(
            transport=by,
            remember=remember,
            device_marks=in_header if by is Transport.TOKEN else self.cookies.device_of(request),
            client=self.client_of(request),
        )

    async def caller_of(self, request: AnyRequest) -> Caller:
        """The signed-in caller, by bearer token or session cookie. Raises `Unauthenticated`."""
        self.client_of(request)  # so that the log knows who was refused
        authorization = request.headers.getall("authorization", [])
        if not authorization:
            return await self.use_cases.identify(IdentifyCommand(session_cookie=self.cookies.session_of(request)))
        scheme, _, token = authorization[0].partition(" ")
        if len(authorization) > 1 or scheme.lower() != "bearer" or not token:
            raise Unauthenticated
        return await self.use_cases.identify(IdentifyCommand(access_token=token))

    async def caller_if_any(self, request: AnyRequest) -> Caller | None:
        """The caller where being signed in is welcome and not asked for."""
        try:
            return await self.caller_of(request)
        except Unauthenticated:
            return None


InjectedEdge = NamedDependency[SkipValidation[Edge]]
"""The type a controller declares its `edge` with."""
