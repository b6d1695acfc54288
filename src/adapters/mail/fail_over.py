"""Several ways for letters to leave, one behind the other."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from adapters.mail.message import NotCarried
from application.cancellation import ends_us
from application.ports.letters import MailDelayed, MailRefused, MailSender
from domain.letters import LONGEST_REASON, LONGEST_RETRY, SENDING_TIME, RenderedLetter

_SECONDS = SENDING_TIME.total_seconds() - 3
"""A little less than what a letter has in all before it is taken out of hand."""

_REST_SECONDS = 60.0


class FailOver:
    """`application.ports.letters.MailSender` over several, each with its name, in the order in which they are tried.

    The next is asked where one delays the letter, breaks, or takes longer than its share of `seconds`: what is left,
    divided among those that are left. A letter may then go out twice, never not at all. A refusal for good is final,
    unless the sender only cannot carry such an address. Who failed is asked last for the next minute, or for as long as
    it asks to be left alone, at most half an hour: letters do not each wait for one that is dead, or add to what is too
    much for it. `monotonic` is a clock in seconds.
    """

    def __init__(
        self,
        senders: Sequence[tuple[str, MailSender]],
        *,
        seconds: float = _SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._senders = tuple(senders)
        self._seconds = seconds
        self._monotonic = monotonic
        self._resting: dict[str, float] = {}
        """Until when."""
        self._log = structlog.get_logger("ostiary.letters")

    async def send(self, letter: RenderedLetter) -> None:
        ends = self._monotonic() + self._seconds
        order = sorted(self._senders, key=lambda named: self._is_resting(named[0]))
        delays: dict[str, MailDelayed] = {}
        refusal: NotCarried | None = None
        for position, (name, sender) in enumerate(order):
            share = (ends - self._monotonic()) / (len(order) - position)
            try:
                async with asyncio.timeout(share):
                    await sender.send(letter)
            except NotCarried as refused:
                refusal = refused
            except MailRefused:
                self._resting.pop(name, None)
                raise
            except MailDelayed as delayed:
                delays[name] = self._note(name, delayed)
            except TimeoutError:
                delays[name] = self._note(name, MailDelayed("no answer in time"))
            except (Exception, asyncio.CancelledError) as fault:
                # A provider that breaks must not keep the others from sending.
                if ends_us(fault):
                    raise
                delays[name] = self._note(name, MailDelayed(type(fault).__name__))
            else:
                self._resting.pop(name, None)
                return
        if refusal is not None and not delays:
            raise refusal
        raise _all_of(delays)

    def _is_resting(self, name: str) -> bool:
        return self._monotonic() < self._resting.get(name, -math.inf)

    def _note(self, name: str, delayed: MailDelayed) -> MailDelayed:
        asked = min(delayed.retry_after or timedelta(), LONGEST_RETRY)
        self._resting[name] = self._monotonic() + max(_REST_SECONDS, asked.total_seconds())
        self._log.warning("mail_sender_failed", sender=name, reason=str(delayed))
        return delayed


def _all_of(delays: dict[str, MailDelayed]) -> MailDelayed:
    """Each by name with its reason, as far as there is room; and the shortest wait, if everyone asked for one."""
    room = (LONGEST_REASON + 2) // len(delays) - 2
    reason = "; ".join(f"{name}: {delayed}"[:room] for name, delayed in delays.items())
    waits = [delayed.retry_after for delayed in delays.values()]
    asked = [wait for wait in waits if wait is not None]
    return MailDelayed(reason, retry_after=min(asked) if len(asked) == len(waits) else None)
