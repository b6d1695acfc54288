"""What a database's driver said when it could not be used, for whoever keeps it."""

from domain.errors import Unavailable

_HINTS = {
    "unsupported startup parameter": "a pooler stands in front: set OSTIARY_DB_POOLER=transaction",
    "lock timeout": "a transaction of somebody else's is in the way; nothing was changed: end it, or try again later",
}


def in_its_words(trouble: Unavailable) -> str:
    """The first cause, in a line. The driver quotes neither parameters nor the URL."""
    cause: BaseException = trouble
    while cause.__cause__ is not None:
        cause = cause.__cause__
    words = " ".join(str(cause).split()) or "it did not answer in time"
    return "; ".join([words, *(hint for sign, hint in _HINTS.items() if sign in words)])
