"""Settings that do not go together, and those that are not safe where they are meant to be used."""

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from domain.password import OWASPS_LEAST, least_memory_kib
from entrypoints.database_url import url_problem
from entrypoints.peppers import repeated
from entrypoints.setting_values import is_loopback

if TYPE_CHECKING:
    from entrypoints.settings import Settings


def contradictions(settings: "Settings") -> list[str]:
    """Why these values do not go together, or are not safe for the place they are meant for."""
    problems = []
    if settings.verification == "optional" and settings.disclosure == "opaque":
        problems.append(
            "OSTIARY_DISCLOSURE: opaque contradicts OSTIARY_VERIFICATION=optional, under which sign-up makes the user "
            "at once and cannot hide that an address is taken; leave it out or set it to friendly"
        )
    if settings.auto_sign_in and settings.verification == "required":
        problems.append(
            "OSTIARY_AUTO_SIGN_IN: a session at sign-up contradicts OSTIARY_VERIFICATION=required, under which nobody "
            "is signed in before their mailbox is proven; set it to off"
        )
    if not timedelta(minutes=15) <= settings.token_lifetime <= timedelta(minutes=60) and not settings.long_tokens:
        problems.append(
            "OSTIARY_TOKEN_LIFETIME: expected 15m to 60m; anything else needs OSTIARY_LONG_TOKENS=on as well"
        )
    if problem := url_problem(settings.database_url):
        problems.append(f"DATABASE_URL: {problem}")
    for name, secret in (
        ("OSTIARY_SECRET", settings.secret),
        ("OSTIARY_JWT_SHARED_SECRET", settings.jwt_shared_secret),
    ):
        if secret is not None and _weak(secret):
            problems.append(
                f"{name}: too short or not random; expected 32 random characters, as `openssl rand -base64 48` prints"
            )
    if urlsplit(settings.public_url).path:
        problems.append("OSTIARY_PUBLIC_URL: expected an origin without a path; the service is served from its root")
    if any(map(_weak, settings.accepted_secrets)):
        problems.append("OSTIARY_ACCEPTED_SECRETS: expected at least 32 random characters each")
    if settings.jwt_algorithm == "HS256" and settings.jwt_shared_secret is None:
        problems.append("OSTIARY_JWT_SHARED_SECRET: needed for OSTIARY_JWT_ALGORITHM=HS256")
    if settings.jwt_algorithm != "HS256" and settings.jwt_shared_secret is not None:
        problems.append(
            "OSTIARY_JWT_SHARED_SECRET: used with OSTIARY_JWT_ALGORITHM=HS256 only; set that too, or neither"
        )
    if settings.jwt_shared_secret is not None and settings.jwt_shared_secret in (
        settings.secret,
        *settings.accepted_secrets,
    ):
        problems.append("OSTIARY_JWT_SHARED_SECRET: must not be the master secret, which is shared with nobody")
    problems += _pepper_contradictions(settings)
    if settings.metrics_token is not None and _weak(settings.metrics_token, least=16):
        problems.append(
            "OSTIARY_METRICS_TOKEN: expected at least 16 random characters; `openssl rand -hex 16` makes some"
        )
    if settings.metrics_listen and not settings.metrics_listen.private and settings.metrics_token is None:
        problems.append(
            "OSTIARY_METRICS_LISTEN: this is no private address; set OSTIARY_METRICS_TOKEN as well, or listen elsewhere"
        )
    if settings.peppers and not settings.makes_argon2id:
        problems.append(
            "OSTIARY_PEPPERS: a pepper is for argon2id, and OSTIARY_PASSWORD_HASHERS has another one make new hashes; "
            "leave one of the two out"
        )
    for name, url in (
        ("OSTIARY_BREACH_CHECK_URL", settings.breach_check_url),
        ("OSTIARY_RESEND_URL", settings.resend_url),
        ("OSTIARY_SENDGRID_URL", settings.sendgrid_url),
        ("OSTIARY_POSTMARK_URL", settings.postmark_url),
    ):
        asked = urlsplit(url)
        if asked.scheme != "https" and not is_loopback(asked.hostname or ""):
            problems.append(f"{name}: expected https; http is for a service on this machine only")
    if settings.postmark_webhook_secret is not None and _weak(settings.postmark_webhook_secret, least=16):
        problems.append(
            "OSTIARY_POSTMARK_WEBHOOK_SECRET: expected at least 16 random characters; `openssl rand -hex 16` makes some"
        )
    problems += _mail_contradictions(settings)
    if not settings.development:
        problems += _unsafe_in_public(settings)
    return problems


