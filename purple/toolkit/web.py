"""What tools for web applications share: the checked address in a URL, and the place a URL names."""

from urllib.parse import urlsplit, urlunsplit

from purple.domain.errors import InvalidInputError
from purple.domain.observations import Location, clip
from purple.domain.targets import authority
from purple.domain.tools import ToolTarget

_PORTS = {"http": 80, "https": 443}


def pinned_url(target: ToolTarget, *, folder: bool = False) -> str:
    """The target's URL with the checked address in place of its name, so that nothing is resolved again.

    Args:
        target: what the run is pointed at.
        folder: end it with the last `/` of its path, and leave its query out.

    Raises:
        InvalidInputError: the target is no http or https URL.
    """
    parts = urlsplit(target.url)
    if parts.scheme not in _PORTS:
        raise InvalidInputError(
            "this tool takes a URL",
            field="target.url",
            value=target.url or target.host,
            remedy="register the target as a web application or an API",
        )
    parts = parts._replace(netloc=authority(target.address, parts.port), fragment="")
    if folder:
        parts = parts._replace(path=parts.path.rpartition("/")[0] + "/", query="")
    return urlunsplit(parts)


def host_header(target: ToolTarget) -> str:
    """The Host header with the target's name; empty where the pinned URL says it already."""
    if target.address == target.host:
        return ""
    parts = urlsplit(target.url)
    return f"Host: {authority(target.host, parts.port, parts.scheme)}"


def place_of(url: str, *, method: str = "", parameter: str = "") -> Location:
    """Where a URL leads.

    Raises:
        ValueError: it is none.
    """
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError(url)
    return Location(
        host=clip(parts.hostname, 300),
        port=parts.port or _PORTS.get(parts.scheme, 0),
        transport="tcp",
        url=clip(url, 2048),
        method=clip(method, 16),
        parameter=clip(parameter, 200),
    )
