"""How Schemathesis is run: the API's description from the checked address, and requests to that address alone."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints

from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions
from purple.toolkit.socket_guard import socket_guard
from purple.toolkit.web import host_header, pinned_url

SchemaPath = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9._~/?=&%-]*$", max_length=500)]
Check = Literal[
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "negative_data_rejection", "missing_required_header", "unsupported_method",
    "ignored_auth",
]  # fmt: skip
DEFAULT: tuple[Check, ...] = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "ignored_auth",
)  # fmt: skip

_CONFIG = """hooks = "./guard.py"

[phases.coverage]
unexpected-methods = []
"""
"""Methods that the description does not name are not tried: TRACE answered with 501 is no failure. The guard is there
because Schemathesis follows redirects and references of a description wherever they lead."""


class Options(ToolOptions):
    """What a profile may choose."""

    description: SchemaPath = "/openapi.json"
    """Where the target serves its OpenAPI document."""
    checks: tuple[Check, ...] = Field(default=DEFAULT, min_length=1)
    methods: tuple[Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH"], ...] = Field(
        default=("GET",), min_length=1
    )
    """Others than GET, HEAD and OPTIONS may change data."""
    max_examples: int = Field(default=30, ge=1, le=1000)
    """Requests for one operation and phase."""
    rate: int = Field(default=20, ge=1, le=1000)
    """Requests a second, at most."""
    timeout_s: int = Field(default=10, ge=1, le=120)
    """For each request."""


def command(job: ToolJob, options: ToolOptions) -> Command:
    """The argument list; whatever servers the description names, the requests go to the target."""
    chosen = Options.model_validate(options.model_dump())
    parts = urlsplit(pinned_url(job.target))
    origin = f"{parts.scheme}://{parts.netloc}"
    arguments = [
        "--config-file",
        "schemathesis.toml",
        "run",
        "--url",
        origin,
        "--checks",
        ",".join(dict.fromkeys(chosen.checks)),
    ]
    for method in dict.fromkeys(chosen.methods):
        arguments += ["--include-method", method]
    arguments += ["--phases", "examples,coverage,fuzzing", "--max-examples", str(chosen.max_examples)]
    arguments += ["--seed", "1", "--generation-database", "none", "--workers", "1", "--rate-limit", f"{chosen.rate}/s"]
    arguments += ["--request-timeout", str(chosen.timeout_s), "--max-redirects", "0", "--tls-verify", "false"]
    if header := host_header(job.target):
        arguments += ["--header", header]
    arguments += ["--no-color", "--report", "ndjson", "--report-ndjson-path", "schemathesis.ndjson"]
    port = parts.port or (443 if parts.scheme == "https" else 80)
    files = {"schemathesis.toml": _CONFIG, "guard.py": socket_guard(job.target, port)}
    return Command((*arguments, "--", f"{origin}{chosen.description}"), "schemathesis.ndjson", files=files)
