"""Settings: read once, all problems together, nothing secret ever shown (DESIGN section 7, J 3.5, A 13.3.1)."""

from dataclasses import fields
from pathlib import Path

import pytest

from entrypoints.settings import InForce, Settings, SettingsError, read_settings, settings_in_force
from tests.support.http_requests import run_command

STRONG = "kT9vQ2mZ7xL4pR8sW1yB6nD3fG5hJ0cA"
OTHER = "mX3bN8cV5zL1kJ6hG9fD2sA7pQ4wE0rT"
PUBLIC = {
    "OSTIARY_PUBLIC_URL": "https://auth.example.com",
    "OSTIARY_SECRET": STRONG,
    "SMTP_HOST": "smtp.example.com",
    "EMAIL_FROM": "Shop <no-reply@example.com>",
}


def read(**variables: str) -> Settings:
    """The settings of these variables and no others."""
    return read_settings(variables, dotenv=None)


def refused(**variables: str) -> str:
    """What is said about these variables."""
    with pytest.raises(SettingsError) as caught:
        read(**variables)
    return str(caught.value)


def shown(variables: dict[str, str], dotenv: Path | None = None) -> dict[str, InForce]:
    """What `ostiary settings` shows, by name."""
    return {entry.name: entry for entry in settings_in_force(variables, dotenv=dotenv)}


NAMES = [spec.metadata["name"] for spec in fields(Settings) if "name" in spec.metadata]
HS256 = {"OSTIARY_JWT_ALGORITHM": "HS256"}
SECRET_NAMES = [spec.metadata["name"] for spec in fields(Settings) if spec.metadata.get("secret")]

