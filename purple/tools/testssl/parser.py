"""testssl.sh's flat JSON. Source: `fileout_json_finding` of testssl.sh 3.0 and 3.2."""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, clip
from purple.domain.severity import Severity
from purple.domain.weaknesses import CATALOGUE
from purple.toolkit.parts import read_parts

LIMIT = 16 * 1024**2
"""Bytes; one server is about 30 KB."""
_GRADES = {"LOW": Severity.LOW, "MEDIUM": Severity.MEDIUM, "HIGH": Severity.HIGH, "CRITICAL": Severity.CRITICAL}
"""What testssl.sh calls a flaw; OK, INFO, WARN, DEBUG and FATAL are none."""
_WEAKNESSES = {
    "SSLv2": "tls-protocol-obsolete",
    "SSLv3": "tls-protocol-obsolete",
    "TLS1": "tls-protocol-obsolete",
    "TLS1_1": "tls-protocol-obsolete",
    "cipherlist_NULL": "tls-cipher-weak",
    "cipherlist_aNULL": "tls-cipher-weak",
    "cipherlist_EXPORT": "tls-cipher-weak",
    "cipherlist_LOW": "tls-cipher-weak",
    "cipherlist_3DES_IDEA": "tls-cipher-weak",
    "RC4": "tls-cipher-weak",
    "SWEET32": "tls-cipher-weak",
    "cert_keySize": "tls-key-short",
    "cert_signatureAlgorithm": "tls-signature-weak",
    "cert_chain_of_trust": "tls-certificate-untrusted",
    "cert_trust": "tls-certificate-untrusted",
    "cert_subjectAltName": "tls-certificate-untrusted",
    "cert_expirationStatus": "tls-certificate-expired",
    "cert_notAfter": "tls-certificate-expired",
    "secure_renego": "tls-renegotiation-insecure",
    "secure_client_renego": "tls-renegotiation-insecure",
    "insecure_client_renego": "tls-renegotiation-insecure",
    "CRIME_TLS": "tls-compression",
    "LOGJAM": "tls-dh-weak",
    "LOGJAM-common_primes": "tls-dh-weak",
    "DH_groups": "tls-dh-weak",
    "HSTS": "header-missing-hsts",
}
_EXPIRED = "tls-certificate-expired"
_ENDS_SOON = "testssl:cert_expirationStatus"
_PROTOCOLS = {"SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3"}
_NUMBERED = re.compile(r"\s*<(?:cert|hostCert)#\d+>\Z")
_CVE = re.compile(r"CVE-\d{4}-\d{4,}")
_CWE = re.compile(r"CWE-(\d{1,6})")
_SHOWN = 12
Key = tuple[str, str, int]


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """What is wrong with the TLS of each server; what several checks say of one weakness is one sighting.

    Raises:
        ParseError: no result of testssl.sh, one that breaks off, or a server that could not be tested; what it found
            has been yielded.
    """
    told = _Told()
    broken = 0
    trouble: ParseError | None = None
    try:
        for _, _, part in read_parts(stream, ["*"], LIMIT):
            try:
                told.take(part)
            except (KeyError, TypeError, ValueError, AttributeError):
                broken += 1
    except ParseError as error:
        trouble = error
    yield from told.flaws()
    if trouble:
        raise trouble
    if broken:
        raise ParseError(f"{broken} findings are not as testssl.sh writes them", offset=broken, unit="findings")
    told.check()


class _Told:
    """What was read, by weakness and place."""

    def __init__(self) -> None:
        self._groups: dict[Key, list[dict[str, str]]] = {}
        self._refused: set[bool] = set()
        self._said = ""
        self._ended = False

    def take(self, part: dict[str, Any]) -> None:
        facts = {name: clip(str(part.get(name) or ""), 1000) for name in ("id", "severity", "finding", "cve", "cwe")}
        check, grade, finding = _NUMBERED.sub("", facts["id"]), facts["severity"], facts["finding"]
        if grade == "FATAL" or (check == "scanTime" and grade == "WARN"):
            self._said = self._said or finding
        self._ended = self._ended or (check == "scanTime" and grade == "INFO")
        if check in _PROTOCOLS:
            self._refused.add("not offered" in finding)
        if grade in _GRADES:
            place = clip(str(part["ip"]).partition("/")[0], 300), int(part["port"])
            self._groups.setdefault((_name(check, finding), *place), []).append(facts)

    @property
    def speaks_tls(self) -> bool:
        return self._refused != {True}

    def flaws(self) -> Iterator[Observation]:
        for (key, host, port), parts in self._groups.items() if self.speaks_tls else ():
            if key == _ENDS_SOON and (_EXPIRED, host, port) in self._groups:
                continue  # the day on which it ended, told apart from that it has
            yield _flaw(key, Location(host=host, port=port, transport="tcp"), parts)

    def check(self) -> None:
        if self._said or not self._ended:
            said = self._said or "it says no more"
            raise ParseError(clip(f"the server was not tested to the end: {said}", 300), offset=0)
        if not self.speaks_tls:
            raise ParseError("the service speaks no version of TLS", offset=0)


def _name(check: str, finding: str) -> str:
    """The shared weakness that a check means, else its own name; a certificate that ends soon has not ended."""
    key = _WEAKNESSES.get(check, f"testssl:{check}")
    return _ENDS_SOON if key == _EXPIRED and "expired" not in finding else key


def _flaw(key: str, place: Location, parts: list[dict[str, str]]) -> Observation:
    weakness = CATALOGUE.get(key)
    grade = max((_GRADES[each["severity"]] for each in parts), key=lambda each: each.rank)
    # a weakness that many servers share is told by its own name; its CVEs are those of attacks on it
    cve = () if weakness else tuple(dict.fromkeys(_CVE.findall(" ".join(each["cve"] for each in parts))))
    cwe = tuple(dict.fromkeys(int(each) for each in _CWE.findall(" ".join(each["cwe"] for each in parts))))
    check = key.removeprefix("testssl:")
    return Observation(
        kind=ObservationKind.FLAW,
        rule=clip(f"testssl:{check}", 200),
        title=weakness.title if weakness else clip(f"TLS: {check}: {parts[0]['finding']}", 200),
        severity=weakness.severity if weakness else grade,
        flaw_class=FlawClass.COMPONENT if cve else FlawClass.CONFIGURATION,
        weakness=weakness.key if weakness else "",
        cve=cve,
        cwe=(weakness.cwe,) if weakness else cwe,
        location=place,
        evidence=clip("\n".join(f"{each['id']}: {each['finding']}" for each in parts[:_SHOWN])),
        remediation=weakness.remediation if weakness else "",
    )
