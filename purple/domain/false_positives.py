"""Whether a finding is a false positive: what speaks for that and against it, as a sum that anybody can follow.

Each signal is a rule over what was seen, and has a value and a weight; their products are logarithms of odds, and the
score is the probability that they sum to (logistic regression). It proposes and nothing more: a person or a policy that
the organisation wrote down decides, and no severity ever follows it.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

from purple.domain.severity import Severity
from purple.domain.values import value

SHIPPED_VERSION = 1
"""Counts up where the same facts come to another score; then all that is stored is scored again."""
PROPOSED = 0.8
"""From here on a finding is proposed as a false positive."""
NOTED = 0.15
"""Less is no more than any finding has, and is not kept."""
HELD = 0.5
"""No more than this where a critical finding was seen by several tools that do not depend on each other."""
GUESSED = frozenset({"file-exposed", "path-found", "repository-exposed", "directory-listing"})
"""Weaknesses that tools tell of by guessing paths: a server that answers every path makes all of them."""
MIN_VERDICTS = 3
"""So many verdicts on a rule or a weakness, before they say anything of the next one."""
UNSURE_FROM = 0.8
"""A tool that is surer than this is taken at its word."""
READ = 1_200
"""Characters of what a tool said that are read."""
_SOME_GUESSES, _MANY_GUESSES = 12, 36
_MOST = 4.0
"""Odds that verdicts alone can give, as a logarithm."""
_BEFORE = (0.5, 1.5)
"""Verdicts, false and true, that each rule is given before the first one (a beta distribution)."""

SHIPPED: Mapping[str, float] = {
    "prior": -2.6,
    "backport": 3.6,
    "version": 0.8,
    "newer": 3.8,
    "product": 3.8,
    "crowd": 4.6,
    "settled": 2.2,
    "silent": 0.7,
    "unsure": 1.4,
    "hint": 2.0,
    "agreed": -2.0,
    "measured": -2.0,
    "rule": 1.0,
    "weakness": 0.4,
}
"""Weights by signal; those below 0 speak for a finding."""


@value
class Ability:
    """Weaknesses that a tool looks for, by their shared names."""

    sees: frozenset[str] = frozenset()
    """It may see them; that it does not says little."""
    settles: frozenset[str] = frozenset()
    """It measures them: where a complete scan does not tell of one, it is not there."""


Abilities = Mapping[str, Ability]
"""By tool."""


@value
class Telling:
    """What one tool said of a flaw."""

    tool: str
    rule: str
    text: str
    """Title, evidence and description: the tool's own and hostile, only ever searched."""
    confidence: float = 1.0
    settles: bool = False
    """Whether the tool measures such a weakness."""
    observation_id: UUID | None = None


@value
class Silence:
    """A tool that looked at the place to the end, could have seen the flaw, and never did."""

    tool: str
    settles: bool = False


@value
class Case:
    """All that is known of a finding and of the place where it is."""

    severity: Severity
    weakness: str
    told: tuple[Telling, ...]
    cve: tuple[str, ...] = ()
    banners: tuple[str, ...] = ()
    """What the service there says it is, as tools read it."""
    silent: tuple[Silence, ...] = ()
    guesses: int = 0
    """Findings of guessed paths at the same service."""

    @property
    def keys(self) -> tuple[str, ...]:
        """What verdicts on it are kept under."""
        rules = tuple(sorted({f"rule {each.rule}" for each in self.told}))
        return (*rules, f"weakness {self.weakness}") if self.weakness else rules


Past = Mapping[str, tuple[int, int]]
"""An organisation's verdicts, how many false and how many true, by the keys of a case."""


@value
class Reason:
    """One term of the sum."""

    name: str
    """Stable: a name of SHIPPED, or `held`."""
    weight: float
    """What it adds to the logarithm of the odds, rounded to two digits."""
    detail: str
    """For people; hostile where it quotes a banner."""
    observation_ids: tuple[UUID, ...] = ()
    """What it rests on, where that was observed."""


