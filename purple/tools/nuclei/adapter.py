"""How nuclei is run: on the checked address, with the templates that are on the worker, asking nobody else."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from purple.domain.tools import ToolJob
from purple.toolkit.adapter import Command, ToolOptions
from purple.toolkit.web import host_header, pinned_url

Folder = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9._/-]+$", max_length=500)]
Tag = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]
Level = Literal["info", "low", "medium", "high", "critical", "unknown"]


class Options(ToolOptions):
    """What a profile may choose."""

    templates: Folder = "/opt/nuclei-templates"
    """A folder or file of templates on the worker; none are ever downloaded."""
    severities: tuple[Level, ...] = ("low", "medium", "high", "critical")
    tags: tuple[Tag, ...] = ()
    """Only templates with one of them; all where none is named."""
    exclude_tags: tuple[Tag, ...] = ("dos", "fuzz", "intrusive")
    rate: int = Field(default=50, ge=1, le=10_000)
    """Requests a second, at most."""
    concurrency: int = Field(default=10, ge=1, le=100)
    timeout_s: int = Field(default=10, ge=1, le=120)


def command(job: ToolJob, options: ToolOptions) -> Command:
    """The argument list. Templates that did not match are listed too: without them nothing and nobody look alike."""
    chosen = Options.model_validate(options.model_dump())
    arguments = ["-target", pinned_url(job.target), "-templates", chosen.templates]
    arguments += ["-jsonl", "-output", "nuclei.jsonl", "-omit-raw", "-omit-template", "-matcher-status"]
    arguments += ["-disable-update-check", "-no-interactsh", "-disable-redirects", "-no-stdin", "-no-color", "-silent"]
    arguments += ["-rate-limit", str(chosen.rate), "-concurrency", str(chosen.concurrency)]
    arguments += ["-timeout", str(chosen.timeout_s), "-retries", "1"]
    if header := host_header(job.target):
        arguments += ["-header", header]
    for flag, names in (
        ("-severity", chosen.severities),
        ("-tags", chosen.tags),
        ("-exclude-tags", chosen.exclude_tags),
    ):
        if names:
            arguments += [flag, ",".join(names)]
    return Command(tuple(arguments), "nuclei.jsonl")
