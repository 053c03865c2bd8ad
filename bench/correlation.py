"""Measure 8: which sightings are merged, against the truth beside it, over every two sightings of one target.

`correlation.tsv` holds what real tools said of flaws that were planted, one line each: whether it was looked at while
fingerprints were made or is held out, the flaw as a person named it, the sample, the tool's rule and the place. Held
out are a repository and two web servers. The TLS of the second one was until it showed a rule to be mended: of its part
recall was 0.91 then.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from bench.measures import Measure, measure
from purple.domain.fingerprints import fingerprint, port_of
from purple.domain.observations import Observation, ObservationKind
from purple.toolkit.tools.plugins import load_plugins

TRUTH = Path(__file__).with_suffix(".tsv")
HELD_OUT = Path(__file__).parent / "held_out"
"""Samples that no parser's tests read, of tools by their folders' names."""
PRECISION, RECALL = 0.98, 0.95
PARTS = ("known", "held out")


@dataclass(frozen=True)
class Sighting:
    """What one tool said of one place, the flaw that it is in truth, and the one that it is taken for."""

    part: str
    world: str
    """Sightings of two worlds are of two targets."""
    flaw: str
    taken_for: str


@dataclass(frozen=True)
class Score:
    """Over all pairs of sightings of one world."""

    pairs: int
    same: int
    """That are one flaw in truth."""
    merged: int
    right: int
    """Merged, and one flaw."""

    @property
    def precision(self) -> float:
        """Share of merged pairs that are one flaw."""
        return self.right / self.merged if self.merged else 0.0

    @property
    def recall(self) -> float:
        """Share of pairs that are one flaw and are merged."""
        return self.right / self.same if self.same else 0.0


def place_of(seen: Observation) -> str:
    """As the truth writes it: port, path and parameter, or file, line and parameter."""
    place = seen.location
    if place.path and not place.url:
        return f"{place.path}:{place.line} {place.parameter}".strip()
    return f"{port_of(seen)} {urlsplit(place.url).path} {place.parameter}".strip()


def sightings() -> list[Sighting]:
    """Every line of the truth with what is made of it.

    Raises:
        ValueError: the truth and the samples do not speak of the same sightings.
    """
    with TRUTH.open(newline="") as file:
        truth = list(csv.DictReader(file, delimiter="\t"))
    read = {name: dict(_read(name)) for name in {line["sample"] for line in truth}}
    told = {(line["sample"], line["rule"], line["place"]) for line in truth}
    there = {(name, *key) for name, seen in read.items() for key in seen}
    if told != there:
        raise ValueError(f"only told or only there: {sorted(told ^ there)[:5]}")
    return [
        Sighting(
            line["part"],
            (world := _world(line["sample"])),
            line["flaw"],
            fingerprint(uuid5(NAMESPACE_URL, world), *read[line["sample"]][line["rule"], line["place"]]),
        )
        for line in truth
    ]


def _world(sample: str) -> str:
    """What a sample is of, as its name says: `nmap-7.93-lab-scripts.xml` is of the lab."""
    return next(each for each in ("second-repository", "second-server", "planted-repository", "lab") if each in sample)


def _read(sample: str) -> Iterator[tuple[tuple[str, str], tuple[Observation, tuple[str, ...]]]]:
    for plugin in load_plugins().values():
        for file in (plugin.folder / "samples" / sample, HELD_OUT / plugin.folder.name / sample):
            if not file.exists():
                continue
            with file.open("rb") as stream:
                for seen in plugin.parser.parse(stream):
                    if seen.kind is ObservationKind.FLAW:
                        yield (seen.rule, place_of(seen)), (seen, plugin.spec.fingerprint_fields)
            return
    raise ValueError(f"there is no sample {sample}")


def score(part: str, seen: Iterable[Sighting]) -> Score:
    """Of the known or of the held-out part."""
    pairs = same = merged = right = 0
    for one, two in combinations([each for each in seen if each.part == part], 2):
        if one.world != two.world:
            continue
        is_same, is_merged = one.flaw == two.flaw, one.taken_for == two.taken_for
        pairs += 1
        same += is_same
        merged += is_merged
        right += is_same and is_merged
    return Score(pairs, same, merged, right)


def run(*, full: bool) -> Iterator[Measure]:  # noqa: ARG001 - every group has it
    """Pairwise precision and recall of merges, beside merging everything and merging nothing."""
    seen = sightings()
    for part in PARTS:
        found = score(part, seen)
        about = f"{part}, {found.same} of {found.pairs} pairs are one flaw"
        yield measure(
            f"8 precision of merges, {about}",
            found.precision,
            "of 1",
            ("merging everything", found.same / found.pairs),
            f"at least {PRECISION}",
            lambda value, _: value >= PRECISION,
        )
        yield measure(
            f"8 recall of merges, {about}",
            found.recall,
            "of 1",
            ("merging nothing, as most pairs ask for", 0.0),
            f"at least {RECALL}",
            lambda value, _: value >= RECALL,
        )
