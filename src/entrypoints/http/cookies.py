"""Our cookies: HttpOnly, host-bound, and never read when there are two of a name (RFC 6265bis)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from litestar import Request
from litestar.datastructures import Cookie

from application.admission import SignedIn
from domain.device_mark import MARK_LIFETIME
from domain.secret import Secret
from domain.sign_up import WAITING_TIME

SameSite = Literal["lax", "strict"]


@dataclass(frozen=True, kw_only=True)
class Cookies:
    """Names and attributes follow the public URL, never the request: over https with the `__Host-` prefix."""

    https: bool
    same_site: SameSite
    with_access_token: bool

    @property
    def session_name(self) -> str:
        """The session cookie's name."""
        return self._named("ostiary")

    @property
    def sign_up_name(self) -> str:
        """The name of the cookie that marks the browser that signed up."""
        return self._named("ostiary-signup")

    @property
    def access_token_name(self) -> str:
        """The name of the optional second cookie with the access token (R55)."""
        return self._named("ostiary-access")

    @property
    def device_name(self) -> str:
        """The name of the cookie that holds a browser's device marks."""
        return self._named("ostiary-device")

    def session_of(self, request: Request[Any, Any, Any]) -> str | None:
        """The session cookie's value."""
        return _only(request, self.session_name)

    def sign_up_of(self, request: Request[Any, Any, Any]) -> str | None:
        """The sign-up cookie's value."""
        return _only(request, self.sign_up_name)

    def device_of(self, request: Request[Any, Any, Any]) -> str | None:
        """The device cookie's value."""
        return _only(request, self.device_name)

    def for_sign_up(self, secret: Secret) -> Cookie:
        """Lax even where the session's is Strict: the letter's link is opened from a mail program."""
        return self._cookie(self.sign_up_name, secret.text, WAITING_TIME, "lax")

    def for_session(self, signed_in: SignedIn) -> list[Cookie]:
        """The session cookie, kept as long as the session may still live if it is to be remembered.

        Counted from the last refresh, so that whoever is answered within one grace is given the very same cookie.
        """
        session = signed_in.session
        lifetime = session.absolute_expires_at - session.refreshed_at if session.remember else None
        cookies = [self._cookie(self.session_name, signed_in.session_token.text, lifetime, self.same_site)]
        if self.with_access_token:
            span = timedelta(seconds=signed_in.expires_in)
            cookies.append(self._cookie(self.access_token_name, signed_in.access_token, span, self.same_site))
        return cookies

    def for_device(self, marks: str) -> Cookie:
        """It outlives the session and signing out: what it spares its owner, strangers do while nobody is signed in."""
        return self._cookie(self.device_name, marks, MARK_LIFETIME, "lax")

    def expired(self) -> list[Cookie]:
        """What signs a browser out; nobody else's cookies are touched."""
        names = [self.session_name, *([self.access_token_name] if self.with_access_token else [])]
        return [self._cookie(name, "", timedelta(0), self.same_site) for name in names]

    def _named(self, name: str) -> str:
        return f"__Host-{name}" if self.https else name

    def _cookie(self, name: str, value: str, lifetime: timedelta | None, same_site: SameSite) -> Cookie:
        return Cookie(
            key=name,
            value=value,
            max_age=int(lifetime.total_seconds()) if lifetime is not None else None,
            path="/",
            secure=self.https,
            httponly=True,
            samesite=same_site,
        )


def _only(request: Request[Any, Any, Any], name: str) -> str | None:
    """The value of the one cookie of that name. Two of a name mean that somebody planted one: neither is believed.

    Only spaces and tabs come off (RFC 6265bis section 5.6): with others before it, such as `\\xa0`, a name has no
    `__Host-` prefix to a browser, so that any sibling may set it, and it must have none here.
    """
    pairs = (pair.strip(" \t") for header in request.headers.getall("cookie", []) for pair in header.split(";"))
    values = [value for key, _, value in (pair.partition("=") for pair in pairs) if key == name]
    return values[0] if len(values) == 1 else None
