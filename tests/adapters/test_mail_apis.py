"""What each answer of Resend, SendGrid and Postmark means, and what is asked of them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from adapters.mail.postmark import PostmarkSender
from adapters.mail.resend import ResendSender
from adapters.mail.sendgrid import SendGridSender
from application.ports.letters import MailDelayed, MailRefused
from domain.letters import RenderedLetter
from tests.support.mail_apis import (
    HANGS_UP,
    KEY,
    STALLS,
    TAKES_IT_AND_HANGS_UP,
    MailApi,
    PostmarkDouble,
    Reply,
    ResendDouble,
    SendGridDouble,
    run_mail_api,
)
from tests.support.rendered_letters import SENDER, TOKEN, a_letter
from tests.support.smtp_certificates import Authority

pytestmark = pytest.mark.usefixtures("one_authority")

PATIENT, SHORT = 20.0, 0.1
LETTER_ID = UUID(int=7)
Sender = ResendSender | SendGridSender | PostmarkSender


@dataclass(frozen=True)
class Provider:
    """One of the three."""

    double: Callable[[], MailApi]
    sender: Callable[..., Sender]
    key_setting: str
    url_setting: str
    accepted: Reply


PROVIDERS = {
    "resend": Provider(
        ResendDouble, ResendSender, "RESEND_API_KEY", "OSTIARY_RESEND_URL", Reply(200, {"id": "49a3999c"})
    ),
    "sendgrid": Provider(SendGridDouble, SendGridSender, "SENDGRID_API_KEY", "OSTIARY_SENDGRID_URL", Reply(202)),
    "postmark": Provider(
        PostmarkDouble,
        PostmarkSender,
        "POSTMARK_SERVER_TOKEN",
        "OSTIARY_POSTMARK_URL",
        Reply(200, {"ErrorCode": 0, "Message": "OK", "MessageID": "b7bc2f4a"}),
    ),
}
every_api = pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)


@pytest.fixture(scope="module")
def doubles() -> Iterator[dict[Callable[[], MailApi], MailApi]]:
    """One of each for all tests, because a start takes longer than a test."""
    with ExitStack() as stack:
        kinds: list[Callable[[], MailApi]] = [provider.double for provider in PROVIDERS.values()]
        yield {kind: stack.enter_context(run_mail_api(kind())) for kind in kinds}


@pytest.fixture
def api(provider: Provider, doubles: dict[Callable[[], MailApi], MailApi]) -> MailApi:
    """The provider's double, as new."""
    doubles[provider.double].forget()
    return doubles[provider.double]


@asynccontextmanager
async def opened(provider: Provider, api: MailApi, *, key: str = KEY, **options: Any) -> AsyncIterator[Sender]:
    async with provider.sender(key, SENDER, **{"url": api.url, "seconds": PATIENT, **options}) as sender:
        yield sender


async def verdict(
    provider: Provider, api: MailApi, letter: RenderedLetter | None = None, **options: Any
) -> MailDelayed | MailRefused:
    """What sending says; that it says something is given."""
    async with opened(provider, api, **options) as sender:
        with pytest.raises((MailDelayed, MailRefused)) as caught:
            await sender.send(letter or a_letter())
    assert isinstance(caught.value, MailDelayed | MailRefused)
    return caught.value


RESEND, SENDGRID, POSTMARK = PROVIDERS.values()
WORDS = "the provider's own words about ada@example.com"


def resend(status: int, name: str, message: str = WORDS) -> Reply:
    return ResendDouble.error(status, name, message)


def sendgrid(status: int, *fields: str | None) -> Reply:
    return SendGridDouble.error(status, WORDS, *fields)


def postmark(status: int, code: int, message: str = WORDS) -> Reply:
    return PostmarkDouble.error(status, code, message)


