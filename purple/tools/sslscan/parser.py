"""sslscan's XML. Source: `sslscan.c` of sslscan 2.0.7, which writes it."""

from collections.abc import Callable, Iterator
from typing import BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, clip
from purple.domain.severity import Severity
from purple.domain.weaknesses import flaw
from purple.toolkit.readers import read_xml

LIMIT = 64 * 1024**2
"""Bytes; one server is about 10 KB."""
_OBSOLETE = {("ssl", "2"): "SSL 2.0", ("ssl", "3"): "SSL 3.0", ("tls", "1.0"): "TLS 1.0", ("tls", "1.1"): "TLS 1.1"}
_WEAK_PARTS = {"NULL", "EXP", "ADH", "AECDH", "RC4", "RC2", "DES", "MD5"}
_STRONG_BITS = 128
_MIN_RSA = _MIN_DH = 2048
_SHORT_HASHES = ("md5", "sha1")
_SHOWN = 20
_DIGITS = 9


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """What is wrong with each server's TLS.

    Raises:
        ParseError: the XML is malformed, truncated or no result of sslscan, or a server did not speak TLS, which
            sslscan calls a success; what came before has been yielded.
    """
    reader = _Reader()
    try:
        yield from read_xml(stream, reader.starts, reader.ends, reader.found, LIMIT, reader.texts)
    except ParseError:
        reader.tell()
        yield from reader.found
        raise
    if reader.trouble or not reader.servers:
        raise ParseError(reader.trouble or "this is not a result of sslscan", offset=reader.servers, unit="servers")


class _Reader:
    def __init__(self) -> None:
        self.servers = 0
        self.trouble = ""
        self.found: list[Observation] = []
        self._forget()
        self.starts: dict[str, Callable[[dict[str, str]], object]] = {
            "ssltest": self._start,
            "protocol": self._protocol,
            "renegotiation": self._renegotiation,
            "compression": self._compression,
            "heartbleed": self._heartbleed,
            "cipher": self._cipher,
            "pk": self._key,
        }
        self.ends: dict[str, Callable[[], object]] = {"ssltest": self._end}
        self.texts: dict[str, Callable[[str], object]] = {
            "error": self._error,
            "signature-algorithm": self._signature,
            "self-signed": self._self_signed,
            "expired": self._expired,
            "subject": lambda text: setattr(self, "_subject", clip(text, 200)),
        }

    def _forget(self) -> None:
        self._place = Location()
        self._speaks = False
        self._subject = ""
        self._versions: list[str] = []
        self._weak: set[str] = set()
        self._groups: list[int] = []
        self._flaws: dict[str, str] = {}
        self._bleeds = False

    def _start(self, told: dict[str, str]) -> None:
        self._forget()
        self._place = Location(clip(told.get("host", ""), 300), _number(told.get("port")), "tcp")

    def _protocol(self, told: dict[str, str]) -> None:
        if told.get("enabled") == "1":
            self._speaks = True
            title = _OBSOLETE.get((told.get("type", ""), told.get("version", "")))
            self._versions += [title] if title else []

    def _renegotiation(self, told: dict[str, str]) -> None:
        if told.get("supported") == "1" and told.get("secure") == "0":
            self._flaws["tls-renegotiation-insecure"] = "insecure renegotiation"

    def _compression(self, told: dict[str, str]) -> None:
        if told.get("supported") == "1":
            self._flaws["tls-compression"] = "compression is offered"

    def _heartbleed(self, told: dict[str, str]) -> None:
        self._bleeds |= told.get("vulnerable") == "1"

    def _cipher(self, told: dict[str, str]) -> None:
        """By RFC 9325, section 4.1: no authentication, no encryption, broken or 64-bit block ciphers."""
        name = clip(told.get("cipher", ""), 100)
        if set(name.split("-")) & _WEAK_PARTS or _number(told.get("bits")) < _STRONG_BITS:
            self._weak.add(name)
        group = _number(told.get("dhebits"))
        self._groups += [group] if 0 < group < _MIN_DH else []

    def _key(self, told: dict[str, str]) -> None:
        bits = _number(told.get("bits"))
        if told.get("type") == "RSA" and 0 < bits < _MIN_RSA:
            self._flaws["tls-key-short"] = f"RSA key of {bits} bits"

    def _signature(self, text: str) -> None:
        if text.lower().startswith(_SHORT_HASHES):
            self._flaws["tls-signature-weak"] = f"signed with {clip(text, 100)}"

    def _self_signed(self, text: str) -> None:
        if text == "true":
            self._flaws["tls-certificate-untrusted"] = f"{self._subject}: self-signed"

    def _expired(self, text: str) -> None:
        if text == "true":
            self._flaws["tls-certificate-expired"] = f"{self._subject}: outside its validity period"

    def _error(self, text: str) -> None:
        self.trouble = clip(text, 300)

    def _end(self) -> None:
        self.servers += 1
        if not self._speaks:
            self.trouble = f"{self._place.host}:{self._place.port} speaks no TLS"
        self.tell()

    def tell(self) -> None:
        """What is known of the present server, which may not have been read to its end."""
        if self._versions:
            self._tell("tls-protocol-obsolete", "accepted: " + ", ".join(self._versions))
        if self._weak:
            names = sorted(self._weak)
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            self._tell("tls-cipher-weak", "accepted: " + ", ".join(names[:_SHOWN]) + more)
        if self._groups:
            self._tell("tls-dh-weak", f"{min(self._groups)} bits")
        for key, evidence in self._flaws.items():
            self._tell(key, evidence)
        if self._bleeds:
            self.found.append(
                Observation(
                    kind=ObservationKind.FLAW,
                    rule="sslscan:heartbleed",
                    title="Heartbleed",
                    severity=Severity.HIGH,
                    flaw_class=FlawClass.COMPONENT,
                    cve=("CVE-2014-0160",),
                    location=self._place,
                    evidence="Heartbleed",
                    remediation="Update the TLS library.",
                )
            )
        self._forget()

    def _tell(self, key: str, evidence: str) -> None:
        self.found.append(flaw("sslscan", key, self._place, evidence))


def _number(text: str | None) -> int:
    return int(text) if text and len(text) <= _DIGITS and text.isascii() and text.isdecimal() else 0
