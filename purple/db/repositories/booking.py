"""The set-based statements that write the book of vulnerabilities.

A vulnerability's life is cut into steps: that it was first seen, and each change of its state or severity. From a step
in which it is present until the next one it stands in one line of the book, by its severity, the day since which it is
there, and its due date. A line of a day is by how many such stand there more than the day before.
"""

from sqlalchemy import ARRAY, Date, Uuid, bindparam, text

from purple.db.models.findings import PRESENT
from purple.domain.vulnerabilities import VulnerabilityState

ROOM = 0x70_75_72_74
"""Of the advisory locks on books."""
_DISMISSED = ", ".join(
    f"'{state}'" for state in VulnerabilityState if not state.counts and state is not VulnerabilityState.FIXED
)
_SUMS = ("found", "reopened", "returned", "fixed", "dismissed")

LOCK = text(f"SELECT pg_advisory_xact_lock({ROOM}, hashtext(CAST(:organisation AS text)))")
"""Of two relays, one of which does not know yet that it leads no more, the second waits."""

PLAIN = text("SELECT set_config('jit', 'off', true)")
"""To translate these statements into machine code takes PostgreSQL longer than to run them."""

MAKE_MONTHS = text("""
    SELECT count(purple_make_month(month::date))
    FROM generate_series(CAST(:first AS date), CAST(:last AS date), interval '1 month') AS month
""")

CLEAR = text("DELETE FROM vulnerability_trends WHERE target_id = ANY(:targets) AND day >= :first").bindparams(
    bindparam("targets", type_=ARRAY(Uuid()))
)


def _day(moment: str) -> str:
    return f"({moment} AT TIME ZONE 'UTC')::date"


_STEPS = f"""
    seen AS MATERIALIZED (
        SELECT v.id, v.target_id, v.state, v.severity, s.first_seen, coalesce({_day("v.due_at")}, 'infinity') AS due
        FROM vulnerabilities v CROSS JOIN LATERAL (
            SELECT min(seen_at) AS first_seen FROM sightings WHERE vulnerability_id = v.id
        ) AS s
        WHERE v.target_id = ANY(:targets) AND s.first_seen IS NOT NULL
    ), changes AS MATERIALIZED (
        SELECT c.vulnerability_id AS id, c.version, c.at, c.before ->> 'state' AS was, c.after ->> 'state' AS became,
            c.before ->> 'severity' AS less, c.after ->> 'severity' AS severity
        FROM seen JOIN vulnerability_changes c ON c.vulnerability_id = seen.id
        WHERE c.after ?| ARRAY['state', 'severity']
    ), began AS (
        SELECT id, (array_agg(was ORDER BY version) FILTER (WHERE was IS NOT NULL))[1] AS state,
            (array_agg(less ORDER BY version) FILTER (WHERE less IS NOT NULL))[1] AS severity
        FROM changes GROUP BY id
    ), told AS (
        SELECT id, version, at, was, became, severity,
            count(became) OVER life AS states, count(severity) OVER life AS severities
        FROM (
            SELECT seen.id, 0 AS version, first_seen AS at, NULL AS was, coalesce(began.state, seen.state) AS became,
                coalesce(began.severity, seen.severity) AS severity
            FROM seen LEFT JOIN began ON began.id = seen.id
            UNION ALL SELECT id, version, at, was, became, severity FROM changes
        ) AS each
        WINDOW life AS (PARTITION BY id ORDER BY version)
    ), filled AS (
        SELECT id, version, {_day("at")} AS day, was, became,
            max(became) OVER (PARTITION BY id, states) AS state,
            max(severity) OVER (PARTITION BY id, severities) AS severity,
            {_day("max(at) FILTER (WHERE version = 0 OR (was = 'fixed' AND became = 'reopened')) OVER life")} AS since
        FROM told WINDOW life AS (PARTITION BY id ORDER BY version)
    ), steps AS (
        SELECT *, lead(day) OVER life AS ended, lag(since) OVER life AS old_since,
            lag(severity) OVER life AS old_severity
        FROM filled WINDOW life AS (PARTITION BY id ORDER BY version)
    )
"""  # noqa: S608 - our own words
"""`state` and `severity` are those in force after a step, also where it told only one of them; the state before the
first change is what that change tells. What was reopened is there since then.
"""

