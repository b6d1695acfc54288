"""POST /hooks/…: mail providers report what became of letters, and nobody else does: docs/bounces.md."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    SECP384R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapters.bounces.sendgrid import SendGridHook
from application.ports.bounces import NotAuthentic, Unreadable
from entrypoints.settings import SettingsError, read_settings
from tests.support.http_requests import assert_problem, new_address, sign_up
from tests.support.server import Server, run_server, wait_for

SECRET = "canary-postmark-4e7f8a91b2c3d4e5"
KEY, OTHER_KEY = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
SIGNATURE, TIMESTAMP = "X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"

Send = Callable[..., httpx.Response]


def shown(key: EllipticCurvePrivateKey) -> str:
    """As SendGrid shows it."""
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


@pytest.fixture(scope="module")
def hooked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that both providers report to."""
    variables = {"OSTIARY_SENDGRID_WEBHOOK_KEY": shown(KEY), "OSTIARY_POSTMARK_WEBHOOK_SECRET": SECRET}
    with run_server(tmp_path_factory.mktemp("hooked"), variables) as running:
        yield running


@pytest.fixture
def client(hooked: Server) -> Iterator[httpx.Client]:
    """Somebody on the network."""
    with hooked.client() as client:
        yield client


def signed(body: bytes, *, key: EllipticCurvePrivateKey = KEY, timestamp: str = "1700000000") -> dict[str, str]:
    """The headers that SendGrid sends with a body."""
    signature = key.sign(timestamp.encode() + body, ECDSA(SHA256()))
    return {
        SIGNATURE: base64.b64encode(signature).decode(),
        TIMESTAMP: timestamp,
        "Content-Type": "application/json",
    }


def basic(secret: str = SECRET, user: str = "ostiary") -> dict[str, str]:
    """The header that Postmark makes of the URL."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()}


def by_sendgrid(client: httpx.Client, *events: Any, **how: Any) -> httpx.Response:
    body = json.dumps(events).encode()
    return client.post("/hooks/sendgrid", content=body, headers=signed(body, **how))


def by_postmark(client: httpx.Client, record: Any, **how: Any) -> httpx.Response:
    return client.post("/hooks/postmark", json=record, headers=basic(**how))


def an_event(email: str, **fields: Any) -> dict[str, Any]:
    """An event as SendGrid writes it: much that does not matter here among it."""
    return {
        "email": email,
        "timestamp": int(time.time()) - 60,
        "event": "bounce",
        "type": "bounce",
        "status": "5.1.1",
        "smtp-id": "<x@example.com>",
        "category": ["a"],
        "tls": 1,
        "custom": {"deep": [1]},
        **fields,
    }


def a_record(email: str, **fields: Any) -> dict[str, Any]:
    """A record as Postmark writes it."""
    return {
        "RecordType": "Bounce",
        "Type": "HardBounce",
        "TypeCode": 1,
        "Email": email,
        "BouncedAt": time.strftime("%Y-%m-%dT%H:%M:%S.1234567Z", time.gmtime()),
        "Inactive": True,
        "Metadata": {},
        "Content": "x" * 30_000,
        **fields,
    }


def a_change(email: str, **fields: Any) -> dict[str, Any]:
    """A change of Postmark's own list."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {
        "RecordType": "SubscriptionChange",
        "Recipient": email,
        "ChangedAt": at,
        "SuppressSending": True,
        "SuppressionReason": "HardBounce",
        "Origin": "Recipient",
        **fields,
    }


