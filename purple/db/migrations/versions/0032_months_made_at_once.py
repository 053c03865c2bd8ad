"""Of two that make a month at the same moment, the second goes on with what the first has made.

It waits for the first and looks again; but PostgreSQL may answer that second look from what it remembers of the first
one, for it hears of others' tables where it locks a table, and an advisory lock is none.
"""

from alembic import op

revision = "0032"
down_revision = "0031"

MADE = """
        EXECUTE format('CREATE TABLE partitions.%I (LIKE public.%I INCLUDING ALL)', child, parent);
        EXECUTE format('ALTER TABLE partitions.%I ENABLE ROW LEVEL SECURITY', child);
        EXECUTE format('ALTER TABLE partitions.%I FORCE ROW LEVEL SECURITY', child);
        EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION partitions.%I FOR VALUES FROM (%L) TO (%L)',
            parent, child, begins, ends);
"""
MAKE = """
CREATE OR REPLACE FUNCTION purple_make_month(wanted date) RETURNS void
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
        %s
    END LOOP;
END $$;
"""
CAREFUL = f"""
        BEGIN
            {MADE}
        EXCEPTION WHEN duplicate_table THEN
            CONTINUE;
        END;
"""


def upgrade() -> None:
    """Forward."""
    op.execute(MAKE.replace("%s", CAREFUL))


def downgrade() -> None:
    """Back."""
    op.execute(MAKE.replace("%s", MADE))
