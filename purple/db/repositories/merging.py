"""The set-based statements by which a campaign's flaws become vulnerabilities and sightings.

Each may run twice: the second time finds nothing left to do. A vulnerability's id is made of its organisation and
fingerprint, so two campaigns that find the same flaw at once agree on it; of two that look at one target the second
waits for the first, so that each knows what the other saw.

A campaign's flaws are gathered once, beside what is known of them, into a table that lives as long as the transaction:
where nothing is new, nothing but that table and the sightings is touched.

A vulnerability is described by the best told of its sightings. Which one that is depends on what they say and never on
which came first: `standing` orders them, the smallest first.
"""

from sqlalchemy import ARRAY, TextClause, Uuid, bindparam, text

from purple.db.models.findings import PRESENT
from purple.domain.severity import Severity
from purple.domain.vulnerabilities import ChangeCause

SEVERITIES = f"ARRAY{[str(each) for each in Severity]}"
"""By rank, the least first."""
_RANK = f"array_position({SEVERITIES}, {{0}}severity)"
ROOM = 0x70_75_72_73
"""Of the advisory locks on targets."""
_LAST_BYTE = 15

BUCKET = f"get_byte(uuid_send(target_id), {_LAST_BYTE})"
"""One of 256 locks for each target: a campaign may have more targets than PostgreSQL has locks."""

LOCK = text(f"""
    SELECT count(pg_advisory_xact_lock({ROOM}, bucket)) FROM (
        SELECT DISTINCT {BUCKET} AS bucket FROM scans WHERE campaign_id = :campaign ORDER BY bucket
    ) AS mine
""")  # noqa: S608 - no value of a user is in the text
"""A statement of its own, since a statement sees rows as they were before it waited; in order, against deadlocks."""

_STANDING = f"""(
    lpad(to_hex(((5 - {_RANK.format("")})::bigint << 56)
        + 65535 - round(least(greatest(confidence, 0), 1) * 65535)::int), 16, '0')
    || lpad(to_hex(hash_record_extended(ROW(tool, rule, title, weakness, host, port, url, parameter, cve, cwe,
        description, evidence, remediation, refs, detail), 0)), 16, '0')
)::uuid"""
"""Worse severity first, then confidence; between equals a hash of all that is told decides, which is the same whenever
and however often a report comes. It is PostgreSQL's own, as hash partitioning uses it: md5 of the text costs half of
what gathering does.
"""

FLAWS = text("""
    CREATE TEMPORARY TABLE flaws (
        vulnerability_id uuid, known boolean, known_state text, known_rank int, known_standing uuid, fingerprint text,
        organisation_id uuid, scan_id uuid, tool text, observation_id uuid, seen_at timestamptz, rank int,
        confidence float, standing uuid, weighed_tools text[], weighed_confidence float
    ) ON COMMIT DROP
""")


def _gather(which: str) -> TextClause:
    return text(f"""
        INSERT INTO flaws
        SELECT coalesce(v.id, md5(o.organisation_id::text || o.fingerprint)::uuid), v.id IS NOT NULL, v.state,
            {_RANK.format("v.")}, v.standing, o.fingerprint, o.organisation_id, o.scan_id, o.tool, o.id, o.recorded_at,
            o.rank, o.best, o.standing, v.weighed_tools, v.weighed_confidence
        FROM (
            SELECT DISTINCT ON (fingerprint, scan_id)
                fingerprint, organisation_id, scan_id, tool, id, recorded_at, standing,
                rank, max(confidence) OVER one AS best
            FROM (
                SELECT fingerprint, organisation_id, scan_id, tool, id, recorded_at, confidence,
                    {_RANK.format("")} AS rank, {_STANDING} AS standing
                FROM observations WHERE {which} OFFSET 0
            ) AS seen
            WINDOW one AS (PARTITION BY fingerprint, scan_id ORDER BY standing
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
            ORDER BY fingerprint, scan_id, standing
        ) AS o
        LEFT JOIN vulnerabilities v ON v.fingerprint = o.fingerprint
    """)  # noqa: S608 - no value of a user is in the text


