"""The API's description of itself (OpenAPI 3.1), from what stands beside each controller."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from entrypoints.http.cookies import Cookies
from entrypoints.http.decoding import Body
from entrypoints.http.problems import PROBLEM_JSON, STATUS, Problem, problem_type
from entrypoints.settings import Settings

_KEY = "documented"
_OF_EVERY_BODY = ("malformed_request", "payload_too_large", "unsupported_media_type", "request_timeout")
_OF_EVERY_CHANGE = ("foreign_origin",)
_OF_EVERY_CALL = ("headers_too_large", "server_error")


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
) -> dict[str, Any]:
    """Options for a route handler, from which `describe` writes its part of the document."""
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
        )
    }


def describe(handlers: Iterable[HTTPRouteHandler], cookies: Cookies, settings: Settings) -> dict[str, Any]:
    """The OpenAPI document of these handlers under these settings; those without a promise are left out."""
    promised = [(handler, handler.opt[_KEY]) for handler in handlers if _KEY in handler.opt]
    shapes: list[Any] = [Problem]
    for _, promise in promised:
        shapes += [shape for shape in (promise.body, promise.success) if shape is not None]
    references, components = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    for shape in shapes:
        if issubclass(shape, Body):
            schema = components[shape.__name__]
            schema["required"] = [*shape.REQUIRED, *shape.required_besides(settings)]
            for field in schema["properties"].values():
                _without_null(field)
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
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in _parameters(path)
        ],
    }
    if promise.protected:
        operation["security"] = [{"accessToken": []}, {"sessionCookie": []}]
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


def _parameters(path: str) -> Iterator[str]:
    for part in path.split("/"):
        if part.startswith("{"):
            yield part.strip("{}").partition(":")[0]


def _template(path: str) -> str:
    """Litestar's `{id:str}` as OpenAPI's `{id}`."""
    return "/".join(
        "{" + part.strip("{}").partition(":")[0] + "}" if part.startswith("{") else part for part in path.split("/")
    )
