"""How ZAP is run: a plan of its Automation Framework, for a name that is bound to the checked address.

Written after its documentation and source, and never run where that was done. Sources: the options of `zap.sh` at
https://www.zaproxy.org/docs/desktop/cmdline/ ; for the plan zaproxy/zap-extensions at aea3dee933, of the add-ons
`automation` (`env-max.yaml`, `activeScan-max.yaml`, its help `automation.html`), `spider` (`spider-max.yaml`), `pscan`
(`passiveScan-wait-max.yaml`), `reports` (its help `automation.html`) and `network` (`RateLimitOptions.java`); for the
name `jdk.net.hosts.file` of Java's networking properties, since Java 9.
"""

import json
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import Field

from purple.domain.targets import authority
from purple.domain.tools import ToolJob, ToolTarget
from purple.toolkit.adapter import Command, ToolOptions
from purple.toolkit.web import pinned_url

CONTEXT = "target"
REPORT = "zap.json"
_SAFE = "/:@!&'()+,;=~%-._"
"""Neither `$`, with which a plan begins a variable, nor `*` nor what a regular expression could end with."""


class Options(ToolOptions):
    """What a profile may choose."""

    active: bool = True
    """Whether to attack what was found, and to send forms; without, pages are visited and looked at."""
    strength: Literal["Low", "Medium", "High"] = "Medium"
    """How many attacks a rule tries."""
    depth: int = Field(default=5, ge=1, le=40)
    threads: int = Field(default=2, ge=1, le=32)
    rate: int = Field(default=50, ge=1, le=10_000)
    """Requests a second, at most."""


def command(job: ToolJob, options: ToolOptions) -> Command:
    """The argument list.

    ZAP's time limits are not used: a report would not say that one was reached. Java is told the one name and its
    address in a file, so that no other name is resolved.
    """
    chosen = Options.model_validate(options.model_dump())
    start, folder = _places(job.target)
    arguments = ["-cmd", "-silent", "-Xmx1024m", "-dir", f"{job.work}/home", "-autorun", f"{job.work}/plan.yaml"]
    for key, value in (
        ("description", "purple"),
        ("enabled", "true"),
        ("matchStr", job.target.host),
        ("regex", "false"),
        ("reqsPerSec", str(chosen.rate)),
        ("groupBy", "RULE"),
    ):
        arguments += ["-config", f"network.ratelimit.rules.rule(0).{key}={value}"]
    files = {
        "plan.yaml": json.dumps(_plan(chosen, start, folder, str(job.work)), indent=1),  # JSON is YAML
        "hosts": f"{job.target.address} {job.target.host}\n127.0.0.1 localhost\n",
    }
    java = {"JDK_JAVA_OPTIONS": f'"-Djdk.net.hosts.file={job.work}/hosts"'}
    return Command(tuple(arguments), REPORT, files=files, environment=java)


def _places(target: ToolTarget) -> tuple[str, str]:
    """The URL to start from, and the folder that it is in, as ZAP writes URLs."""
    parts = urlsplit(pinned_url(target))
    site = f"{parts.scheme}://{quote(authority(target.host, parts.port, parts.scheme), safe=':[]')}"
    path = quote(parts.path or "/", safe=_SAFE)
    query = f"?{quote(parts.query, safe=_SAFE + '?')}" if parts.query else ""
    return f"{site}{path}{query}", f"{site}{path.rpartition('/')[0]}/"


def _plan(chosen: Options, start: str, folder: str, work: str) -> dict[str, Any]:
    """ZAP reads the URL of a context as the beginning of a pattern; what is excluded holds it to the very folder."""
    context = {"name": CONTEXT, "urls": [folder], "excludePaths": [rf"^(?!\Q{folder}\E).*$"]}
    spider = {"context": CONTEXT, "url": start, "maxDepth": chosen.depth, "threadCount": chosen.threads}
    attack = {
        "type": "activeScan",
        "parameters": {"context": CONTEXT, "threadPerHost": chosen.threads},
        "policyDefinition": {"defaultStrength": chosen.strength},
    }
    report = {"template": "traditional-json", "reportDir": work, "reportFile": REPORT}
    return {
        "env": {
            "contexts": [context],
            "parameters": {"failOnError": True, "failOnWarning": False, "progressToStdout": True},
        },
        "jobs": [
            {"type": "spider", "parameters": {**spider, "postForm": chosen.active}},
            *([attack] if chosen.active else []),
            {"type": "passiveScan-wait", "parameters": {}},
            {"type": "report", "parameters": report},
        ],
    }
