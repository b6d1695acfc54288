"""Doubles of the HTTP APIs of mail providers on loopback: they check what the real ones check, and answer as these."""

import json
import re
import ssl
import threading
from abc import ABC, abstractmethod
from base64 import b64decode
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.headerregistry import Address
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from uuid import uuid4

VERIFIED_DOMAIN = "ostiary.example"
KEY = "key-canary-1f2e3d4c5b6a"

_ADDRESS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9-]+(\.[a-z0-9-]+)+")
_ADDRESSING = frozenset(
    {"to", "from", "cc", "bcc", "reply-to", "subject", "content-type", "content-transfer-encoding"},
)
Fields = dict[str, Any]
Api = TypeVar("Api", bound="MailApi")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A letter as a provider understood it."""

    sender: Address
    to: str
    subject: str
    text: str
    html: str
    headers: dict[str, str]
    reply_to: str | None = None
    logo: tuple[str, str, bytes] | None = None
    """Content id, kind, content."""
    tracked: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: a status, a body (JSON unless it is bytes) and headers of its own."""

    status: int
    body: object = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. Names of headers are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """What it says, or None."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Misfit(Exception):
    """The request is not as documented."""


class MailApi(ABC):
    """What arrived and what was asked. While `script` has answers, these are given instead of its own, first to last;
    a `Silence` among them is none. `refused` are recipients it takes no letter for."""

    largest: int
    path: str
    media_types: tuple[str, ...] = ("application/json",)

    def __init__(self) -> None:
        self.url = ""
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """As new, at the same place."""
        self.arrived: list[Arrived] = []
        self.asked: list[Asked] = []
        self.script: list[Reply | Silence] = []
        self.always: Reply | None = None
        self.refused: set[str] = set()
        self.connections = 0
        self.was_asked, self.over = threading.Event(), threading.Event()

    def reply(self, asked: Asked) -> Reply | None:
        """Its answer; None where it gives none."""
        with self._lock:
            self.asked.append(asked)
            self.was_asked.set()
            if self.script:
                scripted = self.script.pop(0)
                if isinstance(scripted, Reply):
                    return scripted
                silence = scripted
            elif self.always is not None:
                return self.always
            else:
                return self.judge(asked)
        silence.keep(self, asked)
        return None

    @abstractmethod
    def judge(self, asked: Asked) -> Reply:
        """What the real one would answer."""


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer: it hangs up, at once or when the test is over, having taken the letter or not."""

    at_once: bool = True
    taken: bool = False

    def keep(self, api: MailApi, asked: Asked) -> None:
        """Until it hangs up."""
        if self.taken:
            api.judge(asked)
        if not self.at_once:
            api.over.wait(20)


HANGS_UP, STALLS, TAKES_IT_AND_HANGS_UP = Silence(), Silence(at_once=False), Silence(taken=True)


def checked(fields: object, where: str, /, **kinds: type | tuple[type, ...]) -> Fields:
    """An object with these fields, those that end in `_` being optional, and no others."""
    if not isinstance(fields, dict):
        raise Misfit(where)
    names = {name.rstrip("_"): kind for name, kind in kinds.items()}
    needed = {name for name in kinds if not name.endswith("_")}
    for name in sorted(needed - set(fields)) + sorted(set(fields) - set(names)):
        raise Misfit(f"{where}.{name}".lstrip("."))
    for name, value in fields.items():
        if not isinstance(value, names[name]) or (isinstance(value, bool) and names[name] is not bool):
            raise Misfit(f"{where}.{name}".lstrip("."))
    return fields


def _one_line_each(headers: Mapping[object, object], forbidden: Set[str], where: str) -> dict[str, str]:
    found = {}
    for name, value in headers.items():
        plain = isinstance(name, str) and re.fullmatch(r"[!-9;-~]+", name) and isinstance(value, str)
        if not plain or re.search(r"[\r\n\x00]", str(value)) or str(name).lower() in forbidden:
            raise Misfit(f"{where}.{name}")
        found[str(name)] = str(value)
    return found


def _picture(content: str, where: str) -> bytes:
    try:
        return b64decode(content, validate=True)
    except ValueError:
        raise Misfit(where) from None


