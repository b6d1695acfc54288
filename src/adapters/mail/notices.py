"""What the letters to owners say: one letter in seven wordings, each sentence the same in text and in HTML."""

from dataclasses import dataclass
from typing import assert_never

from domain.letters import Occasion
from domain.sentence import Sentence

_EVERYTHING_BACK = Sentence(
    "Open this link and confirm on the page behind it. Your account gets back the address it had before this, whatever "
    "was done to it since. All devices are signed out, and no password works any more until you choose a new one: for "
    "that, another letter follows at once."
)
_IN_PEACE = Sentence("There is nothing to do, and you can delete this letter.")
_TO_NOBODY = Sentence("Give it to nobody, whoever says they need it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeWords:
    """A wording, sentence by sentence. Every field is a variable of its templates."""

    subject: str
    happened: str
    was_you: str = Sentence("Was this you?")
    fine: str = _IN_PEACE
    was_not_you: str = Sentence("Was this not you?")
    beforehand: str = ""
    """What comes before the undoing."""
    undo: str = _EVERYTHING_BACK
    button: str = Sentence("This wasn’t me")
    terms: str = Sentence("The link works once, for %(validity)s.")
    caution: str = _TO_NOBODY
    besides: str = ""
    """What else to look after."""


def words_for(occasion: Occasion) -> NoticeWords:
    """The wording for an occasion of a notice."""
    match occasion:
        case Occasion.NEW_DEVICE:
            return NoticeWords(
                subject=Sentence("A new device signed in to your account at %(brand)s"),
                happened=Sentence(
                    "Somebody signed in to your account with your password, on a device that we had not seen you "
                    "use before."
                ),
            )
        case Occasion.SESSION_STOLEN:
            return NoticeWords(
                subject=Sentence("A copy of your session was used at %(brand)s"),
                happened=Sentence(
                    "Somebody used a copy of one of your sessions: the proof that a device is signed in, which "
                    "never leaves that device by itself. We have ended that session."
                ),
                was_you=Sentence("Do you know this device?"),
                fine=Sentence(
                    "A restored backup or a cloned device can look like this. Sign in again; there is nothing else "
                    "to do."
                ),
                was_not_you=Sentence("Do you not know it?"),
                besides=Sentence(
                    "Check the device that you were signed in on, too: something on it may read what it should not."
                ),
            )
        case Occasion.SESSIONS_ENDED:
            return NoticeWords(
                subject=Sentence("You were signed out of other devices at %(brand)s"),
                happened=Sentence("Somebody who is signed in to your account ended sessions on other devices."),
            )
        case Occasion.PASSWORD_RESET:
            return NoticeWords(
                subject=Sentence("Your password was reset at %(brand)s"),
                happened=Sentence(
                    "A new password was chosen for your account, by a link that we had sent to this address. All "
                    "devices were signed out."
                ),
                beforehand=Sentence(
                    "Change the password of your mailbox first: whoever did this could read your mail."
                ),
            )
        case Occasion.PASSWORD_CHANGED:
            return NoticeWords(
                subject=Sentence("Your password was changed at %(brand)s"),
                happened=Sentence(
                    "The password of your account was changed by somebody who was signed in and knew the old one. "
                    "All other devices were signed out."
                ),
            )
        case Occasion.EMAIL_CHANGED:
            return NoticeWords(
                subject=Sentence("Your e-mail address was changed at %(brand)s"),
                happened=Sentence(
                    "Your account has another e-mail address now. This one no longer signs you in, and letters "
                    "about your account go to the new one."
                ),
                fine=Sentence("There is nothing to do. Keep this letter for a week all the same: it is your way back."),
            )
        case Occasion.ACCOUNT_DELETED:
            return NoticeWords(
                subject=Sentence("Your account was deleted at %(brand)s"),
                happened=Sentence("Your account was deleted, with everything personal in it."),
                fine=Sentence("There is nothing to do. This is our last letter to you."),
                was_not_you=Sentence("Was this not you, or have you changed your mind?"),
                undo=Sentence(
                    "Open this link and confirm on the page behind it. Your account comes back with the address it "
                    "had before this. No password works until you choose a new one: for that, another letter follows "
                    "at once."
                ),
                button=Sentence("Bring my account back"),
                caution=Sentence("After that, your account is gone for good."),
            )
        case Occasion.SIGN_UP | Occasion.RESEND | Occasion.FORGOT_PASSWORD | Occasion.CHANGE_EMAIL:
            raise ValueError(f"{occasion} is no occasion of a notice")
        case _:
            assert_never(occasion)
