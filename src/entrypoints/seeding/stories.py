"""The stories that are told, one for each of the first people, and an ordinary one for everybody else."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from application.administrators import CommandLine
from application.use_cases.administration import ChangeUserCommand
from application.use_cases.email_change import ChangeEmailCommand, ConfirmEmailChangeCommand
from application.use_cases.password_change import ChangePasswordCommand
from application.use_cases.password_reset import ForgotPasswordCommand, ResetPasswordCommand
from application.use_cases.undo import UndoChangeCommand
from entrypoints.seeding.lives import Life
from entrypoints.seeding.people import FORMER_PASSWORD, LAPTOP, OFFICE, PASSWORD, PHONE, STRANGER


@dataclass(frozen=True, slots=True)
class Story:
    """What happens to somebody, and how it is told in a few words."""

    words: str
    happens: Callable[[Life], Awaitable[None]]
    gets_in: bool = True
    """Whether one can sign in as them afterwards."""


async def _administers(life: Life) -> None:
    life.ago(days=38)
    user = (await life.join()).user
    life.later(hours=1)
    change = ChangeUserCommand(caller=CommandLine(), user_id=user.id, role="admin")
    await life.use_cases.change_user(change)
    life.ago(days=3)
    await life.sign_in(OFFICE)
    life.ago(hours=5)
    await life.sign_in(PHONE)


async def _is_everywhere(life: Life) -> None:
    life.ago(days=33)
    await life.join()
    life.ago(days=20)
    laptop = await life.sign_in(LAPTOP)
    life.ago(days=12)
    laptop = await life.refresh(laptop)
    life.ago(days=9)
    office = await life.sign_in(OFFICE)
    life.ago(days=4)
    await life.sign_in(PHONE)
    life.ago(days=2)
    await life.refresh(laptop)
    life.ago(days=1, hours=3)
    await life.refresh(office)


async def _is_disabled(life: Life) -> None:
    life.ago(days=25)
    user = (await life.join()).user
    life.ago(days=6)
    await life.sign_in(OFFICE)
    life.ago(days=5)
    await life.use_cases.change_user(ChangeUserCommand(caller=CommandLine(), user_id=user.id, disabled=True))
    life.ago(days=4)
    await life.fail_to_sign_in(life.person.at(OFFICE), 1)


async def _is_guessed_at(life: Life) -> None:
    life.ago(days=29)
    await life.join()
    life.ago(days=2)
    await life.fail_to_sign_in(STRANGER, 4)
    life.later(hours=6)
    await life.fail_to_sign_in(life.person.at(PHONE), 1)
    await life.sign_in(PHONE)


async def _changes_password(life: Life) -> None:
    life.ago(days=31)
    await life.join(password=FORMER_PASSWORD)
    life.ago(days=8)
    signed_in = await life.sign_in(LAPTOP, FORMER_PASSWORD)
    life.later(minutes=3)
    await life.use_cases.change_password(
        ChangePasswordCommand(
            caller=await life.caller(signed_in),
            current_password=FORMER_PASSWORD,
            password=PASSWORD,
            client=life.person.at(LAPTOP),
        )
    )
    life.later(minutes=2)
    await life.deliver()


async def _changes_address(life: Life) -> None:
    life.ago(days=27)
    signed_in = await life.join(life.person.former_email)
    life.later(hours=30)
    caller, client = await life.caller(signed_in), life.person.at(LAPTOP)

    async def ask() -> None:
        command = ChangeEmailCommand(caller=caller, email=life.person.email, password=PASSWORD, client=client)
        await life.use_cases.change_email(command)

    token = await life.token(life.person.email, ask)
    await life.use_cases.confirm_email_change(ConfirmEmailChangeCommand(token=token, client=client))
    life.later(minutes=2)
    await life.deliver()
    life.ago(days=1)
    await life.sign_in(OFFICE)


async def _is_robbed_and_undoes_it(life: Life) -> None:
    life.ago(days=22)
    await life.join()
    life.ago(days=3)
    client, email = life.person.at(LAPTOP), life.person.email
    undo = await life.token(email, life.be_robbed)
    life.later(hours=2)
    await life.use_cases.undo_change(UndoChangeCommand(token=undo, client=client))

    async def ask() -> None:
        if asked:
            await life.use_cases.forgot_password(ForgotPasswordCommand(email=email, client=client))
        asked.append(True)  # the first letter comes by itself

    asked: list[bool] = []
    token = await life.token(email, ask)
    await life.use_cases.reset_password(ResetPasswordCommand(token=token, password=PASSWORD, client=client))
    life.later(minutes=5)
    await life.sign_in()
    await life.deliver()


async def _waits(life: Life) -> None:
    life.ago(hours=3)
    await life.ask_to_join()  # the letter stays in the queue: the service sends it when it runs


def _lives_on(number: int) -> Story:
    async def happens(life: Life) -> None:
        life.ago(days=34 - number * 5 % 29)
        await life.join()
        for browser, days in ((OFFICE, 11), (PHONE, 6), (LAPTOP, 1))[number % 3 :]:
            life.ago(days=min(days, 34 - number * 5 % 29) - number % 7 / 10)
            await life.sign_in(browser)

    return Story("an ordinary user", happens)


_FIRST = (
    Story("an administrator", _administers),
    Story("signed in on several devices", _is_everywhere),
    Story("disabled", _is_disabled, gets_in=False),
    Story("somebody guessed at the password", _is_guessed_at),
    Story("changed the password", _changes_password),
    Story("changed the address", _changes_address),
    Story("was robbed of a session, and undid it", _is_robbed_and_undoes_it),
)
_LAST = Story("signed up and has not opened the letter yet", _waits, gets_in=False)


def stories(people: int) -> Sequence[Story]:
    """So many: the first ones as far as they go, then ordinary ones, and in the end one that waits."""
    ordinary = [_lives_on(number) for number in range(people)]
    told = [*_FIRST, *ordinary][: max(people - 1, 1)]
    return [*told, _LAST] if people > 1 else told
