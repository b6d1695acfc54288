"""Acme's providers, each by itself, and all of them within Ostiary."""

import asyncio
import hashlib
import json
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from pathlib import Path

import httpx
import pytest

from acme_doorkeeping.breaches import acme_list
from acme_doorkeeping.hashes import acme_cart
from acme_doorkeeping.post import AcmePost
from application.ports.letters import MailDelayed, MailRefused
from application.ports.providers import Surroundings
from application.ports.stored_hashes import Unusable
from domain.email_address import EmailAddress
from domain.letters import InlineImage, RenderedLetter
from domain.password import Password
from entrypoints.composition import Replacements, compose, memory_store
from entrypoints.settings import read_settings

SENDER = Address("Acme", "no-reply", "acme.example")
LETTER = RenderedLetter(
    message_id="<1@acme.example>",
    recipient=EmailAddress.parse("ada@example.com"),
    subject="Hello",
    text="A link.\n",
    html="<p>A link.</p>\n",
    written_at=datetime(2026, 1, 2, tzinfo=UTC),
)
OF_ADA = (  # "engine of difference", as Acme Cart wrote it
    "acme$1000$00112233445566778899aabbccddeeff$378c9c7171309108e474f1004caacd00d89a30accba76e64c9acf24b9489bb6d"
)


def within(**environment: str) -> Surroundings:
    return Surroundings(environment=environment, sender=SENDER, brand="Acme")


def send(status: int, headers: dict[str, str] | None = None) -> None:
    """Send the letter to an Acme Post that answers like this."""

    async def sent() -> None:
        answer = httpx.Response(status, headers=headers, text="to ada@example.com: A link.")
        async with httpx.AsyncClient(base_url="https://x", transport=httpx.MockTransport(lambda _: answer)) as client:
            await AcmePost(client, SENDER).send(LETTER)

    asyncio.run(sent())


@pytest.mark.parametrize("status", [202, 409])
def test_a_letter_is_taken_once(status: int) -> None:
    send(status)


def test_the_logo_travels_with_the_letter() -> None:
    sent: list[dict[str, object]] = []

    def take(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(202)

    async def send_both() -> None:
        logo = InlineImage(content_id="logo", media_type="image/png", content=b"a picture")
        async with httpx.AsyncClient(base_url="https://x", transport=httpx.MockTransport(take)) as client:
            await AcmePost(client, SENDER).send(LETTER)
            await AcmePost(client, SENDER).send(replace(LETTER, logo=logo))

    asyncio.run(send_both())
    picture = {"cid": "logo", "type": "image/png", "content": "YSBwaWN0dXJl"}
    assert [letter.get("inline") for letter in sent] == [None, [picture]]


def test_what_goes_wrong_on_the_way_is_told_by_its_kind_and_leads_to_nothing_that_quotes() -> None:
    def break_off(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError(f"while sending {request.content!r}")

    async def send_it() -> None:
        async with httpx.AsyncClient(base_url="https://x", transport=httpx.MockTransport(break_off)) as client:
            await AcmePost(client, SENDER).send(LETTER)

    with pytest.raises(MailDelayed) as delayed:
        asyncio.run(send_it())
    assert "A link." not in "".join(traceback.format_exception(delayed.value))
    assert str(delayed.value) == "Acme Post: ReadError"


def test_a_letter_that_is_no_good_is_given_up_in_words_of_ours() -> None:
    with pytest.raises(MailRefused) as refused:
        send(422)
    assert str(refused.value) == "Acme Post refused the letter (422)"


@pytest.mark.parametrize("status", [301, 401, 403, 429, 500, 503])
def test_a_letter_waits_for_everything_else(status: int) -> None:
    with pytest.raises(MailDelayed) as delayed:
        send(status, {"Retry-After": "120"})
    assert str(delayed.value) == f"Acme Post answered {status}"
    assert delayed.value.retry_after == timedelta(minutes=2)


def test_a_hash_of_acme_cart_is_of_one_password() -> None:
    found = acme_cart(within(ACME_CART_KEY="sesame")).read(OF_ADA)
    assert found is not None
    assert found.matches(Password("engine of difference"))
    assert not found.matches(Password("engine of differences"))


def test_what_is_no_hash_of_acme_cart_is_told_before_any_work() -> None:
    reader = acme_cart(within(ACME_CART_KEY="sesame"))
    assert reader.read("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA") is None
    for broken in (OF_ADA[:-1], OF_ADA + "0", "acme$0$$"):
        with pytest.raises(Unusable):
            reader.read(broken)


def listed(folder: Path, *passwords: str) -> Path:
    """Acme's list, with these on it."""
    digests = sorted(hashlib.sha1(each.encode(), usedforsecurity=False).hexdigest().upper() for each in passwords)
    (folder / "list").write_text("".join(f"{digest}\n" for digest in digests))
    return folder / "list"


def test_the_list_knows_what_is_on_it(tmp_path: Path) -> None:
    words = [f"word {number}" for number in range(100)]
    check = acme_list(within(ACME_BREACH_LIST=str(listed(tmp_path, *words[::2]))))
    found = [asyncio.run(check.contains(Password(word))) for word in words]
    assert found == [True, False] * 50


def test_ostiary_takes_all_of_them_in(tmp_path: Path) -> None:
    """It tries them out: whatever is wrong with one of them is a `SettingsError` with a reason here."""
    settings = read_settings(
        {
            "OSTIARY_DATA_DIR": str(tmp_path),
            "OSTIARY_MAIL_SENDERS": "acme_doorkeeping.post:acme_post",
            "OSTIARY_PASSWORD_HASHERS": "acme_doorkeeping.hashes:acme_scrypt,acme_doorkeeping.hashes:acme_cart",
            "OSTIARY_PASSWORD_BREACH_CHECK": "acme_doorkeeping.breaches:acme_list",
            "EMAIL_FROM": str(SENDER),
            "ACME_POST_TOKEN": "t",
            "ACME_CART_KEY": "sesame",
            "ACME_SCRYPT_LOG_N": "10",
            "ACME_BREACH_LIST": str(listed(tmp_path, "word")),
        },
        dotenv=None,
    )

    async def start() -> None:
        async with compose(settings, Replacements(store=memory_store())):
            pass

    asyncio.run(start())
