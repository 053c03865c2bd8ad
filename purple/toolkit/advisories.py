"""What parsers of tools that know vulnerable packages share, so that their sightings of one flaw meet."""

import re
from dataclasses import dataclass

from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, clip
from purple.domain.severity import Severity

_CVE = re.compile(r"CVE-\d{4}-\d{4,19}\Z")
_GHSA = re.compile(r"GHSA(?:-[23456789cfghjmpqrvwx]{4}){3}\Z")
_PYTHON = re.compile(r"[-_.]+")
_MOST_IDS = 20
_BANDS = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.1, Severity.LOW))


@dataclass(frozen=True, slots=True)
class Advisory:
    """A known vulnerability of a package that the code asks for, as a tool tells of it."""

    ecosystem: str
    name: str
    version: str
    ids: tuple[str, ...]
    path: str = ""
    severity: Severity = Severity.MEDIUM
    """What stands where a tool says none."""
    title: str = ""
    description: str = ""
    fixed: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    cwe: tuple[int, ...] = ()
    cvss_vector: str = ""
    cvss_score: float = 0.0

    def seen(self) -> Observation:
        """As an observation.

        It is named by its CVE, else by its GitHub advisory, else by whatever its source calls it; and it is of the
        package, whichever version and whichever file asks for it.
        """
        known = sorted({each.strip() for each in self.ids if each.strip()}, key=_rank)[:_MOST_IDS]
        best = known[0] if known else "unnamed"
        package = clip(f"{self.ecosystem.lower()}/{plain(self.ecosystem, self.name)}", 300)
        mended = ", ".join(dict.fromkeys(clip(each, 60) for each in self.fixed if each))
        lines = self.title.strip().splitlines()
        also = f", also known as {', '.join(known[1:])}" if known[1:] else ""
        return Observation(
            kind=ObservationKind.FLAW,
            rule=clip(f"advisory:{best}", 200),
            title=clip(f"{self.name} {self.version}: {lines[0] if lines else best}", 200),
            severity=self.severity,
            flaw_class=FlawClass.COMPONENT,
            cve=tuple(each for each in known if _CVE.match(each)),
            cwe=self.cwe[:10],
            cvss_vector=clip(self.cvss_vector, 200),
            cvss_score=self.cvss_score,
            location=Location(path=self.path),
            description=clip(self.description),
            evidence=clip(f"{package} {self.version}{also}"),
            remediation=clip(
                f"Use {self.name} {mended} or newer." if mended else f"No fixed version of {self.name} is known."
            ),
            references=tuple(clip(each, 500) for each in self.references if each.startswith("https://"))[:20],
            attributes={"package": package, "version": clip(self.version, 100)},
        )


def severity_of(score: float) -> Severity:
    """By the bands of CVSS."""
    return next((severity for least, severity in _BANDS if score >= least), Severity.INFO)


def plain(ecosystem: str, name: str) -> str:
    """A package's name as every tool would write it; only Python's has more than one spelling."""
    return _PYTHON.sub("-", name).lower() if ecosystem.lower() == "pypi" else name


def _rank(advisory: str) -> tuple[int, str]:
    return 0 if _CVE.match(advisory) else 1 if _GHSA.match(advisory) else 2, advisory