def reason_of(server: Server, email: str) -> str | None:
    """Why an address gets no letters."""
    rows = server.sql("SELECT reason, source FROM suppressions WHERE email = :email", email=email)
    return " by ".join(rows[0]) if rows else None


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "hard_bounce"),
        ({"event": "spamreport"}, "complaint"),
        ({"event": "dropped", "reason": "Bounced Address"}, "blocked"),
        ({"event": "dropped", "reason": "Spam Reporting Address"}, "complaint"),
        ({"event": "dropped", "reason": "Invalid"}, "hard_bounce"),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, None),
        ({"event": "dropped", "reason": "Spam Content"}, None),
        ({"type": "blocked"}, None),
        ({"event": "deferred"}, None),
        ({"event": "delivered"}, None),
        ({"event": "unsubscribe"}, None),
        ({"event": "of tomorrow"}, None),
        ({"timestamp": "yesterday"}, None),
        ({"timestamp": 1e300}, None),
        ({"timestamp": 0}, None),
    ],
    ids=lambda value: " ".join(map(str, value.values())) if isinstance(value, dict) else str(value),
)
def test_sendgrids_bounces_and_complaints_count_and_its_other_events_do_not(
    client: httpx.Client, hooked: Server, fields: dict[str, Any], reason: str | None
) -> None:
    email = new_address("sendgrid")
    answer = by_sendgrid(client, an_event(email, **fields))
    assert (answer.status_code, answer.content) == (200, b"")
    assert reason_of(hooked, email) == (f"{reason} by sendgrid" if reason else None)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (a_record(""), "hard_bounce"),
        (a_record("", Type="BadEmailAddress"), "hard_bounce"),
        (a_record("", Type="ManuallyDeactivated"), "blocked"),
        (a_record("", Type="SpamComplaint"), "complaint"),
        (a_record("", Type="Blocked", Inactive=True), "blocked"),
        (a_record("", RecordType="SpamComplaint"), "complaint"),
        (a_record("", Type="SoftBounce", Inactive=False), None),
        (a_record("", Type="Transient", Inactive=False), None),
        (a_record("", Type="SpamNotification", Inactive=False), None),
        (a_record("", RecordType="Delivery"), None),
        (a_record("", RecordType="of tomorrow"), None),
        (a_change(""), "hard_bounce"),
        (a_change("", SuppressionReason="SpamComplaint"), "complaint"),
        (a_change("", SuppressionReason="ManualSuppression"), "blocked"),
        (a_change("", SuppressSending=False, SuppressionReason=None), None),
    ],
    ids=lambda value: f"{value['RecordType']} {value.get('Type', '')}" if isinstance(value, dict) else str(value),
)
def test_postmarks_bounces_and_complaints_count_and_its_other_records_do_not(
    client: httpx.Client, hooked: Server, record: dict[str, Any], reason: str | None
) -> None:
    email = new_address("postmark")
    place = "Recipient" if record["RecordType"] == "SubscriptionChange" else "Email"
    answer = by_postmark(client, {**record, place: email})
    assert (answer.status_code, answer.content) == (200, b"")
    assert reason_of(hooked, email) == (f"{reason} by postmark" if reason else None)


