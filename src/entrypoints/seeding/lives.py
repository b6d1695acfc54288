"""What one person does with the service: the real use cases, one after the other, at moments that have passed."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from application.admission import SessionWish, SignedIn
from application.catalogue import UseCases
from application.recognition import Caller
from application.sign_up_form import SignUpCommand
from application.use_cases.email_verification import VerifyEmailCommand
from application.use_cases.identify import IdentifyCommand
from application.use_cases.refresh import RefreshCommand
from application.use_cases.sign_in import SignInCommand
from application.waiting_room import VerificationSent
from domain.client import Client
from domain.errors import InvalidCredentials, Unauthenticated
from domain.letters import RenderedLetter
from entrypoints.composition.past import KeptLetters, PastClock
from entrypoints.seeding.people import LAPTOP, PASSWORD, STRANGER, Person

_ATTEMPTS = 5
"""How often a letter is asked for that somebody else took: a service that runs beside this one sends letters too."""


class LetterLost(Exception):
    """A letter that was asked for again and again did not come."""


@dataclass(frozen=True, kw_only=True)
class Life:
    """One person, the service, and the time."""

    person: Person
    use_cases: UseCases
    clock: PastClock
    letters: KeptLetters
    usernames: bool

    def ago(self, *, days: float = 0, hours: float = 0) -> None:
        """Be so long before the present; everybody has hours of their own."""
        own = timedelta(minutes=self.person.number * 97 % 600) if days > 1 else timedelta(0)
        self.clock.go_back(timedelta(days=days, hours=hours) + own)

    def later(self, *, hours: float = 0, minutes: float = 0) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(hours=hours, minutes=minutes))

    async def ask_to_join(self, email: str | None = None, password: str = PASSWORD) -> VerificationSent | None:
        """Sign up; what comes of it where that begins a wait."""
        command = SignUpCommand(
            email=email or self.person.email,
            password=password,
            name=self.person.name,
            username=self.person.handle if self.usernames else None,
            session=SessionWish(client=self.person.at(LAPTOP)),
        )
        sent = await self.use_cases.sign_up(command)
        return sent if isinstance(sent, VerificationSent) else None

    async def join(self, email: str | None = None, password: str = PASSWORD) -> SignedIn:
        """Sign up and open the letter a few minutes later."""
        email = email or self.person.email
        sent: list[VerificationSent | None] = []

        async def ask() -> None:
            if sent:
                from application.use_cases.resend_verification import ResendVerificationCommand

                again = ResendVerificationCommand(email=email, client=self.person.at(LAPTOP))
                await self.use_cases.resend_verification(again)
            else:
                sent.append(await self.ask_to_join(email, password))

        token = await self.token(email, ask)
        self.later(minutes=4)
        cookie = sent[0].cookie.text if sent[0] else None
        wish = SessionWish(client=self.person.at(LAPTOP))
        command = VerifyEmailCommand(token=token, cookie=cookie, password=password, session=wish)
        return await self.use_cases.verify_email(command)

    async def sign_in(self, browser: str = LAPTOP, password: str = PASSWORD) -> SignedIn:
        """On one of their devices."""
        return await self._sign_in(self.person.at(browser), password)

    async def fail_to_sign_in(self, client: Client, times: int) -> None:
        """Guess."""
        for guess in range(times):
            with suppress(InvalidCredentials):
                await self._sign_in(client, f"not it, but guess {guess}")
            self.later(minutes=2)

    async def _sign_in(self, client: Client, password: str) -> SignedIn:
        wish = SessionWish(client=client)
        return await self.use_cases.sign_in(SignInCommand(email=self.person.email, password=password, session=wish))

    async def refresh(self, signed_in: SignedIn, client: Client | None = None) -> SignedIn:
        """Be seen once more with a session."""
        command = RefreshCommand(
            session_token=signed_in.session_token.text,
            transport=signed_in.session.transport,
            client=client or self.person.at(LAPTOP),
        )
        return await self.use_cases.refresh(command)

    async def caller(self, signed_in: SignedIn) -> Caller:
        """Come back with a session."""
        return await self.use_cases.identify(IdentifyCommand(session_cookie=signed_in.session_token.text))

    async def be_robbed(self) -> None:
        """A stranger shows a session's token that was replaced long ago."""
        signed_in = copied = await self.sign_in()
        for _ in range(2):
            self.later(hours=1)
            signed_in = await self.refresh(signed_in)
        self.later(hours=1)
        with suppress(Unauthenticated):
            await self.refresh(copied, STRANGER)

    async def token(self, email: str, ask: Callable[[], Awaitable[None]]) -> str:
        """The one in the letter that comes of asking. Raises `LetterLost`."""
        for _ in range(_ATTEMPTS):
            seen = len(self.letters.all)
            await ask()
            self.later(minutes=1.5)
            await self.deliver()
            for letter in reversed(self.letters.all[seen:]):
                if letter.recipient.canonical == email and (token := _token_in(letter)) is not None:
                    return token
        raise LetterLost

    async def deliver(self) -> None:
        """Let what is due leave."""
        while await self.use_cases.deliver_mail():
            pass


def _token_in(letter: RenderedLetter) -> str | None:
    links = [word for word in letter.text.split() if "?token=" in word]
    return parse_qs(urlsplit(links[0]).query)["token"][0] if links else None
