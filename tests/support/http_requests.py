"""What the black-box tests say over and over: sign somebody up, be somebody, send raw bytes, expect a problem."""

import itertools
import os
import secrets
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from tests.support.processes import run
from tests.support.server import PATIENCE, Server

PASSWORD = "engine of difference"

_numbers = itertools.count(1)


def new_address(name: str = "ada") -> str:
    """An address that no other test uses."""
    return f"{name}{next(_numbers)}@example.com"


def free_port() -> int:
    """A port that nothing listens on, and below those that the system gives to whoever does not ask for one: other
    tests run at this moment."""
    while True:
        port = 11_000 + secrets.randbelow(20_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def sign_up(client: httpx.Client, email: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
    """Ask to join."""
    return client.post("/auth/signup", json={"email": email, "password": password, "name": "Ada", **fields})


def sign_in(client: httpx.Client, email: str, password: str = PASSWORD, **fields: Any) -> httpx.Response:
    """Sign in."""
    return client.post("/auth/signin", json={"email": email, "password": password, **fields})


def make_member(server: Server, email: str, password: str = PASSWORD) -> dict[str, Any]:
    """Somebody who signed up and proved their mailbox: the answer to that, as their browser read it."""
    with server.client() as client:
        assert sign_up(client, email, password).status_code == 202
        answer = client.post("/auth/verify-email", json={"token": server.token(email)})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


def assert_problem(response: httpx.Response, status: int | None = None, code: str | None = None) -> dict[str, Any]:
    """The answer is a problem document (RFC 9457) of ours that agrees with its status line."""
    assert 400 <= response.status_code < 600, (response.status_code, response.text)
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail", "code"} <= problem.keys() <= {*_MEMBERS}, problem
    assert problem["status"] == response.status_code
    assert status is None or response.status_code == status, response.text
    assert code is None or problem["code"] == code, response.text
    for inside in ("Traceback", "Error:", "Exception", "SELECT ", "INSERT ", "sqlite", "msgspec", "litestar", "/src/"):
        assert inside not in response.text, response.text
    return problem


_MEMBERS = ("type", "title", "status", "detail", "code", "errors")


def raw_exchange(server: Server, request: bytes, *, seconds: float = PATIENCE) -> bytes:
    """What comes back until the server closes, for exactly these bytes on the wire."""
    host, port = httpx.URL(server.url).host, httpx.URL(server.url).port
    assert port is not None
    with socket.create_connection((host, port), timeout=seconds) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received


NOT_HANDED_ON = ("OSTIARY_", "SMTP_", "EMAIL_", "APP_URL", "DATABASE_URL", "PYTHONPATH")
"""Variables of whoever runs the tests that no command here is to see."""


def run_command(
    *arguments: str, folder: Path, variables: Mapping[str, str] | None = None, typed: str | None = None
) -> "subprocess.CompletedProcess[str]":
    """`ostiary …` to its end, with nothing set but what is given; `typed` stands on its standard input."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(NOT_HANDED_ON)}
    return run(*arguments, folder=folder, environ={**environ, **(variables or {})}, typed=typed or "")


def cookies_set(response: httpx.Response) -> dict[str, dict[str, str]]:
    """Every cookie in an answer: its attributes in lower case, its value under an empty name."""
    cookies = {}
    for line in response.headers.get_list("set-cookie"):
        pair, *attributes = (part.strip() for part in line.split(";"))
        name, _, value = pair.partition("=")
        assert name not in cookies, f"{name} is set twice"
        cookies[name] = {"": value.strip('"')}
        for attribute in attributes:
            key, _, text = attribute.partition("=")
            cookies[name][key.lower()] = text
    return cookies
