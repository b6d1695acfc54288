"""The rules for a password that somebody is about to choose: the same wherever one is chosen (ASVS 6.3.4)."""

from collections.abc import Iterable
from dataclasses import dataclass

from application.ports.environment import EventLog
from application.ports.hashing import BreachCheck, BreachCheckFailed, CommonPasswords, StrengthEstimator
from domain.email_address import EmailAddress
from domain.events import Event, EventKind
from domain.password import BEST_SCORE, Password, PasswordPolicy
from domain.violations import Violations


@dataclass(frozen=True, kw_only=True)
class NewPasswordRules:
    """The policy in force, with everything at hand that it asks. Never asked within a unit of work."""

    policy: PasswordPolicy
    common_passwords: CommonPasswords
    strength: StrengthEstimator | None
    """None where the policy wants no score."""
    breach_check: BreachCheck | None
    """None where the policy does not refuse breached passwords."""
    events: EventLog

    async def judge(
        self, violations: Violations, field: str, password: Password, *, about: Iterable[object | None]
    ) -> None:
        """Note every rule that `password` breaks. `about` is what is known of the person: address, name, username."""
        own_words = []
        for word in filter(None, about):
            own_words.append(str(word))
            if isinstance(word, EmailAddress):
                own_words.append(word.local_part)
        score = BEST_SCORE
        if self.strength is not None:
            score = self.strength.score(password.text, [*own_words, self.policy.product_name])
        for broken in self.policy.broken_rules(
            password,
            own_words=own_words,
            is_common=self.common_passwords.contains,
            is_breached=await self._is_breached(password),
            score=score,
        ):
            violations.add(field, broken.code, broken.message)

    async def _is_breached(self, password: Password) -> bool:
        """Whether it is known to be. Somebody else's outage keeps nobody out, but is on record."""
        if self.breach_check is None:
            return False
        try:
            return await self.breach_check.contains(password)
        except BreachCheckFailed as failed:
            self.events.record(Event(kind=EventKind.BREACH_CHECK_FAILED, reason=failed.reason))
            return False
