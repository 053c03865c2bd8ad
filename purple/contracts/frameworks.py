"""Frameworks of compliance as YAML: controls, and what scans must show for each."""

from typing import Literal, Self

from pydantic import Field, model_validator

from purple.contracts.base import Contract
from purple.domain.tools import Topic


class Control(Contract, extra="forbid"):
    """One control, as far as scans and the register can show it."""

    id: str = Field(min_length=1, max_length=40)
    """As the framework numbers it."""
    title: str = Field(min_length=1, max_length=200)
    """In our own words."""
    targets: str = ""
    """Filter of targets: to which of those that have the framework it applies; all by default."""
    looked: tuple[Topic, ...] = ()
    """What a complete scan must have looked into."""
    within_days: int = Field(default=90, ge=1, le=400)
    """How old that scan may be."""
    findings: str = ""
    """Filter of vulnerabilities: a present one breaks the control."""
    known: tuple[Literal["criticality", "exposure", "data_class", "environment", "category", "unit_id"], ...] = ()
    """What the register must say of a target."""

    @model_validator(mode="after")
    def _shows_something(self) -> Self:
        if not self.looked and not self.known:
            raise ValueError("a control says with `looked` or `known` what shows it: nothing found is no evidence")
        if self.findings and not self.looked:
            raise ValueError("`findings` needs `looked`: nothing found is no evidence where nobody looked")
        return self


class Framework(Contract, extra="forbid"):
    """The controls of a framework of which scans can show something."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")
    title: str
    version: str
    """Of the framework, as its publisher names it."""
    source: str
    """Where it is published."""
    limits: str
    """What Purple cannot show of it, for whoever reads the result."""
    controls: tuple[Control, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        ids = [control.id for control in self.controls]
        if twice := {one for one in ids if ids.count(one) > 1}:
            raise ValueError(f"controls are there twice: {', '.join(sorted(twice))}")
        return self
