"""Schedules: the list, one with its runs, and writing one down after a look at when it is due."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from api.console.deps import Fields, Form, Paging, viewer
from api.console.pages import go, render
from api.console.starting import choices, read_form
from api.deps import service
from purple.domain.errors import InvalidInputError, PurpleError
from purple.domain.identity import Permission, Principal
from purple.domain.schedules import Overlap, RunOutcome, Timing
from purple.services.schedule_preview import Coming
from purple.services.schedules import Schedules, Wanted

router = APIRouter(prefix="/schedules")
Reader = Annotated[Principal, Depends(viewer(Permission.READ_CAMPAIGNS))]
Writer = Annotated[Principal, Depends(viewer(Permission.WRITE_CAMPAIGNS))]
Service = Annotated[Schedules, Depends(service("schedules"))]


@router.get("")
async def page(request: Request, caller: Reader, schedules: Service, paging: Annotated[Paging, Depends()]) -> Response:
    """Newest first, each with its next run."""
    found = await schedules.page(caller.organisation_id, paging.query())
    coming = {each.id: await schedules.coming(each) for each in found.items}
    return render(request, "schedules.html", page=found, coming=coming)


@router.get("/new")
async def new(request: Request, caller: Writer) -> Response:
    """The form."""
    return await _show(request, caller, Fields({}))


@router.post("")
async def create(request: Request, caller: Writer, form: Form, schedules: Service) -> Response:
    """Show when it is due, or write it down; where something is wrong, show the form again."""
    coming = None
    try:
        timing = _timing(form)
        coming = await schedules.preview(caller.organisation_id, timing, _contract(form))
        if form.text("do") == "preview":
            return await _show(request, caller, form, coming)
        campaign = read_form(form, caller)
        made = await schedules.create(
            caller.organisation_id,
            Wanted(
                name=form.text("name")[:200],
                profile=campaign.profile,
                target_ids=campaign.target_ids,
                authorisation_id=campaign.authorisation_id,
                timing=timing,
                owner=form.text("owner")[:200] or caller.username,
                options=campaign.options,
                created_by=caller.user_id,
            ),
        )
    except PurpleError as error:
        return await _show(request, caller, form, coming, error)
    return go(f"/schedules/{made.id}")


@router.get("/{schedule_id}")
async def one(
    schedule_id: UUID, request: Request, caller: Reader, schedules: Service, paging: Annotated[Paging, Depends()]
) -> Response:
    """One schedule: its next runs, and what became of those before."""
    schedule = await schedules.get(caller.organisation_id, schedule_id)
    return render(
        request,
        "schedule.html",
        schedule=schedule,
        coming=await schedules.coming(schedule),
        runs=await schedules.runs(caller.organisation_id, schedule_id, paging.query()),
        missed=RunOutcome.MISSED,
    )


@router.post("/{schedule_id}/pause")
async def pause(schedule_id: UUID, caller: Writer, form: Form, schedules: Service) -> Response:
    """Start nothing until it is resumed."""
    await schedules.pause(caller.organisation_id, schedule_id, form.text("note")[:1000])
    return go(f"/schedules/{schedule_id}")


@router.post("/{schedule_id}/resume")
async def resume(schedule_id: UUID, caller: Writer, schedules: Service) -> Response:
    """Go on."""
    await schedules.resume(caller.organisation_id, schedule_id)
    return go(f"/schedules/{schedule_id}")


@router.post("/{schedule_id}/trigger")
async def trigger(schedule_id: UUID, caller: Writer, schedules: Service) -> Response:
    """Run it now."""
    await schedules.trigger(caller.organisation_id, schedule_id)
    return go(f"/schedules/{schedule_id}")


@router.post("/{schedule_id}/delete")
async def delete(schedule_id: UUID, caller: Writer, schedules: Service) -> Response:
    """End it."""
    await schedules.delete(caller.organisation_id, schedule_id)
    return go("/schedules")


def _timing(form: Fields) -> Timing:
    lines = form.lines("timing.cron")
    return Timing(
        cron=tuple(each for each in lines if "=" not in each),
        calendar=tuple(each for each in lines if "=" in each),
        time_zone=form.text("timing.time_zone", "UTC") or "UTC",
        jitter_s=_number(form, "timing.jitter_s", 0),
        overlap=form.one_of(Overlap, "timing.overlap", Overlap.SKIP),
        catch_up_s=_number(form, "timing.catch_up_s", 300),
    )


def _number(form: Fields, name: str, default: int) -> int:
    text = form.text(name) or str(default)
    if not (text.isascii() and text.isdigit()):
        raise InvalidInputError(
            f"{text[:20]!r} is no number of seconds", field=name, value=text, remedy="write a whole number"
        )
    return int(text[:9])


def _contract(form: Fields) -> UUID | None:
    try:
        return UUID(form.text("authorisation_id"))
    except ValueError:
        return None


async def _show(
    request: Request,
    caller: Principal,
    form: Fields,
    coming: Coming | None = None,
    error: PurpleError | None = None,
) -> Response:
    shown: dict[str, Any] = {"form": form, "coming": coming, "overlaps": list(Overlap)}
    return render(
        request,
        "schedule_new.html",
        status=error.status if error else 200,
        problem=error.problem() if error else None,
        offered=await choices(request, caller),
        **shown,
    )