_LINES = f"""
    SELECT id, greatest(day, :first) AS day, severity, since, 1 AS moved, false AS found, false AS reopened,
        false AS returned, false AS fixed, false AS dismissed
    FROM steps WHERE state IN ({PRESENT}) AND day <= :last
    UNION ALL
    SELECT id, greatest(ended, :first), severity, since, -1, false, false, false, false, false
    FROM steps WHERE state IN ({PRESENT}) AND ended <= :last
    UNION ALL
    SELECT id, day, severity, since, 0, version = 0, became = 'reopened' AND was = 'fixed',
        became IN ({PRESENT}) AND was IN ({_DISMISSED}), false, false
    FROM steps WHERE day BETWEEN :first AND :last
    UNION ALL
    SELECT id, day, old_severity, old_since, 0, false, false, false, became = 'fixed', became IN ({_DISMISSED})
    FROM steps WHERE was IN ({PRESENT}) AND day BETWEEN :first AND :last
"""  # noqa: S608 - our own words
"""What comes or goes before the first day is told on it; what ended is told of by what it was."""

WRITE = text(f"""
    WITH {_STEPS}, lines AS ({_LINES}), both_sides AS (
        SELECT target_id, day, lines.severity, since, due, moved, {", ".join(f"{name}::int" for name in _SUMS)}
        FROM lines JOIN seen ON seen.id = lines.id
        UNION ALL
        SELECT target_id, :first, severity, since, due, -(carried + moved), {", ".join("0" for _ in _SUMS)}
        FROM vulnerability_trends
        WHERE target_id = ANY(:targets) AND day >= :month AND day < :first
    )
    INSERT INTO vulnerability_trends (
        organisation_id, target_id, day, severity, since, due, carried, moved, {", ".join(_SUMS)})
    SELECT :organisation, target_id, day, severity, since, due, 0, sum(moved),
        {", ".join(f"coalesce(sum({name}), 0)" for name in _SUMS)}
    FROM both_sides GROUP BY target_id, day, severity, since, due
    HAVING sum(moved) <> 0 OR {" OR ".join(f"sum({name}) > 0" for name in _SUMS)}
""").bindparams(  # noqa: S608 - our own words
    bindparam("targets", type_=ARRAY(Uuid())),
    bindparam("organisation", type_=Uuid()),
    *(bindparam(name, type_=Date()) for name in ("first", "last", "month")),
)
"""What was known before the first day, less what the book says of it, is set right on that day."""

_CARRY = """
    INSERT INTO vulnerability_trends (
        organisation_id, target_id, day, severity, since, due, carried, moved, found, reopened, returned, fixed,
        dismissed)
    SELECT organisation_id, target_id, :month, severity, since, due, sum(carried + moved), 0, 0, 0, 0, 0, 0
    FROM vulnerability_trends WHERE day >= :before AND day < :month {also}
    GROUP BY organisation_id, target_id, severity, since, due HAVING sum(carried + moved) <> 0
    ON CONFLICT (organisation_id, target_id, day, severity, since, due) DO UPDATE SET carried = excluded.carried
"""
_DATES = [bindparam(name, type_=Date()) for name in ("month", "before")]
CARRY_ALL = text(_CARRY.format(also="")).bindparams(*_DATES)
CARRY_SOME = text(_CARRY.format(also="AND target_id = ANY(:targets)")).bindparams(
    *_DATES, bindparam("targets", type_=ARRAY(Uuid()))
)

LATE = text(f"""
    SELECT v.target_id, min({_day("s.seen_at")}) AS day
    FROM sightings s JOIN vulnerabilities v ON v.id = s.vulnerability_id
    WHERE s.campaign_id = ANY(:campaigns) AND s.seen_at < CAST(:before AS date)::timestamp AT TIME ZONE 'UTC'
      AND NOT EXISTS (
        SELECT 1 FROM sightings o WHERE o.vulnerability_id = s.vulnerability_id AND o.seen_at < s.seen_at)
    GROUP BY v.target_id
""").bindparams(bindparam("campaigns", type_=ARRAY(Uuid())), bindparam("before", type_=Date()))  # noqa: S608 - our own words
