"""Data sets with the names of their images, and what each trial picks next."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of data sets and next picks; nothing else changes."""
    op.create_table(
        "data",
        sa.Column("checksum", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("task", sa.String(length=16), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("pool", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("checksum", name=op.f("pk_data")),
    )
    op.create_table(
        "next_picks",
        sa.Column("trial_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ids", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_id", "number"],
            ["rounds.trial_id", "rounds.number"],
            name=op.f("fk_next_picks_trial_id_number"),
        ),
        sa.PrimaryKeyConstraint("trial_id", "number", name=op.f("pk_next_picks")),
    )


def downgrade() -> None:
    """Drop the tables of data sets and next picks."""
    op.drop_table("next_picks")
    op.drop_table("data")
