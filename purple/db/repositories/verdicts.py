"""Scores of false positives for many findings at once, what people said of them, and what that taught."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Row, Uuid, bindparam, delete, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import false_positive_models, false_positive_rules
from purple.db.models.findings import PRESENT
from purple.db.repositories.booking import PLAIN
from purple.db.repositories.merging import LOCK_SEVERAL
from purple.domain.errors import ConflictError
from purple.domain.false_positives import (
    GUESSED,
    OF_INTEREST,
    Abilities,
    Ability,
    Case,
    Doubt,
    Model,
    Reason,
    Silence,
    Telling,
    noted_below,
)
from purple.domain.severity import Severity
from purple.domain.verdicts import KEPT, Learned, Policy, Scored, Standing
from purple.domain.vulnerabilities import ChangeCause, VulnerabilityState

_UNDECIDED = ", ".join(f"'{each}'" for each in ("open", "reopened", "triaged"))
_ABLE = "unnest(CAST(:weaknesses AS text[]), CAST(:tools AS text[])) AS able (weakness, tool)"
_UNSEEN = "NOT EXISTS (SELECT 1 FROM sightings s WHERE s.vulnerability_id = v.id AND s.tool = c.tool)"
_LOOKED = (
    "c.target_id = v.target_id AND c.tool = able.tool AND c.state = 'complete'"
    " AND (v.port = 0 OR c.port IN (0, v.port))"
)
_MODEL = [false_positive_models.c[name] for name in Learned.__dataclass_fields__]

_TOOLS = text("SELECT DISTINCT tool FROM scans WHERE campaign_id = :campaign AND state = 'complete'")
_NOT_SEEN = text(f"""
    SELECT DISTINCT v.id FROM scans c JOIN {_ABLE} ON able.tool = c.tool
    JOIN vulnerabilities v ON v.weakness = able.weakness AND {_LOOKED}
    WHERE c.campaign_id = :campaign AND v.state IN ({PRESENT}) AND {_UNSEEN}
""")  # noqa: S608 - our own words
_BESIDE = text(f"""
    SELECT id FROM vulnerabilities
    WHERE state IN ({PRESENT}) AND weakness = ANY(:guessed) AND target_id IN (
        SELECT target_id FROM vulnerabilities
        WHERE id IN (SELECT unnest(CAST(:ids AS uuid[]))) AND weakness = ANY(:guessed))
""")  # noqa: S608 - our own words
"""How many guesses answer counts for each of them."""

_PRESENT_IDS = f"SELECT id FROM vulnerabilities WHERE state IN ({PRESENT}) {{}} ORDER BY id LIMIT :limit"  # noqa: S608 - our own words
_FIRST, _NEXT = text(_PRESENT_IDS.format("")), text(_PRESENT_IDS.format("AND id > :after"))

_TOLD = text("""
    SELECT * FROM (
        SELECT *, max(confidence) OVER one < :sure OR bool_or(rule = ANY(:rules)) OVER one
            OR weakness = ANY(:weaknesses) OR false_positive IS NOT NULL OR :every
            OR bool_or(lower(told) LIKE ANY(:interest)) OVER one AS doubtful
        FROM (
            SELECT mine.*, surest.tool, surest.observation_id, surest.confidence, o.rule,
                left(o.title || E'\\n' || o.evidence, 900) || E'\\n' || left(o.description, 300) AS told
            FROM unnest(CAST(:ids AS uuid[])) AS wanted (id)
            CROSS JOIN LATERAL (
                SELECT id, target_id, port, severity, weakness, cve, false_positive, doubts
                FROM vulnerabilities WHERE id = wanted.id OFFSET 0
            ) AS mine
            CROSS JOIN LATERAL (
                SELECT DISTINCT ON (tool) tool, observation_id, confidence FROM sightings
                WHERE vulnerability_id = wanted.id ORDER BY tool, confidence DESC, standing, observation_id
            ) AS surest
            CROSS JOIN LATERAL (
                SELECT rule, title, evidence, description FROM observations WHERE id = surest.observation_id OFFSET 0
            ) AS o
        ) AS seen
        WINDOW one AS (PARTITION BY id)
    ) AS known WHERE doubtful ORDER BY id, tool
