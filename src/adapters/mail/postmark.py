"""Postmark, by its HTTP API (https://postmarkapp.com/developer/api/email-api)."""

import re
from email.headerregistry import Address

import httpx

from adapters.mail.http_api import Answer, ApiSender, HttpApi, base64_of, json_bytes, picture_name, plain_address
from adapters.mail.message import own_headers
from application.ports.letters import MailDelayed, MailRefused
from domain.letters import RenderedLetter

_INVALID_REQUEST = 300
_INACTIVE_RECIPIENT = 406
_SENDER = "sender not confirmed: see EMAIL_FROM"
_STREAM = "message stream not accepted: see OSTIARY_POSTMARK_STREAM"
_MEANINGS = {
    10: "token not accepted: see POSTMARK_SERVER_TOKEN",
    100: "closed for maintenance",
    _INVALID_REQUEST: "request not accepted: see EMAIL_FROM",
    400: _SENDER,
    401: _SENDER,
    402: "request not accepted",
    403: "request not accepted",
    405: "not allowed to send, perhaps for want of credit",
    409: "request not accepted",
    410: "request not accepted",
    411: "logo not accepted",
    412: "the account is not approved yet",
    413: "the account may not send",
    429: "too many requests",
    1221: _STREAM,
    1226: _STREAM,
    1235: _STREAM,
    1236: _STREAM,
}
"""Errors that the API documents for sending, by `ErrorCode`. None of these is about one letter."""

_ABOUT_RECIPIENT = re.compile(r"(?:Invalid|Error\s+parsing)\s+'To'", re.IGNORECASE)


class PostmarkSender(ApiSender):
    """`application.ports.letters.MailSender`.

    Postmark knows no idempotency: a retry of a letter whose answer got lost is a second letter. Tracking is switched
    off in each. `message_stream` has to be one for transactional mail.
    """

    def __init__(
        self,
        server_token: str,
        sender: Address,
        *,
        url: str = "https://api.postmarkapp.com",
        seconds: float = 10.0,
        message_stream: str = "outbound",
    ) -> None:
        self._api = HttpApi(
            url,
            {"X-Postmark-Server-Token": server_token},
            seconds=seconds,
            key_setting="POSTMARK_SERVER_TOKEN",
            url_setting="OSTIARY_POSTMARK_URL",
        )
        self._sender = str(sender)
        self._message_stream = message_stream

    async def send(self, letter: RenderedLetter) -> None:
        answer = await self._api.post("/email", json_bytes(self._payload(letter)))
        # While Postmark is late itself, it leaves the ErrorCode out of an acceptance.
        accepted = answer.fields.get("ErrorCode", 0) == 0 and isinstance(answer.fields.get("MessageID"), str)
        if answer.status != httpx.codes.OK or not accepted:
            raise self._verdict(answer, letter)

    def _payload(self, letter: RenderedLetter) -> dict[str, object]:
        # Without the last of these, Postmark puts a Message-ID of its own in place of ours.
        headers = own_headers(letter) | {"X-PM-KeepID": "true"}
        payload: dict[str, object] = {
            "From": self._sender,
            "To": plain_address(letter),
            "Subject": letter.subject,
            "TextBody": letter.text,
            "HtmlBody": letter.html,
            "Headers": [{"Name": name, "Value": value} for name, value in headers.items()],
            "MessageStream": self._message_stream,
            # A link carries a one-time token, which is nobody's but the reader's.
            "TrackOpens": False,
            "TrackLinks": "None",
        }
        if letter.reply_to is not None:
            payload["ReplyTo"] = letter.reply_to.canonical
        if letter.logo is not None:
            payload["Attachments"] = [
                {
                    "Name": picture_name(letter.logo),
                    "Content": base64_of(letter.logo),
                    "ContentType": letter.logo.media_type,
                    "ContentID": f"cid:{letter.logo.content_id}",
                }
            ]
        return payload

    def _verdict(self, answer: Answer, letter: RenderedLetter) -> MailRefused | MailDelayed:
        if answer.status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:  # not the ErrorCode of that number
            return self._api.judged(answer, letter)
        code, message = answer.fields.get("ErrorCode"), answer.fields.get("Message")
        if code == _INACTIVE_RECIPIENT:
            return MailRefused(f"recipient inactive after a bounce or a complaint ({answer.status} {code})")
        if code == _INVALID_REQUEST and isinstance(message, str) and _ABOUT_RECIPIENT.match(message):
            return MailRefused(f"recipient refused ({answer.status} {code})")
        if isinstance(code, int) and code in _MEANINGS and answer.status >= httpx.codes.BAD_REQUEST:
            return self._api.delayed(answer, letter, _MEANINGS[code], str(code))
        return self._api.judged(answer, letter)
