"""The languages of people and letters, and addresses that get none."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # First what takes long: a column locks its table to the end of this, and everybody reads users.
    op.create_index("ix_letters_created_at_id", "letters", ["created_at", "id"], unique=False, if_not_exists=True)
    op.create_table(
        "suppressions",
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("email", name="pk_suppressions"),
    )
    op.create_index("ix_suppressions_until", "suppressions", ["until"], unique=False)
    for table in ("users", "sign_ups", "letters"):
        op.add_column(table, sa.Column("locale", sa.String(length=35), nullable=True))
