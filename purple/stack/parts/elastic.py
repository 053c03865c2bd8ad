"""Elasticsearch: one node on loopback without security, for this machine's own processes."""

import json
from http import HTTPStatus
from pathlib import Path

from purple.stack.files import own_folder, write_private
from purple.stack.parts.base import LOOPBACK, Part, PartAbsentError, Say, Site
from purple.stack.parts.distribution import Distribution, find_distribution
from purple.stack.ports import ask
from purple.stack.processes import Launch, plain_environment

LOGGING = """status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""


class Elasticsearch(Part):
    """The node. It may come late: nothing waits for it, and its URL is known from the start."""

    early = True
    start_timeout_s = 180

    def __init__(self, site: Site) -> None:
        super().__init__("elasticsearch", "Elasticsearch", site)
        self._port = site.ports.pick(self.name, 9200)

    def prepare(self, say: Say) -> Launch:
        """Find the distribution, which may mean to download it, and write the node's configuration."""
        if not self.site.own.stack.elasticsearch:
            raise PartAbsentError("Elasticsearch is switched off; PostgreSQL full text searches in its place")
        distribution = find_distribution(self.site, say)
        say(f"{distribution.folder.name}, from {distribution.origin}")
        folder = self.site.folder("elasticsearch")
        self._port = self.site.ports.pick(self.name, 9200)
        self._configure(folder, distribution)
        own = self.site.own.stack
        heap = f"-Xms{own.elasticsearch_heap_mb}m -Xmx{own.elasticsearch_heap_mb}m"
        environment = plain_environment(folder) | distribution.environment
        environment |= {
            "ES_JAVA_HOME": str(distribution.java_home),
            "ES_PATH_CONF": str(folder / "config"),
            "ES_TMPDIR": str(folder / "tmp"),
            "ES_JAVA_OPTS": f"{heap} {own.elasticsearch_java_options}",
            "CLI_JAVA_OPTS": "-Xms8m -Xmx64m",
        }
        program = distribution.folder / "bin/elasticsearch"
        return Launch((str(program),), folder, environment, user=self.site.user, grace_s=20)

    def _configure(self, folder: Path, distribution: Distribution) -> None:
        user = self.site.user
        modules = distribution.folder / "modules"
        for name in ("config", "config/jvm.options.d", "data", "logs", "tmp"):
            own_folder(folder / name, user)
        lines = {
            "cluster.name": "purple",
            "node.name": "purple-1",
            "network.host": LOOPBACK,
            "http.port": self._port,
            "transport.port": self.site.ports.pick("elasticsearch-transport", 9300),
            "discovery.type": "single-node",
            "path.data": f'"{folder / "data"}"',
            "path.logs": f'"{folder / "logs"}"',
            "cluster.routing.allocation.disk.threshold_enabled": "false",
        }
        # a setting of a module that a distribution lacks would be refused
        if (modules / "x-pack-security").exists():
            lines["xpack.security.enabled"] = "false"
        if (modules / "x-pack-ml").exists():
            lines["xpack.ml.enabled"] = "false"
        if (modules / "ingest-geoip").exists():
            lines["ingest.geoip.downloader.enabled"] = "false"
        options = [
            line
            for line in (distribution.folder / "config/jvm.options").read_text().splitlines()
            if "logs/" not in line and "HeapDump" not in line and not line.startswith("-Xm")
        ]
        files = {
            "elasticsearch.yml": "".join(f"{name}: {value}\n" for name, value in lines.items()),
            "jvm.options": "\n".join(options) + "\n",
            "log4j2.properties": LOGGING,
        }
        for name, text in files.items():
            write_private(folder / "config" / name, text, user)

    def healthy(self) -> bool:
        """Whether every primary shard is served."""
        status, body = ask(self._port, "/_cluster/health", timeout_s=2)
        try:
            return status == HTTPStatus.OK and json.loads(body).get("status") in {"green", "yellow"}
        except ValueError:
            return False

    @property
    def _url(self) -> str:
        return f"http://{LOOPBACK}:{self._port}"

    def offers(self) -> dict[str, str]:
        """The URL."""
        return {"PURPLE_SEARCH__URL": self._url}
