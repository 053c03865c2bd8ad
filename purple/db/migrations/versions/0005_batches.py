"""Campaigns of many scans run them in batches, and keep what people asked of them."""

from alembic import op

revision = "0005"
down_revision = "0004"

UPGRADE = """
ALTER TABLE scans ADD batch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE campaigns ADD orders JSONB NOT NULL DEFAULT '{}';
CREATE INDEX ix_scans_campaign_id_batch ON scans (campaign_id, batch);
DROP INDEX ix_scans_campaign_id;
"""
"""The new index serves whoever asked for a campaign alone."""


def upgrade() -> None:
    """Columns with a default, so that no row is rewritten."""
    op.execute(UPGRADE)
