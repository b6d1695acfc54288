"""Where people came from who were brought from another system."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "origins",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("system", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_origins_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name="pk_origins"),
    )
    op.create_index("ix_origins_system_id", "origins", ["system", "id"], unique=False)
