"""A mailbox that keeps what is sent, and a sender that fails when told to."""

from urllib.parse import parse_qs, urlsplit

from adapters.mail.notices import words_for
from domain.letters import Occasion, RenderedLetter


class Mailbox:
    """`application.ports.letters.MailSender` that keeps every letter; `trouble` is raised instead while it is set."""

    def __init__(self) -> None:
        self.letters: list[RenderedLetter] = []
        self.trouble: BaseException | None = None

    async def send(self, letter: RenderedLetter) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.letters.append(letter)

    def to(self, address: str) -> list[RenderedLetter]:
        """The letters to one address, oldest first."""
        return [letter for letter in self.letters if letter.recipient.canonical == address]


def token_in(letter: RenderedLetter) -> str:
    """The token in a letter's link."""
    link = next(word for word in letter.text.split() if "?token=" in word)
    return parse_qs(urlsplit(link).query)["token"][0]


def subject_of(occasion: Occasion, brand: str = "Ostiary") -> str:
    """The subject of a notice, in English."""
    return words_for(occasion).subject % {"brand": brand}