BAD = [
    ("APP_URL", "canary"),
    ("APP_URL", "ftp://canary.example"),
    ("APP_URL", "javascript:canary"),
    ("APP_URL", "https://user:canary@example.com"),
    ("APP_URL", "https://example.com/?canary=1"),
    ("APP_URL", "https://example.com:canary"),
    ("APP_URL", "https://[canary"),
    ("APP_URL", "https://example.com:99999"),
    ("OSTIARY_PUBLIC_URL", "//canary.example"),
    ("OSTIARY_PUBLIC_URL", "https://example.com/#canary"),
    ("OSTIARY_BREACH_CHECK_URL", "canary"),
    ("OSTIARY_PASSWORD_MIN_SCORE", "5"),
    ("OSTIARY_PASSWORD_BREACH_CHECK", "Canary"),
    ("OSTIARY_PASSWORD_BREACH_CHECK", "canary:"),
    ("OSTIARY_PASSWORD_BREACH_CHECK", "canary.of:a/b"),
    ("OSTIARY_PASSWORD_BREACH_CHECK", "acanary" * 5),
    ("OSTIARY_PASSWORD_HASHERS", "Canary"),
    ("OSTIARY_PASSWORD_HASHERS", ","),
    ("OSTIARY_PASSWORD_HASHERS", "argon2id,canary,canary"),
    ("OSTIARY_MAIL_SENDERS", "smtp,re_Canary"),
    ("OSTIARY_MAIL_SENDERS", "smtp canary canary"),
    ("OSTIARY_RESEND_URL", "http://canary.example"),
    ("OSTIARY_SENDGRID_URL", "canary"),
    ("OSTIARY_POSTMARK_URL", "http://canary.example"),
    ("OSTIARY_POSTMARK_STREAM", "Canary!"),
    ("RESEND_API_KEY", "canary in words"),
    ("SENDGRID_API_KEY", "canaryé"),
    ("POSTMARK_SERVER_TOKEN", "canary–1"),
    ("OSTIARY_PORT", "canary"),
    ("OSTIARY_PORT", "65536"),
    ("OSTIARY_PORT", "-1"),
    ("OSTIARY_PORT", "٨٠٠٠"),
    ("OSTIARY_ALLOW_HTTP", "canary"),
    ("OSTIARY_CORS_ORIGINS", "*"),
    ("OSTIARY_CORS_ORIGINS", "https://app.example.com,canary"),
    ("OSTIARY_CORS_ORIGINS", "https://app.example.com/canary"),
    ("OSTIARY_CORS_ORIGINS", "https://*.canary.example"),
    ("OSTIARY_CORS_ORIGINS", "https://*"),
    ("OSTIARY_CORS_ORIGINS", "null"),
    ("OSTIARY_TRUSTED_PROXIES", "canary"),
    ("OSTIARY_TRUSTED_PROXIES", "10.0.0.0/99"),
    ("OSTIARY_TRUSTED_PROXIES", "10.0.0.1/8"),
    ("OSTIARY_PAGES", "canary"),
    ("OSTIARY_OPENAPI", "canary"),
    ("OSTIARY_PRIVACY_URL", "canary"),
    ("OSTIARY_VERIFY_PATH", "canary"),
    ("OSTIARY_VERIFY_PATH", "/canary?x=1"),
    ("OSTIARY_SIGN_IN_PATH", "https://canary.example"),
    ("OSTIARY_DISCLOSURE", "canary"),
    ("OSTIARY_VERIFICATION", "canary"),
    ("OSTIARY_AUTO_SIGN_IN", "canary"),
    ("OSTIARY_VERIFY_ELSEWHERE", "canary"),
    ("OSTIARY_TOKEN_LIFETIME", "canary"),
    ("OSTIARY_TOKEN_LIFETIME", "60"),
    ("OSTIARY_TOKEN_LIFETIME", "0m"),
    ("OSTIARY_TOKEN_LIFETIME", "8d"),
    ("OSTIARY_TOKEN_LIFETIME", "5m"),
    ("OSTIARY_TOKEN_LIFETIME", "2h"),
    ("OSTIARY_DELIVERY_JITTER", "2m"),
    ("OSTIARY_WORKER", "canary"),
    ("OSTIARY_SESSION_IDLE", "366d"),
    ("OSTIARY_SESSION_ABSOLUTE", "1s"),
    ("OSTIARY_SESSION_SHORT", "-1d"),
    ("OSTIARY_COOKIE_SAMESITE", "none"),
    ("OSTIARY_ACCESS_TOKEN_COOKIE", "canary"),
    ("OSTIARY_JWT_ALGORITHM", "none"),
    ("OSTIARY_JWT_ALGORITHM", "RS256"),
    ("OSTIARY_JWT_LIFETIME", "8d"),
    ("OSTIARY_JWT_USER_ID", "canary"),
    ("OSTIARY_NAME", "canary"),
    ("OSTIARY_USERNAME", "canary"),
    ("OSTIARY_DISPOSABLE_DOMAINS", "/canary/nowhere"),
    ("OSTIARY_DISPOSABLE_DOMAINS", "/canary" * 40),
    ("OSTIARY_DISPOSABLE_DOMAINS", "canary" * 60),
    ("OSTIARY_PASSWORD_MIN_LENGTH", "7"),
    ("OSTIARY_PASSWORD_MIN_LENGTH", "65"),
    ("OSTIARY_PASSWORD_REQUIRE", "canary"),
    ("OSTIARY_PASSWORD_REFUSE_COMMON", "canary"),
    ("OSTIARY_ARGON2_MEMORY_KIB", "7"),
    ("OSTIARY_ARGON2_MEMORY_KIB", "262145"),
    ("OSTIARY_ARGON2_TIME", "0"),
    ("OSTIARY_ARGON2_TIME", "11"),
    ("OSTIARY_ARGON2_PARALLELISM", "0"),
    ("OSTIARY_HASHING_SLOTS", "canary"),
    ("OSTIARY_PEPPERS", "canary"),
    ("OSTIARY_PEPPERS", "canary:"),
    ("OSTIARY_PEPPERS", "Canary:kT9vQ2mZ7xL4pR8sW1yB6nD3fG5hJ0cA"),
    ("OSTIARY_PEPPERS", "an-id-that-is-far-too-long-canary:kT9vQ2mZ7xL4pR8sW1yB6nD3fG5hJ0cA"),
    ("OSTIARY_PEPPERS", "a:canary"),
    ("EMAIL_ENABLED", "canary"),
    ("EMAIL_FROM", "canary"),
    ("EMAIL_FROM", "Shop <canary>"),
    ("EMAIL_FROM", "Shop <a@example.com>, <canary@example.com>"),
    ("EMAIL_FROM", "Shop\r\nBcc: canary@example.com <a@example.com>"),
    ("SMTP_PORT", "0"),
    ("SMTP_PORT", "canary"),
    ("OSTIARY_SMTP_ENCRYPTION", "canary"),
    ("OSTIARY_SMTP_CA_FILE", "/canary/nowhere"),
    ("OSTIARY_SMTP_TIMEOUT", "41s"),
    ("OSTIARY_LOG_FORMAT", "canary"),
    ("OSTIARY_LOG_CLIENT", "canary"),
    ("DATABASE_URL", "mysql://root:canary@db/x"),
    ("DATABASE_URL", "canary"),
    ("OSTIARY_SECRET", "canary"),
    ("OSTIARY_ACCEPTED_SECRETS", "canary"),
    ("OSTIARY_ACCEPTED_SECRETS", "canary"),
    *(
        (name, value)
        for name in NAMES
        if name.startswith("OSTIARY_LIMIT_")
        for value in ("canary", "0/1m", "5", "5/1w")
    ),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_is_refused_by_its_variables_name_and_never_repeated(name: str, value: str) -> None:
    message = refused(**{name: value})
    assert name in message
    assert "canary" not in message
    assert value not in message.replace(name, "") or len(value) < 6
    assert len(message.splitlines()) == 2


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_secret_in_the_wrong_place_is_not_shown(name: str) -> None:
    """A 13.3.1."""
    for other in NAMES:
        if other.startswith(("OSTIARY_LIMIT_", "OSTIARY_JWT_LIFETIME", "OSTIARY_PORT")):
            assert STRONG not in refused(**{other: STRONG})


def test_secrets_are_masked_and_everything_else_names_its_source(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(
        f"OSTIARY_JWT_ALGORITHM=HS256\nOSTIARY_JWT_SHARED_SECRET={OTHER}\nOSTIARY_BRAND=Shop\nOSTIARY_PORT=9000\n"
    )
    variables = {**PUBLIC, "OSTIARY_PORT": "9001", "SMTP_USER": "u", "SMTP_PASS": "canary-of-smtp"}
    variables |= {"POSTMARK_SERVER_TOKEN": "canary-of-postmark", "OSTIARY_MAIL_SENDERS": "smtp,postmark"}
    variables |= {"OSTIARY_ACCEPTED_SECRETS": "aB3" + OTHER, "OSTIARY_PEPPERS": f"a:aB4{OTHER} b:aB5{OTHER}"}
    entries = shown(variables, dotenv)
    assert entries.keys() == set(NAMES)
    text = str(list(entries.values()))
    for secret in (STRONG, OTHER, "canary"):
        assert secret not in text
    for name in (
        "OSTIARY_SECRET",
        "OSTIARY_JWT_SHARED_SECRET",
        "OSTIARY_ACCEPTED_SECRETS",
        "OSTIARY_PEPPERS",
        "SMTP_PASS",
        "POSTMARK_SERVER_TOKEN",
    ):
        assert entries[name].value == "(set, hidden)"
    assert (entries["OSTIARY_PORT"].value, entries["OSTIARY_PORT"].source) == ("9001", "environment")
    assert (entries["OSTIARY_BRAND"].value, entries["OSTIARY_BRAND"].source) == ("Shop", str(dotenv))
    assert (entries["OSTIARY_HOST"].value, entries["OSTIARY_HOST"].source) == ("127.0.0.1", "default")
    assert entries["OSTIARY_SESSION_ABSOLUTE"].value == "30d"
    assert entries["OSTIARY_LIMIT_SIGN_IN_PAIR"].value == "5/15m"
    assert all(entry.doc for entry in entries.values())


@pytest.mark.parametrize("name", NAMES)
def test_what_is_shown_is_what_can_be_written(name: str) -> None:
    """A value copied from `ostiary settings` into `.env` means the same."""
    entry = shown({})[name]
    if entry.value != "(set, hidden)":
        again = shown({name: entry.value})[name]
        assert again.value == entry.value
        assert again.source == ("environment" if entry.value else "default"), "empty means not set"


def test_settings_can_be_printed_without_telling_a_secret() -> None:
    settings = read(
        **PUBLIC,
        **HS256,
        SMTP_USER="u",
        SMTP_PASS="canary-of-smtp",
        OSTIARY_JWT_SHARED_SECRET=OTHER,
        OSTIARY_PEPPERS=f"a:canary{OTHER}",
    )
    for secret in (STRONG, OTHER, "canary"):
        assert secret not in repr(settings)
        assert secret not in str(settings)


def test_all_problems_are_told_at_once() -> None:
    message = refused(
        OSTIARY_PORT="x", SMTP_PORT="x", OSTIARY_NAME="x", OSTIARY_LIMIT_SIGN_UP_CLIENT="x", OSTIARY_X="1"
    )
    for name in ("OSTIARY_PORT", "SMTP_PORT", "OSTIARY_NAME", "OSTIARY_LIMIT_SIGN_UP_CLIENT", "OSTIARY_X"):
        assert message.count(f"- {name}:") == 1


def test_a_variable_that_does_not_exist_is_a_mistake_worth_telling() -> None:
    """A misspelt `OSTIARY_DISCLOSURE` must not silently be the default."""
    assert "OSTIARY_DISCLOSUER: there is no such setting" in refused(OSTIARY_DISCLOSUER="canary")
    assert "canary" not in refused(OSTIARY_DISCLOSUER="canary")
    read(SOMETHING_ELSE="1", PATH="/bin")


def test_a_public_url_lists_everything_that_is_missing_at_once() -> None:
    """R59, DESIGN section 7."""
    message = refused(OSTIARY_PUBLIC_URL="https://auth.example.com")
    for name in ("OSTIARY_SECRET", "SMTP_HOST", "EMAIL_FROM"):
        assert name in message


def test_a_complete_public_setup_starts() -> None:
    settings = read(**PUBLIC)
    assert settings.https
    assert not settings.development
    assert not settings.serves_openapi
    assert settings.smtp_encryption_in_force == "starttls"
    assert settings.origins == {"https://auth.example.com"}
    assert read(**PUBLIC, SMTP_PORT="465").smtp_encryption_in_force == "tls"


@pytest.mark.parametrize(("passes", "kib"), [("1", "47104"), ("2", "19456"), ("3", "12288"), ("10", "12288")])
def test_owasps_least_is_enough_in_public(passes: str, kib: str) -> None:
    read(**PUBLIC, OSTIARY_ARGON2_TIME=passes, OSTIARY_ARGON2_MEMORY_KIB=kib)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"OSTIARY_PUBLIC_URL": "http://auth.example.com"}, "OSTIARY_ALLOW_HTTP"),
        ({"OSTIARY_PUBLIC_URL": "http://192.0.2.7:8000"}, "OSTIARY_ALLOW_HTTP"),
        ({"APP_URL": "http://www.example.com"}, "APP_URL"),
        ({"OSTIARY_ARGON2_MEMORY_KIB": "8"}, "OSTIARY_ARGON2_MEMORY_KIB"),
        ({"OSTIARY_ARGON2_TIME": "1"}, "47104 KiB with 1, 19456 KiB with 2, 12288 KiB with 3 passes or more"),
        ({"OSTIARY_ARGON2_TIME": "1", "OSTIARY_ARGON2_MEMORY_KIB": "47103"}, "OSTIARY_ARGON2_MEMORY_KIB"),
        ({"OSTIARY_ARGON2_TIME": "2", "OSTIARY_ARGON2_MEMORY_KIB": "19455"}, "OSTIARY_ARGON2_MEMORY_KIB"),
        ({"OSTIARY_ARGON2_TIME": "10", "OSTIARY_ARGON2_MEMORY_KIB": "12287"}, "OSTIARY_ARGON2_MEMORY_KIB"),
        ({"EMAIL_ENABLED": "off"}, "EMAIL_ENABLED"),
        ({"OSTIARY_SMTP_ENCRYPTION": "none"}, "OSTIARY_SMTP_ENCRYPTION"),
        ({"SMTP_USER": "u"}, "SMTP_PASS"),
        ({"SMTP_PASS": "p"}, "SMTP_USER"),
        ({"OSTIARY_AUTO_SIGN_IN": "on"}, "OSTIARY_AUTO_SIGN_IN"),
        ({"OSTIARY_JWT_ALGORITHM": "HS256"}, "OSTIARY_JWT_SHARED_SECRET"),
        ({"OSTIARY_JWT_SHARED_SECRET": OTHER}, "OSTIARY_JWT_ALGORITHM"),
        ({"OSTIARY_TRUSTED_PROXIES": "10.0.0.0/8,0.0.0.0/0"}, "OSTIARY_TRUSTED_PROXIES"),
        ({"OSTIARY_CORS_ORIGINS": "http://app.example.com"}, "OSTIARY_CORS_ORIGINS"),
        ({"OSTIARY_PUBLIC_URL": "https://auth.example.com/auth"}, "OSTIARY_PUBLIC_URL"),
        ({"OSTIARY_JWT_SHARED_SECRET": STRONG}, "must not be the master secret"),
        ({"OSTIARY_JWT_SHARED_SECRET": OTHER, "OSTIARY_ACCEPTED_SECRETS": OTHER}, "must not be the master secret"),
        ({"OSTIARY_SECRET": "short"}, "OSTIARY_SECRET"),
        ({"OSTIARY_SECRET": "a" * 64}, "OSTIARY_SECRET"),
        ({"OSTIARY_SECRET": "changeme-changeme-changeme-changeme"}, "OSTIARY_SECRET"),
        ({"OSTIARY_SECRET": "abababababababababababababababababab"}, "OSTIARY_SECRET"),
        ({"OSTIARY_SECRET": ""}, "OSTIARY_SECRET"),
        ({"OSTIARY_SECRET": " " * 40}, "OSTIARY_SECRET"),
        ({"OSTIARY_ACCEPTED_SECRETS": f"{OTHER},weak"}, "OSTIARY_ACCEPTED_SECRETS"),
        ({"OSTIARY_JWT_SHARED_SECRET": "weak"}, "OSTIARY_JWT_SHARED_SECRET"),
        ({"OSTIARY_PEPPERS": f"a:{OTHER} b:{'b' * 40}"}, "OSTIARY_PEPPERS: key 2 is too short or not random"),
        ({"OSTIARY_PEPPERS": f"a:{STRONG}"}, "OSTIARY_PEPPERS: key 1 is in use as another secret"),
        ({"OSTIARY_PEPPERS": f"a:{OTHER}", "OSTIARY_ACCEPTED_SECRETS": OTHER}, "in use as another secret"),
        ({"OSTIARY_PEPPERS": f"a:{OTHER}", **HS256, "OSTIARY_JWT_SHARED_SECRET": OTHER}, "in use as another secret"),
        ({"OSTIARY_PEPPERS": f"a:{OTHER},a:x{OTHER}"}, "OSTIARY_PEPPERS: an id stands there twice"),
        ({"OSTIARY_PEPPERS": f"a:{OTHER},b:{OTHER}"}, "OSTIARY_PEPPERS: a key stands there twice"),
        ({"OSTIARY_PASSWORD_HASHERS": "acme,argon2id", "OSTIARY_PEPPERS": f"a:{OTHER}"}, "a pepper is for argon2id"),
        ({"RESEND_API_KEY": "re_x"}, "OSTIARY_MAIL_SENDERS: needed, because SMTP_HOST, RESEND_API_KEY are all set"),
        ({"OSTIARY_MAIL_SENDERS": "smtp,console"}, "OSTIARY_MAIL_SENDERS: console must not be among them"),
        ({"OSTIARY_MAIL_SENDERS": "acme", "EMAIL_ENABLED": "off"}, "EMAIL_ENABLED: must not be off"),
        ({"OSTIARY_MAIL_SENDERS": "acme", "EMAIL_FROM": ""}, "EMAIL_FROM: needed"),
    ],
)
def test_what_is_unsafe_in_public_refuses_to_start(changed: dict[str, str], named: str) -> None:
    message = refused(**{**PUBLIC, **changed})
    assert named in message
    assert STRONG not in message
    assert OTHER not in message