GATHER = _gather("campaign_id = :campaign AND fingerprint <> ''")
"""The organisation is row-level security's part: said twice, it makes PostgreSQL think, while it has no statistics yet,
that any index which begins with it finds one row, and every flaw then reads every vulnerability. `OFFSET 0` has it
make the standing before it sorts, so that it sorts no texts; the window is in the order of the whole, so that it sorts
once. The first by standing is the worst as well.
"""

GATHER_AGAIN = _gather("fingerprint = ANY(:fingerprints) AND scan_id = ANY(CAST(:scans AS uuid[]))")
"""The same of some flaws, whichever campaigns saw them."""

_MOVES_RISK = """(
    weighed_tools IS NULL OR tool <> ALL(weighed_tools) OR confidence > weighed_confidence)"""

NEWS = text(f"""
    SELECT coalesce(bool_or(NOT known OR rank > known_rank OR known_standing IS NULL
            OR standing < known_standing OR {_MOVES_RISK}), false) AS more,
        coalesce(bool_or(known_state = 'fixed'), false) AS back,
        EXISTS (SELECT 1 FROM sightings WHERE campaign_id = :campaign) AS again
    FROM flaws
""")  # noqa: S608 - no value of a user is in the text
"""Whether any of them tells more than that it is still there, whether any counts as fixed, and whether the campaign
was analysed before."""

MEASURE = text("ANALYZE flaws")
"""Nobody else tells PostgreSQL how many there are; by its guess of a few it reads them all for each row of another."""

DAYS = """(
    SELECT days FROM jsonb_to_recordset(CAST(:rules AS jsonb))
        AS rule (severity text, exposure text, unit uuid, days int)
    WHERE rule.severity = {0}.severity AND rule.exposure IN (place.exposure, '')
      AND (rule.unit IS NULL OR rule.unit = ANY(place.lineage))
    ORDER BY array_position(place.lineage, rule.unit) DESC NULLS LAST, rule.exposure = '' LIMIT 1) * interval '1 day'"""
"""How long a severity may last: by the rule of the unit that is nearest to its target, then by one for all; of two for
the same unit the one that names the exposure comes first. `place` is a row of PLACES.
"""
PLACES = "SELECT t.id, t.exposure, u.lineage FROM targets t LEFT JOIN business_units u ON u.id = t.unit_id"

CVSS = "coalesce(o.detail ->> 'cvss_vector', ''), coalesce((o.detail ->> 'cvss_score')::float, 0)"
"""Vector and score, as the tool says them."""

CAUSE = """CASE
    WHEN o.detail -> 'attributes' ->> 'package' <> '' THEN 'package ' || (o.detail -> 'attributes' ->> 'package')
    WHEN o.weakness ~ '^(tls|ssh)-' THEN split_part(o.weakness, '-', 1) || ' of ' || o.host || ':' || o.port
    WHEN cardinality(o.cve) > 0 THEN (SELECT min(upper(cve)) FROM unnest(o.cve) AS known (cve))
    ELSE coalesce(nullif(o.weakness, ''), o.rule) END"""
"""See `domain.causes`."""

ADD_VULNERABILITIES = text(f"""
    INSERT INTO vulnerabilities (
        id, organisation_id, target_id, fingerprint, title, severity, state, weakness, cve, cwe, host, port, url,
        parameter, description, remediation, "references", cvss_vector, cvss_score, cause, risk, version, standing,
        weighed_tools, weighed_confidence, due_at)
    SELECT best.vulnerability_id, o.organisation_id, o.target_id, o.fingerprint, o.title, o.severity, 'open',
        o.weakness, o.cve, o.cwe, o.host, o.port, o.url, o.parameter, o.description, o.remediation, o.refs,
        {CVSS}, {CAUSE}, 0, 1, best.standing, best.tools, best.confidence,
        best.first_seen + {DAYS.format("o")}
    FROM (
        SELECT DISTINCT ON (vulnerability_id) vulnerability_id, observation_id, standing,
            min(seen_at) OVER one AS first_seen, array_agg(tool) OVER one AS tools,
            max(confidence) OVER one AS confidence
        FROM flaws WHERE NOT known
        WINDOW one AS (PARTITION BY vulnerability_id) ORDER BY vulnerability_id, standing
    ) AS best
    JOIN observations o ON o.id = best.observation_id
    CROSS JOIN LATERAL ({PLACES} WHERE t.id = o.target_id OFFSET 0) AS place
    ORDER BY best.vulnerability_id
    ON CONFLICT DO NOTHING
    RETURNING id
""")  # noqa: S608 - no value of a user is in the text
"""Places are looked up row by row: joined, they have PostgreSQL, which knows nothing of a new table, read all flaws for
each one.
"""

