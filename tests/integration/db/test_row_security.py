"""No tenant sees or changes another's row: each table with each role, in plain SQL without the application's filters.

All of it happens in transactions of the superuser that are rolled back, in which it takes a role; foreign keys are out
of force meanwhile, so that a row needs no other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Table

from purple.db.models import metadata

APP, RELAY, OWNER = "purple_app", "purple_relay", "purple_owner"
OURS, THEIRS = uuid4(), uuid4()
SHARED = {"feeds", "reference_editions", "reference_facts"}
"""Of nobody in particular: how far the relay is, and what others publish."""
EVERYTHING = frozenset({"*"})
RELAYED = {
    ("authorisations", "SELECT"): {"id", "revoked_at"},
    ("campaigns", "SELECT"): EVERYTHING,
    ("events", "SELECT"): EVERYTHING,
    ("events", "UPDATE"): {"position"},
    ("false_positive_models", "SELECT"): {"organisation_id", "version"},
    ("false_positive_rules", "SELECT"): {
        "organisation_id", "version", "scored_version", "scored_model", "scored_release",
    },
    ("organisations", "SELECT"): {"id"},
    ("risk_rules", "SELECT"): {
        "organisation_id", "version", "weighed_version", "weighed_model", "weighed_revision",
    },
    ("schedules", "SELECT"): EVERYTHING,
    ("undos", "SELECT"): {"campaign_id", "state"},
    ("vulnerabilities", "SELECT"): {"organisation_id", "state", "accepted_until", "due_at", "overdue_at"},
}  # fmt: skip
"""What the relay's role may do with rows of all tenants; a new right of it is to be written here."""
WORTH = {
    "uuid": "gen_random_uuid()", "text": "'made'", "character varying": "'made'", "boolean": "false", "date": "now()",
    "timestamp with time zone": "now()", "jsonb": "'{}'", "bytea": "''", "ARRAY": "'{}'", "integer": "1",
    "bigint": "1", "smallint": "1", "double precision": "1", "numeric": "1",
}  # fmt: skip
"""A value of each type."""
TABLES = [pytest.param(each, id=each.name) for each in metadata.sorted_tables if each.name not in SHARED]


class Rows:
    """One table, within a transaction that leaves nothing behind."""

    def __init__(self, connection: psycopg.Connection[Any], table: Table) -> None:
        self._connection = connection
        self._tenant = "id" if table.name == "organisations" else "organisation_id"
        self._names = {"table": sql.Identifier(table.name), "tenant": sql.Identifier(self._tenant)}
        self._columns = connection.execute(
            "SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = 'public'"
            " AND table_name = %s AND is_generated = 'NEVER' AND is_identity = 'NO'",
            [table.name],
        ).fetchall()
        self.written = [name for name, *_ in self._columns]

    def run(self, statement: str, *values: object) -> psycopg.Cursor[Any]:
        """With the table's name and the column that says whose a row is."""
        return self._connection.execute(sql.SQL(statement).format(**self._names), values)

    def put(self, organisation: UUID | None) -> None:
        """Insert one, of this organisation where the table has a column for it."""
        needed = {name: sql.SQL(WORTH[kind]) for name, kind, nullable in self._columns if nullable == "NO"}
        if organisation is not None:
            needed[self._tenant] = sql.Literal(organisation)
        columns = sql.SQL(", ").join(map(sql.Identifier, needed))
        values = sql.SQL(", ").join(needed.values())
        self._connection.execute(
            sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(self._names["table"], columns, values)
        )

    def become(self, role: str, organisation: UUID | None) -> None:
        """Take a role, in an organisation or in none."""
        self._connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
        told = str(organisation or "")
        self._connection.execute("SELECT set_config('purple.organisation', %s, true)", [told])

    def refused(self, statement: str, *values: object) -> bool:
        """Whether a statement is refused, by missing rights or by row-level security."""
        try:
            with self._connection.transaction():
                self.run(statement, *values)
        except InsufficientPrivilege:
            return True
        return False


