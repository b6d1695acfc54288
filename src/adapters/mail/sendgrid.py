"""SendGrid, by its HTTP API (https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send)."""

import re
from email.headerregistry import Address

import httpx

from adapters.mail.http_api import Answer, ApiSender, HttpApi, base64_of, json_bytes, picture_name, plain_address
from adapters.mail.message import own_headers
from application.ports.letters import MailDelayed, MailRefused
from domain.letters import RenderedLetter

_RECIPIENT = re.compile(r"personalizations(?:[.\[][0-9]+\]?)?\.to\b.*", re.DOTALL)

_NO_TRACKING = {
    # A link carries a one-time token, which is nobody's but the reader's.
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
    "ganalytics": {"enable": False},
}


class SendGridSender(ApiSender):
    """`application.ports.letters.MailSender`.

    SendGrid knows no idempotency: a retry of a letter whose answer got lost is a second letter. Tracking is switched
    off in each. EU accounts have the `url` https://api.eu.sendgrid.com.
    """

    def __init__(
        self, api_key: str, sender: Address, *, url: str = "https://api.sendgrid.com", seconds: float = 10.0
    ) -> None:
        self._api = HttpApi(
            url,
            {"Authorization": f"Bearer {api_key}"},
            seconds=seconds,
            key_setting="SENDGRID_API_KEY",
            url_setting="OSTIARY_SENDGRID_URL",
        )
        self._sender = {"email": sender.addr_spec}
        if sender.display_name:
            self._sender["name"] = sender.display_name

    async def send(self, letter: RenderedLetter) -> None:
        answer = await self._api.post("/v3/mail/send", json_bytes(self._payload(letter)))
        # Not 200, which says that the letter would do but goes nowhere (sandbox mode).
        if answer.status != httpx.codes.ACCEPTED:
            raise self._verdict(answer, letter)

    def _payload(self, letter: RenderedLetter) -> dict[str, object]:
        payload: dict[str, object] = {
            "personalizations": [{"to": [{"email": plain_address(letter)}]}],
            "from": self._sender,
            "subject": letter.subject,
            "content": [
                {"type": "text/plain", "value": letter.text},
                {"type": "text/html", "value": letter.html},
            ],
            "headers": own_headers(letter),
            "tracking_settings": _NO_TRACKING,
        }
        if letter.reply_to is not None:
            payload["reply_to"] = {"email": letter.reply_to.canonical}
        if letter.logo is not None:
            payload["attachments"] = [
                {
                    "content": base64_of(letter.logo),
                    "type": letter.logo.media_type,
                    "filename": picture_name(letter.logo),
                    "disposition": "inline",
                    "content_id": letter.logo.content_id,
                }
            ]
        return payload

    def _verdict(self, answer: Answer, letter: RenderedLetter) -> MailRefused | MailDelayed:
        match answer.status:
            case 400 if _about_recipient(answer):
                return MailRefused("recipient refused (400)")
            case 400:
                return self._api.delayed(answer, letter, "request not accepted: see EMAIL_FROM")
            case 401:
                return self._api.delayed(answer, letter, "key not accepted or credits used up: see SENDGRID_API_KEY")
        return self._api.judged(answer, letter)


def _about_recipient(answer: Answer) -> bool:
    """Whether every error that it lists is in the recipient: `{"errors": [{"field": "personalizations.0.to", …}]}`."""
    errors = answer.fields.get("errors")
    if not isinstance(errors, list) or not errors:
        return False
    fields = [error.get("field") if isinstance(error, dict) else None for error in errors]
    return all(isinstance(field, str) and _RECIPIENT.fullmatch(field) for field in fields)
