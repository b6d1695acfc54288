"""Refusals as problem details (RFC 9457): here, and only here, a refusal gets its HTTP status."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from math import ceil
from typing import Annotated, Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap
from msgspec import UNSET, Meta, Struct, UnsetType

from application.ports.languages import Sentences
from domain.errors import Conflict, Overloaded, RateLimited, Refusal, Unavailable, ValidationError, Violation
from domain.sentence import Sentence
from entrypoints.store_trouble import in_its_words

PROBLEM_JSON = "application/problem+json"

_log = structlog.get_logger("ostiary.http")


class FieldError(Struct, frozen=True):
    """One broken rule."""

    field: Annotated[str, Meta(description="As it is called in the body or the query.")]
    code: Annotated[str, Meta(description="Which rule; stable.")]
    message: Annotated[str, Meta(description="A sentence to show beside the field.")]


class Problem(Struct, frozen=True, kw_only=True):
    """Why the request was declined. `code` is stable; `detail` is for people."""

    type: Annotated[str, Meta(description="A URN made from the code, or a registered type.")]
    title: Annotated[str, Meta(description="The status in words.")]
    status: Annotated[int, Meta(description="The HTTP status again.")]
    detail: Annotated[str, Meta(description="A sentence for people.")]
    code: Annotated[str, Meta(description="Which refusal; stable.")]
    errors: Annotated[
        list[FieldError] | UnsetType,
        Meta(description="Every broken rule at once, with `validation_error` and `conflict`."),
    ] = UNSET


STATUS = {
    "validation_error": 400,
    "token_invalid": 400,
    "token_expired": 400,
    "malformed_request": 400,
    "invalid_credentials": 401,
    "unauthenticated": 401,
    "forbidden": 403,
    "reauthentication_required": 403,
    "foreign_origin": 403,
    "password_required": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "request_timeout": 408,
    "conflict": 409,
    "already_verified": 409,
    "own_account": 409,
    "account_disabled": 409,
    "payload_too_large": 413,
    "unsupported_media_type": 415,
    "rate_limited": 429,
    "headers_too_large": 431,
    "server_error": 500,
    "overloaded": 503,
    "unavailable": 503,
    "draining": 503,
    "database_unavailable": 503,
    "schema_mismatch": 503,
}
"""Every code there is, with the status it is answered with."""

_DETAILS = {
    "malformed_request": Sentence("The request could not be read."),
    "foreign_origin": Sentence("Requests from this origin are not accepted here: it is not in OSTIARY_CORS_ORIGINS."),
    "not_found": Sentence("There is nothing here."),
    "method_not_allowed": Sentence("This cannot be done here."),
    "request_timeout": Sentence("The request did not arrive in time."),
    "payload_too_large": Sentence("The request is larger than is taken here."),
    "unsupported_media_type": Sentence("Send JSON in UTF-8, uncompressed, as application/json."),
    "headers_too_large": Sentence("The request line and headers are larger than 32 KiB."),
    "server_error": Sentence("Something went wrong on our side."),
    "draining": Sentence("This process is about to end."),
    "database_unavailable": Sentence("The database does not answer."),
    "schema_mismatch": Sentence("The database's schema is not one that this version can work with."),
}
_CODES_OF_FRAMEWORK = {
    400: "malformed_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    415: "unsupported_media_type",
}
_QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded"


class EdgeRefusal(Exception):
    """The edge itself declines, before any use case is asked. `code` is a key of `STATUS`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def problem_type(code: str) -> str:
    """The problem's type: the registered one where there is one, else our own name for it."""
    return _QUOTA_EXCEEDED if code == "rate_limited" else f"urn:ostiary:problem:{code}"


def problem_response(
    code: str,
    detail: Sentence,
    said: Sentences | None = None,
    *,
    violations: Sequence[Violation] = (),
    headers: dict[str, str] | None = None,
) -> Response[Problem]:
    """The answer for a code, in the language `said`, or in English. Like all answers it is stored nowhere, so no `Vary`
    has to say what it depends on."""
    say = said.say if said is not None else str
    status = STATUS[code]
    problem = Problem(
        type=problem_type(code),
        title=HTTPStatus(status).phrase,
        status=status,
        detail=say(detail),
        code=code,
        errors=[FieldError(one.field, one.code, say(one.message)) for one in violations] or UNSET,
    )
    language = {"Content-Language": said.locale} if said is not None else {}
    return Response(problem, status_code=status, media_type=PROBLEM_JSON, headers={**language, **(headers or {})})


def exception_handlers(language_of: Callable[[Request[Any, Any, Any]], Sentences]) -> ExceptionHandlersMap:
    """What answers each kind of exception, in the language that the caller reads."""
    return {
        Refusal: lambda request, refusal: on_refusal(language_of(request), refusal),
        EdgeRefusal: lambda request, refusal: on_edge_refusal(language_of(request), refusal),
        HTTPException: lambda request, error: on_http_exception(language_of(request), error),
        Exception: lambda request, error: on_fault(language_of(request), error),
    }


def on_refusal(said: Sentences, refusal: Refusal) -> Response[Problem]:
    """A use case said no."""
    headers: dict[str, str] = {}
    violations = refusal.violations if isinstance(refusal, ValidationError | Conflict) else ()
    if isinstance(refusal, RateLimited | Overloaded | Unavailable):
        wait = max(ceil(refusal.retry_after.total_seconds()), 1)
        headers["Retry-After"] = str(wait)
        if isinstance(refusal, RateLimited) and refusal.policy is not None:
            count, window = refusal.policy
            headers["RateLimit-Policy"] = f'"{refusal.limit}";q={count};w={int(window.total_seconds())}'
            headers["RateLimit"] = f'"{refusal.limit}";r=0;t={wait}'
    if STATUS[refusal.code] == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(refusal, Unavailable):
        _log.error("store_unavailable", cause=in_its_words(refusal))
    return problem_response(refusal.code, refusal.detail, said, violations=violations, headers=headers)


def on_edge_refusal(said: Sentences, refusal: EdgeRefusal) -> Response[Problem]:
    """The edge said no."""
    headers = {"Retry-After": "1"} if STATUS[refusal.code] == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return problem_response(refusal.code, _DETAILS[refusal.code], said, headers=headers)


def on_http_exception(said: Sentences, error: HTTPException) -> Response[Any]:
    """The framework said no: no route, another method, too large."""
    code = _CODES_OF_FRAMEWORK.get(
        error.status_code, "malformed_request" if error.status_code < 500 else "server_error"
    )
    allow = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    return problem_response(code, _DETAILS[code], said, headers=allow)


def on_fault(said: Sentences, error: Exception) -> Response[Problem]:
    """A mistake of ours: told to the log, never to the caller (ASVS 16.5.1)."""
    _log.error("fault", exc_info=error)
    return problem_response("server_error", _DETAILS["server_error"], said)


def plain_problem(code: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body for answers that are given before the framework is asked."""
    response = problem_response(code, _DETAILS[code])
    body = response.render(response.content, PROBLEM_JSON)
    headers = [(b"content-type", PROBLEM_JSON.encode()), (b"content-length", str(len(body)).encode())]
    return response.status_code or 500, headers, body
