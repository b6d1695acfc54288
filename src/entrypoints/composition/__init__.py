"""Settings -> adapters -> use cases: the only module that knows everyone."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from adapters.access_tokens import JwtAccessTokens
from adapters.common_passwords import PublishedLists
from adapters.device_names import ParsedDeviceNames
from adapters.environment import RandomIds, SystemClock, SystemRandomness
from adapters.event_log import CountedEvents, StructuredEventLog, WatchedLimits
from adapters.hashing.slots import HashingSlots
from adapters.mail.dev_inbox import DevInbox
from adapters.sealing import AesRecordSeal
from adapters.signing import HmacDeviceMarks, HmacSessionSeal
from application.catalogue import UseCases
from application.ports.bounces import BounceHook
from application.ports.environment import Clock, DeviceNames, EventLog, Ids, Randomness
from application.ports.hashing import BreachCheck, CommonPasswords, PasswordHasher, StrengthEstimator
from application.ports.languages import Languages
from application.ports.letters import Inbox, LetterRenderer, MailSender
from application.ports.monitoring import Metrics
from application.ports.sealing import RecordSeal
from application.ports.tokens import AccessTokens, DeviceMarks, SessionSeal
from domain.password import PasswordPolicy
from domain.profile import ProfileRules
from entrypoints.composition import choices, mail
from entrypoints.composition.bounces import bounce_hooks
from entrypoints.composition.letters import letter_renderer
from entrypoints.composition.monitoring import forget_process, metrics_of
from entrypoints.composition.parts import Parts
from entrypoints.composition.providers import Provided, provided
from entrypoints.composition.stores import SchemaMismatch, Store, memory_store, migrate_database, sql_store
from entrypoints.composition.use_cases import use_cases_of
from entrypoints.peppers import lost_peppers
from entrypoints.readiness import Readiness
from entrypoints.settings import Settings, SettingsError

__all__ = [
    "Ostiary",
    "Replacements",
    "SchemaMismatch",
    "Store",
    "compose",
    "forget_process",
    "memory_store",
    "migrate_database",
]


@dataclass(frozen=True, kw_only=True)
class Replacements:
    """What `compose` uses instead of its own choice; None means its own choice. See docs/testing.md."""

    store: Store | None = None
    clock: Clock | None = None
    ids: Ids | None = None
    randomness: Randomness | None = None
    hasher: PasswordHasher | None = None
    common_passwords: CommonPasswords | None = None
    strength: StrengthEstimator | None = None
    breach_check: BreachCheck | None = None
    mail_sender: MailSender | None = None
    letter_renderer: LetterRenderer | None = None
    events: EventLog | None = None
    session_seal: SessionSeal | None = None
    access_tokens: AccessTokens | None = None
    device_marks: DeviceMarks | None = None
    record_seal: RecordSeal | None = None
    device_names: DeviceNames | None = None


@dataclass(frozen=True, kw_only=True)
class Ostiary:
    """The service, composed: what the entry points serve."""

    settings: Settings
    use_cases: UseCases
    policy: PasswordPolicy
    profile: ProfileRules
    jwks: Mapping[str, object]
    languages: Languages
    bounce_hooks: Mapping[str, BounceHook]
    """Who may report what became of letters, by the provider's name."""
    watch: Callable[[], AbstractAsyncContextManager[None]]
    """Enter it while requests are answered: keeps what they rely on in step with the database. Raises `Unavailable`."""
    check_peppers: Callable[[], Awaitable[None]]
    """Call it before work that lasts begins: who needs a key that is gone would be locked out in silence. Raises
    `SettingsError` that names it, and `Unavailable`."""
    readiness: Readiness
    draining: Callable[[], bool] = lambda: False
    """Whether this process has been told to stop."""
    metrics: Metrics | None
    """None unless the settings ask for them."""
    dev_inbox: Inbox | None


