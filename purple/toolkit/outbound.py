"""Guard of requests that go out on a user's word: no loopback, private or reserved address unless it is allowed."""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from purple.domain.clock import Resolver
from purple.domain.errors import InvalidInputError, OutOfScopeError


async def checked_address(
    url: str, resolver: Resolver, allowed: Iterable[str], field: str, setting: str = "PURPLE_NOTIFY__ALLOW_NETWORKS"
) -> tuple[str, str]:
    """The host of a URL and the one address to connect to; `setting` is where its network can be allowed.

    Raises:
        InvalidInputError: no http or https URL, or its name does not resolve.
        OutOfScopeError: it leads to a special address that no allowed network holds.
    """
    parts = urlsplit(url)
    host = parts.hostname
    if parts.scheme not in {"http", "https"} or not host:
        raise InvalidInputError("not an http or https URL", field=field, value=url, remedy="give a whole URL")
    try:
        found: tuple[str, ...] = (str(ipaddress.ip_address(host)),)
    except ValueError:
        found = await resolver.resolve(host)
    networks = [ipaddress.ip_network(each) for each in allowed]
    for each in found:
        address = ipaddress.ip_address(each)
        if not address.is_global and not any(address in network for network in networks):
            raise OutOfScopeError(
                f"{host} leads to {each}, a loopback, private or reserved address",
                rule="special-range",
                field=field,
                value=each,
                remedy=f"allow its network by name in {setting} if it is meant",
            )
    return host, found[0]
