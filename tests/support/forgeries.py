"""Access tokens that a good verifier refuses (SECURITY 1.5)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator

import httpx
import jwt

from tests.support.server import Server


def encode(part: object) -> str:
    """A part of a token."""
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def forgeries(server: Server, token: str) -> Iterator[tuple[str, str]]:
    """Tokens that a good verifier refuses (SECURITY 1.5)."""
    head, payload, signature = token.split(".")
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, options={"verify_signature": False})
    public = httpx.get(f"{server.url}/.well-known/jwks.json").json()["keys"][0]
    for name in ("none", "None", "nOnE", "NONE", ""):
        yield f"alg {name}", f"{encode({**header, 'alg': name})}.{payload}."
        yield f"alg {name} with a signature", f"{encode({**header, 'alg': name})}.{payload}.{signature}"
    for key in (json.dumps(public), public["x"], public["kid"], ""):
        unsigned = f"{encode({**header, 'alg': 'HS256'})}.{payload}"
        mac = hmac.digest(key.encode(), unsigned.encode(), hashlib.sha256)
        yield f"HS256 by {key[:9]}", f"{unsigned}.{encode(mac)}"
    for extra in (
        {"jku": "http://127.0.0.1:1/"},
        {"x5u": "http://127.0.0.1:1/"},
        {"jwk": public},
        {"crit": ["exp"]},
        {"zip": "DEF"},
        {"kid": "../../dev/null"},
        {"kid": "' OR 1=1"},
        {"kid": 1},
        {"kid": ["x"]},
        {"kid": "k" * 3000},
        {"typ": "JWT"},
        {"alg": "ES384"},
        {"alg": "RS256"},
    ):
        yield f"header {extra}"[:40], f"{encode({**header, **extra})}.{payload}.{signature}"
    for change in (
        {"exp": 9999999999},
        {"sub": "x"},
        {"role": "admin"},
        {"sid": claims["sub"]},
        {"email": "e@x.example"},
    ):
        yield f"claims {change}", f"{head}.{encode({**claims, **change})}.{signature}"
    yield "no signature", f"{head}.{payload}."
    yield "two parts", f"{head}.{payload}"
    yield "four parts", f"{token}.x"
    yield "padding", f"{token}="
    yield "double padding", f"{token}=="
    yield "padding inside", f"{head}=.{payload}.{signature}"
    yield "the other alphabet", f"{head}.{payload}.{signature.replace('-', '+').replace('_', '/')}=+"
    yield "another last character", token[:-1] + ("A" if token[-1] != "A" else "Q")
    yield "a bit too much", f"{token}A"
    yield "upside down", f"{head}.{payload}.{signature[::-1]}"
    yield "zeros", f"{head}.{payload}.{encode(bytes(64))}"
    yield "no header", f".{payload}.{signature}"
    yield "no payload", f"{head}..{signature}"
    yield "an array", f"{encode([])}.{encode([])}.{signature}"
    yield "long", f"{head}.{encode({**claims, 'x': 'x' * 5000})}.{signature}"
    stranger = "a secret of somebody else's, thirty-two characters long"
    yield "a stranger's secret", jwt.encode(claims, stranger, algorithm="HS256", headers={"typ": "at+jwt"})
