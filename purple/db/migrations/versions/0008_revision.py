"""The commit of a repository that a scan looked at."""

from alembic import op

revision = "0008"
down_revision = "0007"

UPGRADE = "ALTER TABLE scans ADD COLUMN revision text NOT NULL DEFAULT ''"


def upgrade() -> None:
    """Add the column."""
    op.execute(UPGRADE)
