"""The life of an account: events, reversals, declared fields, and tokens that know their account."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # Some databases at 0001 have this column already, without a default: for a while the revision before was given out
    # with it.
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("letters")}
    if "purpose" in columns:
        with op.batch_alter_table("letters") as letters:
            letters.alter_column("purpose", server_default="verify_address")
    else:
        purpose = sa.Column("purpose", sa.String(length=32), server_default="verify_address", nullable=False)
        op.add_column("letters", purpose)
    op.add_column("letters", sa.Column("credential_version", sa.Integer(), nullable=True))
    op.add_column("users", sa.Column("fields", sa.Text(), server_default="{}", nullable=False))
    op.add_column("users", sa.Column("first_signed_in_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_users_created_at_id", "users", ["created_at", "id"], unique=False)
    op.add_column("sign_ups", sa.Column("fields", sa.Text(), server_default="{}", nullable=False))
    op.add_column("one_time_tokens", sa.Column("user_id", sa.Uuid(), nullable=True))
    op.add_column("one_time_tokens", sa.Column("credential_version", sa.Integer(), nullable=True))
    op.add_column("one_time_tokens", sa.Column("email", sa.String(length=254), nullable=True))
    op.create_table(
        "reversals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("occasion", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reversals"),
    )
    op.create_index("ix_reversals_user_id", "reversals", ["user_id"], unique=False)
    op.create_index("ix_reversals_expires_at", "reversals", ["expires_at"], unique=False)
    op.create_table(
        "events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.Column("masked_address", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_actor_id", "events", ["actor_id"], unique=False)
    op.create_index("ix_events_at", "events", ["at"], unique=False)
    op.create_index("ix_events_user_id_at", "events", ["user_id", "at"], unique=False)