FORMAT = "field. The email address needs to follow the `email@example.com` format."
REFUSED: list[tuple[Provider, Reply, str]] = [
    (RESEND, resend(422, "validation_error", f"Invalid `to` {FORMAT}"), "recipient refused (422 validation_error)"),
    (RESEND, resend(400, "validation_error", f"Invalid `to` {FORMAT}"), "recipient refused (400 validation_error)"),
    (RESEND, Reply(413), "the letter is too large (413)"),
    (SENDGRID, sendgrid(400, "personalizations.0.to.0.email"), "recipient refused (400)"),
    (SENDGRID, sendgrid(400, "personalizations.to"), "recipient refused (400)"),
    (SENDGRID, sendgrid(400, "personalizations[0].to[0].email"), "recipient refused (400)"),
    (SENDGRID, sendgrid(413), "the letter is too large (413)"),
    (POSTMARK, postmark(422, 406), "recipient inactive after a bounce or a complaint (422 406)"),
    (POSTMARK, postmark(422, 300, "Invalid 'To' address: 'ada@example.com'."), "recipient refused (422 300)"),
    (POSTMARK, postmark(422, 300, "Error parsing 'To': Illegal email domain 'x'."), "recipient refused (422 300)"),
    (POSTMARK, Reply(413), "the letter is too large (413)"),
]

DELAYED: list[tuple[Provider, Reply, str]] = [
    (RESEND, resend(401, "missing_api_key"), "key not accepted (401 missing_api_key): see RESEND_API_KEY"),
    (RESEND, resend(401, "restricted_api_key"), "key not accepted (401 restricted_api_key): see RESEND_API_KEY"),
    (RESEND, resend(401, "validation_error"), "key not accepted (401 validation_error): see RESEND_API_KEY"),
    (RESEND, resend(401, "an_error_of_tomorrow"), "key not accepted (401): see RESEND_API_KEY"),
    (
        RESEND,
        resend(400, "validation_error", "API key is invalid"),
        "key not accepted (400 validation_error): see RESEND_API_KEY",
    ),
    (
        RESEND,
        resend(403, "validation_error", "API key is invalid"),
        "key not accepted (403 validation_error): see RESEND_API_KEY",
    ),
    (RESEND, resend(403, "invalid_api_key"), "key not accepted (403 invalid_api_key): see RESEND_API_KEY"),
    (
        RESEND,
        resend(403, "validation_error"),
        "domain not verified, or only test letters until one is (403 validation_error): see EMAIL_FROM",
    ),
    (RESEND, resend(403, "validation_error", "only to `to` your own"), "domain not verified, or only test letters "),
    (RESEND, resend(404, "not_found"), "no mail API there (404 not_found): see OSTIARY_RESEND_URL"),
    (RESEND, resend(405, "method_not_allowed"), "no mail API there (405 method_not_allowed): see OSTIARY_RESEND_URL"),
    (RESEND, resend(400, "invalid_idempotency_key"), "request not accepted (400 invalid_idempotency_key)"),
    (RESEND, resend(409, "concurrent_idempotent_requests"), "the same letter is being sent already (409 concurrent_"),
    (
        RESEND,
        resend(422, "validation_error", f"Invalid `from` {FORMAT}"),
        "request not accepted (422 validation_error)",
    ),
    (RESEND, resend(422, "invalid_from_address"), "sender not accepted (422 invalid_from_address): see EMAIL_FROM"),
    (RESEND, resend(422, "invalid_attachment"), "logo not accepted (422 invalid_attachment)"),
    (RESEND, resend(422, "missing_required_field"), "request not accepted (422 missing_required_field)"),
    (RESEND, resend(429, "daily_quota_exceeded"), "the day's quota is used up (429 daily_quota_exceeded)"),
    (RESEND, resend(429, "monthly_quota_exceeded"), "the month's quota is used up (429 monthly_quota_exceeded)"),
    (RESEND, resend(429, "rate_limit_exceeded"), "too many requests (429 rate_limit_exceeded)"),
    (RESEND, resend(451, "security_error"), "held back by the provider (451 security_error)"),
    (RESEND, resend(500, "application_error"), "trouble at the provider (500 application_error)"),
    (RESEND, resend(500, "internal_server_error"), "trouble at the provider (500 internal_server_error)"),
    (RESEND, resend(422, "an_error_of_tomorrow"), "request not accepted (422)"),
    (SENDGRID, sendgrid(400, "from.email"), "request not accepted (400): see EMAIL_FROM"),
    (SENDGRID, sendgrid(400, None), "request not accepted (400): see EMAIL_FROM"),
    (SENDGRID, sendgrid(400, "personalizations"), "request not accepted (400): see EMAIL_FROM"),
    (SENDGRID, sendgrid(400, "personalizations.0.to.0.email", "from.email"), "request not accepted (400): see EMAIL_"),
    (SENDGRID, sendgrid(400, "personalizations.0.tomorrow"), "request not accepted (400): see EMAIL_FROM"),
    (SENDGRID, Reply(400, b"<html>"), "request not accepted (400): see EMAIL_FROM"),
    (SENDGRID, sendgrid(401), "key not accepted or credits used up (401): see SENDGRID_API_KEY"),
    (SENDGRID, sendgrid(403, "from"), "key or sender not accepted (403): see SENDGRID_API_KEY and EMAIL_FROM"),
    (SENDGRID, sendgrid(404), "no mail API there (404): see OSTIARY_SENDGRID_URL"),
    (SENDGRID, sendgrid(405), "no mail API there (405): see OSTIARY_SENDGRID_URL"),
    (SENDGRID, sendgrid(406), "request not accepted (406)"),
    (SENDGRID, sendgrid(415), "request not accepted (415)"),
    (SENDGRID, sendgrid(429), "too many requests (429)"),
    (SENDGRID, sendgrid(500), "trouble at the provider (500)"),
    (SENDGRID, Reply(200), "an answer that none of theirs looks like (200): see OSTIARY_SENDGRID_URL"),
    (POSTMARK, postmark(401, 10), "token not accepted (401 10): see POSTMARK_SERVER_TOKEN"),
    (POSTMARK, postmark(422, 100), "closed for maintenance (422 100)"),
    (POSTMARK, postmark(422, 300), "request not accepted (422 300): see EMAIL_FROM"),
    (POSTMARK, postmark(422, 300, "Invalid 'From' address: 'x'."), "request not accepted (422 300): see EMAIL_FROM"),
    (POSTMARK, postmark(422, 400), "sender not confirmed (422 400): see EMAIL_FROM"),
    (POSTMARK, postmark(422, 401), "sender not confirmed (422 401): see EMAIL_FROM"),
    (POSTMARK, postmark(422, 402), "request not accepted (422 402)"),
    (POSTMARK, postmark(422, 403), "request not accepted (422 403)"),
    (POSTMARK, postmark(422, 405), "not allowed to send, perhaps for want of credit (422 405)"),
    (POSTMARK, postmark(422, 409), "request not accepted (422 409)"),
    (POSTMARK, postmark(422, 411), "logo not accepted (422 411)"),
    (POSTMARK, postmark(422, 412), "the account is not approved yet (422 412)"),
    (POSTMARK, postmark(422, 413), "the account may not send (422 413)"),
    (POSTMARK, postmark(422, 1235), "message stream not accepted (422 1235): see OSTIARY_POSTMARK_STREAM"),
    (POSTMARK, postmark(422, 98765), "request not accepted (422)"),
    (POSTMARK, postmark(429, 429), "too many requests (429 429)"),
    (POSTMARK, postmark(200, 300), "an answer that none of theirs looks like (200): see OSTIARY_POSTMARK_URL"),
    (POSTMARK, Reply(200, {"ErrorCode": 0}), "an answer that none of theirs looks like (200): see OSTIARY_POSTMARK_"),
]


