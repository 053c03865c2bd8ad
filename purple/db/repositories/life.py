"""Changes of vulnerabilities, and their history in the same statement."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Select, TextClause, Uuid, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import vulnerabilities, vulnerability_changes
from purple.db.repositories.listings import VULNERABILITIES
from purple.db.repositories.merging import LOCK_SEVERAL
from purple.domain.life import Changed, Chosen, Held, Left, TakenBack, Told, Wanted
from purple.domain.vulnerabilities import ChangeCause

_HELD = [vulnerabilities.c[name] for name in Held.__dataclass_fields__]
_IDS = bindparam("ids", type_=ARRAY(Uuid()))

_TELL = """
    INSERT INTO vulnerability_changes (
        organisation_id, vulnerability_id, version, at, cause, actor, why, operation_id, before, after)
    SELECT organisation_id, id, version, :at, :cause, :actor, :why, CAST(:operation AS uuid), before, after FROM new
"""
_STATE = """jsonb_strip_nulls(jsonb_build_object(
    'state', {0}.state, 'accepted_until', {0}.accepted_until, 'accepted_from', {0}.accepted_from))"""
_DUE = "jsonb_build_object('due_at', CASE WHEN {0}.due_by_hand THEN {0}.due_at END)"


def _told(row: str) -> str:
    """The fields of a row that were asked for, as JSON."""
    return f"""CASE WHEN CAST(:state AS text) IS NULL THEN '{{}}' ELSE {_STATE.format(row)} END
        || CASE WHEN CAST(:owner AS text) IS NULL THEN '{{}}' ELSE jsonb_build_object('owner', {row}.owner) END
        || CASE WHEN :sets_due THEN {_DUE.format(row)} ELSE '{{}}' END"""


_CHANGE = text(f"""
    WITH old AS MATERIALIZED (
        SELECT * FROM vulnerabilities WHERE id = ANY(:ids) FOR UPDATE
    ), new AS (
        UPDATE vulnerabilities v SET version = v.version + 1,
            state = coalesce(:state, old.state),
            accepted_until = CASE WHEN CAST(:state AS text) IS NULL THEN old.accepted_until
                ELSE CAST(:until AS timestamptz) END,
            accepted_from = CASE WHEN CAST(:state AS text) IS NULL THEN old.accepted_from
                WHEN :state <> 'risk_accepted' THEN NULL
                WHEN old.state = 'risk_accepted' THEN old.accepted_from ELSE old.state END,
            reopened_at = CASE WHEN :state = 'reopened' THEN :at ELSE old.reopened_at END,
            owner = coalesce(:owner, old.owner),
            due_at = CASE WHEN :sets_due THEN CAST(:due AS timestamptz) ELSE old.due_at END,
            due_by_hand = CASE WHEN :sets_due THEN CAST(:due AS timestamptz) IS NOT NULL ELSE old.due_by_hand END,
            overdue_at = CASE WHEN :sets_due THEN NULL ELSE old.overdue_at END
        FROM old WHERE old.id = v.id
        RETURNING v.id, v.organisation_id, v.version, {_told("old")} AS before, {_told("v")} AS after
    ), told AS ({_TELL})
    SELECT id, version, before, after FROM new ORDER BY id
""").bindparams(_IDS)  # noqa: S608 - no value of a user is in the text

_DECIDED = f"'{ChangeCause.PERSON}', '{ChangeCause.POLICY}'"
"""By whom a triage was done that can be undone."""

_JUDGE = text(f"""
    SELECT v.id, c.before ->> 'state' = 'fixed' AS was_fixed, EXISTS (
        SELECT 1 FROM vulnerability_changes later
        WHERE later.vulnerability_id = v.id AND later.version > c.version
          AND later.after ?| ARRAY(SELECT jsonb_object_keys(c.after))) AS changed
    FROM vulnerability_changes c JOIN vulnerabilities v ON v.id = c.vulnerability_id
    WHERE c.operation_id = :operation AND c.cause IN ({_DECIDED})
    ORDER BY v.id FOR UPDATE OF v
""")  # noqa: S608 - our own words

_RESTORE = text(f"""
    WITH new AS (
        UPDATE vulnerabilities v SET version = v.version + 1,
            state = coalesce(c.before ->> 'state', v.state),
            accepted_until = CASE WHEN c.before ? 'state' THEN CAST(c.before ->> 'accepted_until' AS timestamptz)
                ELSE v.accepted_until END,
            accepted_from = CASE WHEN c.before ? 'state' THEN c.before ->> 'accepted_from' ELSE v.accepted_from END,
            owner = coalesce(c.before ->> 'owner', v.owner),
            due_at = CASE WHEN c.before ? 'due_at' THEN CAST(c.before ->> 'due_at' AS timestamptz) ELSE v.due_at END,
            due_by_hand = CASE WHEN c.before ? 'due_at' THEN c.before ->> 'due_at' IS NOT NULL
                ELSE v.due_by_hand END,
            overdue_at = CASE WHEN c.before ? 'due_at' THEN NULL ELSE v.overdue_at END
        FROM vulnerability_changes c
        WHERE c.operation_id = :operation AND c.cause IN ({_DECIDED}) AND c.vulnerability_id = v.id
          AND v.id = ANY(:ids)
        RETURNING v.id, v.organisation_id, v.version, c.after AS before, c.before AS after
    ), told AS ({_TELL})
    SELECT id, version, before, after FROM new ORDER BY id
