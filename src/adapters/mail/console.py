"""Letters on the console, for a look at what would be sent."""

from email.headerregistry import Address

from application.ports.letters import MailDelayed
from domain.letters import RenderedLetter


class ConsoleSender:
    """`application.ports.letters.MailSender` that prints sender, recipient, subject and text. The text has the links
    in it, so that this is for a developer's machine."""

    def __init__(self, sender: Address) -> None:
        self._sender = sender

    async def send(self, letter: RenderedLetter) -> None:
        heading = f"-- A letter from {self._sender.addr_spec} to {letter.recipient}: {letter.subject}"
        try:
            print(f"\n{heading}\n{letter.text}\n--", flush=True)  # noqa: T201
        except OSError:
            raise MailDelayed("the console cannot be written to") from None
