"""Weights of an organisation, and its vulnerabilities as sets."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import risk_rules, vulnerabilities
from purple.db.models.findings import PRESENT
from purple.db.repositories.machines import ONCE
from purple.db.repositories.units import TARGETS_IN
from purple.domain.enrichment import Dataset
from purple.domain.risk import MODEL, SHIPPED, Weights
from purple.domain.severity import Severity
from purple.domain.weighing import Rules, Tally, Touched

_TOUCHED = text("""
    SELECT v.id, array_agg(DISTINCT f.dataset) AS datasets
    FROM vulnerabilities v CROSS JOIN LATERAL unnest(v.cve) AS known (cve)
    JOIN reference_facts f ON f.dataset = ANY(:datasets) AND f.key = known.cve AND f.revision > :revision
    WHERE v.cve <> '{}'
    GROUP BY v.id ORDER BY v.id
""")
_SUMS = "SELECT target_id, severity, count(*) AS many, sum(risk) AS total, max(risk) AS worst FROM"
_TALLIES = f"""
    SELECT mine.*, t.unit_id, t.machine_id FROM (
        {_SUMS} vulnerabilities WHERE state IN ({PRESENT}) {{}} GROUP BY target_id, severity
    ) AS mine JOIN targets t ON t.id = mine.target_id
"""  # noqa: S608 - our own words
_TWINS = f"""
    AND twin IS NULL GROUP BY target_id, severity
    UNION ALL {_SUMS} (
        SELECT DISTINCT ON ({{}} twin) target_id, severity, risk
        FROM vulnerabilities v JOIN targets place ON place.id = v.target_id
        WHERE state IN ({PRESENT}) AND twin IS NOT NULL {{}} ORDER BY {{}} twin, risk DESC, v.id DESC
    ) AS one
"""  # noqa: S608 - our own words
"""What stands between WHERE and GROUP BY to take each flaw of a machine once; most have no twin: summed as ever."""


def _tallying(which: str, by: str) -> tuple[TextClause, TextClause]:
    """All of them, and each flaw once."""
    return text(_TALLIES.format(which)), text(_TALLIES.format(which + _TWINS.format(by, which, by)))


_TALLY_ALL = _tallying("", "place.unit_id,")
_TALLY_SOME = _tallying("AND target_id = ANY(:targets)", "")
_TALLY_UNIT = _tallying(f"AND target_id IN ({TARGETS_IN})", "place.unit_id,")
"""A business unit answers for what is registered in it: what two of them have counts in both."""


class RiskRows:
    """See `domain.weighing.Risks`."""

    def __init__(self, connection: AsyncConnection, organisation_id: UUID) -> None:
        self._connection = connection
        self._organisation_id = organisation_id

    async def rules(self) -> Rules:
        """Shipped where there is no row, or none with weights."""
        row = (await self._connection.execute(select(risk_rules))).one_or_none()
        if row is None:
            return Rules(SHIPPED)
        return Rules(
            SHIPPED.changed(row.weights or {}),
            own=row.weights is not None,
            version=row.version,
            weighed_version=row.weighed_version,
            weighed_model=row.weighed_model,
            weighed_revision=row.weighed_revision,
        )

    async def set_weights(self, weights: Weights | None) -> Rules:
        """Those that differ from the shipped are kept, so that a release may change the others."""
        own = None
        if weights is not None:
            shipped = SHIPPED.told()
            own = {name: value for name, value in weights.told().items() if value != shipped[name]}
        await self._put(weights=own, version=risk_rules.c.version + 1)
        return await self.rules()

    async def set_weighed(self, version: int, model: int, revision: int) -> None:
        """In the row of its weights."""
        await self._put(weighed_version=version, weighed_model=model, weighed_revision=revision)

    async def _put(self, **changes: Any) -> None:
        nothing = {"version": 0, "weighed_version": 0, "weighed_model": MODEL, "weighed_revision": 0}
        first = {"organisation_id": self._organisation_id, **nothing, **changes}
        if "weights" in changes:
            first["version"] = 1
        statement = upsert(risk_rules).values(first)
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=["organisation_id"], set_=changes)
        )

    async def worst(
        self, limit: int, target_ids: Collection[UUID] | None = None, *, once: bool = False
    ) -> Sequence[tuple[UUID, str, int]]:
        """By the index on risk."""
        table = vulnerabilities.c
        statement = select(table.id, table.title, table.risk).where(text(f"state IN ({PRESENT})"))
        if target_ids is not None:
            statement = statement.where(table.target_id == func.any(list(target_ids)))
        if once:
            statement = statement.where(text(ONCE))
        rows = await self._connection.execute(statement.order_by(table.risk.desc(), table.id.desc()).limit(limit))
        return [(row.id, row.title, row.risk) for row in rows]

    async def touched(self, datasets: Collection[Dataset], revision: int) -> Sequence[Touched]:
        """Each CVE of a vulnerability by the key of its facts."""
        values = {"datasets": [str(each) for each in datasets], "revision": revision}
        rows = await self._connection.execute(_TOUCHED, values)
        return [Touched(row.id, tuple(Dataset(each) for each in sorted(row.datasets))) for row in rows]

    async def tallies(
        self, target_ids: Collection[UUID] | None = None, unit_id: UUID | None = None, *, once: bool = False
    ) -> Sequence[Tally]:
        """In one statement."""
        if unit_id is not None:
            rows = await self._connection.execute(_TALLY_UNIT[once], {"unit": unit_id})
        elif target_ids is not None:
            rows = await self._connection.execute(_TALLY_SOME[once], {"targets": list(target_ids)})
        else:
            rows = await self._connection.execute(_TALLY_ALL[once])
        return [
            Tally(row.target_id, Severity(row.severity), row.many, row.total, row.worst, row.unit_id, row.machine_id)
            for row in rows
        ]
