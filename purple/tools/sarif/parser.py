"""SARIF 2.1.0. Source: the OASIS standard of 27 March 2020 with Errata 01."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, clip
from purple.domain.severity import Severity
from purple.toolkit.code_rules import weakness_of
from purple.toolkit.parts import read_parts
from purple.tools.sarif.identity import apart, cves, cwes, name_of, package_of, path_of

LIMIT = 1024**3
"""Bytes; a result is one or two KB."""
MAX_RULES = 20_000
_VERSION = "version"
_TOOL = "runs.*.tool"
_NAME = "runs.*.tool.driver.name"
_RULES = "runs.*.tool.driver.rules.*"
_MORE_RULES = "runs.*.tool.extensions.*.rules.*"
"""Of query packs and plugins, which results name by their ids."""
_ALL_RULES = (_RULES, _MORE_RULES)
_SUCCESS = "runs.*.invocations.*.executionSuccessful"
_RESULTS = "runs.*.results"
_RESULT = "runs.*.results.*"
_BESIDE = (_VERSION, _NAME, *_ALL_RULES, _SUCCESS)
_OPENED = ("runs.*", _TOOL, _RESULTS)
_LEVELS = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "note": Severity.LOW, "none": Severity.INFO}
_SCORES = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.1, Severity.LOW))
"""The bands of CVSS, by which `security-severity` is read."""
_NO_FLAW = {"pass", "notApplicable", "informational"}
_CONFIDENCE = {"very-high": 1.0, "high": 0.9, "medium": 0.7, "low": 0.4}
_SECRET_TOOLS = {"gitleaks", "trufflehog", "detect-secrets"}
_HARD_CODED = 798
_PASSWORDS = frozenset((259, 321))
"""Hard-coded passwords and keys, which tools of code suspect and quote; a tool that is made for secrets masks them."""
_PORTS = {"http": 80, "https": 443}
_MAX_LINE = 2**31 - 1


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a file says of a rule: worked out once, for thousands of results may name it."""

    id: str = ""
    name: str = ""
    level: str = ""
    score: Any = None
    precision: str = ""
    cwe: tuple[int, ...] = ()
    secret: bool = False
    quotes: bool = False
    """Whether what it says of a result may hold a password."""
    purl: str = ""
    references: tuple[str, ...] = ()
    title: str = ""
    description: str = ""


_UNKNOWN = _Rule()


@dataclass(slots=True)
class _Run:
    """What a file says of one run beside its results."""

    tool: str = ""
    """As its rules are named."""
    of_secrets: bool = False
    """Whether secrets are all that its tool looks for."""
    told: bool = False
    """Whether its tool, and with it its rules, came already."""
    examined: bool = False
    """Whether it has a list of results; without one its tool found no way to look."""
    failed: bool = False
    rules: list[_Rule] = field(default_factory=list)
    by_id: dict[str, _Rule] = field(default_factory=dict)


