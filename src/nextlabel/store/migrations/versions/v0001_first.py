"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "environments",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_environments")),
    )
    op.create_table(
        "experiments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiments")),
        sa.UniqueConstraint("name", name=op.f("uq_experiments_name")),
    )
    op.create_table(
        "pictures",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("png", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_pictures")),
    )
    op.create_table(
        "trials",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("traceback", sa.Text(), nullable=False),
        sa.Column("initial_hash", sa.String(length=64), nullable=True),
        sa.Column("environment", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["environment"], ["environments.sha256"], name=op.f("fk_trials_environment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trials")),
        sa.UniqueConstraint("key", name=op.f("uq_trials_key")),
    )
    op.create_table(
        "block_logs",
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.Column("block", sa.Text(), nullable=False),
        sa.Column("log", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.id"], name=op.f("fk_block_logs_trial_id")),
        sa.PrimaryKeyConstraint("trial_id", "block", name=op.f("pk_block_logs")),
    )
    op.create_table(
        "members",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.id"], name=op.f("fk_members_experiment_id")
        ),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.id"], name=op.f("fk_members_trial_id")),
        sa.PrimaryKeyConstraint("experiment_id", "position", name=op.f("pk_members")),
        sa.UniqueConstraint(
            "experiment_id", "trial_id", name=op.f("uq_members_experiment_id_trial_id")
        ),
    )
    op.create_index(op.f("ix_members_trial_id"), "members", ["trial_id"], unique=False)
    op.create_table(
        "rounds",
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("labelled_count", sa.Integer(), nullable=False),
        sa.Column("chosen", sa.JSON(), nullable=False),
        sa.Column("train_accuracy", sa.Double(), nullable=False),
        sa.Column("epochs", sa.Integer(), nullable=False),
        sa.Column("steps", sa.BigInteger(), nullable=False),
        sa.Column("weights", sa.Text(), nullable=False),
        sa.Column("reached", sa.Boolean(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("peak_memory", sa.BigInteger(), nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["environment"], ["environments.sha256"], name=op.f("fk_rounds_environment")
        ),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.id"], name=op.f("fk_rounds_trial_id")),
        sa.PrimaryKeyConstraint("trial_id", "number", name=op.f("pk_rounds")),
    )
    op.create_table(
        "block_pictures",
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.Column("block", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["sha256"], ["pictures.sha256"], name=op.f("fk_block_pictures_sha256")
        ),
        sa.ForeignKeyConstraint(
            ["trial_id", "block"],
            ["block_logs.trial_id", "block_logs.block"],
            name=op.f("fk_block_pictures_trial_id_block"),
        ),
        sa.PrimaryKeyConstraint("trial_id", "block", "kind", name=op.f("pk_block_pictures")),
    )
    op.create_table(
        "metrics",
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_id", "number"],
            ["rounds.trial_id", "rounds.number"],
            name=op.f("fk_metrics_trial_id_number"),
        ),
        sa.PrimaryKeyConstraint("trial_id", "number", "name", name=op.f("pk_metrics")),
    )
    op.create_table(
        "round_pictures",
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["sha256"], ["pictures.sha256"], name=op.f("fk_round_pictures_sha256")
        ),
        sa.ForeignKeyConstraint(
            ["trial_id", "number"],
            ["rounds.trial_id", "rounds.number"],
            name=op.f("fk_round_pictures_trial_id_number"),
        ),
        sa.PrimaryKeyConstraint("trial_id", "number", "kind", name=op.f("pk_round_pictures")),
    )
    op.create_table(
        "seconds",
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_id", "number"],
            ["rounds.trial_id", "rounds.number"],
            name=op.f("fk_seconds_trial_id_number"),
        ),
        sa.PrimaryKeyConstraint("trial_id", "number", "scope", "phase", name=op.f("pk_seconds")),
    )


def downgrade() -> None:
    """Drop every table."""
    op.drop_table("seconds")
    op.drop_table("round_pictures")
    op.drop_table("metrics")
    op.drop_table("block_pictures")
    op.drop_table("rounds")
    op.drop_index(op.f("ix_members_trial_id"), table_name="members")
    op.drop_table("members")
    op.drop_table("block_logs")
    op.drop_table("trials")
    op.drop_table("pictures")
    op.drop_table("experiments")
    op.drop_table("environments")
