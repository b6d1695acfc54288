"""Settings -> adapters -> use cases: the only module that knows everyone."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from email.headerregistry import Address
from pathlib import Path
from urllib.parse import urlsplit

from adapters.access_tokens import AccessTokenRules, Es256Keys, Hs256Key, JwtAccessTokens, SigningKeys
from adapters.common_passwords import PublishedLists
from adapters.environment import RandomIds, SystemClock, SystemRandomness
from adapters.event_log import StructuredEventLog, WatchedLimits
from adapters.hashing.argon2 import Argon2Hasher, Argon2Parameters
from adapters.hashing.slots import HashingSlots
from adapters.mail.dev_inbox import DevInbox
from adapters.mail.rendering import JinjaLetterRenderer, Stationery
from adapters.mail.smtp import Encryption, SmtpSender, SmtpServer
from adapters.memory.limits import MemoryLimits
from adapters.memory.purge import MemoryPurge
from adapters.memory.store import MemoryStore
from adapters.memory.units_of_work import MemoryUnits
from adapters.signing import HmacSessionSeal, MasterSecret
from adapters.sql.database import Database
from adapters.sql.installation import installation_key
from adapters.sql.limits import SqlLimits
from adapters.sql.migrations import HEAD, current_revision, migrate
from adapters.sql.purge import SqlPurge
from adapters.sql.units_of_work import SqlUnits
from application.admission import Admission
from application.catalogue import UseCases
from application.ports.environment import Clock, EventLog, Ids, Purge, Randomness
from application.ports.hashing import CommonPasswords, PasswordHasher
from application.ports.letters import Inbox, LetterRenderer, MailSender
from application.ports.limits import Limits
from application.ports.tokens import AccessTokens, SessionSeal
from application.ports.units_of_work import Units
from application.use_cases.email_verification import ResendVerification, VerifyEmail
from application.use_cases.housekeeping import KeepHouse
from application.use_cases.identify import Identify
from application.use_cases.mail_delivery import DeliverMail
from application.use_cases.sessions import SignOut
from application.use_cases.sign_in import SignIn
from application.use_cases.sign_up import ProfileRules, SignUp
from domain.password import PasswordPolicy
from domain.session import SessionLifetimes
from entrypoints.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Store:
    """A whole database behind the ports."""

    units: Units
    limits: Limits
    purge: Purge
    pseudonym_key: bytes
    ready: Callable[[], Awaitable[bool]]


@dataclass(frozen=True, kw_only=True)
class Replacements:
    """What `compose` uses instead of its own choice; None means its own choice. See docs/testing.md."""

    store: Store | None = None
    clock: Clock | None = None
    ids: Ids | None = None
    randomness: Randomness | None = None
    hasher: PasswordHasher | None = None
    common_passwords: CommonPasswords | None = None
    mail_sender: MailSender | None = None
    letter_renderer: LetterRenderer | None = None
    events: EventLog | None = None
    session_seal: SessionSeal | None = None
    access_tokens: AccessTokens | None = None


@dataclass(frozen=True, kw_only=True)
class Ostiary:
    """The service, composed: what the entry points serve."""

    settings: Settings
    use_cases: UseCases
    policy: PasswordPolicy
    profile: ProfileRules
    jwks: Mapping[str, object]
    ready: Callable[[], Awaitable[bool]]
    dev_inbox: Inbox | None


class NotMigrated(Exception):
    """The database is not at the schema this program works with."""


@asynccontextmanager
async def compose(settings: Settings, replace: Replacements | None = None) -> AsyncIterator[Ostiary]:
    """Build the service; leaving lets go of the database and the hashing threads.

    Raises `NotMigrated`, and `Unavailable` when the database does not answer.
    """
    replace = replace or Replacements()
    async with AsyncExitStack() as stack:
        clock = replace.clock or SystemClock()
        ids = replace.ids or RandomIds()
        randomness = replace.randomness or SystemRandomness()
        secrets = _master_secrets(settings, randomness)
        store = replace.store
        if store is None:
            store = await stack.enter_async_context(_sql_store(settings, randomness))
        events = replace.events or StructuredEventLog(store.pseudonym_key, mask_clients=settings.log_client == "masked")
        limits = WatchedLimits(store.limits, events)
        hasher = replace.hasher or stack.enter_context(_argon2(settings))
        common_passwords = replace.common_passwords or PublishedLists()
        keys = _signing_keys(settings, secrets)
        seal = replace.session_seal or HmacSessionSeal(secrets)
        access_tokens = replace.access_tokens or JwtAccessTokens(_access_token_rules(settings), keys)
        dev_inbox = None if settings.sends_mail else DevInbox(settings.data_dir / "inbox", _sender(settings))
        mail_sender = replace.mail_sender or dev_inbox or _smtp(settings)
        policy = _password_policy(settings)
        profile = _profile_rules(settings)
        quotas = settings.quotas
        admission = Admission(
            seal=seal,
            access_tokens=access_tokens,
            clock=clock,
            ids=ids,
            randomness=randomness,
            lifetimes=SessionLifetimes(
                idle=settings.session_idle, absolute=settings.session_absolute, short=settings.session_short
            ),
        )
        use_cases = UseCases(
            sign_up=SignUp(
                intake=store.units.intake,
                hasher=hasher,
                common_passwords=common_passwords,
                limits=limits,
                clock=clock,
                ids=ids,
                randomness=randomness,
                events=events,
                policy=policy,
                profile=profile,
                quotas=quotas,
                delivery_jitter=settings.delivery_jitter,
            ),
            verify_email=VerifyEmail(
                reading=store.units.proof_reading,
                proving=store.units.proving,
                hasher=hasher,
                common_passwords=common_passwords,
                limits=limits,
                admission=admission,
                clock=clock,
                ids=ids,
                events=events,
                policy=policy,
                quotas=quotas,
                token_suffices=settings.verify_elsewhere == "allow",
            ),
            resend_verification=ResendVerification(
                intake=store.units.intake,
                limits=limits,
                clock=clock,
                ids=ids,
                randomness=randomness,
                events=events,
                quotas=quotas,
                delivery_jitter=settings.delivery_jitter,
            ),
            sign_in=SignIn(
                reading=store.units.credential_reading,
                signing_in=store.units.signing_in,
                hasher=hasher,
                limits=limits,
                admission=admission,
                clock=clock,
                events=events,
                quotas=quotas,
            ),
            sign_out=SignOut(keeping=store.units.session_keeping, events=events),
            identify=Identify(
                reading=store.units.session_reading,
                keeping=store.units.session_keeping,
                seal=seal,
                access_tokens=access_tokens,
                clock=clock,
            ),
            deliver_mail=DeliverMail(
                delivery=store.units.delivery,
                renderer=replace.letter_renderer or JinjaLetterRenderer(_stationery(settings), clock),
                sender=mail_sender,
                clock=clock,
                ids=ids,
                randomness=randomness,
                events=events,
                quotas=quotas,
                token_lifetime=settings.token_lifetime,
            ),
            keep_house=KeepHouse(purge=store.purge, clock=clock, events=events),
        )
        yield Ostiary(
            settings=settings,
            use_cases=use_cases,
            policy=policy,
            profile=profile,
            jwks=keys.jwks(),
            ready=store.ready,
            dev_inbox=dev_inbox if mail_sender is dev_inbox else None,
        )


async def migrate_database(settings: Settings) -> str:
    """Bring the database to the schema of this program; returns its revision."""
    database = _database(settings)
    try:
        await migrate(database)
    finally:
        await database.close()
    return HEAD


def memory_store() -> Store:
    """A store that forgets: for tests."""
    store = MemoryStore()

    async def ready() -> bool:
        return True

    return Store(
        units=MemoryUnits(store),
        limits=MemoryLimits(store),
        purge=MemoryPurge(store),
        pseudonym_key=bytes(32),
        ready=ready,
    )


@asynccontextmanager
async def _sql_store(settings: Settings, randomness: Randomness) -> AsyncIterator[Store]:
    database = _database(settings)
    try:
        # The embedded default keeps itself up to date; any other database is migrated when its owner says so.
        await migrate(database)
        if await current_revision(database) != HEAD:
            raise NotMigrated
        key = await installation_key(database, randomness.bytes(32))
        yield Store(
            units=SqlUnits(database, key),
            limits=SqlLimits(database, key),
            purge=SqlPurge(database),
            pseudonym_key=key,
            ready=database.answers,
        )
    finally:
        await database.close()


def _database(settings: Settings) -> Database:
    path = Path(settings.database_url.removeprefix("sqlite:///"))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Database(f"sqlite+aiosqlite:///{path}")


def _master_secrets(settings: Settings, randomness: Randomness) -> list[MasterSecret]:
    own = settings.secret or _generated_secret(settings.data_dir / "secret", randomness)
    return [MasterSecret(secret.encode()) for secret in (own, *settings.accepted_secrets)]


def _generated_secret(file: Path, randomness: Randomness) -> str:
    """A developer's machine makes its secret once and keeps it where only its owner can read it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    with os.fdopen(descriptor, "w") as opened:
        opened.write(randomness.bytes(32).hex() + "\n")
    return file.read_text().strip()


