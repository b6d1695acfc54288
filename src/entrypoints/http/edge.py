"""What every controller needs besides the request: the use cases, the cookies, and who is calling."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from litestar import HttpMethod, Request
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from structlog.contextvars import bind_contextvars

from application.catalogue import UseCases
from application.use_cases.identify import Caller, IdentifyCommand
from domain.client import Client
from domain.errors import Unauthenticated
from entrypoints.composition import Ostiary
from entrypoints.http.cookies import Cookies
from entrypoints.setting_values import Network

READING = [HttpMethod.GET, HttpMethod.HEAD]
"""The methods of whatever is only read (RFC 9110 section 9.3.2)."""

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
        """The socket's peer; behind trusted proxies, the last address in X-Forwarded-For that is not one of them.

        Every log line of the request carries it from here on (R65).
        """
        trusted = self.ostiary.settings.trusted_proxies
        forwarded = ",".join(request.headers.getall("x-forwarded-for", []))
        hops = [_without_port(hop.strip()) for hop in forwarded.split(",")]
        address = request.client.host if request.client else ""
        while hops and _within(address, trusted) and _is_address(hops[-1]):
            address = hops.pop()
        client = Client(address=address, user_agent=request.headers.get("user-agent", ""))
        masked = self.ostiary.settings.log_client == "masked"
        bind_contextvars(client=client.masked_address if masked else client.address, user_agent=client.browser)
        return client

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


def _within(address: str, networks: tuple[Network, ...]) -> bool:
    return _is_address(address) and any(ip_address(address) in network for network in networks)


def _without_port(hop: str) -> str:
    """Some proxies write `192.0.2.1:4431` or `[2001:db8::1]:4431`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
