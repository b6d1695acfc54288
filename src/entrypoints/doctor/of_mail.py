"""What the mail senders tell."""

import os
from pathlib import Path

from application.ports.letters import Checkable, MailDelayed, MailRefused, MailSender
from domain.email_address import EmailAddress
from domain.letters import RenderedLetter
from entrypoints.composition.instruments import Instruments
from entrypoints.doctor.finding import Finding, fail, ok
from entrypoints.settings import Settings

_TEXT = "This is a test. If you read it, letters arrive; nothing needs to be done."


async def check_mail(settings: Settings, look: Instruments) -> list[Finding]:
    """Whether each mail sender would take a letter, as far as that can be known without one. None is sent."""
    if not settings.sends_mail:
        return [ok("mail", "stays on this machine, in the dev inbox")]
    return [await _checked(name, settings, look) for name in settings.senders]


async def _checked(name: str, settings: Settings, look: Instruments) -> Finding:
    about = _about("mail", name, settings)
    where = _where(name, settings)
    try:
        async with look.mail_sender(name) as sender:
            if isinstance(sender, Checkable):
                await sender.check()
                known = True
            else:
                known = name in ("file", "console")
    except (MailDelayed, MailRefused, OSError) as trouble:
        return fail(about, f"{where} would take no letter: {_why(trouble)}")
    except Exception as trouble:  # a provider's own
        return fail(about, f"{where} broke when it was asked: {type(trouble).__name__}")
    if name == "file" and (problem := _folder_problem(settings.mail_folder or Path())):
        return fail(about, f"{where}: {problem}")
    if name == "smtp":
        user = "logged in" if settings.smtp_user else "no log-in"
        return ok(about, f"{where}, {settings.smtp_encryption_in_force}, {user}, the sender is accepted")
    return ok(about, where if known else f"{where}; only a letter tells whether it takes one: --send-to ADDRESS")


async def send_test_letter(settings: Settings, look: Instruments, recipient: EmailAddress) -> list[Finding]:
    """A real letter to a real person, by each mail sender."""
    if not settings.sends_mail:
        return [await _sent(look.dev_inbox, "test letter", "", settings, look, recipient)]
    findings = []
    for name in settings.senders:
        about = _about("test letter", name, settings)
        try:
            async with look.mail_sender(name) as sender:
                findings.append(await _sent(sender, about, name, settings, look, recipient))
        except OSError as trouble:
            findings.append(fail(about, f"was not taken: {_why(trouble)}"))
    return findings


async def _sent(
    sender: MailSender, about: str, name: str, settings: Settings, look: Instruments, recipient: EmailAddress
) -> Finding:
    letter = RenderedLetter(
        message_id=f"<{look.ids.new()}@{look.message_id_domain}>",
        recipient=recipient,
        subject=f"Test letter from {settings.brand}",
        text=f"{_TEXT}\n",
        html=f"<p>{_TEXT}</p>\n",
        written_at=look.clock.now(),
    )
    try:
        await sender.send(letter)
    except (MailDelayed, MailRefused, OSError) as trouble:
        return fail(about, f"was not taken: {_why(trouble)}")
    except Exception as trouble:  # a provider's own
        return fail(about, f"was not taken: {type(trouble).__name__}")
    return ok(about, "was taken; see whether it arrives" if settings.sends_mail else "is in the dev inbox")


def _about(what: str, name: str, settings: Settings) -> str:
    """The name of a check: with the sender's where there are several."""
    return f"{what}: {name}" if len(settings.senders) > 1 else what


def _where(name: str, settings: Settings) -> str:
    places = {
        "smtp": f"{settings.smtp_host}:{settings.smtp_port}",
        "resend": f"Resend at {settings.resend_url}, with a key",
        "sendgrid": f"SendGrid at {settings.sendgrid_url}, with a key",
        "postmark": f"Postmark at {settings.postmark_url}, stream {settings.postmark_stream}, with a token",
        "file": f"each letter becomes a file in {settings.mail_folder}",
        "console": "letters are printed",
    }
    return places.get(name, f"the provider {name}")


def _folder_problem(folder: Path) -> str | None:
    if folder.exists() and not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        return "that is no folder which can be written to; see to its owner and mode"
    return None


def _why(trouble: Exception) -> str:
    """The sender's reason in one line: in our words or a provider's own, never a mail server's, which may quote."""
    return " ".join(str(trouble).split())