@contextmanager
def _argon2(settings: Settings) -> Iterator[Argon2Hasher]:
    slots = HashingSlots(settings.hashing_slots or os.cpu_count() or 1)
    try:
        yield Argon2Hasher(
            Argon2Parameters(
                memory_kib=settings.argon2_memory_kib,
                time=settings.argon2_time,
                parallelism=settings.argon2_parallelism,
            ),
            slots,
        )
    finally:
        slots.close()


def _signing_keys(settings: Settings, secrets: list[MasterSecret]) -> SigningKeys:
    if settings.jwt_algorithm == "HS256":
        return Hs256Key(settings.jwt_shared_secret or "")
    return Es256Keys(secrets)


def _access_token_rules(settings: Settings) -> AccessTokenRules:
    default_audience = settings.public_url if settings.jwt_algorithm == "ES256" else None
    return AccessTokenRules(
        issuer=settings.public_url,
        audience=settings.jwt_audience or default_audience,
        lifetime=settings.jwt_lifetime,
        user_id_claim=settings.jwt_user_id,
    )


def _sender(settings: Settings) -> Address:
    return settings.email_from or Address(settings.brand, "ostiary", "localhost.localdomain")


def _smtp(settings: Settings) -> SmtpSender:
    return SmtpSender(
        SmtpServer(
            host=settings.smtp_host or "",
            port=settings.smtp_port,
            encryption=Encryption(settings.smtp_encryption_in_force),
            username=settings.smtp_user,
            password=settings.smtp_pass,
            seconds=settings.smtp_timeout.total_seconds(),
            ca_file=str(settings.smtp_ca_file) if settings.smtp_ca_file else None,
        ),
        _sender(settings),
    )


def _stationery(settings: Settings) -> Stationery:
    return Stationery(
        brand=settings.brand,
        app_url=settings.app_url,
        verify_url=settings.app_url + settings.verify_path,
        sign_in_url=settings.app_url + settings.sign_in_path,
        message_id_domain=_sender(settings).domain or urlsplit(settings.public_url).hostname or "localhost",
    )


def _password_policy(settings: Settings) -> PasswordPolicy:
    return PasswordPolicy(
        min_length=settings.password_min_length,
        require_upper="upper" in settings.password_require,
        require_lower="lower" in settings.password_require,
        require_digit="digit" in settings.password_require,
        require_special="special" in settings.password_require,
        refuse_common=settings.password_refuse_common,
        product_name=settings.brand,
    )


def _profile_rules(settings: Settings) -> ProfileRules:
    refused: frozenset[str] = frozenset()
    if settings.disposable_domains is not None:
        lines = settings.disposable_domains.read_text().splitlines()
        refused = frozenset(line.strip().lower() for line in lines if line.strip() and not line.startswith("#"))
    return ProfileRules(name_required=settings.name == "required", username=settings.username, refused_domains=refused)
