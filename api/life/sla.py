"""/sla: by when vulnerabilities are to be fixed."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Response
from pydantic import Field

from api.deps import allowed, service
from api.schemas import Answer, Body
from purple.domain.deadlines import MAX_DAYS, Rule, edition_of
from purple.domain.identity import Permission, Principal
from purple.domain.severity import Severity
from purple.domain.targets import Exposure
from purple.services.deadlines import Deadlines

router = APIRouter(prefix="/sla", tags=["findings"])
Reader = Annotated[Principal, Depends(allowed(Permission.READ_VULNERABILITIES))]
Writer = Annotated[Principal, Depends(allowed(Permission.WRITE_VULNERABILITIES))]
Service = Annotated[Deadlines, Depends(service("deadlines"))]


class RuleBody(Body):
    """So many days for a severity."""

    severity: Severity
    days: int = Field(ge=1, le=MAX_DAYS)
    exposure: Exposure | None = Field(default=None, description="Of the target; null is any. One that is named decides")
    unit_id: UUID | None = Field(
        default=None,
        description="Of the target; null is any. A rule of its own unit decides, then one of the nearest above",
    )


class RulesBody(Body):
    """The whole policy."""

    rules: list[RuleBody] = Field(max_length=100, description="None brings back those that are shipped")


class RuleAnswer(Answer):
    """So many days for a severity."""

    severity: Severity
    days: int
    exposure: Exposure | None
    unit_id: UUID | None


class RulesAnswer(Answer):
    """The whole policy."""

    rules: list[RuleAnswer]


@router.get("")
async def get_sla(caller: Reader, deadlines: Service, response: Response) -> RulesAnswer:
    """The rules in force."""
    return _answer(await deadlines.rules(caller.organisation_id), response)


@router.put("")
async def put_sla(
    body: RulesBody,
    caller: Writer,
    deadlines: Service,
    response: Response,
    if_match: Annotated[
        str, Header(description="The `ETag` that a GET gave; without it whatever there is is replaced")
    ] = "",
) -> RulesAnswer:
    """Put rules in force; every present vulnerability that is not dated by hand is dated anew."""
    rules = [Rule(each.severity, each.days, each.exposure, each.unit_id) for each in body.rules]
    return _answer(await deadlines.set_rules(rules, caller.actor, if_match.strip().strip('"')), response)


def _answer(rules: Sequence[Rule], response: Response) -> RulesAnswer:
    response.headers["ETag"] = f'"{edition_of(rules)}"'
    return RulesAnswer(rules=[RuleAnswer.model_validate(each) for each in rules])
