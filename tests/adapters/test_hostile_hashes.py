"""No stored hash can hurt: what asks for too much, or is nonsense, is a fault at once and is never run (R35)."""

import base64
import struct
import time
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hashing.keyring import Keyring
from application.ports.stored_hashes import MOST_MEMORY_KIB, MOST_WORK, Unusable
from domain.password import FaultKind, Password, PasswordHash
from tests.support.hash_vectors import BY_FORM
from tests.support.hashing import CountingSlots, kind_of, quick_keyring, read

PASSWORD = Password("engine of difference")

BCRYPT = BY_FORM["bcrypt 2b"].encoded
SALT, KEY = "0123456789abcdef" * 2, "0123456789abcdef" * 8
B64, B64_64 = (
    "c2FsdHNhbHRzYWx0c2FsdA",
    "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYQ",
)
B64_32 = "aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g"
SIGNER = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="


def aspnet(version: int = 1, function: int = 1, iterations: int = 10_000, salt_length: int = 16) -> str:
    """With 48 bytes of salt and subkey."""
    head = struct.pack(">BIII", version, function, iterations, salt_length)
    return "$aspnet-identity-v3$" + base64.b64encode(head + bytes(48)).decode()


IMMODERATE = {
    "argon2 of 4 GiB": f"$argon2id$v=19$m=4194304,t=1,p=1${B64}${B64_32}",
    "django argon2 of 4 GiB": f"argon2$argon2id$v=19$m=4194304,t=1,p=1${B64}${B64_32}",
    "argon2 of 2^31 passes": f"$argon2id$v=19$m=8,t=2147483648,p=1${B64}${B64_32}",
    "argon2 of 17 lanes": f"$argon2id$v=19$m=8192,t=1,p=17${B64}${B64_32}",
    "bcrypt of cost 31": BCRYPT.replace("$04$", "$31$"),
    "bcrypt of cost 15": BCRYPT.replace("$04$", "$15$"),
    "bcrypt of cost 99": BCRYPT.replace("$04$", "$99$"),
    "bcrypt of cost 3": BCRYPT.replace("$04$", "$03$"),
    "bcrypt_sha256 of cost 31": "bcrypt_sha256$" + BCRYPT.replace("$04$", "$31$"),
    "scrypt of 2^63": f"$scrypt$ln=63,r=8,p=1${B64}${B64_32}",
    "scrypt of 2^999999999": f"$scrypt$ln=999999999,r=8,p=1${B64}${B64_32}",
    "scrypt of 2^0": f"$scrypt$ln=0,r=8,p=1${B64}${B64_32}",
    "scrypt of a huge r": f"$scrypt$ln=14,r=1073741823,p=1${B64}${B64_32}",
    "scrypt of r 0": f"$scrypt$ln=14,r=0,p=1${B64}${B64_32}",
    "scrypt of a huge p": f"$scrypt$ln=14,r=8,p=1073741823${B64}${B64_32}",
    "scrypt of p 0": f"$scrypt$ln=14,r=8,p=0${B64}${B64_32}",
    "scrypt of 1 GiB": f"$scrypt$ln=20,r=8,p=1${B64}${B64_32}",
    "scrypt of little more than 256 MiB": f"$scrypt$ln=18,r=8,p=1${B64}${B64_32}",
    "argon2 of little more than 256 MiB": f"$argon2id$v=19$m=262145,t=1,p=1${B64}${B64_32}",
    "scrypt of seconds": f"$scrypt$ln=17,r=8,p=16${B64}${B64_32}",
    "scrypt of an N that r does not allow": f"$scrypt$ln=16,r=1,p=1${B64}${B64_32}",
    "django scrypt of 2^62": f"scrypt$4611686018427387904$saltsalt$8$1${B64_64}==",
    "django scrypt of no power of two": f"scrypt$16383$saltsalt$8$1${B64_64}==",
    "django scrypt of r 65": f"scrypt$16384$saltsalt$65$1${B64_64}==",
    "werkzeug scrypt of 2^62": f"scrypt:4611686018427387904:8:1$saltsalt${KEY}",
    "werkzeug scrypt of p 65": f"scrypt:32768:8:65$saltsalt${KEY}",
    "firebase of 2^63": f"$fbscrypt$v=1,n=63,r=8,p=1,ss=Bw==,sk={SIGNER}${B64}==${B64_64}==",
    "firebase of 16 GiB": f"$fbscrypt$v=1,n=21,r=64,p=1,ss=Bw==,sk={SIGNER}${B64}==${B64_64}==",
    "django pbkdf2 of 10^9": f"pbkdf2_sha256$1000000000$saltsalt${B64_32}=",
    "django pbkdf2 of 10^7": f"pbkdf2_sha256$10000000$saltsalt${B64_32}=",
    "django pbkdf2 of none": f"pbkdf2_sha256$0$saltsalt${B64_32}=",
    "passlib pbkdf2 of 10^9": f"$pbkdf2-sha512$1000000000${B64}${B64_64}",
    "phc pbkdf2 of 10^9": f"$pbkdf2-sha256$i=1000000000${B64}${B64_32}",
    "phc pbkdf2 of two million and two blocks": f"$pbkdf2-sha256$i=2000000,l=64${B64}${B64_64}",
    "phc pbkdf2 of another length": f"$pbkdf2-sha256$i=3,l=64${B64}${B64_32}",
    "phc pbkdf2 of a length that is not said": f"$pbkdf2-sha256$i=3${B64}${B64_64}",
    "phc pbkdf2 of seven bytes": f"$pbkdf2-sha256$i=3,l=7${B64}$aGFzaGhhcw",
    "scrypt of 33 bytes": f"$scrypt$ln=4,r=8,p=1${B64}${'YWFh' * 11}",
    "werkzeug pbkdf2 of 10^9": f"pbkdf2:sha512:1000000000$saltsalt${KEY}",
    "asp.net of 2^32 - 1": aspnet(iterations=2**32 - 1),
    "asp.net of none": aspnet(iterations=0),
    "asp.net with a salt of 4 GiB": aspnet(salt_length=2**32 - 1),
    "asp.net without salt": aspnet(salt_length=0),
    "asp.net with little but salt": aspnet(salt_length=33),
    "phpass of cost 30": "$P$S" + "a" * 30,
    "phpass of cost 63": "$P$z" + "a" * 30,
    "phpass of cost 0": "$H$." + "a" * 30,
    "sha512crypt of 999999999": "$6$rounds=999999999$saltsalt$" + "a" * 86,
    "sha512crypt of two million": "$6$rounds=2000000$saltsalt$" + "a" * 86,
    "sha256crypt of 999": "$5$rounds=999$saltsalt$" + "a" * 43,
}  # fmt: skip

