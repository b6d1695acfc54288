"""What the settings alone tell."""

from collections.abc import Iterator

from entrypoints.doctor.finding import Finding, ok, warn
from entrypoints.settings import InForce, Settings


def check_settings(settings: Settings, in_force: list[InForce]) -> Iterator[Finding]:
    """That they could be read is known by now."""
    given = sum(entry.source != "default" for entry in in_force)
    yield ok("settings", f"read, {given} of {len(in_force)} set by you")
    yield _public_url(settings)
    yield _secret(settings, {entry.name: entry.source for entry in in_force})
    yield _proxies(settings)


def _public_url(settings: Settings) -> Finding:
    if settings.development:
        return ok("public URL", f"{settings.public_url}, a developer's machine: mail may stay here, http is enough")
    if not settings.https:
        return warn(
            "public URL",
            f"{settings.public_url} is not encrypted: passwords travel in the clear. Put TLS in front and unset "
            "OSTIARY_ALLOW_HTTP",
        )
    return ok("public URL", f"{settings.public_url}: cookies are Secure, browsers are told to stay with https (HSTS)")


def _secret(settings: Settings, sources: dict[str, str]) -> Finding:
    if settings.secret is not None:
        others = f", {len(settings.accepted_secrets)} more verify" if settings.accepted_secrets else ""
        return ok("secret", f"OSTIARY_SECRET from {sources['OSTIARY_SECRET']}{others}")
    file = settings.data_dir / "secret"
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        return ok("secret", f"none yet; the first start makes {file}")
    except OSError as trouble:
        return warn("secret", f"{file} cannot be looked at ({type(trouble).__name__}); see to its owner and mode")
    if mode & 0o077:
        return warn("secret", f"{file} can be read by others on this machine; chmod 600 it")
    return ok("secret", f"generated, in {file}")


def _proxies(settings: Settings) -> Finding:
    if settings.trusted_proxies:
        return ok("proxies", f"{len(settings.trusted_proxies)} networks are believed about who is calling")
    if settings.development:
        return ok("proxies", "none, as on a developer's machine")
    return warn(
        "proxies",
        "OSTIARY_TRUSTED_PROXIES is empty: everybody behind a proxy counts as one client and shares its limits. Name "
        "your proxies' networks",
    )