""")
"""The surest sighting of each tool stands for all that it said. One by one, by their keys: of a new organisation
PostgreSQL expects one row, and reads all of it for each.
"""

_SILENT = text(f"""
    SELECT DISTINCT v.id, c.tool
    FROM vulnerabilities v JOIN {_ABLE} ON able.weakness = v.weakness JOIN scans c ON {_LOOKED}
    WHERE v.id IN (SELECT unnest(CAST(:ids AS uuid[]))) AND {_UNSEEN}
      AND c.ended_at >= (SELECT min(seen_at) FROM sightings s WHERE s.vulnerability_id = v.id) - interval '1 day'
""")  # noqa: S608 - our own words
"""Since it is known; a day before, for the tools of one campaign look one after another."""

_HEADERS = r"(?:X-Powered-By|Server): [^\n]{1,200}"
_BANNERS = text("""
    WITH places AS MATERIALIZED (
        SELECT DISTINCT target_id, port FROM vulnerabilities
        WHERE id IN (SELECT unnest(CAST(:ids AS uuid[]))) AND port > 0
    ), recent AS MATERIALIZED (
        SELECT each.target_id, last.campaign_id FROM (SELECT DISTINCT target_id FROM places) AS each
        CROSS JOIN LATERAL (
            SELECT campaign_id FROM scans WHERE target_id = each.target_id AND state = 'complete'
            GROUP BY campaign_id ORDER BY max(ended_at) DESC, campaign_id LIMIT 3) AS last
    )
    SELECT DISTINCT o.target_id, o.port, CASE o.kind WHEN 'service'
        THEN btrim(concat_ws(' ', o.detail -> 'service' ->> 'product', o.detail -> 'service' ->> 'version',
            o.detail -> 'service' ->> 'banner'))
        ELSE substring(o.evidence FROM :headers) END AS banner
    FROM recent JOIN observations o ON o.campaign_id = recent.campaign_id
    WHERE (o.target_id, o.port) IN (SELECT target_id, port FROM places)
      AND (o.kind = 'service' OR o.kind = 'flaw' AND o.evidence ~ :headers)
""")
"""Of the newest three campaigns that looked there; headers are told by whatever finding shows them."""

_GUESSES = text("""
    SELECT target_id, port, count(*) AS number FROM vulnerabilities
    WHERE target_id IN (SELECT target_id FROM vulnerabilities WHERE id IN (SELECT unnest(CAST(:ids AS uuid[]))))
      AND weakness = ANY(:guessed) AND state NOT IN ('fixed', 'duplicate')
    GROUP BY target_id, port
""")

_PUT = text("""
    UPDATE vulnerabilities v SET false_positive = r.score, doubts = r.reasons
    FROM unnest(CAST(:ids AS uuid[]), CAST(:which AS int[])) AS mine (id, n)
    JOIN jsonb_to_recordset(CAST(:told AS jsonb)) AS r (n int, score float, reasons jsonb) ON r.n = mine.n
    WHERE v.id = mine.id
""")

_LAST_SAID = f"""
    SELECT DISTINCT ON (vulnerability_id) vulnerability_id, cause, after ->> 'state' AS state, at
    FROM vulnerability_changes
    WHERE after ? 'state' AND cause IN ('{ChangeCause.PERSON}', '{ChangeCause.UNDO}', '{ChangeCause.POLICY}')
    ORDER BY vulnerability_id, version DESC
"""  # noqa: S608 - our own words
_SAID = text(f"""
    SELECT v.id, last.state = '{VulnerabilityState.FALSE_POSITIVE}' AS is_false
    FROM ({_LAST_SAID}) AS last JOIN vulnerabilities v ON v.id = last.vulnerability_id
    WHERE last.cause = '{ChangeCause.PERSON}' AND (
        last.state IN ('false_positive', 'confirmed', 'risk_accepted') OR last.state = 'triaged' AND v.state = 'fixed')
    ORDER BY last.at DESC, v.id LIMIT :limit