def _pepper_contradictions(settings: "Settings") -> list[str]:
    problems = []
    others = {settings.secret, settings.jwt_shared_secret, *settings.accepted_secrets}
    for place, pepper in enumerate(settings.peppers, 1):
        if _weak(pepper.key):
            problems.append(
                f"OSTIARY_PEPPERS: key {place} is too short or not random; expected 32 random characters, as "
                "`openssl rand -base64 48` prints"
            )
        if pepper.key in others:
            problems.append(f"OSTIARY_PEPPERS: key {place} is in use as another secret; make one for this alone")
    if repeated(pepper.id for pepper in settings.peppers):
        problems.append("OSTIARY_PEPPERS: an id stands there twice; each key needs one of its own")
    if repeated(pepper.key for pepper in settings.peppers):
        problems.append("OSTIARY_PEPPERS: a key stands there twice")
    return problems


def _mail_contradictions(settings: "Settings") -> list[str]:
    problems = []
    if len(settings.set_up_senders) > 1 and not settings.mail_senders and settings.sends_mail:
        problems.append(
            f"OSTIARY_MAIL_SENDERS: needed, because {', '.join(settings.set_up_senders)} are all set; choose, such as "
            f"{','.join(settings.senders)}: the first is tried first, the others take over when it fails"
        )
    needs = {
        "smtp": ("SMTP_HOST", settings.smtp_host),
        "resend": ("RESEND_API_KEY", settings.resend_api_key),
        "sendgrid": ("SENDGRID_API_KEY", settings.sendgrid_api_key),
        "postmark": ("POSTMARK_SERVER_TOKEN", settings.postmark_server_token),
        "file": ("OSTIARY_MAIL_FOLDER", settings.mail_folder),
    }
    for sender in settings.senders:
        variable, value = needs.get(sender, ("", sender))
        if value is None:
            problems.append(f"{variable}: needed for the mail sender {sender}")
    stay_here = settings.development and {*settings.senders} <= {"file", "console"}
    if settings.sends_mail and settings.email_from is None and not stay_here:
        problems.append("EMAIL_FROM: needed to send letters, such as Ostiary <no-reply@example.com>")
    if "smtp" not in settings.senders:
        return problems
    if settings.smtp_host and settings.smtp_encryption == "none" and not is_loopback(settings.smtp_host):
        problems.append("OSTIARY_SMTP_ENCRYPTION: none is for a mail server on this machine only; use starttls or tls")
    if (settings.smtp_user is None) != (settings.smtp_pass is None):
        problems.append("SMTP_USER, SMTP_PASS: set both or neither")
    return problems


def _unsafe_in_public(settings: "Settings") -> list[str]:
    problems = []
    where = f"with the public URL {settings.public_url} on {settings.host}"
    if not settings.https and is_loopback(urlsplit(settings.public_url).hostname or ""):
        where = f"because OSTIARY_HOST={settings.host} listens beyond this machine"
    if not settings.https and not settings.allow_http:
        problems.append(f"OSTIARY_PUBLIC_URL: expected https {where}; OSTIARY_ALLOW_HTTP=on overrides")
    if settings.secret is None:
        problems.append(f"OSTIARY_SECRET: needed {where}; `openssl rand -base64 48` makes one")
    if not settings.sends_mail and not settings.own_mail_sender:
        chosen = settings.mail_senders or settings.set_up_senders
        missing = "SMTP_HOST or another mail sender" + ("" if settings.email_from else ", EMAIL_FROM")
        wanted = "EMAIL_ENABLED: must not be off" if chosen else f"{missing}: needed"
        problems.append(f"{wanted} {where}; letters would land in the dev inbox")
    if "console" in settings.senders:
        problems.append(f"OSTIARY_MAIL_SENDERS: console must not be among them {where}; letters would be read in logs")
    if settings.postmark_webhook_secret is not None and not settings.https:
        problems.append(
            "OSTIARY_POSTMARK_WEBHOOK_SECRET: expected a public URL with https; Postmark signs nothing, and anybody "
            "on the way could read the secret"
        )
    if any(network.prefixlen == 0 for network in settings.trusted_proxies):
        problems.append("OSTIARY_TRUSTED_PROXIES: everybody cannot be trusted; name your proxies' networks")
    if settings.https and any(origin.startswith("http://") for origin in settings.cors_origins):
        problems.append("OSTIARY_CORS_ORIGINS: expected https origins, as anybody on the way can speak for an http one")
    if settings.https and not settings.app_url.startswith("https://"):
        problems.append("APP_URL: expected https, as letters link there with a secret")
    if hashes_too_cheaply(settings):
        problems.append(f"OSTIARY_ARGON2_MEMORY_KIB, OSTIARY_ARGON2_TIME: below {OWASPS_LEAST}")
    return problems


def hashes_too_cheaply(settings: "Settings") -> bool:
    """Whether one password hash costs less than OWASP's least. What a provider's costs is for its author to know."""
    return settings.makes_argon2id and settings.argon2_memory_kib < least_memory_kib(settings.argon2_time)


def _weak(secret: str, least: int = 32) -> bool:
    return len(secret) < least or len(set(secret)) < 8 or "changeme" in secret.lower()
