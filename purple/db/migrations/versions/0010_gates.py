"""The gates of hosts: who runs a tool there, who waits, and which hosts stopped answering."""

from alembic import op

revision = "0010"
down_revision = "0008"

APP = "purple_app"
PRESENT = "nullif(current_setting('purple.organisation', true), '')::uuid"

TABLES = """
CREATE TABLE gate_leases (
    scan_id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    campaign_id UUID NOT NULL,
    target_id UUID NOT NULL,
    host TEXT DEFAULT '' NOT NULL,
    tool TEXT DEFAULT '' NOT NULL,
    endpoint TEXT DEFAULT '' NOT NULL,
    workflow_id TEXT DEFAULT '' NOT NULL,
    exclusive BOOLEAN NOT NULL,
    state VARCHAR NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    holder UUID,
    stops INTEGER NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_gate_leases PRIMARY KEY (scan_id),
    CONSTRAINT fk_gate_leases_scan_id FOREIGN KEY(scan_id) REFERENCES scans (id)
);

CREATE INDEX ix_gate_leases_host ON gate_leases (organisation_id, host);

CREATE INDEX ix_gate_leases_campaign_id ON gate_leases (campaign_id);

CREATE TABLE gate_breakers (
    organisation_id UUID NOT NULL,
    host TEXT DEFAULT '' NOT NULL,
    port INTEGER NOT NULL,
    campaign_id UUID NOT NULL,
    target_id UUID NOT NULL,
    scan_id UUID NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    probe_at TIMESTAMP WITH TIME ZONE NOT NULL,
    probes INTEGER NOT NULL,
    CONSTRAINT pk_gate_breakers PRIMARY KEY (organisation_id, host)
);
"""


def upgrade() -> None:
    """Tables that hold only what is so now: their rows go when they are over, so they may be deleted."""
    op.execute(TABLES)
    for table in ("gate_leases", "gate_breakers"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} TO {APP} USING (organisation_id = {PRESENT})"
            f" WITH CHECK (organisation_id = {PRESENT})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP}")
