"""ssh-audit's JSON. Source: `ssh_audit.ssh_audit.build_struct` of ssh-audit 3.9."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, Service, clip
from purple.domain.severity import Severity
from purple.domain.weaknesses import flaw
from purple.toolkit.readers import read_json

LIMIT = 8 * 1024**2
"""Bytes; one server is about 6 KB."""
_WEAKNESSES = {
    "kex": "ssh-kex-weak",
    "key": "ssh-host-key-weak",
    "enc": "ssh-cipher-weak",
    "mac": "ssh-mac-weak",
}
_SUSPICION = "suspected as being backdoored"
"""Of the NIST curves, which RFC 9142 recommends: a suspicion is no weakness."""
_TERRAPIN = "CVE-2023-48795"
_MAX_PORT = 65_535


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """The service, and what is weak in what it offers.

    Its keys are sorted, so that the place comes last: of a document that breaks off nothing can be told.

    Raises:
        ParseError: no JSON of ssh-audit, or a server that did not get as far as its algorithms.
    """
    document = read_json(stream, LIMIT)
    if not isinstance(document, dict) or not isinstance(document.get("banner"), dict):
        raise ParseError("this is not a result of ssh-audit", offset=0)
    location = _place(document.get("target"))
    banner = document["banner"]
    yield _service(banner, location)
    if str(banner.get("protocol") or "").startswith("1."):
        yield flaw("ssh-audit", "ssh-protocol-obsolete", location, clip(str(banner.get("raw") or ""), 300))
    broken = 0
    unprotected: list[str] = []
    for category, key in _WEAKNESSES.items():
        weak: list[str] = []
        entries = document.get(category)
        # a server without a single algorithm of a kind was not examined
        for entry in entries if isinstance(entries, list) and entries else (None,):
            try:
                name, why, open_to_terrapin = _judged(entry)
            except (KeyError, TypeError, AttributeError):
                broken += 1
                continue
            weak += [f"{name} ({', '.join(why)})"] if why else []
            unprotected += [name] if open_to_terrapin else []
        if weak:
            yield flaw("ssh-audit", key, location, "offered: " + "; ".join(weak))
    if unprotected:
        yield _terrapin(location, unprotected)
    if broken:
        raise ParseError(f"{broken} parts are not as ssh-audit writes them", offset=broken, unit="parts")


def _judged(entry: Any) -> tuple[str, list[str], bool]:
    """An algorithm's name, why it fails, and whether the Terrapin attack is open to it."""
    notes = entry["notes"]
    why = [each for each in _texts(notes, "fail") if _SUSPICION not in each]
    return str(entry["algorithm"]), why, any(_TERRAPIN in each for each in _texts(notes, "warn"))


def _place(target: Any) -> Location:
    host, _, number = str(target).rpartition(":")
    if not (host and number.isascii() and number.isdecimal() and 0 < int(number[:6]) <= _MAX_PORT):
        raise ParseError("ssh-audit does not say what it looked at", offset=0)
    return Location(host=clip(host, 300), port=int(number[:6]), transport="tcp")


def _texts(notes: dict[str, Any], level: str) -> list[str]:
    return [str(each) for each in notes.get(level) or ()]


def _service(banner: dict[str, Any], location: Location) -> Observation:
    product, _, version = clip(str(banner.get("software") or ""), 200).partition("_")
    return Observation(
        kind=ObservationKind.SERVICE,
        rule="ssh-audit:banner",
        title=f"ssh on {location.port}/tcp",
        location=location,
        service=Service(name="ssh", product=product, version=version, banner=clip(str(banner.get("raw") or ""), 300)),
    )


def _terrapin(location: Location, algorithms: list[str]) -> Observation:
    return Observation(
        kind=ObservationKind.FLAW,
        rule="ssh-audit:terrapin",
        title="Terrapin: SSH messages can be cut off the start of a session",
        severity=Severity.MEDIUM,
        flaw_class=FlawClass.COMPONENT,
        cve=(_TERRAPIN,),
        cwe=(354,),
        location=location,
        evidence=clip("without strict key exchange: " + ", ".join(algorithms)),
        remediation="Update the SSH server to one with strict key exchange, or offer AES-GCM only.",
    )