@contextmanager
def filled(admin: psycopg.Connection[Any], table: Table) -> Iterator[Rows]:
    """A table with a row of each of two tenants."""
    with admin.transaction(force_rollback=True):
        admin.execute("SET LOCAL session_replication_role = replica")
        if table.name in {"vulnerability_trends", "scan_metrics"}:
            admin.execute("SELECT purple_make_month(%s)", [datetime.now(UTC).date()])
        rows = Rows(admin, table)
        rows.put(OURS)
        rows.put(THEIRS)
        yield rows


@pytest.mark.parametrize("table", TABLES)
def test_the_application_has_the_rows_of_its_organisation_only(admin, table) -> None:
    with filled(admin, table) as rows:
        rows.become(APP, OURS)
        assert rows.run("SELECT DISTINCT {tenant} FROM {table}").fetchall() == [(OURS,)]
        for statement in ("UPDATE {table} SET {tenant} = {tenant}", "DELETE FROM {table}"):
            if not rows.refused(f"{statement} WHERE {{tenant}} = %s", THEIRS):
                assert rows.run(f"{statement} WHERE {{tenant}} = %s", THEIRS).rowcount == 0, statement
        assert rows.refused("UPDATE {table} SET {tenant} = %s WHERE {tenant} = %s", THEIRS, OURS), "given away"
        with pytest.raises(InsufficientPrivilege), admin.transaction():
            rows.put(THEIRS)
        rows.become(APP, None)
        assert rows.run("SELECT count(*) FROM {table}").fetchone() == (0,)
        rows.become("purple_admin", None)
        assert rows.run("SELECT count(*) FROM {table} WHERE {tenant} = %s", THEIRS).fetchone() == (1,)


@pytest.mark.parametrize("table", TABLES)
def test_the_owner_of_the_tables_has_none_of_their_rows(admin, table) -> None:
    with filled(admin, table) as rows:
        rows.become(OWNER, OURS)
        assert rows.run("SELECT count(*) FROM {table}").fetchone() == (0,)
        assert rows.run("UPDATE {table} SET {tenant} = {tenant}").rowcount == 0
        assert rows.run("DELETE FROM {table}").rowcount == 0
        with pytest.raises(InsufficientPrivilege), admin.transaction():
            rows.put(THEIRS)


@pytest.mark.parametrize("table", TABLES)
def test_the_relay_sees_what_it_needs_of_all_and_no_more(admin, table) -> None:
    with filled(admin, table) as rows:
        rows.become(RELAY, None)
        tried = (
            ("SELECT", "SELECT {0} FROM {{table}}", [each.name for each in table.c]),
            ("UPDATE", "UPDATE {{table}} SET {0} = {0}", rows.written),
        )
        for verb, statement, columns in tried:
            may = RELAYED.get((table.name, verb), frozenset())
            for column in columns:
                refused = rows.refused(statement.format(f'"{column}"'))
                assert refused == (may is not EVERYTHING and column not in may), (verb, column)
        assert rows.refused("DELETE FROM {table}")
        with pytest.raises(InsufficientPrivilege), admin.transaction():
            rows.put(OURS)


def test_what_is_shared_is_written_by_the_relay_alone(admin) -> None:
    for name in SHARED:
        with admin.transaction(force_rollback=True):
            rows = Rows(admin, metadata.tables[name])
            rows.become(APP, OURS)
            assert rows.refused("DELETE FROM {table}")
            assert not rows.refused("SELECT * FROM {table}")
            with pytest.raises(InsufficientPrivilege), admin.transaction():
                rows.put(None)


def test_nobody_reaches_a_month_past_its_table(admin) -> None:
    """Row-level security is that of the table which is named: a partition's own would be asked."""
    with admin.transaction(force_rollback=True):
        admin.execute("SELECT purple_make_month(%s)", [datetime.now(UTC).date()])
        months = admin.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'partitions'::regnamespace AND relkind = 'r'"
        ).fetchall()
        assert months
        for (month,) in months:
            for role in (APP, RELAY):
                rights = "SELECT, INSERT, UPDATE, DELETE"
                assert admin.execute("SELECT has_table_privilege(%s, %s, %s)", [role, month, rights]).fetchone() == (
                    False,
                )
