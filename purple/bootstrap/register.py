"""The services of the register: targets, business units, contracts, and who calls."""

from functools import cached_property

from purple.bootstrap.adapters import Adapters
from purple.services.authorisations import Authorisations
from purple.services.clearance import Clearance
from purple.services.compliance import ComplianceReader
from purple.services.compliance.frameworks import Frameworks
from purple.services.identity import Identity
from purple.services.machine_keeping import MachineKeeping
from purple.services.retiring import Retiring
from purple.services.sessions import Sessions
from purple.services.target_import import TargetImport
from purple.services.targets import Targets
from purple.services.units import Units


class Register(Adapters):
    """Who may test what."""

    @cached_property
    def frameworks(self) -> Frameworks:
        """What targets may have to comply with."""
        return Frameworks(self.settings.compliance.extra)

    @cached_property
    def compliance(self) -> ComplianceReader:
        """How they stand."""
        return ComplianceReader(self.work, self.frameworks, self.tools, self.clock)

    @cached_property
    def targets(self) -> Targets:
        """The register."""
        return Targets(self.work, self.frameworks, self.clock, self.ids, self.grouping)

    @cached_property
    def retiring(self) -> Retiring:
        """The register, of what is tested no more."""
        return Retiring(self.work, self.clock, self.ids)

    @cached_property
    def target_import(self) -> TargetImport:
        """The register, from files."""
        return TargetImport(self.work, self.frameworks, self.clock, self.ids, self.grouping)

    @cached_property
    def machine_keeping(self) -> MachineKeeping:
        """Which of them are one machine."""
        return MachineKeeping(self.work, self.grouping, self.clock, self.ids)

    @cached_property
    def units(self) -> Units:
        """The parts of the organisation."""
        return Units(self.work, self.clock, self.ids)

    @cached_property
    def authorisations(self) -> Authorisations:
        """Contracts."""
        return Authorisations(self.work, self.orchestrator, self.tools, self.objects, self.clock, self.ids)

    @cached_property
    def clearance(self) -> Clearance:
        """Contracts, asked."""
        return Clearance(self.work, self.tools, self.resolver, self.clock, self.ids)

    @cached_property
    def identity(self) -> Identity:
        """Who calls."""
        return Identity(self.work, self.clock, self.ids)

    @cached_property
    def sessions(self) -> Sessions:
        """Browsers."""
        return Sessions(self.work, self.clock, self.ids)
