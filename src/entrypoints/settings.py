"""Every setting: the only reader of the environment, and the only list of its variables (DESIGN section 7)."""

import os
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from datetime import timedelta
from email.headerregistry import Address
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from domain.declared_fields import DeclaredFields
from domain.email_address import EmailAddress
from domain.limits import Quota, Quotas
from domain.password import BEST_SCORE
from domain.spans import in_words
from entrypoints import brand_values, mail_values
from entrypoints import setting_values as values
from entrypoints.database_url import leads_to_a_pooler
from entrypoints.fields_file import FieldsFile, SeveralProblems, fields_file
from entrypoints.peppers import NamedKey, peppers
from entrypoints.provider_names import breach_check, provider_names
from entrypoints.setting_values import Listener, Network
from entrypoints.settings_check import contradictions
from entrypoints.webhook_key import sendgrid_key


class SettingsError(Exception):
    """Ostiary cannot start like this; the message lists every problem with its variable, and never a value."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("Ostiary cannot start:\n" + "\n".join(f"  - {problem}" for problem in problems))


def setting(name: str, parse: Callable[[str], Any], default: str, doc: str, *, secret: bool = False) -> Any:
    """A field read from the variable `name`; `default` is what stands there when it is not set."""
    return field(
        repr=not secret, metadata={"name": name, "parse": parse, "default": default, "doc": doc, "secret": secret}
    )


def _quota(name: str) -> Any:
    [spec] = (spec for spec in fields(Quotas) if spec.name == name)
    return setting(f"OSTIARY_LIMIT_{name.upper()}", Quota.parse, str(spec.default), spec.metadata["doc"])


def _kept(what: str, default: str, doc: str) -> Any:
    return setting(f"OSTIARY_KEEP_{what.upper()}", values.duration("0s", "3650d"), default, f"How long to keep: {doc}")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is in force. Read it once with `read_settings`; nothing else looks at the environment."""

    app_url: str = setting(
        "APP_URL", values.url, "", "Where people are sent: your front end. Default: OSTIARY_PUBLIC_URL."
    )
    public_url: str = setting(
        "OSTIARY_PUBLIC_URL",
        values.url,
        "",
        "Where this service is reached from outside. Default: APP_URL, or http://127.0.0.1:8000.",
    )
    host: str = setting("OSTIARY_HOST", str, "127.0.0.1", "The address to listen on.")
    port: int = setting("OSTIARY_PORT", values.integer(0, 65535), "8000", "The port to listen on.")
    workers: int = setting(
        "OSTIARY_WORKERS", values.integer(1, 64), "1", "Processes that serve. Each also runs what OSTIARY_WORKER says."
    )
    max_connections: int = setting(
        "OSTIARY_MAX_CONNECTIONS", values.integer(10, 100_000), "1000", "Connections that one process keeps at a time."
    )
    keep_alive: timedelta = setting(
        "OSTIARY_KEEP_ALIVE",
        values.duration("1s", "10m"),
        "65s",
        "A connection unused is closed; longer than your proxy keeps one.",
    )
    data_dir: Path = setting(
        "OSTIARY_DATA_DIR", values.folder, "./ostiary-data", "Where the embedded default keeps its files."
    )
    database_url: str = setting(
        "DATABASE_URL",
        str,
        "",
        "The database: sqlite:////var/lib/ostiary/ostiary.sqlite3, or postgresql://… as your vendor prints it.",
        secret=True,
    )
    db_schema: str = setting(
        "OSTIARY_DB_SCHEMA", values.identifier, "ostiary", "PostgreSQL: the schema that holds the tables."
    )
    db_pooler: str = setting(
        "OSTIARY_DB_POOLER",
        values.choice("auto", "none", "transaction"),
        "auto",
        "PostgreSQL: transaction when a pooler such as PgBouncer stands between. auto knows Neon's and Supabase's.",
    )
    db_pool_size: int = setting(
        "OSTIARY_DB_POOL_SIZE", values.integer(2, 1000), "10", "PostgreSQL: connections of each process."
    )
    db_pool_timeout: timedelta = setting(
        "OSTIARY_DB_POOL_TIMEOUT",
        values.duration("1s", "60s"),
        "5s",
        "PostgreSQL: how long to wait for a connection before answering 503.",
    )
    db_statement_timeout: timedelta = setting(
        "OSTIARY_DB_STATEMENT_TIMEOUT",
        values.duration("1s", "10m"),
        "10s",
        "PostgreSQL: how long a statement may take.",
    )
    secret: str | None = setting(
        "OSTIARY_SECRET",
        values.text,
        "",
        "The master secret: at least 32 random characters. Generated on a developer's machine.",
        secret=True,
    )
    accepted_secrets: tuple[str, ...] = setting(
        "OSTIARY_ACCEPTED_SECRETS", values.secrets, "", "Other secrets that verify, but do not sign.", secret=True
    )
    allow_http: bool = setting(
        "OSTIARY_ALLOW_HTTP",
        values.switch,
        "off",
        "Permit a public URL without TLS. Passwords travel in the clear then.",
    )
    cors_origins: tuple[str, ...] = setting(
        "OSTIARY_CORS_ORIGINS", values.origins, "", "Further origins whose pages may call this service."
    )
    trusted_proxies: tuple[Network, ...] = setting(
        "OSTIARY_TRUSTED_PROXIES", values.networks, "", "Networks (CIDR) whose X-Forwarded-For is believed."
    )
    pages: bool = setting("OSTIARY_PAGES", values.switch, "on", "Serve the built-in pages.")
    openapi: bool | None = setting(
        "OSTIARY_OPENAPI",
        values.optional_switch,
        "",
        "Serve /openapi.json and /docs. Default: on a developer's machine only.",
    )
    brand: str = setting("OSTIARY_BRAND", str, "Ostiary", "The name of your product, in pages and letters.")
    brand_colour: str = setting(
        "OSTIARY_BRAND_COLOUR",
        brand_values.colour,
        "#0d625c",
        "The colour of buttons and links in letters, as in CSS: #rrggbb.",
    )
    brand_logo: Path | None = setting(
        "OSTIARY_BRAND_LOGO",
        brand_values.logo,
        "",
        "A picture above each letter, sent along: PNG or JPEG, at most 64 KiB.",
    )
    support_address: EmailAddress | None = setting(
        "OSTIARY_SUPPORT_ADDRESS",
        brand_values.address,
        "",
        "Where people get help: shown in letters, and where replies go.",
    )
    locales: tuple[str, ...] = setting(
        "OSTIARY_LOCALES",
        values.locales,
        "en,de,fr,es,ar",
        "The languages offered, as tags; the first is for everybody who reads none of them.",
    )
    templates: Path | None = setting(
        "OSTIARY_TEMPLATES",
        brand_values.templates,
        "",
        "A folder with templates of letters and catalogues of languages of your own, which come before ours.",
    )
    privacy_url: str | None = setting("OSTIARY_PRIVACY_URL", values.url, "", "Your privacy notice, linked at sign-up.")
    verify_path: str = setting(
        "OSTIARY_VERIFY_PATH", values.path, "/auth/verify", "The path at APP_URL that letters link to."
    )
    sign_in_path: str = setting(
        "OSTIARY_SIGN_IN_PATH", values.path, "/auth/signin", "The sign-in page's path at APP_URL."
    )

    reset_path: str = setting(
        "OSTIARY_RESET_PATH", values.path, "/auth/reset", "The path at APP_URL where a new password is chosen."
    )
    confirm_email_path: str = setting(
        "OSTIARY_CONFIRM_EMAIL_PATH",
        values.path,
        "/auth/confirm-email-change",
        "The path at APP_URL where a new address is confirmed.",
    )
    undo_path: str = setting(
        "OSTIARY_UNDO_PATH", values.path, "/auth/undo", "The path at APP_URL where an owner says: this wasn't me."
    )

    disclosure: str = setting(
        "OSTIARY_DISCLOSURE",
        values.optional_choice("opaque", "friendly"),
        "",
        "Whether sign-up tells everybody that an address is taken. Default: opaque, unless verification is optional.",
    )
    verification: str = setting(
        "OSTIARY_VERIFICATION",
        values.choice("required", "optional"),
        "required",
        "Whether a mailbox must be proven before signing in. Optional gives up opaque disclosure.",
    )
    auto_sign_in: bool = setting(
        "OSTIARY_AUTO_SIGN_IN",
        values.optional_switch,
        "",
        "Start a session at sign-up. Default: exactly when verification is optional.",
    )
    verify_elsewhere: str = setting(
        "OSTIARY_VERIFY_ELSEWHERE",
        values.choice("refuse", "allow"),
        "refuse",
        "Whether a letter's link alone activates the password of a sign-up made in another browser.",
    )
    token_lifetime: timedelta = setting(
        "OSTIARY_TOKEN_LIFETIME", values.duration("1s", "7d"), "60m", "How long a letter's link works: 15m to 60m."
    )
    long_tokens: bool = setting(
        "OSTIARY_LONG_TOKENS", values.switch, "off", "Permit OSTIARY_TOKEN_LIFETIME outside 15m to 60m."
    )
    delivery_jitter: timedelta = setting(
        "OSTIARY_DELIVERY_JITTER",
        values.duration("0s", "60s"),
        "1s",
        "Letters leave at a random moment within this time.",
    )
    worker: bool = setting("OSTIARY_WORKER", values.switch, "on", "Send letters and keep house in this process.")

    new_device_letters: bool = setting(
        "OSTIARY_NEW_DEVICE_LETTERS", values.switch, "on", "Tell an owner by letter of a sign-in on a new device."
    )
    suppress_for: timedelta = setting(
        "OSTIARY_SUPPRESS_FOR",
        values.duration("1h", "3650d"),
        "30d",
        "How long an address gets no letters after its mailbox bounced one for good, or called one spam.",
    )
    sendgrid_webhook_key: str | None = setting(
        "OSTIARY_SENDGRID_WEBHOOK_KEY",
        sendgrid_key,
        "",
        "The verification key of SendGrid's Signed Event Webhook. Turns /hooks/sendgrid on.",
    )
    postmark_webhook_secret: str | None = setting(
        "OSTIARY_POSTMARK_WEBHOOK_SECRET",
        values.text,
        "",
        "The password in the URL of Postmark's webhooks: at least 16 random characters. Turns /hooks/postmark on.",
        secret=True,
    )
    keep_sign_ups: timedelta = _kept("sign_ups", "0s", "Sign-ups, after they have expired.")
    keep_claims: timedelta = _kept("claims", "0s", "Claims on usernames, after they have expired.")
    keep_tokens: timedelta = _kept("tokens", "2d", "Tokens from letters, after they have expired.")
    keep_sessions: timedelta = _kept("sessions", "0s", "Sessions, after they have expired.")
    keep_limits: timedelta = _kept("limits", "0s", "Counts of limits, after their window.")
    keep_letters: timedelta = _kept("letters", "30d", "Letters, after they left or were given up.")
    keep_events: timedelta = _kept("events", "365d", "Events.")
    keep_addresses: timedelta = _kept("addresses", "30d", "Client addresses in events in full; shortened after that.")

    session_idle: timedelta = setting(
        "OSTIARY_SESSION_IDLE", values.duration("1m", "365d"), "14d", "A session unused ends."
    )
    session_absolute: timedelta = setting(
        "OSTIARY_SESSION_ABSOLUTE", values.duration("1m", "365d"), "30d", "A session ends, used or not."
    )
    session_short: timedelta = setting(
        "OSTIARY_SESSION_SHORT", values.duration("1m", "365d"), "24h", "A session that is not to be remembered ends."
    )
    cookie_samesite: str = setting(
        "OSTIARY_COOKIE_SAMESITE", values.choice("lax", "strict"), "lax", "SameSite of the session cookie."
    )
    access_token_cookie: bool = setting(
        "OSTIARY_ACCESS_TOKEN_COOKIE", values.switch, "off", "Set the access token as a second HttpOnly cookie."
    )
    jwt_algorithm: str = setting(
        "OSTIARY_JWT_ALGORITHM", values.choice("ES256", "HS256"), "ES256", "How access tokens are signed."
    )
    jwt_shared_secret: str | None = setting(
        "OSTIARY_JWT_SHARED_SECRET",
        values.text,
        "",
        "For HS256: at least 32 characters, shared with your back end.",
        secret=True,
    )
    jwt_audience: str | None = setting(
        "OSTIARY_JWT_AUDIENCE",
        values.text,
        "",
        "The `aud` claim. Default: OSTIARY_PUBLIC_URL with ES256, none with HS256.",
    )
    jwt_lifetime: timedelta = setting(
        "OSTIARY_JWT_LIFETIME", values.duration("1m", "7d"), "15m", "How long an access token is good for."
    )
    jwt_user_id: bool = setting("OSTIARY_JWT_USER_ID", values.switch, "off", "Add a `user_id` claim beside `sub`.")

    name: str = setting(
        "OSTIARY_NAME", values.choice("required", "optional"), "required", "Whether sign-up asks for a name."
    )
    username: str = setting(
        "OSTIARY_USERNAME", values.choice("off", "optional", "required"), "off", "Whether sign-up asks for a username."
    )
    fields_file: FieldsFile | None = setting(
        "OSTIARY_FIELDS", fields_file, "", "A TOML file that declares profile fields of your own; see docs/profile.md."
    )
    disposable_domains: Path | None = setting(
        "OSTIARY_DISPOSABLE_DOMAINS",
        values.existing_file,
        "",
        "A file of mail domains to refuse at sign-up, one a line.",
    )
    password_min_length: int = setting(
        "OSTIARY_PASSWORD_MIN_LENGTH",
        values.integer(8, 64),
        "12",
        "The shortest new password, in characters. NIST says 15.",
    )
    password_require: frozenset[str] = setting(
        "OSTIARY_PASSWORD_REQUIRE",
        values.words("upper", "lower", "digit", "special"),
        "",
        "Character classes a new password needs.",
    )
    password_refuse_common: bool = setting(
        "OSTIARY_PASSWORD_REFUSE_COMMON", values.switch, "on", "Refuse passwords that are on published lists."
    )
    password_min_score: int = setting(
        "OSTIARY_PASSWORD_MIN_SCORE",
        values.integer(0, BEST_SCORE),
        "0",
        "The least score by zxcvbn, 1 to 4, of a new password; 0 asks for none.",
    )
    password_breach_check: str = setting(
        "OSTIARY_PASSWORD_BREACH_CHECK",
        breach_check,
        "off",
        "Refuse passwords known from breaches. on: by a range query, five digits of a hash leave this machine. "
        "Or a provider: its name or package.module:factory, see docs/extend.md.",
    )
    breach_check_url: str = setting(
        "OSTIARY_BREACH_CHECK_URL",
        values.url,
        "https://api.pwnedpasswords.com/range",
        "Who is asked: Have I Been Pwned, or a mirror of yours.",
    )
    argon2_memory_kib: int = setting(
        "OSTIARY_ARGON2_MEMORY_KIB", values.integer(8, 262144), "19456", "Memory of one password hash."
    )
    argon2_time: int = setting("OSTIARY_ARGON2_TIME", values.integer(1, 10), "2", "Passes of one password hash.")
    argon2_parallelism: int = setting(
        "OSTIARY_ARGON2_PARALLELISM", values.integer(1, 16), "1", "Lanes of one password hash."
    )
    peppers: tuple[NamedKey, ...] = setting(
        "OSTIARY_PEPPERS",
        peppers,
        "",
        "Keys of the pepper, as id:key id:key: the first is for new hashes, all verify. See docs/keys.md.",
        secret=True,
    )
    password_hashers: tuple[str, ...] = setting(
        "OSTIARY_PASSWORD_HASHERS",
        provider_names,
        "argon2id",
        "The first makes new hashes; the others, and all built-in forms, are read. argon2id, or providers by name or "
        "package.module:factory: see docs/extend.md.",
    )
    hashing_slots: int = setting(
        "OSTIARY_HASHING_SLOTS",
        values.integer(0, 256),
        "0",
        "Hashes that one process computes at a time; 0 shares the cores out among OSTIARY_WORKERS.",
    )

    email_enabled: bool | None = setting(
        "EMAIL_ENABLED",
        values.optional_switch,
        "",
        "Send letters. Default: when a mail sender is set up. off: they land in the dev inbox.",
    )
    mail_senders: tuple[str, ...] = setting(
        "OSTIARY_MAIL_SENDERS",
        provider_names,
        "",
        "Who sends letters; the others take over when the first fails. Any of smtp, resend, sendgrid, postmark, file, "
        "console, and providers by name or package.module:factory (docs/extend.md). Default: the one that is set up.",
    )
    email_from: Address | None = setting("EMAIL_FROM", mail_values.sender, "", "Sender of letters: Name <address>.")
    smtp_host: str | None = setting("SMTP_HOST", values.text, "", "The mail server.")
    smtp_port: int = setting("SMTP_PORT", values.integer(1, 65535), "587", "Its port.")
    smtp_user: str | None = setting("SMTP_USER", values.text, "", "Log-in at the mail server.")
    smtp_pass: str | None = setting("SMTP_PASS", values.text, "", "Password at the mail server.", secret=True)
    smtp_encryption: str = setting(
        "OSTIARY_SMTP_ENCRYPTION",
        values.choice("auto", "tls", "starttls", "none"),
        "auto",
        "auto: tls on port 465, none on loopback, else starttls. none is for loopback only.",
    )
    smtp_ca_file: Path | None = setting(
        "OSTIARY_SMTP_CA_FILE", mail_values.authorities, "", "Certificate authority of the mail server."
    )
    smtp_timeout: timedelta = setting(
        "OSTIARY_SMTP_TIMEOUT",
        values.duration("1s", "40s"),
        "10s",
        "Deadline of each step with the mail server; up to the letter itself, all together take 30 seconds at most.",
    )
    resend_api_key: str | None = setting(
        "RESEND_API_KEY", mail_values.api_key, "", "Send letters by Resend, with this key.", secret=True
    )
    resend_url: str = setting("OSTIARY_RESEND_URL", values.url, "https://api.resend.com", "Where Resend is.")
    sendgrid_api_key: str | None = setting(
        "SENDGRID_API_KEY", mail_values.api_key, "", "Send letters by SendGrid, with this key.", secret=True
    )
    sendgrid_url: str = setting(
        "OSTIARY_SENDGRID_URL",
        values.url,
        "https://api.sendgrid.com",
        "Where SendGrid is: https://api.eu.sendgrid.com for its European region.",
    )
    postmark_server_token: str | None = setting(
        "POSTMARK_SERVER_TOKEN",
        mail_values.api_key,
        "",
        "Send letters by Postmark, with this server's token.",
        secret=True,
    )
    postmark_stream: str = setting(
        "OSTIARY_POSTMARK_STREAM", mail_values.stream, "outbound", "Postmark: the message stream, a transactional one."
    )
    postmark_url: str = setting("OSTIARY_POSTMARK_URL", values.url, "https://api.postmarkapp.com", "Where Postmark is.")
    mail_folder: Path | None = setting(
        "OSTIARY_MAIL_FOLDER", values.optional_folder, "", "The mail sender file: where each letter becomes a file."
    )

    log_format: str = setting(
        "OSTIARY_LOG_FORMAT",
        values.choice("auto", "json", "console"),
        "auto",
        "auto: readable on a terminal, else JSON lines.",
    )
    log_client: str = setting(
        "OSTIARY_LOG_CLIENT", values.choice("full", "masked"), "full", "How client addresses appear in the log."
    )

    metrics_token: str | None = setting(
        "OSTIARY_METRICS_TOKEN",
        values.text,
        "",
        "Serve GET /metrics to who sends this bearer token: at least 16 random characters.",
        secret=True,
    )
    metrics_listen: Listener | None = setting(
        "OSTIARY_METRICS_LISTEN",
        values.listener,
        "",
        "Serve GET /metrics at this address as well, such as 127.0.0.1:9100; a private one needs no token.",
    )

    limit_sign_in_pair: Quota | None = _quota("sign_in_pair")
    limit_sign_in_address: Quota | None = _quota("sign_in_address")
    limit_sign_in_client: Quota | None = _quota("sign_in_client")
    limit_sign_in_device: Quota | None = _quota("sign_in_device")
    limit_sign_up_client: Quota | None = _quota("sign_up_client")
    limit_sign_up_address: Quota | None = _quota("sign_up_address")
    limit_letter_minute: Quota | None = _quota("letter_minute")
    limit_letter_hour: Quota | None = _quota("letter_hour")
    limit_letter_day: Quota | None = _quota("letter_day")
    limit_letter_client: Quota | None = _quota("letter_client")
    limit_owner_notice: Quota | None = _quota("owner_notice")
    limit_token_client: Quota | None = _quota("token_client")
    limit_waiting_password: Quota | None = _quota("waiting_password")
    limit_own_password: Quota | None = _quota("own_password")
    limit_notice: Quota | None = _quota("notice")
    limit_username_change: Quota | None = _quota("username_change")

    def listening_on(self, port: int) -> "Settings":
        """These settings with the port that the system chose for `OSTIARY_PORT=0`."""
        if self.port != 0:
            return self
        places = {name: getattr(self, name).replace(":0", f":{port}") for name in ("public_url", "app_url")}
        return replace(self, port=port, **places)

    @property
    def https(self) -> bool:
        """Whether people reach this service by TLS: cookie names and HSTS follow it, never the request."""
        return self.public_url.startswith("https://")

    @property
    def development(self) -> bool:
        """Whether this is a developer's machine: plain http, reached by loopback and from nowhere else."""
        places = (urlsplit(self.public_url).hostname or "", self.host)
        return not self.https and all(map(values.is_loopback, places))

    @property
    def sqlite_file(self) -> Path | None:
        """The file of the embedded default; None with PostgreSQL."""
        if not self.database_url.startswith("sqlite:///"):
            return None
        return Path(self.database_url.removeprefix("sqlite:///"))

    @property
    def pooled(self) -> bool:
        """Whether each transaction may meet another connection."""
        return self.db_pooler == "transaction" or (self.db_pooler == "auto" and leads_to_a_pooler(self.database_url))

    @property
    def sends_mail(self) -> bool:
        """Whether letters leave rather than land in the dev inbox."""
        return bool(self.senders)

    @property
    def senders(self) -> tuple[str, ...]:
        """The names of the mail senders in force, the first of which is tried first; none with the dev inbox."""
        if self.email_enabled is False:
            return ()
        usual = ("smtp",) if self.email_enabled else ()
        return self.mail_senders or tuple(self.set_up_senders.values()) or usual

    @property
    def set_up_senders(self) -> Mapping[str, str]:
        """The mail senders for which there is what only they need: by that variable, their names."""
        needed = {
            "SMTP_HOST": (self.smtp_host, "smtp"),
            "RESEND_API_KEY": (self.resend_api_key, "resend"),
            "SENDGRID_API_KEY": (self.sendgrid_api_key, "sendgrid"),
            "POSTMARK_SERVER_TOKEN": (self.postmark_server_token, "postmark"),
        }
        return {variable: name for variable, (value, name) in needed.items() if value is not None}

    @property
    def makes_argon2id(self) -> bool:
        """Whether new hashes are our own rather than a provider's."""
        return self.password_hashers[0] == "argon2id"

    @property
    def refuses_breached(self) -> bool:
        """Whether somebody is asked about new passwords."""
        return self.password_breach_check != "off"  # noqa: S105 - no password

    @property
    def measured(self) -> bool:
        """Whether anybody may read metrics."""
        return self.metrics_token is not None or self.metrics_listen is not None

    @property
    def smtp_encryption_in_force(self) -> str:
        """What `auto` comes to."""
        if self.smtp_encryption != "auto":
            return self.smtp_encryption
        if self.smtp_port == 465:
            return "tls"
        return "none" if values.is_loopback(self.smtp_host or "") else "starttls"

    @property
    def serves_openapi(self) -> bool:
        """Whether the API describes itself."""
        return self.development if self.openapi is None else self.openapi

    @property
    def origins(self) -> frozenset[str]:
        """The origins whose pages may change things here."""
        return (
            frozenset(map(values.origin_of, (self.public_url, self.app_url, *self.cors_origins)))
            | self._loopback_aliases
        )

    @property
    def _loopback_aliases(self) -> frozenset[str]:
        """A developer types localhost or 127.0.0.1, and means the same."""
        if not self.development:
            return frozenset()
        port = urlsplit(self.public_url).port or 80
        return frozenset(f"http://{host}:{port}" for host in ("localhost", "127.0.0.1", "[::1]"))

    @property
    def declared(self) -> DeclaredFields:
        """The profile fields that the operator declared."""
        return self.fields_file.declared if self.fields_file is not None else DeclaredFields()

    own_mail_sender: bool = False
    """Whether letters leave by a sender of the caller's own."""

    surroundings: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """The environment, with `.env` behind it, but for these settings: for providers, who keep theirs there."""

    @property
    def quotas(self) -> Quotas:
        """The limits in force."""
        return Quotas(**{quota.name: getattr(self, f"limit_{quota.name}") for quota in fields(Quotas)})