class ResendDouble(MailApi):
    """https://resend.com/docs/api-reference/emails/send-email, and its pages on errors, idempotency and rate limits."""

    path, largest = "/emails", 40 * 1024 * 1024
    _from = re.compile(r"(?:(?P<name>[^\"(),:;<>@\[\]\\]+) <(?P<named>[^<>]+)>|(?P<bare>[^<>\s]+))")

    def forget(self) -> None:
        super().forget()
        self.known: dict[str, tuple[bytes, str]] = {}
        """What was sent under each idempotency key, and the id it got."""

    def judge(self, asked: Asked) -> Reply:
        limits = {"ratelimit-limit": "2", "ratelimit-remaining": "1", "ratelimit-reset": "1"}
        reply = self._judge(asked)
        return Reply(reply.status, reply.body, {**limits, **reply.headers})

    def _judge(self, asked: Asked) -> Reply:
        if "user-agent" not in asked.headers:
            return Reply(403, b"error code: 1010")
        if (asked.method, asked.path) != ("POST", self.path):
            return self.error(404, "not_found", "The requested endpoint does not exist.")
        if "authorization" not in asked.headers:
            return self.error(401, "missing_api_key", "Missing API key in the authorization header.")
        if asked.headers["authorization"] != f"Bearer {KEY}":
            return self.error(403, "invalid_api_key", "API key is invalid.")
        if asked.headers.get("content-type") not in self.media_types:
            return self.error(415, "validation_error", "The content type is not supported.")
        if len(asked.body) > self.largest:
            return self.error(413, "validation_error", "Request body too large.")
        key = asked.headers.get("idempotency-key")
        if key is not None and not 1 <= len(key) <= 256:
            return self.error(400, "invalid_idempotency_key", "The key must be between 1-256 chars.")
        if key in self.known:
            payload, sent = self.known[key]
            if payload != asked.body:
                message = "Same idempotency key used with a different request payload."
                return self.error(409, "invalid_idempotent_request", message)
            return Reply(200, {"id": sent})
        try:
            letter = self._read(asked.json())
        except Misfit as misfit:
            if str(misfit) == "domain":
                return self.error(403, "validation_error", "The domain is not verified. Please, add and verify it.")
            format_ = "The email address needs to follow the `email@example.com` or `Name <email@example.com>` format."
            return self.error(422, "validation_error", f"Invalid `{misfit}` field. {format_}")
        sent = str(uuid4())
        self.arrived.append(letter)
        if key is not None:
            self.known[key] = (asked.body, sent)
        return Reply(200, {"id": sent})

    @staticmethod
    def error(status: int, name: str, message: str = "No.", **headers: str) -> Reply:
        """In the documented shape."""
        return Reply(status, {"statusCode": status, "name": name, "message": message}, headers)

    def _read(self, fields: object) -> Arrived:
        kinds = {"from": str, "to": list, "subject": str, "text": str, "html": str, "headers_": dict}
        read = checked(fields, "", **kinds, reply_to_=(str, list), attachments_=list)
        parts = self._from.fullmatch(read["from"])
        address = parts and (parts["named"] or parts["bare"])
        if not parts or not address or not _ADDRESS.fullmatch(address):
            raise Misfit("from")
        if not address.endswith(f"@{VERIFIED_DOMAIN}"):
            raise Misfit("domain")
        recipients = read["to"]
        if not 1 <= len(recipients) <= 50 or any(not isinstance(one, str) for one in recipients):
            raise Misfit("to")
        if not all(_ADDRESS.fullmatch(one) and one not in self.refused for one in recipients):
            raise Misfit("to")
        reply_to = read.get("reply_to")
        if reply_to is not None and not _ADDRESS.fullmatch(reply_to):
            raise Misfit("reply_to")
        (recipient,) = recipients
        return Arrived(
            sender=Address(parts["name"] or "", addr_spec=address),
            to=recipient,
            subject=read["subject"],
            text=read["text"],
            html=read["html"],
            headers=_one_line_each(read.get("headers", {}), frozenset(), "headers"),
            reply_to=reply_to,
            logo=self._logo(read.get("attachments", [])),
        )

    @staticmethod
    def _logo(attachments: list[object]) -> tuple[str, str, bytes] | None:
        logo = None
        for one in attachments:
            read = checked(one, "attachments", filename=str, content=str, content_type_=str, content_id_=str)
            if len(read.get("content_id", "")) >= 128:
                raise Misfit("attachments")
            logo = (read["content_id"], read["content_type"], _picture(read["content"], "attachments"))
        return logo