UNREADABLE = {
    "nothing": "",
    "a dollar": "$",
    "dollars": "$" * 500,
    "a million characters": "a" * 10**6,
    "a million of bcrypt": BCRYPT + "a" * 10**6,
    "garbage": "garbage",
    "plain text": "engine of difference",
    "md5": "5f4dcc3b5aa765d61d8327deb882cf99",
    "md5crypt": "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/",
    "descrypt": "rEK1ecacw.7.c",
    "salt and key without a prefix": f"{SALT}:{KEY}",
    "asp.net without a prefix": "AQAAAAEAACcQAAAAEAABAgMEBQYHCAkKCwwNDg+yWU7rLgUwPZb1Itsmra7cbxw2EFpwpVFIEtP+JIuUEw==",
    "asp.net of version 2": aspnet(version=0),
    "asp.net of another function": aspnet(function=3),
    "encrypted by supabase": '{"key_id":"k","alg":"aes-gcm-hkdf","data":"ZGF0YQ","nonce":"bm9uY2U"}',
    "10^30 iterations": f"pbkdf2_sha256$1{'0' * 30}$saltsalt${B64_32}=",
    "negative iterations": f"pbkdf2_sha256$-1$saltsalt${B64_32}=",
    "iterations with a point": f"pbkdf2:sha256:1e9$saltsalt${B64_32}=",
    "arabic iterations": f"pbkdf2_sha256$٣$saltsalt${B64_32}=",
    "full-width ln": f"$scrypt$ln=１４,r=8,p=1${B64}${B64_32}",
    "a leading nought": f"$scrypt$ln=014,r=8,p=1${B64}${B64_32}",
    "scrypt in another order": f"$scrypt$r=8,ln=14,p=1${B64}${B64_32}",
    "firebase without its key": f"$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==${B64}==${B64_64}==",
    "firebase of another version": f"$fbscrypt$v=2,n=14,r=8,p=1,ss=Bw==,sk={SIGNER}${B64}==${B64_64}==",
    "pbkdf2 of md5": f"$pbkdf2-md5$1000${B64}${B64_32}",
    "an unusable password of django": "!v2vCZ1Zq9k0i3xkqXkTBQzWm3C1fJHrl6c3k4pyE",
}  # fmt: skip


