"""The API's description of itself (OpenAPI 3.1), from what stands beside each controller."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from domain.declared_fields import DeclaredFields
from entrypoints.http.cookies import Cookies
from entrypoints.http.declared_schemas import ask_for, samples, show
from entrypoints.http.decoding import Body
from entrypoints.http.problems import PROBLEM_JSON, STATUS, Problem, problem_type
from entrypoints.settings import Settings

_KEY = "documented"
_OF_EVERY_BODY = ("malformed_request", "payload_too_large", "unsupported_media_type", "request_timeout")
_OF_EVERY_CHANGE = ("foreign_origin",)
_OF_EVERY_CALL = ("headers_too_large", "server_error")
_ID = "An `id` from an answer; a UUID."


@dataclass(frozen=True, kw_only=True)
class Documented:
    """What a controller promises."""

    operation_id: str
    summary: str
    description: str
    body: type[Body] | None
    example: dict[str, Any] | None
    success: type[Struct] | None
    success_example: dict[str, Any] | None
    refusals: tuple[str, ...]
    protected: bool
    by_session_token: bool
    headers: Mapping[str, str]
    query: Mapping[str, str]


def documented(
    operation_id: str,
    summary: str,
    description: str,
    *,
    body: type[Body] | None = None,
    example: dict[str, Any] | None = None,
    success: type[Struct] | None = None,
    success_example: dict[str, Any] | None = None,
    refusals: tuple[str, ...],
    protected: bool = False,
    by_session_token: bool = False,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Options for a route handler, from which `describe` writes its part of the document.

    `protected` takes a session by cookie or access token; `by_session_token` by cookie, or its like in the body.
    `headers` and `query` are what may be sent along, each with what it is for.
    """
    return {
        _KEY: Documented(
            operation_id=operation_id,
            summary=summary,
            description=description,
            body=body,
            example=example,
            success=success,
            success_example=success_example,
            refusals=refusals,
            protected=protected,
            by_session_token=by_session_token,
            headers=headers or {},
            query=query or {},
        )
    }


def describe(handlers: Iterable[HTTPRouteHandler], cookies: Cookies, settings: Settings) -> dict[str, Any]:
    """The OpenAPI document of these handlers under these settings; those without a promise are left out."""
    declared = settings.declared
    promised = [(handler, _with_declared(handler.opt[_KEY], declared)) for handler in handlers if _KEY in handler.opt]
    shapes: list[Any] = [Problem]
    for _, promise in promised:
        shapes += [shape for shape in (promise.body, promise.success) if shape is not None]
    references, components = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    for shape in shapes:
        if issubclass(shape, Body):
            schema = components[shape.__name__]
            schema["required"] = [*shape.REQUIRED, *shape.required_besides(settings)]
            for name, field in schema["properties"].items():
                if name not in shape.clearable(settings):
                    _without_null(field)
            ask_for(schema, declared, shape.DECLARED)
    for user in {"UserShape", "AdministeredUserShape"} & components.keys():
        show(components[user], declared)
    schemas = dict(zip(shapes, references, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for handler, promise in promised:
        for path in handler.paths:
            for method in handler.http_methods - {"HEAD"}:
                operation = _operation(promise, path, schemas, handler.status_code, settings, changes=method != "GET")
                paths.setdefault(_template(path), {})[method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ostiary",
            "version": version("ostiary"),
            "summary": "Sign-up, e-mail verification and sign-in.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": settings.public_url}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "sessionCookie": {"type": "apiKey", "in": "cookie", "name": cookies.session_name},
            },
        },
    }


def _with_declared(promise: Documented, declared: DeclaredFields) -> Documented:
    """The promise with examples that have the declared fields."""
    example, success = promise.example, promise.success_example
    if promise.body is not None and promise.body.DECLARED == "to join" and example is not None:
        example = {**example, **samples(declared, required=True)}
    if success is not None and "email_verified" in success:
        success = {**success, **samples(declared)}
    elif success is not None and "user" in success:
        success = {**success, "user": {**success["user"], **samples(declared)}}
    elif success is not None and "users" in success:
        success = {**success, "users": [{**user, **samples(declared)} for user in success["users"]]}
    return replace(promise, example=example, success_example=success)