class SendGridDouble(MailApi):
    """https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send, and its page on errors."""

    path, largest = "/v3/mail/send", 30 * 1024 * 1024
    _reserved = _ADDRESSING | {"x-sg-id", "x-sg-eid", "received", "dkim-signature"}

    def judge(self, asked: Asked) -> Reply:
        if asked.path != self.path:
            return self.error(404, "not found")
        if asked.method != "POST":
            return self.error(405, "method not allowed")
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return self.error(401, "The provided authorization grant is invalid, expired, or revoked")
        if asked.headers.get("content-type") not in self.media_types:
            return self.error(415, "Content-Type should be application/json.")
        if len(asked.body) > self.largest:
            return self.error(413, "The JSON payload you have included in your request is too large.")
        try:
            letter = self._read(asked.json())
        except Misfit as misfit:
            if str(misfit) == "sender":
                message = "The from address does not match a verified Sender Identity."
                return self.error(403, message, "from")
            return self.error(400, "Does not contain a valid address.", str(misfit) or None)
        self.arrived.append(letter)
        return Reply(202, b"", {"X-Message-Id": uuid4().hex})

    @staticmethod
    def error(status: int, message: str, *at: str | None, **headers: str) -> Reply:
        """In the documented shape, once for each field."""
        errors = [{"message": message, "field": one, "help": None} for one in at or (None,)]
        return Reply(status, {"errors": errors}, headers)

    def _read(self, fields: object) -> Arrived:
        kinds: dict[str, type] = {"personalizations": list, "from": dict, "subject": str, "content": list}
        optional = {"headers_": dict, "reply_to_": dict, "attachments_": list, "tracking_settings_": dict}
        read = checked(fields, "", **kinds, **optional)
        if len(read["personalizations"]) != 1:
            raise Misfit("personalizations")
        (recipient,) = checked(read["personalizations"][0], "personalizations.0", to=list)["to"]
        to = self._address(recipient, "personalizations.0.to.0")
        if to.addr_spec in self.refused:
            raise Misfit("personalizations.0.to.0.email")
        sender = self._address(read["from"], "from")
        if sender.domain != VERIFIED_DOMAIN:
            raise Misfit("sender")
        contents = [checked(one, "content", type=str, value=str) for one in read["content"]]
        if [one["type"] for one in contents] != ["text/plain", "text/html"] or not all(
            one["value"] for one in contents
        ):
            raise Misfit("content")
        reply_to = self._address(read["reply_to"], "reply_to") if "reply_to" in read else None
        return Arrived(
            sender=sender,
            to=to.addr_spec,
            subject=read["subject"],
            text=contents[0]["value"],
            html=contents[1]["value"],
            headers=_one_line_each(read.get("headers", {}), self._reserved, "headers"),
            reply_to=reply_to.addr_spec if reply_to else None,
            logo=self._logo(read.get("attachments", [])),
            tracked=self._tracked(read.get("tracking_settings", {})),
        )

    @staticmethod
    def _address(fields: object, where: str) -> Address:
        read = checked(fields, where, email=str, name_=str)
        if not _ADDRESS.fullmatch(read["email"]):
            raise Misfit(f"{where}.email")
        return Address(read.get("name", ""), addr_spec=read["email"])

    @staticmethod
    def _logo(attachments: list[object]) -> tuple[str, str, bytes] | None:
        logo = None
        kinds: dict[str, type] = {
            "content": str,
            "type_": str,
            "filename": str,
            "disposition_": str,
            "content_id_": str,
        }
        for one in attachments:
            read = checked(one, "attachments", **kinds)
            if read.get("disposition", "attachment") != "inline" or re.search(r"[;,\s]", read["filename"]):
                raise Misfit("attachments.disposition")
            logo = (read["content_id"], read["type"], _picture(read["content"], "attachments.content"))
        return logo

    @staticmethod
    def _tracked(settings: object) -> bool:
        """What is not switched off is as the account has it, which we take for on."""
        kinds = ("click_tracking", "open_tracking", "subscription_tracking", "ganalytics")
        read = checked(settings, "tracking_settings", **{f"{kind}_": dict for kind in kinds})
        for kind in read:
            checked(read[kind], f"tracking_settings.{kind}", enable=bool, enable_text_=bool)
        click = read.get("click_tracking", {})
        on = [read.get(kind, {}).get("enable", True) for kind in kinds]
        return any(on) or bool(click.get("enable_text", True))


