"""Access tokens (RFC 9068) by PyJWT, with the checks that it leaves to its caller (M13)."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.signing import MasterSecret
from application.ports.tokens import AccessClaims
from domain.declared_fields import DeclaredFields
from domain.secret import decode_base64url
from domain.session import Session
from domain.user import User

_TYPE = "at+jwt"
_LONGEST = 4096
_LEEWAY_SECONDS = 30
_REMEMBERED = 10_000
"""Verified tokens, of some 400 bytes each."""
_REFUSED_HEADERS = {"crit", "zip", "b64", "enc"}

_CURVE = ec.SECP256R1()
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of P-256 (SEC 2, section 2.4.2)."""


class SigningKeys(Protocol):
    """One algorithm with its keys. A `kid` is looked up among our own and nothing else (RFC 8725 section 3.10)."""

    @property
    def algorithm(self) -> str:
        """The one algorithm these keys are for (RFC 8725 section 3.1)."""

    @property
    def signing(self) -> tuple[Any, dict[str, str]]:
        """The key that signs, and the header fields that name it."""

    def verifying(self, header: Mapping[str, Any]) -> Any | None:
        """The key for a token with this header, or None."""

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys as a JWK Set (RFC 7517)."""


class Es256Keys:
    """`SigningKeys`: a P-256 key from each secret; the first signs, all verify and are published."""

    algorithm = "ES256"

    def __init__(self, secrets: Sequence[MasterSecret]) -> None:
        self._private = [_private_key(secret) for secret in secrets]
        self._public = {_key_id(key): key.public_key() for key in self._private}

    @property
    def signing(self) -> tuple[Any, dict[str, str]]:
        return self._private[0], {"kid": _key_id(self._private[0])}

    def verifying(self, header: Mapping[str, Any]) -> Any | None:
        key_id = header.get("kid")
        return self._public.get(key_id) if isinstance(key_id, str) else None

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        return {
            "keys": [
                {**_public_jwk(key), "kid": _key_id(key), "alg": self.algorithm, "use": "sig"} for key in self._private
            ]
        }


@dataclass(frozen=True, slots=True)
class Hs256Key:
    """`SigningKeys`: a secret shared with another back end (R53). Nothing is published."""

    secret: str = field(repr=False)
    algorithm: str = field(default="HS256", init=False)

    @property
    def signing(self) -> tuple[Any, dict[str, str]]:
        return self.secret, {}

    def verifying(self, header: Mapping[str, Any]) -> Any | None:
        return self.secret

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        return {"keys": []}


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTokenRules:
    """What goes into a token besides the person. `audience` None leaves the claim out (R52)."""

    issuer: str
    audience: str | None
    lifetime: timedelta
    user_id_claim: bool = False
    """Whether `user_id` stands beside `sub`, for back ends that look there."""
    declared: DeclaredFields = field(default_factory=DeclaredFields)


class _InUtf8(json.JSONEncoder):
    """Letters as themselves: `\\u…` would make them three times as long, and a cookie holds 4 KiB."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "ensure_ascii": False})


class _Times(NamedTuple):
    """Whole seconds since 1970."""

    expires: int
    issued: int
    not_before: int


@dataclass(frozen=True, slots=True)
class _Verified:
    claims: AccessClaims
    times: _Times


