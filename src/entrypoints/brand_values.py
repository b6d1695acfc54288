"""How the text of a variable about the brand becomes a value. Each parser raises ValueError with what it expected."""

import re
from pathlib import Path

from domain.email_address import EmailAddress
from entrypoints.setting_values import existing_file, existing_folder

MEDIA_TYPES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
"""By what such a file begins with."""

_LARGEST_LOGO = 64 * 1024


def colour(text: str) -> str:
    """A colour as #rrggbb."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise ValueError("expected a colour such as #0d625c")
    return text.lower()


def logo(text: str) -> Path | None:
    """A picture that mail programs can show; none when empty."""
    if (file := existing_file(text)) is None:
        return None
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST_LOGO + 1)
    except OSError:
        raise ValueError("this file cannot be read") from None
    if len(content) > _LARGEST_LOGO or not content.startswith(tuple(MEDIA_TYPES)):
        raise ValueError("expected a PNG or JPEG picture of at most 64 KiB")
    return file


def templates(text: str) -> Path | None:
    """A folder with what is an operator's own in it; none when empty."""
    folder = existing_folder(text)
    if folder is not None and not any((folder / name).is_dir() for name in ("letters", "languages")):
        raise ValueError("expected a folder with a folder `letters` or `languages` in it")
    return folder


def address(text: str) -> EmailAddress | None:
    """An e-mail address; none when empty."""
    return EmailAddress.parse(text) if text else None