""")  # noqa: S608 - our own words

_RULED = text(f"""
    SELECT v.id FROM vulnerabilities v
    WHERE v.false_positive >= :threshold AND v.severity = ANY(:severities) AND v.state IN ({_UNDECIDED})
      AND (CAST(:ids AS uuid[]) IS NULL OR v.id = ANY(CAST(:ids AS uuid[])))
      AND NOT EXISTS (
        SELECT 1 FROM vulnerability_changes c
        WHERE c.vulnerability_id = v.id AND c.cause IN ('{ChangeCause.PERSON}', '{ChangeCause.UNDO}')
          AND c.after ? 'state')
    ORDER BY v.id LIMIT :limit
""").bindparams(bindparam("ids", type_=ARRAY(Uuid())))  # noqa: S608 - our own words


class VerdictRows:
    """See `domain.verdicts.Verdicts`."""

    def __init__(self, connection: AsyncConnection, organisation_id: UUID) -> None:
        self._connection = connection
        self._organisation_id = organisation_id

    async def touched(self, campaign_id: UUID, moved: Collection[UUID], abilities: Abilities) -> Sequence[UUID]:
        """A campaign of tools that measure nothing, and of which nothing moved, costs one look at its tools."""
        campaign = {"campaign": campaign_id}
        tools = set((await self._connection.execute(_TOOLS, campaign)).scalars())
        found = dict.fromkeys(moved)
        if able := {tool: each for tool, each in abilities.items() if tool in tools}:
            found |= dict.fromkeys((await self._connection.execute(_NOT_SEEN, campaign | _pairs(able))).scalars())
        if moved:
            beside = {"ids": list(moved), "guessed": sorted(GUESSED)}
            found |= dict.fromkeys((await self._connection.execute(_BESIDE, beside)).scalars())
        return list(found)

    async def present(self, after: UUID | None, limit: int) -> Sequence[UUID]:
        """By the primary key."""
        statement, place = (_NEXT, {"after": after}) if after else (_FIRST, {})
        return (await self._connection.execute(statement, {"limit": limit, **place})).scalars().all()

    async def cases(
        self, ids: Collection[UUID], abilities: Abilities, model: Model, *, every: bool = False, lock: bool = False
    ) -> Sequence[Scored]:
        """A few statements, however many there are."""
        weaknesses = {each.removeprefix("weakness ") for each in model.past if each.startswith("weakness ")}
        asked = {
            "ids": list(ids),
            "rules": [each.removeprefix("rule ") for each in model.past if each.startswith("rule ")],
            "sure": noted_below(model),
            "interest": [f"%{each}%" for each in OF_INTEREST],
            "every": every,
            "weaknesses": sorted({*weaknesses, *GUESSED, *(each for one in abilities.values() for each in _all(one))}),
        }
        run = self._connection.execute
        if lock and ids:
            await run(LOCK_SEVERAL, {"ids": list(ids)})
        await run(PLAIN)
        told = [list(rows) for _, rows in groupby(await run(_TOLD, asked), key=attrgetter("id"))] if ids else []
        if not told:
            return ()
        mine = {"ids": [each[0].id for each in told]}
        silent: dict[UUID, list[str]] = {}
        for row in await run(_SILENT, mine | _pairs(abilities)) if abilities else ():
            silent.setdefault(row.id, []).append(row.tool)
        banners: dict[tuple[UUID, int], list[str]] = {}
        versions = {"ids": [each[0].id for each in told if each[0].cve], "headers": _HEADERS}
        for row in await run(_BANNERS, versions) if versions["ids"] else ():
            banners.setdefault((row.target_id, row.port), []).append(row.banner)
        guessed = {"guessed": sorted(GUESSED)}
        beside = {"ids": [each[0].id for each in told if each[0].weakness in GUESSED]}
        guesses = {(row.target_id, row.port): row.number for row in await run(_GUESSES, beside | guessed)}
        found = []
        for rows in told:
            place = (rows[0].target_id, rows[0].port)
            there = tuple(sorted(filter(None, banners.get(place, ()))))
            found.append(_scored(rows, abilities, there, silent.get(rows[0].id, ()), guesses.get(place, 0)))
        return found

    async def put(self, doubts: Sequence[tuple[Sequence[UUID], Doubt]]) -> None:
        """Each is told once, however many have it."""
        if not doubts:
            return
        told = [
            {
                "n": n,
                "score": doubt.score if doubt.reasons else None,
                "reasons": [(each.name, each.weight, each.detail) for each in doubt.reasons],
            }
            for n, (_, doubt) in enumerate(doubts)
        ]
        which = [n for n, (ids, _) in enumerate(doubts) for _ in ids]
        values = {"ids": [each for ids, _ in doubts for each in ids], "which": which, "told": json.dumps(told)}
        await self._connection.execute(_PUT, values)

    async def latest(self) -> Learned | None:
        """By its version."""
        statement = select(*_MODEL).order_by(false_positive_models.c.version.desc()).limit(1)
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else Learned(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it

    async def keep(self, model: Learned) -> None:
        """And forget what is older than the newest fifty."""
        values = {column.name: getattr(model, column.name) for column in _MODEL}
        try:
            await self._connection.execute(insert(false_positive_models).values(values))
        except IntegrityError as error:
            raise ConflictError(
                "somebody else made a model just now", field="version", value=model.version, remedy="look at that one"
            ) from error
        old = false_positive_models.c.version <= model.version - KEPT
        await self._connection.execute(delete(false_positive_models).where(old))

    async def said(self, limit: int) -> Mapping[UUID, bool]:
        """The last word on each counts."""
        return {row.id: row.is_false for row in await self._connection.execute(_SAID, {"limit": limit})}

    async def standing(self) -> Standing:
        """Off where there is no row."""
        row = (await self._connection.execute(select(false_positive_rules))).one_or_none()
        if row is None:
            return Standing()
        scored = (row.scored_version, row.scored_model, row.scored_release)
        return Standing(Policy(row.threshold, row.below), row.version, *scored)

    async def set_policy(self, policy: Policy) -> Standing:
        """In the organisation's row."""
        await self._put(threshold=policy.threshold, below=policy.below, version=false_positive_rules.c.version + 1)
        return await self.standing()

    async def set_scored(self, version: int, model: int, release: int) -> None:
        """In the row of its policy."""
        await self._put(scored_version=version, scored_model=model, scored_release=release)

    async def _put(self, **changes: Any) -> None:
        nothing = {"version": 0, "scored_version": -1, "scored_model": -1, "scored_release": -1}
        first = {"organisation_id": self._organisation_id, "below": Severity.HIGH, **nothing, **changes}
        if "threshold" in changes:
            first["version"] = 1
        statement = upsert(false_positive_rules).values(first)
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=["organisation_id"], set_=changes)
        )

    async def ruled(self, policy: Policy, ids: Collection[UUID] | None, limit: int) -> Sequence[UUID]:
        """By the index on scores."""
        asked = {
            "threshold": policy.threshold,
            "severities": [str(each) for each in policy.severities],
            "ids": None if ids is None else list(ids),
            "limit": limit,
        }
        return (await self._connection.execute(_RULED, asked)).scalars().all()


