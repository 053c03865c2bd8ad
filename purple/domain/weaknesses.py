"""Names for weaknesses that several tools see, so that their sightings of one flaw can meet.

A tool's parser maps its own rule to one of these; a rule without a counterpart keeps `tool:rule`.
"""

from dataclasses import dataclass

from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, clip
from purple.domain.severity import Severity


@dataclass(frozen=True, slots=True)
class Weakness:
    """What a weakness is called, its CWE and what to do about it."""

    key: str
    title: str
    cwe: int
    severity: Severity
    remediation: str

    @property
    def of_service(self) -> bool:
        """Whether it is one flaw of a whole service, on whichever of its pages a tool sees it."""
        return self.key.startswith(("header-", "cookie-", "http-method-", "plaintext-", "version-"))


_CATALOGUE = (
    Weakness(
        "tls-protocol-obsolete",
        "Obsolete TLS or SSL protocol version accepted",
        327,
        Severity.MEDIUM,
        "Accept TLS 1.2 and 1.3 only (RFC 8996 deprecates TLS 1.0 and 1.1).",
    ),
    Weakness(
        "tls-cipher-weak",
        "Weak TLS cipher suites accepted",
        327,
        Severity.MEDIUM,
        "Offer AEAD suites with forward secrecy only (RFC 9325).",
    ),
    Weakness(
        "tls-key-short",
        "Certificate key is too short",
        326,
        Severity.HIGH,
        "Issue a certificate with an RSA key of at least 2048 bits or an ECDSA P-256 key.",
    ),
    Weakness(
        "tls-signature-weak",
        "Certificate is signed with a broken hash",
        328,
        Severity.MEDIUM,
        "Issue a certificate signed with SHA-256 or better.",
    ),
    Weakness(
        "tls-certificate-untrusted",
        "Certificate is not trusted",
        295,
        Severity.MEDIUM,
        "Use a certificate of a trusted authority whose names cover the host.",
    ),
    Weakness(
        "tls-certificate-expired",
        "Certificate is outside its validity period",
        298,
        Severity.MEDIUM,
        "Renew the certificate and automate its renewal.",
    ),
    Weakness(
        "tls-renegotiation-insecure",
        "Client-initiated or insecure renegotiation",
        400,
        Severity.MEDIUM,
        "Switch off client-initiated renegotiation.",
    ),
    Weakness(
        "tls-dh-weak",
        "Diffie-Hellman group is too small",
        326,
        Severity.MEDIUM,
        "Use groups of at least 2048 bits, or elliptic curves only.",
    ),
    Weakness(
        "tls-compression",
        "TLS compression enabled",
        310,
        Severity.MEDIUM,
        "Switch TLS compression off (CRIME, CVE-2012-4929).",
    ),
    Weakness(
        "ssh-kex-weak",
        "Weak SSH key exchange accepted",
        327,
        Severity.MEDIUM,
        "Offer curve25519-sha256, hybrid post-quantum and SHA-2 groups of at least 2048 bits only (RFC 9142).",
    ),
    Weakness(
        "ssh-host-key-weak",
        "Weak SSH host key offered",
        326,
        Severity.MEDIUM,
        "Offer Ed25519 and RSA keys of at least 2048 bits with SHA-2 signatures only; remove DSA keys.",
    ),
    Weakness(
        "ssh-cipher-weak",
        "Weak SSH ciphers accepted",
        327,
        Severity.MEDIUM,
        "Offer AES in GCM or CTR mode and ChaCha20-Poly1305 only.",
    ),
    Weakness(
        "ssh-mac-weak",
        "Weak SSH message authentication accepted",
        328,
        Severity.LOW,
        "Offer SHA-2 codes in encrypt-then-MAC mode only.",
    ),
    Weakness(
        "ssh-protocol-obsolete",
        "SSH protocol 1 accepted",
        327,
        Severity.HIGH,
        "Accept protocol 2 only.",
    ),
    Weakness(
        "no-authentication",
        "Service answers without authentication",
        306,
        Severity.CRITICAL,
        "Require authentication, and listen only where clients need it.",
    ),
    Weakness(
        "sql-injection",
        "SQL injection",
        89,
        Severity.CRITICAL,
        "Use bound parameters; never build SQL from input.",
    ),
    Weakness(
        "cross-site-scripting",
        "Cross-site scripting",
        79,
        Severity.HIGH,
        "Escape output by context and set a Content-Security-Policy.",
    ),
    Weakness(
        "path-traversal",
        "Path traversal",
        22,
        Severity.HIGH,
        "Resolve the path and refuse what leaves the intended folder.",
    ),
    Weakness(
        "command-execution",
        "Command execution",
        78,
        Severity.CRITICAL,
        "Call programs with an argument list, never through a shell.",
    ),
    Weakness(
        "open-redirect",
        "Open redirect",
        601,
        Severity.MEDIUM,
        "Redirect to relative paths or to a list of allowed hosts only.",
    ),
    Weakness(
        "server-side-request-forgery",
        "Server-side request forgery",
        918,
        Severity.HIGH,
        "Fetch only addresses on an allow list, checked after resolution.",
    ),
    Weakness(
        "file-exposed",
        "Sensitive file served",
        538,
        Severity.HIGH,
        "Remove the file from the web root, deny access to it and change any secret it held.",
    ),
    Weakness(
        "repository-exposed",
        "Version-control folder served",
        527,
        Severity.HIGH,
        "Deny access to .git and its like; treat the source as disclosed.",
    ),
    Weakness(
        "directory-listing",
        "Directory listing enabled",
        548,
        Severity.LOW,
        "Switch automatic directory indexes off.",
    ),
    Weakness(
        "header-missing-csp",
        "Content-Security-Policy is not set",
        693,
        Severity.LOW,
        "Send a Content-Security-Policy that names the allowed sources.",
    ),
    Weakness(
        "header-missing-frame-options",
        "Framing is not restricted",
        1021,
        Severity.LOW,
        "Send X-Frame-Options: DENY or a frame-ancestors directive.",
    ),
    Weakness(
        "header-missing-hsts",
        "Strict-Transport-Security is not set",
        319,
        Severity.LOW,
        "Send Strict-Transport-Security (RFC 6797) on every HTTPS answer.",
    ),
    Weakness(
        "header-missing-content-type-options",
        "X-Content-Type-Options is not set",
        693,
        Severity.LOW,
        "Send X-Content-Type-Options: nosniff.",
    ),
    Weakness(
        "cookie-without-httponly",
        "Cookie without HttpOnly",
        1004,
        Severity.LOW,
        "Set HttpOnly on every cookie that scripts need not read.",
    ),
    Weakness(
        "cookie-without-secure",
        "Cookie without Secure",
        614,
        Severity.LOW,
        "Set Secure on every cookie.",
    ),
    Weakness(
        "http-method-dangerous",
        "Dangerous HTTP method accepted",
        650,
        Severity.LOW,
        "Refuse methods that the application does not use.",
    ),
    Weakness(
        "plaintext-http",
        "Content is served without TLS",
        319,
        Severity.LOW,
        "Redirect HTTP to HTTPS.",
    ),
    Weakness(
        "version-disclosed",
        "Server version disclosed",
        200,
        Severity.INFO,
        "Keep product versions out of banners and headers.",
    ),
    Weakness(
        "anonymous-login",
        "Anonymous login accepted",
        287,
        Severity.HIGH,
        "Require authentication.",
    ),
    Weakness(
        "login-guessed",
        "Login accepted with a guessed password",
        1391,
        Severity.CRITICAL,
        "Change the password, refuse weak and default ones, and slow down or lock out who guesses.",
    ),
    Weakness(
        "error-unhandled",
        "Input makes the application fail",
        755,
        Severity.MEDIUM,
        "Check input and answer with an error of the client (4xx); log the details and keep them out of the answer.",
    ),
    Weakness(
        "path-found",
        "Path answers that nothing links to",
        425,
        Severity.INFO,
        "Remove what is not meant to be reached, or ask who comes for a login.",
    ),
    Weakness(
        "code-execution",
        "Text is run as code",
        95,
        Severity.HIGH,
        "Never evaluate input; parse it, or choose from a table of what is allowed.",
    ),
    Weakness(
        "unsafe-deserialisation",
        "Input is deserialised in a way that can run code",
        502,
        Severity.HIGH,
        "Use a format and a loader that make plain data only.",
    ),
    Weakness(
        "broken-hash",
        "Broken hash function",
        328,
        Severity.MEDIUM,
        "Use SHA-256 or better; for passwords Argon2 or scrypt.",
    ),
    Weakness(
        "certificate-not-verified",
        "The server's certificate is not verified",
        295,
        Severity.HIGH,
        "Leave verification on and add the authority that is missing.",
    ),
    Weakness(
        "temporary-file-insecure",
        "Name of a temporary file can be taken before it is made",
        377,
        Severity.MEDIUM,
        "Use a function that makes the file and gives it back open.",
    ),
    Weakness(
        "debugger-served",
        "Debugger of a web server is switched on",
        489,
        Severity.HIGH,
        "Switch debugging off wherever others can reach the server.",
    ),
    Weakness(
        "image-not-pinned",
        "Base image is not pinned to a version",
        1357,
        Severity.MEDIUM,
        "Name a version or, better, a digest.",
    ),
    Weakness(
        "image-runs-as-root",
        "Container runs as root",
        250,
        Severity.HIGH,
        "End the Dockerfile with a USER that is not root.",
    ),
    Weakness(
        "image-without-healthcheck",
        "Image has no health check",
        778,
        Severity.LOW,
        "Add a HEALTHCHECK instruction.",
    ),
    Weakness(
        "image-update-alone",
        "Package lists are updated in a layer of their own",
        1357,
        Severity.MEDIUM,
        "Update and install in one RUN instruction, so that no old layer is used.",
    ),
    Weakness(
        "firewall-open",
        "Anybody may reach a port from everywhere",
        284,
        Severity.HIGH,
        "Allow the addresses that need it only.",
    ),
)

CATALOGUE: dict[str, Weakness] = {weakness.key: weakness for weakness in _CATALOGUE}


def flaw(
    tool: str, key: str, location: Location, evidence: str, flaw_class: FlawClass = FlawClass.CONFIGURATION
) -> Observation:
    """What a tool saw, with all that the catalogue says of it."""
    weakness = CATALOGUE[key]
    return Observation(
        kind=ObservationKind.FLAW,
        rule=f"{tool}:{key}",
        title=weakness.title,
        severity=weakness.severity,
        flaw_class=flaw_class,
        weakness=key,
        cwe=(weakness.cwe,),
        location=location,
        evidence=clip(evidence),
        remediation=weakness.remediation,
    )
