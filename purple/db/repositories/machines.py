"""Targets as machines, and the marks that their flaws share."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import machine_rulings
from purple.db.models.findings import PRESENT
from purple.db.repositories.deadlines import LOCK_SOME
from purple.db.repositories.observed import COLUMNS, read
from purple.domain.fingerprints import fingerprint, twin
from purple.domain.machines import MachineRuling, Member, Proposal, Twin
from purple.domain.severity import Severity
from purple.domain.vulnerabilities import VulnerabilityState

_ROOM = 0x6D_61_63_68
"""Of the advisory lock on an organisation's machines."""
_LOCK = text(f"SELECT pg_advisory_xact_lock({_ROOM}, hashtext(:organisation))")

_MEMBER = "SELECT id, host, zone, created_at, machine_id FROM targets WHERE"
_GIVEN = text(f"{_MEMBER} id = ANY(CAST(:ids AS uuid[]))")
_NEAR = text(f"{_MEMBER} host = ANY(CAST(:hosts AS text[])) OR machine_id = ANY(CAST(:machines AS uuid[]))")
"""No join: where PostgreSQL takes the organisation for small, it would read all of it for each."""
_SAID = text(f"""
    SELECT {", ".join(column.name for column in machine_rulings.c)} FROM machine_rulings
    WHERE undone_at IS NULL AND (target_id = ANY(CAST(:ids AS uuid[])) OR other_id = ANY(CAST(:ids AS uuid[])))
    ORDER BY created_at, id
""")  # noqa: S608 - our own column names

_PLACE = text("""
    UPDATE targets t SET machine_id = moved.machine
    FROM unnest(CAST(:ids AS uuid[]), CAST(:machines AS uuid[])) AS moved (id, machine) WHERE t.id = moved.id
""")
_FORGET = text(
    "UPDATE vulnerabilities SET twin = NULL WHERE target_id = ANY(CAST(:ids AS uuid[])) AND twin IS NOT NULL"
)
_UNMARKED = text("""
    SELECT id FROM targets WHERE machine_id IS NOT NULL
      AND id IN (SELECT target_id FROM scans WHERE campaign_id = :campaign)
""")
_TELLING = text(f"""
    SELECT v.id AS vulnerability_id, v.fingerprint AS known, t.machine_id AS machine, told.*
    FROM vulnerabilities v JOIN targets t ON t.id = v.target_id
    CROSS JOIN LATERAL (
        SELECT {", ".join(f"o.{name}" for name in COLUMNS)}
        FROM sightings s JOIN observations o ON o.id = s.observation_id
        WHERE s.vulnerability_id = v.id AND coalesce(o.computed, o.fingerprint) = v.fingerprint LIMIT 1
    ) AS told
    WHERE v.target_id = ANY(:ids) AND v.twin IS NULL AND t.machine_id IS NOT NULL
""").bindparams(bindparam("ids", type_=ARRAY(Uuid())))  # noqa: S608 - our own column names
"""One observation of each that its fingerprint was made of: a ruling may have brought others, of other places."""
_MARK = text("""
    UPDATE vulnerabilities v SET twin = made.twin
    FROM unnest(CAST(:ids AS uuid[]), CAST(:twins AS uuid[])) AS made (id, twin) WHERE v.id = made.id
""")

_NOTE = text("""
    INSERT INTO target_addresses (target_id, organisation_id, address, scan_id, seen_at)
    SELECT DISTINCT ON (t.id) t.id, s.organisation_id, s.address, s.id, s.started_at
    FROM scans s JOIN targets t ON t.id = s.target_id
    WHERE s.campaign_id = :campaign AND s.started_at IS NOT NULL
      AND s.address <> '' AND s.address <> s.host AND t.host <> ''
    ORDER BY t.id, s.started_at DESC, s.id
    ON CONFLICT (target_id) DO UPDATE
        SET address = excluded.address, scan_id = excluded.scan_id, seen_at = excluded.seen_at
        WHERE excluded.seen_at > target_addresses.seen_at
""")
_EVIDENCE = text("""
    SELECT name.host AS name, known.address, known.seen_at
    FROM target_addresses known JOIN targets name ON name.id = known.target_id
    JOIN targets place ON place.host = known.address AND place.zone = name.zone
    WHERE (name.id, place.id) IN ((:one, :other), (:other, :one)) ORDER BY known.seen_at DESC LIMIT 1
""").bindparams(bindparam("one", type_=Uuid()), bindparam("other", type_=Uuid()))
_PROPOSALS = text("""
    WITH apart AS MATERIALIZED (
        SELECT coalesce(x.machine_id, x.id) AS one, coalesce(y.machine_id, y.id) AS other
        FROM machine_rulings r JOIN targets x ON x.id = r.target_id JOIN targets y ON y.id = r.other_id
        WHERE r.undone_at IS NULL AND NOT r.same
    ), met AS (
        SELECT known.target_id, place.id AS other_id, known.address, known.seen_at, known.scan_id,
            coalesce(name.machine_id, name.id) AS mine, coalesce(place.machine_id, place.id) AS theirs
        FROM target_addresses known JOIN targets name ON name.id = known.target_id
        JOIN targets place ON place.host = known.address AND place.zone = name.zone
        WHERE name.retired_at IS NULL AND place.retired_at IS NULL
    ), first AS (
        SELECT DISTINCT ON (mine, theirs) * FROM met
        WHERE mine <> theirs AND (mine, theirs) NOT IN (SELECT one, other FROM apart)
          AND (theirs, mine) NOT IN (SELECT one, other FROM apart)
        ORDER BY mine, theirs, seen_at DESC, target_id, other_id
    )
    SELECT target_id, other_id, address, seen_at, scan_id,
        (SELECT count(DISTINCT t.host) FROM target_addresses a JOIN targets t ON t.id = a.target_id
         WHERE a.address = first.address AND t.retired_at IS NULL) AS names
    FROM first ORDER BY seen_at DESC, target_id, other_id LIMIT :limit
""")
_TWINS = text("""
    SELECT v.id, v.target_id, t.name AS target, v.state, v.severity, v.risk
    FROM vulnerabilities mine JOIN vulnerabilities v ON v.twin = mine.twin JOIN targets t ON t.id = v.target_id
    WHERE mine.id = :id AND v.id <> mine.id AND v.state <> 'duplicate'
    ORDER BY v.risk DESC, v.id DESC LIMIT :limit
""")
ONCE = f"""(vulnerabilities.twin IS NULL OR NOT EXISTS (
    SELECT 1 FROM vulnerabilities other WHERE other.twin = vulnerabilities.twin
      AND (other.state IN ({PRESENT}), other.risk, other.id)
        > (vulnerabilities.state IN ({PRESENT}), vulnerabilities.risk, vulnerabilities.id)))"""  # noqa: S608 - our own words
