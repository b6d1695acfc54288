"""The contract of `application.ports.hashing.BreachCheck`, held by `PwnedPasswords` over real HTTP (R09)."""

import asyncio
import inspect
import logging
import traceback
import unicodedata
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from adapters.breach import PwnedPasswords
from application.ports.hashing import BreachCheckFailed
from domain.password import Password
from tests.support.breaches import Answer, Breaches, digest_of, run_breaches
from tests.support.smtp_certificates import Authority

BREACHED = "engine of difference"
PATIENT, SHORT = 20.0, 0.05
"""Seconds: so many that no slow machine runs out of them, and so few that a test need not wait."""


@pytest.fixture
def breaches() -> Iterator[Breaches]:
    with run_breaches({BREACHED: 7}) as running:
        yield running


@pytest.fixture
async def check(breaches: Breaches) -> AsyncIterator[PwnedPasswords]:
    async with PwnedPasswords(breaches.url, seconds=PATIENT) as made:
        yield made


async def failure(check: PwnedPasswords, password: str = BREACHED) -> BreachCheckFailed:
    with pytest.raises(BreachCheckFailed) as caught:
        await check.contains(Password.parse(password))
    return caught.value


async def test_a_breached_password_is_found_and_another_is_not(check: PwnedPasswords) -> None:
    assert await check.contains(Password.parse(BREACHED))
    assert not await check.contains(Password.parse("engine of differences"))


async def test_five_digits_leave_and_nothing_else_of_the_password(breaches: Breaches, check: PwnedPasswords) -> None:
    await check.contains(Password.parse(BREACHED))
    [head] = breaches.asked
    digest = digest_of(BREACHED)
    assert head.startswith(f"GET /range/{digest[:5]} HTTP/1.1\r\n")
    assert digest[:6] not in head.upper()
    assert digest[5:] not in head.upper()
    assert BREACHED not in head
    assert "add-padding: true" in head.lower()
    assert "cookie" not in head.lower()


async def test_an_entry_that_is_padding_is_no_breach(breaches: Breaches, check: PwnedPasswords) -> None:
    breaches.known = {BREACHED: 0}
    assert not await check.contains(Password.parse(BREACHED))
    breaches.known = {BREACHED: 10}
    assert await check.contains(Password.parse(BREACHED))


async def test_a_password_is_looked_up_in_nfc(breaches: Breaches, check: PwnedPasswords) -> None:
    composed = "énginé of différence"
    breaches.known = {composed: 1}
    assert await check.contains(Password.parse(unicodedata.normalize("NFD", composed)))


@pytest.mark.parametrize("slash", ["", "/"])
async def test_the_address_may_end_in_a_slash(slash: str, breaches: Breaches) -> None:
    async with PwnedPasswords(breaches.url + slash, seconds=PATIENT) as check:
        assert await check.contains(Password.parse(BREACHED))


async def test_one_connection_is_kept(breaches: Breaches, check: PwnedPasswords) -> None:
    for number in range(5):
        await check.contains(Password.parse(f"password number {number}"))
    assert (len(breaches.asked), breaches.connections) == (5, 1)


async def test_after_a_bad_answer_the_next_is_believed_again(breaches: Breaches, check: PwnedPasswords) -> None:
    for answer in (Answer.FAULT, Answer.ENDLESS, Answer.CLOSED):
        breaches.answer = answer
        await failure(check)
    breaches.answer = Answer.RANGE
    assert await check.contains(Password.parse(BREACHED))


@pytest.mark.parametrize(
    "answer", [Answer.FAULT, Answer.REDIRECT, Answer.GARBAGE, Answer.EMPTY, Answer.COMPRESSED, Answer.ENDLESS]
)
async def test_what_is_no_range_is_not_believed(answer: Answer, breaches: Breaches, check: PwnedPasswords) -> None:
    """A redirect is not followed, and of an answer without an end no more is read than a range may have."""
    breaches.answer = answer
    assert (await failure(check)).reason == "unexpected_answer"
    assert len(breaches.asked) == 1


@pytest.mark.parametrize("answer", [Answer.NOTHING, Answer.HALF])
async def test_one_deadline_is_for_everything(answer: Answer, breaches: Breaches) -> None:
    breaches.answer = answer
    loop = asyncio.get_running_loop()
    async with PwnedPasswords(breaches.url, seconds=SHORT) as check:
        before = loop.time()
        assert (await failure(check)).reason == "timed_out"
        assert loop.time() - before < 3


def test_the_deadline_is_a_second() -> None:
    """R09, as docs/passwords.md says."""
    assert inspect.signature(PwnedPasswords).parameters["seconds"].default == 1.0


async def test_who_waits_for_a_connection_waits_no_longer_either(breaches: Breaches) -> None:
    breaches.answer = Answer.NOTHING
    async with PwnedPasswords(breaches.url, seconds=SHORT) as check:
        failures = await asyncio.gather(*(failure(check, f"password number {number}") for number in range(60)))
    assert {failed.reason for failed in failures} == {"timed_out"}


async def test_nobody_there_and_who_hangs_up_are_the_same(breaches: Breaches, check: PwnedPasswords) -> None:
    breaches.answer = Answer.CLOSED
    assert (await failure(check)).reason == "unreachable"
    async with PwnedPasswords("http://127.0.0.1:1/range", seconds=PATIENT) as nobody:
        assert (await failure(nobody)).reason == "unreachable"


async def test_a_certificate_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with run_breaches({BREACHED: 7}, tls=authority.server("127.0.0.1")) as breaches:
        async with PwnedPasswords(breaches.url, seconds=PATIENT) as check:
            assert await check.contains(Password.parse(BREACHED))
    for bad in (
        authority.server("elsewhere.example"),
        authority.server("127.0.0.1", self_signed=True),
        authority.server("127.0.0.1", expired=True),
    ):
        with run_breaches({BREACHED: 7}, tls=bad) as breaches:
            async with PwnedPasswords(breaches.url, seconds=PATIENT) as check:
                assert (await failure(check)).reason == "unreachable"
            assert breaches.asked == []


async def test_neither_the_log_nor_a_failure_tells_what_was_asked(
    breaches: Breaches, check: PwnedPasswords, caplog: pytest.LogCaptureFixture
) -> None:
    prefix = digest_of(BREACHED)[:5]
    with caplog.at_level(logging.DEBUG):
        await check.contains(Password.parse(BREACHED))
        for answer in (Answer.CLOSED, Answer.GARBAGE):
            breaches.answer = answer
            failed = await failure(check)
            assert prefix not in "".join(traceback.format_exception(failed)).upper()
        async with httpx.AsyncClient(trust_env=False) as talkative:
            breaches.answer = Answer.RANGE
            await talkative.get(f"{breaches.url}/ABCDE", headers={"Add-Padding": "true"})
    assert "ABCDE" in caplog.text, "logged at all, so that the rest means something"
    assert prefix not in caplog.text.upper()
