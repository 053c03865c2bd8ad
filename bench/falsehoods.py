"""Which findings are false, against the truth beside them.

`falsehoods.tsv` holds what real tools said of targets whose flaws are known, one line each: the part, the target, the
sample, the tool's rule and the place, whether it is false, and why a person says so. A sample of a tool that looked to
the end and saw nothing stands there with the rule `-`. Whole targets are held out, and whole tools: what those say of
the known targets too. Shipped weights were chosen with the known part alone before their eyes.

What stands beside the shipped weights is what an organisation's own verdicts would make of them, which here are those
on the known part: its rules and weaknesses are then a past, and its weights are fitted.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from bench.correlation import HELD_OUT, place_of
from bench.measures import Measure, measure
from purple.domain.calibration import Example, Figures, figures
from purple.domain.false_positives import GUESSED, READ, Ability, Case, Model, Silence, Telling, assess, probability
from purple.domain.fingerprints import fingerprint, port_of
from purple.domain.observations import Observation, ObservationKind
from purple.domain.severity import Severity
from purple.services.false_positives import teach
from purple.toolkit.tools.plugins import Plugin, load_plugins

TRUTH = Path(__file__).with_suffix(".tsv")
NOTHING = "-"
_HEADER = re.compile(r"(?:X-Powered-By|Server): [^\n]{1,200}")
HELD_OUT_TOOLS = frozenset({"dirsearch", "nmap", "testssl", "wapiti"})
PARTS = ("known", "held-out target", "held-out tool")
PRECISION, RECALL = 0.95, 0.7


@dataclass(frozen=True)
class Line:
    """One line of the truth."""

    part: str
    target: str
    sample: str
    rule: str
    place: str
    false: bool
    why: str


@dataclass(frozen=True)
class Finding:
    """One finding with its truth."""

    part: str
    """`known`, `held-out target` or `held-out tool`."""
    key: str
    """Its fingerprint."""
    name: str
    case: Case
    false: bool


@dataclass(frozen=True)
class _Seen:
    """What one tool said, or where it looked and said nothing."""

    line: Line
    plugin: Plugin
    seen: Observation | None
    port: int

    @property
    def tool(self) -> str:
        return self.plugin.spec.name

    @property
    def key(self) -> str:
        """Of its flaw."""
        if self.seen is None:
            return ""
        return fingerprint(uuid5(NAMESPACE_URL, self.line.target), self.seen, self.plugin.spec.fingerprint_fields)


def truth() -> list[Line]:
    """As it was written."""
    with TRUTH.open(newline="") as file:
        return [Line(**line | {"false": line["false"] == "yes"}) for line in csv.DictReader(file, delimiter="\t")]


def findings() -> list[Finding]:
    """All of them; each target's known part is built without what held-out tools say.

    Raises:
        ValueError: the truth and the samples do not speak of the same, or call one finding both false and true.
    """
    found: list[Finding] = []
    lines = truth()
    _check(lines)
    for target in sorted({each.target for each in lines}):
        mine = [each for each in lines if each.target == target]
        known = [each for each in mine if _plugin(each.sample).spec.name not in HELD_OUT_TOOLS]
        if mine[0].part == "held out":
            found += _of_target("held-out target", mine)
            continue
        found += _of_target("known", known)
        keys = {each.key for each in found if each.part == "known"}
        found += [each for each in _of_target("held-out tool", mine) if each.key not in keys]
    return found


def _check(lines: Sequence[Line]) -> None:
    """Refuse a truth that is silent on some finding of a sample: nothing is picked out."""
    told = {(each.sample, each.rule, each.place) for each in lines if each.rule != NOTHING}
    there = {
        (sample, each.rule, place_of(each))
        for sample in {each.sample for each in lines}
        for each in _read(sample)
        if each.kind is ObservationKind.FLAW
    }
    if told != there:
        raise ValueError(f"only told or only there: {sorted(told ^ there)[:5]}")


def _of_target(part: str, lines: Sequence[Line]) -> Iterator[Finding]:
    seen = [each for line in lines for each in _seen(line)]
    banners = _banners({each.sample for each in lines})
    flaws: dict[str, list[_Seen]] = {}
    for each in seen:
        if each.seen is not None:
            flaws.setdefault(each.key, []).append(each)
    guesses: dict[int, int] = {}
    for one in flaws.values():
        if _weakness(one) in GUESSED:
            guesses[one[0].port] = guesses.get(one[0].port, 0) + 1
    for one in flaws.values():
        if len({each.line.false for each in one}) > 1:
            raise ValueError(f"false and true at once: {one[0].line} {one[1].line}")
        name = f"{one[0].line.target} {one[0].line.rule} {one[0].line.place}"
        yield Finding(part, one[0].key, name, _case(one, seen, banners, guesses), one[0].line.false)


def _case(
    one: Sequence[_Seen], all_seen: Sequence[_Seen], banners: Mapping[int, set[str]], guesses: Mapping[int, int]
) -> Case:
    weakness, port = _weakness(one), one[0].port
    observed = [each.seen for each in one if each.seen is not None]
    told = {each.tool: each for each in reversed(one)}
    silent = {
        each.tool: weakness in each.plugin.spec.settles
        for each in all_seen
        if each.tool not in told
        and weakness in {*each.plugin.spec.sees, *each.plugin.spec.settles}
        and (port == 0 or each.port in {0, port})
    }
    cve = tuple(sorted({cve for each in observed for cve in each.cve}))
    return Case(
        severity=max((each.severity for each in observed), key=lambda each: each.rank),
        weakness=weakness,
        told=tuple(_telling(each, weakness) for _, each in sorted(told.items())),
        cve=cve,
        banners=tuple(sorted(banners.get(port, ()))) if cve else (),
        silent=tuple(Silence(tool, settles) for tool, settles in sorted(silent.items())),
        guesses=guesses.get(port, 0) if weakness in GUESSED else 0,
    )


def _telling(one: _Seen, weakness: str) -> Telling:
    seen = one.seen
    if seen is None:
        raise ValueError(f"{one.line} said nothing")
    text = f"{seen.title}\n{seen.evidence}"[:900] + f"\n{seen.description[:300]}"
    settles = weakness in Ability(settles=frozenset(one.plugin.spec.settles)).settles
    return Telling(one.tool, seen.rule, text[:READ], seen.confidence, settles)


def _weakness(one: Sequence[_Seen]) -> str:
    return next((each.seen.weakness for each in one if each.seen is not None and each.seen.weakness), "")


def _seen(line: Line) -> Iterator[_Seen]:
    plugin = _plugin(line.sample)
    if line.rule == NOTHING:
        yield _Seen(line, plugin, None, int(line.place))
        return
    there = [each for each in _read(line.sample) if (each.rule, place_of(each)) == (line.rule, line.place)]
    yield from (_Seen(line, plugin, each, port_of(each)) for each in there)


def _banners(samples: set[str]) -> dict[int, set[str]]:
    """What services say they are, by port, as an analysis reads it."""
    found: dict[int, set[str]] = {}
    for sample in samples:
        for each in _read(sample):
            if each.kind is ObservationKind.SERVICE and each.service:
                told = " ".join(filter(None, (each.service.product, each.service.version, each.service.banner)))
                found.setdefault(each.location.port, set()).update({told} - {""})
            elif header := _HEADER.search(each.evidence):
                found.setdefault(port_of(each), set()).add(header[0])
    return found


@cache
def _plugins() -> Mapping[str, Plugin]:
    return load_plugins()


def _files(sample: str) -> Iterator[tuple[Plugin, Path]]:
    for plugin in _plugins().values():
        for file in (plugin.folder / "samples" / sample, HELD_OUT / plugin.folder.name / sample):
            if file.exists():
                yield plugin, file


@cache
def _plugin(sample: str) -> Plugin:
    found = next(_files(sample), None)
    if found is None:
        raise ValueError(f"there is no sample {sample}")
    return found[0]


@cache
def _read(sample: str) -> tuple[Observation, ...]:
    plugin, file = next(_files(sample))
    with file.open("rb") as stream:
        return tuple(plugin.parser.parse(stream))


def told_of(some: Sequence[Finding], model: Model) -> list[tuple[float, bool]]:
    """Each score beside the truth; where nothing speaks against a finding it is as likely as the prior says."""
    floor = probability(model.weights["prior"])
    return [(assess(each.case, model).score or floor, each.false) for each in some]


def models(found: Sequence[Finding]) -> dict[str, Model]:
    """The shipped one, and the one that verdicts on the known part teach."""
    examples = [Example(each.case, each.false, n % 5) for n, each in enumerate(found) if each.part == "known"]
    weights, past, *_ = teach(examples)
    return {"shipped": Model(), "taught by the known part": Model(weights, past, 1)}


def hidden(some: Sequence[Finding], model: Model) -> list[Finding]:
    """Critical findings that are true, and would be proposed as false."""
    return [
        each
        for each, (score, false) in zip(some, told_of(some, model), strict=True)
        if score >= 0.8 and not false and each.case.severity is Severity.CRITICAL
    ]


def parts(found: Sequence[Finding]) -> dict[str, list[Finding]]:
    """Those that are told of: each part, all that is held out, and of that what is no guessed path."""
    held_out = [each for each in found if each.part != "known"]
    told = {part: [each for each in found if each.part == part] for part in PARTS}
    return told | {
        "held out": held_out,
        "of that without guessed paths": [each for each in held_out if each.case.weakness not in GUESSED],
    }


def run(*, full: bool) -> Iterator[Measure]:  # noqa: ARG001 - every group has it
    """Precision and recall of each part; of all that is held out also calibration, beside what most of them are."""
    found = findings()
    critical = [each for each in found if each.case.severity is Severity.CRITICAL and not each.false]
    for name, model in models(found).items():
        for part, some in parts(found).items():
            told = figures(told_of(some, model))
            about = f"{part}, {name}, n {told.n}, {told.false} false, {told.proposed} proposed"
            yield from _told(about, told, judged=part == "held out")
            yield from _calibrated(about, told) if part == "held out" else ()
        yield measure(
            f"false positives, true critical findings proposed, {name}, n {len(critical)}",
            len(hidden(found, model)),
            "findings",
            ("all of them", len(critical)),
            "none",
            lambda value, _: value == 0,
        )


def _told(about: str, told: Figures, *, judged: bool) -> Iterator[Measure]:
    yield measure(
        f"false positives, precision, {about}",
        told.precision,
        "of 1",
        ("proposing everything", told.false / told.n),
        f"at least {PRECISION}",
        (lambda value, _: value >= PRECISION) if judged else None,
    )
    yield measure(
        f"false positives, recall, {about}",
        told.recall,
        "of 1",
        ("saying of each that it is there", 0.0),
        f"at least {RECALL}",
        (lambda value, _: value >= RECALL) if judged else None,
    )


def _calibrated(about: str, told: Figures) -> Iterator[Measure]:
    majority, base = ("what most of them are", told.baseline), ("always the share of false ones", told.baseline_brier)
    yield measure(f"false positives, accuracy, {about}", told.accuracy, "of 1", majority, "-")
    yield measure(f"false positives, Brier score, {about}", told.brier, "", base, "-")
    yield measure(f"false positives, calibration error, {about}", told.ece, "", ("perfect", 0.0), "-")
