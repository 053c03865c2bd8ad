"""SSLyze's JSON. Source: `sslyze.json.SslyzeOutputAsJson` of SSLyze 6.3."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, clip
from purple.domain.weaknesses import CATALOGUE, flaw
from purple.toolkit.readers import read_json

LIMIT = 32 * 1024**2
"""Bytes; one server is about 200 KB."""
_OBSOLETE = {
    "ssl_2_0_cipher_suites": "SSL 2.0",
    "ssl_3_0_cipher_suites": "SSL 3.0",
    "tls_1_0_cipher_suites": "TLS 1.0",
    "tls_1_1_cipher_suites": "TLS 1.1",
}
_REQUIRED = (*_OBSOLETE, "tls_1_2_cipher_suites", "tls_1_3_cipher_suites", "certificate_info", "session_renegotiation")
"""Checks without which a server does not count as examined."""
_CIPHERS = (*_OBSOLETE, "tls_1_2_cipher_suites")
_WEAK_PARTS = ("NULL", "EXPORT", "anon", "RC4", "RC2", "DES", "MD5")
_SHOWN = 20
_MIN_RSA = 2048
_MIN_DH = 2048
_SHORT_HASHES = {"md5", "sha1"}


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """What is wrong with each server's TLS.

    Raises:
        ParseError: no JSON of SSLyze, or a server that could not be scanned; the others have been yielded.
    """
    document = read_json(stream, LIMIT)
    servers = document.get("server_scan_results") if isinstance(document, dict) else None
    if not isinstance(servers, list):
        raise ParseError("this is not a result of SSLyze", offset=0)
    failed = []
    for number, server in enumerate(servers):
        try:
            yield from _server(server)
            if server["scan_status"] != "COMPLETED":
                failed.append(f"connectivity {server['connectivity_status']}")
            elif undone := [name for name in _REQUIRED if server["scan_result"][name]["status"] != "COMPLETED"]:
                failed.append(f"{', '.join(undone)} not done")
        except (KeyError, TypeError, AttributeError, ValueError, IndexError):
            failed.append(f"server {number} is not as SSLyze writes it")
    if failed or not servers:
        raise ParseError(
            clip(f"{len(failed)} servers were not examined: {'; '.join(failed)}", 300), offset=len(servers)
        )


def _server(server: dict[str, Any]) -> Iterator[Observation]:
    place = server["server_location"]
    location = Location(host=clip(str(place["hostname"])), port=int(place["port"]), transport="tcp")
    scan = server["scan_result"] or {}

    def result(name: str) -> dict[str, Any] | None:
        part = scan.get(name) or {}
        found = part.get("result")
        return found if isinstance(found, dict) else None

    versions = [
        title for name, title in _OBSOLETE.items() if (found := result(name)) and found["accepted_cipher_suites"]
    ]
    if versions:
        yield flaw("sslyze", "tls-protocol-obsolete", location, "accepted: " + ", ".join(versions))
    weak = sorted(
        {
            str(suite["cipher_suite"]["name"])
            for name in _CIPHERS
            for suite in (result(name) or {}).get("accepted_cipher_suites", [])
            if _is_weak(suite["cipher_suite"])
        }
    )
    if weak:
        shown = ", ".join(weak[:_SHOWN]) + (f" and {len(weak) - _SHOWN} more" if len(weak) > _SHOWN else "")
        yield flaw("sslyze", "tls-cipher-weak", location, "accepted: " + shown)
    if small := _small_groups(result(name) for name in _CIPHERS):
        yield flaw("sslyze", "tls-dh-weak", location, f"{min(small)} bits")
    renegotiation = result("session_renegotiation")
    if renegotiation and (
        renegotiation["is_vulnerable_to_client_renegotiation_dos"] or not renegotiation["supports_secure_renegotiation"]
    ):
        yield flaw("sslyze", "tls-renegotiation-insecure", location, "client-initiated or insecure renegotiation")
    if (compression := result("tls_compression")) and compression["supports_compression"]:
        yield flaw("sslyze", "tls-compression", location, "compression is offered")
    yield from _known_attacks(result, location)
    if certificate := result("certificate_info"):
        yield from _certificate(certificate["certificate_deployments"][0], location)


def _is_weak(suite: dict[str, Any]) -> bool:
    """By RFC 9325, section 4.1: no authentication, no encryption, broken or 64-bit block ciphers."""
    parts = str(suite["name"]).replace("3DES", "DES").split("_")
    return bool(suite["is_anonymous"]) or bool(set(parts) & set(_WEAK_PARTS)) or int(suite["key_size"] or 0) < 128  # noqa: PLR2004 - bits


def _small_groups(results: Iterator[dict[str, Any] | None]) -> list[int]:
    found = []
    for result in results:
        for suite in (result or {}).get("accepted_cipher_suites", []):
            key = suite.get("ephemeral_key") or {}
            if key.get("type_name") == "DH" and int(key.get("size") or 0) < _MIN_DH:
                found.append(int(key.get("size") or 0))
    return found


def _known_attacks(result: Any, location: Location) -> Iterator[Observation]:
    checks = (
        ("heartbleed", "is_vulnerable_to_heartbleed", "CVE-2014-0160", "Heartbleed"),
        ("openssl_ccs_injection", "is_vulnerable_to_ccs_injection", "CVE-2014-0224", "OpenSSL CCS injection"),
    )
    for name, field, cve, title in checks:
        if (found := result(name)) and found[field] is True:
            yield Observation(
                kind=ObservationKind.FLAW,
                rule=f"sslyze:{name}",
                title=title,
                severity=CATALOGUE["tls-key-short"].severity,
                flaw_class=FlawClass.COMPONENT,
                cve=(cve,),
                location=location,
                evidence=title,
                remediation="Update the TLS library.",
            )


def _certificate(deployment: dict[str, Any], location: Location) -> Iterator[Observation]:
    leaf = deployment["received_certificate_chain"][0]
    key = leaf["public_key"]
    size = int(key["key_size"] or 0)
    if key["algorithm"] == "RSAPublicKey" and size < _MIN_RSA:
        yield flaw("sslyze", "tls-key-short", location, f"RSA key of {size} bits")
    signature = str((leaf.get("signature_hash_algorithm") or {}).get("name", ""))
    if signature in _SHORT_HASHES:
        yield flaw("sslyze", "tls-signature-weak", location, f"signed with {signature}")
    if _moment(leaf["not_valid_after"]) < datetime.now(UTC):
        yield flaw("sslyze", "tls-certificate-expired", location, f"valid until {leaf['not_valid_after']}")
    results = deployment["path_validation_results"]
    if results and not any(each.get("was_validation_successful") for each in results):
        subject = clip(str(leaf["subject"]["rfc4514_string"]), 200)
        why = clip(str(results[0].get("validation_error") or "no trust store accepts it"), 300)
        yield flaw("sslyze", "tls-certificate-untrusted", location, f"{subject}: {why}")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
