"""One transaction in one organisation."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from uuid import UUID

import psycopg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from purple.db import models
from purple.db.engine import away, driver_of
from purple.db.repositories import listings
from purple.db.repositories.alerts import AlertRows
from purple.db.repositories.analytics import AnalyticsRows
from purple.db.repositories.attack_surface import AttackSurfaceRows
from purple.db.repositories.comparing import ComparisonRows
from purple.db.repositories.compliance import ComplianceRows
from purple.db.repositories.correlations import CorrelationRows
from purple.db.repositories.coverage import CoverageRows
from purple.db.repositories.deadlines import DueDateRows
from purple.db.repositories.events import EventRows, IdempotencyRows
from purple.db.repositories.findings import FindingRows
from purple.db.repositories.gates import GateTable
from purple.db.repositories.history import ScanHistory
from purple.db.repositories.life import LifeRows
from purple.db.repositories.machines import MachineRows
from purple.db.repositories.metrics import MetricRows
from purple.db.repositories.risk_history import RiskHistoryRows
from purple.db.repositories.risks import RiskRows
from purple.db.repositories.rows import TableRows
from purple.db.repositories.scan_sets import ScanSetRows
from purple.db.repositories.searching import DocumentRows
from purple.db.repositories.target_sets import TargetSetRows
from purple.db.repositories.trends import TrendRows
from purple.db.repositories.units import UnitRows
from purple.db.repositories.verdicts import VerdictRows
from purple.db.shelf import LibraryRows
from purple.domain.campaigns import Campaign, Scan
from purple.domain.identity import ApiToken, Organisation, Session, SignInLink, User
from purple.domain.life import Change, Comment, Operation
from purple.domain.machines import MachineRuling
from purple.domain.ports import UnitOfWork, Work
from purple.domain.refusals import Refusal
from purple.domain.reports import Report, Triage
from purple.domain.rulings import Ruling
from purple.domain.saved import SavedSearch
from purple.domain.schedules import Schedule, ScheduleRun
from purple.domain.scope import Authorisation
from purple.domain.targets import Target
from purple.domain.undos import Undo
from purple.domain.units import Unit

_BEGIN = "BEGIN; SELECT set_config('purple.organisation', '{}', true)"
"""Several statements take no parameters; hexadecimal digits hold nothing that PostgreSQL could read as more."""


class SqlUnitOfWork:
    """The repositories over one connection; see `domain.ports.UnitOfWork`."""

    def __init__(self, connection: AsyncConnection, organisation_id: UUID) -> None:
        self.organisations = TableRows(connection, models.organisations, Organisation)
        self.users = TableRows(connection, models.users, User)
        self.tokens = TableRows(connection, models.api_tokens, ApiToken)
        self.sign_in_links = TableRows(connection, models.sign_in_links, SignInLink)
        self.sessions = TableRows(connection, models.sessions, Session)
        self.targets = TableRows(connection, models.targets, Target, listings.TARGETS)
        self.units = TableRows(connection, models.business_units, Unit, listings.BUSINESS_UNITS)
        self.unit_tree = UnitRows(connection, organisation_id)
        self.target_sets = TargetSetRows(connection)
        self.authorisations = TableRows(connection, models.authorisations, Authorisation, listings.AUTHORISATIONS)
        self.refusals = TableRows(connection, models.refusals, Refusal, listings.REFUSALS)
        self.campaigns = TableRows(connection, models.campaigns, Campaign, listings.CAMPAIGNS)
        self.scans = TableRows(connection, models.scans, Scan, listings.SCANS)
        self.scan_sets = ScanSetRows(connection)
        self.coverage = CoverageRows(connection)
        self.undos = TableRows(connection, models.undos, Undo, listings.UNDOS)
        self.schedules = TableRows(connection, models.schedules, Schedule, listings.SCHEDULES)
        self.schedule_runs = TableRows(connection, models.schedule_runs, ScheduleRun, listings.SCHEDULE_RUNS)
        self.reports = TableRows(connection, models.reports, Report, listings.REPORTS)
        self.triages = TableRows(connection, models.triages, Triage)
        self.findings = FindingRows(connection, organisation_id)
        self.comparisons = ComparisonRows(connection)
        self.lives = LifeRows(connection)
        self.rulings = TableRows(connection, models.rulings, Ruling)
        self.correlations = CorrelationRows(connection, organisation_id)
        self.machine_rulings = TableRows(connection, models.machine_rulings, MachineRuling)
        self.machines = MachineRows(connection, organisation_id)
        self.due_dates = DueDateRows(connection, organisation_id)
        self.changes = TableRows(connection, models.vulnerability_changes, Change, listings.CHANGES)
        self.comments = TableRows(connection, models.vulnerability_comments, Comment, listings.COMMENTS)
        self.operations = TableRows(connection, models.triage_operations, Operation, listings.OPERATIONS)
        self.risks = RiskRows(connection, organisation_id)
        self.risk_history = RiskHistoryRows(connection, organisation_id)
        self.verdicts = VerdictRows(connection, organisation_id)
        self.trends = TrendRows(connection, organisation_id)
        self.metrics = MetricRows(connection)
        self.analytics = AnalyticsRows(connection)
        self.attack_surface = AttackSurfaceRows(connection)
        self.compliance = ComplianceRows(connection, organisation_id)
        self.documents = DocumentRows(connection)
        self.saved_searches = TableRows(connection, models.saved_searches, SavedSearch, listings.SAVED_SEARCHES)
        self.alerts = AlertRows(connection)
        self.library = LibraryRows(connection)
        self.gates = GateTable(connection, organisation_id)
        self.events = EventRows(connection)
        self.history = ScanHistory(connection)
        self.idempotency = IdempotencyRows(connection, organisation_id)


async def _in_organisation(engine: AsyncEngine, organisation_id: UUID, stack: AsyncExitStack) -> AsyncConnection:
    """A connection with a transaction in an organisation.

    Its beginning is also what finds out that a connection of the pool is dead: the pool is emptied then, and a new one
    is opened. Asking each before it is used would be one more turn a transaction.
    """
    connection = await stack.enter_async_context(engine.connect())
    try:
        await _begin(connection, organisation_id)
    except psycopg.OperationalError as error:
        await connection.invalidate(error)
        await engine.dispose()
        connection = await stack.enter_async_context(engine.connect())
        await _begin(connection, organisation_id)
    return connection


async def _begin(connection: AsyncConnection, organisation_id: UUID) -> None:
    """By the driver, as it is ended, in fewer turns: every step of a campaign has some transactions."""
    driver = await driver_of(connection)
    await driver.execute(_BEGIN.format(organisation_id.hex).encode(), prepare=False)


def unit_of_work(engine: AsyncEngine) -> Work:
    """What begins a unit of work on this engine, which was opened for them.

    Raises, from the block: UnavailableError where PostgreSQL is away.
    """

    @asynccontextmanager
    async def begin(organisation_id: UUID) -> AsyncIterator[UnitOfWork]:
        with away():
            async with AsyncExitStack() as stack:
                connection = await _in_organisation(engine, organisation_id, stack)
                yield SqlUnitOfWork(connection, organisation_id)
                await (await driver_of(connection)).commit()

    def work(organisation_id: UUID) -> AbstractAsyncContextManager[UnitOfWork]:
        return begin(organisation_id)

    return work
