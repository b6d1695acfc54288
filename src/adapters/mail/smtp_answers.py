"""What a mail server's answers mean for a letter: codes (RFC 5321) and enhanced codes (RFC 3463), never its words."""

import re
from dataclasses import dataclass

from application.ports.letters import MailDelayed, MailRefused

SEE_LOG_IN = "see SMTP_USER and SMTP_PASS"

_LOG_IN_MISSING = {530, 534, 535, 538}
"""A log-in is missing or too weak (RFC 4954 section 6): the operator's to mend."""

_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![0-9.])")

_FOR_GOOD = re.compile(r"5\.(?:1\.(?:1|2|3|6|10)|2\.1|3\.4|6\.[0-9]+)")
"""No such mailbox or domain, moved away, closed; the letter too large, or its content not carried."""

_FOR_GOOD_WITHOUT = {"recipient": {550, 551, 552, 553}, "message": {552}}
"""Where there is no enhanced code. After the letter only its size: others say 550 or 554 for a sender that is not
verified or an account that is blocked."""

_MEANINGS = (
    (r"5\.(?:1\.[78]|2\.252|7\.60)", "sender not accepted", "see EMAIL_FROM"),
    (r"5\.2\.2", "mailbox full", ""),
    (r"5\.4\.5", "the sending limit is reached", ""),
    (r"5\.5\.[24]", "greeting or command not accepted", "see EMAIL_FROM, whose domain greets the server"),
    (r"5\.7\.[0-9]+", "not allowed to send", "see EMAIL_FROM, SMTP_USER, and whether a block list has this machine"),
)
"""By enhanced code: what is not the letter's fault. 5.2.252 and 5.7.60 are Exchange's, 5.4.5 is Google's."""


@dataclass(frozen=True, slots=True)
class SmtpAnswer:
    """A code and, where the server's words begin with one, the enhanced code."""

    code: int
    enhanced: str = ""

    @classmethod
    def read(cls, code: int, words: str) -> "SmtpAnswer":
        """The words themselves are left behind: they quote."""
        found = _ENHANCED.match(words)
        return cls(code, found[1] if found else "")

    @property
    def for_good(self) -> bool:
        """Whether it is of the class that says: never (5xx)."""
        return 500 <= self.code < 600

    def told(self, what: str) -> str:
        """That this answer was given to `what`."""
        if self.code < 200:
            return f"{what} answered with what is no SMTP"
        return f"{what} {'refused' if self.for_good else 'delayed'} ({self})"

    def __str__(self) -> str:
        return f"{self.code} {self.enhanced}".rstrip()


def verdict(answer: SmtpAnswer, what: str) -> MailRefused | MailDelayed:
    """On `sender`, `recipient` or `message`. Given up is only what is about this mailbox or this content; all the rest
    passes, or is the operator's to mend, and the reason names the setting."""
    if answer.code in _LOG_IN_MISSING:
        return MailDelayed(f"log-in required ({answer.code}): {SEE_LOG_IN}")
    if answer.for_good and what != "sender":
        given_up = _FOR_GOOD.fullmatch(answer.enhanced)
        if given_up or (not answer.enhanced and answer.code in _FOR_GOOD_WITHOUT[what]):
            return MailRefused(answer.told(what))
    if answer.for_good:
        for pattern, meaning, see in _MEANINGS:
            if re.fullmatch(pattern, answer.enhanced):
                return MailDelayed(f"{meaning} ({answer})" + (f": {see}" if see else ""))
    see_sender = answer.for_good or what == "sender"
    return MailDelayed(answer.told(what) + (": see EMAIL_FROM" if see_sender else ""))
