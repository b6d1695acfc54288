"""The table of contents: everything that can be asked of Ostiary."""

from dataclasses import dataclass

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


@dataclass(frozen=True, kw_only=True)
class UseCases:
    """One field per use case."""

    sign_up: SignUp | OpenSignUp
    verify_email: VerifyEmail
    resend_verification: ResendVerification
    sign_in: SignIn
    refresh: Refresh
    sign_out: SignOut
    identify: Identify
    deliver_mail: DeliverMail
    keep_house: KeepHouse
