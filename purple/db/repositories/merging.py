"""The set-based statements by which a campaign's flaws become vulnerabilities and sightings.

Each may run twice: the second time finds nothing left to do. A vulnerability's id is made of its organisation and
fingerprint, so two campaigns that find the same flaw at once agree on it.

A campaign's flaws are gathered once, beside what is known of them, into a table that lives as long as the transaction:
where nothing is new, nothing but that table and the sightings is touched.
"""

from sqlalchemy import text

_RANK = "array_position(ARRAY['info','low','medium','high','critical'], {0}severity)"

FLAWS = text("""
    CREATE TEMPORARY TABLE flaws (
        vulnerability_id uuid, known boolean, known_state text, known_rank int, fingerprint text, organisation_id uuid,
        scan_id uuid, tool text, observation_id uuid, seen_at timestamptz, rank int, confidence float
    ) ON COMMIT DROP
""")

GATHER = text(f"""
    INSERT INTO flaws
    SELECT coalesce(v.id, md5(o.organisation_id::text || o.fingerprint)::uuid), v.id IS NOT NULL, v.state,
        {_RANK.format("v.")}, o.fingerprint, o.organisation_id, o.scan_id, o.tool, o.id, o.recorded_at, o.rank, o.best
    FROM (
        SELECT DISTINCT ON (fingerprint, scan_id)
            fingerprint, organisation_id, scan_id, tool, id, recorded_at,
            max({_RANK.format("")}) OVER one AS rank, max(confidence) OVER one AS best
        FROM observations WHERE campaign_id = :campaign AND fingerprint <> ''
        WINDOW one AS (PARTITION BY fingerprint, scan_id)
        ORDER BY fingerprint, scan_id, seq
    ) AS o
    LEFT JOIN vulnerabilities v ON v.fingerprint = o.fingerprint
""")  # noqa: S608 - no value of a user is in the text
"""The organisation is row-level security's part: said twice, it makes PostgreSQL think, while it has no statistics yet,
that any index which begins with it finds one row, and every flaw then reads every vulnerability.
"""

ADD_VULNERABILITIES = text(f"""
    INSERT INTO vulnerabilities (
        id, organisation_id, target_id, fingerprint, title, severity, state, weakness, cve, cwe, host, port, url,
        parameter, description, remediation, "references", risk, risk_reasons, version)
    SELECT md5(organisation_id::text || fingerprint)::uuid, organisation_id, target_id, fingerprint, title, severity,
        'open', weakness, cve, cwe, host, port, url, parameter, description, remediation, refs, 0, '{{}}', 1
    FROM (
        SELECT DISTINCT ON (fingerprint) * FROM observations
        WHERE campaign_id = :campaign AND fingerprint IN (SELECT fingerprint FROM flaws WHERE NOT known)
        ORDER BY fingerprint, {_RANK.format("")} DESC, confidence DESC, seq
    ) AS best
    ON CONFLICT DO NOTHING
    RETURNING id
""")  # noqa: S608 - no value of a user is in the text

ADD_SIGHTINGS = text("""
    WITH seen AS (
        INSERT INTO sightings (
            vulnerability_id, scan_id, organisation_id, campaign_id, tool, observation_id, seen_at, confidence)
        SELECT vulnerability_id, scan_id, organisation_id, :campaign, tool, observation_id, seen_at, confidence
        FROM flaws
        ON CONFLICT DO NOTHING
        RETURNING vulnerability_id
    ), reopened AS (
        UPDATE vulnerabilities SET state = 'open', version = version + 1
        WHERE state = 'fixed' AND id IN (SELECT vulnerability_id FROM flaws WHERE known_state = 'fixed')
          AND id IN (SELECT vulnerability_id FROM seen)
        RETURNING id
    )
    SELECT (SELECT count(*) FROM seen) AS sightings, array(SELECT id FROM reopened) AS reopened
""")
"""A new sighting of what was fixed opens it again."""

RAISE_SEVERITY = text(f"""
    UPDATE vulnerabilities v SET version = version + 1,
        severity = (ARRAY['info','low','medium','high','critical'])[worst.rank]
    FROM (
        SELECT vulnerability_id, max(rank) AS rank FROM flaws
        WHERE rank > coalesce(known_rank, 0) GROUP BY vulnerability_id
    ) AS worst
    WHERE v.id = worst.vulnerability_id AND worst.rank > {_RANK.format("v.")}
""")  # noqa: S608 - no value of a user is in the text
"""The severity is the worst that a tool gave."""

DONE = text("DROP TABLE flaws")

CLOSE = text("""
    WITH missing AS MATERIALIZED (
        SELECT id FROM vulnerabilities
        WHERE state IN ('open', 'triaged', 'confirmed')
          AND target_id IN (SELECT target_id FROM scans WHERE campaign_id = :campaign)
          AND id NOT IN (SELECT vulnerability_id FROM sightings WHERE campaign_id = :campaign)
    )
    UPDATE vulnerabilities v SET state = 'fixed', version = version + 1
    WHERE v.state IN ('open', 'triaged', 'confirmed') AND v.id IN (SELECT id FROM missing)
      AND EXISTS (SELECT 1 FROM sightings s WHERE s.vulnerability_id = v.id)
      AND NOT EXISTS (
        SELECT 1 FROM sightings s JOIN scans saw ON saw.id = s.scan_id
        WHERE s.vulnerability_id = v.id AND NOT EXISTS (
            SELECT 1 FROM scans again
            WHERE again.campaign_id = :campaign AND again.state = 'complete' AND again.target_id = v.target_id
              AND again.tool = saw.tool AND again.key = saw.key AND (again.options = saw.options OR (
                again.options ->> 'series' <> ''
                AND again.options - ARRAY['artifact', 'create_targets']
                  = saw.options - ARRAY['artifact', 'create_targets']))
              AND again.started_at > s.seen_at))
    RETURNING id
""")
"""Every tool that ever saw it has looked again, later, in the same way and to the end, and none saw it.

An import looks in the same way where it continues the series, though its artifact is another one.
What the campaign saw is set apart first: that it is nearly everything is what PostgreSQL cannot know.
"""

WEIGHTS = text("""
    SELECT v.target_id, v.severity, v.state, v.risk, v.risk_reasons, seen.tools, seen.confidence,
        array_agg(v.id) AS ids
    FROM (
        SELECT vulnerability_id, count(*) AS tools, max(confidence) AS confidence
        FROM (
            SELECT vulnerability_id, tool, max(confidence) AS confidence
            FROM sightings
            WHERE vulnerability_id IN (SELECT vulnerability_id FROM sightings WHERE campaign_id = :campaign)
            GROUP BY vulnerability_id, tool
        ) AS by_tool
        GROUP BY vulnerability_id
    ) AS seen
    JOIN vulnerabilities v ON v.id = seen.vulnerability_id
    GROUP BY 1, 2, 3, 4, 5, 6, 7
""")
"""Thousands of vulnerabilities are alike in all that risk depends on.

Tools are counted in two steps, which hashing does; `count(DISTINCT …)` would sort every sighting there ever was.
"""
