"""What endpoints ask for: the caller, a permission by name, a page, a service."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi import Query as QueryParameter
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from purple.domain.errors import UnauthenticatedError
from purple.domain.identity import Permission, Principal
from purple.domain.pages import DEFAULT_LIMIT, MAX_LIMIT, Query

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


def service(name: str) -> Callable[[Request], Any]:
    """A dependency that is a service of the container."""

    def get(request: Request) -> Any:
        return getattr(request.app.state.container, name)

    return get


class Paging:
    """Cursor and limit of a list."""

    def __init__(
        self,
        cursor: Annotated[str, QueryParameter(description="`next_cursor` of the page before")] = "",
        limit: Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    ) -> None:
        self.cursor = cursor
        self.limit = limit

    def query(self, **filters: Any) -> Query:
        """With filters."""
        return Query(filters, self.cursor, self.limit)