@asynccontextmanager
async def compose(
    settings: Settings, replace: Replacements | None = None, *, metrics_folder: Path | None = None
) -> AsyncIterator[Ostiary]:
    """Build the service; leaving lets go of the database and the hashing threads.

    Several processes that are given the same empty `metrics_folder` measure as one; `forget_process` when one has died.

    Raises `Unavailable` when the database does not answer, `SchemaMismatch` when its schema is not this program's, and
    `SettingsError` for a mail sender that is missing and for providers that are broken.
    """
    replace = replace or Replacements()
    async with AsyncExitStack() as stack:
        clock = replace.clock or SystemClock()
        ids = replace.ids or RandomIds()
        randomness = replace.randomness or SystemRandomness()
        secrets = choices.master_secrets(settings, randomness)
        others = await stack.enter_async_context(
            provided(
                settings,
                mail_senders=replace.mail_sender is None,
                hashers=replace.hasher is None,
                breach_checks=replace.breach_check is None,
            )
        )
        store = replace.store
        if store is None:
            store = await stack.enter_async_context(sql_store(settings, randomness))
        slots = stack.enter_context(choices.hashing_slots(settings))
        metrics = metrics_of(settings, store, slots, clock, metrics_folder)
        events = replace.events or StructuredEventLog(store.pseudonym_key, mask_clients=settings.log_client == "masked")
        if metrics is not None:
            await stack.enter_async_context(metrics.sampled())
            events = CountedEvents(events, metrics)
        hasher, watch = _hasher(settings, replace, others, slots, store)
        breach_check = None
        if settings.refuses_breached:
            breach_check = replace.breach_check
            if breach_check is None:
                breach_check = await stack.enter_async_context(choices.breach_check(settings, others.breach_check))
        keys = choices.signing_keys(settings, secrets)
        mail_sender, dev_inbox = replace.mail_sender, None
        if mail_sender is None:
            mail_sender = await stack.enter_async_context(mail.mail_sender(settings, others.mail_senders))
            dev_inbox = mail_sender if isinstance(mail_sender, DevInbox) else None
        if dev_inbox is not None and not settings.development:
            raise SettingsError(["own_mail_sender: promised to read_settings, but Replacements has no mail_sender"])
        languages = choices.languages(settings)
        parts = Parts(
            settings=settings,
            store=store,
            clock=clock,
            ids=ids,
            randomness=randomness,
            events=events,
            limits=WatchedLimits(store.limits, events),
            hasher=hasher,
            common_passwords=replace.common_passwords or PublishedLists(),
            strength=(replace.strength or choices.strength_estimator()) if settings.password_min_score else None,
            breach_check=breach_check,
            seal=replace.session_seal or HmacSessionSeal(secrets),
            access_tokens=replace.access_tokens or JwtAccessTokens(choices.access_token_rules(settings), keys),
            device_marks=replace.device_marks or HmacDeviceMarks(secrets, randomness),
            record_seal=replace.record_seal or AesRecordSeal(secrets, randomness),
            device_names=replace.device_names or ParsedDeviceNames(),
            letter_renderer=replace.letter_renderer or letter_renderer(settings, clock, languages),
            mail_sender=mail_sender,
            languages=languages,
            policy=choices.password_policy(settings),
            profile=choices.profile_rules(settings),
        )
        yield Ostiary(
            settings=settings,
            use_cases=use_cases_of(parts),
            policy=parts.policy,
            profile=parts.profile,
            jwks=keys.jwks(),
            languages=languages,
            bounce_hooks=bounce_hooks(settings),
            watch=watch,
            check_peppers=lambda: _check_peppers(settings, replace, store, clock),
            readiness=Readiness(database=store.ready, schema_fits=store.schema_fits, outbox=store.outbox, clock=clock),
            metrics=metrics,
            dev_inbox=dev_inbox,
        )


def _hasher(
    settings: Settings, replace: Replacements, others: Provided, slots: HashingSlots, store: Store
) -> tuple[PasswordHasher, Callable[[], AbstractAsyncContextManager[None]]]:
    """The keyring, and what keeps its decoys in the proportions of the database."""
    if replace.hasher is not None:
        return replace.hasher, nullcontext
    keyring = choices.keyring(settings, slots, store.pseudonym_key, others.hashers.values(), others.algorithm)
    return keyring, lambda: keyring.decoys.counted(store.hashes)


async def _check_peppers(settings: Settings, replace: Replacements, store: Store, clock: Clock) -> None:
    if replace.hasher is not None:
        return  # whose hashes these are is for it to know
    needed = await store.peppers(clock.now())
    if problem := lost_peppers(settings.peppers, needed):
        raise SettingsError([problem])
