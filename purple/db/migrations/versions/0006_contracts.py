"""What else a contract says: test windows, forbidden tools, a document. What contracts refused."""

from alembic import op

revision = "0006"
down_revision = "0005"

APP = "purple_app"
RELAY = "purple_relay"
PRESENT = "nullif(current_setting('purple.organisation', true), '')::uuid"

CONTRACTS = """
ALTER TABLE authorisations
  ADD forbidden_tools TEXT[] NOT NULL DEFAULT '{}',
  ADD windows TEXT[] NOT NULL DEFAULT '{}',
  ADD document TEXT NOT NULL DEFAULT '';
"""
REFUSALS = """
CREATE TABLE refusals (
    id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    rule TEXT DEFAULT '' NOT NULL,
    detail TEXT DEFAULT '' NOT NULL,
    target TEXT DEFAULT '' NOT NULL,
    tool TEXT DEFAULT '' NOT NULL,
    authorisation_id UUID,
    campaign_id UUID,
    scan_id UUID,
    CONSTRAINT pk_refusals PRIMARY KEY (id),
    CONSTRAINT fk_refusals_authorisation_id FOREIGN KEY(authorisation_id) REFERENCES authorisations (id),
    CONSTRAINT fk_refusals_campaign_id FOREIGN KEY(campaign_id) REFERENCES campaigns (id),
    CONSTRAINT fk_refusals_scan_id FOREIGN KEY(scan_id) REFERENCES scans (id)
);
CREATE INDEX ix_refusals_authorisation_id_at ON refusals (authorisation_id, at);
ALTER TABLE refusals ENABLE ROW LEVEL SECURITY;
ALTER TABLE refusals FORCE ROW LEVEL SECURITY;
"""
HISTORY = "CREATE INDEX ix_scans_durations ON scans (organisation_id, tool, ended_at) WHERE state = 'complete'"


def upgrade() -> None:
    """Columns with a default, so that no row is rewritten; a table to which rows are only added."""
    op.execute(CONTRACTS)
    op.execute(REFUSALS)
    op.execute(HISTORY)
    op.execute(
        f"CREATE POLICY tenant ON refusals TO {APP} USING (organisation_id = {PRESENT})"
        f" WITH CHECK (organisation_id = {PRESENT})"
    )
    op.execute(f"GRANT SELECT, INSERT ON refusals TO {APP}")
    # the relay tells campaigns that their authorisation was revoked, where that was lost
    op.execute(f"CREATE POLICY relay_reads ON authorisations FOR SELECT TO {RELAY} USING (true)")
    op.execute(f"GRANT SELECT (id, revoked_at) ON authorisations TO {RELAY}")
