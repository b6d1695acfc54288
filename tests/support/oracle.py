"""What Ostiary must answer, told in lists and dicts: what tests/application/test_any_order.py holds it against.

Every method that asks for something gives the refusal that is due, or None and takes it as done. Verification is
required; sign-ins that fail are limited by `PAIR` and `DEVICE`, and nothing else is.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from domain.errors import (
    AlreadyVerified,
    InvalidCredentials,
    PasswordRequired,
    RateLimited,
    Refusal,
    TokenExpired,
    TokenInvalid,
    Unauthenticated,
    ValidationError,
)
from domain.letters import Outcome
from domain.session import Session as Granted
from domain.session import Transport
from tests.support.clock import SettableClock

WAITING, LINK, TOKENS_KEPT = timedelta(hours=48), timedelta(hours=1), timedelta(days=2)
IDLE, ABSOLUTE, SHORT = timedelta(days=14), timedelta(days=30), timedelta(hours=24)
GRACE, PRESENCE, ACCESS = timedelta(seconds=30), timedelta(minutes=5), timedelta(minutes=15)
MARKED, WINDOW = timedelta(days=180), timedelta(minutes=15)
PAIR, DEVICE = 2, 3

Verdict = type[Refusal] | None


@dataclass(eq=False)
class SignUp:
    """Somebody's attempt to join."""

    email: str
    password: str
    cookie: str
    at: datetime
    proven: bool = False
    forgotten: bool = False


@dataclass(eq=False)
class Letter:
    """A letter that was asked for."""

    id: UUID
    email: str
    about: SignUp | None
    at: datetime
    again: bool
    left: bool = False


@dataclass(eq=False)
class Token:
    """What stood in a letter that arrived."""

    text: str
    about: SignUp
    asked_at: datetime
    expires_at: datetime
    forgotten: bool = False


@dataclass(eq=False)
class User:
    """Somebody whose mailbox is proven, with the one password that was proven with it."""

    email: str
    password: str
    sign_up: SignUp
    version: int = 1
    """Of the password: what was begun under an older one is worth nothing."""


@dataclass(eq=False)
class Reset:
    """A link to choose a new password."""

    text: str
    user: User
    version: int
    asked_at: datetime
    expires_at: datetime
    used: bool = False
    forgotten: bool = False


@dataclass(eq=False)
class Session:
    """One signed-in browser; `texts` are its session tokens by their counter."""

    id: UUID
    user: User
    transport: Transport
    texts: list[str]
    seen_at: datetime
    refreshed_at: datetime
    ends_at: datetime
    idle: timedelta
    version: int
    over: bool = False

    def alive(self, now: datetime) -> bool:
        """Whether it was not ended, lay unused too long or is too old."""
        over = self.over or self.version != self.user.version
        return not over and now < self.seen_at + self.idle and now < self.ends_at

    def counts(self, text: str, now: datetime) -> bool:
        """Whether a token is the current one or its parent within the grace: no other ever."""
        in_grace = now - self.refreshed_at <= GRACE
        return text == self.texts[-1] or (in_grace and text in self.texts[-2:])


@dataclass(eq=False)
class Browser:
    """What a browser is marked with: for whom, and until when; `failures` of sign-ins it has not been let in for."""

    marks: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    failures: dict[tuple[str, str], list[datetime]] = field(default_factory=dict)