def test_who_is_suppressed_reads_the_same_answers_and_gets_no_letter(client: httpx.Client, hooked: Server) -> None:
    gone, here = new_address("gone"), new_address("gone")
    by_sendgrid(client, an_event(gone))
    answers = [sign_up(client, gone), sign_up(client, here)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() | {"email": here} == answers[1].json()
    assert list(answers[0].headers) == list(answers[1].headers)
    hooked.token(here)
    told = "SELECT status, outcome FROM letters WHERE recipient = :gone"
    wait_for(lambda: [tuple(row) for row in hooked.sql(told, gone=gone)] == [("sent", "suppressed")], "an end")


def test_a_batch_is_noted_whole_and_again_changes_nothing(client: httpx.Client, hooked: Server) -> None:
    emails = [new_address("batch") for _ in range(300)]
    events: list[Any] = [{"event": "delivered"}, 7, None, [], *(an_event(email) for email in emails)]
    for _ in range(2):
        assert by_sendgrid(client, *events).status_code == 200
    assert all(reason_of(hooked, email) for email in emails[::50])
    counted = [each for each in hooked.events() if each["event"] == "address_suppressed"]
    assert len({each["who"] for each in counted}) == len(counted)


FORGED: dict[str, Callable[[bytes], dict[str, str]]] = {
    "no signature": lambda _body: {},
    "another key": lambda body: signed(body, key=OTHER_KEY),
    "another body": lambda body: signed(body + b" "),
    "another time": lambda body: {**signed(body), TIMESTAMP: "1700000001"},
    "no time": lambda body: {SIGNATURE: signed(body)[SIGNATURE]},
    "a time outside ASCII": lambda body: {SIGNATURE: signed(body)[SIGNATURE], TIMESTAMP: "17000\xb2"},
    "no base64": lambda body: {**signed(body), SIGNATURE: "!!!"},
    "no DER": lambda body: {**signed(body), SIGNATURE: base64.b64encode(b"\x30\x06\x02\x01\x00").decode()},
    "zeros": lambda body: {**signed(body), SIGNATURE: base64.b64encode(bytes.fromhex("3006020100020100")).decode()},
}


@pytest.mark.parametrize("name", FORGED)
def test_what_sendgrid_did_not_sign_is_not_even_read(client: httpx.Client, hooked: Server, name: str) -> None:
    email = new_address("forged")
    for body in (json.dumps([an_event(email)]).encode(), b"[" * 50_000):
        headers = {key: value.encode("latin-1") for key, value in FORGED[name](body).items()}
        answer = client.post("/hooks/sendgrid", content=body, headers=headers)  # type: ignore[arg-type]
        assert_problem(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Signature ")
    assert reason_of(hooked, email) is None


def test_the_example_that_sendgrid_publishes_is_signed_and_another_time_is_not() -> None:
    """Of its libraries' tests: one event, which is no batch."""
    hook = SendGridHook(
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu"
        "/1FwCM/QmGUhA=="
    )
    signature = "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH2j/0="
    body = b'{"category":"example_payload","event":"test_event","message_id":"message_id"}'
    headers = {SIGNATURE.lower(): signature, TIMESTAMP.lower(): "1588788367"}
    with pytest.raises(Unreadable):
        hook.read(headers, body)
    with pytest.raises(NotAuthentic):
        hook.read({**headers, TIMESTAMP.lower(): "1588788368"}, body)


def test_of_two_signatures_none_is_believed(client: httpx.Client) -> None:
    body = b"[]"
    good, other = [*signed(body).items()], (SIGNATURE, "x")
    for headers in ([*good, other], [other, *good]):
        assert_problem(client.post("/hooks/sendgrid", content=body, headers=headers), 401, "unauthenticated")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("canary-postmark-4e7f8a91b2c3d4e6"),
        basic(""),
        basic(SECRET + "x"),
        {"Authorization": f"Bearer {SECRET}"},
        {"Authorization": basic()["Authorization"].replace("Basic", "Digest")},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + base64.b64encode(SECRET.encode()).decode()},
    ],
    ids=[
        "none",
        "another",
        "an empty one",
        "a longer one",
        "another scheme",
        "Digest",
        "no base64",
        "no user name",
    ],
)
def test_who_does_not_know_postmarks_secret_is_not_even_read(
    client: httpx.Client, hooked: Server, headers: dict[str, str]
) -> None:
    email = new_address("forged")
    for body in (json.dumps(a_record(email)).encode(), b"["):
        answer = client.post("/hooks/postmark", content=body, headers=headers)
        assert_problem(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Basic ")
    assert reason_of(hooked, email) is None


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"{}", b"7", b'"x"', b"[" * 100_000, b'{"x":' * 100_000],
    ids=lambda body: str(body[:5]),
)
def test_what_is_malformed_is_400_and_never_500(client: httpx.Client, body: bytes) -> None:
    assert_problem(client.post("/hooks/sendgrid", content=body, headers=signed(body)), 400, "malformed_request")
    assert_problem(client.post("/hooks/postmark", content=body, headers=basic()), 400, "malformed_request")


@pytest.mark.parametrize("fields", [{"BouncedAt": "yesterday"}, {"BouncedAt": 7}, {"Email": None}], ids=str)
def test_a_record_that_is_not_whole_is_400(client: httpx.Client, fields: dict[str, Any]) -> None:
    answer = by_postmark(client, a_record(new_address(), **fields))
    assert_problem(answer, 400, "malformed_request")
    assert "ada" not in answer.text