def name_of(case: tuple[Provider, Reply, str]) -> str:
    provider, reply, reason = case
    return f"{next(name for name, one in PROVIDERS.items() if one is provider)}-{reply.status}-{reason[:40]}"


@pytest.mark.parametrize(("provider", "reply", "reason"), REFUSED, ids=map(name_of, REFUSED))
async def test_a_verdict_on_the_recipient_or_the_letter_is_for_good(
    provider: Provider, api: MailApi, reply: Reply, reason: str
) -> None:
    api.script = [reply]
    refused = await verdict(provider, api)
    assert isinstance(refused, MailRefused)
    assert str(refused) == reason


@pytest.mark.parametrize(("provider", "reply", "reason"), DELAYED, ids=map(name_of, DELAYED))
async def test_everything_else_is_for_now_in_words_of_ours(
    provider: Provider, api: MailApi, reply: Reply, reason: str
) -> None:
    api.script = [reply]
    delayed = await verdict(provider, api)
    assert isinstance(delayed, MailDelayed)
    assert str(delayed).startswith(reason)
    assert "words" not in str(delayed)


NONSENSE = {
    "redirect": Reply(302, b"", {"Location": "/elsewhere"}),
    "permanent redirect": Reply(308, b"", {"Location": "/elsewhere"}),
    "a page": Reply(200, b"<html>Welcome to the hotel's network</html>"),
    "not modified": Reply(304),
    "nothing": Reply(204),
    "a list": Reply(200, [1, 2, 3]),
    "another object": Reply(200, {"ok": True}),
    "too deep": Reply(200, b"[" * 5000),
    "without an end": Reply(
        200, {"id": "x", "MessageID": "x", "more": "x" * 100_000}, {"Content-Length": "1000000000"}
    ),
    "compressed": Reply(200, b"\x1f\x8b\x08\x00nonsense", {"Content-Encoding": "gzip"}),
    "busy": Reply(503, b"<html>"),
    "gateway": Reply(502, b"<html>"),
    "gateway timeout": Reply(504, b"<html>"),
    "timeout": Reply(408),
    "too early": Reply(425),
    "gone": Reply(410),
    "teapot": Reply(418),
    "a firewall's": Reply(403, b"<html>Forbidden</html>"),
}


