"""`DATABASE_URL` as people have it: SQLite's, or PostgreSQL's as vendors print it (R90)."""

from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

_SCHEMES = ("postgres", "postgresql", "postgresql+asyncpg")
_FOR_THE_DRIVER = {
    *("host", "port", "user", "password", "passfile", "dbname", "options", "application_name", "target_session_attrs"),
    *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslpassword", "sslnegotiation"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "krbsrvname", "gsslib"),
}
_OF_OTHER_DRIVERS = {
    *("channel_binding", "gssencmode", "connect_timeout", "tcp_user_timeout", "pgbouncer", "connection_limit"),
    *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"),
}
"""What vendors print for drivers that know it. Ours negotiates SCRAM over TLS without binding the two."""


def url_problem(url: str) -> str | None:
    """Why this is no database to work with; None when it is. Never quotes the URL, which holds a password."""
    if url.startswith("sqlite:///") and url != "sqlite:///":
        return None
    if "[" in url.rpartition("@")[0]:
        return "put your password in the place of the placeholder in brackets"
    try:
        parts = urlsplit(url)
        _ = parts.port
        parameters = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except ValueError:
        return "could not be read; characters such as @ : / ? # in the password must be percent-encoded"
    if parts.scheme not in _SCHEMES:
        return "expected sqlite:///path or postgresql://user:password@host/database"
    if unknown := sorted(set(parameters) - _FOR_THE_DRIVER - _OF_OTHER_DRIVERS):
        return f"the parameter {', '.join(name[:40] for name in unknown if name.isidentifier()) or '?'} is not known"
    return None


def for_driver(url: str) -> str:
    """The URL with what asyncpg understands of it."""
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name in _FOR_THE_DRIVER]
    return parts._replace(scheme="postgresql", query=urlencode(kept)).geturl()


def leads_to_a_pooler(url: str) -> bool:
    """Whether the vendor's own marks say that each transaction may meet another connection: Neon's host, Supabase's
    port, Prisma's parameter."""
    parts = urlsplit(url)
    return (
        dict(parse_qsl(parts.query)).get("pgbouncer") == "true"
        or (parts.hostname or "").partition(".")[0].endswith("-pooler")
        or _is_supabase_pooler(parts)
    )


def _is_supabase_pooler(parts: SplitResult) -> bool:
    return (parts.hostname or "").endswith(".supabase.com") and parts.port == 6543