class _About:
    """What a file says beside its results, as far as it was read."""

    def __init__(self) -> None:
        self.runs: dict[int, _Run] = {}
        self.ahead = False
        """Whether it was read to the end before the results, and is not to be told again."""
        self._version: Any = None
        self._rules = 0

    def take(self, path: str, number: int, value: Any) -> None:
        """One part of the run of this number."""
        if self.ahead:
            return
        if path == _VERSION:
            self._version = value
            return
        run = self.runs.setdefault(number, _Run())
        if path == _TOOL:
            run.told = True
        elif path == _NAME:
            run.tool = name_of(clip(str(value), 100))
            run.of_secrets = run.tool.lower() in _SECRET_TOOLS
        elif path == _RESULTS:
            run.examined = True
        elif path == _SUCCESS:
            run.failed |= value is False
        elif path in _ALL_RULES and self._rules < MAX_RULES:
            self._rules += 1
            rule = _rule(_table(value))
            run.by_id.setdefault(rule.id, rule)
            if path == _RULES:
                run.rules.append(rule)

    def before(self, number: int, stream: BinaryIO) -> "_About":
        """What the results of a run are read by: this, or what comes behind them as well, read ahead.

        Raises:
            ParseError: no SARIF 2.1.0.
        """
        if self.ahead or (self._version == "2.1.0" and self.runs[number].told):
            return self
        about, place = _About(), stream.tell()
        stream.seek(0)
        try:
            for part in read_parts(stream, _BESIDE, LIMIT, _OPENED):
                about.take(*part)
        except ParseError:
            pass  # reading the results meets the same end, and tells of it
        else:
            about.check_version()
        finally:
            stream.seek(place)
        about.ahead = True
        return about

    def check_version(self) -> None:
        """Make sure that this is what is read here.

        Raises:
            ParseError: no SARIF 2.1.0.
        """
        if self._version != "2.1.0":
            raise ParseError(f"this is no SARIF 2.1.0: its version is {str(self._version)[:40]!r}", offset=0)

    def check(self) -> None:
        """Make sure that all runs got through.

        Raises:
            ParseError: one did not, or there is none.
        """
        self.check_version()
        if not self.runs:
            raise ParseError("the file holds no run", offset=0, unit="runs")
        for number, run in self.runs.items():
            if run.failed or not run.examined:
                said = "did not succeed, as the file says" if run.failed else "has no list of results"
                raise ParseError(
                    f"run {number} of {run.tool or 'a tool without a name'} {said}", offset=number, unit="runs"
                )


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """The flaws that the runs of a file tell of; what was suppressed or passed is none.

    A writer may put its rules after its results: then the stream is read twice, and must be seekable.

    Raises:
        ParseError: no SARIF 2.1.0, one that breaks off, or a run that did not succeed; what could be read has been
            yielded.
    """
    about, broken = _About(), 0
    for path, number, value in read_parts(stream, (*_BESIDE, _RESULT), LIMIT, _OPENED):
        if path == _RESULT:
            try:
                seen = _flaw(value, about.runs[number])
            except (KeyError, TypeError, AttributeError, ValueError, IndexError):
                broken += 1
                continue
            if seen is not None:
                yield seen
            continue
        about.take(path, number, value)
        if path == _RESULTS:
            about = about.before(number, stream)
    if broken:
        raise ParseError(f"{broken} results are not as SARIF has them", offset=broken, unit="results")
    about.check()


def _rule(rule: dict[str, Any]) -> _Rule:
    properties = _table(rule.get("properties"))
    configuration = _table(rule.get("defaultConfiguration"))
    tags = [str(tag)[:100].lower() for tag in _list(properties.get("tags"))[:50]]
    cwe = cwes(properties, [_table(each).get("target") for each in _list(rule.get("relationships"))])
    page = clip(str(rule.get("helpUri") or ""), 500)
    secret = _HARD_CODED in cwe or any("secret" in tag.split() for tag in tags)
    return _Rule(
        id=clip(str(rule.get("id") or ""), 200),
        name=clip(str(rule.get("name") or ""), 200).replace("_", " "),
        level=str(configuration.get("level") or "")[:20],
        score=properties.get("security-severity"),
        precision=str(properties.get("precision") or "")[:20],
        cwe=cwe,
        secret=secret,
        quotes=not secret and not _PASSWORDS.isdisjoint(cwe),
        purl=_purl(properties),
        references=(page,) if page else (),
        title=_text(rule.get("shortDescription"))[:200],
        description=_text(rule.get("fullDescription"))[:2000],
    )


def _flaw(result: Any, run: _Run) -> Observation | None:
    if result is None:
        raise ValueError("too large")
    if result.get("kind") in _NO_FLAW or result.get("baselineState") == "absent":
        return None
    if "suppressions" in result and _suppressed(result):
        return None
    name, rule = _rule_of(result, run)
    secret = rule.secret or run.of_secrets
    place, snippet = _place(result, run.tool)
    message = _text(result.get("message"))
    properties = _table(result.get("properties"))
    severity = _severity(result, properties, rule, secret=secret)
    cwe = _cwe(result, properties, rule)
    if package := package_of(name, message, _purl(properties) or rule.purl, place.path):
        told = _described(message, rule)
        named = replace(package, title=rule.title, description=told, references=rule.references)
        return replace(named, severity=severity, cwe=cwe).seen()
    if rule.quotes:
        message = ""
    return Observation(
        kind=ObservationKind.FLAW,
        rule=_named(run.tool, name),
        title=clip((message or rule.title or rule.name or name).strip().partition("\n")[0], 200),
        location=place,
        severity=severity,
        flaw_class=FlawClass.ENDPOINT if place.url else FlawClass.SECRET if secret else FlawClass.CODE,
        weakness=weakness_of(run.tool, name),
        cve=cves(name),
        cwe=cwe,
        description=_described(message, rule),
        # a secret is not copied to one more place: the artifact has it
        evidence="" if secret or rule.quotes else clip(snippet),
        references=rule.references,
        confidence=_confidence(properties, rule),
        # what is of a page is told apart by its path, and what stands in an answer changes
        attributes={} if place.url else apart(result, snippet, secret=secret),
    )


