"""What the settings choose: each function turns them into one adapter or one set of rules."""

import os
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from email.headerregistry import Address
from pathlib import Path
from tempfile import NamedTemporaryFile

from adapters.access_tokens import AccessTokenRules, Es256Keys, Hs256Key, SigningKeys
from adapters.bounded_breach_check import BoundedBreachCheck
from adapters.catalogues import PoLanguages
from adapters.hashing.argon2 import Argon2id, Argon2Parameters
from adapters.hashing.forms import ALL_FORMS
from adapters.hashing.keyring import Keyring
from adapters.hashing.pepper import Pepper, PepperedArgon2id, peppered_by
from adapters.hashing.slots import HashingSlots
from adapters.signing import MasterSecret
from adapters.sql.postgresql import PostgresqlServer
from application.ports.environment import Randomness
from application.ports.hashing import BreachCheck, StrengthEstimator
from application.ports.stored_hashes import Form, HashAlgorithm, HashReader, Unusable
from domain.errors import Unavailable
from domain.locale import Locales
from domain.password import PasswordPolicy
from domain.profile import ProfileRules
from domain.retention import Retention
from entrypoints.database_url import for_driver
from entrypoints.settings import Settings, SettingsError


def postgresql(settings: Settings) -> PostgresqlServer:
    """The database server."""
    return PostgresqlServer(
        dsn=for_driver(settings.database_url),
        schema=settings.db_schema,
        pooled=settings.pooled,
        connections=settings.db_pool_size,
        patience=settings.db_pool_timeout,
        statement_timeout=settings.db_statement_timeout,
    )


def master_secrets(settings: Settings, randomness: Randomness) -> list[MasterSecret]:
    """The secret that signs, then those that only verify, each once: a key set names no key twice."""
    own = settings.secret or _generated_secret(settings.data_dir / "secret", randomness)
    return [MasterSecret(secret.encode()) for secret in dict.fromkeys((own, *settings.accepted_secrets))]


def _generated_secret(file: Path, randomness: Randomness) -> str:
    """A developer's machine makes its secret once and keeps it where only its owner can read it."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            # Written whole under another name first: a crash must not leave half a secret, nor two starts two.
            with NamedTemporaryFile("w", dir=file.parent, prefix=".secret-") as fresh:
                fresh.write(randomness.bytes(32).hex() + "\n")
                fresh.flush()
                os.fsync(fresh.fileno())
                with suppress(FileExistsError):
                    os.link(fresh.name, file)
        return file.read_text().strip()
    except OSError as trouble:
        raise Unavailable from trouble


def number_of_slots(settings: Settings) -> int:
    """Of one process: as many as cores, shared out among the processes, unless the settings say otherwise."""
    return settings.hashing_slots or max((os.cpu_count() or 1) // settings.workers, 1)


@contextmanager
def hashing_slots(settings: Settings) -> Iterator[HashingSlots]:
    """The slots of this process, closed afterwards."""
    slots = HashingSlots(number_of_slots(settings))
    try:
        yield slots
    finally:
        slots.close()


def argon2_parameters(settings: Settings) -> Argon2Parameters:
    """What a new hash costs."""
    return Argon2Parameters(
        memory_kib=settings.argon2_memory_kib, time=settings.argon2_time, parallelism=settings.argon2_parallelism
    )


def keyring(
    settings: Settings,
    slots: HashingSlots,
    decoy_key: bytes,
    readers: Iterable[HashReader] = (),
    algorithm: HashAlgorithm | None = None,
) -> Keyring:
    """Argon2id for what is new, peppered if there is a pepper, and every form for what people bring; or a provider's
    `algorithm`, which is one of the `readers`."""
    argon2id = Argon2id(argon2_parameters(settings))
    peppers = [Pepper(pepper.id, pepper.key.encode()) for pepper in settings.peppers]
    maker = algorithm or (PepperedArgon2id(peppers[0], argon2id) if peppers else argon2id)
    forms: tuple[Form, ...] = (peppered_by(peppers), *ALL_FORMS, *(reader.read for reader in readers))
    try:
        return Keyring(maker, forms, slots, decoy_key)
    except Unusable as unusable:  # what it makes itself would let nobody in
        raise SettingsError([f"OSTIARY_ARGON2_MEMORY_KIB, OSTIARY_ARGON2_TIME: a hash {unusable}"]) from None


def signing_keys(settings: Settings, secrets: list[MasterSecret]) -> SigningKeys:
    """The keys of access tokens."""
    if settings.jwt_algorithm == "HS256":
        return Hs256Key(settings.jwt_shared_secret or "")
    return Es256Keys(secrets)


def access_token_rules(settings: Settings) -> AccessTokenRules:
    """What access tokens say."""
    default_audience = settings.public_url if settings.jwt_algorithm == "ES256" else None
    return AccessTokenRules(
        issuer=settings.public_url,
        audience=settings.jwt_audience or default_audience,
        lifetime=settings.jwt_lifetime,
        user_id_claim=settings.jwt_user_id,
        declared=settings.declared,
    )


def sender(settings: Settings) -> Address:
    """Who letters are from."""
    return settings.email_from or Address(settings.brand, "ostiary", "localhost.localdomain")


def languages(settings: Settings) -> PoLanguages:
    """What is said in other languages. Raises `SettingsError` for one that nobody has translated to, and for what is
    wrong with the operator's catalogues."""
    found = PoLanguages(settings.templates / "languages" if settings.templates is not None else None)
    problems = [f"OSTIARY_TEMPLATES: {fault}" for fault in found.faults()]
    if missing := [tag for tag in settings.locales if tag not in found.known]:
        known, unknown = ", ".join(sorted(found.known)), ", ".join(missing)
        problems.append(
            f"OSTIARY_LOCALES: there is no catalogue of {unknown}; there are {known}. See docs/translate.md"
        )
    if problems:
        raise SettingsError(problems)
    return found


