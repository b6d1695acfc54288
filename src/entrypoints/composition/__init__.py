"""Settings -> adapters -> use cases: the only module that knows everyone."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.access_tokens import JwtAccessTokens
from adapters.common_passwords import PublishedLists
from adapters.environment import RandomIds, SystemClock, SystemRandomness
from adapters.event_log import CountedEvents, StructuredEventLog, WatchedLimits
from adapters.mail.dev_inbox import DevInbox
from adapters.mail.rendering import JinjaLetterRenderer
from adapters.signing import HmacDeviceMarks, HmacSessionSeal
from application.admission import Admission
from application.catalogue import UseCases
from application.letter_requests import LetterRequests
from application.new_password import NewPasswordRules
from application.ports.environment import Clock, EventLog, Ids, Randomness
from application.ports.hashing import CommonPasswords, PasswordHasher
from application.ports.letters import Inbox, LetterRenderer, MailSender
from application.ports.monitoring import Metrics
from application.ports.tokens import AccessTokens, DeviceMarks, SessionSeal
from application.second_fact import PasswordFacts
from application.sign_up_form import SignUpForm
from application.use_cases.email_verification import VerifyEmail
from application.use_cases.housekeeping import KeepHouse
from application.use_cases.identify import Identify
from application.use_cases.mail_delivery import DeliverMail
from application.use_cases.open_sign_up import OpenSignUp
from application.use_cases.refresh import Refresh
from application.use_cases.resend_verification import ResendVerification
from application.use_cases.sessions import SignOut
from application.use_cases.sign_in import SignIn
from application.use_cases.sign_up import SignUp
from application.user_proof import UserProving
from application.waiting_room import WaitingRoom
from domain.password import PasswordPolicy
from domain.profile import ProfileRules
from domain.session import SessionLifetimes
from entrypoints.composition import choices
from entrypoints.composition.monitoring import forget_process, metrics_of
from entrypoints.composition.stores import SchemaMismatch, Store, memory_store, migrate_database, sql_store
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
    mail_sender: MailSender | None = None
    letter_renderer: LetterRenderer | None = None
    events: EventLog | None = None
    session_seal: SessionSeal | None = None
    access_tokens: AccessTokens | None = None
    device_marks: DeviceMarks | None = None


@dataclass(frozen=True, kw_only=True)
class Ostiary:
    """The service, composed: what the entry points serve."""

    settings: Settings
    use_cases: UseCases
    policy: PasswordPolicy
    profile: ProfileRules
    jwks: Mapping[str, object]
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
    `SettingsError` for a mail sender that is missing.
    """
    replace = replace or Replacements()
    async with AsyncExitStack() as stack:
        clock = replace.clock or SystemClock()
        ids = replace.ids or RandomIds()
        randomness = replace.randomness or SystemRandomness()
        secrets = choices.master_secrets(settings, randomness)
        store = replace.store
        if store is None:
            store = await stack.enter_async_context(sql_store(settings, randomness))
        slots = stack.enter_context(choices.hashing_slots(settings))
        metrics = metrics_of(settings, store, slots, clock, metrics_folder)
        events = replace.events or StructuredEventLog(store.pseudonym_key, mask_clients=settings.log_client == "masked")
        if metrics is not None:
            await stack.enter_async_context(metrics.sampled())
            events = CountedEvents(events, metrics)
        limits = WatchedLimits(store.limits, events)
        hasher = replace.hasher or choices.argon2_hasher(settings, slots)
        common_passwords = replace.common_passwords or PublishedLists()
        keys = choices.signing_keys(settings, secrets)
        seal = replace.session_seal or HmacSessionSeal(secrets)
        access_tokens = replace.access_tokens or JwtAccessTokens(choices.access_token_rules(settings), keys)
        device_marks = replace.device_marks or HmacDeviceMarks(secrets, randomness)
        dev_inbox = None if settings.sends_mail else DevInbox(settings.data_dir / "inbox", choices.sender(settings))
        mail_sender = replace.mail_sender or dev_inbox or choices.smtp(settings)
        if mail_sender is dev_inbox and not settings.development:
            raise SettingsError(["own_mail_sender: promised to read_settings, but Replacements has no mail_sender"])
        policy = choices.password_policy(settings)
        profile = choices.profile_rules(settings)
        quotas = settings.quotas
        verification_required = settings.verification == "required"
        new_passwords = NewPasswordRules(policy=policy, common_passwords=common_passwords)
        passwords = PasswordFacts(hasher=hasher, new_passwords=new_passwords, limits=limits, clock=clock, quotas=quotas)
        letters = LetterRequests(ids=ids, randomness=randomness, jitter=settings.delivery_jitter)
        form = SignUpForm(
            limits=limits, clock=clock, events=events, new_passwords=new_passwords, profile=profile, quotas=quotas
        )
        waiting_room = WaitingRoom(clock=clock, ids=ids, randomness=randomness, letters=letters)
        admission = Admission(
            seal=seal,
            access_tokens=access_tokens,
            device_marks=device_marks,
            clock=clock,
            ids=ids,
            randomness=randomness,
            lifetimes=SessionLifetimes(
                idle=settings.session_idle, absolute=settings.session_absolute, short=settings.session_short
            ),
        )
        sign_up = SignUp(intake=store.units.intake, form=form, hasher=hasher, waiting_room=waiting_room, events=events)
        open_sign_up = OpenSignUp(
            intake=store.units.open_intake,
            form=form,
            hasher=hasher,
            waiting_room=waiting_room,
            letters=letters,
            admission=admission,
            clock=clock,
            ids=ids,
            events=events,
            verification_required=verification_required,
            signs_in=settings.auto_sign_in,
        )
        use_cases = UseCases(
            sign_up=sign_up if settings.disclosure == "opaque" else open_sign_up,
            verify_email=VerifyEmail(
                reading=store.units.proof_reading,
                proving=store.units.proving,
                passwords=passwords,
                of_users=UserProving(
                    proving=store.units.proving,
                    passwords=passwords,
                    admission=admission,
                    clock=clock,
                    token_suffices=settings.verify_elsewhere == "allow",
                ),
                limits=limits,
                admission=admission,
                clock=clock,
                ids=ids,
                events=events,
                quotas=quotas,
                token_suffices=settings.verify_elsewhere == "allow",
            ),
            resend_verification=ResendVerification(
                intake=store.units.intake,
                limits=limits,
                clock=clock,
                events=events,
                quotas=quotas,
                letters=letters,
            ),
            sign_in=SignIn(
                reading=store.units.credential_reading,
                signing_in=store.units.signing_in,
                hasher=hasher,
                limits=limits,
                device_marks=device_marks,
                admission=admission,
                clock=clock,
                events=events,
                quotas=quotas,
                verification_required=verification_required,
            ),
            refresh=Refresh(
                reading=store.units.session_reading,
                keeping=store.units.session_keeping,
                seal=seal,
                admission=admission,
                clock=clock,
                events=events,
                verification_required=verification_required,
            ),
            sign_out=SignOut(keeping=store.units.session_keeping, events=events),
            identify=Identify(
                reading=store.units.session_reading,
                keeping=store.units.session_keeping,
                seal=seal,
                access_tokens=access_tokens,
                clock=clock,
                verification_required=verification_required,
            ),
            deliver_mail=DeliverMail(
                delivery=store.units.delivery,
                renderer=replace.letter_renderer or JinjaLetterRenderer(choices.stationery(settings), clock),
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
            readiness=Readiness(database=store.ready, schema_fits=store.schema_fits, outbox=store.outbox, clock=clock),
            metrics=metrics,
            dev_inbox=dev_inbox if mail_sender is dev_inbox else None,
        )
