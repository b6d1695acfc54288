"""The contract of `application.ports.environment.EventLog`; and `entrypoints.logs`: one line an event."""

import hashlib
import io
import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import structlog

from adapters.event_log import StructuredEventLog, WatchedLimits
from adapters.memory.limits import MemoryLimits
from adapters.memory.store import MemoryStore
from domain.client import Client
from domain.email_address import EmailAddress
from domain.errors import RateLimited
from domain.events import Event, EventKind
from entrypoints.logs import configure_logs
from tests.support.store_samples import NOW, charge

KEY = b"k" * 32
ADA = EmailAddress("ada@example.com")
HERE = Client("192.0.2.77", "Firefox")
FORMATS = ["json", "console"]

EVIL = {
    "line feed": "a\nb",
    "carriage return": "a\rb",
    "both": "a\r\nb",
    "escape": "a\x1b[2J\x1b]0;owned\x07b",
    "U+2028": "a\u2028b",
    "U+2029": "a\u2029b",
    "next line": "a\x85b",
    "vertical tab": "a\x0b\x0cb",
    "quotes": 'a"},{"event":"signed_in"} \' b',
    "backslash": "a\\nb\\",
    "nul": "a\x00b",
    "bidi": "a\u202eb\u2066",
}


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What reaches standard error, and the logging of the machine put back afterwards."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    for name in ("uvicorn.error", "asyncio"):  # as in a new process: other tests' servers and tools have set theirs
        logging.getLogger(name).disabled = False
        logging.getLogger(name).setLevel(logging.NOTSET)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(params=FORMATS)
def log_format(request: pytest.FixtureRequest, output: io.StringIO) -> str:
    configure_logs(request.param)
    return str(request.param)


@pytest.fixture
def json_lines(output: io.StringIO) -> None:
    configure_logs("json")


def recorded(output: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.getvalue().splitlines()]


def event_log(*, mask: bool = True, key: bytes = KEY) -> StructuredEventLog:
    return StructuredEventLog(key, mask_clients=mask)


def only_line(output: io.StringIO) -> str:
    """The one line that was written, however lines may be told apart."""
    text = output.getvalue()
    assert text.endswith("\n")
    line = text[:-1]
    assert len(line.splitlines()) == 1, "splitlines knows U+2028, NEL and the rest"
    assert line.isprintable()
    return line


# Pseudonyms


@pytest.mark.usefixtures("json_lines")
def test_an_address_is_written_as_a_pseudonym_the_same_one_each_time(output: io.StringIO) -> None:
    for kind in (EventKind.SIGN_UP_REQUESTED, EventKind.SIGNED_IN):
        event_log().record(Event(kind=kind, email=ADA))
    event_log().record(Event(kind=EventKind.SIGN_IN_FAILED, identifier="ada@example.com"))
    assert len({line["who"] for line in recorded(output)}) == 1
    assert "ada" not in output.getvalue()
    assert "example" not in output.getvalue()


def test_pseudonyms_differ_by_person_and_by_installation() -> None:
    people = ["ada@example.com", "grace@example.com", "ada", "", "ada@example.co"]
    assert len({event_log(key=key).pseudonym(who) for who in people for key in (KEY, b"x" * 32)}) == 10


def test_a_pseudonym_is_of_no_use_without_the_key() -> None:
    pseudonym = event_log().pseudonym("ada@example.com")
    assert len(pseudonym) == 16
    for guess in (b"ada@example.com", b"pseudonym ada@example.com"):
        assert not hashlib.sha256(guess).hexdigest().startswith(pseudonym)


# Fields


@pytest.mark.usefixtures("json_lines")
def test_an_event_says_what_when_who_and_where_from(output: io.StringIO) -> None:
    user_id = uuid4()
    event = Event(kind=EventKind.SIGNED_IN, client=HERE, email=ADA, user_id=user_id, reason="why", counts=(("n", 3),))
    event_log(mask=False).record(event)
    (line,) = recorded(output)
    assert datetime.fromisoformat(line.pop("timestamp")).utcoffset() == timedelta(0)
    assert line == {
        "event": "signed_in",
        "level": "info",
        "client": "192.0.2.77",
        "user_agent": "Firefox",
        "who": event_log().pseudonym("ada@example.com"),
        "user_id": str(user_id),
        "reason": "why",
        "n": 3,
    }


@pytest.mark.usefixtures("json_lines")
@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("evil\n", ""),
    ],
)
def test_a_clients_address_is_masked_where_that_is_configured(output: io.StringIO, address: str, masked: str) -> None:
    event_log(mask=True).record(Event(kind=EventKind.SIGNED_IN, client=Client(address, "x")))
    assert [line["client"] for line in recorded(output)] == [masked]


