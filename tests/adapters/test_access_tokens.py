"""The contract of `application.ports.tokens.AccessTokens`, held by `JwtAccessTokens` with ES256 and with HS256."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.types import Options

from adapters.access_tokens import AccessTokenRules, Es256Keys, Hs256Key, JwtAccessTokens
from adapters.signing import MasterSecret
from application.ports.tokens import AccessClaims
from domain.session import Session
from domain.user import User
from tests.support.store_samples import a_session, a_user

SECRET = MasterSecret(b"an example of a secret, 32 bytes or more")
RETIRED = MasterSecret(b"the secret of last year, 32 bytes or more")
SHARED = "a secret that is shared with the back end"
ISSUER, AUDIENCE = "https://auth.example", "https://api.example"
NOW = datetime(2026, 1, 1, 12, 0, 0, 999_999, tzinfo=UTC)
MINUTES = timedelta(minutes=1)

Claims = dict[str, Any]


class Setting:
    """One way to sign, and the keys a forger or a mistaken colleague might hold."""

    def __init__(self, algorithm: str, audience: str | None) -> None:
        self.algorithm = algorithm
        self.audience = audience
        self.keys: Es256Keys | Hs256Key = Es256Keys([SECRET]) if algorithm == "ES256" else Hs256Key(SHARED)
        self.tokens = self.with_rules()
        self.user: User = a_user()
        self.session: Session = a_session(self.user.id)

    def with_rules(self, **rules: Any) -> JwtAccessTokens:
        defaults = {"issuer": ISSUER, "audience": self.audience, "lifetime": 15 * MINUTES}
        return JwtAccessTokens(AccessTokenRules(**(defaults | rules)), self.keys)

    def issue(self) -> str:
        return self.tokens.issue(self.user, self.session, uuid4(), NOW)

    def claims(self) -> Claims:
        return jwt.decode(self.issue(), options={"verify_signature": False})

    def header(self) -> dict[str, Any]:
        return jwt.get_unverified_header(self.issue())

    def sign(self, header: Any, payload: Any) -> str:
        """A token with a good signature over whatever is given: dicts, or raw bytes."""
        signed = b".".join(encode(part if isinstance(part, bytes) else json_bytes(part)) for part in (header, payload))
        algorithm = jwt.get_algorithm_by_name(self.algorithm)
        key = algorithm.prepare_key(self.keys.signing[0])
        return (signed + b"." + encode(algorithm.sign(signed, key))).decode()

    def with_claims(self, **changes: Any) -> str:
        """A token as ours, but for these claims; None takes one away."""
        claims = self.claims() | changes
        return self.sign(self.header(), {name: value for name, value in claims.items() if value is not GONE})

    def with_header(self, **changes: Any) -> str:
        header = self.header() | changes
        return self.sign({name: value for name, value in header.items() if value is not GONE}, self.claims())

    def accepts(self, token: str, now: datetime = NOW) -> bool:
        return self.tokens.verify(token, now) is not None


def short(value: Any) -> str:
    """How a case is named."""
    return repr(value)[:20]


class Gone:
    """A claim or header that is not there."""

    def __repr__(self) -> str:
        return "gone"  # the same in the name of a test in every process that collects it


GONE = Gone()


def encode(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def json_bytes(content: Any) -> bytes:
    return json.dumps(content).encode()


SETTINGS = {
    "ES256": lambda: Setting("ES256", AUDIENCE),
    "HS256": lambda: Setting("HS256", None),
    "HS256 with audience": lambda: Setting("HS256", AUDIENCE),
}


@pytest.fixture(params=SETTINGS)
def ours(request: pytest.FixtureRequest) -> Setting:
    return SETTINGS[request.param]()


@pytest.fixture
def es256() -> Setting:
    return SETTINGS["ES256"]()


@pytest.fixture
def hs256() -> Setting:
    return SETTINGS["HS256"]()


# What we issue


def test_a_token_names_its_user_and_its_session(ours: Setting) -> None:
    claims = ours.tokens.verify(ours.issue(), NOW)
    assert claims == AccessClaims(user_id=ours.user.id, session_id=ours.session.id)


def test_a_token_says_what_rfc_9068_and_the_design_ask_for_and_nothing_else(ours: Setting) -> None:
    claims = ours.claims()
    assert claims.pop("jti")
    assert claims == {
        "iss": ISSUER,
        "sub": str(ours.user.id),
        "sid": str(ours.session.id),
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 900,
        "email": ours.user.email.canonical,
        "email_verified": True,
        "role": "user",
        **({"aud": AUDIENCE} if ours.audience else {}),
    }
    assert ours.header()["typ"] == "at+jwt"
    assert ours.header()["alg"] == ours.algorithm
    assert ours.header().keys() <= {"typ", "alg", "kid"}


def test_a_token_is_good_for_its_lifetime_and_no_longer(ours: Setting) -> None:
    token = ours.issue()
    ends = NOW.replace(microsecond=0) + 15 * MINUTES
    assert ours.tokens.lifetime_seconds == 900
    assert ours.accepts(token, ends - timedelta(microseconds=1))
    assert not ours.accepts(token, ends)
    assert not ours.accepts(token, ends + timedelta(days=1))


def test_user_id_stands_beside_sub_where_it_is_asked_for(ours: Setting) -> None:
    issuing = ours.with_rules(user_id_claim=True)
    token = issuing.issue(ours.user, ours.session, uuid4(), NOW)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["user_id"] == claims["sub"] == str(ours.user.id)
    assert "user_id" not in ours.claims()
    assert issuing.verify(token, NOW) is not None


def test_the_published_keys_verify_a_token_in_another_library_path(es256: Setting) -> None:
    jwks = json.loads(json.dumps(es256.keys.jwks()))
    token = es256.issue()
    key = jwt.PyJWKSet.from_dict(jwks)[jwt.get_unverified_header(token)["kid"]]
    options: Options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(token, key, algorithms=["ES256"], audience=AUDIENCE, issuer=ISSUER, options=options)
    assert claims["sub"] == str(es256.user.id)


def test_what_is_published_is_public(es256: Setting) -> None:
    (key,) = es256.keys.jwks()["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")


def test_a_kid_is_the_keys_thumbprint_by_rfc_7638(es256: Setting) -> None:
    (key,) = es256.keys.jwks()["keys"]
    canonical = json.dumps({name: key[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    assert key["kid"] == encode(hashlib.sha256(canonical.encode()).digest()).decode() == es256.header()["kid"]


def test_every_node_with_the_secret_has_the_same_key_and_every_secret_another() -> None:
    def published(secret: MasterSecret) -> Any:
        return Es256Keys([secret]).jwks()

    assert published(SECRET) == published(MasterSecret(SECRET.value))
    many = [MasterSecret(bytes([number]) * 32) for number in range(50)]
    assert len({str(published(secret)) for secret in many}) == 50


def test_an_accepted_secret_verifies_and_is_published_and_does_not_sign(es256: Setting) -> None:
    rotated = Setting("ES256", AUDIENCE)
    rotated.keys = Es256Keys([SECRET, RETIRED])
    rotated.tokens = rotated.with_rules()
    old = JwtAccessTokens(
        AccessTokenRules(issuer=ISSUER, audience=AUDIENCE, lifetime=15 * MINUTES), Es256Keys([RETIRED])
    ).issue(rotated.user, rotated.session, uuid4(), NOW)
    assert rotated.accepts(old)
    assert rotated.header()["kid"] == es256.header()["kid"]
    assert len(rotated.keys.jwks()["keys"]) == 2
    assert not es256.accepts(old)


def test_a_kid_of_ours_with_the_signature_of_another_of_ours_is_refused() -> None:
    rotated, old = Setting("ES256", AUDIENCE), Setting("ES256", AUDIENCE)
    rotated.keys, old.keys = Es256Keys([SECRET, RETIRED]), Es256Keys([RETIRED])
    rotated.tokens = rotated.with_rules()
    assert not rotated.accepts(old.sign(rotated.header(), rotated.claims()))


def test_a_back_end_verifies_hs256_with_the_shared_secret_alone(hs256: Setting) -> None:
    token = hs256.with_rules(user_id_claim=True).issue(hs256.user, hs256.session, uuid4(), datetime.now(UTC))
    claims = jwt.decode(token, SHARED, algorithms=["HS256"])
    assert "aud" not in claims
    assert claims["sub"] == claims["user_id"] == str(hs256.user.id)


def test_a_shared_secret_is_published_nowhere_and_in_no_repr(hs256: Setting) -> None:
    assert hs256.keys.jwks() == {"keys": []}
    assert SHARED not in repr(hs256.keys)


# What we refuse


def test_the_forgers_tools_make_tokens_that_would_be_accepted_but_for_the_forgery(ours: Setting) -> None:
    """The control: without it every refusal below might be for another reason."""
    assert ours.accepts(ours.sign(ours.header(), ours.claims()))
    assert ours.accepts(ours.with_claims())
    assert ours.accepts(ours.with_header())


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, GONE, "HS512", "RS256", "es256", 0])
@pytest.mark.parametrize("signature", ["kept", "empty"])
def test_another_algorithm_or_none_is_refused(ours: Setting, algorithm: Any, signature: str) -> None:
    token = ours.with_header(alg=algorithm)
    assert not ours.accepts(token if signature == "kept" else token.rpartition(".")[0] + ".")


def test_hs256_with_the_public_key_for_a_secret_is_refused(es256: Setting) -> None:
    private = es256.keys.signing[0]
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    public = private.public_key()
    raw = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    secrets = [
        raw,
        public.public_bytes(serialization.Encoding.PEM, spki),
        public.public_bytes(serialization.Encoding.PEM, spki).strip(),
        public.public_bytes(serialization.Encoding.DER, spki),
        json_bytes(es256.keys.jwks()),
        json_bytes(es256.keys.jwks()["keys"][0]),
        b"",
    ]
    for secret in secrets:
        signed = encode(json_bytes(es256.header() | {"alg": "HS256"})) + b"." + encode(json_bytes(es256.claims()))
        forged = signed + b"." + encode(hmac.digest(secret, signed, hashlib.sha256))
        assert not es256.accepts(forged.decode())


def test_es256_where_hs256_is_configured_is_refused(es256: Setting, hs256: Setting) -> None:
    assert not hs256.accepts(es256.issue())
    assert not es256.accepts(hs256.issue())


def test_a_stranger_who_signs_with_a_key_of_their_own_is_refused(ours: Setting) -> None:
    stranger = SETTINGS["ES256" if ours.algorithm == "ES256" else "HS256"]()
    stranger.keys = Es256Keys([RETIRED]) if ours.algorithm == "ES256" else Hs256Key(SHARED + "!")
    assert not ours.accepts(stranger.sign(ours.header(), ours.claims()))


@pytest.mark.parametrize("typ", ["JWT", "jwt", "AT+JWT", "application/at+jwt", "at+jwt ", "", None, GONE, 1, []])
def test_a_token_of_another_type_is_refused(ours: Setting, typ: Any) -> None:
    assert not ours.accepts(ours.with_header(typ=typ))


NO_TIME: list[object] = [
    GONE,
    None,
    "1999999999",
    1999999999.0,
    float("nan"),
    float("inf"),
    -1,
    0,
    True,
    [1999999999],
    {},
    "soon",
]


@pytest.mark.parametrize("exp", NO_TIME, ids=repr)
def test_a_token_without_a_proper_expiry_is_refused(ours: Setting, exp: Any) -> None:
    assert not ours.accepts(ours.with_claims(exp=exp))


def test_an_expiry_beyond_all_bounds_is_an_answer_and_no_error(ours: Setting) -> None:
    for digits in (20, 100, 1000):
        ours.accepts(ours.with_claims(exp=10**digits))
    raw = b'{"exp":' + b"9" * 2800 + b"}"
    assert not ours.accepts(ours.sign(ours.header(), raw))


def test_a_token_that_is_not_yet_good_is_refused(ours: Setting) -> None:
    assert ours.accepts(ours.with_claims(nbf=int(NOW.timestamp())))
    assert not ours.accepts(ours.with_claims(nbf=int(NOW.timestamp()) + 3600))


@pytest.mark.parametrize("claim", ["sub", "sid"])
@pytest.mark.parametrize(
    "value", [GONE, None, "", 1, "not an id", ["x"], {}, "0" * 31, "0" * 5000], ids=lambda v: repr(v)[:20]
)
def test_a_token_about_nobody_is_refused(ours: Setting, claim: str, value: Any) -> None:
    assert not ours.accepts(ours.with_claims(**{claim: value}))


@pytest.mark.parametrize(
    "issuer", [GONE, None, "", "https://auth.example/", "https://evil.example", [ISSUER], {"a": ISSUER}, 1], ids=repr
)
def test_a_token_of_another_issuer_is_refused(ours: Setting, issuer: Any) -> None:
    assert not ours.accepts(ours.with_claims(iss=issuer))


@pytest.mark.parametrize(
    "audience",
    [GONE, None, "", "https://other.example", AUDIENCE + "/", [AUDIENCE], [AUDIENCE, "https://other.example"], [], 1],
    ids=repr,
)
@pytest.mark.parametrize("which", ["ES256", "HS256 with audience"])
def test_a_token_for_another_audience_is_refused(which: str, audience: Any) -> None:
    ours = SETTINGS[which]()
    assert not ours.accepts(ours.with_claims(aud=audience))


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], "", []], ids=repr)
def test_a_token_for_some_audience_is_refused_where_none_is_configured(hs256: Setting, audience: Any) -> None:
    assert not hs256.accepts(hs256.with_claims(aud=audience))


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"b64": True},
        {"zip": "DEF"},
        {"enc": "A128GCM"},
    ],
    ids=repr,
)
def test_a_header_that_changes_the_meaning_is_refused(ours: Setting, header: dict[str, Any]) -> None:
    assert not ours.accepts(ours.with_header(**header))


def test_keys_that_a_token_brings_along_or_points_to_are_ignored(es256: Setting) -> None:
    forger = Setting("ES256", AUDIENCE)
    forger.keys = Es256Keys([RETIRED])
    own = forger.keys.jwks()["keys"][0]
    for brought in (
        {"jwk": own},
        {"jku": "http://127.0.0.1:9/jwks.json"},
        {"x5u": "http://127.0.0.1:9/key.pem"},
        {"x5c": ["MIIB"]},
        {"jwk": own, "kid": own["kid"]},
    ):
        assert not es256.accepts(forger.sign(es256.header() | brought, es256.claims()))
        if "kid" not in brought:
            assert es256.accepts(es256.with_header(**brought)), "ignored, not believed"


@pytest.mark.parametrize(
    "kid",
    [
        GONE, None, "", "../../dev/null", "/dev/null", "' OR 1=1 --", "unknown", "x" * 10240, 0, 1, True, ["x"], [], {},
        "\x00", "é",
    ],
    ids=short,
)  # fmt: skip
def test_a_kid_is_a_name_among_our_own_and_nothing_else(es256: Setting, kid: Any) -> None:
    assert not es256.accepts(es256.with_header(kid=kid))


SPELLINGS: dict[str, Callable[[str], str]] = {
    "padding": lambda token: token + "=",
    "more padding": lambda token: token + "==",
    "padding within": lambda token: token.replace(".", "=.", 1),
    "space before": lambda token: " " + token,
    "space after": lambda token: token + " ",
    "newline after": lambda token: token + "\n",
    "tab within": lambda token: token[:40] + "\t" + token[40:],
    "space at a dot": lambda token: token.replace(".", ". ", 1),
    "dot after": lambda token: token + ".",
    "dot before": lambda token: "." + token,
    "other alphabet": lambda token: token.replace("-", "+").replace("_", "/") + ("" if {*token} & {*"-_"} else "+"),
    "full width": lambda token: token[:-1] + chr(ord(token[-1]) + 0xFEE0),
    "nul": lambda token: token + "\x00",
    "surrogate": lambda token: token + "\ud800",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_token_has_one_spelling(ours: Setting, spelling: str) -> None:
    token = ours.issue()
    assert not ours.accepts(SPELLINGS[spelling](token))


def test_the_last_character_of_each_part_has_one_spelling(ours: Setting) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    parts = ours.issue().split(".")
    for position, part in enumerate(parts):
        for other in alphabet:
            if other != part[-1]:
                changed = [*parts[:position], part[:-1] + other, *parts[position + 1 :]]
                assert not ours.accepts(".".join(changed)), "neither another value nor another spelling of the same"


def test_any_changed_character_is_refused(ours: Setting) -> None:
    token = ours.issue()
    for position in range(0, len(token), 5):
        other = "A" if token[position] != "A" else "B"
        assert not ours.accepts(token[:position] + other + token[position + 1 :])


def test_a_token_beyond_4_kib_is_refused_even_when_it_is_right(ours: Setting) -> None:
    assert ours.accepts(ours.with_claims(padding="x" * 2000))
    long = ours.with_claims(padding="x" * 3000)
    assert len(long) > 4096
    assert not ours.accepts(long)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "....",
        "a.b.c.d.e",
        "x" * 4096,
        "." * 4096,
        "{}",
        '{"payload":"","signatures":[]}',
    ],
)
def test_what_is_no_token_is_refused(ours: Setting, text: str) -> None:
    assert not ours.accepts(text)


def test_an_encrypted_token_of_five_parts_is_refused(ours: Setting) -> None:
    header = encode(json_bytes({"alg": "dir", "enc": "A128GCM", "typ": "at+jwt"})).decode()
    assert not ours.accepts(f"{header}..AAAA.AAAA.AAAA")
    assert not ours.accepts(ours.issue() + ".AAAA.AAAA")


DOCUMENTS = {
    "no json": b"\xff\xfe",
    "empty": b"",
    "null": b"null",
    "list": b"[]",
    "text": b'"x"',
    "number": b"1",
    "bad utf-8": b'{"a":"\xff"}',
    "deep list": b"[" * 2500,
    "deep object": b'{"a":' * 500,
    "deep and closed": b'{"a":' + b"[" * 1000 + b"]" * 1000 + b"}",
    "huge number": b'{"a":' + b"9" * 2500 + b"}",
    "bom": b"\xef\xbb\xbf{}",
}


@pytest.mark.parametrize("place", ["header", "payload"])
@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_part_that_is_not_what_it_should_be_is_refused_without_an_error(
    ours: Setting, place: str, document: str
) -> None:
    header, payload = (
        (DOCUMENTS[document], ours.claims()) if place == "header" else (ours.header(), DOCUMENTS[document])
    )
    token = ours.sign(header, payload)
    assert len(token) <= 4096
    assert not ours.accepts(token)


def test_a_claim_given_twice_does_not_outvote_the_signature(ours: Setting) -> None:
    """Both are signed, so both are ours; what matters is that nothing crashes and nobody else's claim is believed."""
    raw = json_bytes(ours.claims())[:-1] + b',"sub":"x"}'
    assert not ours.accepts(ours.sign(ours.header(), raw))
