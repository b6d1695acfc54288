"""How settings name providers: by a word, or as `package.module:factory`. Pure text: nothing is looked up here."""

import re

from entrypoints.setting_values import switch

MAIL_SENDERS = ("smtp", "resend", "sendgrid", "postmark", "file", "console")
"""Those that are built in."""

PASSWORD_HASHERS = ("argon2id",)
"""Those that make new hashes and are built in."""

BREACH_CHECKS = ("on", "off")
"""What the setting says of the one that is built in."""

_WORD = re.compile(r"[a-z][a-z0-9_-]{0,30}", re.ASCII)
"""Shorter than a secret that was put in the wrong place, because names are told when there is no such provider."""

_PLACE = re.compile(
    r"[A-Za-z_]\w{0,60}(?:\.[A-Za-z_]\w{0,60}){0,9}:[A-Za-z_]\w{0,60}(?:\.[A-Za-z_]\w{0,60}){0,3}", re.ASCII
)

_EXPECTED = "a name such as acme, or package.module:factory"


def is_place(text: str) -> bool:
    """Whether it is `package.module:factory`."""
    return _PLACE.fullmatch(text) is not None


def provider_name(text: str) -> str:
    """One of them. Raises ValueError."""
    if not _WORD.fullmatch(text) and not is_place(text):
        raise ValueError(f"expected {_EXPECTED}")
    return text


def provider_names(text: str) -> tuple[str, ...]:
    """Several, each once, separated by spaces or commas. Raises ValueError."""
    names = tuple(filter(None, re.split(r"[\s,]+", text)))
    for place, name in enumerate(names, 1):
        try:
            provider_name(name)
        except ValueError:
            raise ValueError(
                f"expected names such as smtp or acme, or package.module:factory; see number {place}"
            ) from None
    if text and not names:
        raise ValueError("expected a name")
    if len(set(names)) < len(names):
        raise ValueError("a name stands there twice")
    return names


def breach_check(text: str) -> str:
    """off, on, or a provider's name. Raises ValueError."""
    try:
        return "on" if switch(text) else "off"
    except ValueError:
        pass
    try:
        return provider_name(text)
    except ValueError as error:
        raise ValueError(str(error).replace("expected", "expected on, off,")) from None