""").bindparams(_IDS)  # noqa: S608 - no value of a user is in the text

_END = text(f"""
    WITH old AS MATERIALIZED (
        SELECT * FROM vulnerabilities WHERE state = 'risk_accepted' AND accepted_until <= :at
        ORDER BY accepted_until LIMIT :limit FOR UPDATE SKIP LOCKED
    ), new AS (
        UPDATE vulnerabilities v SET version = v.version + 1, state = coalesce(old.accepted_from, 'open'),
            accepted_until = NULL, accepted_from = NULL
        FROM old WHERE old.id = v.id
        RETURNING v.id, v.organisation_id, v.version, {_STATE.format("old")} AS before, {_STATE.format("v")} AS after
    ), told AS ({_TELL})
    SELECT id, version, before, after FROM new ORDER BY id
""")  # noqa: S608 - no value of a user is in the text
"""One that a person holds just now is left for the next round."""

ENDED = "the accepted time is over"
_SINCE = "somebody changed it since"
_WAS_FIXED = "it was fixed, which only a scan can tell"


class LifeRows:
    """See `domain.life.Lives`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def select(self, chosen: Chosen, limit: int, *, lock: bool = False) -> Sequence[Held]:
        """By id, or by the filter of the list; what a lock was waited for is read again."""
        asked = VULNERABILITIES.conditions(chosen.query) if chosen.query else []
        if chosen.query is None:
            asked.append(vulnerabilities.c.id == func.any(list(chosen.ids)))
        statement = select(*_HELD).where(*asked).order_by(vulnerabilities.c.id).limit(limit)
        if not lock:
            return await self._read(statement)
        found = [each.id for each in await self._read(statement)]
        await self._connection.execute(LOCK_SEVERAL, {"ids": found})
        return await self._read(
            select(*_HELD)
            .where(vulnerabilities.c.id == func.any(found), *asked)
            .order_by(vulnerabilities.c.id)
            .with_for_update()
        )

    async def _read(self, statement: Select[Any]) -> list[Held]:
        return [Held(**row._mapping) for row in await self._connection.execute(statement)]  # noqa: SLF001 - SQLAlchemy's public name for it

    async def change(self, ids: Sequence[UUID], wanted: Wanted, told: Told) -> Sequence[Changed]:
        """In one statement."""
        asked = {
            "ids": list(ids),
            "state": wanted.state and str(wanted.state),
            "until": wanted.accepted_until,
            "owner": wanted.owner,
            "sets_due": wanted.sets_due,
            "due": wanted.due_at,
        }
        return await self._changed(_CHANGE, asked, told)

    async def take_back(self, operation_id: UUID, told: Told) -> TakenBack:
        """Each goes back unless a later change touched the same fields, or it would be fixed by hand."""
        mine = select(vulnerability_changes.c.vulnerability_id).where(
            vulnerability_changes.c.operation_id == operation_id
        )
        await self._connection.execute(LOCK_SEVERAL, {"ids": list((await self._connection.execute(mine)).scalars())})
        restore: list[UUID] = []
        left: list[Left] = []
        for row in await self._connection.execute(_JUDGE, {"operation": operation_id}):
            if row.changed or row.was_fixed:
                left.append(Left(row.id, _SINCE if row.changed else _WAS_FIXED))
            else:
                restore.append(row.id)
        return TakenBack(
            tuple(await self._changed(_RESTORE, {"ids": restore}, replace(told, operation_id=operation_id))),
            tuple(left),
        )

    async def end_acceptances(self, at: datetime, limit: int) -> Sequence[Changed]:
        """Those that waited longest first."""
        return await self._changed(_END, {"limit": limit}, Told(ChangeCause.CLOCK, at, why=ENDED))

    async def _changed(self, statement: TextClause, asked: dict[str, Any], told: Told) -> list[Changed]:
        who = {
            "at": told.at,
            "cause": str(told.cause),
            "actor": told.actor,
            "why": told.why,
            "operation": told.operation_id,
        }
        rows = await self._connection.execute(statement, asked | who)
        return [Changed(row.id, row.version, row.before, row.after) for row in rows]
