"""Domain objects for the stores to keep: every field set to something that a careless column would lose."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from application.ports.units_of_work import Units
from domain.client import Client
from domain.display_name import DisplayName
from domain.email_address import EmailAddress
from domain.letters import Occasion, QueuedLetter
from domain.limits import Charge, Limit, Quota, Unit
from domain.newcomer import Newcomer, Origin
from domain.one_time_token import OneTimeToken, Purpose
from domain.password import PasswordHash
from domain.reversal import Reversal
from domain.session import Session, SessionLifetimes, Transport
from domain.sign_up import SignUpRequest
from domain.user import Credential, User
from domain.username import Username

NOW = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
"""Not a whole second, and within the hour that summer time skips in Europe."""

SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)

ADA = EmailAddress("ada@example.com")
GRACE = EmailAddress("grace@example.com")
ODD = EmailAddress("zażółć.gęślą+%_jaźń@xn--bcher-kva.example")

HASH = PasswordHash("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g")

_serial = itertools.count(1)


def digest() -> bytes:
    """32 bytes nobody else has, among them zero and 0xff."""
    return b"\x00\xff" + next(_serial).to_bytes(30)


def a_sign_up(**fields: Any) -> SignUpRequest:
    """A waiting sign-up."""
    defaults: dict[str, Any] = {
        "id": uuid4(),
        "email": ADA,
        "name": DisplayName("Ada Łovelace 🧮"),
        "username": Username("ada_l.0-9"),
        "fields": {"company": "Zażółć & 'Söhne' 🧮", "seats": 3, "newsletter": False},
        "password_hash": HASH,
        "cookie_digest": digest(),
        "locale": "zh-Hant",
        "client_unit": Unit("sign_up_client", digest(), "1767268800123456abcde"),
        "created_at": NOW,
        "expires_at": NOW + timedelta(hours=48),
    }
    return SignUpRequest(**(defaults | fields))


def a_user(**fields: Any) -> User:
    """Somebody whose mailbox is proven."""
    number = next(_serial)
    defaults: dict[str, Any] = {
        "id": uuid4(),
        "email": EmailAddress(f"person{number}@example.com"),
        "email_verified": True,
        "name": DisplayName("Ada"),
        "username": None,
        "created_at": NOW,
        "locale": "pt-BR",
    }
    return User(**(defaults | fields))


def a_session(user_id: UUID, **fields: Any) -> Session:
    """A session that has just begun."""
    defaults: dict[str, Any] = {
        "id": uuid4(),
        "seed": b"\x00\xff" + next(_serial).to_bytes(14),
        "user_id": user_id,
        "credential_version": 1,
        "transport": Transport.COOKIE,
        "remember": True,
        "client": Client("192.0.2.1", "Firefox"),
        "lifetimes": SessionLifetimes(),
        "now": NOW,
    }
    return Session.begin(**(defaults | fields))


def a_token(**fields: Any) -> OneTimeToken:
    """A token that has just been minted for a letter asked for at the same time."""
    defaults: dict[str, Any] = {
        "digest": digest(),
        "purpose": Purpose.VERIFY_ADDRESS,
        "subject_id": uuid4(),
        "requested_at": NOW,
        "expires_at": NOW + HOUR,
    }
    return OneTimeToken(**(defaults | fields))


def a_newcomer(**fields: Any) -> Newcomer:
    """Somebody from another system, with all that belongs to them; `fields` are the user's."""
    user = a_user(**fields)
    return Newcomer(
        user=user,
        password_hash=PasswordHash(f"$2b$12${user.id.hex}"),
        origin=Origin(
            system="elsewhere", id=f"person {user.id}", metadata={"plan": {"name": "größer"}, "tags": [None]}
        ),
    )


def a_letter(**fields: Any) -> QueuedLetter:
    """A letter-to-be that is due at once."""
    defaults: dict[str, Any] = {
        "id": uuid4(),
        "occasion": Occasion.SIGN_UP,
        "recipient": ADA,
        "subject_id": uuid4(),
        "created_at": NOW,
        "due_at": NOW,
        "expires_at": NOW + timedelta(hours=48),
        "locale": "ar",
    }
    return QueuedLetter(**(defaults | fields))


def a_reversal(**fields: Any) -> Reversal:
    """Something that has just happened to somebody's account."""
    defaults: dict[str, Any] = {
        "id": uuid4(),
        "user_id": uuid4(),
        "occasion": Occasion.PASSWORD_CHANGED,
        "sealed": b"\x00\xff" + next(_serial).to_bytes(14),
        "now": NOW,
    }
    return Reversal.of(**(defaults | fields))


def charge(
    key: str, count: int | None, window: timedelta = HOUR, *, name: str = "tries", client: bool = True
) -> Charge:
    """One unit of a limit."""
    quota = Quota(count, window) if count is not None else None
    return Charge(Limit(name=name, quota=quota, per_client=client), key)


async def settle_in(units: Units, user: User, credential: Credential | None = None) -> User:
    """Make somebody a user with an account."""
    async with units.proving() as unit:
        assert not await unit.users.add(user)
        await unit.accounts.add(uuid4(), credential or Credential(user_id=user.id, password_hash=HASH), NOW)
        await unit.commit()
    return user


async def keep_session(units: Units, session: Session) -> bool:
    """Store a session."""
    async with units.signing_in() as unit:
        added = await unit.sessions.add(session)
        await unit.commit()
    return added


async def queue(units: Units, *letters: QueuedLetter) -> None:
    """Put letters in the queue."""
    async with units.intake() as unit:
        for letter in letters:
            await unit.letters.enqueue(letter)
        await unit.commit()


async def mint(units: Units, *tokens: OneTimeToken) -> None:
    """Store tokens."""
    async with units.delivery() as unit:
        for token in tokens:
            await unit.tokens.add(token)
        await unit.commit()


async def undoable(units: Units, *reversals: Reversal) -> None:
    """Keep reversals."""
    async with units.account_keeping() as unit:
        for reversal in reversals:
            await unit.reversals.add(reversal)
        await unit.commit()


async def wait_in_line(units: Units, *sign_ups: SignUpRequest) -> None:
    """Let sign-ups wait."""
    async with units.intake() as unit:
        for sign_up in sign_ups:
            await unit.sign_ups.add(sign_up)
        await unit.commit()