SAME_WAY = """(again.state = 'complete' AND again.target_id = saw.target_id
    AND again.tool = saw.tool AND again.key = saw.key AND (again.options = saw.options OR (
        again.options ->> 'series' <> ''
        AND again.options - ARRAY['artifact', 'create_targets'] = saw.options - ARRAY['artifact', 'create_targets'])))
"""

_CHANGES = """
    INSERT INTO vulnerability_changes (
        organisation_id, vulnerability_id, version, at, cause, why, campaign_id, before, after)
"""

_SIGHT = """
    INSERT INTO sightings (
        vulnerability_id, scan_id, organisation_id, campaign_id, tool, observation_id, seen_at, confidence, standing)
    SELECT vulnerability_id, scan_id, organisation_id, :campaign, tool, observation_id, seen_at, confidence, standing
    FROM flaws ORDER BY vulnerability_id
"""
SIGHT = text(_SIGHT)
"""In the order of their index, where neighbours are written together: a quarter faster. Another quarter is that
conflicts are not looked for: a campaign that is analysed for the first time has none, and its targets are locked.
"""
_SIGHT_AGAIN = f"{_SIGHT} ON CONFLICT DO NOTHING"
SIGHT_AGAIN = text(_SIGHT_AGAIN)

SIGHT_AND_REOPEN = text(f"""
    WITH seen AS (
        {_SIGHT_AGAIN} RETURNING vulnerability_id, scan_id
    ), reopened AS (
        UPDATE vulnerabilities SET state = 'reopened', reopened_at = :at, version = version + 1
        WHERE state = 'fixed' AND id IN (
            SELECT f.vulnerability_id FROM flaws f JOIN scans saw ON saw.id = f.scan_id
            WHERE f.known_state = 'fixed'
              AND (f.vulnerability_id, f.scan_id) IN (SELECT vulnerability_id, scan_id FROM seen)
              AND NOT EXISTS (
                SELECT 1 FROM scans again
                WHERE {SAME_WAY} AND again.started_at > f.seen_at AND NOT EXISTS (
                    SELECT 1 FROM sightings s WHERE s.scan_id = again.id AND s.vulnerability_id = f.vulnerability_id)))
        RETURNING id, organisation_id, version
    ), told AS (
        {_CHANGES}
        SELECT organisation_id, id, version, :at, '{ChangeCause.SCAN}', 'seen again', :campaign,
            '{{"state": "fixed"}}', '{{"state": "reopened"}}'
        FROM reopened
    )
    SELECT (SELECT count(*) FROM seen) AS sightings, array(SELECT id FROM reopened) AS reopened
""")  # noqa: S608 - no value of a user is in the text
"""A new sighting of what was fixed opens it again, unless the same tool has looked since then and did not see it:
campaigns that run at once may be analysed in another order than they looked.
"""

