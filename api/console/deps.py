"""What pages ask for: a signed-in caller with a permission, a posted form, a request from our own pages."""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Annotated, TypeVar
from urllib.parse import parse_qs, urlsplit

from fastapi import Depends, Request
from fastapi import Query as QueryParameter

from api.deps import MAX_CURSOR, MAX_FILTER, MAX_SORT
from purple.domain.errors import ForbiddenError, InvalidInputError
from purple.domain.identity import Permission, Principal
from purple.domain.pages import Query

E = TypeVar("E", bound=StrEnum)

COOKIE = "purple_session"
MAX_FIELDS = 2_000
SAFE = frozenset({"GET", "HEAD"})


async def same_origin(request: Request) -> None:
    """Take changes from our own pages only; the cookie is SameSite=Strict beside this.

    Raises:
        ForbiddenError: the browser says that another site sent it, or does not say.
    """
    if request.method in SAFE:
        return
    site = request.headers.get("sec-fetch-site")
    origin = urlsplit(request.headers.get("origin", "")).netloc
    if site == "same-origin" or (site is None and origin and origin == request.headers.get("host")):
        return
    raise ForbiddenError(
        "this request does not come from a page of this console",
        remedy="open the console over https, or on the machine it runs on, and use its own buttons",
    )


async def visitor(request: Request) -> Principal:
    """Who is signed in.

    Raises:
        UnauthenticatedError: nobody is.
    """
    caller: Principal = await request.app.state.container.sessions.authenticate(request.cookies.get(COOKIE, ""))
    request.state.caller = caller
    return caller


def viewer(permission: Permission) -> Callable[..., Awaitable[Principal]]:
    """A dependency that lets through who is signed in and has the permission."""

    async def check(caller: Annotated[Principal, Depends(visitor)]) -> Principal:
        caller.require(permission)
        return caller

    return check


class Paging:
    """Where in a list, by its cursor, and what of it, by the grammar that every list has."""

    def __init__(
        self,
        cursor: Annotated[str, QueryParameter(max_length=MAX_CURSOR)] = "",
        filter: Annotated[str, QueryParameter(max_length=MAX_FILTER)] = "",  # noqa: A002 - its name on the wire
        sort: Annotated[str, QueryParameter(max_length=MAX_SORT)] = "",
    ) -> None:
        self.cursor = cursor
        self.filter = filter.strip()
        self.sort = sort

    def query(self, sort: str = "", where: Mapping[str, object] | None = None) -> Query:
        """With what the page itself asks for; `sort` is its own order, where none was chosen."""
        return Query(where or {}, self.cursor, filter=self.filter, sort=self.sort or sort)


FIRST = Query()
"""The first page of a list, as it is by default."""


class Fields:
    """A posted form."""

    def __init__(self, values: dict[str, list[str]]) -> None:
        self._values = values

    def text(self, name: str, default: str = "") -> str:
        """One value without white space around it."""
        return self._values.get(name, [default])[-1].strip()

    def many(self, name: str) -> list[str]:
        """Every value of one name that is not empty."""
        return [value for value in self._values.get(name, []) if value]

    def every(self, name: str) -> list[str]:
        """Every value of one name, those that are empty too, so that columns of a table stay beside each other."""
        return self._values.get(name, [])

    def pairs(self) -> list[tuple[str, str]]:
        """All of it, to be sent again."""
        return [(name, value) for name, values in self._values.items() for value in values]

    def one_of(self, kind: type[E], name: str, default: str = "") -> E:
        """A member of an enumeration.

        Raises:
            InvalidInputError: it is none.
        """
        try:
            return kind(self.text(name, default))
        except ValueError:
            raise InvalidInputError(
                f"{name.replace('_', ' ')} is none of those there are",
                field=name,
                value=self.text(name),
                remedy=f"choose one of {', '.join(kind)}",
            ) from None

    def version(self) -> int:
        """Of what the page showed; one that is no number is no version that there is."""
        told = self.text("version")
        return int(told) if told.isdecimal() else 0

    def lines(self, name: str) -> list[str]:
        """A text area's lines, without those that are empty."""
        return [line.strip() for line in self.text(name).splitlines() if line.strip()]


async def fields(request: Request) -> Fields:
    """The form of this request.

    Raises:
        InvalidInputError: it is none.
    """
    try:
        text = (await request.body()).decode()
        return Fields(parse_qs(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise InvalidInputError("this is not a form that we know", remedy="go back and send it again") from None


Form = Annotated[Fields, Depends(fields)]
