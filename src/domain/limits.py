"""How often something may be done (R60-R62): quotas over exact sliding windows."""

import re
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from domain.spans import UNITS, in_words

_TEXT = re.compile(r"(?P<quota>[1-9][0-9]{0,6})/(?P<count>[1-9][0-9]{0,4})?(?P<unit>[smhd])")


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `count` in any stretch of `window`; where a quota is expected, None stands for no limit at all.

    Beyond a hundred an adapter may count less exactly: at an even pace, after a first burst of `count`.
    """

    count: int
    window: timedelta

    @classmethod
    def parse(cls, text: str) -> "Quota | None":
        """Read `5/15m` (also s, h, d; `1/h` means `1/1h`), or `off`. Raises ValueError with what is expected."""
        if text == "off":
            return None
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError("expected a quota such as 5/15m, or off")
        seconds = int(match["count"] or 1) * UNITS[match["unit"]]
        return cls(int(match["quota"]), timedelta(seconds=seconds))

    def __str__(self) -> str:
        return f"{self.count}/{in_words(self.window)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A named quota. `per_client` ones may tell the caller what is left; the others would tell what strangers did."""

    name: str
    quota: Quota | None
    per_client: bool = False


@dataclass(frozen=True, slots=True)
class Charge:
    """One unit to be taken from `limit` under `key`; the key is stored only as a keyed hash."""

    limit: Limit
    key: str = field(repr=False)
    about: str | None = field(default=None, repr=False)
    """The address or username concerned, for the record of a refusal."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit that was taken: enough to give exactly this one back."""

    limit: str
    key: bytes = field(repr=False)
    stamp: str


def quota(default: str, doc: str, *, per_client: bool = False) -> Any:
    """A quota in the table below: what is in force out of the box, what it counts, and whose it is."""
    return field(default=Quota.parse(default), metadata={"doc": doc, "per_client": per_client})


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """Every quota in force; DESIGN section 4 argues the defaults. Each is a setting `OSTIARY_LIMIT_<NAME>`."""

    sign_in_pair: Quota | None = quota("5/15m", "Failed sign-ins of one address or username from one client.")
    sign_in_address: Quota | None = quota(
        "20/15m", "Failed sign-ins of one address or username from all clients together."
    )
    sign_in_client: Quota | None = quota("100/15m", "Failed sign-ins from one client.", per_client=True)
    sign_in_device: Quota | None = quota(
        "10/15m", "Failed sign-ins of one address or username on a device that its owner has used.", per_client=True
    )
    sign_up_client: Quota | None = quota("5/1h", "Sign-ups from one client that have not been proven.", per_client=True)
    sign_up_address: Quota | None = quota("5/1h", "Sign-ups for one address.")
    letter_minute: Quota | None = quota("1/1m", "Letters asked for again, to one address, in a minute.")
    letter_hour: Quota | None = quota("5/1h", "Letters asked for again, to one address, in an hour.")
    letter_day: Quota | None = quota("20/1d", "Letters to one address in a day, sign-ups and repeats each.")
    letter_client: Quota | None = quota("30/15m", "Letters asked for again by one client.", per_client=True)
    owner_notice: Quota | None = quota(
        "1/1h", "Letters telling an owner that somebody tried to sign up with their address."
    )
    token_client: Quota | None = quota(
        "30/15m", "Tokens from letters tried by one client without success.", per_client=True
    )
    waiting_password: Quota | None = quota(
        "5/48h", "Passwords tried with the letter of one waiting sign-up, or of one unverified user."
    )

    own_password: Quota | None = quota("5/15m", "Wrong passwords given by somebody who is signed in already.")
    notice: Quota | None = quota(
        "5/1h", "Letters telling an owner that the same kind of thing happened to their account."
    )
    username_change: Quota | None = quota(
        "5/1d", "Usernames that one user takes, gives up, or finds taken.", per_client=True
    )

    def limit(self, name: str) -> Limit:
        """The named quota as a limit to charge."""
        [spec] = (spec for spec in fields(self) if spec.name == name)
        return Limit(name=name, quota=getattr(self, name), per_client=spec.metadata["per_client"])
