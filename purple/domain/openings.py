"""Openings: what a present vulnerability gives to who can reach it, and how hard that is.

A step of an attack needs nobody's help and no account: so no flaw that waits for a person's click, and none that needs
to be logged in, is an opening. What one gives is told by

- the shared weakness, or the CWE, where a tool tells one: MITRE, CWE, "Common Consequences" of each entry (to execute
  code or commands is control; to read files, memory or application data is data; to gain privileges by a known or
  guessed secret is an account);
- the CVSS vector, of the tool or as it is published: FIRST, CVSS v3.1 section 2 and v4.0 section 2. Reached by the
  network (AV:N) or the same one (AV:A), without privileges (PR:N) and people (UI:N); all confidentiality and integrity
  lost (C:H, I:H; VC:H, VI:H) is control, all confidentiality alone is data.

Techniques are those of MITRE ATT&CK for enterprise (https://attack.mitre.org/techniques/).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from purple.domain.cvss import Cvss, parse, score_of
from purple.domain.false_positives import PROPOSED
from purple.domain.risk import CERTAIN_FROM, Known, Part, vector_of
from purple.domain.severity import Severity
from purple.domain.targets import Control
from purple.domain.values import value
from purple.domain.weaknesses import CATALOGUE

LIKELY = 0.1
"""From this EPSS on, exploitation within 30 days counts as likely. Ours: FIRST names no threshold."""
HARDER = 2
"""Points of effort of each thing that stands in the way."""
_KNOWN, _EASY, _UNKNOWN = 1, 2, 4
_EFFORTS = {
    _KNOWN: "nothing has to be overcome",
    _EASY: "requests by hand do it",
    _UNKNOWN: "it depends on what is installed there",
}
_WEB_PORTS = frozenset({80, 443, 8080, 8443})


class Gain(StrEnum):
    """What an attacker has then."""

    CONTROL = "control"
    """Of the machine, or a login to it: attacks go on from there."""
    DATA = "data"
    """What it holds, secrets among it. Where those are valid nobody knows, so nothing goes on from there."""


class Means(StrEnum):
    """How an opening is used."""

    EXPLOIT = "exploit"
    ACCOUNT = "account"
    """A login that is known or can be guessed."""
    UNGUARDED = "unguarded"
    """It asks for nothing."""


TECHNIQUES: Mapping[str, str] = {
    "T1190": "Exploit Public-Facing Application",
    "T1210": "Exploitation of Remote Services",
    "T1110": "Brute Force",
    "T1078": "Valid Accounts",
    "T1021": "Remote Services",
    "T1133": "External Remote Services",
    "T1059": "Command and Scripting Interpreter",
    "T1005": "Data from Local System",
    "T1213": "Data from Information Repositories",
    "T1213.003": "Code Repositories",
    "T1552.001": "Credentials In Files",
    "T1552.005": "Cloud Instance Metadata API",
}
"""All that a step can have, by id, with their names."""
_WAYS_IN: Mapping[Means, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Means.EXPLOIT: (("T1190",), ("T1210",)),
    Means.ACCOUNT: (("T1110", "T1078"), ("T1110", "T1021")),
    Means.UNGUARDED: (("T1133",), ("T1021",)),
}
"""From the outside, and from a machine that is under control. T1133 names services that need no authentication."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a weakness opens."""

    means: Means
    gain: Gain
    effort: int
    techniques: tuple[str, ...] = ()
    """What is done behind the opening."""


_COMMANDS = Rule(Means.EXPLOIT, Gain.CONTROL, _EASY, ("T1059",))
_FILES = Rule(Means.EXPLOIT, Gain.DATA, _EASY, ("T1005",))
_QUERIES = Rule(Means.EXPLOIT, Gain.DATA, _EASY, ("T1213",))
_LOGIN = Rule(Means.ACCOUNT, Gain.CONTROL, _KNOWN)
RULES: Mapping[int, Rule] = {
    77: _COMMANDS,  # command injection
    78: _COMMANDS,  # OS command injection
    94: _COMMANDS,  # code injection
    95: _COMMANDS,  # eval injection
    98: _COMMANDS,  # PHP remote file inclusion
    434: _COMMANDS,  # upload of a file that the server runs
    917: _COMMANDS,  # expression language injection
    1336: _COMMANDS,  # template injection
    502: Rule(Means.EXPLOIT, Gain.CONTROL, _UNKNOWN, ("T1059",)),  # deserialisation: whether it runs code, depends
    798: _LOGIN,  # hard-coded credentials
    1391: _LOGIN,  # weak credentials
    1392: _LOGIN,  # default credentials
    306: Rule(Means.UNGUARDED, Gain.CONTROL, _KNOWN),  # missing authentication for a critical function
    287: Rule(Means.UNGUARDED, Gain.DATA, _KNOWN),  # such as an anonymous login
    89: _QUERIES,  # SQL injection
    564: _QUERIES,  # SQL injection: Hibernate
    943: _QUERIES,  # injection into other query languages
    22: _FILES,  # path traversal
    23: _FILES,
    36: _FILES,
    611: _FILES,  # XML external entities
    918: Rule(Means.EXPLOIT, Gain.DATA, _EASY, ("T1552.005",)),  # server-side request forgery
    538: Rule(Means.UNGUARDED, Gain.DATA, _KNOWN, ("T1552.001",)),  # sensitive file served
    527: Rule(Means.UNGUARDED, Gain.DATA, _KNOWN, ("T1213.003",)),  # version control served
}
"""By CWE. What is not here, such as headers, cookies and TLS, gives nobody a step."""
WEAKNESSES = tuple(key for key, each in CATALOGUE.items() if each.cwe in RULES)
"""The shared weaknesses that open something."""


