"""Ports: what the services need of the world. Adapters implement them; `bootstrap` joins the two."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from purple.domain.analytics import Analytics
from purple.domain.attack_paths import AttackSurface
from purple.domain.campaigns import Campaign, Scan
from purple.domain.comparisons import Comparisons
from purple.domain.compliance import Compliance
from purple.domain.coverage import Coverage
from purple.domain.deadlines import DueDates
from purple.domain.enrichment import Library
from purple.domain.findings import Findings
from purple.domain.gates import Bell, GateRows
from purple.domain.idempotency import Idempotency
from purple.domain.identity import ApiToken, Organisation, Session, SignInLink, User
from purple.domain.life import Change, Comment, Lives, Operation
from purple.domain.machines import MachineRuling, Machines
from purple.domain.metrics import Metrics
from purple.domain.outbox import Events
from purple.domain.pages import Page, Query
from purple.domain.refusals import Refusal
from purple.domain.reports import Delivery, Notice, Report, Triage
from purple.domain.risk_history import RiskHistory
from purple.domain.rulings import Correlations, Ruling
from purple.domain.saved import Alerts, SavedSearch
from purple.domain.scan_sets import ScanSets
from purple.domain.schedules import Schedule, ScheduleRun
from purple.domain.scope import Authorisation
from purple.domain.search import Documents
from purple.domain.target_imports import TargetSets
from purple.domain.targets import Target
from purple.domain.trends import TrendBook
from purple.domain.undos import Undo
from purple.domain.units import Unit, UnitTree
from purple.domain.verdicts import Verdicts
from purple.domain.weighing import Risks

E = TypeVar("E")


class Rows(Protocol[E]):
    """A kind of entity of one organisation."""

    async def add(self, row: E) -> None:
        """Insert.

        Raises:
            ConflictError: there is one with that identity.
        """
        ...

    async def upsert(self, row: E) -> bool:
        """Insert unless its id is there; whether it was inserted."""
        ...

    async def find(self, row_id: UUID, *, lock: bool = False) -> E | None:
        """One by id, or None; with a lock others change it only after us."""
        ...

    async def get(self, row_id: UUID, *, lock: bool = False) -> E:
        """One by id, as `find`.

        Raises:
            NotFoundError: there is none that the organisation may see.
        """
        ...

    async def update(self, row_id: UUID, **changes: Any) -> E:
        """Change fields of one.

        Raises:
            NotFoundError: there is none that the organisation may see.
        """
        ...

    async def compare_and_set(self, row_id: UUID, expected: Mapping[str, Any], **changes: Any) -> bool:
        """Change fields of one where others still have these values; whether they had. Of two at once one wins."""
        ...

    async def edit(self, row_id: UUID, version: int, **changes: Any) -> E:
        """Change fields of one that has this version, and count the version up.

        Raises:
            NotFoundError: there is none that the organisation may see.
            PreconditionFailedError: it has another version by now.
        """
        ...

    async def page(self, query: Query) -> Page[E]:
        """A page, by default in the entity's own order.

        Raises:
            InvalidInputError: the filter, sort, cursor or limit cannot be used.
        """
        ...

    async def several(self, ids: Iterable[UUID]) -> tuple[E, ...]:
        """All of these, in their order.

        Raises:
            NotFoundError: one is not there, or the organisation may not see it.
        """
        ...

    async def all(self, **filters: Any) -> tuple[E, ...]:
        """Every row that matches; for kinds that are few in one campaign."""
        ...


class History(Protocol):
    """What earlier scans teach."""

    async def durations(self, tools: Sequence[str]) -> Mapping[str, float]:
        """Seconds in which all but one of twenty complete scans of a tool ended; a tool with too few is left out."""
        ...


class UnitOfWork(Protocol):
    """One transaction in one organisation. Leaving its block commits; an exception rolls back."""

    @property
    def organisations(self) -> Rows[Organisation]: ...  # noqa: D102 - the name says it, here and below
    @property
    def users(self) -> Rows[User]: ...  # noqa: D102
    @property
    def tokens(self) -> Rows[ApiToken]: ...  # noqa: D102
    @property
    def sign_in_links(self) -> Rows[SignInLink]: ...  # noqa: D102
    @property
    def sessions(self) -> Rows[Session]: ...  # noqa: D102
    @property
    def targets(self) -> Rows[Target]: ...  # noqa: D102
    @property
    def units(self) -> Rows[Unit]: ...  # noqa: D102
    @property
    def unit_tree(self) -> UnitTree: ...  # noqa: D102
    @property
    def target_sets(self) -> TargetSets: ...  # noqa: D102
    @property
    def authorisations(self) -> Rows[Authorisation]: ...  # noqa: D102
    @property
    def refusals(self) -> Rows[Refusal]: ...  # noqa: D102
    @property
    def campaigns(self) -> Rows[Campaign]: ...  # noqa: D102
    @property
    def scans(self) -> Rows[Scan]: ...  # noqa: D102
    @property
    def scan_sets(self) -> ScanSets: ...  # noqa: D102
    @property
    def coverage(self) -> Coverage: ...  # noqa: D102
    @property
    def undos(self) -> Rows[Undo]: ...  # noqa: D102
    @property
    def schedules(self) -> Rows[Schedule]: ...  # noqa: D102
    @property
    def schedule_runs(self) -> Rows[ScheduleRun]: ...  # noqa: D102
    @property
    def reports(self) -> Rows[Report]: ...  # noqa: D102
    @property
    def triages(self) -> Rows[Triage]: ...  # noqa: D102
    @property
    def findings(self) -> Findings: ...  # noqa: D102
    @property
    def comparisons(self) -> Comparisons: ...  # noqa: D102
    @property
    def lives(self) -> Lives: ...  # noqa: D102
    @property
    def rulings(self) -> Rows[Ruling]: ...  # noqa: D102
    @property
    def correlations(self) -> Correlations: ...  # noqa: D102
    @property
    def machine_rulings(self) -> Rows[MachineRuling]: ...  # noqa: D102
    @property
    def machines(self) -> Machines: ...  # noqa: D102
    @property
    def due_dates(self) -> DueDates: ...  # noqa: D102
    @property
    def changes(self) -> Rows[Change]: ...  # noqa: D102
    @property
    def comments(self) -> Rows[Comment]: ...  # noqa: D102
    @property
    def operations(self) -> Rows[Operation]: ...  # noqa: D102
    @property
    def risks(self) -> Risks: ...  # noqa: D102
    @property
    def risk_history(self) -> RiskHistory: ...  # noqa: D102
    @property
    def verdicts(self) -> Verdicts: ...  # noqa: D102
    @property
    def trends(self) -> TrendBook: ...  # noqa: D102
    @property
    def metrics(self) -> Metrics: ...  # noqa: D102
    @property
    def analytics(self) -> Analytics: ...  # noqa: D102
    @property
    def attack_surface(self) -> AttackSurface: ...  # noqa: D102
    @property
    def compliance(self) -> Compliance: ...  # noqa: D102
    @property
    def documents(self) -> Documents: ...  # noqa: D102
    @property
    def saved_searches(self) -> Rows[SavedSearch]: ...  # noqa: D102
    @property
    def alerts(self) -> Alerts: ...  # noqa: D102
    @property
    def library(self) -> Library: ...  # noqa: D102
    @property
    def gates(self) -> GateRows: ...  # noqa: D102
    @property
    def events(self) -> Events: ...  # noqa: D102
    @property
    def history(self) -> History: ...  # noqa: D102
    @property
    def idempotency(self) -> Idempotency: ...  # noqa: D102


Work = Callable[[UUID], AbstractAsyncContextManager[UnitOfWork]]
"""Begins a unit of work in an organisation."""


class ModelProvider(Protocol):
    """A language model that answers in JSON."""

    @property
    def name(self) -> str:
        """Provider and model, for the record."""
        ...

    async def complete(self, *, system: str, prompt: str, schema: Mapping[str, Any]) -> str:
        """The model's answer, meant to be JSON of this schema; the caller checks.

        Raises:
            UnavailableError: no answer.
        """
        ...


class Notifier(Protocol):
    """Tells one receiver outside: people or a program."""

    @property
    def receiver(self) -> str:
        """Its name for the record: the same as long as its settings are, and without secrets."""
        ...

    async def send(self, notice: Notice) -> Delivery:
        """Deliver once.

        Raises:
            UnavailableError: the receiver is away; send again later.
        """
        ...


class Orchestrator(Bell, Protocol):
    """Runs campaigns durably."""

    async def start(self, workflow_id: str, argument: Any, *, summary: str) -> bool:
        """Start a campaign; one that runs under this id is left alone. False where one has ended under it.

        Raises:
            UnavailableError: the server is away.
        """
        ...

    async def start_undos(self, workflow_id: str, argument: Any, *, summary: str) -> None:
        """Run what is still to be undone; nothing happens where this is under way.

        Raises:
            UnavailableError: the server is away.
        """
        ...

    async def served(self, queue: str) -> bool:
        """Whether a worker asks for work of this queue, or did about a minute ago.

        Raises:
            UnavailableError: the server is away.
        """
        ...

    async def ended_at(self, workflow_id: str) -> datetime | None:
        """When a workflow ended, however that came; None while it runs.

        Raises:
            UnavailableError: the server is away.
        """
        ...

    async def failure(self, workflow_id: str) -> str:
        """Why a workflow that ended did so without a result, in its words; empty where it has one, or nobody knows.

        Raises:
            UnavailableError: the server is away, or it has not ended.
        """
        ...

    async def cancel(self, workflow_id: str) -> bool:
        """Ask a campaign to stop; false where its workflow does not run.

        Raises:
            UnavailableError: the server is away.
        """
        ...

    async def pause(self, workflow_id: str) -> bool:
        """Ask a campaign to start nothing new; as `cancel`."""
        ...

    async def resume(self, workflow_id: str) -> bool:
        """Ask a campaign to go on; as `cancel`."""
        ...

    async def revoke(self, workflow_id: str) -> None:
        """Tell a campaign that its authorisation was revoked, so that it stops; one that ended is left alone.

        Raises:
            UnavailableError: the server is away.
        """
        ...

    async def retry(self, workflow_id: str, argument: Any, request: Any, *, key: str) -> None:
        """Ask a campaign to run again what failed; one that ended is started with the argument.

        Args:
            workflow_id: the campaign's.
            argument: what starts it.
            request: what it is asked.
            key: the same key asks once.

        Raises:
            ConflictError: it refuses just now.
            ForbiddenError: it does not believe who asks.
            UnavailableError: the server is away, or no worker answers.
        """
        ...

    async def order(self, workflow_id: str, order: Any, *, key: str) -> None:
        """Have a running campaign carry out an order; the same key asks once.

        Raises:
            ConflictError: it has ended, or refuses just now.
            ForbiddenError: it does not believe who asks, or they may not.
            UnavailableError: the server is away, or no worker answers.
        """
        ...

    async def progress(self, workflow_id: str) -> Mapping[str, Any] | None:
        """Steps done of steps known, and what runs; None where nobody answers in time."""
        ...

    async def outputs(self, workflow_id: str) -> Mapping[UUID, datetime]:
        """When each running scan's tool last wrote something; empty where nobody answers in time."""
        ...

    async def ping(self) -> str:
        """A few words on its state.

        Raises:
            UnavailableError: it is away.
        """
        ...

    def link(self, workflow_id: str) -> str:
        """The campaign in the Temporal UI, or empty without one."""
        ...
