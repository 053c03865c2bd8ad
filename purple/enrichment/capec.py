"""MITRE's Common Attack Pattern Enumeration and Classification, as XML.

A fact: `name`, `likelihood` and `severity` (words, or empty), `attack` (ids of ATT&CK techniques).
Schema: https://capec.mitre.org/data/xsd/ap_schema_latest.xsd.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from purple.domain.enrichment import About, Fact
from purple.domain.errors import ParseError
from purple.domain.observations import clip
from purple.enrichment.catalogues import about
from purple.toolkit.elements import Element, read_elements

_ROOT = "Attack_Pattern_Catalog"
_TECHNIQUE = re.compile(r"\d{4}(\.\d{3})?")


def parse(stream: BinaryIO, limit: int) -> Iterator[tuple[str, Fact] | About]:
    """Every pattern that is not deprecated.

    Raises:
        ParseError: malformed, or a pattern without a number.
    """
    for each in read_elements(stream, _ROOT, ("Attack_Pattern",), limit, opened=(_ROOT,)):
        told = each.attributes
        if each.name == _ROOT:
            yield about(told)
        elif told.get("Status") != "Deprecated":
            if not told.get("ID", "").isdecimal():
                raise ParseError("an attack pattern has no number", offset=0)
            yield (
                f"CAPEC-{int(told['ID'])}",
                {
                    "name": clip(told.get("Name", ""), 200),
                    "likelihood": clip(each.get("Likelihood_Of_Attack"), 20),
                    "severity": clip(each.get("Typical_Severity"), 20),
                    "attack": _techniques(each),
                },
            )


def _techniques(pattern: Element) -> list[str]:
    mapped = pattern.all("Taxonomy_Mappings", "Taxonomy_Mapping")
    ids = [each.get("Entry_ID") for each in mapped if each.attributes.get("Taxonomy_Name") == "ATTACK"]
    return sorted({f"T{each}" for each in ids if _TECHNIQUE.fullmatch(each)})