@dataclass(frozen=True, slots=True)
class InForce:
    """One setting as `ostiary settings` shows it."""

    name: str
    value: str
    source: str
    doc: str


def read_settings(
    environ: Mapping[str, str] | None = None, *, dotenv: Path | None = Path(".env"), own_mail_sender: bool = False
) -> Settings:
    """Read the environment, with `.env` behind it; `own_mail_sender` for who brings one in `Replacements`.

    Raises `SettingsError` with every value that cannot be read, or else with everything that does not go together.
    """
    return _read(environ, dotenv, own_mail_sender)[0]


def settings_in_force(environ: Mapping[str, str] | None = None, *, dotenv: Path | None = Path(".env")) -> list[InForce]:
    """Every setting with where its value comes from, secrets masked."""
    settings, sources = _read(environ, dotenv, False)
    return [
        InForce(
            name=spec.metadata["name"],
            value=_shown(spec, getattr(settings, spec.name)),
            source=sources[spec.metadata["name"]],
            doc=spec.metadata["doc"] + getattr(spec.metadata["parse"], "allowed", ""),
        )
        for spec in _variables()
    ]


def _variables() -> list["Field[Any]"]:
    """The fields that are read from variables."""
    return [spec for spec in fields(Settings) if "name" in spec.metadata]


