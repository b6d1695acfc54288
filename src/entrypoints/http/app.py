"""The web application: the controllers, the refusals, the perimeter."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Literal, cast

from litestar import HttpMethod, Litestar, Response, route
from litestar.config.cors import CORSConfig
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Method

from entrypoints.composition import Ostiary
from entrypoints.http import health
from entrypoints.http.admin import events as admin_events
from entrypoints.http.admin import users as admin_users
from entrypoints.http.bounce_hooks import hook_handlers
from entrypoints.http.cookies import Cookies, SameSite
from entrypoints.http.decoding import MAX_BYTES
from entrypoints.http.dev_pages import docs_handlers, inbox_handlers
from entrypoints.http.edge import DEVICE_HEADER, READING, Edge
from entrypoints.http.languages import language_of
from entrypoints.http.metrics import MetricsGate
from entrypoints.http.native import (
    email_change,
    email_verification,
    password,
    policy,
    refresh,
    sessions,
    sign_in,
    sign_up,
    users,
)
from entrypoints.http.openapi import describe
from entrypoints.http.pages.controller import page_handlers
from entrypoints.http.perimeter import Perimeter
from entrypoints.http.problems import exception_handlers
from entrypoints.settings import Settings

API: list[HTTPRouteHandler] = [
    sign_up.sign_up,
    email_verification.verify_email,
    email_verification.resend_verification,
    sign_in.sign_in,
    refresh.refresh,
    sign_in.sign_out,
    users.me,
    users.change_profile,
    users.delete_account,
    users.user,
    sessions.sessions,
    sessions.end_session,
    sessions.events,
    password.forgot_password,
    password.reset_password,
    password.change_password,
    email_change.change_email,
    email_change.confirm_email_change,
    email_change.undo_change,
    admin_users.users,
    admin_users.show_user,
    admin_users.change_user,
    admin_users.end_user_sessions,
    admin_users.start_reset,
    admin_events.all_events,
    policy.policy,
    policy.jwks,
    health.live,
    health.ready,
]
"""The documented endpoints, in the order a person meets them."""


def api_under(settings: Settings) -> list[HTTPRouteHandler]:
    """The documented endpoints as these settings have them."""
    if settings.verification == "required":
        return API
    return [sign_up.open_sign_up if handler is sign_up.sign_up else handler for handler in API]


_ALLOWED_METHODS: list[Method | Literal["*"]] = ["GET", "POST", "PATCH", "DELETE"]
_ALLOWED_HEADERS = ["Authorization", "Content-Type", DEVICE_HEADER]
_EXPOSED_HEADERS = ["Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id", DEVICE_HEADER]


def create_app(ostiary: Ostiary) -> ASGIApp:
    """The application, ready for an ASGI server."""
    settings = ostiary.settings
    cookies = cookies_for(settings)
    edge = Edge(ostiary, cookies)
    api = api_under(settings)
    handlers = [*api, *hook_handlers(ostiary.bounce_hooks), favicon]
    if settings.pages:
        handlers += page_handlers()
    if ostiary.dev_inbox is not None:
        handlers += inbox_handlers(ostiary.dev_inbox, ostiary)
    if settings.serves_openapi:
        handlers += docs_handlers(describe(api, cookies, settings), ostiary)
    litestar = Litestar(
        route_handlers=[*_allowed_methods(handlers), *handlers],
        dependencies={"edge": Provide(lambda: edge, sync_to_thread=False)},
        exception_handlers=exception_handlers(partial(language_of, ostiary)),
        request_max_body_size=MAX_BYTES,
        openapi_config=None,
        cors_config=CORSConfig(
            allow_origins=sorted(settings.origins),
            allow_credentials=True,
            allow_methods=_ALLOWED_METHODS,
            allow_headers=_ALLOWED_HEADERS,
            expose_headers=_EXPOSED_HEADERS,
        ),
        logging_config=None,
    )
    app = cast("ASGIApp", litestar)
    if ostiary.metrics is not None and settings.metrics_token is not None:
        app = MetricsGate(app, ostiary.metrics, settings.metrics_token)
    return Perimeter(
        app,
        origins=settings.origins,
        https=settings.https,
        loopback_only=settings.development,
        metrics=ostiary.metrics,
    )


def _allowed_methods(handlers: Iterable[HTTPRouteHandler]) -> Iterator[HTTPRouteHandler]:
    """OPTIONS for paths that several handlers share, of whom the framework names the first one's methods only."""
    methods: defaultdict[str, list[set[str]]] = defaultdict(list)
    for handler in handlers:
        for path in handler.paths:
            methods[path].append({str(method) for method in handler.http_methods})
    for path, each in methods.items():
        if len(each) > 1:
            yield _options(path, ", ".join(sorted({"OPTIONS"}.union(*each))))


def _options(path: str, allow: str) -> HTTPRouteHandler:
    @route(path, http_method=HttpMethod.OPTIONS, status_code=204, sync_to_thread=False)
    def options() -> Response[None]:
        return Response(None, status_code=204, headers={"Allow": allow})

    return options


def cookies_for(settings: Settings) -> Cookies:
    """The cookies these settings ask for."""
    return Cookies(
        https=settings.https,
        same_site=cast("SameSite", settings.cookie_samesite),
        with_access_token=settings.access_token_cookie,
    )


@route("/favicon.ico", http_method=READING, status_code=204, sync_to_thread=False)
def favicon() -> Response[None]:
    """Browsers ask; there is none."""
    return Response(None, status_code=204)
