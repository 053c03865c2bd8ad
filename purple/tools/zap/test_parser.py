"""ZAP's reports, and how it is run: its own program could not be had where this was written.

Samples: `zap-2.9.0.xml` and `zap-2.16.1-requests.xml` are DefectDojo/django-DefectDojo
`unittests/scans/zap/some_2.9.0.xml` and `zap_2.16.1_with_req_resp.xml` at 7cfa159a (BSD-3-Clause), the names of sites
changed there. `zap-2.17.0-juice-shop.json` is what ZAP 2.17.0 wrote of OWASP Juice Shop on 2026-02-25, as a public
repository prints it; of seven alerts four are kept, with fewer instances.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from purple.domain.severity import Severity
from purple.domain.tools import ToolJob, ToolTarget
from purple.toolkit.adapter import Command
from purple.tools.zap.adapter import Options, command
from purple.tools.zap.parser import MAX_INSTANCES, parse
from tests.support import hostile
from tests.support.parsers import read

SAMPLES = Path(__file__).parent / "samples"
OLD = (SAMPLES / "zap-2.9.0.xml").read_bytes()
REQUESTS = (SAMPLES / "zap-2.16.1-requests.xml").read_bytes()
JSON = (SAMPLES / "zap-2.17.0-juice-shop.json").read_bytes()


def test_each_instance_is_a_flaw_at_its_url_and_parameter() -> None:
    found, error = read(parse, OLD)
    assert error is None
    assert len(found) == OLD.count(b"<instance>") == 17
    first = found[0]
    assert (first.rule, first.weakness, first.cwe) == ("zap:10011", "cookie-without-secure", (614,))
    assert (first.severity, first.confidence) == (Severity.LOW, 0.7)
    assert (first.location.host, first.location.port, first.location.parameter) == ("mainsite.com", 443, "opvc")
    assert first.evidence == "evidence: Set-Cookie: opvc"
    assert first.description.startswith("A cookie has been set without the secure flag")
    assert "<p>" not in first.remediation
    assert first.references == ("http://www.owasp.org/index.php/Testing_for_cookies_attributes_(OWASP-SM-002",)


def test_requests_and_responses_are_no_evidence_and_a_missing_cwe_is_none() -> None:
    found, error = read(parse, REQUESTS)
    assert error is None
    assert len(found) == 13
    assert {each.cwe for each in found} >= {()}
    assert "POST" in {each.location.method for each in found}
    assert not any("user-agent" in each.evidence for each in found)


def test_json_says_the_same_in_other_words() -> None:
    found, error = read(parse, JSON)
    assert error is None
    assert [(each.rule, each.location.url) for each in found[:2]] == [
        ("zap:10038-1", "http://host.docker.internal:8080"),
        ("zap:10038-1", "http://host.docker.internal:8080/"),
    ]
    assert {each.weakness for each in found} == {"header-missing-csp", "plaintext-http", ""}
    assert {each.severity for each in found} == {Severity.MEDIUM, Severity.LOW}


def test_a_false_positive_is_no_flaw_and_an_unknown_risk_is_told() -> None:
    found, error = read(parse, JSON.replace(b'"confidence": "3"', b'"confidence": "0"'))
    assert error is None
    assert "zap:10038-1" not in {each.rule for each in found}
    found, error = read(parse, JSON.replace(b'"riskcode": "1"', b'"riskcode": "9"'))
    assert {each.rule for each in found} == {"zap:10038-1", "zap:10106"}
    assert "2 alerts" in str(error)


def test_a_site_without_alerts_is_clean_and_anything_else_no_report() -> None:
    assert read(parse, b'{"site": [{"@name": "x", "alerts": []}]}') == ([], None)
    assert read(parse, b'<OWASPZAPReport><site host="x"><alerts></alerts></site></OWASPZAPReport>') == ([], None)
    for other in (b'{"runs": []}', b"<issues/>"):
        assert read(parse, other)[1] is not None


def test_an_alert_with_too_many_instances_is_cut_and_says_so() -> None:
    report = json.loads(JSON)
    alert = report["site"][1]["alerts"][1]
    alert["instances"] *= MAX_INSTANCES + 1
    report["site"][1]["alerts"] = [alert]
    found, error = read(parse, json.dumps(report).encode())
    assert len(found) == MAX_INSTANCES
    assert "1 alerts are cut" in str(error)


@pytest.mark.parametrize("sample", [OLD, JSON])
def test_it_survives_whatever_comes(sample: bytes) -> None:
    hostile.survives_damage(parse, sample)
    hostile.keeps_what_came_before(parse, sample)
    hostile.refuses_entities(parse, "OWASPZAPReport")


def test_memory_is_flat() -> None:
    body = OLD[OLD.index(b"<alertitem>") : OLD.index(b"</alertitem>") + 12]
    hostile.stays_flat(parse, b"<OWASPZAPReport><site><alerts>", body, b"</alerts></site></OWASPZAPReport>")
    alert = json.dumps(json.loads(JSON)["site"][1]["alerts"][1]).encode()
    hostile.stays_flat(parse, b'{"site": [{"alerts": [' + alert, b"," + alert, b"]}]}")


URL = "https://app.example.org:8443/shop/a$b*.php?id=${HOME}"
TARGET = ToolTarget("app.example.org", "192.0.2.7", 8443, URL)


def made(target: ToolTarget = TARGET, **options: object) -> tuple[Command, dict[str, Any]]:
    command_ = command(ToolJob("zap", target, {}, 60, Path("/the/work")), Options.model_validate(options))
    return command_, yaml.safe_load(command_.files["plan.yaml"])


def test_a_plan_crawls_attacks_and_writes_what_the_parser_reads() -> None:
    ran, plan = made(strength="High", depth=3)
    arguments = ran.arguments
    assert arguments[: arguments.index("-Xmx1024m")] == ("-cmd", "-silent")
    assert arguments[arguments.index("-autorun") + 1] == "/the/work/plan.yaml"
    jobs = {each["type"]: each for each in plan["jobs"]}
    assert list(jobs) == ["spider", "activeScan", "passiveScan-wait", "report"]
    assert jobs["spider"]["parameters"]["maxDepth"] == 3
    assert jobs["activeScan"]["policyDefinition"] == {"defaultStrength": "High"}
    told = jobs["report"]["parameters"]
    assert (told["template"], f"{told['reportDir']}/{told['reportFile']}") == (
        "traditional-json",
        f"/the/work/{ran.output}",
    )


def test_without_attacks_pages_are_visited_and_no_form_is_sent() -> None:
    _, plan = made(active=False)
    assert [each["type"] for each in plan["jobs"]] == ["spider", "passiveScan-wait", "report"]
    assert plan["jobs"][0]["parameters"]["postForm"] is False


def test_it_stays_in_the_folder_at_the_checked_address() -> None:
    ran, plan = made(rate=7)
    assert ran.files["hosts"].splitlines()[0] == "192.0.2.7 app.example.org"
    assert ran.environment == {"JDK_JAVA_OPTIONS": '"-Djdk.net.hosts.file=/the/work/hosts"'}
    assert "network.ratelimit.rules.rule(0).matchStr=app.example.org" in ran.arguments
    assert "network.ratelimit.rules.rule(0).reqsPerSec=7" in ran.arguments
    (context,) = plan["env"]["contexts"]
    folder = "https://app.example.org:8443/shop/"
    assert context["urls"] == [folder]
    assert context["excludePaths"] == [rf"^(?!\Q{folder}\E).*$"]
    start = plan["jobs"][0]["parameters"]["url"]
    assert start == f"{folder}a%24b%2A.php?id=%24%7BHOME%7D", "no variable of a plan is made of it"


@pytest.mark.parametrize(
    ("host", "address", "url", "folder"),
    [
        ("a.example", "192.0.2.7", "http://a.example:80", "http://a.example/"),
        ("2001:db8::7", "2001:db8::7", "https://[2001:db8::7]:443/x", "https://[2001:db8::7]/"),
    ],
)
def test_a_folder_is_written_as_zap_writes_urls(host: str, address: str, url: str, folder: str) -> None:
    _, plan = made(ToolTarget(host, address, 0, url))
    assert plan["env"]["contexts"][0]["urls"] == [folder]


def test_its_start_script_says_its_version_and_its_log_what_it_could_not_do() -> None:
    manifest = yaml.safe_load((SAMPLES.parent / "tool.yaml").read_text())
    script = 'exec java ${JMEM} ${JAVAGC} ${JAVADEBUG} -jar "${BASEDIR}/zap-2.16.1.jar" "${ARGS[@]}"'
    found = re.search(manifest["install"]["version"]["pattern"], script)
    assert found
    assert found[1] == "2.16.1"
    warned = (
        "Automation plan warnings:\n\tJob spider error accessing URL http://a/ status code returned : 404 expected 200"
    )
    assert [bool(re.search(manifest["trouble"], line)) for line in warned.splitlines()] == [False, True]
