"""The settings tree: one nested class a room, environment variables `PURPLE_<ROOM>__<NAME>`.

Order of precedence: arguments, environment, `.env` in the working folder, then `stack.env`, which a running
local stack writes so that every process on this machine finds its servers.
"""

import os
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from purple.domain.capacity import Capacity
from purple.domain.gates import GateRules
from purple.settings.paths import default_cache, default_home


class _Room(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class DatabaseSettings(_Room):
    """PostgreSQL: one URL a role, so that no process holds more rights than it needs."""

    url: str = ""
    """The application's role; under row-level security, neither owner nor superuser."""
    relay_url: str = ""
    """The relay's role: reads events of every organisation by policies of its own."""
    owner_url: str = ""
    """Migrations only."""
    pool_size: int = Field(default=10, ge=1, le=100)


class TemporalSettings(_Room):
    """Any Temporal cluster."""

    address: str = "127.0.0.1:7233"
    namespace: str = "default"
    api_key: SecretStr | None = None
    tls: bool = False
    ui_url: str = ""
    versioning: Literal["off", "auto_upgrade", "pinned"] = "off"
    """Worker versioning: campaigns move to the current build, or stay with the one that they began on."""
    deployment: str = Field(default="purple", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    """The name under which builds are known."""
    build_id: str = Field(default="", pattern=r"^[A-Za-z0-9_-]{0,64}$")
    """Of the workflows that this process runs; by default of their version and content."""


class SearchSettings(_Room):
    """Elasticsearch; without a URL the same port runs on PostgreSQL full text."""

    url: str = ""
    username: str = ""
    password: SecretStr | None = None


class CacheSettings(_Room):
    """Redis or a compatible server; without a URL nothing is cached."""

    url: str = ""


class ObjectsSettings(_Room):
    """The object store: a local folder, or an S3-compatible URL."""

    url: str = ""


class ApiSettings(_Room):
    """The facade."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    url: str = ""
    """What links in reports and notices start with."""
    v1_sunset: date | None = None
    """Until when you promise clients the routes of version 1 that have a successor; by default no end is planned."""


class IdentitySettings(_Room):
    """Who acts."""

    actor_key: SecretStr | None = None
    """Signs what the API asks of workflows on a user's behalf; the same for API, command line and workers, 32
    characters or more."""


class AiSettings(_Room):
    """The model that advises; `none` leaves triage to the rules."""

    provider: Literal["none", "ollama", "openai"] = "none"
    base_url: str = ""
    model: str = ""
    api_key: SecretStr | None = None
    timeout_s: float = Field(default=120, gt=0)
    max_tokens: int = Field(default=700, ge=32)
    max_findings: int = Field(default=20, ge=1, le=200)


class NotifySettings(_Room):
    """Where the notice about a finished campaign goes."""

    webhook_url: str = ""
    webhook_secret: SecretStr | None = None
    """`whsec_…`, by the Standard Webhooks specification."""
    apprise_urls: tuple[SecretStr, ...] = ()
    """Mail, chat and push as Apprise writes them, such as `mailtos://user:password@example.org?to=team@example.org`."""
    allow_networks: tuple[str, ...] = ()
    """Private or loopback networks that a notice may go to."""


class DataSettings(_Room):
    """What others publish of flaws: see `purple.enrichment`."""

    every_h: int = Field(default=0, ge=0, le=720)
    """How often the relay brings in what changes daily, KEV and EPSS; 0 leaves that to `purple data update`."""
    urls: dict[str, str] = Field(default_factory=dict)
    """Other addresses by dataset, such as a mirror of your own: `{"kev": "https://mirror.example.org/kev.json"}`."""
    allow_networks: tuple[str, ...] = ()
    """Private or loopback networks that data may come from."""
    max_mb: int = Field(default=4096, ge=1)
    """Of one file, packed and unpacked."""


class TrendsSettings(_Room):
    """What is kept by month: how many vulnerabilities there were, and how scans went."""

    keep_months: int = Field(default=25, ge=2, le=600)
    """The present one among them; what is older is dropped by the relay."""


class ToolsSettings(_Room):
    """Security tools: each in an environment of its own under `folder`."""

    folder: Path | None = None
    """Where tools are installed; by default `tools` in the stack's cache."""
    memory_mb: int = Field(default=4096, ge=128)
    output_mb: int = Field(default=512, ge=1)
    isolation: Literal["auto", "bubblewrap", "none"] = "auto"
    """What stands between tools and a worker's machine: `auto` takes bubblewrap where it works, `bubblewrap` starts no
    worker without it."""
    hide: tuple[Path, ...] = ()
    """Folders and files that tools must not see, beside the stack's home, `/tmp`, `/run` and usual places of keys."""
    undo_attempts: int = Field(default=8, ge=1, le=1000)
    """How often an undo is tried, over two minutes, before people are told to do it by hand."""
    extra: tuple[Path, ...] = ()
    """More folders of tool plugins, one folder a tool."""
    repositories: tuple[Path, ...] = ()
    """Folders of this machine whose repositories may be scanned by whoever registers targets."""
    repository_mb: int = Field(default=1024, ge=1)
    """Of the history of one repository as it is sent, and of its files as they are written."""
    repository_files: int = Field(default=200_000, ge=1)
    repository_authorities: Path | None = None
    """Certificates in PEM that servers of repositories may be signed with, in place of the machine's."""


class GateSettings(_Room):
    """What each target bears, over all campaigns of an organisation; the same for all workers."""

    tools_per_target: int = Field(default=4, ge=1, le=1000)
    """Tools at once on one host; one that is intrusive or harder runs there alone."""
    requests_per_second: int = Field(default=0, ge=0)
    """Of all tools on one host that take a rate; 0 is no limit. Below `tools_per_target` fewer tools run at once."""
    lease_s: float = Field(default=30, ge=1)
    """A worker that died frees its places after so long."""
    probe_every_s: float = Field(default=5, gt=0)
    """How often a running tool's port is probed."""
    probe_failures: int = Field(default=3, ge=1)
    """In a row, until the target counts as gone and its tools are stopped."""
    give_up_s: float = Field(default=3600, ge=0)
    """A target that is not back after so long is given up: its scans fail."""

    def rules(self) -> GateRules:
        """The same, as the gates take them."""
        return GateRules(
            most=self.tools_per_target,
            requests_per_second=self.requests_per_second,
            lease=timedelta(seconds=self.lease_s),
            probe_every_s=self.probe_every_s,
            probe_failures=self.probe_failures,
            give_up=timedelta(seconds=self.give_up_s),
        )


class WorkerSettings(_Room):
    """What one process that runs tools may use, and how it ends."""

    cpus: float = Field(default=0, ge=0, le=4096)
    """Processors for tools; 0 takes those of this machine."""
    memory_mb: int = Field(default=0, ge=0)
    """Memory for tools; 0 takes three quarters of this machine's."""
    tool_limits: dict[str, int] = Field(default_factory=dict)
    """At most so many runs of a tool at once in one process, such as `{"nmap": 1}`."""
    drain_s: float = Field(default=5, ge=0, le=86_400)
    """After SIGTERM running tools have so long to end; what is left then is run by another worker from its start."""
    nice: int = Field(default=10, ge=0, le=19)
    """How far a worker stands back where processors are scarce (nice(2)): people wait for the API.

    A tool inherits it, but leads a session, to which Linux may give a share like the API's (autogroup, in sched(7)).
    """

    def capacity(self) -> Capacity:
        """The same, as the room for tools takes them."""
        memory = self.memory_mb or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024**2 * 3 // 4
        return Capacity(self.cpus or os.cpu_count() or 1, memory, self.tool_limits)


class ProfilesSettings(_Room):
    """Pipelines."""

    extra: tuple[Path, ...] = ()
    """More folders of profiles, one YAML file each; one of theirs stands over ours of the same name."""


class ComplianceSettings(_Room):
    """Frameworks."""

    extra: tuple[Path, ...] = ()
    """More folders of frameworks, one YAML file each; one of theirs stands over ours of the same name."""


class StackSettings(_Room):
    """The local stack: its data, and the shared cache of downloads."""

    home: Path = Field(default_factory=default_home)
    cache: Path = Field(default_factory=default_cache)
    machine_servers: bool = True
    """Use servers that are installed on this machine; false takes the packaged ones."""
    elasticsearch: bool = True
    """Start Elasticsearch where it can be had; false searches with PostgreSQL."""
    elasticsearch_heap_mb: int = Field(default=512, ge=256)
    elasticsearch_java_options: str = ""
    """More options for its Java, with spaces between; they stand over our own."""


class CliSettings(_Room):
    """What the command line does where its options do not say."""

    output: Literal["table", "json", "jsonl"] = "table"
    profile: str = "standard"
    """What `scan` and `campaign start` run."""
    fail_on: Literal["", "info", "low", "medium", "high", "critical"] = ""
    """Exit 3 when something at least this bad is open."""
    fail_on_new: bool = False
    """Exit 3 when a vulnerability was found that no earlier campaign saw."""


class LogSettings(_Room):
    """Logging."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    json_lines: bool = True


class Settings(BaseSettings):
    """Everything a process of Purple may be told."""

    model_config = SettingsConfigDict(
        env_prefix="PURPLE_", env_nested_delimiter="__", env_file=".env", extra="ignore", frozen=True
    )

    database: DatabaseSettings = DatabaseSettings()
    temporal: TemporalSettings = TemporalSettings()
    search: SearchSettings = SearchSettings()
    cache: CacheSettings = CacheSettings()
    objects: ObjectsSettings = ObjectsSettings()
    api: ApiSettings = ApiSettings()
    identity: IdentitySettings = IdentitySettings()
    ai: AiSettings = AiSettings()
    notify: NotifySettings = NotifySettings()
    data: DataSettings = DataSettings()
    trends: TrendsSettings = TrendsSettings()
    tools: ToolsSettings = ToolsSettings()
    gate: GateSettings = GateSettings()
    worker: WorkerSettings = WorkerSettings()
    profiles: ProfilesSettings = ProfilesSettings()
    compliance: ComplianceSettings = ComplianceSettings()
    stack: StackSettings = Field(default_factory=StackSettings)
    cli: CliSettings = CliSettings()
    log: LogSettings = LogSettings()


def stack_env_file(home: Path) -> Path:
    """The file in which a running local stack leaves the settings of its servers."""
    return home / "stack.env"


def load_settings() -> Settings:
    """Read the settings of this process.

    Raises:
        pydantic.ValidationError: a value is outside its schema; the message names the setting.
    """
    home = Path(os.environ.get("PURPLE_STACK__HOME") or default_home())
    # a process of the stack that runs as another user is told everything in its environment
    files = [file for file in (stack_env_file(home), Path(".env")) if os.access(file, os.R_OK)]
    return Settings(_env_file=files)
