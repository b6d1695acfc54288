"""The use cases, each given exactly what it needs."""

from application.catalogue import UseCases
from application.letter_decisions import LetterDecisions
from application.use_cases.account_deletion import DeleteAccount
from application.use_cases.email_change import ChangeEmail, ConfirmEmailChange
from application.use_cases.email_verification import VerifyEmail
from application.use_cases.event_history import ListEvents
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
from application.use_cases.suppressions import LiftSuppression, ListSuppressed, NoteBounces
from application.use_cases.undo import UndoChange
from application.user_proof import UserProving
from entrypoints.composition import administration, choices
from entrypoints.composition.parts import Parts


def use_cases_of(parts: Parts) -> UseCases:
    """The table of contents, filled in."""
    settings, units = parts.settings, parts.store.units
    sign_up = SignUp(
        intake=units.intake, form=parts.form, hasher=parts.hasher, waiting_room=parts.waiting_room, events=parts.events
    )
    open_sign_up = OpenSignUp(
        intake=units.open_intake,
        form=parts.form,
        hasher=parts.hasher,
        waiting_room=parts.waiting_room,
        letters=parts.letters,
        admission=parts.admission,
        clock=parts.clock,
        ids=parts.ids,
        events=parts.events,
        verification_required=parts.verification_required,
        signs_in=settings.auto_sign_in,
    )
    return UseCases(
        sign_up=sign_up if settings.disclosure == "opaque" else open_sign_up,
        verify_email=VerifyEmail(
            reading=units.proof_reading,
            proving=units.proving,
            passwords=parts.passwords,
            of_users=UserProving(
                proving=units.proving,
                passwords=parts.passwords,
                admission=parts.admission,
                clock=parts.clock,
                profile=parts.profile,
                token_suffices=settings.verify_elsewhere == "allow",
            ),
            limits=parts.limits,
            admission=parts.admission,
            clock=parts.clock,
            ids=parts.ids,
            events=parts.events,
            quotas=parts.quotas,
            profile=parts.profile,
            token_suffices=settings.verify_elsewhere == "allow",
        ),
        resend_verification=ResendVerification(
            intake=units.intake,
            limits=parts.limits,
            clock=parts.clock,
            events=parts.events,
            quotas=parts.quotas,
            letters=parts.letters,
        ),
        sign_in=SignIn(
            reading=units.credential_reading,
            signing_in=units.signing_in,
            journal=units.journal,
            hasher=parts.hasher,
            limits=parts.limits,
            device_marks=parts.device_marks,
            admission=parts.admission,
            notices=parts.notices,
            clock=parts.clock,
            events=parts.events,
            quotas=parts.quotas,
            tells_of_new_devices=settings.new_device_letters,
            verification_required=parts.verification_required,
        ),
        refresh=Refresh(
            recognition=parts.recognition,
            keeping=units.session_keeping,
            admission=parts.admission,
            notices=parts.notices,
            clock=parts.clock,
            events=parts.events,
        ),
        sign_out=SignOut(keeping=units.session_keeping, notices=parts.notices, clock=parts.clock, events=parts.events),
        list_sessions=ListSessions(reading=units.own_reading, device_names=parts.device_names, clock=parts.clock),
        end_session=EndSession(
            keeping=units.session_keeping, notices=parts.notices, clock=parts.clock, events=parts.events
        ),
        list_events=ListEvents(reading=units.own_reading),
        forgot_password=ForgotPassword(
            intake=units.intake,
            limits=parts.limits,
            device_marks=parts.device_marks,
            clock=parts.clock,
            events=parts.events,
            quotas=parts.quotas,
            letters=parts.letters,
        ),
        reset_password=ResetPassword(
            reading=units.proof_reading,
            keeping=units.account_keeping,
            hasher=parts.hasher,
            new_passwords=parts.new_passwords,
            limits=parts.limits,
            profile=parts.profile,
            device_marks=parts.device_marks,
            notices=parts.notices,
            clock=parts.clock,
            events=parts.events,
            quotas=parts.quotas,
        ),
        change_password=ChangePassword(
            keeping=units.account_keeping,
            proof=parts.fresh_proof,
            hasher=parts.hasher,
            new_passwords=parts.new_passwords,
            device_marks=parts.device_marks,
            notices=parts.notices,
            clock=parts.clock,
            events=parts.events,
        ),
        change_profile=ChangeProfile(
            keeping=units.account_keeping,
            limits=parts.limits,
            profile=parts.profile,
            device_marks=parts.device_marks,
            clock=parts.clock,
            events=parts.events,
            quotas=parts.quotas,
        ),
        change_email=ChangeEmail(
            requesting=units.own_request,
            proof=parts.fresh_proof,
            limits=parts.limits,
            profile=parts.profile,
            clock=parts.clock,
            events=parts.events,
            quotas=parts.quotas,
            letters=parts.letters,
        ),
        confirm_email_change=ConfirmEmailChange(
            reading=units.proof_reading,
            keeping=units.account_keeping,
            limits=parts.limits,
            notices=parts.notices,
            clock=parts.clock,
            events=parts.events,
            quotas=parts.quotas,
        ),
        delete_account=DeleteAccount(
            keeping=units.account_keeping,
            proof=parts.fresh_proof,
            notices=parts.notices,
            clock=parts.clock,
            events=parts.events,
        ),
        undo_change=UndoChange(
            reading=units.proof_reading,
            keeping=units.account_keeping,
            seal=parts.record_seal,
            limits=parts.limits,
            letters=parts.letters,
            clock=parts.clock,
            ids=parts.ids,
            events=parts.events,
            quotas=parts.quotas,
        ),
        identify=Identify(
            recognition=parts.recognition,
            keeping=units.session_keeping,
            access_tokens=parts.access_tokens,
            clock=parts.clock,
        ),
        list_users=administration.list_users(parts),
        show_user=administration.show_user(parts),
        change_user=administration.change_user(parts),
        end_user_sessions=administration.end_user_sessions(parts),
        start_reset=administration.start_reset(parts),
        list_all_events=administration.list_all_events(parts),
        create_user=administration.create_user(parts),
        import_users=administration.import_users(parts),
        export_users=administration.export_users(parts),
        end_all_sessions=administration.end_all_sessions(parts),
        list_letters=ListLetters(mailroom=units.mailroom, clock=parts.clock),
        show_letter=ShowLetter(mailroom=units.mailroom, clock=parts.clock),
        requeue_letter=RequeueLetter(mailroom=units.mailroom, clock=parts.clock, events=parts.events),
        abandon_letter=AbandonLetter(mailroom=units.mailroom, clock=parts.clock, events=parts.events),
        note_bounces=NoteBounces(
            mailroom=units.mailroom, clock=parts.clock, events=parts.events, lasts=settings.suppress_for
        ),
        list_suppressed=ListSuppressed(mailroom=units.mailroom, clock=parts.clock),
        lift_suppression=LiftSuppression(
            mailroom=units.mailroom, clock=parts.clock, events=parts.events, lasts=settings.suppress_for
        ),
        deliver_mail=DeliverMail(
            delivery=units.delivery,
            decisions=LetterDecisions(
                clock=parts.clock,
                randomness=parts.randomness,
                device_names=parts.device_names,
                seal=parts.record_seal,
                quotas=parts.quotas,
                token_lifetime=settings.token_lifetime,
            ),
            renderer=parts.letter_renderer,
            sender=parts.mail_sender,
            clock=parts.clock,
            ids=parts.ids,
            randomness=parts.randomness,
            events=parts.events,
        ),
        keep_house=KeepHouse(
            purge=parts.store.purge, retention=choices.retention(settings), clock=parts.clock, events=parts.events
        ),
    )