def _described(message: str, rule: _Rule) -> str:
    return clip(f"{message}\n\n{rule.description}".strip()) if rule.description else message


@lru_cache(maxsize=1024)
def _named(tool: str, rule: str) -> str:
    return clip(f"{tool or 'sarif'}:{rule}", 300)


def _cwe(result: dict[str, Any], properties: dict[str, Any], rule: _Rule) -> tuple[int, ...]:
    """Its own beside those of its rule."""
    if "taxa" in result or "tags" in properties or "cwe" in properties:
        return tuple(dict.fromkeys((*rule.cwe, *cwes(properties, result.get("taxa")))))[:10]
    return rule.cwe


def _purl(properties: dict[str, Any]) -> str:
    """The package-url, where there is one and no other."""
    if "purl" not in properties and "purls" not in properties:
        return ""
    several = _list(properties.get("purls"))
    return str(properties.get("purl") or (several[0] if len(several) == 1 else ""))[:1000]


def _suppressed(result: dict[str, Any]) -> bool:
    """Whether somebody accepted the result; a request that is under review or was rejected does not count."""
    return any(_table(each).get("status", "accepted") == "accepted" for each in _list(result.get("suppressions")))


def _rule_of(result: dict[str, Any], run: _Run) -> tuple[str, _Rule]:
    """The rule's id, and what the run says of the rule; `CA1000/1` is a part of `CA1000`."""
    reference = _table(result.get("rule"))
    name = str(result.get("ruleId") or reference.get("id") or "")
    index = result.get("ruleIndex", reference.get("index", -1))
    if not name and isinstance(index, int) and 0 <= index < len(run.rules):
        return run.rules[index].id, run.rules[index]
    return name or "unnamed", run.by_id.get(name) or run.by_id.get(name.rpartition("/")[0], _UNKNOWN)


def _place(result: dict[str, Any], tool: str) -> tuple[Location, str]:
    """Where the first location is, and the whole of what is written there."""
    locations = _list(result.get("locations"))
    physical = _table(_table(locations[0] if locations else None).get("physicalLocation"))
    region = _table(physical.get("region"))
    uri = str(_table(physical.get("artifactLocation")).get("uri") or "")
    line = region.get("startLine")
    number = line if isinstance(line, int) and 0 < line <= _MAX_LINE else 0
    snippet = _said(region.get("snippet"))
    if _is_plain(uri):
        return Location(path=path_of(tool, uri), line=number), snippet
    parts = urlsplit(uri)
    if parts.scheme in _PORTS:
        port = parts.port or _PORTS[parts.scheme]
        return Location(clip(parts.hostname or "", 300), port, "tcp", url=clip(uri, 2048), line=number), snippet
    path = path_of(tool, unquote(parts.path if parts.scheme == "file" else uri))
    return Location(path=path, line=number), snippet


def _is_plain(uri: str) -> bool:
    """Whether it is a relative path with nothing to split off or decode, as most are."""
    return uri.isprintable() and not (":" in uri or "%" in uri or "//" in uri)


def _severity(result: dict[str, Any], properties: dict[str, Any], rule: _Rule, *, secret: bool) -> Severity:
    """A score stands over a level; a secret without either is serious."""
    given = properties.get("security-severity", rule.score)
    if given is not None:
        try:
            score = float(given)
        except (TypeError, ValueError):
            score = -1.0
        if score >= 0:
            return next((severity for least, severity in _SCORES if score >= least), Severity.INFO)
    level = str(result.get("level") or rule.level or "")
    return _LEVELS.get(level, Severity.HIGH if secret else Severity.MEDIUM)


def _confidence(properties: dict[str, Any], rule: _Rule) -> float:
    said = str(properties.get("issue_confidence") or rule.precision or "")
    return _CONFIDENCE.get(said.lower(), 0.8)


def _text(message: Any) -> str:
    return clip(_said(message))


def _said(message: Any) -> str:
    found = _table(message)
    return str(found.get("text") or found.get("markdown") or "")


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
