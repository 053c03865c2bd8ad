"""The form that starts a campaign."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import orjson
from fastapi import Request

from api.console.deps import Fields
from purple.contracts.campaigns import CampaignInput
from purple.contracts.profiles import Profile
from purple.domain.clock import Clock
from purple.domain.errors import InvalidInputError
from purple.domain.identity import Principal
from purple.domain.pages import MAX_LIMIT, Query
from purple.domain.scope import Authorisation
from purple.domain.targets import Target


@dataclass(frozen=True)
class Choices:
    """What the form offers."""

    profiles: list[Profile]
    targets: tuple[Target, ...]
    more_targets: bool
    authorisations: list[Authorisation]
    """Those that hold now."""
    key: str
    """Sent back by the form: sending it twice starts one campaign only."""


async def choices(request: Request, caller: Principal, key: str = "") -> Choices:
    """Read what there is to choose from."""
    container = request.app.state.container
    targets = await container.targets.page(caller.organisation_id, Query({}, "", MAX_LIMIT))
    return Choices(
        profiles=[container.profiles.load(name) for name in container.profiles.names()],
        targets=targets.items,
        more_targets=bool(targets.next_cursor),
        authorisations=await contracts(request, caller),
        key=key or str(uuid4()),
    )


async def contracts(request: Request, caller: Principal) -> list[Authorisation]:
    """Those that hold now."""
    container = request.app.state.container
    clock: Clock = container.clock
    now = clock.now()
    found = await container.authorisations.page(caller.organisation_id, Query({}, "", MAX_LIMIT))
    return [each for each in found.items if each.revoked_at is None and each.valid_from <= now < each.valid_until]


def read_form(form: Fields, caller: Principal) -> CampaignInput:
    """The campaign that a form asks for.

    Raises:
        InvalidInputError: names the field that is wrong.
    """
    target_ids = tuple(id_of(each, "target_ids") for each in form.many("target_ids"))
    if not target_ids:
        raise InvalidInputError("no target is chosen", field="target_ids", remedy="choose one or more")
    if not form.text("authorisation_id"):
        raise InvalidInputError("no authorisation is chosen", field="authorisation_id", remedy="choose one")
    return CampaignInput(
        organisation_id=caller.organisation_id,
        name=form.text("name")[:200],
        profile=form.text("profile", "standard"),
        target_ids=target_ids,
        authorisation_id=id_of(form.text("authorisation_id"), "authorisation_id"),
        options=_options(form.text("options")),
        created_by=caller.user_id,
    )


def id_of(text: str, field: str) -> UUID:
    """What was chosen of a list.

    Raises:
        InvalidInputError: it is no id.
    """
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInputError(
            "this is none of those there are", field=field, value=text, remedy="choose one of the list"
        ) from None


def _options(text: str) -> dict[str, dict[str, Any]]:
    """Options by tool, as JSON."""
    try:
        found = orjson.loads(text or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
        raise InvalidInputError(
            "the options are not a JSON object of objects",
            field="options",
            value=text,
            remedy='write them as {"nmap": {"ports": "80,443"}}',
        )
    return found
