"""Whatever people do, in whatever order: every answer is the one a few dicts would give, on every store
(SECURITY section 3): docs/testing.md."""

import asyncio
import itertools
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar, cast
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from application.admission import SignedIn
from application.recognition import Caller
from application.use_cases.identify import IdentifyCommand
from application.use_cases.password_change import ChangePasswordCommand, PasswordWasChanged
from application.use_cases.password_reset import PasswordWasReset
from application.use_cases.refresh import RefreshCommand
from application.use_cases.resend_verification import ResendVerificationCommand
from application.use_cases.sessions import Scope, SignOutCommand
from application.waiting_room import VerificationSent
from domain.email_address import EmailAddress
from domain.errors import Refusal
from domain.letters import Outcome
from domain.session import Transport
from tests.support.account_steps import RESET, forgot, reset
from tests.support.mail import token_in
from tests.support.oracle import DEVICE, IDLE, LINK, PAIR, WAITING, Browser, Oracle, Session, Verdict
from tests.support.server import NO_LIMITS
from tests.support.store_kinds import STORES
from tests.support.world import ELSEWHERE, HERE, World, make_world

PASSWORDS = ("engine of difference", "a stranger's own idea", "neither of the two")
CLIENTS = (HERE, ELSEWHERE)
FACTS = ("its cookie", "a cookie", "a session", "its password", "a password", "a new password", "none")
TICK = timedelta(milliseconds=1)
LIMITS = {
    **NO_LIMITS,
    "OSTIARY_LIMIT_SIGN_IN_PAIR": f"{PAIR}/15m",
    "OSTIARY_LIMIT_SIGN_IN_DEVICE": f"{DEVICE}/15m",
}

_people = itertools.count()
Item = TypeVar("Item")
Answer = TypeVar("Answer")

addresses = st.integers(0, 1)
browsers = st.sampled_from([0, 1])
passwords = st.sampled_from(PASSWORDS)
which = st.integers(0, 7)
transports = st.sampled_from(list(Transport))
spans = st.one_of(
    st.sampled_from([timedelta(seconds=29), timedelta(seconds=31), timedelta(minutes=5), timedelta(minutes=15)]),
    st.sampled_from([LINK, WAITING / 2, WAITING, IDLE, IDLE / 2]),
    st.timedeltas(timedelta(0), timedelta(minutes=2)),
    st.timedeltas(timedelta(0), timedelta(days=40)),
)


def pick(items: Sequence[Item], number: int) -> Item:
    """One of them; a small number for one of the newest."""
    return items[-1 - number % len(items)]


class NotedIds:
    """`application.ports.environment.Ids` that knows the last one: a letter's, after it was asked for."""

    def __init__(self) -> None:
        self.last = uuid4()

    def new(self) -> UUID:
        self.last = uuid4()
        return self.last


