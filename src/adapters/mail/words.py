"""What letters say, sentence by sentence: the same in text and in HTML. All of it is ours, no word of anybody else's.

`%(brand)s` is the name of the product, `%(validity)s` how long a link works, such as "60 minutes".
"""

from dataclasses import dataclass

from domain.letters import AccountExists, AddressInUse, ConfirmAddress, ResetPassword, VerifyAddress
from domain.sentence import Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterWords:
    """A letter around one link. Every field is a variable of its templates."""

    subject: str
    opening: str
    """Before the link."""
    button: str
    """What opens the link, in HTML."""
    terms: str = ""
    """What the link does, and for how long."""
    caution: str
    """What to know, and what to do for somebody who did not ask for it."""


_ALREADY_THERE = Sentence("You already have an account at %(brand)s")
_SIGN_IN = Sentence("Sign in")
_NOT_SIGNED_UP = Sentence(
    "If you did not sign up, ignore this letter: nothing happens, and nobody can use your address."
)
_ACCOUNT_OF_SOMEBODY_ELSE = Sentence(
    "If you did not sign up, somebody else opened an account with your address. Open the link and choose a new "
    "password: the account is yours then, and they are out. If you ignore this letter, the address stays unconfirmed."
)


def words_of(letter: VerifyAddress | AccountExists | ResetPassword | ConfirmAddress | AddressInUse) -> LetterWords:
    """What a letter says that is no notice."""
    match letter:
        case VerifyAddress():
            return LetterWords(
                subject=Sentence("Confirm your e-mail address for %(brand)s"),
                opening=Sentence(
                    "Somebody, probably you, signed up with this address. To confirm that it is yours, open this link:"
                ),
                button=Sentence("Confirm my address"),
                terms=Sentence(
                    "The link works for %(validity)s. It is best opened in the browser where you signed up; elsewhere "
                    "you will be asked for the password you chose, or can choose a new one."
                ),
                caution=_ACCOUNT_OF_SOMEBODY_ELSE if letter.has_account else _NOT_SIGNED_UP,
            )
        case AccountExists():
            return LetterWords(
                subject=_ALREADY_THERE,
                opening=Sentence(
                    "Somebody, perhaps you, tried to sign up with this address. There is an account for it already, so "
                    "you can simply sign in:"
                ),
                button=_SIGN_IN,
                caution=Sentence(
                    "The password typed at that sign-up has no effect: yours is the one you had before. If it was not "
                    "you, nothing has changed and you need do nothing."
                ),
            )
        case ResetPassword():
            return LetterWords(
                subject=Sentence("Choose a new password for %(brand)s"),
                opening=Sentence(
                    "The account with this address needs a new password: because you asked for one, because you told "
                    "us that something was not you, or because an administrator created or renewed your account. To "
                    "choose one, open this link:"
                ),
                button=Sentence("Choose a new password"),
                terms=Sentence(
                    "The link works once, for %(validity)s. Your new password ends every session: all your devices "
                    "are signed out, and you sign in again with it."
                ),
                caution=Sentence(
                    "If none of this was you, ignore this letter: it changes nothing, and asking alone lets nobody in. "
                    "Give this link to nobody, whoever says they need it."
                ),
            )
        case ConfirmAddress():
            return LetterWords(
                subject=Sentence("Confirm your new e-mail address for %(brand)s"),
                opening=Sentence(
                    "Somebody, probably you, wants to use this address for their account from now on. To confirm that "
                    "it is yours, open this link:"
                ),
                button=Sentence("Confirm my new address"),
                terms=Sentence(
                    "The link works once, for %(validity)s. From then on you sign in with this address, and your "
                    "letters come here. We tell your old address."
                ),
                caution=Sentence(
                    "If it was not you, ignore this letter: nothing happens, and nobody can use your address. Somebody "
                    "may have mistyped theirs."
                ),
            )
        case AddressInUse():
            return LetterWords(
                subject=_ALREADY_THERE,
                opening=Sentence(
                    "Somebody, perhaps you, wanted to move another account to this address. There is an account for it "
                    "already, and nothing has changed. You can sign in to it:"
                ),
                button=_SIGN_IN,
                caution=Sentence(
                    "One address can have one account. If both are yours, and the other one is to have this address, "
                    "sign in to this one first and delete it or give it another address. If it was not you, you need "
                    "do nothing."
                ),
            )
