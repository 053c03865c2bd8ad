"""Purple's own processes as parts of the stack: set-up, API, relay, workers, and the lab of the demo."""

import base64
import json
import os
import sys
from http import HTTPStatus
from pathlib import Path

from purple.settings.paths import CODE_ROOT
from purple.stack.files import own_folder, reachable
from purple.stack.parts.base import LOOPBACK, Part, Say, Site
from purple.stack.ports import answers, ask
from purple.stack.processes import Launch, ServerUser

PASSED = ("PATH", "LANG", "TZ", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
          "UV_DEFAULT_INDEX", "PIP_INDEX_URL", "SSL_CERT_FILE")  # fmt: skip
DATA = ("PURPLE_DATABASE__", "PURPLE_SEARCH__", "PURPLE_TEMPORAL__", "PURPLE_CACHE__")


class Application(Part):
    """One process of Purple. It serves when its ready file is there."""

    needs: tuple[str, ...] = ("setup",)
    follows: tuple[str, ...] = DATA
    arguments: tuple[str, ...] = ()

    def __init__(self, name: str, title: str, site: Site) -> None:
        super().__init__(name, title, site)
        self._ready = site.home / "ready" / name

    @property
    def user(self) -> ServerUser | None:
        """The server's user, where that user can read the code; else whoever started the stack."""
        code = (CODE_ROOT / "pyproject.toml", Path(sys.executable), Path(sys.executable).resolve())
        return self.site.user if all(reachable(each, self.site.user) for each in code) else None

    def prepare(self, say: Say) -> Launch:
        """The command, with the settings of everything that is offered."""
        own_folder(self._ready.parent, self.user)
        self._ready.unlink(missing_ok=True)
        data = own_folder(self.site.home / "data", self.user)
        if self.site.user and not self.user and type(self).user is Application.user:
            say(f"runs as root: {CODE_ROOT} is closed to the user {self.site.user.name}")
        environment = {k: v for k, v in os.environ.items() if k in PASSED or k.startswith("PURPLE_")}
        environment |= self.offered() | self.offers()
        environment |= {
            "PURPLE_STACK__HOME": str(self.site.home),
            "PURPLE_STACK__CACHE": str(self.site.cache),
            "PURPLE_READY_FILE": str(self._ready),
            "HOME": str(data),
        }
        argv = (sys.executable, *self.arguments)
        return Launch(argv, data, environment, user=self.user, grace_s=10)

    def healthy(self) -> bool:
        """Whether it said so."""
        return self._ready.exists()


class SetUp(Application):
    """Migrations and the first administrator's token; done in a second or two."""

    needs = ("postgres",)
    once = True

    def __init__(self, site: Site) -> None:
        super().__init__("setup", "Database set-up", site)
        self.arguments = ("-m", "cli", "bootstrap", "--token-file", str(site.home / "admin.token"))

    @property
    def user(self) -> None:
        """Whoever started the stack: the token is theirs."""
        return

    def offers(self) -> dict[str, str]:
        """The key of actors' tokens, where the user has none."""
        if self.site.own.identity.actor_key:
            return {}
        return {"PURPLE_IDENTITY__ACTOR_KEY": self.site.secrets.get("actor-key")}


class Tools(Application):
    """Gets what profiles run, and Pango for PDF. What cannot be had is in its log, and hinders nothing."""

    needs = ()
    follows = ()
    once = True
    start_timeout_s = 1800
    arguments = ("-m", "cli", "tool", "install", "--profile", "standard")

    def __init__(self, site: Site) -> None:
        super().__init__("tools", "Security tools", site)

    @property
    def user(self) -> None:
        """Whoever started the stack: the cache is theirs."""
        return


class Api(Application):
    """The facade."""

    arguments = ("-m", "api")
    early = True

    def __init__(self, site: Site) -> None:
        super().__init__("api", "API", site)
        self._port = 0

    def prepare(self, say: Say) -> Launch:
        """Choose the port first."""
        self._port = self.site.ports.pick(self.name, 8000)
        return super().prepare(say)

    def healthy(self) -> bool:
        """Whether it answers, be it that PostgreSQL is away: starting it again would not bring that back."""
        status, _ = ask(self._port, "/health", timeout_s=5)
        return status in {HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE}

    def offers(self) -> dict[str, str]:
        """Where it is."""
        if not self._port:
            self._port = self.site.ports.pick(self.name, 8000)
        return {"PURPLE_API__PORT": str(self._port), "PURPLE_API__URL": f"http://{LOOPBACK}:{self._port}"}


class Relay(Application):
    """The outbox's process."""

    arguments = ("-m", "workers", "relay")

    def __init__(self, site: Site) -> None:
        super().__init__("relay", "Relay", site)


class Workers(Application):
    """Workers of some roles."""

    needs = ("setup", "temporal")
    follows = (*DATA, "PURPLE_NOTIFY__", "PURPLE_AI__", "PURPLE_API__")

    def __init__(self, name: str, title: str, site: Site, roles: tuple[str, ...]) -> None:
        super().__init__(name, title, site)
        self.arguments = ("-m", "workers", *roles)


class Lab(Application):
    """Services that are weak on purpose, and a receiver of webhooks; only for the demo."""

    needs = ("tools",)
    follows = ()
    early = True

    def __init__(self, site: Site) -> None:
        super().__init__("lab", "Lab (vulnerable on purpose)", site)
        self._ports: dict[str, int] = {}

    @property
    def user(self) -> None:
        """Whoever started the stack."""
        return

    def _pick(self) -> dict[str, int]:
        if not self._ports:
            usual = {"webapp": 18080, "http": 18081, "https": 18443, "receiver": 18090}
            usual |= {"ssh": 18022, "redis": 18379, "ftp": 18021}
            self._ports = {name: self.site.ports.pick(f"lab-{name}", port) for name, port in usual.items()}
        return self._ports

    def prepare(self, say: Say) -> Launch:
        """Its ports stay the same from run to run, so that a second campaign meets the same targets."""
        ports = ",".join(str(port) for port in self._pick().values())
        self.arguments = ("-m", "lab", "--state", str(self.site.home / "lab.json"), "--ports", ports)
        launch = super().prepare(say)
        return Launch(
            launch.argv,
            launch.cwd,
            {**launch.environment, "PURPLE_LAB_SECRET": self._secret},
            user=launch.user,
            grace_s=launch.grace_s,
        )

    @property
    def _secret(self) -> str:
        return "whsec_" + base64.b64encode(self.site.secrets.get("lab-webhook").encode()).decode()

    def healthy(self) -> bool:
        """Whether everything in it listens."""
        try:
            json.loads((self.site.home / "lab.json").read_text())
        except (OSError, ValueError):
            return False
        return all(answers(LOOPBACK, port) for port in self._ports.values())

    def offers(self) -> dict[str, str]:
        """Its receiver, where the user has none."""
        if self.site.own.notify.webhook_url:
            return {}
        return {
            "PURPLE_NOTIFY__WEBHOOK_URL": f"http://{LOOPBACK}:{self._pick()['receiver']}/",
            "PURPLE_NOTIFY__WEBHOOK_SECRET": self._secret,
            "PURPLE_NOTIFY__ALLOW_NETWORKS": json.dumps([f"{LOOPBACK}/32"]),
        }