@every_api
async def test_an_answer_that_makes_no_sense_is_for_now_and_nothing_is_followed(
    provider: Provider, api: MailApi
) -> None:
    async with opened(provider, api) as sender:
        for name, reply in NONSENSE.items():
            api.script = [reply]
            with pytest.raises(MailDelayed, match=str(reply.status)):
                await sender.send(a_letter())
            assert api.asked.pop().path == api.path, name
            assert api.asked == [], name
        await sender.send(a_letter())
    assert len(api.arrived) == 1


@every_api
async def test_the_answer_that_is_documented_is_believed(provider: Provider, api: MailApi) -> None:
    api.script = [provider.accepted]
    async with opened(provider, api) as sender:
        await sender.send(a_letter())
    assert api.asked[0].headers["accept-encoding"] == "identity"


@every_api
async def test_a_wrong_key_is_the_operators_to_mend(provider: Provider, api: MailApi) -> None:
    delayed = await verdict(provider, api, key="wrong-key-canary")
    assert isinstance(delayed, MailDelayed)
    assert provider.key_setting in str(delayed)
    assert "canary" not in str(delayed)


@every_api
@pytest.mark.parametrize("key", ["key\r\ncanary: x", "key\ncanary", "kéy canary", "key\x00canary"], ids=ascii)
def test_a_key_that_cannot_be_one_is_found_out_before_any_letter(provider: Provider, key: str) -> None:
    with pytest.raises(ValueError, match=f"^{provider.key_setting} has characters that no key has$") as caught:
        provider.sender(key, SENDER)
    assert "canary" not in str(caught.value)


@every_api
async def test_a_sender_that_is_not_verified_is_the_operators_to_mend(provider: Provider, api: MailApi) -> None:
    elsewhere = SENDER.__class__("Ostiary", "no-reply", "elsewhere.example")
    async with provider.sender(KEY, elsewhere, url=api.url, seconds=PATIENT) as sender:
        with pytest.raises(MailDelayed, match="EMAIL_FROM"):
            await sender.send(a_letter())


# -- How long to leave it alone --

DAY = "Fri, 02 Jan 2026"
AT = f"{DAY} 03:04:05 GMT"
UNIX = 1767323045
WAITS: dict[str, tuple[dict[str, str], int | None]] = {
    "seconds": ({"Retry-After": "17"}, 17),
    "a date": ({"Retry-After": f"{DAY} 03:05:05 GMT"}, 60),
    "a date by their clock": ({"Date": f"{DAY} 04:00:00 GMT", "Retry-After": f"{DAY} 04:00:30 GMT"}, 30),
    "a date that is over": ({"Retry-After": f"{DAY} 03:00:00 GMT"}, None),
    "end of the window in seconds": ({"ratelimit-reset": "3"}, 3),
    "end of the window as a moment": ({"Date": AT, "X-RateLimit-Reset": str(UNIX + 42)}, 42),
    "both": ({"Retry-After": "5", "ratelimit-reset": "3", "X-RateLimit-Reset": str(UNIX + 42)}, 5),
    "nothing": ({}, None),
    "nonsense": ({"Retry-After": "soon"}, None),
    "a minus": ({"Retry-After": "-5"}, None),
    "ages": ({"Retry-After": "9" * 11}, 1800),
    "for ever": ({"Retry-After": "9" * 400}, 1800),
    "a date beyond dates": ({"Retry-After": "Fri, 02 Jan 99999 03:05:05 GMT"}, None),
    "a window beyond dates": ({"Date": AT, "X-RateLimit-Reset": "9" * 12}, None),
}


