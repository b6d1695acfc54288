"""`DATABASE_URL` as people have it: SQLite's, or PostgreSQL's as vendors print it (R90)."""

import re
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


_NOT_READABLE = "could not be read; characters such as @ : / ? # in the password must be percent-encoded"


_PARTS = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
"""RFC 3986, appendix B."""


def url_problem(url: str) -> str | None:
    """Why this is no database to work with; None when it is. Never quotes the URL, which holds a password."""
    if url.startswith("sqlite:///") and url != "sqlite:///":
        return None
    if "[" in url.rpartition("@")[0]:
        return "put your password in the place of the placeholder in brackets"
    try:
        parts = _split(url)
        parameters = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        places = [*_places(parts), *_places(SplitResult("", parameters.get("host", ""), "", "", ""))]
        ports = [port for _, port in places if port is not None]
        ports += [int(port) for port in parameters.get("port", "1").split(",")]
    except ValueError:
        return _NOT_READABLE
    if parts.scheme not in _SCHEMES or not url[len(parts.scheme) :].startswith("://") or parts.path.startswith("//"):
        return "expected sqlite:///path or postgresql://user:password@host/database"
    # A mark of the password's that was left as it is cuts it in two, and what follows it must not be taken for a name.
    if url.count("@") > parts.netloc.count("@") or parts.netloc.count("@") > 1 or parts.fragment:
        return _NOT_READABLE
    if not all(0 < port < 65536 for port in ports):
        return "expected a port from 1 to 65535"
    if unknown := sorted(set(parameters) - _FOR_THE_DRIVER - _OF_OTHER_DRIVERS):
        return f"the parameter {', '.join(name[:40] for name in unknown if name.isidentifier()) or '?'} is not known"
    if parameters.get("sslrootcert") == "system":
        return "sslrootcert: name the file of the system's certificates, such as /etc/ssl/certs/ca-certificates.crt"
    return None


def for_driver(url: str) -> str:
    """The URL with what asyncpg understands of it."""
    parts = _split(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name in _FOR_THE_DRIVER]
    person, _, servers = parts.netloc.rpartition("@")
    if "," in servers and "[" in servers:  # which some versions of Python let no program read there
        kept.append(("host", servers))
        parts = parts._replace(netloc=f"{person}@" if person else "")
    path = parts.path if parts.path != "/" else ""  # which asyncpg would take for a database without a name
    return parts._replace(scheme="postgresql", path=path, query=urlencode(kept)).geturl()


def leads_to_a_pooler(url: str) -> bool:
    """Whether the vendor's own marks say that each transaction may meet another connection: Neon's host, Supabase's
    port, Prisma's parameter."""
    parts = _split(url)
    if dict(parse_qsl(parts.query)).get("pgbouncer") == "true":
        return True
    return any(
        host.partition(".")[0].endswith("-pooler")
        or (port == 6543 and host.endswith((".supabase.com", ".supabase.co")))
        for host, port in _places(parts)
    )


def _split(url: str) -> SplitResult:
    """The parts of any URL: Python's own parser refuses several servers of which one is an IPv6 address, in some
    versions."""
    match = _PARTS.fullmatch(url)
    assert match is not None  # noqa: S101 - it matches everything
    scheme, *others = (part or "" for part in match.groups())
    return SplitResult(scheme.lower(), *others)


def _places(parts: SplitResult) -> list[tuple[str, int | None]]:
    """The servers: there may be several, the next to be tried when one does not answer."""
    names = parts.netloc.rpartition("@")[2].split(",")
    if len(names) > 1 and "" in names:
        raise ValueError(names)
    each = [urlsplit(f"//{name}") for name in names]
    return [(place.hostname or "", place.port) for place in each]
