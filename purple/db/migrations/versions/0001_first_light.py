"""The first tables, under row-level security from the first row on."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

APP = "purple_app"
RELAY = "purple_relay"
TENANT = (
    "users", "api_tokens", "targets", "authorisations", "campaigns", "scans", "observations", "vulnerabilities",
    "sightings", "triages", "reports", "events", "idempotency_keys",
)  # fmt: skip
PRESENT = "nullif(current_setting('purple.organisation', true), '')::uuid"

WORDS = """
CREATE FUNCTION purple_words(title text, description text, host text, url text, weakness text, cve text[])
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT to_tsvector('simple'::regconfig, title || ' ' || description || ' ' || host || ' ' ||
    regexp_replace(url, '[/?&=:]+', ' ', 'g') || ' ' || weakness || ' ' || replace(weakness, '-', ' ') || ' ' ||
    coalesce(array_to_string(cve, ' '), ''))
$$;
CREATE INDEX ix_vulnerabilities_words ON vulnerabilities
  USING gin (purple_words(title, description, host, url, weakness, cve));
"""


def upgrade() -> None:
    """Tables, policies, and no more rights than each role needs."""
    op.execute(Path(__file__).with_suffix(".sql").read_text())
    op.execute(WORDS)
    op.execute(f"REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO {APP}, {RELAY}")
    for table in (*TENANT, "organisations"):
        column = "id" if table == "organisations" else "organisation_id"
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} TO {APP} USING ({column} = {PRESENT}) WITH CHECK ({column} = {PRESENT})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {APP}")
    op.execute(f"REVOKE UPDATE ON observations, sightings, events FROM {APP}")  # append-only
    op.execute("ALTER TABLE feeds ENABLE ROW LEVEL SECURITY; ALTER TABLE feeds FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY relay ON feeds TO {RELAY} USING (true) WITH CHECK (true)")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON feeds TO {RELAY}")
    op.execute(f"CREATE POLICY relay_reads ON events FOR SELECT TO {RELAY} USING (true)")
    op.execute(f"CREATE POLICY relay_places ON events FOR UPDATE TO {RELAY} USING (true) WITH CHECK (true)")
    op.execute(f"GRANT SELECT, UPDATE (position) ON events TO {RELAY}")
    op.execute(f"CREATE POLICY relay_reads ON campaigns FOR SELECT TO {RELAY} USING (true)")
    op.execute(f"GRANT SELECT ON campaigns TO {RELAY}")
