"""CycloneDX in XML, as entries of the shape that its JSON has."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from purple.domain.observations import clip
from purple.toolkit.elements import Element, read_elements

MAX_COMPONENTS = 200_000


def read_xml_bom(stream: BinaryIO, limit: int, names: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Every vulnerability; names of components are put into `names` as they come, which is before.

    Raises:
        ParseError: no CycloneDX, or one that breaks off.
    """
    for each in read_elements(stream, "bom", ["component", "vulnerability"], limit):
        if each.name == "vulnerability":
            yield _entry(each)
        else:
            yield from _of_component(each, names)


def _of_component(component: Element, names: dict[str, str]) -> Iterator[dict[str, Any]]:
    waiting = [component]
    while waiting:
        each = waiting.pop()
        reference = each.attributes.get("bom-ref") or each.get("purl")
        if reference and len(names) < MAX_COMPONENTS:
            shown = each.get("purl") or f"{each.get('name')}@{each.get('version')}"
            names[clip(reference, 500)] = clip(shown, 500)
        for inner in each.all("vulnerabilities", "vulnerability"):
            yield _entry(inner) | {"affects": [{"ref": reference}]}
        waiting += each.all("components", "component")


def _entry(element: Element) -> dict[str, Any]:
    source = element.all("source")
    url = element.get("source", "url")
    affected = [each.text for each in element.all("affects", "target", "ref")]
    old = element.attributes.get("ref", "")
    advisories = [each.text for each in element.all("advisories", "advisory")]
    advisories += [each.text for each in element.all("advisories", "advisory", "url")]
    return {
        "id": element.get("id"),
        "source": {"name": element.get("source", "name") or _named(source), "url": url},
        "description": element.get("description"),
        "detail": element.get("detail"),
        "recommendation": element.get("recommendation") or element.get("recommendations", "recommendation"),
        "references": [{"id": each.text} for each in element.all("references", "reference", "id")],
        "ratings": [_rating(each) for each in element.all("ratings", "rating")],
        "cwes": [each.text for each in element.all("cwes", "cwe")],
        "advisories": [{"url": each} for each in advisories if each],
        "analysis": {"state": element.get("analysis", "state"), "detail": element.get("analysis", "detail")},
        "affects": [{"ref": each} for each in (affected or [old]) if each],
    }


def _named(source: list[Element]) -> str:
    return source[0].attributes.get("name", "") if source else ""


def _rating(element: Element) -> dict[str, Any]:
    return {
        "source": {"name": element.get("source", "name")},
        "score": element.get("score", "base") or element.get("score"),
        "severity": element.get("severity"),
        "vector": element.get("vector"),
    }