@dataclass(frozen=True, slots=True)
class Model:
    """Weights, and the verdicts that two of them are about."""

    weights: Mapping[str, float] = field(default_factory=lambda: SHIPPED)
    past: Past = field(default_factory=dict)
    version: int = 0
    """Counts up with each that an organisation's verdicts taught; 0 is the one that is shipped."""


@value
class Doubt:
    """How likely a finding is false, and why."""

    score: float
    """0 to 1, rounded to three digits."""
    reasons: tuple[Reason, ...]
    """The prior first; empty where nothing speaks against the finding."""


NO_DOUBT = Doubt(0.0, ())


def assess(case: Case, model: Model) -> Doubt:
    """The probability that a finding is false, with its reasons; none where no signal says so."""
    told = [(each, model.weights[each.name] * each.value) for each in signals(case, model.past)]
    if not any(points > 0 for _, points in told):
        return NO_DOUBT
    prior = model.weights["prior"]
    score = probability(prior + sum(points for _, points in told))
    reasons = [Reason("prior", round(prior, 2), "what is found is mostly there")]
    reasons += [Reason(one.name, round(points, 2), one.detail, one.observation_ids) for one, points in told]
    if score > HELD and _is_held(case):
        reasons.append(Reason("held", 0.0, "critical, and several tools saw it: it is never proposed as false"))
        score = HELD
    return Doubt(round(score, 3), tuple(reasons))


def noted_below(model: Model) -> float:
    """The confidence below which that alone is worth to be kept."""
    missing = math.log(NOTED / (1 - NOTED)) - model.weights["prior"]
    weight = model.weights["unsure"]
    return UNSURE_FROM * (1 - missing / weight) if weight > 0 else 0.0


def probability(odds: float) -> float:
    """Of the logarithm of odds."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))


@value
class Signal:
    """One rule that has something to say of a case."""

    name: str
    value: float
    """More of it says more; what it says is its weight's sign, but for verdicts, which say either."""
    detail: str
    observation_ids: tuple[UUID, ...] = ()


def signals(case: Case, past: Past) -> tuple[Signal, ...]:
    """What the rules say, in a fixed order and whatever the order of what was told."""
    found = (*_of_versions(case), *_of_place(case), *_of_tools(case), *_of_past(case, past))
    return tuple(each for each in found if each.value)


_VERSION_ONLY = re.compile(
    r"(?:installed|fixed|detected|reported|running|remote)\s+(?:package |product )?version\b"
    r"|version\s+source\b|according to (?:its|the) .{0,40}?\b(?:banner|version)\b|self-reported version"
    r"|version of .{1,80}? (?:prior to|before|earlier than|older than)\b",
    re.IGNORECASE | re.DOTALL,
)
"""As scanners say that they compared a version, and did nothing else."""
_DISTRIBUTION = re.compile(
    r"\b(?:debian|ubuntu|raspbian|red ?hat|rhel|centos|almalinux|rocky|fedora|suse|amazon linux)\b"
    r"|[-+~.](?:deb\d+u\d+|\d*ubuntu[\d.]+|el[5-9](?:_\d+)?|amzn\d)\b",
    re.IGNORECASE,
)
_PRODUCTS = {
    "web": {
        "Apache httpd": r"\bapache\b(?![\s/_-]{0,3}(?:tomcat|struts|log4j|solr|axis|coyote|traffic))",
        "nginx": r"\bnginx\b",
        "IIS": r"\biis\b|\bmicrosoft-httpapi\b",
        "lighttpd": r"\blighttpd\b",
        "Tomcat": r"\btomcat\b|\bapache-coyote\b",
        "Jetty": r"\bjetty\b",
        "Python http.server": r"\bbasehttp\b|\bsimplehttp\b|\bbasehttpserver\b",
    },
    "ssh": {"OpenSSH": r"\bopenssh\b", "Dropbear": r"\bdropbear\b", "libssh": r"\blibssh\b"},
    "ftp": {"ProFTPD": r"\bproftpd\b", "vsftpd": r"\bvsftpd\b", "Pure-FTPd": r"\bpure-?ftpd\b"},
    "mail": {"Exim": r"\bexim\b", "Postfix": r"\bpostfix\b", "Sendmail": r"\bsendmail\b"},
}
_MEANT = {
    role: {name: re.compile(pattern, re.IGNORECASE) for name, pattern in products.items()}
    for role, products in _PRODUCTS.items()
}


