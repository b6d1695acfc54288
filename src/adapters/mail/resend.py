"""Resend, by its HTTP API (https://resend.com/docs/api-reference/emails/send-email)."""

import re
from email.headerregistry import Address
from hashlib import sha256

import httpx

from adapters.mail.http_api import Answer, ApiSender, HttpApi, base64_of, json_bytes, picture_name, plain_address
from adapters.mail.message import letter_key, own_headers
from application.ports.letters import MailDelayed, MailRefused
from domain.letters import RenderedLetter

_INVALID = "validation_error"
_KEY = "key not accepted: see RESEND_API_KEY"
_MEANINGS = {
    "missing_api_key": _KEY,
    "invalid_api_key": _KEY,
    "restricted_api_key": "key not allowed to send: see RESEND_API_KEY",
    "invalid_from_address": "sender not accepted: see EMAIL_FROM",
    "invalid_to_address": "only test letters until a domain is verified: see EMAIL_FROM",
    "invalid_access": "key not allowed to send: see RESEND_API_KEY",
    "suspended_api_key": "key suspended: see RESEND_API_KEY",
    "not_found": "no mail API there: see OSTIARY_RESEND_URL",
    "method_not_allowed": "no mail API there: see OSTIARY_RESEND_URL",
    "concurrent_idempotent_requests": "the same letter is being sent already",
    "invalid_idempotent_request": "another letter was sent under the same key",
    "invalid_idempotency_key": "request not accepted",
    "daily_quota_exceeded": "the day's quota is used up",
    "monthly_quota_exceeded": "the month's quota is used up",
    "rate_limit_exceeded": "too many requests",
    "security_error": "held back by the provider",
    _INVALID: "request not accepted: see EMAIL_FROM",
    "missing_required_field": "request not accepted",
    "invalid_parameter": "request not accepted",
    "invalid_attachment": "logo not accepted",
    "application_error": "trouble at the provider",
    "internal_server_error": "trouble at the provider",
}
"""Every error the API documents for sending, by its `name`. None of these is about one letter."""

_NOT_YOURS = "domain not verified, or only test letters until one is: see EMAIL_FROM"
_ABOUT_KEY = re.compile(r"\bAPI key\b", re.IGNORECASE)
_ABOUT_RECIPIENT = re.compile(r"[`'\"]to[`'\"]", re.IGNORECASE)
_NOT_IN_NAMES = str.maketrans("", "", '"(),:;<>@[]\\')


class ResendSender(ApiSender):
    """`application.ports.letters.MailSender`.

    A letter goes out under its own idempotency key (kept for 24 hours by Resend), so that a retry of the same bytes is
    no second letter. A retry with a new token has other bytes, which Resend refuses under that key; it then goes out
    at once under a key of its own: two letters are better than none, and both links work. Following of links cannot be
    switched off here, but at the domain only.
    """

    def __init__(
        self, api_key: str, sender: Address, *, url: str = "https://api.resend.com", seconds: float = 10.0
    ) -> None:
        self._api = HttpApi(
            url,
            {"Authorization": f"Bearer {api_key}"},
            seconds=seconds,
            key_setting="RESEND_API_KEY",
            url_setting="OSTIARY_RESEND_URL",
        )
        # The name without quotation marks and whatever needs them: Resend takes neither these nor encoded words.
        name = " ".join(sender.display_name.translate(_NOT_IN_NAMES).split())
        self._sender = f"{name} <{sender.addr_spec}>" if name else sender.addr_spec

    async def send(self, letter: RenderedLetter) -> None:
        payload = json_bytes(self._payload(letter))
        key = letter_key(letter)
        answer = await self._post(payload, key)
        if answer.status == httpx.codes.CONFLICT and answer.fields.get("name") == "invalid_idempotent_request":
            answer = await self._post(payload, f"{key}-{sha256(payload).hexdigest()}")
        accepted = 200 <= answer.status < 300 and isinstance(answer.fields.get("id"), str)
        if not accepted:
            raise self._verdict(answer, letter)

    async def _post(self, payload: bytes, key: str) -> Answer:
        return await self._api.post("/emails", payload, {"Idempotency-Key": key})

    def _payload(self, letter: RenderedLetter) -> dict[str, object]:
        payload: dict[str, object] = {
            "from": self._sender,
            "to": [plain_address(letter)],
            "subject": letter.subject,
            "text": letter.text,
            "html": letter.html,
            "headers": own_headers(letter),
        }
        if letter.reply_to is not None:
            payload["reply_to"] = letter.reply_to.canonical
        if letter.logo is not None:
            payload["attachments"] = [
                {
                    "filename": picture_name(letter.logo),
                    "content": base64_of(letter.logo),
                    "content_type": letter.logo.media_type,
                    "content_id": letter.logo.content_id,
                }
            ]
        return payload

    def _verdict(self, answer: Answer, letter: RenderedLetter) -> MailRefused | MailDelayed:
        name, message = str(answer.fields.get("name")), str(answer.fields.get("message"))
        code = name if name in _MEANINGS else ""
        # A wrong key is called a validation error as well, whatever the list of errors says.
        if answer.status == httpx.codes.UNAUTHORIZED or (name == _INVALID and _ABOUT_KEY.search(message)):
            return self._api.delayed(answer, letter, _KEY, code)
        if not code or answer.status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
            return self._api.judged(answer, letter)
        if name == _INVALID and answer.status == httpx.codes.FORBIDDEN:
            return self._api.delayed(answer, letter, _NOT_YOURS, code)
        about_recipient = name in (_INVALID, "invalid_parameter") and answer.status in (400, 422)
        if about_recipient and _ABOUT_RECIPIENT.search(message):
            return MailRefused(f"recipient refused ({answer.status} {name})")
        return self._api.delayed(answer, letter, _MEANINGS[name], code)