def retention(settings: Settings) -> Retention:
    """How long what has served its time is kept."""
    return Retention(
        sign_ups=settings.keep_sign_ups,
        username_claims=settings.keep_claims,
        tokens=settings.keep_tokens,
        sessions=settings.keep_sessions,
        limits=settings.keep_limits,
        letters=settings.keep_letters,
        events=settings.keep_events,
        client_addresses=settings.keep_addresses,
    )


def password_policy(settings: Settings) -> PasswordPolicy:
    """The rules for new passwords."""
    return PasswordPolicy(
        min_length=settings.password_min_length,
        required_classes=settings.password_require,
        refuse_common=settings.password_refuse_common,
        refuse_breached=settings.refuses_breached,
        min_score=settings.password_min_score,
        product_name=settings.brand,
    )


def strength_estimator() -> StrengthEstimator:
    """For a policy that wants a score."""
    from adapters.strength import Zxcvbn  # its word lists stay in memory: only where they are asked for

    return Zxcvbn()


@asynccontextmanager
async def breach_check(settings: Settings, provider: BreachCheck | None) -> AsyncIterator[BreachCheck]:
    """For a policy that refuses breached passwords: the provider's, or Have I Been Pwned."""
    if provider is not None:
        yield BoundedBreachCheck(provider)
        return
    from adapters.breach import PwnedPasswords  # brings an HTTP client along: only where it is asked for

    async with PwnedPasswords(settings.breach_check_url) as check:
        yield check


def profile_rules(settings: Settings) -> ProfileRules:
    """Which fields sign-up asks for."""
    refused: frozenset[str] = frozenset()
    if settings.disposable_domains is not None:
        lines = settings.disposable_domains.read_text().splitlines()
        refused = frozenset(line.strip().lower() for line in lines if line.strip() and not line.startswith("#"))
    return ProfileRules(
        name_required=settings.name == "required",
        username=settings.username,
        refused_domains=refused,
        declared=settings.declared,
        locales=Locales(settings.locales),
    )