OF_INTEREST = (
    "version", "banner", "apache", "nginx", "iis", "httpapi", "lighttpd", "tomcat", "coyote", "jetty", "basehttp",
    "simplehttp", "openssh", "dropbear", "libssh", "proftpd", "vsftpd", "pureftpd", "pure-ftpd", "exim", "postfix",
    "sendmail", "seems safe", "consider possible", "check for execution", "be interesting", "ly interesting",
    "should be manually", "for permitted",
)  # fmt: skip
"""One of these, in small letters, is in every text of which a rule about words can have something to say."""


@lru_cache(maxsize=4_096)
def _read(text: str) -> str:
    """What is read of a text; nothing where no rule could find anything in it, which is much faster to see."""
    text = text[:READ]
    small = text.lower()
    return text if any(each in small for each in OF_INTEREST) else ""


def rests_on_version(case: Case, one: Telling) -> bool:
    """Whether a tool compared a version and looked at nothing else."""
    if not case.cve or one.settles:
        return False
    return bool(_VERSION_ONLY.search(_read(one.text)))


def _of_versions(case: Case) -> Iterable[Signal]:
    compared = [each for each in case.told if rests_on_version(case, each)]
    if compared and len(compared) == len(case.told):
        ids = _ids(compared)
        read = (*sorted(case.banners), *sorted(each.text for each in compared))
        if told := next(filter(None, map(_distribution, read)), ""):
            detail = f"it rests on a version alone, and {told} mends flaws without a new version"
            yield Signal("backport", 1.0, detail, ids)
        else:
            yield Signal("version", 1.0, "it rests on a version alone", ids)
    if compared and (newer := _newer(case, compared)):
        yield Signal("newer", 1.0, newer, _ids(compared))
    if case.cve and case.banners and (wrong := _other_product(case)):
        meant, there = wrong
        yield Signal("product", 1.0, f"it is about {meant}, and the service says that it is {there}", _ids(case.told))


_FIXED = re.compile(r"fixed version\s*:\s*([\d., /]{1,60})", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,6}){1,4}")
_SAID = re.compile(r"\b([A-Za-z][A-Za-z+-]{1,20})[/_ ](\d{1,6}(?:\.\d{1,6}){1,4})")


def _newer(case: Case, compared: Sequence[Telling]) -> str:
    """Where the service says a version in which everything is mended that was compared with; empty elsewhere."""
    said = {(name, number) for banner in case.banners for name, number in _SAID.findall(banner)}
    fixed = [
        number for each in compared for found in _FIXED.findall(_read(each.text)) for number in _NUMBER.findall(found)
    ]
    titles = " ".join(each.text.partition("\n")[0].lower() for each in compared)
    for name, number in sorted(said):
        if fixed and re.search(rf"\b{re.escape(name.lower())}\b", titles) and _order(number) >= max(map(_order, fixed)):
            return f"the service says {name} {number}, and {max(fixed, key=_order)} is not open to it"
    return ""


def _order(number: str) -> tuple[int, ...]:
    return tuple(map(int, number.split(".")))


def _distribution(text: str) -> str:
    found = _DISTRIBUTION.search(text[:READ])
    return f"a distribution ({found[0].strip('-+~.')})" if found else ""


def _other_product(case: Case) -> tuple[str, str] | None:
    """What the finding is about and what is there, where both are servers of one kind and not the same."""
    banner, text = " ".join(sorted(case.banners)), " ".join(sorted(_read(each.text) for each in case.told))
    for products in _MEANT.values():
        there = {name for name, pattern in products.items() if pattern.search(banner)}
        meant = {name for name, pattern in products.items() if pattern.search(text)} if there else set()
        if meant and not meant & there:
            return min(meant), min(there)
    return None


