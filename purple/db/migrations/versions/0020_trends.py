"""What is kept by month: the book of vulnerabilities, and how scans went.

Partitions are tables of a schema of their own, in which nobody but their owner may look: whoever reads or writes goes
through the parent and its policy. Row-level security is forced on them beside that, without any policy.
"""

from alembic import op

revision = "0020"
down_revision = "0019"

APP = "purple_app"
RELAY = "purple_relay"
PRESENT = "nullif(current_setting('purple.organisation', true), '')::uuid"
TABLES = """
CREATE TABLE vulnerability_trends (
    organisation_id UUID NOT NULL,
    target_id UUID NOT NULL,
    day DATE NOT NULL,
    severity VARCHAR NOT NULL,
    since DATE NOT NULL,
    due DATE NOT NULL,
    carried INTEGER NOT NULL,
    moved INTEGER NOT NULL,
    found INTEGER NOT NULL,
    reopened INTEGER NOT NULL,
    returned INTEGER NOT NULL,
    fixed INTEGER NOT NULL,
    dismissed INTEGER NOT NULL,
    CONSTRAINT pk_vulnerability_trends PRIMARY KEY (organisation_id, target_id, day, severity, since, due)
) PARTITION BY RANGE (day);
CREATE TABLE scan_metrics (
    organisation_id UUID NOT NULL,
    campaign_id UUID NOT NULL,
    scan_id UUID NOT NULL,
    day DATE NOT NULL,
    target_id UUID NOT NULL,
    tool TEXT DEFAULT '' NOT NULL,
    state VARCHAR NOT NULL,
    covered BOOLEAN NOT NULL,
    seconds DOUBLE PRECISION,
    attempts INTEGER NOT NULL,
    observations INTEGER NOT NULL,
    CONSTRAINT pk_scan_metrics PRIMARY KEY (organisation_id, campaign_id, scan_id, day)
) PARTITION BY RANGE (day);
CREATE SCHEMA partitions;
"""

MAKE = """
CREATE FUNCTION purple_make_month(wanted date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    begins date := date_trunc('month', wanted::timestamp)::date;
    ends date := (begins + interval '1 month')::date;
    parent text;
    child text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['scan_metrics', 'vulnerability_trends'] LOOP
        child := parent || to_char(begins, '_YYYY_MM');
        CONTINUE WHEN to_regclass('partitions.' || child) IS NOT NULL;
        PERFORM pg_advisory_xact_lock(1886745970);
        CONTINUE WHEN to_regclass('partitions.' || child) IS NOT NULL;
        EXECUTE format('CREATE TABLE partitions.%I (LIKE public.%I INCLUDING ALL)', child, parent);
        EXECUTE format('ALTER TABLE partitions.%I ENABLE ROW LEVEL SECURITY', child);
        EXECUTE format('ALTER TABLE partitions.%I FORCE ROW LEVEL SECURITY', child);
        EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION partitions.%I FOR VALUES FROM (%L) TO (%L)',
            parent, child, begins, ends);
    END LOOP;
END $$;
"""
"""It exists by the next statement, and costs a look into the catalogue where it exists already. Made apart and then
attached, for that lets others read and write the parent meanwhile.
"""

KEEP = r"""
CREATE FUNCTION purple_keep_months(first_kept date, present date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
    child text;
BEGIN
    FOR ahead IN 0..2 LOOP
        PERFORM public.purple_make_month((present + make_interval(months => ahead))::date);
    END LOOP;
    FOR child IN
        SELECT relname FROM pg_class
        WHERE relnamespace = 'partitions'::regnamespace AND relkind = 'r' AND relname ~ '_\d{4}_\d{2}$'
          AND to_date(right(relname, 7), 'YYYY_MM') < date_trunc('month', first_kept::timestamp)
    LOOP
        EXECUTE format('DROP TABLE partitions.%I', child);
    END LOOP;
END $$;
"""

FILL = """
ALTER TABLE campaigns NO FORCE ROW LEVEL SECURITY;
ALTER TABLE scans NO FORCE ROW LEVEL SECURITY;
SELECT count(purple_make_month(month::date)) FROM generate_series(
    date_trunc('month', now() AT TIME ZONE 'UTC') - interval '24 months', now() AT TIME ZONE 'UTC', interval '1 month'
) AS month WHERE EXISTS (SELECT 1 FROM scans WHERE ended_at AT TIME ZONE 'UTC' < month + interval '1 month');
INSERT INTO scan_metrics (
    organisation_id, campaign_id, scan_id, day, target_id, tool, state, covered, seconds, attempts, observations)
SELECT s.organisation_id, s.campaign_id, s.id, (s.ended_at AT TIME ZONE 'UTC')::date, s.target_id, s.tool, s.state,
    s.covered_by IS NOT NULL, extract(epoch FROM s.ended_at - s.started_at), s.attempt, s.observations
FROM scans s JOIN campaigns c ON c.id = s.campaign_id AND c.state NOT IN ('pending', 'running')
WHERE s.ended_at AT TIME ZONE 'UTC' >= date_trunc('month', now() AT TIME ZONE 'UTC') - interval '24 months';
ALTER TABLE campaigns FORCE ROW LEVEL SECURITY;
ALTER TABLE scans FORCE ROW LEVEL SECURITY;
"""
"""Of campaigns that ended before; the book of vulnerabilities is written by the relay, which finds its feed new."""


def upgrade() -> None:
    """Tables, the tenant's policy on each, and what makes and drops their partitions with the owner's rights."""
    op.execute(TABLES)
    op.execute(MAKE)
    op.execute(KEEP)
    op.execute(FILL)
    for table in ("vulnerability_trends", "scan_metrics"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} TO {APP} USING (organisation_id = {PRESENT})"
            f" WITH CHECK (organisation_id = {PRESENT})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP}")
    op.execute("REVOKE ALL ON FUNCTION purple_make_month(date), purple_keep_months(date, date) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION purple_make_month(date) TO {APP}")
    op.execute(f"GRANT EXECUTE ON FUNCTION purple_keep_months(date, date) TO {RELAY}")


def downgrade() -> None:
    """They can be filled again."""
    op.execute("DROP FUNCTION purple_keep_months(date, date), purple_make_month(date)")
    op.execute("DROP TABLE vulnerability_trends, scan_metrics")
    op.execute("DROP SCHEMA partitions")
