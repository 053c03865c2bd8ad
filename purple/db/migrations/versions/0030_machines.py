"""Targets that are one machine, what people say of that, and the marks of flaws that are one under several targets."""

from alembic import op

revision = "0030"
down_revision = "0028"

APP = "purple_app"
PRESENT = "(SELECT nullif(current_setting('purple.organisation', true), '')::uuid)"

COLUMNS = r"""
CREATE FUNCTION purple_host(kind text, value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(CASE
    WHEN kind IN ('web_application', 'api')
      THEN translate(substring(value FROM '^https?://(\[[^]]*\]|[^/:?#]*)'), '[]', '')
    WHEN kind NOT IN ('host', 'domain') THEN ''
    WHEN value LIKE '[%' THEN substring(value FROM '^\[([^]]*)\]')
    WHEN value LIKE '%:%:%' THEN value
    ELSE split_part(value, ':', 1) END, '')
$$;
ALTER TABLE targets
    ADD host TEXT GENERATED ALWAYS AS (purple_host(kind, value)) STORED,
    ADD machine_id UUID;
CREATE INDEX ix_targets_host ON targets (host, zone);
CREATE INDEX ix_targets_machine_id ON targets (machine_id) WHERE machine_id IS NOT NULL;
ALTER TABLE vulnerabilities ADD twin UUID;
CREATE INDEX ix_vulnerabilities_twin ON vulnerabilities (twin) WHERE twin IS NOT NULL;
"""
TABLES = """
CREATE TABLE machine_rulings (
    id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    target_id UUID NOT NULL,
    other_id UUID NOT NULL,
    same BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT DEFAULT '' NOT NULL,
    why TEXT DEFAULT '' NOT NULL,
    evidence TEXT DEFAULT '' NOT NULL,
    undone_at TIMESTAMP WITH TIME ZONE,
    undone_by TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_machine_rulings PRIMARY KEY (id),
    CONSTRAINT fk_machine_rulings_target_id FOREIGN KEY (target_id) REFERENCES targets (id),
    CONSTRAINT fk_machine_rulings_other_id FOREIGN KEY (other_id) REFERENCES targets (id)
);
CREATE INDEX ix_machine_rulings_target_id ON machine_rulings (target_id) WHERE undone_at IS NULL;
CREATE INDEX ix_machine_rulings_other_id ON machine_rulings (other_id) WHERE undone_at IS NULL;
CREATE TABLE target_addresses (
    target_id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    address TEXT DEFAULT '' NOT NULL,
    scan_id UUID NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_target_addresses PRIMARY KEY (target_id),
    CONSTRAINT fk_target_addresses_target_id FOREIGN KEY (target_id) REFERENCES targets (id)
);
CREATE INDEX ix_target_addresses_address ON target_addresses (address);
"""
TENANT = f"""
ALTER TABLE {{0}} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {{0}} FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON {{0}} TO {APP} USING (organisation_id = {PRESENT}) WITH CHECK (organisation_id = {PRESENT});
"""
RIGHTS = f"""
GRANT SELECT, INSERT, UPDATE (undone_at, undone_by) ON machine_rulings TO {APP};
GRANT SELECT, INSERT, UPDATE ON target_addresses TO {APP};
"""
JOIN = """
UPDATE targets t SET machine_id = known.oldest
FROM (
    SELECT id, first_value(id) OVER one AS oldest, count(*) OVER (PARTITION BY organisation_id, host, zone) AS many
    FROM targets WHERE host <> '' WINDOW one AS (PARTITION BY organisation_id, host, zone ORDER BY created_at, id)
) AS known
WHERE known.id = t.id AND known.many > 1
"""
RESOLVED = """
INSERT INTO target_addresses (target_id, organisation_id, address, scan_id, seen_at)
SELECT DISTINCT ON (t.id) t.id, s.organisation_id, s.address, s.id, s.started_at
FROM scans s JOIN targets t ON t.id = s.target_id
WHERE s.started_at IS NOT NULL AND s.address <> '' AND s.address <> s.host AND t.host <> ''
ORDER BY t.id, s.started_at DESC, s.id
"""
HELD = ("targets", "scans")


def upgrade() -> None:
    """Those of one host are one machine from now on; their flaws are marked when their targets are next analysed."""
    op.execute(COLUMNS)
    op.execute(TABLES)
    for table in HELD:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(JOIN)
    op.execute(RESOLVED)
    for table in HELD:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for table in ("machine_rulings", "target_addresses"):
        op.execute(TENANT.format(table))
    op.execute(RIGHTS)