def _of_place(case: Case) -> Iterable[Signal]:
    if case.weakness in GUESSED and case.guesses > _SOME_GUESSES and not any(map(_shows_it, case.told)):
        many = min(1.0, (case.guesses - _SOME_GUESSES) / (_MANY_GUESSES - _SOME_GUESSES))
        detail = f"{case.guesses} guessed paths answer at this service, as where every path does"
        yield Signal("crowd", many, detail, _ids(case.told))


_PROVEN = 0.95
"""A tool that guesses is never so sure."""
_AS_FILE = re.compile(r"^status 2\d\d, \S+, (?!text/html)[a-z]+/[a-z]", re.MULTILINE)
"""Answered as something that is no page: where every path is answered, that is done with a page."""


def _is_proof(one: Telling) -> bool:
    """Whether a tool read what a path serves, rather than that it answers."""
    return one.confidence >= _PROVEN


def _shows_it(one: Telling) -> bool:
    return _is_proof(one) or bool(_AS_FILE.search(one.text[:READ]))


_HINT = re.compile(
    r"\bseems safe\b|\bconsider possible\b|\bcheck for execution of untrusted\b|\bmight be interesting\b"
    r"|\bpotentially interesting\b|\bshould be manually (?:re)?viewed\b|\baudit .{1,40} for permitted\b",
    re.IGNORECASE,
)


def _of_tools(case: Case) -> Iterable[Signal]:
    settled = sorted({each.tool for each in case.silent if each.settles})
    silent = sorted({each.tool for each in case.silent} - set(settled))
    if settled:
        said = f"{' and '.join(settled)} measured it to the end and did not find it"
        yield Signal("settled", float(min(len(settled), 2)), said)
    if silent:
        said = f"{' and '.join(silent)} looked to the end and did not see it"
        yield Signal("silent", min(len(silent), 3) / 2, said)
    best = max((each.confidence for each in case.told), default=1.0)
    if best < UNSURE_FROM:
        unsure = (UNSURE_FROM - max(0.0, best)) / UNSURE_FROM
        yield Signal("unsure", unsure, f"no tool is surer than {best:.0%}", _ids(case.told))
    if all(_HINT.search(_read(each.text)) for each in case.told):
        yield Signal("hint", 1.0, "the tool's own words only ask to look at it", _ids(case.told))
    if len(tools := independent(case)) > 1:
        seen = [each for each in case.told if each.tool in tools]
        yield Signal("agreed", float(min(len(tools) - 1, 2)), f"{' and '.join(sorted(tools))} saw it", _ids(seen))
    if measured := [each for each in case.told if each.settles]:
        names = sorted({each.tool for each in measured})
        yield Signal("measured", 1.0, f"{' and '.join(names)} measured it", _ids(measured))


def independent(case: Case) -> set[str]:
    """Tools that saw it, but for those that compared a version or guessed where every path answers."""
    crowded = case.weakness in GUESSED and case.guesses > _SOME_GUESSES
    return {each.tool for each in case.told if not rests_on_version(case, each) and (not crowded or _is_proof(each))}


def _is_held(case: Case) -> bool:
    return case.severity is Severity.CRITICAL and len({each.tool for each in case.told}) > 1


def _of_past(case: Case, past: Past) -> Iterable[Signal]:
    for name in ("rule", "weakness"):
        counts = [past[key] for key in case.keys if key.startswith(f"{name} ") and key in past]
        false, true = sum(each[0] for each in counts), sum(each[1] for each in counts)
        if false + true >= MIN_VERDICTS:
            odds = math.log((false + _BEFORE[0]) / (true + _BEFORE[1])) - math.log(_BEFORE[0] / _BEFORE[1])
            detail = f"{false} of {false + true} verdicts on this {name} said false positive"
            yield Signal(name, max(-_MOST, min(_MOST, odds)), detail)


def _ids(told: Iterable[Telling]) -> tuple[UUID, ...]:
    return tuple(sorted(each.observation_id for each in told if each.observation_id))


def words(reasons: Sequence[Reason]) -> tuple[str, ...]:
    """The reasons in words, those that weigh most first."""
    told = sorted((each for each in reasons if each.name != "prior"), key=lambda each: -abs(each.weight))
    return tuple(f"{each.detail} ({each.weight:+.1f})" for each in told)
