"""Undos, registered before a tool acts, and network zones, whose targets only workers of their own reach."""

from alembic import op

revision = "0011"
down_revision = "0010"

APP = "purple_app"
RELAY = "purple_relay"
PRESENT = "nullif(current_setting('purple.organisation', true), '')::uuid"

TABLE = """
CREATE TABLE undos (
    id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    campaign_id UUID NOT NULL,
    scan_id UUID NOT NULL,
    tool TEXT DEFAULT '' NOT NULL,
    role TEXT DEFAULT '' NOT NULL,
    title TEXT DEFAULT '' NOT NULL,
    instructions TEXT DEFAULT '' NOT NULL,
    job JSONB NOT NULL,
    timeout_s FLOAT NOT NULL,
    state VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    round INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    last_error TEXT DEFAULT '' NOT NULL,
    done_at TIMESTAMP WITH TIME ZONE,
    done_by TEXT DEFAULT '' NOT NULL,
    done_why TEXT DEFAULT '' NOT NULL,
    zone TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_undos PRIMARY KEY (id),
    CONSTRAINT fk_undos_scan_id FOREIGN KEY (scan_id, organisation_id, campaign_id)
      REFERENCES scans (id, organisation_id, campaign_id)
);
CREATE INDEX ix_undos_campaign_id ON undos (campaign_id);
CREATE INDEX ix_undos_open ON undos (campaign_id) WHERE state = 'open';
ALTER TABLE undos ENABLE ROW LEVEL SECURITY;
ALTER TABLE undos FORCE ROW LEVEL SECURITY;
"""


def upgrade() -> None:
    """The table, the tenant's policy, the relay's look at what was left open; columns that rewrite no row."""
    op.execute(TABLE)
    op.execute("ALTER TABLE targets ADD zone TEXT NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE scans ADD zone TEXT NOT NULL DEFAULT '', ADD worth INTEGER NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE scans ADD covered_by UUID")
    op.execute(
        f"CREATE POLICY tenant ON undos TO {APP} USING (organisation_id = {PRESENT})"
        f" WITH CHECK (organisation_id = {PRESENT})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON undos TO {APP}")
    op.execute(f"CREATE POLICY relay_reads ON undos FOR SELECT TO {RELAY} USING (true)")
    op.execute(f"GRANT SELECT (campaign_id, state) ON undos TO {RELAY}")