RAISE_SEVERITY = text(f"""
    WITH old AS MATERIALIZED (
        SELECT v.id, v.severity, worst.rank
        FROM (
            SELECT vulnerability_id, max(rank) AS rank FROM flaws
            WHERE rank > coalesce(known_rank, 0) AND known GROUP BY vulnerability_id
        ) AS worst
        JOIN vulnerabilities v ON v.id = worst.vulnerability_id
        WHERE worst.rank > {_RANK.format("v.")}
        FOR UPDATE OF v
    ), raised AS (
        UPDATE vulnerabilities v SET version = version + 1,
            severity = ({SEVERITIES})[old.rank]
        FROM old WHERE v.id = old.id
        RETURNING v.id, v.organisation_id, v.version, old.severity AS before, v.severity AS after
    ), told AS (
        {_CHANGES}
        SELECT organisation_id, id, version, :at, '{ChangeCause.SCAN}', 'a tool says it is worse', :campaign,
            jsonb_build_object('severity', before), jsonb_build_object('severity', after)
        FROM raised
    )
    SELECT id FROM raised
""")  # noqa: S608 - no value of a user is in the text
"""The severity is the worst that a tool gave."""

RETELL = text(f"""
    UPDATE vulnerabilities v SET standing = best.standing, title = o.title, weakness = o.weakness, cve = o.cve,
        cwe = o.cwe, host = o.host, port = o.port, url = o.url, parameter = o.parameter, description = o.description,
        remediation = o.remediation, "references" = o.refs, (cvss_vector, cvss_score) = ROW({CVSS}), cause = {CAUSE}
    FROM (
        SELECT DISTINCT ON (vulnerability_id) vulnerability_id, observation_id, standing FROM flaws
        WHERE known AND (known_standing IS NULL OR standing < known_standing) ORDER BY vulnerability_id, standing
    ) AS best
    JOIN observations o ON o.id = best.observation_id
    WHERE v.id = best.vulnerability_id AND (v.standing IS NULL OR best.standing < v.standing)
    RETURNING v.id
""")  # noqa: S608 - no value of a user is in the text
"""Its words are those of the best told sighting; the version stays, for nobody edits them."""

MOVE = text(f"""
    UPDATE vulnerabilities v SET weighed_confidence = greatest(v.weighed_confidence, moved.confidence),
        weighed_tools = array(SELECT DISTINCT unnest(v.weighed_tools || moved.tools) ORDER BY 1)
    FROM (
        SELECT vulnerability_id, array_agg(tool) AS tools, max(confidence) AS confidence
        FROM flaws WHERE known AND {_MOVES_RISK} GROUP BY vulnerability_id
    ) AS moved
    WHERE v.id = moved.vulnerability_id
    RETURNING v.id
""")  # noqa: S608 - our own words
"""Known ones that another tool saw, or one that is surer than all before: their risk is weighed anew."""

WORST = text(f"""
    SELECT ({SEVERITIES})[max(greatest(rank, known_rank))] FROM flaws
    WHERE NOT known OR known_state IN ({PRESENT}) OR vulnerability_id = ANY(:reopened)
""")  # noqa: S608 - our own words

DONE = text("DROP TABLE flaws")

CLOSE = text(f"""
    WITH missing AS MATERIALIZED (
        SELECT id FROM vulnerabilities
        WHERE state IN ({PRESENT})
          AND target_id IN (SELECT target_id FROM scans WHERE campaign_id = :campaign)
          AND id NOT IN (SELECT vulnerability_id FROM sightings WHERE campaign_id = :campaign)
    ), old AS MATERIALIZED (
        SELECT v.id, v.state FROM vulnerabilities v
        WHERE v.state IN ({PRESENT}) AND v.id IN (SELECT id FROM missing)
          AND EXISTS (SELECT 1 FROM sightings s WHERE s.vulnerability_id = v.id)
          AND NOT EXISTS (
            SELECT 1 FROM sightings s JOIN scans saw ON saw.id = s.scan_id
            WHERE s.vulnerability_id = v.id AND NOT EXISTS (
                SELECT 1 FROM scans again
                WHERE again.campaign_id = :campaign AND {SAME_WAY} AND again.started_at > s.seen_at
                  AND NOT EXISTS (
                    SELECT 1 FROM vulnerability_changes c
                    WHERE c.vulnerability_id = v.id AND c.at >= again.started_at
                      AND c.before ->> 'state' NOT IN ({PRESENT}) AND c.after ->> 'state' IN ({PRESENT}))))
        FOR UPDATE OF v
    ), fixed AS (
        UPDATE vulnerabilities v SET state = 'fixed', version = version + 1
        FROM old WHERE v.id = old.id
        RETURNING v.id, v.organisation_id, v.version, old.state AS before
    ), told AS (
        {_CHANGES}
        SELECT organisation_id, id, version, :at, '{ChangeCause.SCAN}', 'every tool that saw it looked again',
            :campaign, jsonb_build_object('state', before), '{{"state": "fixed"}}'
        FROM fixed
    )
    SELECT id FROM fixed
""")  # noqa: S608 - no value of a user is in the text
"""Every tool that ever saw it has looked again, later, in the same way and to the end, and none saw it.

An import looks in the same way where it continues the series, though its artifact is another one. What came back after
it began to look, whether a person or the clock said so, it does not close: an analysis that is tried again undoes no
verdict.
What the campaign saw is set apart first: that it is nearly everything is what PostgreSQL cannot know.
"""

