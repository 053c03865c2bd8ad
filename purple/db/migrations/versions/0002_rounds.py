"""Campaigns whose failed scans run again: rounds, and who asked."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Columns with a default, so that no row is rewritten (PostgreSQL 11 and newer)."""
    op.execute("ALTER TABLE campaigns ADD round INTEGER NOT NULL DEFAULT 1, ADD run_id TEXT NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE scans ADD retry_id TEXT NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE triages ADD round INTEGER NOT NULL DEFAULT 1")
