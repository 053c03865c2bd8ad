"""What people's rulings do: observations of some flaws get other fingerprints, and their sightings are made anew."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import rulings, vulnerabilities
from purple.db.repositories import merging
from purple.db.repositories.deadlines import DueDateRows
from purple.db.repositories.rows import TableRows
from purple.domain.rulings import Ruling, Standing, Witness, leads
from purple.domain.severity import Severity
from purple.domain.vulnerabilities import ChangeCause, Merged, VulnerabilityState

_WITNESSES = text("""
    SELECT tool, rule, count(*) AS observations, count(DISTINCT campaign_id) AS campaigns,
        max(recorded_at) AS last_seen,
        (array_agg(title ORDER BY seq DESC))[1] AS title, (array_agg(severity ORDER BY seq DESC))[1] AS severity,
        (array_agg(id ORDER BY seq DESC))[1] AS observation_id
    FROM observations WHERE fingerprint = :fingerprint GROUP BY tool, rule ORDER BY tool, rule
""")

_STANDINGS = text("""
    SELECT v.id, v.state, EXISTS (SELECT 1 FROM sightings s WHERE s.vulnerability_id = v.id) AS is_seen,
        (SELECT c.before ->> 'state' FROM vulnerability_changes c
         WHERE c.vulnerability_id = v.id AND c.after ->> 'state' = 'duplicate' ORDER BY c.version DESC LIMIT 1) AS was
    FROM vulnerabilities v WHERE v.fingerprint = ANY(:fingerprints) ORDER BY v.id
""")

_RULED = """
    SELECT DISTINCT coalesce(computed, fingerprint) AS known, tool, rule, fingerprint FROM observations WHERE {}
"""
_OF_CAMPAIGN = text(_RULED.format("campaign_id = :campaign AND coalesce(computed, fingerprint) = ANY(:ruled)"))
_OF_FLAWS = text(_RULED.format("fingerprint = ANY(:fingerprints)"))
_GIVE = text("""
    UPDATE observations o SET computed = coalesce(o.computed, o.fingerprint), fingerprint = ruled.wanted
    FROM unnest(CAST(:known AS text[]), CAST(:tools AS text[]), CAST(:rules AS text[]), CAST(:now AS text[]),
        CAST(:wanted AS text[])) AS ruled (known, tool, rule, now, wanted)
    WHERE o.fingerprint = ruled.now AND coalesce(o.computed, o.fingerprint) = ruled.known
      AND o.tool = ruled.tool AND o.rule = ruled.rule
""")

_FORGET = text("""
    WITH mine AS (
        UPDATE vulnerabilities SET standing = NULL, weighed_tools = NULL, weighed_confidence = NULL
        WHERE fingerprint = ANY(:fingerprints) RETURNING id
    )
    DELETE FROM sightings WHERE vulnerability_id IN (SELECT id FROM mine) RETURNING scan_id
""")

_SEE_AGAIN = text("""
    INSERT INTO sightings (
        vulnerability_id, scan_id, organisation_id, campaign_id, tool, observation_id, seen_at, confidence, standing)
    SELECT f.vulnerability_id, f.scan_id, f.organisation_id, s.campaign_id, f.tool, f.observation_id, f.seen_at,
        f.confidence, f.standing
    FROM flaws f JOIN scans s ON s.id = f.scan_id
""")

_SEVERITY = text(f"""
    WITH old AS MATERIALIZED (
        SELECT v.id, v.severity, ({merging.SEVERITIES})[worst.rank] AS wanted
        FROM (SELECT vulnerability_id, max(rank) AS rank FROM flaws WHERE known GROUP BY vulnerability_id) AS worst
        JOIN vulnerabilities v ON v.id = worst.vulnerability_id
        FOR UPDATE OF v
    ), changed AS (
        UPDATE vulnerabilities v SET severity = old.wanted, version = version + 1
        FROM old WHERE v.id = old.id AND old.severity <> old.wanted
        RETURNING v.id, v.organisation_id, v.version, old.severity AS before, v.severity AS after
    ), told AS (
        INSERT INTO vulnerability_changes (organisation_id, vulnerability_id, version, at, cause, why, before, after)
        SELECT organisation_id, id, version, :at, '{ChangeCause.SCAN}', 'the worst of its own sightings',
            jsonb_build_object('severity', before), jsonb_build_object('severity', after)
        FROM changed
    )
    SELECT id FROM changed
""")  # noqa: S608 - no value of a user is in the text


async def follow(connection: AsyncConnection, **which: object) -> None:
    """Give observations of a `campaign`, or of some `fingerprints`, the fingerprints that people's rulings lead to."""
    known = await TableRows(connection, rulings, Ruling).all()
    if not known:
        return
    if "campaign" in which:
        which["ruled"] = [each.fingerprint for each in known]
    end = leads(known)
    rows = (await connection.execute(_OF_CAMPAIGN if "campaign" in which else _OF_FLAWS, which)).all()
    moved = [(*row, end(row.known, row.tool, row.rule)) for row in rows]
    moved = [each for each in moved if each[-2] != each[-1]]
    if moved:
        names = ("known", "tools", "rules", "now", "wanted")
        await connection.execute(_GIVE, dict(zip(names, map(list, zip(*moved, strict=True)), strict=True)))


class CorrelationRows:
    """See `domain.rulings.Correlations`."""

    def __init__(self, connection: AsyncConnection, organisation_id: UUID) -> None:
        self._connection = connection
        self._organisation_id = organisation_id

    async def ids(self, fingerprints: Sequence[str]) -> Mapping[str, UUID]:
        """By their unique index."""
        columns = vulnerabilities.c
        statement = select(columns.fingerprint, columns.id).where(columns.fingerprint.in_(fingerprints))
        return {row.fingerprint: row.id for row in await self._connection.execute(statement)}

    async def standings(self, fingerprints: Sequence[str]) -> Sequence[Standing]:
        """In one statement."""
        rows = await self._connection.execute(_STANDINGS, {"fingerprints": list(fingerprints)})
        return [
            Standing(
                row.id, VulnerabilityState(row.state), row.is_seen, VulnerabilityState(row.was) if row.was else None
            )
            for row in rows
        ]

    async def witnesses(self, fingerprint: str) -> Sequence[Witness]:
        """In one statement."""
        rows = await self._connection.execute(_WITNESSES, {"fingerprint": fingerprint})
        return [Witness(**(dict(row._mapping) | {"severity": Severity(row.severity)})) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it

    async def apply(self, fingerprints: Sequence[str], at: datetime) -> Merged:
        """As an analysis does, of all campaigns that saw them."""
        run = self._connection.execute
        mine = {"fingerprints": list(fingerprints)}
        await follow(self._connection, **mine)
        scans = (await run(_FORGET, mine)).scalars().all()
        await run(merging.FLAWS)
        await run(merging.GATHER_AGAIN, mine | {"scans": list(set(scans))})
        await run(merging.MEASURE)
        rules = {"rules": await DueDateRows(self._connection, self._organisation_id).told()}
        found = (await run(merging.ADD_VULNERABILITIES, rules)).scalars().all()
        changed = (await run(_SEVERITY, {"at": at})).scalars().all()
        retold = (await run(merging.RETELL)).scalars().all()
        moved = (await run(merging.MOVE)).scalars().all()
        await run(_SEE_AGAIN)
        await run(merging.DONE)
        ids = tuple(dict.fromkeys((*found, *changed, *retold, *moved)))
        return Merged(tuple(found), (), (), len(scans), tuple(changed), tuple(retold), ids)
