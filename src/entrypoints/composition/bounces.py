"""Who may report what became of letters, and how their reports are read."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from adapters.bounces.postmark import PostmarkHook
from adapters.bounces.reports import filed_messages
from adapters.bounces.sendgrid import SendGridHook
from application.ports.bounces import BounceHook, FiledMessage
from entrypoints.settings import Settings


def bounce_hooks(settings: Settings) -> Mapping[str, BounceHook]:
    """By the provider's name, those that the settings ask for."""
    hooks: dict[str, BounceHook] = {}
    if settings.sendgrid_webhook_key is not None:
        hooks["sendgrid"] = SendGridHook(settings.sendgrid_webhook_key)
    if settings.postmark_webhook_secret is not None:
        hooks["postmark"] = PostmarkHook(settings.postmark_webhook_secret)
    return hooks


def messages_filed_in(place: Path) -> Iterator[FiledMessage]:
    """Each message of a mailbox, and what it says of a letter of ours. Raises `NoMailbox`, then and later."""
    return filed_messages(place)
