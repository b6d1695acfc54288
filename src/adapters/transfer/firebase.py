"""Firebase Authentication: what `firebase auth:export` writes, as JSON and as CSV.

The formats are those of https://firebase.google.com/docs/cli/auth and of the exporter's source (firebase-tools,
src/accountExporter.ts). It leaves out passwords that are not hashed by Firebase's own scrypt."""

import base64
import csv
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from adapters.transfer.files import lines_of, unpacked
from adapters.transfer.json_rows import read_array
from adapters.transfer.json_values import embedded, milliseconds, octets, plain, rest, string, whole
from adapters.transfer.judging import judged
from adapters.transfer.rows import Misread, Row, in_turn
from adapters.transfer.values import Misfit, flag
from application.ports.transfer import Candidate, Entry, SourceUnreadable

_TAKEN = frozenset(
    {"localId", "email", "emailVerified", "passwordHash", "salt", "displayName", "createdAt", "disabled"}
    | {"customAttributes", "rawPassword"}
)

_COLUMNS: Mapping[int, str] = {
    0: "localId",
    1: "email",
    2: "emailVerified",
    3: "passwordHash",
    4: "salt",
    5: "displayName",
    6: "photoUrl",
    23: "createdAt",
    24: "lastSignedInAt",
    25: "phoneNumber",
    26: "disabled",
    27: "customAttributes",
}
"""Columns 7 to 22 are four for each of Google, Facebook, Twitter and GitHub."""
_FIRST_PROVIDER, _PROVIDERS = 7, ("google.com", "facebook.com", "twitter.com", "github.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirebaseHashConfig:
    """A project's password hash parameters, as the Firebase console shows them."""

    signer_key: bytes = field(repr=False)
    salt_separator: bytes
    rounds: int
    mem_cost: int

    @classmethod
    def parse(cls, text: str) -> "FirebaseHashConfig":
        """Read the text of the console's dialog, `hash_config { … }`. Raises `SourceUnreadable`."""
        found = dict(re.findall(r"([a-z0-9_]+)\s*:\s*\"?([^\s,\"{}]+)", text[:4096]))
        if found.get("algorithm", "SCRYPT") != "SCRYPT":
            raise SourceUnreadable("The Firebase hash parameters are of another algorithm than SCRYPT.")
        return cls.of(
            signer_key=found.get("base64_signer_key", ""),
            salt_separator=found.get("base64_salt_separator", ""),
            rounds=found.get("rounds", ""),
            mem_cost=found.get("mem_cost", ""),
        )

    @classmethod
    def of(
        cls, *, signer_key: str, salt_separator: str, rounds: str | int, mem_cost: str | int
    ) -> "FirebaseHashConfig":
        """Read the parameters one by one, bytes in base64. Raises `SourceUnreadable`."""
        key, separator = octets(signer_key), octets(salt_separator)
        if key is None or len(key) > 128:
            raise SourceUnreadable("The Firebase signer key is no base64 of 1 to 128 bytes.")
        if (separator is None and salt_separator.strip()) or len(separator or b"") > 16:
            raise SourceUnreadable("The Firebase salt separator is no base64 of at most 16 bytes.")
        r, n = whole(rounds, 1, 64), whole(mem_cost, 1, 24)
        if r is None or n is None:
            raise SourceUnreadable("The Firebase hash parameters want rounds from 1 to 64 and mem_cost from 1 to 24.")
        return cls(signer_key=key, salt_separator=separator or b"", rounds=r, mem_cost=n)

    def encoded(self, salt: bytes, password_hash: bytes) -> str:
        """A password's hash with everything that verifying it takes, in the form Supabase Auth has for it."""
        separator = f",ss={_padded(self.salt_separator)}" if self.salt_separator else ""
        parameters = f"v=1,n={self.mem_cost},r={self.rounds},p=1{separator},sk={_padded(self.signer_key)}"
        return f"$fbscrypt${parameters}${_padded(salt)}${_padded(password_hash)}"


def _padded(value: bytes) -> str:
    return base64.b64encode(value).decode()


def firebase_json(path: Path, config: FirebaseHashConfig | None, now: datetime) -> AsyncIterator[Entry]:
    """The users of `auth:export users.json`. Without the parameters nobody's password comes along. Whoever is disabled
    there is disabled here from `now` on. Raises `SourceUnreadable`."""
    rows = in_turn(read_array(path, "users"))
    return judged(path.name, rows, (), lambda row: from_firebase(row, config, now))


def firebase_csv(path: Path, config: FirebaseHashConfig | None, now: datetime) -> AsyncIterator[Entry]:
    """The users of `auth:export users.csv`, as above. That file quotes too little: JSON is the better choice."""
    return judged(path.name, in_turn(_csv_rows(path)), (), lambda row: from_firebase(row, config, now))


def from_firebase(row: Row, config: FirebaseHashConfig | None, now: datetime) -> Candidate:
    """One user, as the JSON of the export has them. Raises `Misfit`."""
    entry = row.values
    who, email = string(entry, "localId"), string(entry, "email")
    if who is None or email is None:
        raise Misfit(f"There is no {'localId' if who is None else 'e-mail address'}.")
    password_hash, problem = _password(entry, config)
    return Candidate(
        line=row.line,
        id=who,
        email=email,
        email_verified=flag(entry, "emailVerified"),
        name=string(entry, "displayName"),
        created_at=milliseconds(entry, "createdAt"),
        disabled_at=now if flag(entry, "disabled") else None,
        metadata=rest(entry, _TAKEN) | _claims(entry.get("customAttributes")),
        password_hash=password_hash,
        password_problem=problem,
    )


def _claims(written: object) -> dict[str, object]:
    """Custom claims are an object, written as text."""
    return {"customAttributes": embedded(written) or plain(written)} if written else {}


def _password(entry: Mapping[str, object], config: FirebaseHashConfig | None) -> tuple[str | None, str | None]:
    if not entry.get("passwordHash"):
        return None, None
    if config is None:
        return None, "The hash parameters of the Firebase project were not given."
    salt, password_hash = octets(entry.get("salt")), octets(entry["passwordHash"])
    if salt is None or password_hash is None:
        return None, "The password's hash or salt is no base64."
    return config.encoded(salt, password_hash), None


def _csv_rows(path: Path) -> Iterator[Row | Misread]:
    # Line by line: the exporter leaves a lone quotation mark as it is, and read on beyond the line's end, that would
    # swallow the next user with their hash into this one's name.
    with unpacked(path) as file:
        for number, line in enumerate(lines_of(path, file), 1):
            if not line.strip():
                continue
            try:
                values = next(csv.reader([line.decode().rstrip("\r\n")], strict=True))
            except (csv.Error, UnicodeDecodeError):
                yield Misread(number, "It is no CSV in UTF-8.")
                continue
            if 27 <= len(values) <= 29:
                yield Row(number, _entry(values))
            else:
                yield Misread(number, f"It has {len(values)} columns, and Firebase writes 28.")


def _entry(values: list[str]) -> dict[str, object]:
    entry: dict[str, object] = {name: values[place] for place, name in _COLUMNS.items() if place < len(values)}
    first = {name: values[_FIRST_PROVIDER + 4 * place :][:4] for place, name in enumerate(_PROVIDERS)}
    entry["providerUserInfo"] = [
        dict(zip(("providerId", "rawId", "email", "displayName", "photoUrl"), (name, *four), strict=True))
        for name, four in first.items()
        if four[0]
    ]
    return entry
