"""SARIF 2.1.0, read back by the models of `sarif-pydantic`."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic import BaseModel
from sarif_pydantic import Sarif

from cli.sarif import sarif_log

LACKING = {
    "log.runs.columnKind",
    "log.runs.invocations.toolExecutionNotifications",
    "log.runs.results.baselineState",
    "log.runs.results.suppressions",
}
"""Members that the standard gives to run, invocation and result objects, and the models lack."""
ONE, TWO = UUID(int=1), UUID(int=2)
CAMPAIGN = {
    "id": UUID(int=9),
    "profile": "web",
    "state": "completed_with_gaps",
    "started_at": datetime(2026, 1, 1, 12, 0, tzinfo=UTC),
    "ended_at": None,
}
GAP = {"tool": "nmap", "endpoint": "127.0.0.1", "state": "failed", "reason": "ended by signal 11"}


def vulnerability(row_id: UUID, **changes):
    made = {
        "id": row_id,
        "title": "A weak cipher",
        "severity": "medium",
        "risk": 40,
        "risk_reasons": ["medium"],
        "state": "open",
        "weakness": "tls:weak-cipher",
        "cve": ("CVE-2016-2183",),
        "cwe": (326,),
        "host": "127.0.0.1",
        "port": 8443,
        "url": "",
        "parameter": "",
        "description": "It is weak.",
        "remediation": "Turn it off.",
        "references": ("not a link", "https://example.org/a"),
        "tools": ("sslyze",),
        "fingerprint": f"f{row_id.int}",
    }
    return made | changes


def read(log):
    """The first run, by those models and as plain JSON."""
    text = json.dumps(log, default=str)
    read_back = Sarif.model_validate_json(text)
    assert set(strangers(read_back)) <= LACKING
    return read_back.runs[0], json.loads(text)["runs"][0]


def strangers(value, place="log"):
    """Members that the schema does not know; only a property bag may have any."""
    if isinstance(value, BaseModel):
        if place.endswith(".properties"):
            return
        yield from (f"{place}.{name}" for name in value.model_extra or ())
        for name in type(value).model_fields:
            yield from strangers(getattr(value, name), f"{place}.{name}")
    elif isinstance(value, list):
        for each in value:
            yield from strangers(each, place)


def test_a_log_is_of_the_schema() -> None:
    injected = vulnerability(TWO, url="http://h/a?b=1", parameter="b", severity="critical", weakness="", cve=())
    run, plain = read(sarif_log([vulnerability(ONE), injected], campaign=CAMPAIGN, gaps=[GAP], new={TWO}))
    assert run.tool.driver.name == "Purple"
    assert [each.rule_id for each in run.results] == ["tls:weak-cipher", "A weak cipher"]
    rules = plain["tool"]["driver"]["rules"]
    for each in plain["results"]:
        assert rules[each["ruleIndex"]]["id"] == each["ruleId"]
    assert [each["level"] for each in plain["results"]] == ["warning", "error"]
    assert [each["baselineState"] for each in plain["results"]] == ["unchanged", "new"]
    uris = [each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in plain["results"]]
    assert uris == ["tcp://127.0.0.1:8443", "http://h/a?b=1"]
    assert rules[1]["helpUri"] == "https://example.org/a"
    assert plain["results"][0]["partialFingerprints"] == {"purple/v1": "f1"}


def test_what_was_not_covered_is_told_beside_the_results() -> None:
    _, plain = read(sarif_log([], campaign=CAMPAIGN, gaps=[GAP]))
    (invocation,) = plain["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "nmap 127.0.0.1" in invocation["toolExecutionNotifications"][0]["message"]["text"]
    assert invocation["startTimeUtc"] == "2026-01-01T12:00:00Z"
    assert plain["results"] == []


def test_a_rule_has_the_severity_of_its_worst_result() -> None:
    both = [vulnerability(ONE), vulnerability(TWO, severity="high", host="::1")]
    _, plain = read(sarif_log(both))
    (rule,) = plain["tool"]["driver"]["rules"]
    assert rule["properties"]["security-severity"] == "8.0"
    assert rule["defaultConfiguration"]["level"] == "error"
    assert "baselineState" not in plain["results"][0]
    assert "tcp://[::1]:8443" in json.dumps(plain)


@pytest.mark.parametrize("state", ["false_positive", "risk_accepted"])
def test_a_persons_verdict_suppresses(state) -> None:
    _, plain = read(sarif_log([vulnerability(ONE, state=state)]))
    assert plain["results"][0]["suppressions"][0]["status"] == "accepted"
