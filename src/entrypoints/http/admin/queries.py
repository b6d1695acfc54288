"""What stands behind the question mark: read strictly, with every misfit named, for a use case to judge and report."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from application.ports.administration import Place
from domain.errors import Violation
from domain.events import EventKind
from domain.sentence import Sentence
from domain.violations import Broken
from entrypoints.http.edge import MOST_A_PAGE, AnyRequest

Read = TypeVar("Read")


class Query:
    """The parameters of one request. `malformed` grows with what cannot be read."""

    def __init__(self, request: AnyRequest) -> None:
        self._parameters = request.query_params
        self.malformed: list[Violation] = []

    def given(self, name: str) -> str | None:
        """As it stands; None where it is left out or empty."""
        return self._parameters.get(name) or None

    def switch(self, name: str) -> bool | None:
        """`true` or `false`."""
        return self._read(name, _switch)

    def id(self, name: str) -> UUID | None:
        """An id."""
        return self._read(name, _id)

    def moment(self, name: str) -> datetime | None:
        """A moment with its zone."""
        return self._read(name, _moment)

    def kind(self, name: str) -> EventKind | None:
        """A kind of event."""
        return self._read(name, _kind)

    def place(self, name: str) -> Place | None:
        """The `next` of a page of users."""
        return self._read(name, _place)

    def most(self) -> int:
        """How many entries at most."""
        return self._read("most", _most) or MOST_A_PAGE

    def _read(self, name: str, reader: Callable[[str], Read]) -> Read | None:
        text = self.given(name)
        if text is None:
            return None
        try:
            return reader(text)
        except Broken as broken:
            self.malformed.append(Violation(name, broken.code, broken.message))
            return None


def _switch(text: str) -> bool:
    if text not in ("true", "false"):
        raise Broken("invalid_type", Sentence("Give true or false."))
    return text == "true"


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Broken("invalid_type", Sentence("This is no id.")) from None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Broken("invalid_type", Sentence("Give a moment with its zone, such as 2026-01-01T12:00:00Z.")) from None


def _kind(text: str) -> EventKind:
    try:
        return EventKind(text)
    except ValueError:
        raise Broken("invalid_type", Sentence("There is no such kind of event.")) from None


def _place(text: str) -> Place:
    place = Place.parse(text)
    if place is None:
        raise Broken("invalid_type", Sentence("This is no `next` of a page."))
    return place


def _most(text: str) -> int:
    if not re.fullmatch("[0-9]{1,4}", text, re.ASCII) or not 1 <= int(text) <= MOST_A_PAGE:
        raise Broken("invalid_type", Sentence("Give a number from 1 to %(most)d.", most=MOST_A_PAGE))
    return int(text)
