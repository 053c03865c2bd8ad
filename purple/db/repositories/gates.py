"""Leases and breakers of hosts, changed under a lock that lasts as long as the transaction."""

import dataclasses
import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, delete, func, literal, select, true, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from purple.db.models import gate_breakers, gate_leases, observations
from purple.domain.gates import Breaker, Lease, LeaseState, Queue, around, is_network, overlap
from purple.domain.observations import ObservationKind

_LEASE = [field.name for field in dataclasses.fields(Lease)]
_BREAKER = [field.name for field in dataclasses.fields(Breaker)]
_NOW = func.clock_timestamp()


class GateTable:
    """See `domain.gates.GateRows`. Times are the database's, so that a worker's wrong clock frees nothing."""

    def __init__(self, connection: AsyncConnection, organisation_id: UUID) -> None:
        self._connection = connection
        self._organisation_id = organisation_id

    async def lock(self, host: str, lease: timedelta) -> Queue:
        """Hosts beside each other do not hold each other up; a network holds up all hosts of its organisation.

        The lock is a statement of its own: one that read rows too would see them as they were before it waited.
        """
        whole = _number(str(self._organisation_id))
        if is_network(host):
            await self._connection.execute(select(func.pg_advisory_xact_lock(whole)))
        else:
            own = _number(f"{self._organisation_id}|{host}")
            both = select(func.pg_advisory_xact_lock_shared(whole), func.pg_advisory_xact_lock(own))
            await self._connection.execute(both)
        return await self._read(host, lease)

    async def read(self, host: str) -> Queue:
        """Without a lock."""
        return await self._read(host, timedelta())

    async def _read(self, host: str, lease: timedelta) -> Queue:
        one = select(_NOW.label("now"), func.pg_postmaster_start_time().label("started")).subquery()
        breaker = [gate_breakers.c[name].label(f"breaker_{name}") for name in _BREAKER]
        leases = [gate_leases.c[name] for name in _LEASE]
        statement = select(one, *breaker, *leases).select_from(
            one.outerjoin(gate_leases, _near(host)).outerjoin(gate_breakers, gate_breakers.c.host == host)
        )
        rows = (await self._connection.execute(statement)).mappings().all()
        gone = rows[0]["breaker_host"] is not None
        return Queue(
            host=host,
            now=rows[0]["now"],
            alive_from=rows[0]["started"] + lease,
            leases=tuple(Lease(**{name: row[name] for name in _LEASE}) for row in rows if row["scan_id"] is not None),
            breaker=Breaker(**{name: rows[0][f"breaker_{name}"] for name in _BREAKER}) if gone else None,
        )

    async def put(self, lease: Lease) -> None:
        """Insert or replace."""
        values = {name: getattr(lease, name) for name in _LEASE}
        insert = upsert(gate_leases).values(values)
        await self._connection.execute(insert.on_conflict_do_update(index_elements=["scan_id"], set_=values))

    async def drop(self, scan_ids: Sequence[UUID]) -> None:
        """By id."""
        if scan_ids:
            await self._connection.execute(delete(gate_leases).where(gate_leases.c.scan_id.in_(scan_ids)))

    async def renew(self, scan_id: UUID, holder: UUID, lease: timedelta) -> bool:
        """In one statement, without the lock: it takes nothing that it has not."""
        mine = and_(_own(scan_id, holder), gate_leases.c.state == LeaseState.HELD)
        changed = await self._connection.execute(update(gate_leases).where(mine).values(expires_at=_NOW + lease))
        return changed.rowcount == 1

    async def leave(self, scan_id: UUID, holder: UUID, host: str) -> tuple[str, ...]:
        """In one statement, without the lock: it only makes room."""
        left = delete(gate_leases).where(_own(scan_id, holder)).cte("freed")
        return await self._hosts(_waiting(host).add_cte(left), host)

    async def withdraw(self, campaign_id: UUID, scan_id: UUID | None = None) -> None:
        """All but what is held."""
        these = and_(gate_leases.c.campaign_id == campaign_id, gate_leases.c.state != LeaseState.HELD)
        if scan_id is not None:
            these = and_(these, gate_leases.c.scan_id == scan_id)
        await self._connection.execute(delete(gate_leases).where(these))

    async def move(self, host: str, before: Sequence[LeaseState], after: LeaseState, until: datetime | None) -> None:
        """In one statement."""
        these = and_(gate_leases.c.host == host, gate_leases.c.state.in_(before))
        changes = {"state": after, "expires_at": until, "holder": None}
        await self._connection.execute(update(gate_leases).where(these).values(changes))

    async def waiting(self, host: str) -> tuple[str, ...]:
        """Once each."""
        return await self._hosts(_waiting(host), host)

    async def _hosts(self, waiting: Select[Any], host: str) -> tuple[str, ...]:
        found = await self._connection.execute(waiting)
        return tuple(sorted(each for each in found.scalars() if overlap(each, host)))

    async def trip(self, breaker: Breaker) -> bool:
        """Insert unless it is there."""
        values = {name: getattr(breaker, name) for name in _BREAKER}
        statement = upsert(gate_breakers).values(values).on_conflict_do_nothing().returning(gate_breakers.c.host)
        return (await self._connection.execute(statement)).one_or_none() is not None

    async def postpone(self, host: str, probes: int, at: datetime) -> None:
        """In one statement."""
        mine = update(gate_breakers).where(gate_breakers.c.host == host)
        await self._connection.execute(mine.values(probes=probes, probe_at=at))

    async def close(self, host: str) -> None:
        """By host."""
        await self._connection.execute(delete(gate_breakers).where(gate_breakers.c.host == host))

    async def answered(self, campaign_id: UUID, hosts: Sequence[str], port: int) -> bool:
        """By what its tools observed."""
        seen = select(literal(1)).where(
            observations.c.campaign_id == campaign_id,
            observations.c.kind == ObservationKind.SERVICE.value,
            observations.c.host.in_(hosts),
            observations.c.port == port,
        )
        return bool((await self._connection.execute(select(seen.exists()))).scalar_one())

    async def of_target(self, target_id: UUID) -> tuple[str, ...]:
        """Once each."""
        standing = select(gate_leases.c.host).where(gate_leases.c.target_id == target_id)
        gone = select(gate_breakers.c.host).where(gate_breakers.c.target_id == target_id)
        return tuple(sorted((await self._connection.execute(standing.union(gone))).scalars()))


def _near(host: str) -> ColumnElement[bool]:
    """Rows that may overlap a place. Equality alone can use the index under row-level security; networks are few."""
    return true() if is_network(host) else gate_leases.c.host.in_(around(host))


def _waiting(host: str) -> Select[Any]:
    these = and_(_near(host), gate_leases.c.state == LeaseState.WAITING)
    return select(gate_leases.c.host).where(these).distinct()


def _own(scan_id: UUID, holder: UUID) -> ColumnElement[bool]:
    return and_(gate_leases.c.scan_id == scan_id, gate_leases.c.holder == holder)


def _number(text: str) -> ColumnElement[Any]:
    """What PostgreSQL locks on: 64 bits."""
    digest = hashlib.blake2b(b"gate|" + text.encode(), digest_size=8).digest()
    return literal(int.from_bytes(digest, signed=True))
