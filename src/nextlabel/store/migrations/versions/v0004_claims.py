"""Claims of drivers on trials, on databases that several drivers write to."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of claims; a SQLite file has one driver, and stays as it is."""
    if op.get_bind().dialect.name == "sqlite":
        return
    op.create_table(
        "claims",
        sa.Column("trial_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("driver", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.id"], name=op.f("fk_claims_trial_id")),
        sa.PrimaryKeyConstraint("trial_id", name=op.f("pk_claims")),
    )


def downgrade() -> None:
    """Drop the table of claims."""
    if op.get_bind().dialect.name != "sqlite":
        op.drop_table("claims")
