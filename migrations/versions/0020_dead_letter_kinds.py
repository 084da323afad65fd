"""Dead letters: operators are told once an hour of each kind, and of how many there were."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dead_letter_kinds",
        sa.Column("given_up_by", sa.Text(), nullable=False),
        sa.Column("letter_about", sa.Text(), nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("announced", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("given_up_by", "letter_about", name="pk_dead_letter_kinds"),
    )


def downgrade() -> None:
    op.drop_table("dead_letter_kinds")