class PostmarkDouble(MailApi):
    """https://postmarkapp.com/developer/api/email-api, and its overview's list of errors."""

    path, largest = "/email", 10 * 1024 * 1024
    streams = ("outbound", "letters")
    _forbidden = _ADDRESSING

    def judge(self, asked: Asked) -> Reply:
        if (asked.method, asked.path) != ("POST", self.path):
            return Reply(404, b"")
        if asked.headers.get("x-postmark-server-token") != KEY:
            return self.error(401, 10, "No Account or Server API tokens were supplied in the HTTP headers.")
        if (
            asked.headers.get("content-type") not in self.media_types
            or asked.headers.get("accept") != "application/json"
        ):
            return self.error(422, 409, "The HTTP request does not have the Accept and Content-Type headers.")
        if len(asked.body) > self.largest:
            return Reply(413, b"")
        try:
            letter = self._read(asked.json())
        except Misfit as misfit:
            if str(misfit) == "stream":
                return self.error(422, 1235, "The 'MessageStream' provided does not exist on this server.")
            if str(misfit) == "sender":
                return self.error(
                    422, 400, "The 'From' address you supplied is not a Sender Signature on your account."
                )
            if str(misfit) in ("To", "From", "ReplyTo"):
                return self.error(422, 300, f"Error parsing '{misfit}': Illegal email address.")
            return self.error(422, 403, f"The JSON is not what we expect: {misfit}")
        if letter.to in self.refused:
            found = f"Found inactive addresses: {letter.to}."
            return self.error(422, 406, f"You tried to send to a recipient that has been marked as inactive. {found}")
        self.arrived.append(letter)
        sent = {"To": letter.to, "SubmittedAt": "2026-01-02T03:04:05.678Z", "MessageID": str(uuid4())}
        return Reply(200, {**sent, "ErrorCode": 0, "Message": "OK"})

    @staticmethod
    def error(status: int, code: int, message: str = "No.", **headers: str) -> Reply:
        """In the documented shape."""
        return Reply(status, {"ErrorCode": code, "Message": message}, headers)

    def _read(self, fields: object) -> Arrived:
        kinds = dict.fromkeys(("From", "To", "Subject", "TextBody", "HtmlBody"), str)
        more: dict[str, type] = {"ReplyTo_": str, "Headers_": list, "MessageStream_": str, "Attachments_": list}
        read = checked(fields, "", **kinds, **more, TrackOpens_=bool, TrackLinks_=str)
        sender = self._sender(read["From"])
        if sender.domain != VERIFIED_DOMAIN:
            raise Misfit("sender")
        if not _ADDRESS.fullmatch(read["To"]):
            raise Misfit("To")
        if "ReplyTo" in read and not _ADDRESS.fullmatch(read["ReplyTo"]):
            raise Misfit("ReplyTo")
        if read.get("MessageStream", "outbound") not in self.streams:
            raise Misfit("stream")
        if read.get("TrackLinks", "None") not in ("None", "HtmlAndText", "HtmlOnly", "TextOnly"):
            raise Misfit("TrackLinks")
        pairs = [checked(one, "Headers", Name=str, Value=str) for one in read.get("Headers", [])]
        headers = _one_line_each({one["Name"]: one["Value"] for one in pairs}, self._forbidden, "Headers")
        if headers.pop("X-PM-KeepID", None) != "true":
            headers["Message-ID"] = f"<{uuid4()}@mtasv.net>"
        return Arrived(
            sender=sender,
            to=read["To"],
            subject=read["Subject"],
            text=read["TextBody"],
            html=read["HtmlBody"],
            headers=headers,
            reply_to=read.get("ReplyTo"),
            logo=self._logo(read.get("Attachments", [])),
            # What a letter does not say is as the server has it, which we take for on.
            tracked=read.get("TrackOpens", True) or read.get("TrackLinks", "HtmlAndText") != "None",
        )

    @staticmethod
    def _sender(text: str) -> Address:
        """`Name <address>`, the name in quotation marks where it has punctuation."""
        parts = re.fullmatch(r'(?:("(?:[^"\\]|\\.)*"|[^"(),:;<>@\[\]\\]*) )?<?([^<> ]+@[^<> ]+?)>?', text)
        if not parts or not _ADDRESS.fullmatch(parts[2]):
            raise Misfit("From")
        return Address(re.sub(r"\\(.)", r"\1", (parts[1] or "").strip('"')), addr_spec=parts[2])

    @staticmethod
    def _logo(attachments: list[object]) -> tuple[str, str, bytes] | None:
        logo = None
        for one in attachments:
            read = checked(one, "Attachments", Name=str, Content=str, ContentType=str, ContentID_=str)
            if not read["ContentID"].startswith("cid:"):
                raise Misfit("Attachments.ContentID")
            logo = (read["ContentID"][4:], read["ContentType"], _picture(read["Content"], "Attachments.Content"))
        return logo


def _handler(api: MailApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            api.connections += 1

        def _answer(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = api.reply(Asked(self.command, self.path, headers, self.rfile.read(length)))
            if reply is None:
                self.close_connection = True
                return
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response_only(reply.status)
            if not isinstance(reply.body, bytes):
                self.send_header("Content-Type", "application/json")
            for name, value in reply.headers.items():
                self.send_header(name.replace("_", "-"), value)
            if "Content-Length" not in reply.headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is none of its troubles."""


@contextmanager
def run_mail_api(api: Api, tls: ssl.SSLContext | None = None) -> Iterator[Api]:
    """The double at a free port, until the block ends."""
    server = _Server(("127.0.0.1", 0), _handler(api))
    api.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield api
    finally:
        api.over.set()
        server.shutdown()
        thread.join(10)
        server.server_close()
