"""Maps: t-SNE pictures of feature spaces, with their numbers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of maps; nothing else changes."""
    op.create_table(
        "maps",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column("seed", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.id"], name=op.f("fk_maps_experiment_id")
        ),
        sa.ForeignKeyConstraint(
            ["environment"], ["environments.sha256"], name=op.f("fk_maps_environment")
        ),
        sa.PrimaryKeyConstraint("experiment_id", "arm", "seed", name=op.f("pk_maps")),
    )
    op.create_table(
        "map_pictures",
        sa.Column("experiment_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column("seed", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("space", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id", "arm", "seed"],
            ["maps.experiment_id", "maps.arm", "maps.seed"],
            name=op.f("fk_map_pictures_experiment_id_arm_seed"),
        ),
        sa.ForeignKeyConstraint(
            ["sha256"], ["pictures.sha256"], name=op.f("fk_map_pictures_sha256")
        ),
        sa.PrimaryKeyConstraint(
            "experiment_id", "arm", "seed", "space", name=op.f("pk_map_pictures")
        ),
    )


def downgrade() -> None:
    """Drop the tables of maps."""
    op.drop_table("map_pictures")
    op.drop_table("maps")
