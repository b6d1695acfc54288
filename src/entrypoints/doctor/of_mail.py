"""What the mail server tells."""

from application.ports.letters import MailDelayed, MailRefused
from domain.email_address import EmailAddress
from domain.letters import RenderedLetter
from entrypoints.composition.instruments import Instruments
from entrypoints.doctor.finding import Finding, fail, ok
from entrypoints.settings import Settings

_TEXT = "This is a test. If you read it, letters arrive; nothing needs to be done."


async def check_mail(settings: Settings, look: Instruments) -> Finding:
    """Whether the mail server would take a letter: connection, TLS, log-in and sender. None is sent."""
    if not settings.sends_mail:
        return ok("mail", "stays on this machine, in the dev inbox")
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        await look.mail_check()
    except (MailDelayed, MailRefused, OSError) as trouble:
        return fail("mail", f"{where} would take no letter: {_why(trouble)}")
    user = "logged in" if settings.smtp_user else "no log-in"
    return ok("mail", f"{where}, {settings.smtp_encryption_in_force}, {user}, the sender is accepted")


async def send_test_letter(settings: Settings, look: Instruments, recipient: EmailAddress) -> Finding:
    """A real letter to a real person."""
    letter = RenderedLetter(
        message_id=f"<{look.ids.new()}@{look.message_id_domain}>",
        recipient=recipient,
        subject=f"Test letter from {settings.brand}",
        text=f"{_TEXT}\n",
        html=f"<p>{_TEXT}</p>\n",
        written_at=look.clock.now(),
    )
    try:
        await look.mail_sender().send(letter)
    except (MailDelayed, MailRefused, OSError) as trouble:
        return fail("test letter", f"was not taken: {_why(trouble)}")
    return ok("test letter", "was taken; see whether it arrives" if settings.sends_mail else "is in the dev inbox")


def _why(trouble: Exception) -> str:
    """Our own words, and the network's where it was the network; not the mail server's, which may quote."""
    cause = trouble.__cause__ if isinstance(trouble.__cause__, OSError) else None
    words = " ".join(str(cause or trouble).split())
    return f"{words}. See to SMTP_HOST, SMTP_PORT, OSTIARY_SMTP_ENCRYPTION, SMTP_USER, SMTP_PASS and EMAIL_FROM"
