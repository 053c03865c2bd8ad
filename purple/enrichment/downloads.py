"""Downloads of published files: guarded, limited, to a file."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx

from purple.domain.clock import Resolver
from purple.domain.errors import InvalidInputError, UnavailableError
from purple.domain.targets import authority
from purple.toolkit.outbound import checked_address

_REDIRECTS = 5
_TIMEOUT = httpx.Timeout(60, connect=15)
_LONGEST_TEXT = 64 * 1024
_ALLOW = "PURPLE_DATA__ALLOW_NETWORKS"


class Download:
    """Connects to the address that was checked, and checks anew where it is sent on."""

    def __init__(self, resolver: Resolver, allow_networks: Sequence[str], limit: int) -> None:
        self._resolver = resolver
        self._allow = tuple(allow_networks)
        self._limit = limit

    async def to_file(self, url: str, path: Path) -> None:
        """Write what a URL gives.

        Raises:
            UnavailableError: the server is away, refuses, or breaks off.
            InvalidInputError: no URL, or larger than the limit.
            OutOfScopeError: it leads to a special address that is not allowed.
        """
        with path.open("wb") as file:
            async for chunk in self._chunks(url, self._limit):
                file.write(chunk)

    async def text(self, url: str) -> str:
        """What a URL gives as a short text. Raises as `to_file`."""
        return b"".join([chunk async for chunk in self._chunks(url, _LONGEST_TEXT)]).decode("utf-8", "replace")

    async def _chunks(self, url: str, limit: int) -> AsyncIterator[bytes]:
        try:
            async with self._answer(url) as answer:
                came = 0
                async for chunk in answer.aiter_raw(64 * 1024):
                    came += len(chunk)
                    if came > limit:
                        raise InvalidInputError(
                            f"{url} is larger than {limit} bytes", field="url", value=url,
                            remedy="raise PURPLE_DATA__MAX_MB if that is right",
                        )  # fmt: skip
                    yield chunk
        except httpx.HTTPError as error:
            raise UnavailableError(
                f"{url} cannot be had: {type(error).__name__}",
                field="url",
                value=url,
                remedy="try again later, or bring the file with `purple data update --from FOLDER`",
            ) from error

    @asynccontextmanager
    async def _answer(self, url: str) -> AsyncIterator[httpx.Response]:
        async with httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False) as client:
            for _ in range(_REDIRECTS):
                host, address = await checked_address(url, self._resolver, self._allow, "data.urls", _ALLOW)
                parts = urlsplit(url)
                headers = {"host": authority(host, parts.port, parts.scheme), "accept-encoding": "identity"}
                pinned = httpx.URL(url).copy_with(host=address)
                async with client.stream("GET", pinned, headers=headers, extensions={"sni_hostname": host}) as answer:
                    if answer.is_redirect:
                        url = urljoin(url, answer.headers["location"])
                        continue
                    if not answer.is_success:
                        raise UnavailableError(
                            f"{url} answered {answer.status_code}",
                            field="url",
                            value=url,
                            remedy="see whether it has moved",
                        )
                    yield answer
                    return
            raise UnavailableError(f"{url} is sent on again and again", field="url", value=url)
