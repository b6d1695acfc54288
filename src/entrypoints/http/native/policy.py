"""GET /auth/policy and /.well-known/jwks.json: what others need to work with us."""

from typing import Annotated, Any

from litestar import Response, route
from msgspec import Meta, Struct

from domain import display_name, password, username
from domain.declared_fields import DeclaredField, FieldType
from entrypoints.http.edge import READING, InjectedEdge
from entrypoints.http.openapi import documented

KEY_SET_SECONDS = 300
"""How long others may keep the key set; a new key is published that long before it signs (docs/keys.md)."""


class PasswordRules(Struct, frozen=True, kw_only=True):
    """The rules for a new password. Lengths are code points after NFC, `max_bytes` UTF-8 bytes as typed.

    `classes` has for each class of characters a regular expression (ECMAScript, flag u) that finds a member. With
    `refuse_own_words` a password that is the person's address, its part before the @, name or username, or
    `product_name`, is refused; letters and digits alone are compared, whole, in either case. `refuse_common` and
    `refuse_breached` are looked up here; `min_score` is zxcvbn's, 0 for none, of the first `scored_characters`.
    `passwordrules` is the same for password managers, for the attribute of that name.
    """

    min_length: int
    max_length: int
    max_bytes: int
    require_upper: bool
    require_lower: bool
    require_digit: bool
    require_special: bool
    classes: dict[str, str]
    refuse_own_words: bool
    product_name: str
    refuse_common: bool
    refuse_breached: bool
    min_score: int
    scored_characters: int
    passwordrules: str


class NameRules(Struct, frozen=True, kw_only=True):
    """The rules for a name."""

    required: bool
    max_length: int


class UsernameRules(Struct, frozen=True, kw_only=True):
    """The rules for a username; `mode` is off, optional or required."""

    mode: str
    min_length: int
    max_length: int
    pattern: str


class FieldRules(Struct, frozen=True, kw_only=True):
    """The rules for a field that the operator declared; null where one does not apply. `input` false: not a person's to
    set. Strings are trimmed; `max_length` is in code points after NFC."""

    name: str
    type: str
    label: str
    required: bool
    input: bool
    max_length: int | None
    choices: list[str] | None
    minimum: int | None
    maximum: int | None


class PolicyShape(Struct, frozen=True, kw_only=True):
    """What a front end needs to judge a form as the server will."""

    password: PasswordRules
    name: NameRules
    username: UsernameRules
    fields: list[FieldRules]
    verification: Annotated[str, Meta(description="`required` or `optional`.")]
    disclosure: Annotated[
        str, Meta(description="`opaque`, or `friendly` where sign-up tells that an address is taken.")
    ]
    locales: Annotated[list[str], Meta(description="Language tags; the first is the default.")]


class KeySetShape(Struct, frozen=True, kw_only=True):
    """A JWK Set (RFC 7517)."""

    keys: list[dict[str, str]]


@route(
    "/auth/policy",
    http_method=READING,
    status_code=200,
    opt=documented(
        "policy",
        "The rules in force",
        "What a front end needs to judge a form as the server will (R10).",
        success=PolicyShape,
        refusals=(),
    ),
)
async def policy(edge: InjectedEdge) -> Response[Any]:
    """The rules in force."""
    rules, profile, settings = edge.ostiary.policy, edge.ostiary.profile, edge.ostiary.settings
    return Response(
        PolicyShape(
            password=PasswordRules(
                min_length=rules.min_length,
                max_length=rules.max_length,
                max_bytes=password.MAX_BYTES,
                require_upper="upper" in rules.required_classes,
                require_lower="lower" in rules.required_classes,
                require_digit="digit" in rules.required_classes,
                require_special="special" in rules.required_classes,
                classes={name: characters.pattern for name, characters in password.CLASSES.items()},
                refuse_own_words=True,
                product_name=rules.product_name,
                refuse_common=rules.refuse_common,
                refuse_breached=rules.refuse_breached,
                min_score=rules.min_score,
                scored_characters=password.SCORED_CHARACTERS,
                passwordrules=_for_password_managers(rules),
            ),
            name=NameRules(required=profile.name_required, max_length=display_name.MAX_LENGTH),
            username=UsernameRules(
                mode=profile.username,
                min_length=username.MIN_LENGTH,
                max_length=username.MAX_LENGTH,
                pattern=username.PATTERN,
            ),
            fields=[_field_rules(field) for field in profile.declared.all],
            verification=settings.verification,
            disclosure=settings.disclosure,
            locales=list(profile.locales.offered),
        )
    )


def _for_password_managers(rules: password.PasswordPolicy) -> str:
    """Apple's Password Rules, which know the same four classes of characters, of ASCII each."""
    required = [f"required: {name}" for name in password.CLASSES if name in rules.required_classes]
    return "; ".join(
        (f"minlength: {rules.min_length}", f"maxlength: {rules.max_length}", *required, "allowed: unicode")
    )


def _field_rules(field: DeclaredField) -> FieldRules:
    text, number = field.type is FieldType.STRING, field.type is FieldType.INTEGER
    return FieldRules(
        name=field.name,
        type=field.type.value,
        label=field.label,
        required=field.required,
        input=field.input,
        max_length=field.max_length if text else None,
        choices=list(field.choices) if field.choices else None,
        minimum=field.minimum if number else None,
        maximum=field.maximum if number else None,
    )


@route(
    "/.well-known/jwks.json",
    http_method=READING,
    status_code=200,
    opt=documented(
        "jwks",
        "Public keys",
        "The keys that verify access tokens; empty with HS256, whose secret is shared by hand.",
        success=KeySetShape,
        refusals=(),
    ),
)
async def jwks(edge: InjectedEdge) -> Response[Any]:
    """Public keys."""
    return Response(edge.ostiary.jwks, headers={"Cache-Control": f"public, max-age={KEY_SET_SECONDS}"})
