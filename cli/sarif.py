"""SARIF 2.1.0 (OASIS standard of 27 March 2020): vulnerabilities as the results of one run."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from importlib.metadata import version
from typing import Any

from cli.documents import where

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
_SCORES = {"critical": 9.5, "high": 8.0, "medium": 5.5, "low": 2.0, "info": 0.0}
"""The middle of each CVSS v3.1 band, for readers that sort by `security-severity`."""
_SUPPRESSED = {"false_positive": "a person called it a false positive", "risk_accepted": "its risk is accepted"}


def sarif_log(
    vulnerabilities: Sequence[Mapping[str, Any]],
    *,
    gaps: Iterable[Mapping[str, Any]] = (),
    campaign: Mapping[str, Any] | None = None,
    new: Iterable[object] | None = None,
) -> dict[str, Any]:
    """One log with one run.

    Args:
        vulnerabilities: documents of `purple.vulnerability/1`.
        gaps: what was not covered; each becomes a notification, so that nobody reads silence as a clean result.
        campaign: the document of the campaign that saw them.
        new: ids of those that no earlier campaign saw; without it nothing is said of that.
    """
    rules = _rules(vulnerabilities)
    index = {rule["id"]: number for number, rule in enumerate(rules)}
    fresh = None if new is None else set(new)
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "Purple", "version": version("purple"), "rules": rules}},
        "results": [_result(each, index, fresh) for each in vulnerabilities],
        "columnKind": "unicodeCodePoints",
    }
    if campaign is not None:
        run["automationDetails"] = {"id": f"campaign/{campaign['profile']}/{campaign['id']}"}
        run["invocations"] = [_invocation(campaign, gaps)]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def rule_of(vulnerability: Mapping[str, Any]) -> str:
    """What kind of flaw it is: its weakness, else its first CVE, else its title."""
    return str(vulnerability["weakness"] or next(iter(vulnerability["cve"]), "") or vulnerability["title"])


def _rules(vulnerabilities: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each kind of flaw once, with the severity of its worst."""
    worst: dict[str, Mapping[str, Any]] = {}
    for each in vulnerabilities:
        known = worst.get(rule_of(each))
        if known is None or _SCORES[each["severity"]] > _SCORES[known["severity"]]:
            worst[rule_of(each)] = each
    return [_rule(name, each) for name, each in sorted(worst.items())]


def _rule(name: str, worst: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": name,
        "shortDescription": {"text": worst["title"] or name},
        "defaultConfiguration": {"level": _LEVELS[worst["severity"]]},
        "properties": {
            "security-severity": f"{_SCORES[worst['severity']]:.1f}",
            "tags": ["security", *(f"external/cwe/cwe-{number}" for number in worst["cwe"]), *worst["cve"]],
        },
    }
    if worst["description"]:
        made["fullDescription"] = {"text": worst["description"]}
    if worst["remediation"]:
        made["help"] = {"text": worst["remediation"]}
    link = next((each for each in worst["references"] if each.startswith(("https://", "http://"))), "")
    return made | ({"helpUri": link} if link else {})


def _result(each: Mapping[str, Any], index: Mapping[str, int], new: set[object] | None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "ruleId": rule_of(each),
        "ruleIndex": index[rule_of(each)],
        "level": _LEVELS[each["severity"]],
        "message": {"text": f"{each['title']} at {where(each)}" + _parameter(each)},
        "locations": [_location(each)],
        "partialFingerprints": {"purple/v1": each["fingerprint"]},
        "guid": str(each["id"]),
        "rank": float(each["risk"]),
        "properties": {
            "severity": str(each["severity"]),
            "risk": each["risk"],
            "riskReasons": list(each["risk_reasons"]),
            "state": str(each["state"]),
            "tools": list(each["tools"]),
        },
    }
    if new is not None:
        made["baselineState"] = "new" if each["id"] in new else "unchanged"
    if reason := _SUPPRESSED.get(each["state"]):
        made["suppressions"] = [{"kind": "external", "status": "accepted", "justification": reason}]
    return made


def _parameter(each: Mapping[str, Any]) -> str:
    return f", parameter {each['parameter']}" if each["parameter"] else ""


def _location(each: Mapping[str, Any]) -> dict[str, Any]:
    host = f"[{each['host']}]" if ":" in each["host"] else each["host"]
    uri = each["url"] or f"tcp://{host}" + (f":{each['port']}" if each["port"] else "")
    logical = {"fullyQualifiedName": where(each), "kind": "resource"}
    if each["parameter"]:
        logical = {"name": each["parameter"], "fullyQualifiedName": f"{where(each)}#{each['parameter']}"}
        logical["kind"] = "parameter"
    return {"physicalLocation": {"artifactLocation": {"uri": uri}}, "logicalLocations": [logical]}


def _invocation(campaign: Mapping[str, Any], gaps: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "executionSuccessful": campaign["state"] == "completed",
        "toolExecutionNotifications": [
            {
                "level": "error",
                "message": {
                    "text": f"not covered: {each['tool']} {each['endpoint']}: {each['state']}: {each['reason']}"
                },
            }
            for each in gaps
        ],
    }
    for name, key in (("startTimeUtc", "started_at"), ("endTimeUtc", "ended_at")):
        if campaign[key]:
            made[name] = f"{campaign[key].astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
    return made
