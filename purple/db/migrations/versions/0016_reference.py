"""What others publish of flaws: editions and their facts, read by every organisation, written by the relay's role."""

from alembic import op

revision = "0016"
down_revision = "0015"

APP = "purple_app"
RELAY = "purple_relay"

TABLES = """
CREATE TABLE reference_editions (
    dataset VARCHAR NOT NULL,
    version TEXT DEFAULT '' NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE,
    brought_at TIMESTAMP WITH TIME ZONE NOT NULL,
    source TEXT DEFAULT '' NOT NULL,
    sha256 TEXT DEFAULT '' NOT NULL,
    facts INTEGER NOT NULL,
    revision BIGINT NOT NULL,
    CONSTRAINT pk_reference_editions PRIMARY KEY (dataset)
);
CREATE TABLE reference_facts (
    dataset VARCHAR NOT NULL,
    key TEXT NOT NULL,
    fact JSONB,
    revision BIGINT NOT NULL,
    CONSTRAINT pk_reference_facts PRIMARY KEY (dataset, key)
);
"""


def upgrade() -> None:
    """Tables without an organisation: row-level security lets everybody read, and one role write."""
    op.execute(TABLES)
    for table in ("reference_editions", "reference_facts"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY everybody_reads ON {table} FOR SELECT TO {APP} USING (true)")
        op.execute(f"CREATE POLICY relay ON {table} TO {RELAY} USING (true) WITH CHECK (true)")
        op.execute(f"GRANT SELECT ON {table} TO {APP}")
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {RELAY}")


def downgrade() -> None:
    """They can be brought in again."""
    op.execute("DROP TABLE reference_facts, reference_editions")
