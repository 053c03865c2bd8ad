"""SARIF 2.1.0 of any size, in the shape in which Bandit 1.9 writes it."""

import json
from pathlib import Path

RULES = 50


def write(path: Path, results: int) -> None:
    """One run with so many results, each at a place of its own."""
    rules = [_rule(number) for number in range(RULES)]
    driver = {"name": "Bandit", "organization": "PyCQA", "semanticVersion": "1.9.0", "rules": rules}
    with path.open("w") as file:
        file.write('{"version": "2.1.0", "runs": [{"tool": {"driver": ')
        json.dump(driver, file)
        file.write('}, "invocations": [{"executionSuccessful": true}], "results": [\n')
        for number in range(results):
            file.write(json.dumps(_result(number)) + (",\n" if number + 1 < results else "\n"))
        file.write("]}]}\n")


def _rule(number: int) -> dict[str, object]:
    return {
        "id": f"B{100 + number}",
        "name": f"rule_{number}",
        "properties": {"tags": ["security", f"external/cwe/cwe-{70 + number}"], "precision": "high"},
        "helpUri": f"https://bandit.readthedocs.io/en/1.9.0/plugins/b{100 + number}.html",
    }


def _result(number: int) -> dict[str, object]:
    rule, line = number % RULES, number % 997 + 1
    text = f"    digest = hashlib.md5(value_{number}.encode()).hexdigest()"
    where = {
        "region": {"snippet": {"text": text}, "startLine": line, "endLine": line},
        "artifactLocation": {"uri": f"src/package_{number // 997}/module_{number % 31}.py"},
        "contextRegion": {"snippet": {"text": text}, "startLine": max(1, line - 1), "endLine": line + 1},
    }
    return {
        "message": {"text": "Use of weak MD5 hash for security. Consider usedforsecurity=False"},
        "level": "warning",
        "locations": [{"physicalLocation": where}],
        "properties": {"issue_confidence": "MEDIUM", "issue_severity": "MEDIUM"},
        "ruleId": f"B{100 + rule}",
        "ruleIndex": rule,
    }
