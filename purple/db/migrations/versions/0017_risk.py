"""Risk as a sum of named parts, from CVSS, what others publish, and more of what a target is."""

from alembic import op

revision = "0017"
down_revision = "0016"

APP = "purple_app"
RELAY = "purple_relay"
PRESENT = "nullif(current_setting('purple.organisation', true), '')::uuid"

COLUMNS = """
ALTER TABLE targets
    ADD data_class VARCHAR NOT NULL DEFAULT 'unknown',
    ADD controls TEXT[] NOT NULL DEFAULT '{}';
ALTER TABLE vulnerabilities
    DROP risk_reasons,
    ADD risk_parts JSONB NOT NULL DEFAULT '[]',
    ADD cvss_vector TEXT NOT NULL DEFAULT '',
    ADD cvss_score FLOAT NOT NULL DEFAULT 0;
CREATE INDEX ix_vulnerabilities_known ON vulnerabilities (organisation_id, id) WHERE cve <> '{}';
"""

FILL = """
ALTER TABLE vulnerabilities NO FORCE ROW LEVEL SECURITY;
ALTER TABLE sightings NO FORCE ROW LEVEL SECURITY;
ALTER TABLE observations NO FORCE ROW LEVEL SECURITY;
UPDATE vulnerabilities v
SET cvss_vector = coalesce(o.detail ->> 'cvss_vector', ''), cvss_score = coalesce((o.detail ->> 'cvss_score')::float, 0)
FROM sightings s JOIN observations o ON o.id = s.observation_id
WHERE s.vulnerability_id = v.id AND s.standing = v.standing
  AND (o.detail ->> 'cvss_vector' <> '' OR o.detail ->> 'cvss_score' <> '0.0');
ALTER TABLE vulnerabilities FORCE ROW LEVEL SECURITY;
ALTER TABLE sightings FORCE ROW LEVEL SECURITY;
ALTER TABLE observations FORCE ROW LEVEL SECURITY;
"""
"""Scores stay until the relay weighs everything, which it begins at once; their reasons come with that."""

TABLES = """
CREATE TABLE risk_rules (
    organisation_id UUID NOT NULL,
    weights JSONB,
    version INTEGER NOT NULL,
    weighed_version INTEGER NOT NULL,
    weighed_model INTEGER NOT NULL,
    weighed_revision BIGINT NOT NULL,
    CONSTRAINT pk_risk_rules PRIMARY KEY (organisation_id)
);
"""


BEHIND = """
ALTER TABLE organisations NO FORCE ROW LEVEL SECURITY;
INSERT INTO risk_rules (organisation_id, version, weighed_version, weighed_model, weighed_revision)
SELECT id, 0, 0, 0, 0 FROM organisations;
ALTER TABLE organisations FORCE ROW LEVEL SECURITY;
"""
"""Each that is there now is to be weighed by the new model."""


def upgrade() -> None:
    """Columns filled from what is known, and a table of each organisation's weights."""
    op.execute(COLUMNS)
    op.execute(FILL)
    op.execute(TABLES)
    op.execute(BEHIND)
    op.execute("ALTER TABLE risk_rules ENABLE ROW LEVEL SECURITY; ALTER TABLE risk_rules FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON risk_rules TO {APP} USING (organisation_id = {PRESENT})"
        f" WITH CHECK (organisation_id = {PRESENT})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON risk_rules TO {APP}")
    op.execute(f"CREATE POLICY relay_reads ON risk_rules FOR SELECT TO {RELAY} USING (true)")
    op.execute(
        "GRANT SELECT (organisation_id, version, weighed_version, weighed_model, weighed_revision)"
        f" ON risk_rules TO {RELAY}"
    )
    op.execute(f"CREATE POLICY relay_reads ON organisations FOR SELECT TO {RELAY} USING (true)")
    op.execute(f"GRANT SELECT (id) ON organisations TO {RELAY}")
