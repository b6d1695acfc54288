"""The password policy over HTTP: published whole, kept at sign-up, with others asked and not (R07–R10)."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.breaches import Answer, Breaches, digest_of, run_breaches
from tests.support.http_requests import assert_problem, new_address, sign_in, sign_up
from tests.support.server import Server, run_server

BREACHED, UNKNOWN = "Engine of difference 7", "Difference of engines 8"


@pytest.fixture(scope="module")
def breaches() -> Iterator[Breaches]:
    with run_breaches({BREACHED: 7}) as running:
        yield running


@pytest.fixture(scope="module")
def strict(breaches: Breaches, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with every rule there is."""
    rules = {
        "OSTIARY_BRAND": "Analytical Engines",
        "OSTIARY_PASSWORD_REQUIRE": "upper,lower,digit,special",
        "OSTIARY_PASSWORD_MIN_SCORE": "3",
        "OSTIARY_PASSWORD_BREACH_CHECK": "on",
        "OSTIARY_BREACH_CHECK_URL": breaches.url,
    }
    with run_server(tmp_path_factory.mktemp("strict"), rules) as running:
        yield running


@pytest.fixture
def client(strict: Server, breaches: Breaches) -> Iterator[httpx.Client]:
    breaches.answer = Answer.RANGE
    with strict.client() as made:
        yield made


def codes_of(answer: httpx.Response) -> list[str]:
    """What is wrong with the password, and nothing else is."""
    errors = assert_problem(answer, 400, "validation_error")["errors"]
    assert {error["field"] for error in errors} == {"password"}
    assert all(error["message"].endswith(".") for error in errors)
    return [error["code"] for error in errors]


def test_the_policy_is_published_whole(client: httpx.Client) -> None:
    assert client.get("/auth/policy").json()["password"] == {
        "min_length": 12,
        "max_length": 128,
        "max_bytes": 1024,
        "require_upper": True,
        "require_lower": True,
        "require_digit": True,
        "require_special": True,
        "classes": {
            "upper": r"\p{Uppercase}",
            "lower": r"\p{Lowercase}",
            "digit": r"\p{Nd}",
            "special": r"[^\p{L}\p{N}]",
        },
        "refuse_own_words": True,
        "product_name": "Analytical Engines",
        "refuse_common": True,
        "refuse_breached": True,
        "min_score": 3,
        "scored_characters": 32,
        "passwordrules": "minlength: 12; maxlength: 128; required: upper; required: lower; required: digit; "
        "required: special; allowed: unicode",
    }


def test_every_broken_rule_is_named_at_once(client: httpx.Client, breaches: Breaches) -> None:
    breaches.known["qwerty"] = 1
    codes = codes_of(sign_up(client, new_address(), "qwerty"))
    assert codes == ["too_short", "needs_upper", "needs_digit", "needs_special", "common", "breached", "too_weak"]


def test_a_breached_password_is_refused_and_another_is_not(client: httpx.Client) -> None:
    assert codes_of(sign_up(client, new_address(), BREACHED)) == ["breached"]
    assert sign_up(client, new_address(), UNKNOWN).status_code == 202


@pytest.mark.parametrize("answer", [Answer.FAULT, Answer.NOTHING, Answer.CLOSED])
def test_sign_up_goes_on_when_nobody_answers_and_the_log_says_so_and_not_what_was_asked(
    answer: Answer, client: httpx.Client, strict: Server, breaches: Breaches
) -> None:
    """R09. Of the password not even the five digits that left are written down."""
    breaches.answer = answer
    before = len(told(strict))
    assert sign_up(client, new_address(), BREACHED).status_code == 202
    [event] = told(strict)[before:]
    assert event["level"] == "warning"
    assert event["reason"] in ("unexpected_answer", "timed_out", "unreachable")
    log = strict.log.read_text()
    assert BREACHED not in log
    assert digest_of(BREACHED)[:5] not in log.upper()
    assert "/range" not in log


def told(server: Server) -> list[dict[str, str]]:
    """The checks that failed, as the log has them."""
    return [event for event in server.events() if event["event"] == "breach_check_failed"]


def test_signing_in_asks_nobody(client: httpx.Client, breaches: Breaches) -> None:
    before = len(breaches.asked)
    assert sign_in(client, new_address(), BREACHED).status_code == 401
    assert len(breaches.asked) == before
