"""What `ostiary doctor` looks through: the adapters that the settings choose, one by one, whatever else is broken."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from adapters.common_passwords import PublishedLists
from adapters.environment import RandomIds, SystemClock
from adapters.sql.examination import examine_postgresql, examine_sqlite
from application.ports.environment import Clock, Ids
from application.ports.examination import DatabaseFacts
from application.ports.hashing import CommonPasswords, PasswordHasher
from application.ports.letters import MailSender
from entrypoints.composition import choices, mail
from entrypoints.composition.letters import stationery
from entrypoints.composition.providers import provided
from entrypoints.composition.stores import sqlite_database
from entrypoints.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Instruments:
    """Each is used by one check or two."""

    database: Callable[[], Awaitable[DatabaseFacts]]
    """Raises `Unavailable`."""
    hasher: PasswordHasher
    slots: int
    common_passwords: CommonPasswords
    mail_sender: Callable[[str], AbstractAsyncContextManager[MailSender]]
    """One of the senders in force. Raises OSError when its certificate authority cannot be read."""
    dev_inbox: MailSender
    message_id_domain: str
    clock: Clock
    ids: Ids


@asynccontextmanager
async def instruments(settings: Settings) -> AsyncIterator[Instruments]:
    """For a look at an installation with these settings. Makes nothing that is not there. Raises `SettingsError` for
    providers that are broken."""
    clock = SystemClock()

    async def database() -> DatabaseFacts:
        if settings.sqlite_file is None:
            return await examine_postgresql(choices.postgresql(settings), clock)
        opened = sqlite_database(settings.sqlite_file)
        try:
            return await examine_sqlite(opened, settings.sqlite_file, clock)
        finally:
            await opened.close()

    async with provided(settings) as others:
        with choices.hashing_slots(settings) as slots:
            yield Instruments(
                database=database,
                hasher=choices.keyring(settings, slots, b"", others.hashers.values(), others.algorithm),
                slots=slots.number,
                common_passwords=PublishedLists(),
                mail_sender=lambda name: mail.sender_called(name, settings, others.mail_senders),
                dev_inbox=mail.dev_inbox(settings),
                message_id_domain=stationery(settings).message_id_domain,
                clock=clock,
                ids=RandomIds(),
            )
