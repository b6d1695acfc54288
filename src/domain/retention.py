"""How long what has served its time is kept (R66, ASVS 14.2.7)."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """For each kind: how long after it has expired, was done, or happened."""

    sign_ups: timedelta = timedelta(0)
    username_claims: timedelta = timedelta(0)
    tokens: timedelta = timedelta(days=2)
    """So that a late click reads `token_expired` for as long as its sign-up could have waited."""
    sessions: timedelta = timedelta(0)
    limits: timedelta = timedelta(0)
    letters: timedelta = timedelta(days=30)
    """For the operator who is asked where a letter went."""
    events: timedelta = timedelta(days=365)
    client_addresses: timedelta = timedelta(days=30)
    """In events, in full; shortened after that."""