KEYS = {"RESEND_API_KEY": "resend", "SENDGRID_API_KEY": "sendgrid", "POSTMARK_SERVER_TOKEN": "postmark"}


@pytest.mark.parametrize(("variable", "sender"), [("SMTP_HOST", "smtp"), *KEYS.items()])
def test_the_mail_sender_that_is_set_up_is_the_one_that_sends(variable: str, sender: str) -> None:
    settings = read(**{**PUBLIC, "SMTP_HOST": "", variable: "x"})
    assert settings.senders == (sender,)
    assert "EMAIL_FROM: needed to send letters" in refused(**{variable: "x"})


def test_several_mail_senders_are_tried_in_the_order_in_which_they_stand() -> None:
    chosen = {"RESEND_API_KEY": "r", "OSTIARY_MAIL_SENDERS": "resend, smtp acme acme.mail:factory"}
    assert read(**PUBLIC, **chosen).senders == ("resend", "smtp", "acme", "acme.mail:factory")
    assert shown({**PUBLIC, **chosen})["OSTIARY_MAIL_SENDERS"].value == "resend,smtp,acme,acme.mail:factory"
    assert read(**PUBLIC, RESEND_API_KEY="r", OSTIARY_MAIL_SENDERS="resend").senders == ("resend",)


def test_everything_that_the_chosen_mail_senders_need_is_told_at_once() -> None:
    message = refused(OSTIARY_MAIL_SENDERS="smtp,resend,sendgrid,postmark,file,console,acme")
    for variable, sender in {**KEYS, "SMTP_HOST": "smtp", "OSTIARY_MAIL_FOLDER": "file"}.items():
        assert f"- {variable}: needed for the mail sender {sender}" in message
    assert "- EMAIL_FROM: needed" in message
    assert len(message.splitlines()) == 1 + 6