@every_api
async def test_it_is_left_alone_for_as_long_as_it_asks(provider: Provider, api: MailApi) -> None:
    async with opened(provider, api) as sender:
        for name, (headers, seconds) in WAITS.items():
            api.script = [Reply(429, {}, headers)]
            with pytest.raises(MailDelayed) as delayed:
                await sender.send(a_letter())
            assert delayed.value.retry_after == (timedelta(seconds=seconds) if seconds else None), name


@every_api
async def test_the_end_of_a_window_says_nothing_about_other_trouble(provider: Provider, api: MailApi) -> None:
    """Resend tells it with every answer."""
    for headers, seconds in (({"ratelimit-reset": "1"}, None), ({"Retry-After": "9"}, 9)):
        api.script = [Reply(503, b"", headers)]
        delayed = await verdict(provider, api)
        assert isinstance(delayed, MailDelayed)
        assert delayed.retry_after == (timedelta(seconds=seconds) if seconds else None)


# -- Connections --


@every_api
async def test_one_connection_is_kept(provider: Provider, api: MailApi) -> None:
    async with opened(provider, api) as sender:
        for _ in range(5):
            await sender.send(a_letter())
    assert (len(api.arrived), api.connections) == (5, 1)


@every_api
async def test_one_deadline_is_for_everything(provider: Provider, api: MailApi) -> None:
    api.script = [STALLS]
    loop = asyncio.get_running_loop()
    before = loop.time()
    delayed = await verdict(provider, api, seconds=SHORT)
    assert str(delayed) == "no answer in time"
    assert loop.time() - before < 3
    api.over.set()


@every_api
async def test_being_cancelled_is_passed_on_and_is_no_verdict(provider: Provider, api: MailApi) -> None:
    api.script = [STALLS]
    async with opened(provider, api) as sender:
        task = asyncio.create_task(sender.send(a_letter()))
        await asyncio.to_thread(api.was_asked.wait, PATIENT)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    api.over.set()


@every_api
async def test_nobody_there_and_who_hangs_up_are_for_now(provider: Provider, api: MailApi) -> None:
    api.script = [HANGS_UP]
    assert str(await verdict(provider, api)) == "connection lost"
    assert str(await verdict(provider, api, url="http://127.0.0.1:1")) == f"no connection: see {provider.url_setting}"


@every_api
async def test_a_kept_connection_that_breaks_is_replaced_once_and_the_letter_does_not_notice(
    provider: Provider, api: MailApi
) -> None:
    async with opened(provider, api) as sender:
        await sender.send(a_letter())
        api.script = [HANGS_UP]
        await sender.send(a_letter())
        assert (len(api.arrived), api.connections) == (2, 2)
        api.script = [provider.accepted]
        await sender.send(a_letter())
        api.script = [HANGS_UP, HANGS_UP, provider.accepted]
        with pytest.raises(MailDelayed, match=r"^connection lost$"):
            await sender.send(a_letter())
    assert len(api.script) == 1


@every_api
async def test_every_kept_connection_may_have_gone_at_once(provider: Provider, api: MailApi) -> None:
    """As when the other side is started anew: then the next one in store is no better."""
    async with opened(provider, api) as sender:
        await asyncio.gather(*(sender.send(a_letter()) for _ in range(4)))
        kept = api.connections
        api.script = [HANGS_UP]
        await sender.send(a_letter())
        assert api.connections == kept + 1


@every_api
async def test_a_kept_connection_that_stalls_is_not_replaced(provider: Provider, api: MailApi) -> None:
    async with opened(provider, api, seconds=0.5) as sender:
        await sender.send(a_letter())
        api.script = [STALLS]
        with pytest.raises(MailDelayed, match=r"^no answer in time$"):
            await sender.send(a_letter())
    assert len(api.asked) == 2
    api.over.set()


@every_api
async def test_half_an_answer_is_none(provider: Provider, api: MailApi) -> None:
    whole = provider.accepted
    api.script = [Reply(whole.status, whole.body, {"Content-Length": "100000", "Connection": "close"})]
    assert isinstance(await verdict(provider, api, seconds=0.5), MailDelayed)


async def test_a_certificate_is_verified(authority: Authority) -> None:
    for provider in PROVIDERS.values():
        with run_mail_api(provider.double(), tls=authority.server("127.0.0.1")) as api:
            async with opened(provider, api) as sender:
                await sender.send(a_letter())
        with run_mail_api(provider.double(), tls=authority.server("elsewhere.example")) as api:
            assert str(await verdict(provider, api)) == f"certificate not vouched for: see {provider.url_setting}"
            assert api.asked == []


