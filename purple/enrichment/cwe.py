"""MITRE's Common Weakness Enumeration, as XML.

A fact: `name`, `abstraction` (Pillar, Class, Base, Variant, Compound), `parents` (numbers of those it is a child of in
the research view) and `capec` (numbers of attack patterns). Schema: https://cwe.mitre.org/data/xsd/cwe_schema_latest.xsd.
"""

from collections.abc import Iterator
from typing import BinaryIO

from purple.domain.enrichment import About, Fact
from purple.domain.errors import ParseError
from purple.domain.observations import clip
from purple.enrichment.catalogues import about, numbers
from purple.toolkit.elements import read_elements

_ROOT = "Weakness_Catalog"
_RESEARCH = "1000"


def parse(stream: BinaryIO, limit: int) -> Iterator[tuple[str, Fact] | About]:
    """Every weakness that is not deprecated.

    Raises:
        ParseError: malformed, or a weakness without a number.
    """
    for each in read_elements(stream, _ROOT, ("Weakness",), limit, opened=(_ROOT,)):
        told = each.attributes
        if each.name == _ROOT:
            yield about(told)
        elif told.get("Status") != "Deprecated":
            if not told.get("ID", "").isdecimal():
                raise ParseError("a weakness has no number", offset=0)
            parents = [
                link
                for link in each.all("Related_Weaknesses", "Related_Weakness")
                if (link.attributes.get("Nature"), link.attributes.get("View_ID")) == ("ChildOf", _RESEARCH)
            ]
            yield (
                f"CWE-{int(told['ID'])}",
                {
                    "name": clip(told.get("Name", ""), 200),
                    "abstraction": clip(told.get("Abstraction", ""), 20),
                    "parents": numbers(parents, "CWE_ID"),
                    "capec": numbers(each.all("Related_Attack_Patterns", "Related_Attack_Pattern"), "CAPEC_ID"),
                },
            )
