"""What a letter becomes, found out when it leaves and nowhere else (DESIGN sections 2 and 5)."""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from application.ports.environment import Clock, DeviceNames, Randomness
from application.ports.limits import Limits
from application.ports.sealing import RecordSeal
from application.ports.units_of_work import Delivery
from domain.errors import RateLimited
from domain.events import Event, EventKind
from domain.letters import (
    AccountExists,
    AddressInUse,
    ConfirmAddress,
    Letter,
    Notice,
    Occasion,
    Outcome,
    QueuedLetter,
    ResetPassword,
    VerifyAddress,
)
from domain.limits import Charge, Quotas
from domain.one_time_token import OneTimeToken, Purpose
from domain.reversal import UNDO_TIME
from domain.secret import Secret
from domain.sign_up import SignUpRequest
from domain.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a letter became. One that is none has a text all the same: everything but the sending is done for it."""

    letter: Letter
    outcome: Outcome
    token: OneTimeToken
    subject_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class LetterDecisions:
    """Decides. For one occasion it takes the same statements whatever comes of it: a unit of the notice's limit is
    spent under a name of no meaning where there is no notice, and a token for nothing is minted where there is no link.

    An address that gets no letters gets the same treatment, and costs its owner no unit of a notice's limit: once that
    is lifted, the operator can have the letter tried again.
    """

    clock: Clock
    randomness: Randomness
    device_names: DeviceNames
    seal: RecordSeal
    quotas: Quotas
    token_lifetime: timedelta

    async def decide(self, unit: Delivery, letter: QueuedLetter) -> Decision:
        """What `letter` becomes, written down in `unit`; the caller commits."""
        secret = Secret.of(self.randomness.bytes(32))
        suppressed = await unit.suppressed.of(letter.recipient, self.clock.now()) is not None
        match letter.occasion:
            case Occasion.SIGN_UP | Occasion.RESEND:
                decision = await self._verification(unit, letter, secret, suppressed=suppressed)
            case Occasion.FORGOT_PASSWORD:
                decision = await self._reset(unit, letter, secret, suppressed=suppressed)
            case Occasion.CHANGE_EMAIL:
                decision = await self._new_address(unit, letter, secret, suppressed=suppressed)
            case _:
                decision = await self._notice(unit, letter, secret, suppressed=suppressed)
        if suppressed and decision.outcome.leaves:
            token = replace(decision.token, purpose=Purpose.NOTHING)
            decision = replace(decision, outcome=Outcome.SUPPRESSED, token=token)
        await unit.tokens.add(decision.token)
        # What waits must be legible to the version before, whose workers may run beside: it knows no `suppressed`.
        noted = decision.outcome if decision.outcome.leaves else Outcome.NONE
        await unit.letters.decide(letter.id, noted, decision.subject_id)
        return decision

    async def _verification(
        self, unit: Delivery, letter: QueuedLetter, secret: Secret, *, suppressed: bool
    ) -> Decision:
        now = self.clock.now()
        sign_up = await unit.sign_ups.get(letter.subject_id or letter.id)
        owner = await unit.users.of_email(letter.recipient)
        # Whoever asked, and whatever waits: a user who has not proven the mailbox yet is whom it is about.
        unproven = owner is not None and not owner.email_verified and not owner.disabled
        subject_id = owner.id if owner and unproven else letter.subject_id
        newest = await unit.letters.is_newest(replace(letter, subject_id=subject_id))
        proven = sign_up is not None and sign_up.proven_at is not None
        # Not for the owner's own sign-up, whose letter is tried again although it has arrived.
        own = proven or (owner is not None and owner.id == letter.subject_id)
        notice = owner is not None and not unproven and letter.occasion is Occasion.SIGN_UP and not own
        within_limit = await self._tell_owner(
            unit.limits, letter, notice=notice, outcome=Outcome.ACCOUNT_EXISTS, suppressed=suppressed
        )
        if notice:
            outcome = Outcome.ACCOUNT_EXISTS if within_limit else Outcome.NONE
        else:
            waiting = sign_up is not None and not proven and sign_up.expires_at > now and owner is None
            outcome = Outcome.VERIFY_ADDRESS if newest and (waiting or unproven) else Outcome.NONE
        locale = _language_of(owner or sign_up, letter)
        verify = VerifyAddress(
            recipient=letter.recipient,
            locale=locale,
            token=secret,
            valid_for=self.token_lifetime,
            has_account=unproven,
        )
        exists = AccountExists(recipient=letter.recipient, locale=locale)
        return Decision(
            letter=exists if outcome is Outcome.ACCOUNT_EXISTS else verify,
            outcome=outcome,
            token=self._token(letter, secret, outcome is Outcome.VERIFY_ADDRESS, subject_id),
            subject_id=subject_id,
        )

    async def _reset(self, unit: Delivery, letter: QueuedLetter, secret: Secret, *, suppressed: bool) -> Decision:
        owner = await unit.users.of_email(letter.recipient)
        credential = await unit.accounts.of_user(owner.id if owner else letter.id)
        newest = await unit.letters.is_newest(letter)
        good = newest and owner is not None and not owner.disabled and credential is not None
        token = replace(
            self._token(letter, secret, good, letter.subject_id),
            user_id=owner.id if owner else None,
            credential_version=credential.version if credential else None,
            email=letter.recipient,
        )
        told = owner is not None and good and not suppressed
        event = Event(kind=EventKind.PASSWORD_RESET_SENT, user_id=owner.id if owner and told else None)
        await unit.events.add(event, self.clock.now())
        return Decision(
            letter=ResetPassword(
                recipient=letter.recipient,
                locale=_language_of(owner, letter),
                token=secret,
                valid_for=self.token_lifetime,
            ),
            outcome=Outcome.RESET_PASSWORD if good else Outcome.NONE,
            token=token,
            subject_id=letter.subject_id,
        )

    async def _new_address(self, unit: Delivery, letter: QueuedLetter, secret: Secret, *, suppressed: bool) -> Decision:
        user_id = letter.subject_id or letter.id
        owner = await unit.users.of_email(letter.recipient)
        user = await unit.users.get(user_id)
        credential = await unit.accounts.of_user(user_id)
        newest = await unit.letters.is_newest(letter)
        asked_under = letter.credential_version
        wanted = newest and user is not None and not user.disabled
        wanted = wanted and credential is not None and credential.version == asked_under
        taken = wanted and owner is not None and owner.id != user_id
        within_limit = await self._tell_owner(
            unit.limits, letter, notice=taken, outcome=Outcome.ADDRESS_IN_USE, suppressed=suppressed
        )
        if taken:
            outcome = Outcome.ADDRESS_IN_USE if within_limit else Outcome.NONE
        else:
            outcome = Outcome.CONFIRM_ADDRESS if wanted and owner is None else Outcome.NONE
        token = self._token(letter, secret, outcome is Outcome.CONFIRM_ADDRESS, letter.subject_id)
        confirm = ConfirmAddress(
            recipient=letter.recipient,
            locale=_language_of(user, letter),
            token=secret,
            valid_for=self.token_lifetime,
        )
        in_use = AddressInUse(recipient=letter.recipient, locale=_language_of(owner, letter))
        return Decision(
            letter=in_use if outcome is Outcome.ADDRESS_IN_USE else confirm,
            outcome=outcome,
            token=replace(token, user_id=user_id, credential_version=asked_under, email=letter.recipient),
            subject_id=letter.subject_id,
        )

    async def _notice(self, unit: Delivery, letter: QueuedLetter, secret: Secret, *, suppressed: bool) -> Decision:
        reversal = await unit.reversals.get(letter.subject_id or letter.id)
        as_it_was = self.seal.open(reversal.sealed, reversal.id) if reversal else None
        key = f"{letter.occasion.value}:{letter.recipient}"
        first = letter.outcome is not Outcome.NOTICE
        counts = first and reversal is not None and not suppressed
        within_limit = await self._spend(unit.limits, "notice", key if counts else str(letter.id))
        good = reversal is not None and (within_limit or not first)
        notice = Notice(
            recipient=letter.recipient,
            locale=_language_of(as_it_was.user if as_it_was else None, letter),
            occasion=letter.occasion,
            token=secret,
            valid_for=UNDO_TIME,
            happened_at=letter.created_at,
            device=self.device_names.describe(as_it_was.browser if as_it_was else ""),
            masked_address=as_it_was.masked_address if as_it_was else "",
        )
        token = replace(self._token(letter, secret, good, letter.subject_id), expires_at=self.clock.now() + UNDO_TIME)
        return Decision(
            letter=notice,
            outcome=Outcome.NOTICE if good else Outcome.NONE,
            token=token,
            subject_id=letter.subject_id,
        )

    def _token(self, letter: QueuedLetter, secret: Secret, good: bool, subject_id: UUID | None) -> OneTimeToken:
        return OneTimeToken(
            digest=secret.digest,
            purpose=letter.purpose if good else Purpose.NOTHING,
            subject_id=subject_id or letter.id,
            requested_at=letter.created_at,
            expires_at=self.clock.now() + self.token_lifetime,
        )

    async def _tell_owner(
        self, limits: Limits, letter: QueuedLetter, *, notice: bool, outcome: Outcome, suppressed: bool
    ) -> bool:
        """Whether an owner may be told once more; a letter that was to tell them already, may."""
        first = notice and letter.outcome is not outcome and not suppressed
        key = letter.recipient.canonical if first else str(letter.id)
        within_limit = await self._spend(limits, "owner_notice", key)
        return within_limit or not first

    async def _spend(self, limits: Limits, limit: str, key: str) -> bool:
        try:
            await limits.spend([Charge(self.quotas.limit(limit), key)], self.clock.now())
        except RateLimited:
            return False
        return True


def _language_of(reader: User | SignUpRequest | None, letter: QueuedLetter) -> str | None:
    """Theirs, as far as it is known; else that of whoever asked for the letter."""
    return (reader.locale if reader is not None else None) or letter.locale
