"""What endpoints ask for: the caller, a permission by name, a page, a service.

All are coroutines: FastAPI runs a plain function in a thread, which takes longer than what any of them does.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi import Query as QueryParameter
from fastapi.dependencies.models import Dependant
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import ClientDisconnect

from purple.domain.errors import (
    InvalidInputError,
    PreconditionFailedError,
    PreconditionRequiredError,
    UnauthenticatedError,
)
from purple.domain.idempotency import MAX_KEY
from purple.domain.identity import Permission, Principal
from purple.domain.pages import DEFAULT_LIMIT, MAX_LIMIT, Query

MAX_FILTER = 2_000
MAX_SORT = 200
MAX_CURSOR = 2_000
ETAG = re.compile(r'"v(\d{1,9})"')

bearer = HTTPBearer(auto_error=False, description="A token that `purple bootstrap` printed.")


async def principal(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Principal:
    """Who calls.

    Raises:
        UnauthenticatedError: no valid token.
    """
    if credentials is None:
        raise UnauthenticatedError(
            "there is no bearer token", field="Authorization", remedy="send `Authorization: Bearer TOKEN`"
        )
    caller: Principal = await request.app.state.container.identity.authenticate(credentials.credentials)
    return caller


def allowed(permission: Permission) -> Callable[..., Awaitable[Principal]]:
    """A dependency that lets through who has the permission."""

    async def check(caller: Annotated[Principal, Depends(principal)]) -> Principal:
        caller.require(permission)
        return caller

    return check


def service(name: str) -> Callable[[Request], Awaitable[Any]]:
    """A dependency that is a service of the container."""

    async def get(request: Request) -> Any:
        return getattr(request.app.state.container, name)

    return get


FILTER_HELP = (
    'Terms with blanks between, such as `severity:>=high -state:fixed title:~"sql injection" last_seen:<7d`; '
    "`-` is not, commas are or, `~` is holds, `none` is without a value. Fields: "
)


SORT_HELP = "Fields with commas between; `-` before one turns it. Fields: "


def paging(fields: str) -> Callable[..., Awaitable[Query]]:
    """A dependency that is the query of a list.

    Args:
        fields: what the list can be filtered and sorted by, for the documentation.
    """

    async def query(
        filter: Annotated[str, QueryParameter(max_length=MAX_FILTER, description=FILTER_HELP + fields)] = "",  # noqa: A002 - its name on the wire
        sort: Annotated[str, QueryParameter(max_length=MAX_SORT, description=SORT_HELP + fields)] = "",
        cursor: Annotated[
            str, QueryParameter(max_length=MAX_CURSOR, description="`next_cursor` of the page before")
        ] = "",
        limit: Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    ) -> Query:
        return Query(filter=filter, sort=sort, cursor=cursor, limit=limit)

    return query


async def known_parameters(request: Request) -> None:
    """Refuse a query parameter that the route does not know: a filter with a typing error must not list everything.

    Raises:
        InvalidInputError: names the parameter and those that there are.
    """
    known = _parameters(request.scope["route"].dependant)
    for name in request.query_params:
        if name not in known:
            raise InvalidInputError(
                f"there is no parameter {name!r} here",
                field=name,
                value=request.query_params[name],
                remedy=f"use {', '.join(sorted(known))}" if known else "leave it out",
            )


def _parameters(dependant: Dependant) -> set[str]:
    own = {each.alias for each in dependant.query_params}
    return own.union(*(_parameters(each) for each in dependant.dependencies))


async def if_match(if_match: Annotated[str, Header(description="The `ETag` that a GET gave")] = "") -> int:
    """The version that an edit was made from (RFC 9110, section 13.1.1).

    Raises:
        PreconditionRequiredError: there is none (RFC 6585, section 3).
        PreconditionFailedError: it is no ETag of ours.
    """
    if not if_match:
        raise PreconditionRequiredError(
            "an edit needs the version it was made from",
            field="If-Match",
            remedy="send the ETag of your GET as If-Match",
        )
    return _version(if_match)


async def if_known(
    if_match: Annotated[
        str, Header(description="The `ETag` that a GET gave; without it whatever there is is replaced")
    ] = "",
) -> int | None:
    """The same, of an edit that may do without; None where there is none.

    Raises:
        PreconditionFailedError: it is no ETag of ours.
    """
    return _version(if_match) if if_match else None


def _version(told: str) -> int:
    match = ETAG.fullmatch(told.strip())
    if match is None:
        raise PreconditionFailedError(
            "If-Match is not an ETag of this resource", field="If-Match", value=told, remedy="read it again"
        )
    return int(match[1])


def etag(version: int) -> str:
    """The strong ETag of a version."""
    return f'"v{version}"'


FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
"""What OpenAPI says of a body that is a file."""


async def chunks(request: Request) -> AsyncIterator[bytes]:
    """A file that is the body, as it comes in.

    Raises:
        InvalidInputError: it broke off.
    """
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect:
        raise InvalidInputError("the upload broke off", field="body", remedy="send the file again") from None


IdempotencyKey = Annotated[
    str, Header(alias="Idempotency-Key", max_length=MAX_KEY, description="The same key and request do a thing once")
]
