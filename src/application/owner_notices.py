"""Telling an owner what happened to their account, so that they can say *this wasn't me* (ASVS 6.3.7)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from application.letter_requests import LetterRequests
from application.ports.collections import Accounts, Letters, Reversals, Users
from application.ports.environment import Ids
from application.ports.sealing import RecordSeal
from domain.client import Client
from domain.errors import Unauthenticated
from domain.letters import Occasion
from domain.reversal import AsItWas, Reversal

_TICK = timedelta(microseconds=1)


class Telling(Protocol):
    """What a unit of work has to hold for a notice to go with it."""

    @property
    def accounts(self) -> Accounts: ...
    @property
    def users(self) -> Users: ...
    @property
    def reversals(self) -> Reversals: ...
    @property
    def letters(self) -> Letters: ...


@dataclass(frozen=True, kw_only=True)
class OwnerNotices:
    """Writes notices into the work that they are about. Each goes to the address that the account had before."""

    ids: Ids
    seal: RecordSeal
    letters: LetterRequests

    async def tell(
        self, unit: Telling, occasion: Occasion, user_id: UUID, credential_version: int, client: Client, now: datetime
    ) -> None:
        """Tell the owner, before anything of the account is changed; the caller commits. A mailbox that nobody has
        proven is told nothing: it may be a stranger's.

        Holds the account, and raises `Unauthenticated` when its credential is another by now, or it is gone: whoever
        acts on what they saw before an owner undid it must not leave behind what undoes the undoing.
        """
        credential = await unit.accounts.hold(user_id)
        user = await unit.users.hold(user_id)
        if credential is None or user is None or user.disabled or credential.version != credential_version:
            raise Unauthenticated
        if not user.email_verified:
            return
        reversal_id = self.ids.new()
        as_it_was = AsItWas(
            user=user,
            credential_version=credential_version,
            browser=client.browser,
            masked_address=client.masked_address,
        )
        # Later than the last one, whatever the clocks of several nodes say: an undo counts on the order.
        last = await unit.reversals.last_made_at(user_id)
        made_at = max(now, last + _TICK) if last is not None else now
        sealed = self.seal.seal(as_it_was, reversal_id)
        await unit.reversals.add(
            Reversal.of(id=reversal_id, user_id=user_id, occasion=occasion, sealed=sealed, now=made_at)
        )
        await unit.letters.enqueue(self.letters.make(occasion, user.email, reversal_id, now, client=client))
