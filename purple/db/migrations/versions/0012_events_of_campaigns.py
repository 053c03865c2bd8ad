"""An index on the events of a campaign, by which its timeline and its silence are found."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create it."""
    op.execute("CREATE INDEX ix_events_campaign_id ON events (campaign_id, at)")


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP INDEX ix_events_campaign_id")
