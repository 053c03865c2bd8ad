"""What people decide of vulnerabilities: of one, and of many after a look at what would change."""

from datetime import UTC, datetime, time
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Request, Response

from api.console.deps import Fields, Form, Paging, viewer
from api.console.pages import day, go, render
from api.console.vulnerabilities import EvidenceReader, Reader, show
from api.console.vulnerabilities import Wanted as Shown
from api.deps import service
from purple.domain.errors import InvalidInputError, PurpleError
from purple.domain.identity import Permission, Principal
from purple.domain.life import Chosen, TakenBack, Wanted
from purple.domain.pages import Query
from purple.domain.vulnerabilities import VulnerabilityState
from purple.services.life import Life
from purple.services.mass_triage import MassTriage, Outcome

router = APIRouter(prefix="/vulnerabilities")
Writer = Annotated[Principal, Depends(viewer(Permission.WRITE_VULNERABILITIES))]
One = Annotated[Life, Depends(service("life"))]
Many = Annotated[MassTriage, Depends(service("mass_triage"))]


@router.post("/triage/look")
async def look(request: Request, caller: Writer, form: Form, many: Many) -> Response:
    """What would change; the form that does it carries the same."""
    try:
        wanted = _of_many(form)
        outcome = await many.preview(_chosen(form), wanted, caller.actor)
    except PurpleError as error:
        return _told(request, error=error)
    return _told(request, outcome, wanted, asked=[*form.pairs(), ("key", str(uuid4()))])


@router.post("/triage")
async def do(request: Request, caller: Writer, form: Form, many: Many) -> Response:
    """Do it; sent twice it is done once."""
    try:
        wanted = _of_many(form)
        outcome = await many.apply(_chosen(form), wanted, caller.actor, f"console/{form.text('key')}")
    except PurpleError as error:
        return _told(request, error=error)
    return _told(request, outcome, wanted, done=True)


@router.get("/triage")
async def past(request: Request, caller: Reader, many: Many, paging: Annotated[Paging, Depends()]) -> Response:
    """What was decided of many at once, and a way back."""
    return render(request, "triages.html", page=await many.past(caller.organisation_id, paging.query()), paging=paging)


@router.post("/triage/{operation_id}/undo")
async def undo(operation_id: UUID, request: Request, caller: Writer, many: Many) -> Response:
    """Put back what nobody changed since."""
    try:
        return _told(request, undone=await many.undo(operation_id, caller.actor))
    except PurpleError as error:
        return _told(request, error=error)


@router.post("/{vulnerability_id}/edit")
async def edit(
    vulnerability_id: UUID, request: Request, caller: Writer, _: EvidenceReader, form: Form, life: One
) -> Response:
    """Change one, from the version that the page showed."""
    try:
        known = await request.app.state.container.findings.vulnerability(caller.organisation_id, vulnerability_id)
        shown = day(known.due_at) if known.due_by_hand else ""
        wanted = Wanted(
            state=_state(form, "state"),
            accepted_until=_day(form, "accepted_until"),
            owner=form.text("owner") if form.text("owner") != known.owner else None,
            sets_due=form.text("due_at") != shown,
            due_at=_day(form, "due_at"),
            why=form.text("why"),
        )
        await life.edit(vulnerability_id, form.version(), wanted, caller.actor)
    except PurpleError as error:
        return await show(request, caller, vulnerability_id, form, error)
    return go(f"/vulnerabilities/{vulnerability_id}")


@router.post("/{vulnerability_id}/comments")
async def comment(
    vulnerability_id: UUID, request: Request, caller: Writer, _: EvidenceReader, form: Form, life: One
) -> Response:
    """Say something."""
    try:
        await life.comment(vulnerability_id, form.text("body"), caller.actor)
    except PurpleError as error:
        return await show(request, caller, vulnerability_id, form, error)
    return go(f"/vulnerabilities/{vulnerability_id}#said-of-it")


def _chosen(form: Fields) -> Chosen:
    """Those that are ticked, or all that the list's own filter finds."""
    if form.text("scope") == "all":
        target, campaign = _id(form.text("target")), _id(form.text("campaign"))
        shown = Shown("", form.text("severity"), form.text("state_of"), target, campaign)
        return Chosen(query=Query(shown.where, filter=form.text("filter")))
    ids = tuple(filter(None, map(_id, form.many("id"))))
    if not ids:
        raise InvalidInputError("nothing is ticked", field="id", remedy="go back, and tick some or choose all")
    return Chosen(ids)


def _of_many(form: Fields) -> Wanted:
    """What is left empty stays; the due date of the policy is given back one by one."""
    due = _day(form, "due_at")
    ends = _day(form, "accepted_until")
    return Wanted(_state(form, "to"), ends, form.text("owner") or None, due is not None, due, form.text("why"))


def _state(form: Fields, name: str) -> VulnerabilityState | None:
    return form.one_of(VulnerabilityState, name) if form.text(name) else None


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _day(form: Fields, name: str) -> datetime | None:
    """The end of a day, UTC.

    Raises:
        InvalidInputError: it is none.
    """
    text = form.text(name)
    if not text:
        return None
    try:
        return datetime.combine(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date(), time(23, 59), UTC)
    except ValueError:
        raise InvalidInputError(
            f"{text[:20]!r} is no day", field=name, value=text, remedy="write it as 2026-01-31"
        ) from None


def _told(
    request: Request,
    outcome: Outcome | None = None,
    wanted: Wanted | None = None,
    *,
    done: bool = False,
    undone: TakenBack | None = None,
    asked: list[tuple[str, str]] | None = None,
    error: PurpleError | None = None,
) -> Response:
    return render(
        request,
        "triage.html",
        status=error.status if error else 200,
        problem={**error.problem(), "field": ""} if error else None,
        outcome=outcome,
        wanted=wanted,
        done=done,
        undone=undone,
        asked=asked or [],
    )
