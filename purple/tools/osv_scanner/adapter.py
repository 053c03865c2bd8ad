"""How OSV-Scanner is run: on the lock files of the fetched code, building and resolving nothing."""

from pathlib import Path

from purple.domain.tools import ToolJob
from purple.settings.paths import default_cache
from purple.toolkit.adapter import CODE, Command, ToolOptions

CONFIGURATION = Path(__file__).with_name("config.toml")
DATABASE = default_cache() / "osv"


class Options(ToolOptions):
    """What a profile may choose."""

    offline: bool = False
    """Whether to look into the archives of OSV in the cache in place of asking its service, which is told the names
    and versions of the packages."""


def command(job: ToolJob, options: ToolOptions) -> Command:  # noqa: ARG001 - every adapter is given its job
    """The argument list.

    Call analysis would build the code, which runs it, and resolving would ask the registries that it names.
    """
    chosen = Options.model_validate(options.model_dump())
    arguments = ["scan", "--recursive", "--no-ignore", "--skip-git", "--config", str(CONFIGURATION)]
    arguments += ["--no-call-analysis=all", "--experimental-no-resolve", "--verbosity=warn"]
    if chosen.offline:
        arguments.append("--experimental-offline")
    environment = {"OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY": str(DATABASE)}
    return Command((*arguments, "--format=json", "--output=osv.json", CODE), "osv.json", environment=environment)
