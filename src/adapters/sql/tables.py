"""The tables. Invariants that matter rest on the UNIQUE constraints here."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from adapters.sql.types import Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

users = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("email_verified", Boolean, nullable=False),
    Column("name", String(64)),
    Column("username", String(32), unique=True),
    Column("role", String(32), nullable=False),
    Column("fields", Text, nullable=False, server_default="{}"),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("first_signed_in_at", Instant),
    Column("locale", String(35)),
    Index(None, "created_at", "id"),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("provider_id", String(32), nullable=False),
    Column("password_hash", String(512), nullable=False),
    Column("credential_version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("user_id", "provider_id"),
)

origins = Table(
    "origins",
    metadata,
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("system", String(64), nullable=False),
    Column("id", String(255), nullable=False),
    Column("metadata", Text, nullable=False),
    Index(None, "system", "id"),
)

sign_ups = Table(
    "sign_ups",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("email", String(254), nullable=False),
    Column("name", String(64)),
    Column("username", String(32)),
    Column("fields", Text, nullable=False, server_default="{}"),
    Column("password_hash", String(512)),
    Column("cookie_digest", LargeBinary(32), nullable=False, unique=True),
    Column("client_unit_key", LargeBinary(32)),
    Column("client_unit_stamp", String(32)),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("proven_at", Instant),
    Column("locale", String(35)),
    Index(None, "email", "created_at"),
)

username_claims = Table(
    "username_claims",
    metadata,
    Column("username", String(32), primary_key=True),
    Column("holder_id", Uuid, nullable=False),
    Column("expires_at", Instant, index=True),
)

one_time_tokens = Table(
    "one_time_tokens",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("purpose", String(32), nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("used_at", Instant),
    Column("user_id", Uuid),
    Column("credential_version", Integer),
    Column("email", String(254)),
)

reversals = Table(
    "reversals",
    metadata,
    Column("id", Uuid, primary_key=True),
    # No foreign key: the reversal of a deletion outlives the user.
    Column("user_id", Uuid, nullable=False, index=True),
    Column("occasion", String(32), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
)

events = Table(
    "events",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", Instant, nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("failed", Boolean, nullable=False),
    Column("user_id", Uuid),
    Column("actor_id", Uuid, index=True),
    Column("reason", String(64)),
    # In full, until housekeeping leaves the shortened one alone.
    Column("address", String(64)),
    Column("masked_address", String(64), nullable=False),
    Column("user_agent", String(256), nullable=False),
    Index(None, "user_id", "at"),
)

letters = Table(
    "letters",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("occasion", String(32), nullable=False),
    Column("purpose", String(32), nullable=False, server_default="verify_address"),
    Column("recipient", String(254), nullable=False),
    Column("subject_id", Uuid),
    Column("status", String(16), nullable=False),
    Column("outcome", String(32)),
    Column("credential_version", Integer),
    Column("attempts", Integer, nullable=False),
    Column("reason", String(200)),
    Column("lease_id", Uuid),
    Column("lease_until", Instant),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("done_at", Instant, index=True),
    Column("locale", String(35)),
    Index(None, "status", "due_at"),
    Index(None, "subject_id", "created_at"),
    Index(None, "created_at", "id"),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("email", String(254), primary_key=True),
    Column("reason", String(32), nullable=False),
    Column("source", String(32), nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False, index=True),
    # Kept until its end, so that a report that comes late or twice does not bring it back.
    Column("lifted_at", Instant),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("credential_version", Integer, nullable=False),
    Column("seed", LargeBinary(16), nullable=False),
    Column("counter", BigInteger, nullable=False),
    Column("transport", String(8), nullable=False),
    Column("remember", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("signed_in_at", Instant, nullable=False),
    Column("refreshed_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("idle_expires_at", Instant, nullable=False, index=True),
    Column("absolute_expires_at", Instant, nullable=False, index=True),
    Column("user_agent", String(256), nullable=False),
    Column("masked_address", String(64), nullable=False),
)

limits = Table(
    "limits",
    metadata,
    Column("key", LargeBinary(32), primary_key=True),
    Column("quota", Integer, nullable=False),
    Column("stamps", String, nullable=False),
    Column("cutoff", String(32), nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("pace", BigInteger, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
)

installation = Table(
    "installation",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", LargeBinary(32), nullable=False),
)