class Life(RuleBasedStateMachine):
    """Two addresses and two browsers; everybody may try everything. Addresses are new to the store every time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, world: World, ids: NotedIds) -> None:
        super().__init__()
        # The clock goes on from life to life, and some times are kept in whole seconds.
        world.clock.advance(microseconds=1_000_000 - world.clock.now().microsecond)
        self.loop, self.world, self.ids = loop, world, ids
        self.oracle = Oracle(world.clock)
        people = next(_people)
        self.emails = [f"{name}{people}@example.com" for name in ("ada", "grace")]
        self.browsers = [Browser(), Browser()]
        self.marks: list[str | None] = [None, None]
        self.arrived: set[UUID] = set()
        self.ids_of_users: dict[str, UUID] = {}

    def answer(self, attempt: Coroutine[None, None, Answer]) -> Answer | type[Refusal]:
        """What comes of it; after that, a moment passes."""
        try:
            return self.loop.run_until_complete(attempt)
        except Refusal as refusal:
            return type(refusal)
        finally:
            self.world.clock.advance(seconds=TICK.total_seconds())

    # Sign-ups and letters

    @rule(address=addresses, password=passwords)
    def sign_up(self, address: int, password: str) -> None:
        email = self.emails[address]
        moment = self.oracle.now
        sent = self.answer(self.world.sign_up(email, password))
        assert isinstance(sent, VerificationSent), "whoever has the address"
        self.oracle.sign_up(email, password, sent.cookie.text, self.ids.last, moment)

    @rule(address=addresses, how=st.sampled_from(["address", "cookie", "token"]), number=which, beside=st.booleans())
    def ask_for_the_letter_again(self, address: int, how: str, number: int, beside: bool) -> None:
        email: str | None = self.emails[address]
        token = cookie = None
        if how == "cookie" and self.oracle.sign_ups:
            cookie = pick(self.oracle.sign_ups, number).cookie
        if how == "token" and self.oracle.tokens:
            token = pick(self.oracle.tokens, number).text
            email = email if beside else None
        whose = ResendVerificationCommand(email=email, token=token, cookie=cookie, client=HERE)
        self.loop.run_until_complete(self.world.use_cases.resend_verification(whose))
        self.oracle.resend(self.ids.last, email, token, cookie)
        self.world.clock.advance(seconds=TICK.total_seconds())

    @rule()
    def deliver(self) -> None:
        before = len(self.world.mailbox.letters)
        due = self.oracle.deliver()
        mine = {letter.id for letter in self.oracle.letters}
        while self.loop.run_until_complete(self.world.use_cases.deliver_mail()):
            pass
        came = {}
        for letter in self.world.mailbox.letters[before:]:
            letter_id = UUID(letter.message_id.strip("<>").partition("@")[0])
            if letter_id in mine:
                assert letter_id not in self.arrived, "one letter for one request"
                self.arrived.add(letter_id)
                came[letter_id] = letter
        outcomes = {
            letter_id: Outcome.VERIFY_ADDRESS if "?token=" in letter.text else Outcome.ACCOUNT_EXISTS
            for letter_id, letter in came.items()
        }
        assert outcomes == due
        for letter_id, outcome in due.items():  # as they were asked for: several may leave at once, in any order
            if outcome is Outcome.VERIFY_ADDRESS:
                self.oracle.arrived(letter_id, token_in(came[letter_id]))

    @precondition(lambda self: self.oracle.tokens)
    @rule(number=which, browser=browsers, fact=st.sampled_from(FACTS), other=which, by=transports)
    def verify(self, number: int, browser: int, fact: str, other: int, by: Transport) -> None:
        token = pick(self.oracle.tokens, number)
        session = pick(self.oracle.sessions, other) if fact == "a session" and self.oracle.sessions else None
        caller = self._identified(session) if session else None
        cookies = {"its cookie": token.about.cookie, "a cookie": pick(self.oracle.sign_ups, other).cookie}
        cookie = cookies.get(fact)
        password = {"its password": token.about.password, "a password": pick(PASSWORDS, other)}.get(fact)
        new_password = pick(PASSWORDS, other) if fact == "a new password" else None
        email = token.about.email
        verdict = self.oracle.verify(
            token.text,
            cookie=cookie,
            session=session if caller else None,
            password=password,
            new_password=new_password,
        )
        verifying = self.world.verify(
            token.text,
            transport=by,
            marks=self.marks[browser],
            cookie=cookie,
            caller=caller,
            password=password,
            new_password=new_password,
        )
        self._come_in(verifying, verdict, email, browser)

    @precondition(lambda self: not self.oracle.users)
    @rule(address=addresses, password=passwords, browser=browsers, by=transports)
    def join(self, address: int, password: str, browser: int, by: Transport) -> None:
        """The usual way, so that more than one in a hundred gets there."""
        arrived = len(self.oracle.tokens)
        self.sign_up(address, password)
        self.deliver()
        if len(self.oracle.tokens) > arrived:
            self.verify(0, browser, "its cookie", 0, by)

    # Passwords

    @rule(address=addresses)
    def forget_the_password(self, address: int) -> None:
        email, moment, before = self.emails[address], self.oracle.now, len(self.world.mailbox.letters)
        assert self.answer(forgot(self.world, email)) is None
        due = self.oracle.asked_for_a_reset(email, moment)
        self.deliver()
        came = [letter for letter in self.world.mailbox.letters[before:] if letter.subject.startswith(RESET)]
        assert len(came) == due, "whoever has the address, and nobody else"
        if came:
            self.oracle.reset_arrived(email, token_in(came[0]), moment)

    @precondition(lambda self: self.oracle.resets)
    @rule(number=which, password=passwords, browser=browsers)
    def reset_the_password(self, number: int, password: str, browser: int) -> None:
        link = pick(self.oracle.resets, number)
        verdict = self.oracle.reset(link, password)
        moment = self.oracle.now
        answer = self.answer(reset(self.world, link.text, password, marks=self.marks[browser]))
        if not isinstance(answer, PasswordWasReset):
            assert answer is verdict
            return
        assert verdict is None
        self.oracle.mark(self.browsers[browser], link.user.email, moment, anew=True)
        self.marks[browser] = answer.device_marks

    @precondition(lambda self: self.oracle.sessions)
    @rule(number=which, current=passwords, password=passwords, browser=browsers)
    def change_the_password(self, number: int, current: str, password: str, browser: int) -> None:
        session = pick(self.oracle.sessions, number)
        caller = self._identified(session)
        if caller is None:
            return
        verdict = self.oracle.change_password(session, current, password)
        moment = self.oracle.now
        command = ChangePasswordCommand(
            caller=caller,
            current_password=current,
            password=password,
            device_marks=self.marks[browser],
            client=CLIENTS[browser],
        )
        answer = self.answer(self.world.use_cases.change_password(command))
        if not isinstance(answer, PasswordWasChanged):
            assert answer is verdict
            return
        assert verdict is None
        self.oracle.mark(self.browsers[browser], session.user.email, moment)
        self.marks[browser] = answer.device_marks

    # Sessions

    @rule(address=addresses, password=passwords, browser=browsers, by=transports, remember=st.booleans())
    def sign_in(self, address: int, password: str, browser: int, by: Transport, remember: bool) -> None:
        email = self.emails[address]
        verdict = self.oracle.sign_in(self.browsers[browser], email, password)
        signing_in = self.world.sign_in(
            email, password, client=CLIENTS[browser], remember=remember, transport=by, marks=self.marks[browser]
        )
        self._come_in(signing_in, verdict, email, browser)

    @precondition(lambda self: self.oracle.sessions)
    @rule(number=which, counter=which, other_way=st.sampled_from([False, False, False, True]))
    def refresh(self, number: int, counter: int, *, other_way: bool) -> None:
        session = pick(self.oracle.sessions, number)
        text, by = pick(session.texts, counter), session.transport
        if other_way:
            [by] = set(Transport) - {by}
        verdict, moves = self.oracle.refresh(session, text, by)
        moment = self.oracle.now
        answer = self.answer(
            self.world.use_cases.refresh(RefreshCommand(session_token=text, transport=by, client=HERE))
        )
        if not isinstance(answer, SignedIn):
            assert answer is verdict
            return
        assert verdict is None
        if moves:
            assert answer.session_token.text not in session.texts
            session.texts.append(answer.session_token.text)
        assert answer.session_token.text == session.texts[-1]
        self.oracle.issued(answer.access_token, session, moment)

    @precondition(lambda self: self.oracle.sessions)
    @rule(number=which)
    def stay(self, number: int) -> None:
        """The usual way, so that there are counters to go back to."""
        self.wait(timedelta(seconds=31))
        self.refresh(number, 0, other_way=False)

    @precondition(lambda self: self.oracle.sessions)
    @rule(number=which, counter=which)
    def come_back_with_a_cookie(self, number: int, counter: int) -> None:
        session = pick(self.oracle.sessions, number)
        self._identified(session, pick(session.texts, counter))

    @precondition(lambda self: self.oracle.access_tokens)
    @rule(number=which)
    def come_back_with_an_access_token(self, number: int) -> None:
        text = pick(list(self.oracle.access_tokens), number)
        session = self.oracle.access_tokens[text][0]
        verdict = self.oracle.identify_by_access_token(text)
        self._recognised(IdentifyCommand(access_token=text), session, verdict)

    @precondition(lambda self: self.oracle.sessions)
    @rule(number=which, scope=st.sampled_from(list(Scope)))
    def sign_out(self, number: int, scope: Scope) -> None:
        session = pick(self.oracle.sessions, number)
        caller = self._identified(session)
        if caller is None:
            return
        self.answer(self.world.use_cases.sign_out(SignOutCommand(caller=caller, scope=scope, client=HERE)))
        for other in self.oracle.sessions:
            of_scope = {Scope.THIS: other is session, Scope.OTHERS: other is not session, Scope.ALL: True}[scope]
            other.over |= other.user is session.user and of_scope

    # Time

    @rule(span=spans)
    def wait(self, span: timedelta) -> None:
        self.world.clock.advance(seconds=span.total_seconds())

    @rule()
    def keep_house(self) -> None:
        self.oracle.keep_house()
        self.answer(self.world.use_cases.keep_house())

    # What is true whatever happened

    @invariant()
    def there_is_one_user_for_each_proven_address_and_none_for_another(self) -> None:
        async def found() -> dict[str, UUID]:
            async with self.world.use_cases.sign_in.reading() as unit:
                logins = {email: await unit.logins.by_email(EmailAddress(email)) for email in self.emails}
            assert all(login is None or login[0].email_verified for login in logins.values())
            return {email: login[0].id for email, login in logins.items() if login is not None}

        users = self.loop.run_until_complete(found())
        assert users.keys() == self.oracle.users.keys()
        assert self.ids_of_users.items() <= users.items()
        self.ids_of_users = users

    @invariant()
    def the_sessions_that_are_alive_are_those_that_should_be(self) -> None:
        async def found(session: Session) -> bool:
            async with self.world.use_cases.identify.recognition.reading() as unit:
                row = await unit.sessions.find(session.id)
            return row is not None and row[0].alive(self.oracle.now)

        for session in self.oracle.sessions:
            assert self.loop.run_until_complete(found(session)) is session.alive(self.oracle.now)

    def teardown(self) -> None:
        """At the end every password is tried, long after the last failure, and every token there ever was."""
        for browser, _ in enumerate(self.browsers):
            for address, _ in enumerate(self.emails):
                for password in PASSWORDS:
                    self.wait(timedelta(minutes=15))
                    self.sign_in(address, password, browser, Transport.COOKIE, True)
        for session in self.oracle.sessions:
            assert sum(self._identified(session, text) is not None for text in session.texts) <= 2

    def _come_in(self, attempt: Coroutine[None, None, SignedIn], verdict: Verdict, email: str, browser: int) -> None:
        """A session comes of it, and a mark on the browser, or the refusal that was due."""
        moment = self.oracle.now
        answer = self.answer(attempt)
        if not isinstance(answer, SignedIn):
            assert answer is verdict
            return
        assert verdict is None
        assert answer.user.email.canonical == email
        session = self.oracle.begin(answer.session, email, answer.session_token.text, moment)
        self.oracle.issued(answer.access_token, session, moment)
        self.oracle.mark(self.browsers[browser], email, moment)
        self.marks[browser] = answer.device_marks

    def _identified(self, session: Session, text: str | None = None) -> Caller | None:
        """Who comes back with a cookie, as far as the oracle agrees."""
        text = text or session.texts[-1]
        verdict = self.oracle.identify_by_cookie(session, text)
        return self._recognised(IdentifyCommand(session_cookie=text), session, verdict)

    def _recognised(self, command: IdentifyCommand, session: Session, verdict: Verdict) -> Caller | None:
        answer = self.answer(self.world.use_cases.identify(command))
        if not isinstance(answer, Caller):
            assert answer is verdict
            return None
        assert verdict is None
        assert (answer.session.id, answer.user.email.canonical) == (session.id, session.user.email)
        return answer


@pytest.mark.parametrize("store", sorted(STORES))
def test_whatever_people_do_every_answer_is_the_one_that_is_due(store: str, sequences: int, tmp_path: Path) -> None:
    how = settings(max_examples=sequences, stateful_step_count=50, suppress_health_check=list(HealthCheck))
    with asyncio.Runner() as runner:
        loop, ids, stack = runner.get_loop(), NotedIds(), AsyncExitStack()
        world = loop.run_until_complete(stack.enter_async_context(make_world(store, tmp_path, LIMITS, ids=ids)))
        try:
            run_state_machine_as_test(cast("type[Life]", partial(Life, loop, world, ids)), settings=how)
        finally:
            loop.run_until_complete(stack.aclose())
