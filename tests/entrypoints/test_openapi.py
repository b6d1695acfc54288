"""The API's description of itself agrees with what is served, both ways (A 2.1.1), and so does its page."""

import json
import re
from collections.abc import Iterator
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest

from entrypoints.http.problems import STATUS
from tests.support.http_requests import assert_problem, free_port, make_member, new_address, run_command, sign_in
from tests.support.server import Server, run_server

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

SERVED = {
    ("post", "/auth/signup"),
    ("post", "/auth/verify-email"),
    ("post", "/auth/resend-verification"),
    ("post", "/auth/signin"),
    ("post", "/auth/refresh"),
    ("post", "/auth/signout"),
    ("get", "/auth/me"),
    ("get", "/auth/users/{user_id}"),
    ("get", "/auth/policy"),
    ("get", "/.well-known/jwks.json"),
    ("get", "/health/live"),
    ("get", "/health/ready"),
}
"""What DESIGN section 6 promises of this first floor, spelt out here on purpose."""


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    """Anybody."""
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def document(client: httpx.Client) -> dict[str, Any]:
    """The document as it is served."""
    answer = client.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    return dict(answer.json())


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Every method, path and operation."""
    return [(method, path, item[method]) for path, item in document["paths"].items() for method in item]


def walk(part: Any) -> Iterator[dict[str, Any]]:
    """Every object in a document."""
    if isinstance(part, dict):
        yield part
        for value in part.values():
            yield from walk(value)
    if isinstance(part, list):
        for value in part:
            yield from walk(value)


def resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A schema, wherever it stands."""
    if "$ref" not in schema:
        return schema
    found: Any = document
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def misfits(document: dict[str, Any], schema: dict[str, Any], value: Any, where: str = "") -> list[str]:
    """Where a value is not as its schema (JSON Schema 2020-12, as far as the document uses it) says."""
    schema = resolve(document, schema)
    if "anyOf" in schema:
        if not any(misfits(document, option, value) == [] for option in schema["anyOf"]):
            return [f"{where}: fits none"]
        return []
    kinds: dict[str, Any] = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "array": list,
        "object": dict,
        "null": type(None),
    }
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{where}: not one of {schema['enum']}"]
    kind = schema["type"]
    if not isinstance(value, kinds[kind]) or (kind != "boolean" and isinstance(value, bool)):
        return [f"{where}: {value!r} is no {kind}"]
    found = []
    if kind == "object" and "properties" in schema:
        found += [f"{where}.{name}: missing" for name in schema.get("required", []) if name not in value]
        for name, inner in value.items():
            if name not in schema["properties"]:
                found.append(f"{where}.{name}: not described")
            else:
                found += misfits(document, schema["properties"][name], inner, f"{where}.{name}")
    if kind == "array":
        for index, inner in enumerate(value):
            found += misfits(document, schema["items"], inner, f"{where}[{index}]")
    return found


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert re.fullmatch(r"3\.1\.\d", document["openapi"])
    assert document["info"]["title"]
    assert document["info"]["version"] == version("ostiary")
    assert document["info"]["license"]["identifier"] == "MIT"
    assert document.keys() <= {"openapi", "info", "servers", "paths", "components", "tags", "security", "externalDocs"}
    assert document["components"].keys() <= {"schemas", "securitySchemes", "responses", "parameters", "examples"}
    for path, item in document["paths"].items():
        assert path.startswith("/")
        assert set(item) <= set(METHODS)
    for method, path, operation in operations(document):
        where = f"{method} {path}"
        assert re.fullmatch(r"[a-z][A-Za-z]+", operation["operationId"]), where
        assert operation["summary"], where
        assert operation["description"], where
        assert operation["responses"], where
        in_path = {item["name"] for item in operation.get("parameters", []) if item["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path)), where
        for item in operation.get("parameters", []):
            assert item["schema"], where
            assert item["required"] is (item["in"] == "path"), where
        for status, response in operation["responses"].items():
            assert re.fullmatch(r"[1-5][0-9][0-9]", status), where
            assert response["description"], where
            for media_type, media in response.get("content", {}).items():
                assert media_type == ("application/json" if status < "400" else "application/problem+json"), where
                assert media["schema"], where


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = {part["$ref"] for part in walk(document) if isinstance(part.get("$ref"), str)}
    assert references
    for reference in references:
        assert reference.startswith("#/components/schemas/")
        assert reference.rpartition("/")[2] in document["components"]["schemas"]


def test_every_schema_is_used(document: dict[str, Any]) -> None:
    references = {part["$ref"].rpartition("/")[2] for part in walk(document) if isinstance(part.get("$ref"), str)}
    assert references == set(document["components"]["schemas"])


def test_what_is_required_is_described(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert set(schema.get("required", [])) <= set(schema["properties"]), name


def test_operation_ids_are_unique(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))


def test_everything_that_is_served_is_described(document: dict[str, Any]) -> None:
    assert {(method, path) for method, path, _ in operations(document)} >= SERVED


def test_everything_that_is_described_is_served(client: httpx.Client, document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        answer = client.request(method, re.sub(r"{\w+}", "x", path), json={} if "requestBody" in operation else None)
        assert answer.status_code not in (404, 405), (method, path)
        assert str(answer.status_code) in operation["responses"], (method, path)


def test_no_operation_answers_to_a_method_that_is_not_described(client: httpx.Client, document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        answer = client.request("PROPFIND", path.replace("{user_id}", "x"))
        allowed = {method.strip().lower() for method in answer.headers["allow"].split(",")} - {"options", "head"}
        with_a_page = ("/auth/signup", "/auth/signin", "/auth/confirm-email-change", "/auth/undo")
        pages = {"get"} if path in with_a_page else set()
        assert allowed - pages == set(item), path


def test_only_what_takes_a_session_says_so(client: httpx.Client, document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert schemes["sessionCookie"] == {"type": "apiKey", "in": "cookie", "name": "ostiary"}
    assert schemes["accessToken"]["scheme"] == "bearer"
    for method, path, operation in operations(document):
        answer = client.request(method, re.sub(r"{\w+}", "x", path), json={} if method == "post" else None)
        locked = answer.status_code == 401
        assert locked == ("security" in operation), (method, path)
        if locked:
            by_session_token = path == "/auth/refresh"
            taken = {"sessionCookie"} if by_session_token else set(schemes)
            assert {name for option in operation["security"] for name in option} == taken
            assert ({} in operation["security"]) == by_session_token, "the token may stand in the body instead"
            assert "401" in operation["responses"]


def test_every_refusal_example_is_a_problem_that_exists(document: dict[str, Any]) -> None:
    seen = set()
    for method, path, operation in operations(document):
        for status, response in operation["responses"].items():
            if status < "400":
                continue
            media = response["content"]["application/problem+json"]
            assert media["examples"], (method, path, status)
            for code, example in media["examples"].items():
                problem = example["value"]
                assert STATUS[code] == int(status) == problem["status"]
                assert problem["code"] == code
                assert misfits(document, media["schema"], problem) == []
                seen.add(code)
            if status in ("429", "503"):
                assert "Retry-After" in response["headers"]
                assert ({"RateLimit", "RateLimit-Policy"} <= response["headers"].keys()) == (status == "429")
    assert set(STATUS) - seen <= {"not_found", "method_not_allowed"}, "what is answered is described somewhere"


def test_an_example_of_a_refusal_has_the_type_that_is_answered(client: httpx.Client, document: dict[str, Any]) -> None:
    """So that a client can be written from the document alone."""
    responses = document["paths"]["/auth/signin"]["post"]["responses"]
    example = responses["400"]["content"]["application/problem+json"]["examples"]["validation_error"]["value"]
    real = client.post("/auth/signin", json={}).json()
    assert example["type"] == real["type"]
    assert example["title"] == real["title"]
    limited = responses["429"]["content"]["application/problem+json"]["examples"]["rate_limited"]["value"]
    assert limited["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"


def test_every_body_has_an_example_that_fits_and_is_taken(client: httpx.Client, document: dict[str, Any]) -> None:
    bodies = 0
    for method, path, operation in operations(document):
        if "requestBody" not in operation:
            assert method in ("get", "delete") or path.endswith("/end-sessions")
            continue
        media = operation["requestBody"]["content"]["application/json"]
        assert operation["requestBody"]["content"].keys() == {"application/json"}
        for example in media["examples"].values():
            assert misfits(document, media["schema"], example["value"]) == [], path
            answer = client.request(method, path, json=example["value"])
            problem = answer.json() if answer.status_code >= 400 else {}
            assert problem.get("code") not in ("validation_error", "malformed_request"), (path, problem)
            bodies += 1
    assert bodies == 16


def test_every_success_example_fits_its_schema(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        for status, response in operation["responses"].items():
            for media in response.get("content", {}).values():
                for example in media.get("examples", {}).values():
                    assert misfits(document, media["schema"], example["value"]) == [], (method, path, status)


def test_real_answers_are_as_described(server: Server, client: httpx.Client, document: dict[str, Any]) -> None:
    """Every field described, none missing."""

    def check(answer: httpx.Response, method: str, path: str) -> None:
        responses = document["paths"][path][method]["responses"]
        assert str(answer.status_code) in responses, (path, answer.status_code)
        content = responses[str(answer.status_code)].get("content")
        if content is None:
            assert answer.content == b""
            return
        schema = content[answer.headers["content-type"]]["schema"]
        assert misfits(document, schema, answer.json()) == [], (path, answer.text)

    email = new_address("described")
    member = make_member(server, email)
    bearer = {"authorization": f"Bearer {member['access_token']}"}
    fields = {"email": new_address("described"), "password": "engine of difference", "name": "Ada"}
    check(client.post("/auth/signup", json=fields), "post", "/auth/signup")
    check(client.post("/auth/signup", json={"email": "x"}), "post", "/auth/signup")
    check(client.post("/auth/resend-verification", json={"email": email}), "post", "/auth/resend-verification")
    token = server.token(fields["email"])
    check(client.post("/auth/verify-email", json={"token": token}), "post", "/auth/verify-email")
    check(client.post("/auth/verify-email", json={"token": token}), "post", "/auth/verify-email")
    signing_in = {"email": email, "password": "engine of difference"}
    check(client.post("/auth/signin", json=signing_in), "post", "/auth/signin")
    check(client.post("/auth/signin", json={**signing_in, "transport": "token"}), "post", "/auth/signin")
    check(client.post("/auth/signin", json={**signing_in, "password": "x"}), "post", "/auth/signin")
    check(client.post("/auth/refresh", json={}), "post", "/auth/refresh")
    check(client.post("/auth/refresh", json={"refresh_token": "x"}), "post", "/auth/refresh")
    check(client.get("/auth/me", headers=bearer), "get", "/auth/me")
    check(client.get(f"/auth/users/{member['user']['id']}", headers=bearer), "get", "/auth/users/{user_id}")
    check(client.get("/auth/users/x", headers=bearer), "get", "/auth/users/{user_id}")
    for path in ("/auth/policy", "/.well-known/jwks.json", "/health/live", "/health/ready"):
        check(client.get(path), "get", path)
    check(client.post("/auth/signout", json={}), "post", "/auth/signout")


@pytest.mark.parametrize("auto_sign_in", ["on", "off"])
def test_where_verification_is_optional_the_document_says_201(auto_sign_in: str, tmp_path: Path) -> None:
    variables = {"OSTIARY_VERIFICATION": "optional", "OSTIARY_AUTO_SIGN_IN": auto_sign_in}
    with run_server(tmp_path, variables) as server, server.client() as client:
        document = client.get("/openapi.json").json()
        operation = document["paths"]["/auth/signup"]["post"]
        assert "202" not in operation["responses"]
        body = resolve(document, operation["requestBody"]["content"]["application/json"]["schema"])
        assert {"transport", "remember"} <= body["properties"].keys()
        joined = {"email": new_address("described"), "password": "engine of difference", "name": "Ada"}
        for transport, status in (("cookie", "201"), ("cookie", "409"), ("token", "201")):
            if transport == "token":
                joined["email"] = new_address("described")
            answer = client.post("/auth/signup", json={**joined, "transport": transport})
            assert str(answer.status_code) == status
            (media,) = operation["responses"][status]["content"].values()
            assert misfits(document, media["schema"], answer.json()) == []
    with_session = resolve(document, operation["responses"]["201"]["content"]["application/json"]["schema"])
    assert with_session["required"] == ["user"]


def test_bodies_say_that_nothing_else_is_taken(server: Server, document: dict[str, Any]) -> None:
    email = new_address()
    make_member(server, email)
    server.sql("UPDATE users SET role = 'admin' WHERE email = :email", email=email)
    with server.client() as client:
        assert sign_in(client, email).status_code == 200
        for method, path, operation in operations(document):
            if "requestBody" in operation:
                schema = resolve(document, operation["requestBody"]["content"]["application/json"]["schema"])
                assert schema["additionalProperties"] is False, path
                problem = assert_problem(client.request(method, path, json={"surprise": 1}), 400, "validation_error")
                assert "surprise" in {error["field"] for error in problem["errors"]}
                asked = {error["field"] for error in problem["errors"]} - {"surprise"}
                assert set(schema.get("required", [])) <= asked, path


def test_where_a_device_is_marked_the_header_of_its_token_is_described(document: dict[str, Any]) -> None:
    described = {
        path
        for _, path, operation in operations(document)
        if any(item["name"] == "X-Ostiary-Device" and item["description"] for item in operation["parameters"])
    }
    assert described == {
        "/auth/signin",
        "/auth/forgot-password",
        "/auth/verify-email",
        "/auth/reset-password",
        "/auth/change-password",
        "/auth/me",
    }


def test_the_command_prints_the_same(client: httpx.Client, tmp_path: Path) -> None:
    done = run_command("openapi", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    printed, served = json.loads(done.stdout), client.get("/openapi.json").json()
    assert printed.pop("servers") == [{"url": "http://127.0.0.1:8000"}]
    served.pop("servers")
    assert printed == served


def test_the_document_names_the_public_address_and_the_cookie_of_https(tmp_path: Path) -> None:
    variables = {
        "OSTIARY_PUBLIC_URL": "https://auth.example.com",
        "OSTIARY_SECRET": "kT9vQ2mZ7xL4pR8sW1yB6nD3fG5hJ0cA",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(free_port()),
        "EMAIL_FROM": "a@example.com",
    }
    done = run_command("openapi", folder=tmp_path, variables=variables)
    printed = json.loads(done.stdout)
    assert printed["servers"] == [{"url": "https://auth.example.com"}]
    assert printed["components"]["securitySchemes"]["sessionCookie"]["name"] == "__Host-ostiary"


def test_the_page_shows_each_operation_with_its_refusals(client: httpx.Client, document: dict[str, Any]) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src" not in page.headers["content-security-policy"], "the page needs no script"
    for method, path, operation in operations(document):
        assert f'id="{operation["operationId"]}"' in page.text
        assert path in page.text
        assert escape(operation["summary"], quote=False).replace("'", "&#39;") in page.text
        for response in operation["responses"].values():
            for code in response.get("content", {}).get("application/problem+json", {}).get("examples", {}):
                assert f">{code}<" in page.text, (method, path, code)
    assert not re.findall(r'(?:src|href)="(?:https?:)?//(?!127\.0\.0\.1|localhost)', page.text)