@pytest.mark.usefixtures("json_lines")
def test_what_went_wrong_is_a_warning_and_the_rest_is_not(output: io.StringIO) -> None:
    for kind in EventKind:
        event_log().record(Event(kind=kind))
    levels = {line["event"]: line["level"] for line in recorded(output)}
    assert levels.keys() == {kind.value for kind in EventKind}
    warnings = {kind for kind, level in levels.items() if level == "warning"}
    assert warnings >= {"sign_in_failed", "verification_refused", "rate_limited", "letter_delayed", "letter_abandoned"}
    assert not warnings & {"signed_in", "signed_out", "address_verified", "sign_up_requested", "letter_sent", "purged"}


# One line


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("field", ["address", "user_agent", "email", "identifier", "reason"])
def test_an_event_is_one_line_whatever_stands_in_a_field(
    output: io.StringIO, log_format: str, field: str, evil: str
) -> None:
    text = EVIL[evil]
    events = {
        "address": Event(kind=EventKind.SIGNED_IN, client=Client(text, "x")),
        "user_agent": Event(kind=EventKind.SIGNED_IN, client=Client("192.0.2.1", text)),
        "email": Event(kind=EventKind.SIGNED_IN, email=EmailAddress(f"{text}@example.com")),
        "identifier": Event(kind=EventKind.SIGNED_IN, identifier=text),
        "reason": Event(kind=EventKind.SIGNED_IN, reason=text),
    }
    event_log(mask=False).record(events[field])
    line = only_line(output)
    assert "signed_in" in line
    if log_format == "json":
        assert json.loads(line)["event"] == "signed_in"


@pytest.mark.parametrize("evil", EVIL)
def test_a_line_of_the_servers_own_logger_is_one_line_too(output: io.StringIO, log_format: str, evil: str) -> None:
    logging.getLogger("uvicorn.error").warning("bad request: %s", EVIL[evil])
    line = only_line(output)
    if log_format == "json":
        assert json.loads(line)["event"] == f"bad request: {EVIL[evil]}"


# Faults


def fail(canary: str) -> Exception:
    try:
        raise ValueError(f"cannot read {canary}")
    except ValueError as inner:
        try:
            raise RuntimeError(f"because of {canary}") from inner
        except RuntimeError as outer:
            return outer


@pytest.mark.parametrize("by", ["structlog", "the standard library", "the standard library's exception()"])
def test_a_fault_is_told_by_type_and_place_and_never_by_value(output: io.StringIO, log_format: str, by: str) -> None:
    fault = fail("canary-3f9a\nforged")
    if by == "structlog":
        structlog.get_logger("ostiary.worker").error("background_trouble", exc_info=fault)
    elif by == "the standard library":
        logging.getLogger("uvicorn.error").error("background_trouble", exc_info=fault)
    else:
        try:
            raise fault
        except RuntimeError:
            logging.getLogger("asyncio").exception("background_trouble")
    line = only_line(output)
    assert "canary" not in line
    assert "background_trouble" in line
    assert "RuntimeError" in line
    assert "fail" in line, "the place is told"


@pytest.mark.usefixtures("log_format")
def test_records_below_a_warning_from_libraries_stay_out(output: io.StringIO) -> None:
    logging.getLogger("sqlalchemy.engine").info("SELECT canary")
    logging.getLogger("uvicorn.error").debug("canary")
    assert output.getvalue() == ""


class FullDisk(io.StringIO):
    """A log that cannot be written."""

    def write(self, _text: str) -> int:
        raise OSError(28, "No space left on device")


def test_recording_never_raises_not_even_when_the_log_cannot_be_written(
    output: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", FullDisk())
    configure_logs("json")
    event_log().record(Event(kind=EventKind.SIGNED_IN, email=ADA))


@pytest.mark.usefixtures("json_lines")
def test_recording_never_raises_on_text_that_is_no_text(output: io.StringIO) -> None:
    event_log().record(Event(kind=EventKind.SIGN_IN_FAILED, identifier="\ud800"))
    assert [line["event"] for line in recorded(output)] == ["sign_in_failed"]


# Watched limits


@pytest.mark.usefixtures("json_lines")
async def test_every_refusal_of_a_limit_is_recorded_without_its_key_and_passed_on(output: io.StringIO) -> None:
    limits = WatchedLimits(MemoryLimits(MemoryStore()), event_log())
    (unit,) = await limits.spend([charge("ada@example.com", 1, name="sign_in_address")], NOW)
    assert output.getvalue() == ""
    hit = replace(charge("ada@example.com", 1, name="sign_in_address"), about="ada@example.com")
    with pytest.raises(RateLimited):
        await limits.spend([charge("x", 1, name="other"), hit], NOW)
    (line,) = recorded(output)
    assert (line["event"], line["reason"]) == ("rate_limited", "sign_in_address")
    assert line["who"] == event_log().pseudonym("ada@example.com")
    await limits.give_back([unit])
    assert len(await limits.spend([charge("ada@example.com", 1, name="sign_in_address")], NOW)) == 1
