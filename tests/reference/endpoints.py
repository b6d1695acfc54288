"""Every endpoint, from the API's description of itself."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from entrypoints.http.app import api_under, cookies_for
from entrypoints.http.openapi import describe
from entrypoints.http.pages.controller import page_handlers
from entrypoints.settings import read_settings
from tests.reference.markdown import codes, page, table

Operation = dict[str, Any]
HEADINGS = {
    "auth": "For people",
    "admin": "For administrators",
    "well-known": "For programs that verify tokens",
    "health": "For load balancers",
}
"""By the first part of the path; one that is not here goes by its own name."""


@cache
def document() -> dict[str, Any]:
    """The API's description under the default settings."""
    settings = read_settings({}, dotenv=None)
    return describe(api_under(settings), cookies_for(settings), settings)


def operations() -> list[tuple[str, str, Operation]]:
    """Every method, path and operation."""
    return [
        (method.upper(), path, operation)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    ]


def refusals_of(operation: Operation) -> list[str]:
    """The codes that it may be declined with."""
    return [
        code
        for answer in operation["responses"].values()
        for code in answer.get("content", {}).get("application/problem+json", {}).get("examples", {})
    ]


def refused_by_all(which: Callable[[str, Operation], bool]) -> list[str]:
    """The codes that each operation of these may be declined with."""
    each = [refusals_of(operation) for method, _, operation in operations() if which(method, operation)]
    return [code for code in each[0] if all(code in others for others in each)]


def takes_a_body(_method: str, operation: Operation) -> bool:
    """Whether it does."""
    return "requestBody" in operation


def changes(method: str, _operation: Operation) -> bool:
    """Whether it may."""
    return method != "GET"


def endpoints_page() -> str:
    """docs/reference/endpoints.md."""
    every = refused_by_all(lambda _method, _operation: True)
    change = [code for code in refused_by_all(changes) if code not in (*every, "unavailable")]
    body = [code for code in refused_by_all(takes_a_body) if code not in (*every, *change, "unavailable")]
    pages = sorted(path.replace(":str", "") for handler in page_handlers() for path in handler.paths)
    return page(
        "Endpoints",
        (
            "Every endpoint of the API under the default settings. `ostiary openapi` prints the same for yours, as"
            " OpenAPI 3.1; a developer's machine serves it at `/openapi.json` and `/docs`. Bodies are JSON, and what is"
            " in a body and not in its table is refused.",
            "Whatever is declined is answered with a [problem](errors.md). Three kinds are not repeated below:",
            f"- every endpoint may answer {codes(every)};\n"
            f"- every one that changes something, to a page of another origin, {codes(change)};\n"
            f"- every one that takes a body, {codes(body)}.",
            "*By session* means by the session's cookie, or by `Authorization: Bearer` with an access token. *By"
            " session token* means by the cookie, or by the `refresh_token` in the body."
            " [Sessions and tokens](../sessions.md) tells them apart.",
            f"Beside the API there are the built-in pages ({codes(pages)}; `OSTIARY_PAGES=off` takes them away),"
            " [`/metrics`](../metrics.md), `/favicon.ico`, and on a developer's machine `/dev/inbox`,"
            " `/dev/inbox.json`, `/openapi.json` and `/docs`.",
            *_sections(told=(every, change, body)),
            *_shapes(),
        ),
    )


def _sections(told: tuple[list[str], list[str], list[str]]) -> Iterator[str]:
    every, change, body = told
    tags = dict.fromkeys([*HEADINGS, *(operation["tags"][0] for _, _, operation in operations())])
    for tag in tags:
        yield f"## {HEADINGS.get(tag, tag)}"
        for method, path, operation in operations():
            if operation["tags"] == [tag]:
                known = {*every, *change, *(body if takes_a_body(method, operation) else ())}
                yield from _section(method, path, operation, known)


def _section(method: str, path: str, operation: Operation, known: set[str]) -> Iterator[str]:
    yield f"### {method} {path}"
    how = f"`{operation['operationId']}`{_by(operation)}"
    yield f"**{operation['summary']}** ({how}). {operation['description']}"
    parameters = ((f"`{each['name']}`", each["in"], each.get("description", "")) for each in operation["parameters"])
    yield from table(("parameter", "in", "meaning"), parameters)
    if takes_a_body(method, operation):
        schema = _resolved(operation["requestBody"]["content"]["application/json"]["schema"])
        yield from _fields(schema, "in the body", always="required")
    yield from _success(operation)
    refusals = [code for code in refusals_of(operation) if code not in known]
    if refusals:
        yield f"*Declined with* {codes(refusals)}."


def _by(operation: Operation) -> str:
    security = operation.get("security", [])
    if not security:
        return ""
    return ", by session token" if {} in security else ", by session"


def _fields(schema: dict[str, Any], head: str, *, always: str) -> Iterator[str]:
    yield from table(
        (head, "type", "", "meaning"),
        (
            (f"`{name}`", _type(field), always if name in schema["required"] else "", _meaning(field))
            for name, field in schema["properties"].items()
        ),
    )


def _meaning(field: dict[str, Any]) -> str:
    default = field.get("default")
    if default is None:
        return str(field.get("description", ""))
    return f"{field.get('description', '')} Default: `{_plain(default)}`."


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _success(operation: Operation) -> Iterator[str]:
    ((status, answer),) = (entry for entry in operation["responses"].items() if entry[0] < "4")
    content = answer.get("content", {}).get("application/json")
    if content is None:
        yield f"*Answers* {status} {answer['description']}, without a body."
        return
    example = content.get("examples")
    yield f"*Answers* {status} {answer['description']} with {_type(content['schema'])}{', such as' if example else '.'}"
    if example:
        shown = json.dumps(example["usual"]["value"], indent=2)
        yield "\n".join(f"    {line}" for line in shown.splitlines())


def _shapes() -> Iterator[str]:
    yield "## Shapes of answers"
    for name, schema in document()["components"]["schemas"].items():
        if not name.endswith("Body"):
            yield f"### {name}"
            yield " ".join(schema["description"].split())
            yield from _fields(schema, "field", always="always")


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    resolved: dict[str, Any] = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return resolved


def _type(schema: dict[str, Any]) -> str:
    match schema:
        case {"$ref": str(reference)}:
            name = reference.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"anyOf": list(options)}:
            return " or ".join(_type(option) for option in options)
        case {"enum": list(choices)}:
            return " or ".join(f"`{choice}`" for choice in choices)
        case {"type": "array", "items": dict(items)}:
            return f"list of {_type(items)}"
        case _:
            return str(schema.get("type", "any"))
