"""One letter of each kind and occasion, to nobody: for looking at letters, and for trying templates."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from domain.email_address import EmailAddress
from domain.letters import (
    NOTICE_TIME,
    AccountExists,
    AddressInUse,
    ConfirmAddress,
    Letter,
    Notice,
    Occasion,
    ResetPassword,
    VerifyAddress,
)
from domain.secret import Secret

_NOBODY = EmailAddress("ada@example.com")


def sample_letters(locale: str, valid_for: timedelta = timedelta(minutes=60)) -> Mapping[str, Letter]:
    """By name. Their links say that they are samples, and open nothing; those that do not undo say they are good for
    `valid_for`."""
    token = Secret("SAMPLE-THIS-LINK-OPENS-NOTHING-SAMPLE-SAMPLE")
    letters: dict[str, Letter] = {
        "verify_address": VerifyAddress(recipient=_NOBODY, locale=locale, token=token, valid_for=valid_for),
        "verify_address_of_an_account": VerifyAddress(
            recipient=_NOBODY, locale=locale, token=token, valid_for=valid_for, has_account=True
        ),
        "account_exists": AccountExists(recipient=_NOBODY, locale=locale),
        "reset_password": ResetPassword(recipient=_NOBODY, locale=locale, token=token, valid_for=valid_for),
        "confirm_address": ConfirmAddress(recipient=_NOBODY, locale=locale, token=token, valid_for=valid_for),
        "address_in_use": AddressInUse(recipient=_NOBODY, locale=locale),
    }
    notices: dict[str, Letter] = {
        f"notice_{occasion}": Notice(
            recipient=_NOBODY,
            locale=locale,
            occasion=occasion,
            token=token,
            valid_for=NOTICE_TIME,
            happened_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
            device="Firefox on Linux",
            masked_address="192.0.2.0/24",
        )
        for occasion in Occasion
        if occasion.notice
    }
    return letters | notices