@value
class Finding:
    """A present vulnerability, as far as it may open something."""

    id: UUID
    target_id: UUID
    title: str
    severity: Severity
    weakness: str = ""
    cve: tuple[str, ...] = ()
    cwe: tuple[int, ...] = ()
    host: str = ""
    port: int = 0
    url: str = ""
    cvss_vector: str = ""
    cause: str = ""
    remediation: str = ""
    risk: int = 0
    confidence: float = 1.0
    false_positive: float | None = None


@value
class Opening:
    """What a finding opens."""

    finding: Finding
    means: Means
    gain: Gain
    why: str
    """Why it does."""
    parts: tuple[Part, ...]
    """Of the effort, whoever stands against it: less is easier."""
    behind: tuple[str, ...] = ()
    """Techniques behind the opening."""
    near: bool = False
    """Whether only the same network reaches it."""

    def techniques(self, *, inside: bool) -> tuple[str, ...]:
        """Those of the step, in their order."""
        return (*_WAYS_IN[self.means][inside], *self.behind)


def opening_of(finding: Finding, known: Known) -> Opening | None:
    """What it opens; None where it gives no step by itself.

    A shared weakness is what was seen, and decides alone; then comes a vector, then the CWE that a tool tells.
    """
    if finding.weakness in CATALOGUE:
        return _by_weakness(finding, (CATALOGUE[finding.weakness].cwe,))
    vector = vector_of(finding.cvss_vector, known)
    if score_of(vector) is not None:
        return _by_vector(finding, _cvss(vector), known)
    if finding.cve and finding.severity is Severity.CRITICAL:
        why = "assumed, for it is critical and has no CVSS vector"
        return Opening(finding, Means.EXPLOIT, Gain.CONTROL, why, (_likelihood(known), *_doubts(finding)))
    return _by_weakness(finding, finding.cwe)


_cvss = lru_cache(maxsize=8_192)(parse)


def _by_weakness(finding: Finding, cwes: Iterable[int]) -> Opening | None:
    known = [(cwe, RULES[cwe]) for cwe in cwes if cwe in RULES]
    if not known:
        return None
    cwe, rule = min(known, key=lambda each: (each[1].gain is Gain.DATA, each[1].effort, each[0]))
    gain = rule.gain
    if rule.means is Means.UNGUARDED and finding.url:
        gain = Gain.DATA  # one address that answers anybody is not the whole service
    base = Part("weakness", rule.effort, _EFFORTS[rule.effort])
    return Opening(
        finding, rule.means, gain, f"CWE-{cwe} gives {gain}", (base, *_doubts(finding)), behind=rule.techniques
    )


def _by_vector(finding: Finding, cvss: Cvss, known: Known) -> Opening | None:
    metrics = cvss.metrics
    names = ("VC", "VI") if cvss.version == "4.0" else ("C", "I")
    secret, whole = (metrics[name] == "H" for name in names)
    if metrics["AV"] not in {"N", "A"} or metrics["PR"] != "N" or metrics["UI"] != "N" or not secret:
        return None
    hard = [f"{name}:{metrics[name]}" for name, easy in (("AC", "L"), ("AT", "N")) if metrics.get(name, easy) != easy]
    conditions = [Part("conditions", HARDER, f"{', '.join(hard)}: it needs luck or preparation")] if hard else []
    told = ", ".join(f"{name}:{metrics[name]}" for name in ("AV", "PR", "UI", *names))
    return Opening(
        finding,
        Means.EXPLOIT,
        Gain.CONTROL if whole else Gain.DATA,
        f"CVSS {cvss.version} {told}",
        (_likelihood(known, metrics.get("E", "")), *conditions, *_doubts(finding)),
        near=metrics["AV"] == "A",
    )


def _likelihood(known: Known, maturity: str = "") -> Part:
    """From what is known of its use: KEV, published exploits, EPSS, and the vector's exploit maturity (E)."""
    if known.kev or maturity == "A":
        return Part("kev", _KNOWN, "known to be exploited")
    if known.exploit or maturity in {"P", "F", "H"}:
        return Part("exploit", _EASY, "an exploit is published")
    if known.epss >= LIKELY:
        return Part("epss", _EASY, f"EPSS {known.epss:.0%}")
    return Part("unknown", _UNKNOWN, "no exploit is known")


def _doubts(finding: Finding) -> Iterable[Part]:
    if finding.confidence < CERTAIN_FROM:
        yield Part("unsure", HARDER, "the tool is not sure")
    if finding.false_positive is not None and finding.false_positive >= PROPOSED:
        yield Part("doubt", HARDER, "likely a false positive")


def obstacles(opening: Opening, controls: Collection[Control], *, inside: bool) -> tuple[Part, ...]:
    """What compensating controls add to the effort of a step.

    By ATT&CK's mitigations: M1050 exploit protection and M1051 update (virtual patches) stand against exploits, M1032
    multi-factor authentication against accounts, M1040 behaviour prevention on endpoints against taking control by an
    exploit, M1030 segmentation against steps inside. Monitoring sees a step and stops none.
    """
    exploit = opening.means is Means.EXPLOIT
    web = bool(opening.finding.url) or opening.finding.port in _WEB_PORTS
    against = {
        Control.WAF: exploit and web,
        Control.VIRTUAL_PATCH: exploit,
        Control.STRONG_AUTHENTICATION: opening.means is Means.ACCOUNT,
        Control.ENDPOINT_PROTECTION: exploit and opening.gain is Gain.CONTROL,
        Control.SEGMENTATION: inside,
    }
    return tuple(
        Part(str(each), HARDER, f"{each.replace('_', ' ')} stands against it")
        for each in controls
        if against.get(each, False)
    )
