"""Rules of code scanners whose weaknesses have a name that tools share, whichever way a scanner's report comes in.

Semgrep's are the rules that ship with its tool; Bandit's are the tests of Bandit 1.9; CodeQL's are query ids of its
default suites, as its query help lists them.
"""

_BANDIT = {
    "B201": "debugger-served",
    "B202": "path-traversal",
    "B306": "temporary-file-insecure",
    "B501": "certificate-not-verified",
    "B608": "sql-injection",
    **dict.fromkeys(("B102", "B307"), "code-execution"),
    **dict.fromkeys(("B301", "B302", "B506"), "unsafe-deserialisation"),
    **dict.fromkeys(("B303", "B324"), "broken-hash"),
    **dict.fromkeys(("B602", "B605"), "command-execution"),
}
_SEMGREP = {
    "sql-built-from-text": "sql-injection",
    "shell-with-a-value": "command-execution",
    "markup-from-text": "cross-site-scripting",
    "archive-unpacked-anywhere": "path-traversal",
    "eval": "code-execution",
    "unsafe-deserialisation": "unsafe-deserialisation",
    "broken-hash": "broken-hash",
    "tls-not-verified": "certificate-not-verified",
    "temporary-name": "temporary-file-insecure",
    "debugger-served": "debugger-served",
}
"""By what follows the language."""
_CODEQL = {
    "sql-injection": "sql-injection",
    "command-line-injection": "command-execution",
    "code-injection": "code-execution",
    "path-injection": "path-traversal",
    "unsafe-deserialization": "unsafe-deserialisation",
    "weak-sensitive-data-hashing": "broken-hash",
    "request-without-cert-validation": "certificate-not-verified",
    "insecure-temporary-file": "temporary-file-insecure",
    "flask-debug": "debugger-served",
    **dict.fromkeys(("xss", "reflected-xss", "reflective-xss", "stored-xss"), "cross-site-scripting"),
    **dict.fromkeys(("url-redirection", "unvalidated-url-redirection"), "open-redirect"),
    **dict.fromkeys(("request-forgery", "full-ssrf", "ssrf"), "server-side-request-forgery"),
}
"""Likewise."""
WEAKNESSES = frozenset((*_BANDIT.values(), *_SEMGREP.values(), *_CODEQL.values()))


def weakness_of(tool: str, rule: str) -> str:
    """What a rule of a tool is called by all; empty where no other tool has such a rule.

    Args:
        tool: `bandit`, `semgrep` or `CodeQL`.
        rule: as the tool names it: `B608`, `python-eval`, `py/sql-injection`.
    """
    match tool:
        case "bandit":
            return _BANDIT.get(rule, "")
        case "semgrep":
            return _SEMGREP.get(rule.partition("-")[2], "")
        case "CodeQL":
            return _CODEQL.get(rule.partition("/")[2], "")
    return ""
