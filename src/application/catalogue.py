"""The table of contents: everything that can be asked of Ostiary."""

from dataclasses import dataclass

from application.use_cases.account_deletion import DeleteAccount
from application.use_cases.administration import ChangeUser, EndAllSessions, EndUserSessions
from application.use_cases.email_change import ChangeEmail, ConfirmEmailChange
from application.use_cases.email_verification import VerifyEmail
from application.use_cases.event_history import ListAllEvents, ListEvents
from application.use_cases.housekeeping import KeepHouse
from application.use_cases.identify import Identify
from application.use_cases.letter_register import AbandonLetter, ListLetters, RequeueLetter, ShowLetter
from application.use_cases.mail_delivery import DeliverMail
from application.use_cases.open_sign_up import OpenSignUp
from application.use_cases.password_change import ChangePassword
from application.use_cases.password_reset import ForgotPassword, ResetPassword
from application.use_cases.profile import ChangeProfile
from application.use_cases.refresh import Refresh
from application.use_cases.resend_verification import ResendVerification
from application.use_cases.sessions import EndSession, ListSessions, SignOut
from application.use_cases.sign_in import SignIn
from application.use_cases.sign_up import SignUp
from application.use_cases.started_reset import StartReset
from application.use_cases.suppressions import LiftSuppression, ListSuppressed, NoteBounces
from application.use_cases.undo import UndoChange
from application.use_cases.user_creation import CreateUser
from application.use_cases.user_directory import ListUsers, ShowUser
from application.use_cases.user_export import ExportUsers
from application.use_cases.user_import import ImportUsers


@dataclass(frozen=True, kw_only=True)
class UseCases:
    """One field per use case."""

    sign_up: SignUp | OpenSignUp
    verify_email: VerifyEmail
    resend_verification: ResendVerification
    sign_in: SignIn
    refresh: Refresh
    identify: Identify
    sign_out: SignOut
    list_sessions: ListSessions
    end_session: EndSession
    list_events: ListEvents
    forgot_password: ForgotPassword
    reset_password: ResetPassword
    change_password: ChangePassword
    change_profile: ChangeProfile
    change_email: ChangeEmail
    confirm_email_change: ConfirmEmailChange
    delete_account: DeleteAccount
    undo_change: UndoChange
    list_users: ListUsers
    show_user: ShowUser
    change_user: ChangeUser
    end_user_sessions: EndUserSessions
    start_reset: StartReset
    list_all_events: ListAllEvents
    create_user: CreateUser
    import_users: ImportUsers
    export_users: ExportUsers
    end_all_sessions: EndAllSessions
    list_letters: ListLetters
    show_letter: ShowLetter
    requeue_letter: RequeueLetter
    abandon_letter: AbandonLetter
    note_bounces: NoteBounces
    list_suppressed: ListSuppressed
    lift_suppression: LiftSuppression
    deliver_mail: DeliverMail
    keep_house: KeepHouse
