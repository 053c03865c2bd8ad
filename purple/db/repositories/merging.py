"""The set-based statements by which a campaign's flaws become vulnerabilities and sightings.

Each may run twice: the second time finds nothing left to do. A vulnerability's id is made of its organisation and
fingerprint, so two campaigns that find the same flaw at once agree on it.
"""

from sqlalchemy import text

_RANK = "array_position(ARRAY['info','low','medium','high','critical'], {0}severity)"

ADD_VULNERABILITIES = text(f"""
    INSERT INTO vulnerabilities (
        id, organisation_id, target_id, fingerprint, title, severity, state, weakness, cve, cwe, host, port, url,
        parameter, description, remediation, "references", risk, risk_reasons, version)
    SELECT md5(organisation_id::text || fingerprint)::uuid, organisation_id, target_id, fingerprint, title, severity,
        'open', weakness, cve, cwe, host, port, url, parameter, description, remediation, refs, 0, '{{}}', 1
    FROM (
        SELECT DISTINCT ON (fingerprint) * FROM observations
        WHERE campaign_id = :campaign AND fingerprint <> ''
        ORDER BY fingerprint, {_RANK.format("")} DESC, confidence DESC, seq
    ) AS best
    ON CONFLICT DO NOTHING
    RETURNING id
""")  # noqa: S608 - no value of a user is in the text

ADD_SIGHTINGS = text("""
    INSERT INTO sightings (vulnerability_id, scan_id, organisation_id, campaign_id, tool, observation_id, seen_at)
    SELECT v.id, seen.scan_id, seen.organisation_id, seen.campaign_id, seen.tool, seen.id, seen.recorded_at
    FROM (
        SELECT DISTINCT ON (fingerprint, scan_id) * FROM observations
        WHERE campaign_id = :campaign AND fingerprint <> ''
        ORDER BY fingerprint, scan_id, seq
    ) AS seen
    JOIN vulnerabilities v ON v.organisation_id = seen.organisation_id AND v.fingerprint = seen.fingerprint
    ON CONFLICT DO NOTHING
    RETURNING vulnerability_id
""")

REOPEN = text("""
    UPDATE vulnerabilities SET state = 'open', version = version + 1
    WHERE id = ANY(:seen) AND state = 'fixed'
    RETURNING id
""")

RAISE_SEVERITY = text(f"""
    UPDATE vulnerabilities v SET severity = worst.severity, version = version + 1
    FROM (
        SELECT DISTINCT ON (o.fingerprint) o.fingerprint, o.severity FROM observations o
        WHERE o.campaign_id = :campaign AND o.fingerprint <> ''
        ORDER BY o.fingerprint, {_RANK.format("o.")} DESC
    ) AS worst
    WHERE v.fingerprint = worst.fingerprint AND {_RANK.format("worst.")} > {_RANK.format("v.")}
""")  # noqa: S608 - no value of a user is in the text
"""The severity is the worst that a tool gave."""

CLOSE = text("""
    UPDATE vulnerabilities v SET state = 'fixed', version = version + 1
    WHERE v.state IN ('open', 'triaged', 'confirmed')
      AND v.target_id IN (SELECT target_id FROM scans WHERE campaign_id = :campaign)
      AND NOT EXISTS (SELECT 1 FROM sightings s WHERE s.vulnerability_id = v.id AND s.campaign_id = :campaign)
      AND EXISTS (SELECT 1 FROM sightings s WHERE s.vulnerability_id = v.id)
      AND NOT EXISTS (
        SELECT 1 FROM sightings s JOIN scans saw ON saw.id = s.scan_id
        WHERE s.vulnerability_id = v.id AND NOT EXISTS (
            SELECT 1 FROM scans again
            WHERE again.campaign_id = :campaign AND again.state = 'complete' AND again.target_id = v.target_id
              AND again.tool = saw.tool AND again.key = saw.key AND (again.options = saw.options OR (
                again.options ->> 'series' <> '' AND again.options - 'artifact' = saw.options - 'artifact'))
              AND again.started_at > s.seen_at))
    RETURNING id
""")
"""Every tool that ever saw it has looked again, later, in the same way and to the end, and none saw it.

An import looks in the same way where it continues the series, though its artifact is another one."""