@dataclass(eq=False)
class Oracle:
    """Everything that is known."""

    clock: SettableClock
    sign_ups: list[SignUp] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    tokens: list[Token] = field(default_factory=list)
    users: dict[str, User] = field(default_factory=dict)
    resets: list[Reset] = field(default_factory=list)
    asked: dict[str, datetime] = field(default_factory=dict)
    """When a new password was last asked for, for each address."""
    sessions: list[Session] = field(default_factory=list)
    access_tokens: dict[str, tuple[Session, float]] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        """The moment of the step."""
        return self.clock.now()

    # Sign-ups and letters

    def sign_up(self, email: str, password: str, cookie: str, letter_id: UUID, moment: datetime) -> None:
        """Any number may wait for one address."""
        self.sign_ups.append(SignUp(email, password, cookie, moment))
        self.letters.append(Letter(letter_id, email, self.sign_ups[-1], moment, again=False))

    def resend(self, letter_id: UUID, email: str | None, token: str | None, cookie: str | None) -> None:
        """By token, by cookie beside its address, by address: one letter, or none for a token nobody knows."""
        about, recipient = None, email
        if token is not None:
            known = self._token(token)
            about = known.about if known else None
        elif cookie is not None and email is not None:
            about = self._newest(each for each in self.sign_ups if each.cookie == cookie)
        if about is not None and email in (None, about.email):
            recipient = about.email
        else:
            about = None
        if recipient is not None:
            about = about or self._newest(each for each in self.sign_ups if each.email == recipient)
            self.letters.append(Letter(letter_id, recipient, about, self.now, again=True))

    def deliver(self) -> dict[UUID, Outcome]:
        """What each letter becomes that has not left yet, but for those that become none."""
        leaving = [letter for letter in self.letters if not letter.left]
        for letter in leaving:
            letter.left = True
        outcomes = {letter.id: self._outcome(letter) for letter in leaving if self.now < letter.at + WAITING}
        return {known: outcome for known, outcome in outcomes.items() if outcome is not Outcome.NONE}

    def arrived(self, letter_id: UUID, text: str) -> None:
        """The token that stood in a letter."""
        [letter] = (letter for letter in self.letters if letter.id == letter_id)
        assert letter.about is not None
        self.tokens.append(Token(text, letter.about, letter.at, self.now + LINK))

    def verify(
        self, text: str, *, cookie: str | None, session: Session | None, password: str | None, new_password: str | None
    ) -> Verdict:
        """Exactly the sign-up whose letter was opened becomes the user, with the password its second fact proves."""
        token = self._token(text)
        if token is None or self._superseded(token):
            return TokenInvalid
        about = token.about
        own_browser = not about.forgotten and cookie == about.cookie
        user = self.users.get(about.email)
        if user is not None and user.sign_up is about:
            known = own_browser or (session is not None and session.user is user)
            return AlreadyVerified if known or (password or new_password) == user.password else TokenInvalid
        if about.forgotten:
            return TokenInvalid
        if token.expires_at <= self.now:
            return TokenExpired
        if user is not None or not self._waits(about):
            return TokenInvalid
        if new_password is None and not own_browser and password != about.password:
            return PasswordRequired
        self.users[about.email] = User(about.email, new_password or about.password, about)
        about.proven = True
        for other in self.sign_ups:
            other.forgotten |= other.email == about.email and other is not about and not other.proven
        return None

    def _token(self, text: str) -> Token | None:
        return next((token for token in self.tokens if token.text == text and not token.forgotten), None)

    def _superseded(self, token: Token) -> bool:
        return any(letter.about is token.about and letter.at > token.asked_at for letter in self.letters)

    def _waits(self, sign_up: SignUp) -> bool:
        return not sign_up.proven and not sign_up.forgotten and self.now < sign_up.at + WAITING

    def _newest(self, of: Iterable[SignUp]) -> SignUp | None:
        return max(filter(self._waits, of), key=lambda sign_up: sign_up.at, default=None)

    def _outcome(self, letter: Letter) -> Outcome:
        owner = self.users.get(letter.email)
        if owner is not None:
            told = not letter.again and letter.about is not owner.sign_up
            return Outcome.ACCOUNT_EXISTS if told else Outcome.NONE
        newest = not any(other.about is letter.about and other.at > letter.at for other in self.letters)
        waits = letter.about is not None and self._waits(letter.about)
        return Outcome.VERIFY_ADDRESS if newest and waits else Outcome.NONE

    # Passwords

    def asked_for_a_reset(self, email: str, moment: datetime) -> bool:
        """Whether a letter comes of it: to whoever has the address."""
        self.asked[email] = moment
        return email in self.users

    def reset_arrived(self, email: str, text: str, asked_at: datetime) -> None:
        """The link that stood in the letter."""
        user = self.users[email]
        self.resets.append(Reset(text, user, user.version, asked_at, self.now + LINK))

    def reset(self, link: Reset, password: str) -> Verdict:
        """By the newest link, once, while the password is still the one it was asked for under."""
        superseded = self.asked[link.user.email] > link.asked_at or link.version != link.user.version
        if link.forgotten or link.used or superseded:
            return TokenInvalid
        if link.expires_at <= self.now:
            return TokenExpired
        link.used = True
        self._set_password(link.user, password)
        return None

    def change_password(self, session: Session, current: str, password: str) -> Verdict:
        """By whoever is signed in and knows the one in force; this session goes on, and no other."""
        if current != session.user.password:
            return ValidationError
        self._set_password(session.user, password)
        session.version = session.user.version
        return None

    @staticmethod
    def _set_password(user: User, password: str) -> None:
        user.password = password
        user.version += 1

    # Sessions

    def sign_in(self, browser: Browser, email: str, password: str) -> Verdict:
        """Failures count for browser and address, or where the owner has been let in, for that device and address."""
        expires, version = browser.marks.get(email, (self.now, 0))
        marked = self.now < expires and email in self.users and version == self.users[email].version
        taken = browser.failures.setdefault(("device" if marked else "pair", email), [])
        taken[:] = [moment for moment in taken if moment > self.now - WINDOW]
        if len(taken) >= (DEVICE if marked else PAIR):
            return RateLimited
        if email in self.users and self.users[email].password == password:
            return None
        taken.append(self.now)
        return InvalidCredentials

    def mark(self, browser: Browser, email: str, moment: datetime, *, anew: bool = False) -> None:
        """Whoever has proven who they are leaves a mark. One that has expired is replaced by a new one."""
        if anew or email not in browser.marks or browser.marks[email][0] <= moment:
            browser.failures.pop(("device", email), None)
        browser.marks[email] = ((moment + MARKED).replace(microsecond=0), self.users[email].version)

    def begin(self, granted: Granted, email: str, text: str, moment: datetime) -> Session:
        """A session that was granted as it was wished for."""
        idle, absolute = (IDLE, ABSOLUTE) if granted.remember else (SHORT, SHORT)
        begun = Session(
            id=granted.id,
            user=self.users[email],
            transport=granted.transport,
            texts=[text],
            seen_at=moment,
            refreshed_at=moment,
            ends_at=moment + absolute,
            idle=idle,
            version=self.users[email].version,
        )
        self.sessions.append(begun)
        return begun

    def issued(self, access_token: str, session: Session, moment: datetime) -> None:
        """An access token, good for so long and no longer than its session."""
        self.access_tokens[access_token] = (session, int(moment.timestamp()) + ACCESS.total_seconds())

    def identify_by_cookie(self, session: Session, text: str) -> Verdict:
        """By a token that counts, of a session that is alive and travels by cookie."""
        good = session.transport is Transport.COOKIE and session.counts(text, self.now)
        return self._recognised(session) if good else Unauthenticated

    def identify_by_access_token(self, text: str) -> Verdict:
        """Good as long as it says, and no longer than its session."""
        session, expires = self.access_tokens[text]
        return self._recognised(session) if self.now.timestamp() < expires else Unauthenticated

    def refresh(self, session: Session, text: str, transport: Transport) -> tuple[Verdict, bool]:
        """The verdict, and whether the session moves on; a token that was superseded long ago ends it."""
        if not session.alive(self.now) or session.transport is not transport:
            return Unauthenticated, False
        if not session.counts(text, self.now):
            session.over = True
            return Unauthenticated, False
        moves = self.now - session.refreshed_at > GRACE
        if moves:
            session.refreshed_at = session.seen_at = self.now
        return None, moves

    def keep_house(self) -> None:
        """What has served its time is forgotten."""
        for sign_up in self.sign_ups:
            sign_up.forgotten |= sign_up.at + WAITING <= self.now
        for token in self.tokens:
            token.forgotten |= token.expires_at + TOKENS_KEPT <= self.now
        for link in self.resets:
            link.forgotten |= link.expires_at + TOKENS_KEPT <= self.now

    def _recognised(self, session: Session) -> Verdict:
        if not session.alive(self.now):
            return Unauthenticated
        if self.now - session.seen_at >= PRESENCE:
            session.seen_at = self.now
        return None
