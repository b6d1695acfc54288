"""The rules for a password that somebody is about to choose: the same wherever one is chosen (ASVS 6.3.4)."""

from collections.abc import Iterable
from dataclasses import dataclass

from application.ports.hashing import CommonPasswords
from domain.email_address import EmailAddress
from domain.password import Password, PasswordPolicy
from domain.violations import Violations


@dataclass(frozen=True, kw_only=True)
class NewPasswordRules:
    """The policy in force, with the published lists at hand."""

    policy: PasswordPolicy
    common_passwords: CommonPasswords

    def judge(self, violations: Violations, field: str, password: Password, *, about: Iterable[object | None]) -> None:
        """Note every rule that `password` breaks. `about` is what is known of the person: address, name, username."""
        own_words = []
        for word in filter(None, about):
            own_words.append(str(word))
            if isinstance(word, EmailAddress):
                own_words.append(word.local_part)
        for broken in self.policy.broken_rules(password, own_words=own_words, is_common=self.common_passwords.contains):
            violations.add(field, broken.code, broken.message)
