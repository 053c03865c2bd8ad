"""Which parts a stack has, and which of them the user's own servers stand in for."""

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from purple.domain.errors import InvalidInputError, PurpleError
from purple.stack.parts.application import Api, Lab, Relay, SetUp, Tools, Workers
from purple.stack.parts.base import External, Part, Site
from purple.stack.parts.elastic import Elasticsearch
from purple.stack.parts.postgres import Postgres
from purple.stack.parts.temporal import Temporal
from purple.stack.parts.valkey import Valkey

SERVERS = ("postgres", "temporal", "elasticsearch", "valkey")
"""In the order in which they are shown."""


def _external(name: str, title: str, site: Site, url: str, default_port: int, field: str) -> External:
    split = urlsplit(url if "://" in url else f"//{url}")
    try:
        host, port = split.hostname, split.port or default_port
    except ValueError:
        host, port = None, 0
    if not host:
        raise InvalidInputError(
            f"{field} names no host", field=field, value=split._replace(netloc="…").geturl(), remedy="give a whole URL"
        )
    return External(name, title, site, host=host, port=port)


def _postgres(site: Site) -> Part:
    own = site.own.database
    if not own.url:
        return Postgres(site)
    for field in ("relay_url", "owner_url"):
        if not getattr(own, field):
            raise PurpleError(
                f"PURPLE_DATABASE__URL is set and PURPLE_DATABASE__{field.upper()} is not",
                field=f"database.{field}",
                remedy="a PostgreSQL of your own needs all three: URL, RELAY_URL and OWNER_URL",
            )
    return _external("postgres", "PostgreSQL", site, own.url, 5432, "database.url")


def _temporal(site: Site) -> Part:
    own = site.own.temporal
    if "address" not in own.model_fields_set:
        return Temporal(site)
    return _external("temporal", "Temporal", site, own.address, 7233, "temporal.address")


def _valkey(site: Site) -> Part:
    if not site.own.cache.url:
        return Valkey(site)
    return _external("valkey", "Redis", site, site.own.cache.url, 6379, "cache.url")


def _elasticsearch(site: Site) -> Part:
    if not site.own.search.url:
        return Elasticsearch(site)
    return _external("elasticsearch", "Elasticsearch", site, site.own.search.url, 9200, "search.url")


APPLICATION = ("setup", "tools", "api", "relay", "steps", "tools-1", "tools-2")
"""Purple's own processes."""

FACTORIES: dict[str, Callable[[Site], Part]] = {
    "postgres": _postgres,
    "temporal": _temporal,
    "elasticsearch": _elasticsearch,
    "valkey": _valkey,
    "setup": SetUp,
    "tools": Tools,
    "api": Api,
    "relay": Relay,
    "steps": lambda site: Workers(
        "steps", "Workers of the steps", site, ("control", "analysis", "ai", "report", "notify")
    ),
    "tools-1": lambda site: Workers("tools-1", "Tool worker 1", site, ("recon", "scan")),
    "tools-2": lambda site: Workers("tools-2", "Tool worker 2", site, ("recon", "scan")),
    "lab": Lab,
}


def build_parts(site: Site, names: Iterable[str]) -> list[Part]:
    """The parts of those names.

    Raises:
        PurpleError: a setting of the user's own server does not suffice.
    """
    return [FACTORIES[name](site) for name in names]