def test_no_letter_leaves_unless_a_mail_sender_is_set_up_or_while_mail_is_off() -> None:
    assert read().senders == ()
    for sender in ({"SMTP_HOST": "x"}, {"OSTIARY_MAIL_SENDERS": "smtp,resend"}, dict.fromkeys(KEYS, "x")):
        assert read(**sender, EMAIL_ENABLED="off").senders == ()
    assert "SMTP_HOST: needed for the mail sender smtp" in refused(EMAIL_ENABLED="on", EMAIL_FROM="a@example.com")


def test_letters_may_become_files_in_public_and_are_printed_on_a_developers_machine_only(tmp_path: Path) -> None:
    """Whoever chooses `file` picks them up; a log is read by many."""
    in_files = {"OSTIARY_MAIL_SENDERS": "file", "OSTIARY_MAIL_FOLDER": str(tmp_path)}
    assert read(**PUBLIC, **in_files).senders == ("file",)
    assert "EMAIL_FROM: needed" in refused(**{**PUBLIC, **in_files, "EMAIL_FROM": ""})
    assert read(**in_files).senders == ("file",)
    assert read(OSTIARY_MAIL_SENDERS="console").senders == ("console",)


@pytest.mark.parametrize("name", ["OSTIARY_RESEND_URL", "OSTIARY_SENDGRID_URL", "OSTIARY_POSTMARK_URL"])
def test_mail_systems_are_spoken_to_by_tls_or_on_this_machine(name: str) -> None:
    for url in ("http://127.0.0.1:9", "https://mail.example.com"):
        assert shown({name: url})[name].value == url


