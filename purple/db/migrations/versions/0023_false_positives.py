"""How likely each finding is false and why, what verdicts taught, and the policy that may act on it."""

from alembic import op

revision = "0023"
down_revision = "0022"

APP = "purple_app"
RELAY = "purple_relay"
PRESENT = "(SELECT nullif(current_setting('purple.organisation', true), '')::uuid)"

TABLES = """
ALTER TABLE vulnerabilities
    ADD false_positive FLOAT,
    ADD doubts JSONB NOT NULL DEFAULT '[]';
CREATE INDEX ix_vulnerabilities_doubted ON vulnerabilities (organisation_id, false_positive)
    WHERE false_positive IS NOT NULL;
CREATE TABLE false_positive_models (
    id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    n INTEGER NOT NULL,
    "false" INTEGER NOT NULL,
    in_use BOOLEAN NOT NULL,
    why TEXT DEFAULT '' NOT NULL,
    weights JSONB NOT NULL,
    past JSONB NOT NULL,
    figures JSONB NOT NULL,
    CONSTRAINT pk_false_positive_models PRIMARY KEY (id),
    CONSTRAINT uq_false_positive_models_organisation_id_version UNIQUE (organisation_id, version)
);
CREATE TABLE false_positive_rules (
    organisation_id UUID NOT NULL,
    threshold FLOAT,
    below VARCHAR DEFAULT 'high' NOT NULL,
    version INTEGER NOT NULL,
    scored_version INTEGER NOT NULL,
    scored_model INTEGER NOT NULL,
    scored_release INTEGER NOT NULL,
    CONSTRAINT pk_false_positive_rules PRIMARY KEY (organisation_id)
);
"""
TENANT = f"""
ALTER TABLE {{0}} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {{0}} FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON {{0}} TO {APP} USING (organisation_id = {PRESENT}) WITH CHECK (organisation_id = {PRESENT});
CREATE POLICY relay_reads ON {{0}} FOR SELECT TO {RELAY} USING (true);
"""
RIGHTS = f"""
GRANT SELECT, INSERT, DELETE ON false_positive_models TO {APP};
GRANT SELECT, INSERT, UPDATE ON false_positive_rules TO {APP};
GRANT SELECT (organisation_id, version) ON false_positive_models TO {RELAY};
GRANT SELECT (organisation_id, version, scored_version, scored_model, scored_release) ON false_positive_rules
    TO {RELAY};
"""


def upgrade() -> None:
    """Nothing is scored yet: the relay begins with that at once, since nobody's rules say that it is done."""
    op.execute(TABLES)
    for table in ("false_positive_models", "false_positive_rules"):
        op.execute(TENANT.format(table))
    op.execute(RIGHTS)