def _operation(
    promise: Documented,
    path: str,
    schemas: dict[Any, Any],
    success_status: int,
    settings: Settings,
    *,
    changes: bool,
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": promise.operation_id,
        "summary": promise.summary,
        "description": promise.description,
        "tags": [path.split("/")[1].lstrip(".")],
        "parameters": [
            *(_parameter(name, "path", required=True, description=_ID) for name in _parameters(path)),
            *(_parameter(name, "header", description=text) for name, text in promise.headers.items()),
            *(_parameter(name, "query", description=text) for name, text in promise.query.items()),
        ],
    }
    if promise.protected:
        operation["security"] = [{"accessToken": []}, {"sessionCookie": []}]
    if promise.by_session_token:
        operation["security"] = [{"sessionCookie": []}, {}]
    if promise.body is not None:
        content: dict[str, Any] = {"schema": schemas[promise.body]}
        if promise.example is not None:
            content["examples"] = {"usual": {"value": promise.example}}
        operation["requestBody"] = {
            "required": bool(promise.body.required_besides(settings) or promise.body.REQUIRED),
            "content": {"application/json": content},
        }
    codes = (
        *promise.refusals,
        *(_OF_EVERY_BODY if promise.body is not None else ()),
        *(_OF_EVERY_CHANGE if changes else ()),
        *_OF_EVERY_CALL,
    )
    operation["responses"] = {
        str(success_status): _success(promise, schemas, success_status),
        **{str(status): _refusals(status, codes, schemas) for status in sorted({STATUS[code] for code in codes})},
    }
    return operation


def _success(promise: Documented, schemas: dict[Any, Any], status: int) -> dict[str, Any]:
    response: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if promise.success is not None:
        content: dict[str, Any] = {"schema": schemas[promise.success]}
        if promise.success_example is not None:
            content["examples"] = {"usual": {"value": promise.success_example}}
        response["content"] = {"application/json": content}
    return response


def _refusals(status: int, codes: tuple[str, ...], schemas: dict[Any, Any]) -> dict[str, Any]:
    meant = [code for code in codes if STATUS[code] == status]
    response: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {
            PROBLEM_JSON: {
                "schema": schemas[Problem],
                "examples": {code: {"value": _problem_example(code)} for code in meant},
            }
        },
    }
    if status in (429, 503):
        response["headers"] = {
            "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
        }
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        for name, example in (
            ("RateLimit-Policy", '"sign_in_client";q=100;w=900'),
            ("RateLimit", '"sign_in_client";r=0;t=12'),
        ):
            text = f"For a limit that is the caller's own, such as `{example}`."
            response["headers"][name] = {"description": text, "schema": {"type": "string"}}
    return response


def _problem_example(code: str) -> dict[str, Any]:
    status = STATUS[code]
    return {
        "type": problem_type(code),
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": "A sentence for people.",
        "code": code,
    }


def _without_null(field: dict[str, Any]) -> None:
    """Missing is fine where nothing is required; null never is."""
    if "anyOf" in field:
        others = [option for option in field.pop("anyOf") if option != {"type": "null"}]
        field.update(others[0])
        field.pop("default", None)


def _parameter(name: str, place: str, *, required: bool = False, description: str = "") -> dict[str, Any]:
    described = {"description": description} if description else {}
    return {"name": name, "in": place, "required": required, "schema": {"type": "string"}, **described}


def _parameters(path: str) -> Iterator[str]:
    for part in path.split("/"):
        if part.startswith("{"):
            yield part.strip("{}").partition(":")[0]


def _template(path: str) -> str:
    """Litestar's `{id:str}` as OpenAPI's `{id}`."""
    return "/".join(
        "{" + part.strip("{}").partition(":")[0] + "}" if part.startswith("{") else part for part in path.split("/")
    )