def test_providers_see_the_environment_and_the_dotenv_behind_it_but_no_setting_of_ours(tmp_path: Path) -> None:
    """They keep their own secrets there, so nothing of it is ever shown."""
    dotenv = tmp_path / ".env"
    dotenv.write_text(f"ACME_KEY=canary-behind\nACME_PLACE=behind\nOSTIARY_SECRET={STRONG}\nSMTP_PASS=p\nSMTP_USER=u\n")
    environ = {**PUBLIC, "ACME_KEY": "canary-before", "ACME_PLACE": "", "OSTIARY_JWT_SHARED_SECRET": ""}
    settings = read_settings(environ, dotenv=dotenv)
    assert settings.surroundings == {"ACME_KEY": "canary-before", "ACME_PLACE": "behind"}
    assert "canary" not in repr(settings)
    assert "canary" not in str(settings_in_force(environ, dotenv=dotenv))


def test_nothing_is_disclosed_unless_it_is_asked_for() -> None:
    """R15, R16: `friendly` is never the default."""
    settings = read()
    assert (settings.verification, settings.disclosure, settings.auto_sign_in) == ("required", "opaque", False)
    assert read(OSTIARY_DISCLOSURE="friendly").verification == "required"


@pytest.mark.parametrize("url", ["http://api.example.com/range", "http://192.0.2.7/range", "http://localhost.example"])
def test_breached_passwords_are_not_asked_about_in_the_clear(url: str) -> None:
    assert "OSTIARY_BREACH_CHECK_URL: expected https" in refused(OSTIARY_BREACH_CHECK_URL=url)