def _shown(spec: "Field[Any]", value: Any) -> str:
    if spec.metadata["secret"]:
        return "(set, hidden)" if value else ""
    if isinstance(value, timedelta):
        return in_words(value)
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Quota):
        return str(value)
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, frozenset):
        return ",".join(sorted(value))
    if spec.metadata["parse"] is Quota.parse and value is None:
        return "off"
    return "" if value is None else str(value)


def _read(
    environ: Mapping[str, str] | None, dotenv: Path | None, own_mail_sender: bool
) -> tuple[Settings, dict[str, str]]:
    environ = os.environ if environ is None else environ
    behind: dict[str, str] = {}
    if dotenv is not None and dotenv.is_file():
        from dotenv import dotenv_values

        try:
            behind = {name: value for name, value in dotenv_values(dotenv).items() if value is not None}
        except UnicodeDecodeError:
            raise SettingsError([f"{dotenv}: expected text in UTF-8"]) from None
    problems: list[str] = []
    parsed: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for spec in _variables():
        name = spec.metadata["name"]
        sources[name] = "environment" if environ.get(name) else str(dotenv) if behind.get(name) else "default"
        # Empty means not set, as `${NAME:-}` in compose files has it.
        text = (environ.get(name, "").strip() or behind.get(name, "").strip()) or spec.metadata["default"]
        try:
            if not text.isprintable():
                raise ValueError("control characters are not accepted")
            parsed[spec.name] = spec.metadata["parse"](text)
        except SeveralProblems as several:
            problems += [f"{name}: {problem}" for problem in several.problems]
        except ValueError as error:
            # Never the value: it may be a secret in the wrong place.
            problems.append(f"{name}: {error}")
    known = {spec.metadata["name"] for spec in _variables()}
    for name in sorted({*environ, *behind}):
        if name.startswith("OSTIARY_") and name not in known:
            problems.append(f"{name}: there is no such setting")
    if problems:
        raise SettingsError(problems)
    all_there = {**behind, **{name: value for name, value in environ.items() if value}}
    # Nor what the database's own programs read: it may stand beside ours, and holds the database's password.
    ours = ("PG", "POSTGRES_")
    others = {name: text for name, text in all_there.items() if name not in known and not name.startswith(ours)}
    settings = Settings(
        **_with_modes(_with_places(parsed)), own_mail_sender=own_mail_sender, surroundings=MappingProxyType(others)
    )
    if problems := contradictions(settings):
        raise SettingsError(problems)
    return settings, sources


def _with_places(parsed: dict[str, Any]) -> dict[str, Any]:
    """Fill in the places that default to one another."""
    here = f"http://{'127.0.0.1' if parsed['host'] in ('0.0.0.0', '::') else parsed['host']}:{parsed['port']}"  # noqa: S104
    public_url = parsed["public_url"] or parsed["app_url"] or here
    return {
        **parsed,
        "public_url": public_url,
        "app_url": parsed["app_url"] or public_url,
        "database_url": parsed["database_url"] or f"sqlite:///{parsed['data_dir'] / 'ostiary.sqlite3'}",
    }


def _with_modes(parsed: dict[str, Any]) -> dict[str, Any]:
    """Fill in what follows from whether verification is optional."""
    optional = parsed["verification"] == "optional"
    return {
        **parsed,
        "disclosure": parsed["disclosure"] or ("friendly" if optional else "opaque"),
        "auto_sign_in": optional if parsed["auto_sign_in"] is None else parsed["auto_sign_in"],
    }