def test_an_address_that_is_none_counts_for_nothing(client: httpx.Client) -> None:
    assert by_postmark(client, a_record("nowhere\x00@" + "x" * 300)).status_code == 200
    assert by_sendgrid(client, an_event("=?utf-8?q?x?=@example.com")).status_code == 200


def test_a_hook_takes_more_than_an_endpoint_and_not_everything(client: httpx.Client) -> None:
    body = b"[" + b" " * (900 * 1024) + b"]"
    assert client.post("/hooks/sendgrid", content=body, headers=signed(body)).status_code == 200
    body = b"[" + b" " * (970 * 1024) + b"]"
    assert_problem(client.post("/hooks/sendgrid", content=body, headers=signed(body)), 413, "payload_too_large")
    answer = client.post("/auth/signin", content=b" " * 20_000, headers={"Content-Type": "application/json"})
    assert_problem(answer, 413, "payload_too_large")


def test_a_page_from_elsewhere_reports_nothing(client: httpx.Client) -> None:
    body = b"[]"
    answer = client.post("/hooks/sendgrid", content=body, headers={**signed(body), "Origin": "https://evil.example"})
    assert_problem(answer, 403, "foreign_origin")


def test_nothing_else_is_asked_of_a_hook(client: httpx.Client) -> None:
    for path in ("/hooks/sendgrid", "/hooks/postmark"):
        assert_problem(client.get(path), 405, "method_not_allowed")
    assert "hooks" not in client.get("/openapi.json").text


def test_neither_secret_nor_address_is_written_down(hooked: Server, client: httpx.Client) -> None:
    email = new_address("canary")
    by_postmark(client, a_record(email))
    by_postmark(client, a_record(email), secret=SECRET[:-1])
    log = hooked.log.read_text()
    assert SECRET[:-1] not in log
    assert base64.b64encode(f"ostiary:{SECRET}".encode()).decode() not in log
    assert email not in log
    assert any(each["event"] == "address_suppressed" for each in hooked.events())


def test_where_nothing_is_set_there_is_no_hook(server: Server) -> None:
    with server.client() as client:
        for path in ("/hooks/sendgrid", "/hooks/postmark"):
            assert_problem(client.post(path, json=[], headers=basic()), 404, "not_found")


OTHER_CURVE = generate_private_key(SECP384R1())
PUBLIC = {"OSTIARY_PUBLIC_URL": "http://auth.example.com", "OSTIARY_ALLOW_HTTP": "on"}


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"OSTIARY_SENDGRID_WEBHOOK_KEY": "canary!"}, "OSTIARY_SENDGRID_WEBHOOK_KEY"),
        ({"OSTIARY_SENDGRID_WEBHOOK_KEY": shown(KEY)[:-8]}, "OSTIARY_SENDGRID_WEBHOOK_KEY"),
        ({"OSTIARY_SENDGRID_WEBHOOK_KEY": shown(OTHER_CURVE)}, "OSTIARY_SENDGRID_WEBHOOK_KEY"),
        ({"OSTIARY_POSTMARK_WEBHOOK_SECRET": "canary-too-shor"}, "OSTIARY_POSTMARK_WEBHOOK_SECRET"),
        ({"OSTIARY_POSTMARK_WEBHOOK_SECRET": "c" * 40}, "OSTIARY_POSTMARK_WEBHOOK_SECRET"),
        ({**PUBLIC, "OSTIARY_POSTMARK_WEBHOOK_SECRET": SECRET}, "OSTIARY_POSTMARK_WEBHOOK_SECRET"),
    ],
    ids=["no key", "half a key", "another curve", "too short", "not random", "in clear"],
)
def test_a_key_that_is_none_and_a_secret_that_is_weak_do_not_start(variables: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError) as error:
        read_settings(variables, dotenv=None)
    assert any(problem.startswith(f"{named}: ") for problem in error.value.problems)
    assert variables[named] not in str(error.value)
