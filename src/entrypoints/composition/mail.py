"""Who sends letters: what the settings name, one after the other."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

from adapters.mail.dev_inbox import DevInbox
from application.ports.letters import MailSender
from entrypoints.composition import choices
from entrypoints.settings import Settings

# Senders are imported where they are made: who speaks SMTP needs no HTTP client.


@asynccontextmanager
async def mail_sender(settings: Settings, provided: Mapping[str, MailSender]) -> AsyncIterator[MailSender]:
    """The senders in force as one; the dev inbox where there are none."""
    async with AsyncExitStack() as stack:
        senders = [
            (name, await stack.enter_async_context(sender_called(name, settings, provided)))
            for name in settings.senders
        ]
        if not senders:
            yield dev_inbox(settings)
        elif len(senders) == 1:
            yield senders[0][1]
        else:
            from adapters.mail.fail_over import FailOver

            yield FailOver(senders)


@asynccontextmanager
async def sender_called(name: str, settings: Settings, provided: Mapping[str, MailSender]) -> AsyncIterator[MailSender]:
    """One of the senders in force. Raises OSError when its certificate authority cannot be read."""
    if name in provided:  # which was entered when it was taken in
        yield provided[name]
        return
    sender = _built_in(name, settings)
    async with AsyncExitStack() as stack:
        if isinstance(sender, AbstractAsyncContextManager):
            await stack.enter_async_context(sender)
        yield sender


def dev_inbox(settings: Settings) -> DevInbox:
    """Where letters land that nobody sends."""
    return DevInbox(settings.data_dir / "inbox", choices.sender(settings))


def _built_in(name: str, settings: Settings) -> MailSender:
    sender = choices.sender(settings)
    match name:
        case "smtp":
            from adapters.mail.smtp import Encryption, SmtpSender, SmtpServer

            server = SmtpServer(
                host=settings.smtp_host or "",
                port=settings.smtp_port,
                encryption=Encryption(settings.smtp_encryption_in_force),
                username=settings.smtp_user,
                password=settings.smtp_pass,
                seconds=settings.smtp_timeout.total_seconds(),
                ca_file=str(settings.smtp_ca_file) if settings.smtp_ca_file else None,
            )
            return SmtpSender(server, sender)
        case "resend":
            from adapters.mail.resend import ResendSender

            return ResendSender(settings.resend_api_key or "", sender, url=settings.resend_url)
        case "sendgrid":
            from adapters.mail.sendgrid import SendGridSender

            return SendGridSender(settings.sendgrid_api_key or "", sender, url=settings.sendgrid_url)
        case "postmark":
            from adapters.mail.postmark import PostmarkSender

            return PostmarkSender(
                settings.postmark_server_token or "",
                sender,
                url=settings.postmark_url,
                message_stream=settings.postmark_stream,
            )
        case "file":
            from adapters.mail.file import FileSender

            return FileSender(settings.mail_folder or Path(), sender)
        case _:
            from adapters.mail.console import ConsoleSender

            return ConsoleSender(sender)