@pytest.fixture
async def slots() -> AsyncIterator[CountingSlots]:
    made = CountingSlots()
    yield made
    made.close()


@pytest.fixture
def hasher(slots: CountingSlots) -> Keyring:
    return quick_keyring(slots)


async def never_run(hasher: Keyring, slots: CountingSlots, encoded: str) -> FaultKind | None:
    """The fault, after nothing was done about it."""
    stored = PasswordHash(encoded)
    assert not await hasher.verify(PASSWORD, stored)
    assert slots.runs == 0
    assert not hasher.outdated(stored, PASSWORD)
    return kind_of(hasher.fault_of(stored))


@pytest.mark.parametrize("case", IMMODERATE)
async def test_what_asks_for_too_much_or_too_little_is_never_run(
    hasher: Keyring, slots: CountingSlots, case: str
) -> None:
    assert await never_run(hasher, slots, IMMODERATE[case]) is FaultKind.IMMODERATE


@pytest.mark.parametrize("case", UNREADABLE)
async def test_what_is_no_hash_is_never_run(hasher: Keyring, slots: CountingSlots, case: str) -> None:
    assert await never_run(hasher, slots, UNREADABLE[case]) is FaultKind.UNREADABLE


def test_a_fault_is_found_in_no_time(hasher: Keyring) -> None:
    hostile = [PasswordHash(encoded) for encoded in (*IMMODERATE.values(), *UNREADABLE.values())]
    quickest = float("inf")
    for _ in range(5):  # of which something else may have slowed down some
        began = time.perf_counter()
        for stored in hostile:
            hasher.fault_of(stored)
        quickest = min(quickest, time.perf_counter() - began)
    assert quickest / len(hostile) < 0.001


@pytest.mark.parametrize("form", BY_FORM)
async def test_a_damaged_hash_is_never_run(hasher: Keyring, slots: CountingSlots, form: str) -> None:
    whole = BY_FORM[form].encoded
    head, separator, tail = whole.rpartition(":" if whole.startswith("$scrypt-") else "$")
    damaged = {
        "garbage after": whole + "$x",
        "a character after": whole + "!",
        "a newline after": whole + "\n",
        "a nul after": whole + "\x00",
        "a nul within": whole[:-4] + "\x00" + whole[-4:],
        "a space before": " " + whole,
        "no hash": head + separator,
        "a third of the hash": head + separator + tail[: len(tail) // 3],
        "half of everything": whole[: len(whole) // 2],
        "another script": whole[:-2] + "é" + whole[-1:],
        "a prefix": whole[:4],
    }
    if not form.startswith(("bcrypt", "Django bcrypt", "ASP.NET", "phpass")):  # which have salt and hash in one
        place = whole.split("$")
        if form == "Django scrypt":
            place[2] = ""
        elif form.startswith("scrypt-"):
            place[2] = ":" + place[2].partition(":")[2]
        else:
            place[-2] = ""
        damaged["no salt"] = "$".join(place)
    for how, encoded in damaged.items():
        assert await never_run(hasher, slots, encoded) is not None, how


SOME = sorted({vector.encoded for vector in BY_FORM.values()})
DIGITS = st.sampled_from(["", "0", "1", "9", "99", "999999999", "9" * 19, "9" * 400, "-1", "٣", "1e9"])


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A real hash, with a few places cut out and something else put there."""
    text = draw(st.sampled_from(SOME))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 12)))
        text = text[:start] + draw(st.one_of(DIGITS, st.text(max_size=6), st.sampled_from("$:=,/+.!"))) + text[end:]
    return text


@given(st.one_of(st.text(), mutated(), st.builds(str.__add__, st.sampled_from(SOME), st.text())))
def test_whatever_is_stored_is_read_or_refused_and_asks_for_no_more_than_is_bearable(encoded: str) -> None:
    try:
        found = read(encoded)
    except Unusable:
        return
    assert 0 < found.work <= MOST_WORK
    assert 0 < found.memory_kib <= MOST_MEMORY_KIB
    if found.work < 3:
        assert found.matches(PASSWORD) in (True, False)
