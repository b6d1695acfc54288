"""What somebody does with their account, one line each."""

from dataclasses import replace

from application.admission import SignedIn
from application.recognition import Caller
from application.use_cases.account_deletion import DeleteAccountCommand
from application.use_cases.email_change import ChangeEmailCommand, ConfirmEmailChangeCommand
from application.use_cases.event_history import ListEventsCommand
from application.use_cases.password_change import ChangePasswordCommand, PasswordWasChanged
from application.use_cases.password_reset import ForgotPasswordCommand, PasswordWasReset, ResetPasswordCommand
from application.use_cases.sessions import (
    EndSessionCommand,
    ListedSession,
    ListSessionsCommand,
    Scope,
    SignOutCommand,
)
from application.use_cases.undo import UndoChangeCommand
from domain.client import Client
from domain.email_address import EmailAddress
from domain.errors import Unauthenticated
from domain.events import RecordedEvent
from tests.support.world import ADA, HERE, PASSWORD, World

NEW_PASSWORD = "difference of engines"
NEW_ADDRESS = "countess@example.com"

RESET, CONFIRM = "Choose a new password", "Confirm your new e-mail address"
"""How the subjects of these letters begin."""


async def alive(world: World, holding: SignedIn) -> bool:
    """Whether a session still counts."""
    try:
        await world.identify(holding)
    except Unauthenticated:
        return False
    return True


async def forgot(world: World, email: str = ADA, *, client: Client = HERE) -> None:
    await world.use_cases.forgot_password(ForgotPasswordCommand(email=email, client=client))


async def reset_token(world: World, email: str = ADA) -> str:
    """Ask, and read the letter."""
    await forgot(world, email)
    return await world.link_token(RESET, email)


async def reset(
    world: World, token: str, password: str = NEW_PASSWORD, *, client: Client = HERE, marks: str | None = None
) -> PasswordWasReset:
    return await world.use_cases.reset_password(
        ResetPasswordCommand(token=token, password=password, device_marks=marks, client=client)
    )


async def change_password(
    world: World,
    holding: SignedIn,
    *,
    current: str | None = PASSWORD,
    password: str | None = NEW_PASSWORD,
    caller: Caller | None = None,
    marks: str | None = None,
) -> PasswordWasChanged:
    return await world.use_cases.change_password(
        ChangePasswordCommand(
            caller=caller or await world.identify(holding),
            current_password=current,
            password=password,
            device_marks=marks,
            client=HERE,
        )
    )


async def change_email(
    world: World,
    holding: SignedIn,
    email: str | None = NEW_ADDRESS,
    *,
    password: str | None = PASSWORD,
    caller: Caller | None = None,
) -> EmailAddress:
    return await world.use_cases.change_email(
        ChangeEmailCommand(caller=caller or await world.identify(holding), email=email, password=password, client=HERE)
    )


async def confirm(world: World, token: str, *, client: Client = HERE) -> EmailAddress:
    return await world.use_cases.confirm_email_change(ConfirmEmailChangeCommand(token=token, client=client))


async def confirm_token(world: World, email: str = NEW_ADDRESS) -> str:
    return await world.link_token(CONFIRM, email)


async def delete(
    world: World, holding: SignedIn, *, password: str | None = PASSWORD, caller: Caller | None = None
) -> None:
    caller = caller or await world.identify(holding)
    await world.use_cases.delete_account(DeleteAccountCommand(caller=caller, password=password, client=HERE))


async def undo(world: World, token: str, *, client: Client = HERE) -> EmailAddress:
    return await world.use_cases.undo_change(UndoChangeCommand(token=token, client=client))


async def sign_out(world: World, holding: SignedIn, scope: Scope = Scope.THIS) -> None:
    caller = await world.identify(holding)
    await world.use_cases.sign_out(SignOutCommand(caller=caller, scope=scope, client=HERE))


async def sessions(world: World, holding: SignedIn) -> list[ListedSession]:
    return await world.use_cases.list_sessions(ListSessionsCommand(caller=await world.identify(holding)))


async def end_session(world: World, holding: SignedIn, ended: SignedIn) -> None:
    caller = await world.identify(holding)
    await world.use_cases.end_session(EndSessionCommand(caller=caller, session_id=ended.session.id, client=HERE))


async def events(world: World, holding: SignedIn) -> list[RecordedEvent]:
    return await world.use_cases.list_events(ListEventsCommand(caller=await world.identify(holding)))


async def shut_out(world: World, email: str = ADA) -> None:
    """An administrator disables somebody."""
    async with world.use_cases.change_password.keeping() as unit:
        found = await unit.users.of_email(EmailAddress.parse(email))
        assert found is not None
        await unit.accounts.hold(found.id)
        assert await unit.users.save(replace(found, disabled_at=world.clock.now()))
        await unit.commit()