def _all(one: Ability) -> Iterable[str]:
    return (*one.sees, *one.settles)


def _pairs(abilities: Abilities) -> dict[str, list[str]]:
    """Weaknesses and the tools that look for them, side by side."""
    pairs = sorted((weakness, tool) for tool, one in abilities.items() for weakness in _all(one))
    return {"weaknesses": [each for each, _ in pairs], "tools": [each for _, each in pairs]}


def _scored(
    rows: Sequence[Row[Any]], abilities: Abilities, banners: tuple[str, ...], silent: Iterable[str], guesses: int
) -> Scored:
    first = rows[0]

    def settles(tool: str) -> bool:
        return first.weakness in abilities.get(tool, Ability()).settles

    told = tuple(
        Telling(each.tool, each.rule, each.told, each.confidence, settles(each.tool), each.observation_id)
        for each in rows
    )
    case = Case(
        severity=Severity(first.severity),
        weakness=first.weakness,
        told=told,
        cve=tuple(first.cve),
        banners=banners if first.cve else (),
        silent=tuple(Silence(tool, settles(tool)) for tool in sorted(silent)),
        guesses=guesses if first.weakness in GUESSED else 0,
    )
    return Scored(first.id, case, first.false_positive, tuple(Reason(*each) for each in first.doubts))
