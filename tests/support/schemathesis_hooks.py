"""What Schemathesis cannot make up by itself: a living session, and the token of a letter that has arrived.

Loaded by `st run`, which tests/entrypoints/test_cases.py starts.
"""

import itertools
import os
from functools import cache
from typing import Any

import httpx
import schemathesis

from tests.support.http_requests import PASSWORD, sign_in, sign_up
from tests.support.server import PATIENCE, token_of, wait_for

MEMBER = "member@example.com"
"""Who is there before the first case: a verified user."""

AnyCase = schemathesis.Case[Any]
_cases = itertools.count()


@cache
def _client() -> httpx.Client:
    return httpx.Client(base_url=os.environ["SERVER_URL"], timeout=PATIENCE)


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: AnyCase, kwargs: dict[str, Any]) -> None:
    """Half of the cases that take a session have one, and some that take a mailed token have a real one."""
    number, operation = next(_cases), case.operation.definition.raw
    # Not those that would put an end to the member, or to their password.
    spared = operation["operationId"] in ("deleteAccount", "changePassword")
    if "security" in operation and number % 2 and not spared:
        by_cookie = operation["operationId"] == "refresh" or number % 4 == 1
        answer = sign_in(_client(), MEMBER, transport="cookie" if by_cookie else "token")
        assert answer.status_code == 200, answer.text
        if by_cookie:
            case.cookies["ostiary"] = _client().cookies["ostiary"]
        else:
            case.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    elif (
        operation["operationId"] == "verifyEmail"
        and number % 40 == 0
        and _is_positive(case)
        and isinstance(case.body, dict)
    ):
        case.body["token"] = _mailed_token(f"case{number}@example.com")
    _client().cookies.clear()


def _is_positive(case: AnyCase) -> bool:
    return case.meta is not None and case.meta.generation.mode.is_positive


def _mailed_token(address: str) -> str:
    assert sign_up(_client(), address, PASSWORD).is_success

    def link() -> str | None:
        letters = _client().get("/dev/inbox.json").json()
        return next((letter["link"] for letter in letters if letter["to"] == address), None)

    return token_of(wait_for(link, f"a letter to {address}"))