class JwtAccessTokens:
    """`application.ports.tokens.AccessTokens`.

    Verifying a signature takes as long as everything else that a request asks for, so what was verified is remembered
    by its digest; its times are judged anew each time. Keys never change within a process.
    """

    def __init__(self, rules: AccessTokenRules, keys: SigningKeys) -> None:
        self._rules = rules
        self._keys = keys
        self._verified: dict[bytes, _Verified] = {}

    @property
    def lifetime_seconds(self) -> int:
        return int(self._rules.lifetime.total_seconds())

    def issue(self, user: User, session: Session, token_id: UUID, now: datetime) -> str:
        issued_at = int(now.timestamp())
        claims: dict[str, Any] = {
            **self._rules.declared.in_token(user.fields),  # first, so that nothing in them takes the place of ours
            "iss": self._rules.issuer,
            "sub": str(user.id),
            "sid": str(session.id),
            "iat": issued_at,
            "exp": issued_at + self.lifetime_seconds,
            "jti": str(token_id),
            "email": user.email.canonical,
            "email_verified": user.email_verified,
            "role": user.role,
        }
        if self._rules.audience is not None:
            claims["aud"] = self._rules.audience
        if self._rules.user_id_claim:
            claims["user_id"] = claims["sub"]
        key, key_headers = self._keys.signing
        return jwt.encode(
            claims, key, self._keys.algorithm, headers={"typ": _TYPE, **key_headers}, json_encoder=_InUtf8
        )

    def verify(self, text: str, now: datetime) -> AccessClaims | None:
        digest = hashlib.sha256(text.encode(errors="surrogatepass")).digest()
        verified = self._verified.get(digest) or self._verify(text)
        if verified is None or not _in_time(verified.times, now):
            return None
        self._verified[digest] = verified
        if len(self._verified) > _REMEMBERED:
            del self._verified[next(iter(self._verified))]
        return verified.claims

    def _verify(self, text: str) -> "_Verified | None":
        """Everything but the time."""
        if len(text) > _LONGEST or not _canonical(text):
            return None
        try:
            header = jwt.get_unverified_header(text)
            key = self._keys.verifying(header)
            if key is None or header.get("typ") != _TYPE or _REFUSED_HEADERS & header.keys():
                return None
            claims = jwt.decode(
                text,
                key,
                algorithms=[self._keys.algorithm],
                issuer=self._rules.issuer,
                audience=self._rules.audience,
                # The times are judged below, by the clock we are given.
                options={
                    "require": ["iss", "exp", "iat", "sub", "sid"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            if claims.get("aud") != self._rules.audience:
                return None
            times = _Times(claims["exp"], claims["iat"], claims.get("nbf", 0))
            if any(type(instant) is not int for instant in times):
                return None
            return _Verified(AccessClaims(user_id=UUID(claims["sub"]), session_id=UUID(claims["sid"])), times)
        except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError):
            return None


def _in_time(times: _Times, now: datetime) -> bool:
    """Good until `exp`, and not before `iat` and `nbf`, give or take another node's clock."""
    seconds = now.timestamp()
    return times.expires > seconds and max(times.issued, times.not_before) <= int(seconds) + _LEEWAY_SECONDS


def _canonical(text: str) -> bool:
    """Three parts, each in the one spelling of its bytes: PyJWT lets a trailing `=` pass."""
    parts = text.split(".")
    return len(parts) == 3 and all(decode_base64url(part) is not None for part in parts)


def _private_key(secret: MasterSecret) -> ec.EllipticCurvePrivateKey:
    """A scalar in 1 … n-1 from 48 derived bytes: the 128 extra bits make the bias of the reduction vanish
    (FIPS 186-5, appendix A.2.1)."""
    seed = int.from_bytes(secret.derive("access tokens ES256", length=48))
    return ec.derive_private_key(seed % (_ORDER - 1) + 1, _CURVE)


def _public_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    return {"crv": "P-256", "kty": "EC", "x": _coordinate(numbers.x), "y": _coordinate(numbers.y)}


def _key_id(key: ec.EllipticCurvePrivateKey) -> str:
    """The JWK thumbprint (RFC 7638): the same on every node, without anybody agreeing on it."""
    members = ",".join(f'"{name}":"{value}"' for name, value in sorted(_public_jwk(key).items()))
    return _base64url(hashlib.sha256(f"{{{members}}}".encode()).digest())


def _coordinate(number: int) -> str:
    return _base64url(number.to_bytes(32))


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
