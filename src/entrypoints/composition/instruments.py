"""What `ostiary doctor` looks through: the adapters that the settings choose, one by one, whatever else is broken."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from adapters.common_passwords import PublishedLists
from adapters.environment import RandomIds, SystemClock
from adapters.mail.dev_inbox import DevInbox
from adapters.sql.examination import examine_postgresql, examine_sqlite
from application.ports.environment import Clock, Ids
from application.ports.examination import DatabaseFacts
from application.ports.hashing import CommonPasswords, PasswordHasher
from application.ports.letters import MailSender
from entrypoints.composition import choices
from entrypoints.composition.letters import stationery
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
    mail_sender: Callable[[], MailSender]
    """Raises OSError when its certificate authority cannot be read."""
    mail_check: Callable[[], Awaitable[None]]
    """Everything but the sending of a letter. Raises `MailDelayed` and `MailRefused`."""
    message_id_domain: str
    clock: Clock
    ids: Ids


@contextmanager
def instruments(settings: Settings) -> Iterator[Instruments]:
    """For a look at an installation with these settings. Makes nothing that is not there."""
    clock = SystemClock()

    async def database() -> DatabaseFacts:
        if settings.sqlite_file is None:
            return await examine_postgresql(choices.postgresql(settings), clock)
        opened = sqlite_database(settings.sqlite_file)
        try:
            return await examine_sqlite(opened, settings.sqlite_file, clock)
        finally:
            await opened.close()

    def mail_sender() -> MailSender:
        if settings.sends_mail:
            return choices.smtp(settings)
        return DevInbox(settings.data_dir / "inbox", choices.sender(settings))

    async def mail_check() -> None:
        await choices.smtp(settings).check()

    with choices.hashing_slots(settings) as slots:
        yield Instruments(
            database=database,
            hasher=choices.keyring(settings, slots, decoy_key=b""),
            slots=slots.number,
            common_passwords=PublishedLists(),
            mail_sender=mail_sender,
            mail_check=mail_check,
            message_id_domain=stationery(settings).message_id_domain,
            clock=clock,
            ids=RandomIds(),
        )