WEIGHTS = text("""
    SELECT v.target_id, v.severity, v.risk, v.risk_parts, v.cve, v.cvss_vector, v.cvss_score, seen.tools,
        seen.confidence, array_agg(v.id) AS ids
    FROM (
        SELECT vulnerability_id, count(*) AS tools, max(confidence) AS confidence
        FROM (
            SELECT vulnerability_id, tool, max(confidence) AS confidence
            FROM sightings WHERE vulnerability_id IN (SELECT unnest(CAST(:ids AS uuid[])))
            GROUP BY vulnerability_id, tool
        ) AS by_tool
        GROUP BY vulnerability_id
    ) AS seen
    JOIN vulnerabilities v ON v.id = seen.vulnerability_id
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
""")
"""Thousands of vulnerabilities are alike in all that risk depends on.

Tools are counted in two steps, which hashing does; `count(DISTINCT …)` would sort every sighting there ever was.
"""

PRESENT_OF_ALL = text("""
    SELECT severity, CAST(sum(number) AS int) FROM vulnerability_counts GROUP BY severity HAVING sum(number) <> 0
""")
SUM_UP = text("""
    WITH gone AS (
        DELETE FROM vulnerability_counts WHERE (SELECT count(*) > :most FROM vulnerability_counts)
        RETURNING organisation_id, severity, number
    )
    INSERT INTO vulnerability_counts (organisation_id, severity, number)
    SELECT organisation_id, severity, sum(number) FROM gone GROUP BY 1, 2 HAVING sum(number) <> 0
""")
"""Lines that others write meanwhile stay; of two that sum up at once the second finds none of those of the first."""

PRESENT_OF = text(f"""
    WITH mine AS MATERIALIZED (SELECT DISTINCT vulnerability_id FROM sightings WHERE campaign_id = :campaign)
    SELECT v.severity, count(*) FROM mine CROSS JOIN LATERAL (
        SELECT severity, state FROM vulnerabilities WHERE id = mine.vulnerability_id OFFSET 0
    ) AS v
    WHERE v.state IN ({PRESENT}) GROUP BY v.severity
""")  # noqa: S608 - no value of a user is in the text
"""One by one: where PostgreSQL has no statistics yet, it takes the present ones for few and reads `mine` for each."""

LOCK_SEVERAL = text(f"""
    SELECT count(pg_advisory_xact_lock({ROOM}, bucket)) FROM (
        SELECT DISTINCT {BUCKET} AS bucket FROM vulnerabilities WHERE id = ANY(:ids) ORDER BY bucket
    ) AS mine
""").bindparams(bindparam("ids", type_=ARRAY(Uuid())))  # noqa: S608 - no value of a user is in the text
"""As an analysis of their targets does: the rows of many are locked by two transactions in whichever order else."""

SET_RISKS = text("""
    UPDATE vulnerabilities v SET risk = r.score, risk_parts = r.parts
    FROM unnest(CAST(:ids AS uuid[]), CAST(:which AS int[])) AS mine (id, n)
    JOIN jsonb_to_recordset(CAST(:risks AS jsonb)) AS r (n int, score int, parts jsonb) ON r.n = mine.n
    WHERE v.id = mine.id
""")
