"""Targets that are tested no more, and are kept for their history."""

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Since when, by whom, and the triage that went with it."""
    op.execute(
        "ALTER TABLE targets ADD retired_at TIMESTAMP WITH TIME ZONE, ADD retired_by TEXT NOT NULL DEFAULT '',"
        " ADD retirement UUID"
    )