@pytest.mark.parametrize("url", ["https://mirror.example.com/range/", "http://127.0.0.1:9/range", "http://[::1]:9"])
def test_breached_passwords_may_be_asked_about_by_tls_or_on_this_machine(url: str) -> None:
    assert read(OSTIARY_BREACH_CHECK_URL=url).breach_check_url == url.rstrip("/")


def test_optional_verification_brings_friendly_disclosure_and_a_session_at_sign_up() -> None:
    """R14."""
    settings = read(OSTIARY_VERIFICATION="optional")
    assert (settings.disclosure, settings.auto_sign_in) == ("friendly", True)
    assert read(OSTIARY_VERIFICATION="optional", OSTIARY_DISCLOSURE="friendly") == settings
    assert not read(OSTIARY_VERIFICATION="optional", OSTIARY_AUTO_SIGN_IN="off").auto_sign_in
    assert shown({"OSTIARY_VERIFICATION": "optional"})["OSTIARY_DISCLOSURE"].value == "friendly"


def test_opaque_disclosure_contradicts_optional_verification_and_the_sentence_says_why() -> None:
    """R14."""
    message = refused(OSTIARY_VERIFICATION="optional", OSTIARY_DISCLOSURE="opaque")
    assert "OSTIARY_DISCLOSURE: opaque contradicts OSTIARY_VERIFICATION=optional" in message
    assert "cannot hide that an address is taken" in message


