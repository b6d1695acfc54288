"""Ostiary composed for a test: real use cases over a chosen store, a clock that stands still, a mailbox that keeps."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from adapters.hashing.slots import HashingSlots
from application.admission import SessionWish, SignedIn
from application.catalogue import UseCases
from application.ports.environment import Ids
from application.ports.hashing import BreachCheck, CommonPasswords, StrengthEstimator
from application.recognition import Caller
from application.sign_up_form import SignUpCommand
from application.use_cases.email_verification import VerifyEmailCommand
from application.use_cases.identify import IdentifyCommand
from application.use_cases.open_sign_up import SignedUp
from application.use_cases.refresh import RefreshCommand
from application.use_cases.resend_verification import ResendVerificationCommand
from application.use_cases.sign_in import SignInCommand
from application.waiting_room import VerificationSent
from domain.client import Client
from domain.events import Event, EventKind
from domain.session import Transport
from entrypoints.composition import Ostiary, Replacements, compose, memory_store
from entrypoints.settings import read_settings
from tests.support.clock import SettableClock
from tests.support.hashing import quick_keyring
from tests.support.mail import Mailbox, token_in
from tests.support.store_kinds import settings_in_process

ADA = "ada@example.com"
PASSWORD = "engine of difference"
OTHER_PASSWORD = "a stranger's own idea"

HERE = Client("192.0.2.1", "Firefox")
ELSEWHERE = Client("198.51.100.7", "Chrome")


class Events:
    """`application.ports.environment.EventLog` that keeps what it is told."""

    def __init__(self) -> None:
        self.recorded: list[Event] = []

    def record(self, event: Event) -> None:
        self.recorded.append(event)

    def kinds(self) -> list[EventKind]:
        """What happened, in order."""
        return [event.kind for event in self.recorded]


class World:
    """What a test talks to. Each method is one thing that a person does."""

    def __init__(self, ostiary: Ostiary, clock: SettableClock, mailbox: Mailbox, events: Events) -> None:
        self.ostiary = ostiary
        self.clock = clock
        self.mailbox = mailbox
        self.events = events

    @property
    def use_cases(self) -> UseCases:
        return self.ostiary.use_cases

    async def sign_up(
        self,
        email: str = ADA,
        password: str = PASSWORD,
        *,
        name: str | None = "Ada",
        client: Client = HERE,
        **fields: Any,
    ) -> VerificationSent:
        """Sign up where verification is required."""
        sent = await self.ask_to_join(email, password, name=name, client=client, **fields)
        assert isinstance(sent, VerificationSent)
        return sent

    async def join(
        self,
        email: str = ADA,
        password: str = PASSWORD,
        *,
        name: str | None = "Ada",
        client: Client = HERE,
        **fields: Any,
    ) -> SignedIn:
        """Sign up where verification is optional, and be signed in."""
        signed_in = await self.ask_to_join(email, password, name=name, client=client, **fields)
        assert isinstance(signed_in, SignedIn)
        return signed_in

    async def ask_to_join(
        self,
        email: str,
        password: str,
        *,
        client: Client = HERE,
        remember: bool = True,
        transport: Transport = Transport.COOKIE,
        **fields: Any,
    ) -> VerificationSent | SignedUp | SignedIn:
        """Sign up, whatever comes of it."""
        wish = SessionWish(client=client, transport=transport, remember=remember)
        return await self.use_cases.sign_up(SignUpCommand(email=email, password=password, session=wish, **fields))

    async def identify(self, signed_in: SignedIn) -> Caller:
        """Come back with the session token."""
        return await self.use_cases.identify(IdentifyCommand(session_cookie=signed_in.session_token.text))

    async def deliver(self) -> None:
        """Let every letter that is due leave."""
        self.clock.advance(seconds=2)
        while await self.use_cases.deliver_mail():
            pass

    async def token_for(self, email: str = ADA) -> str:
        """The token in the newest letter to an address that asks for it to be confirmed."""
        return await self.link_token("Confirm your e-mail address", email)

    async def link_token(self, subject: str, email: str = ADA) -> str:
        """The token in the newest letter to an address whose subject begins like this."""
        await self.deliver()
        return token_in([letter for letter in self.mailbox.to(email) if letter.subject.startswith(subject)][-1])

    async def verify(
        self,
        token: str,
        *,
        client: Client = HERE,
        transport: Transport = Transport.COOKIE,
        marks: str | None = None,
        **facts: Any,
    ) -> SignedIn:
        wish = SessionWish(client=client, transport=transport, device_marks=marks)
        return await self.use_cases.verify_email(VerifyEmailCommand(token=token, session=wish, **facts))

    async def resend(self, *, client: Client = HERE, **whose: str) -> None:
        await self.use_cases.resend_verification(ResendVerificationCommand(client=client, **whose))

    async def sign_in(
        self,
        email: str = ADA,
        password: str = PASSWORD,
        *,
        client: Client = HERE,
        remember: bool = True,
        transport: Transport = Transport.COOKIE,
        marks: str | None = None,
    ) -> SignedIn:
        wish = SessionWish(client=client, transport=transport, remember=remember, device_marks=marks)
        return await self.use_cases.sign_in(SignInCommand(email=email, password=password, session=wish))

    async def refresh(self, holding: SignedIn, *, client: Client = HERE) -> SignedIn:
        """By the token somebody was answered with."""
        text, transport = holding.session_token.text, holding.session.transport
        return await self.use_cases.refresh(RefreshCommand(session_token=text, transport=transport, client=client))

    async def member(self, email: str = ADA, password: str = PASSWORD, *, client: Client = HERE) -> SignedIn:
        """Somebody who signed up and proved their mailbox."""
        sent = await self.sign_up(email, password, client=client)
        return await self.verify(await self.token_for(email), cookie=sent.cookie.text, client=client)


@asynccontextmanager
async def make_world(
    store: str,
    folder: Path,
    variables: Mapping[str, str] | None = None,
    *,
    ids: Ids | None = None,
    common_passwords: CommonPasswords | None = None,
    strength: StrengthEstimator | None = None,
    breach_check: BreachCheck | None = None,
) -> AsyncIterator[World]:
    """Ostiary over `store` (a key of `STORES`), with hashing at test cost."""
    with settings_in_process(store, folder) as of_store:
        settings = read_settings(
            {"OSTIARY_DATA_DIR": str(folder), "OSTIARY_DELIVERY_JITTER": "0s", **of_store, **(variables or {})},
            dotenv=None,
        )
        clock, mailbox, events, slots = SettableClock(), Mailbox(), Events(), HashingSlots(2)
        replace = Replacements(
            store=memory_store() if store == "memory" else None,
            clock=clock,
            ids=ids,
            hasher=quick_keyring(slots),
            common_passwords=common_passwords,
            strength=strength,
            breach_check=breach_check,
            mail_sender=mailbox,
            events=events,
        )
        async with compose(settings, replace) as ostiary:
            yield World(ostiary, clock, mailbox, events)
        slots.close()
