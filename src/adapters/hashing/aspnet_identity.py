"""ASP.NET Core Identity's hashes of version 3: PBKDF2, of which the parameters are in the bytes.

Form: `$aspnet-identity-v3$` and the base64 that stands in `AspNetUsers.PasswordHash` (`PasswordHasher.cs` in
github.com/dotnet/aspnetcore): a byte 1, then big-endian in four bytes each the function (0 HMAC-SHA1, 1 HMAC-SHA256,
2 HMAC-SHA512), the iterations and the salt's length, then the salt, and the subkey up to the end. Originals bear no
prefix: whoever brings them in gives it. Salt and subkey have at least 16 bytes there, and at most 64 here; work is
bounded as in `adapters.hashing.pbkdf2`. The password's UTF-8 bytes as typed.

Version 2, of ASP.NET before Core and with a thousand iterations always, is not read.
"""

import struct

from adapters.hashing.pbkdf2 import MOST_ITERATIONS, Digest, Pbkdf2Hash
from adapters.hashing.stored import base64_bytes
from application.ports.stored_hashes import StoredHash, immoderate, unreadable

ASPNET_IDENTITY_V3 = "$aspnet-identity-v3$"
"""Before what stands in `AspNetUsers.PasswordHash`."""

_HEAD = struct.Struct(">BIII")
_VERSION = 1
_FUNCTIONS: tuple[Digest, ...] = ("sha1", "sha256", "sha512")
_LEAST, _MOST = 16, 64


def read_aspnet_identity(encoded: str) -> StoredHash | None:
    """`application.ports.stored_hashes.Form`."""
    if not encoded.startswith(ASPNET_IDENTITY_V3):
        return None
    value = base64_bytes(
        encoded.removeprefix(ASPNET_IDENTITY_V3), "the hash", _HEAD.size + 2 * _LEAST, _HEAD.size + 2 * _MOST
    )
    version, function, iterations, salt_length = _HEAD.unpack_from(value)
    if version != _VERSION or function >= len(_FUNCTIONS):
        raise unreadable("another version of ASP.NET Identity's hashes, or another function")
    if not 1 <= iterations <= MOST_ITERATIONS:
        raise immoderate(f"the iterations are not from 1 to {MOST_ITERATIONS}")
    salt, digest = value[_HEAD.size :][:salt_length], value[_HEAD.size + salt_length :]
    if not (_LEAST <= len(salt) <= _MOST and _LEAST <= len(digest) <= _MOST):
        raise immoderate(f"salt or subkey has not {_LEAST} to {_MOST} bytes")
    return Pbkdf2Hash(name=_FUNCTIONS[function], iterations=iterations, salt=salt, digest=digest)