# -- Resend: a letter once --


@pytest.fixture
def resend_api(doubles: dict[Callable[[], MailApi], MailApi]) -> ResendDouble:
    """As new."""
    double = doubles[ResendDouble]
    assert isinstance(double, ResendDouble)
    double.forget()
    return double


def keys(api: MailApi) -> list[str]:
    return [asked.headers["idempotency-key"] for asked in api.asked]


async def test_a_retry_of_the_same_bytes_is_no_second_letter(resend_api: ResendDouble) -> None:
    letter = a_letter(letter_id=LETTER_ID)
    async with opened(RESEND, resend_api) as sender:
        resend_api.script = [TAKES_IT_AND_HANGS_UP]
        with pytest.raises(MailDelayed):
            await sender.send(letter)
        await sender.send(letter)
    assert len(resend_api.arrived) == 1
    assert keys(resend_api) == [str(LETTER_ID)] * 2


async def test_a_letter_that_was_taken_on_a_kept_connection_that_breaks_then_arrives_once(
    resend_api: ResendDouble,
) -> None:
    async with opened(RESEND, resend_api) as sender:
        await sender.send(a_letter())
        resend_api.script = [TAKES_IT_AND_HANGS_UP]
        await sender.send(a_letter(letter_id=LETTER_ID))
    assert len(resend_api.arrived) == 2
    assert keys(resend_api)[1:] == [str(LETTER_ID)] * 2


async def test_a_retry_with_a_new_token_goes_out_at_once_under_a_key_of_its_own(resend_api: ResendDouble) -> None:
    async with opened(RESEND, resend_api) as sender:
        for text in ("first", "second", "second"):
            await sender.send(a_letter(letter_id=LETTER_ID, text=text))
    assert [arrived.text for arrived in resend_api.arrived] == ["first", "second"]
    first, _, second, _, third = keys(resend_api)
    assert first == str(LETTER_ID)
    assert second == third
    assert second.startswith(f"{LETTER_ID}-")
    assert len(second) <= 256


async def test_a_key_that_is_taken_twice_is_for_now(resend_api: ResendDouble) -> None:
    resend_api.script = [resend(409, "invalid_idempotent_request"), resend(409, "concurrent_idempotent_requests")]
    assert isinstance(await verdict(RESEND, resend_api), MailDelayed)
    resend_api.script = [resend(409, "invalid_idempotent_request"), resend(409, "invalid_idempotent_request")]
    assert isinstance(await verdict(RESEND, resend_api), MailDelayed)
    assert len(resend_api.asked) == 4


# -- What is asked of them --


async def test_the_postmark_stream_is_the_operators(doubles: dict[Callable[[], MailApi], MailApi]) -> None:
    api = doubles[PostmarkDouble]
    async with opened(POSTMARK, api, message_stream="letters") as sender:
        await sender.send(a_letter())
    assert json.loads(api.asked[-1].body)["MessageStream"] == "letters"
    assert "OSTIARY_POSTMARK_STREAM" in str(await verdict(POSTMARK, api, message_stream="broadcast"))


async def test_postmark_that_is_late_itself_has_taken_the_letter(doubles: dict[Callable[[], MailApi], MailApi]) -> None:
    """Then its answer has no ErrorCode."""
    api = doubles[PostmarkDouble]
    api.script = [Reply(200, {"Message": "Message accepted, but delivery may be delayed.", "MessageID": "b7bc2f4a"})]
    async with opened(POSTMARK, api) as sender:
        await sender.send(a_letter())


@pytest.mark.parametrize(
    ("sender", "url"),
    [
        (ResendSender, "https://api.resend.com"),
        (SendGridSender, "https://api.sendgrid.com"),
        (PostmarkSender, "https://api.postmarkapp.com"),
    ],
)
async def test_each_is_asked_at_its_own_place_unless_told_otherwise(
    sender: Callable[..., Any], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def handle(_transport: object, request: Any) -> Any:
        asked.append(str(request.url))
        raise OSError

    monkeypatch.setattr("httpx.AsyncHTTPTransport.handle_async_request", handle)
    async with sender(KEY, SENDER) as made:
        with pytest.raises(MailDelayed):
            await made.send(a_letter())
    assert [place.startswith(f"{url}/") for place in asked] == [True]
    assert KEY not in asked[0]
    assert TOKEN not in asked[0]