"""Of those that are one flaw the present one with the highest risk stands for all; only marked ones are looked up."""


class MachineRows:
    """See `domain.machines.Machines`."""

    def __init__(self, connection: AsyncConnection, organisation_id: UUID) -> None:
        self._connection = connection
        self._organisation_id = organisation_id

    async def lock(self) -> None:
        """Until the transaction ends."""
        await self._connection.execute(_LOCK, {"organisation": str(self._organisation_id)})

    async def around(self, target_ids: Collection[UUID]) -> tuple[Sequence[Member], Sequence[MachineRuling]]:
        """In three statements, and three more for each step over rulings to other hosts."""
        members: dict[UUID, Member] = {}
        rulings: dict[UUID, MachineRuling] = {}
        ahead = set(target_ids)
        while ahead:
            fresh = {each.id: each for each in await self._beside(ahead) if each.id not in members}
            members |= fresh
            said = await self._connection.execute(_SAID, {"ids": list(fresh)})
            rulings |= {row.id: MachineRuling(**row._mapping) for row in said}  # noqa: SLF001 - SQLAlchemy's public name for it
            ahead = {end for each in rulings.values() for end in each.pair} - members.keys()
        return list(members.values()), list(rulings.values())

    async def _beside(self, target_ids: Collection[UUID]) -> list[Member]:
        """These, those of the same host and zone, and those of the same machine."""
        given = [Member(*row) for row in await self._connection.execute(_GIVEN, {"ids": list(target_ids)})]
        places = {(each.host, each.zone) for each in given if each.host}
        known = {each.machine_id for each in given if each.machine_id}
        asked = {"hosts": [host for host, _ in places], "machines": list(known)}
        found = [Member(*row) for row in await self._connection.execute(_NEAR, asked)]
        return [*given, *(each for each in found if (each.host, each.zone) in places or each.machine_id in known)]

    async def place(self, moves: Mapping[UUID, UUID | None], held: Collection[UUID] = ()) -> None:
        """In three statements."""
        ids = list(moves)
        await self._connection.execute(LOCK_SOME, {"targets": [*ids, *held]})
        await self._connection.execute(_PLACE, {"ids": ids, "machines": list(moves.values())})
        await self._connection.execute(_FORGET, {"ids": ids})

    async def unmarked(self, *, campaign_id: UUID) -> Sequence[UUID]:
        """In one statement."""
        return (await self._connection.execute(_UNMARKED, {"campaign": campaign_id})).scalars().all()

    async def mark(self, target_ids: Collection[UUID], fields: Mapping[str, tuple[str, ...]]) -> None:
        """Row by row: what a flaw is made of is known to its fingerprint only. One that a ruling made has none."""
        made: dict[UUID, UUID] = {}
        async with self._connection.stream(_TELLING, {"ids": list(target_ids)}) as rows:
            async for row in rows:
                seen, apart = read(row).seen, fields.get(row.tool, ())
                if fingerprint(row.target_id, seen, apart) == row.known:
                    made[row.vulnerability_id] = twin(row.machine, seen, apart)
        if made:
            await self._connection.execute(_MARK, {"ids": list(made), "twins": list(made.values())})

    async def note_addresses(self, campaign_id: UUID) -> None:
        """In one statement."""
        await self._connection.execute(_NOTE, {"campaign": campaign_id})

    async def evidence(self, one: UUID, other: UUID) -> str:
        """What one of them resolved to."""
        row = (await self._connection.execute(_EVIDENCE, {"one": one, "other": other})).one_or_none()
        return f"{row.name} resolved to {row.address} on {row.seen_at:%Y-%m-%d}" if row else ""

    async def proposals(self, limit: int) -> Sequence[Proposal]:
        """In one statement."""
        rows = await self._connection.execute(_PROPOSALS, {"limit": limit})
        return [Proposal(*row) for row in rows]

    async def twins(self, vulnerability_id: UUID, limit: int) -> Sequence[Twin]:
        """By the index of marks."""
        rows = await self._connection.execute(_TWINS, {"id": vulnerability_id, "limit": limit})
        return [
            Twin(row.id, row.target_id, row.target, VulnerabilityState(row.state), Severity(row.severity), row.risk)
            for row in rows
        ]
