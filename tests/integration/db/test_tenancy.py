"""Row-level security, events and their positions on a real PostgreSQL."""

from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from purple.db.engine import away, open_engine, psycopg_url
from purple.db.models import metadata
from purple.db.outbox import LEADER, SqlOutbox, libpq_url
from purple.domain.errors import DiskFullError, InvalidInputError, NotFoundError, UnavailableError
from purple.domain.events import Event
from purple.domain.pages import Query


def test_the_migrations_make_what_the_models_say(servers) -> None:
    engine = create_engine(psycopg_url(servers.owner_url))
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    told = [each for each in differences if "ix_vulnerabilities_words" not in str(each)]
    assert told == []


def test_every_table_forces_row_level_security(servers, admin) -> None:
    rows = admin.execute(
        "SELECT relname, relforcerowsecurity, relrowsecurity FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE relkind IN ('r', 'p') AND nspname = 'public' AND relname <> 'alembic_version'"
    ).fetchall()
    assert len(rows) == len(metadata.tables)
    assert [row for row in rows if not (row[1] and row[2])] == []


def test_no_policy_compares_with_what_the_planner_can_foresee(admin) -> None:
    """It would expect one row of an organisation that is new beside large ones, and read all of them for each."""
    known = admin.execute("SELECT tablename, qual, with_check FROM pg_policies WHERE policyname = 'tenant'").fetchall()
    assert len(known) > 20
    assert [name for name, *told in known if any("( SELECT" not in each for each in told)] == []


async def test_a_tenant_sees_and_writes_its_own_rows_only(tenant, other) -> None:
    async with tenant.work(tenant.id) as uow:
        assert [row.id for row in await uow.targets.all()] == [tenant.target.id]
        with pytest.raises(NotFoundError):
            await uow.targets.get(other.target.id)
    with pytest.raises(Exception, match="row-level security"):
        async with tenant.work(other.id) as uow:
            await uow.events.add(event(tenant.id))


def test_without_an_organisation_nothing_is_seen(servers, tenant) -> None:
    with psycopg.connect(libpq_url(servers.database_url)) as connection:
        assert connection.execute("SELECT count(*) FROM targets").fetchone() == (0,)


def test_observations_are_append_only_for_the_application(servers) -> None:
    with (
        psycopg.connect(libpq_url(servers.database_url)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("UPDATE observations SET title = 'x'")


def event(organisation_id, **changes) -> Event:
    fields = {"id": uuid4(), "type": "made.event", "subject_id": uuid4(), "at": datetime(2026, 1, 1, tzinfo=UTC)}
    return Event(organisation_id=organisation_id, **fields | changes)


async def test_events_get_positions_after_commit_in_order_and_once(quiet, quiet_tenant) -> None:
    tenant = quiet_tenant
    engine = open_engine(quiet.relay_url)
    outbox = SqlOutbox(engine, quiet.relay_url)
    sent = [event(tenant.id) for _ in range(5)]
    async with tenant.work(tenant.id) as uow:
        await uow.events.add(*sent)
        await uow.events.add(sent[0])
        assert await outbox.place(1000) == 0, "uncommitted events have no position"
    while await outbox.place(2):
        pass
    async with tenant.work(tenant.id) as uow:
        seen = await uow.events.after(0, 1000)
        assert [each.id for each in seen] == [each.id for each in sent]
        assert await uow.events.last() == seen[-1].position
    assert [each.id for each in await outbox.after(0, 100_000) if each.organisation_id == tenant.id] == [
        each.id for each in sent
    ]
    await outbox.advance("made", 7)
    assert await outbox.feed("made") == 7
    await engine.dispose()


async def test_one_relay_leads_at_a_time(quiet) -> None:
    engine = open_engine(quiet.relay_url)
    outbox = SqlOutbox(engine, quiet.relay_url)
    async with outbox.lead() as first, outbox.lead() as second:
        assert (first, second) == (True, False)
    async with outbox.lead() as third:
        assert third
    await engine.dispose()


async def test_a_relay_that_lost_its_lock_numbers_nothing_more(quiet, admin) -> None:
    engine = open_engine(quiet.relay_url)
    outbox = SqlOutbox(engine, quiet.relay_url)
    ended = (
        "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database AS d ON d.oid = database "
        "WHERE locktype = 'advisory' AND objid = %s AND datname = 'quiet'"
    )

    async def lead_on_without_it() -> None:
        async with outbox.lead() as leader:
            assert leader
            assert await outbox.place(1000) >= 0
            assert admin.execute(ended, [LEADER]).fetchall() == [(True,)]
            await outbox.place(1000)

    with pytest.raises(UnavailableError):
        await lead_on_without_it()
    async with outbox.lead() as again:
        assert again
    await engine.dispose()


async def test_a_server_that_is_away_is_said_to_be_away(tenant) -> None:
    from purple.db.unit_of_work import unit_of_work

    engine = open_engine("postgresql://nobody@127.0.0.1:1/none", units=True)
    with pytest.raises(UnavailableError, match="PostgreSQL is away"):
        async with unit_of_work(engine)(tenant.id) as uow:
            await uow.targets.all()
    await engine.dispose()


async def test_connections_that_died_while_nobody_used_them_cost_no_unit_of_work(servers, tenant, admin) -> None:
    from purple.db.unit_of_work import unit_of_work

    engine = open_engine(f"{servers.database_url}?application_name=made-idle", units=True)
    work = unit_of_work(engine)
    async with work(tenant.id) as uow, work(tenant.id) as another:
        assert await uow.targets.all() == await another.targets.all()
    ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'made-idle'"
    assert admin.execute(ended).fetchall() == [(True,), (True,)]
    for _ in range(2):
        async with work(tenant.id) as uow:
            assert tenant.target in await uow.targets.all()
    await engine.dispose()


@pytest.mark.parametrize(
    ("condition", "error", "said"),
    [
        ("disk_full", DiskFullError, "PostgreSQL's disk is full"),
        ("too_many_connections", UnavailableError, "PostgreSQL is away"),
    ],
)
async def test_a_server_without_room_says_which_room(engine, condition, error, said) -> None:
    fails = text(f"DO $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '{condition}'; END $$")
    with pytest.raises(UnavailableError, match=said) as told, away():
        async with engine.begin() as connection:
            await connection.execute(fails)
    assert type(told.value) is error


@pytest.mark.parametrize("query", [Query(cursor="nonsense!"), Query(limit=0), Query(limit=201), Query(cursor="YWJj")])
async def test_a_bad_page_is_refused(tenant, query) -> None:
    async with tenant.work(tenant.id) as uow:
        with pytest.raises(InvalidInputError):
            await uow.targets.page(query)


async def test_the_same_idempotency_key_is_kept_once(tenant) -> None:
    async with tenant.work(tenant.id) as uow:
        await uow.idempotency.add("key", "sha", tenant.target.id)
    async with tenant.work(tenant.id) as uow:
        assert await uow.idempotency.find("key") == ("sha", tenant.target.id)
        assert await uow.idempotency.find("other") is None