def test_auto_sign_in_contradicts_verification_and_the_sentence_says_why() -> None:
    """R13."""
    message = refused(OSTIARY_AUTO_SIGN_IN="on")
    assert "contradicts OSTIARY_VERIFICATION=required" in message
    assert "mailbox is proven" in message


def test_plain_http_in_public_needs_to_be_asked_for() -> None:
    settings = read(**{**PUBLIC, "OSTIARY_PUBLIC_URL": "http://auth.example.com", "OSTIARY_ALLOW_HTTP": "on"})
    assert not settings.https
    assert not settings.development


def test_listening_to_the_whole_network_is_not_a_developers_machine() -> None:
    """With a generated secret and everybody's letters in an open inbox, a whole network could read along."""
    assert "OSTIARY_SECRET" in refused(OSTIARY_HOST="0.0.0.0")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "shop.localhost"])
def test_a_developers_machine_is_known_by_its_loopback_name(host: str) -> None:
    assert read(OSTIARY_PUBLIC_URL=f"http://{host}:8000").development


@pytest.mark.parametrize(
    "host", ["localhost.example.com", "127.0.0.1.example.com", "0.0.0.0", "example.com", "10.0.0.1"]
)
def test_nothing_else_is_a_developers_machine(host: str) -> None:
    assert "OSTIARY_SECRET" in refused(OSTIARY_PUBLIC_URL=f"http://{host}:8000")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_mail_server_on_this_machine_needs_no_encryption(host: str) -> None:
    settings = read(SMTP_HOST=host, EMAIL_FROM="a@example.com")
    assert settings.smtp_encryption_in_force == "none"


def test_the_addresses_default_to_one_another() -> None:
    assert read().public_url == "http://127.0.0.1:8000"
    assert read(OSTIARY_PORT="9000").app_url == "http://127.0.0.1:9000"
    assert read(APP_URL="http://localhost:5173/").public_url == "http://localhost:5173"
    both = read(APP_URL="http://localhost:5173", OSTIARY_PUBLIC_URL="http://localhost:8000")
    assert both.app_url == "http://localhost:5173"
    assert {"http://localhost:5173", "http://localhost:8000"} <= both.origins


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    """Compose files and CI systems pass variables on whether or not they have a value."""
    assert read(**dict.fromkeys(NAMES, "")) == read()


def test_a_dotenv_that_is_no_text_is_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("OSTIARY_BRAND=Bücher\n".encode("utf-16"))
    done = run_command("settings", folder=tmp_path)
    assert done.returncode == 2
    assert ".env" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("content", [b"", b"canary", b"\xff\x00", b"-----BEGIN CERTIFICATE-----\ncanary\n"], ids=ascii)
def test_a_certificate_authority_that_is_none_is_refused_with_the_rest(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ca.pem").write_bytes(content)
    message = refused(OSTIARY_SMTP_CA_FILE=str(tmp_path / "ca.pem"), SMTP_PORT="0")
    assert "OSTIARY_SMTP_CA_FILE: expected certificates in PEM" in message
    assert "SMTP_PORT: " in message
    assert "canary" not in message
