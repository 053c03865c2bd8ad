"""`make demo` as a newcomer runs it, twice, and `make down`: real tools, the lab, a real webhook."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = yaml.safe_load((ROOT / "lab/expected.yaml").read_text())


def purple(home: Path, *arguments: str, timeout: float = 420) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PURPLE_") or k == "PURPLE_STACK__CACHE"}
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        env=environment | {"PURPLE_STACK__HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def marked(home: Path) -> list[str]:
    """Command lines of processes that belong to this home's stack."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"PURPLE_STACK_MARK={home}".encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return [each for each in found if each]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    import shutil
    import tempfile

    made = Path(tempfile.mkdtemp(prefix="purple-demo-"))
    made.chmod(0o711)
    yield made
    purple(made, "down")
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.timeout(900)
def test_the_demo_finds_what_the_lab_holds_and_leaves_nothing_behind(home) -> None:
    first = purple(home, "demo")
    assert first.returncode == 0, first.stderr[-3000:]
    assert "VULNERABLE ON PURPOSE" in first.stderr
    assert "covered: all 15 tool runs are complete" in first.stderr, first.stderr[-3000:]
    assert "notice delivered" in first.stderr
    lab = json.loads((home / "lab.json").read_text())
    api, token = api_of(home)
    client = httpx.Client(
        base_url=f"{api}/api/v1", headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=60
    )
    found = client.get("/vulnerabilities", params={"limit": 200}).json()["items"]
    assert missing(lab, found) == []
    for suffix, head in (("pdf", b"%PDF-"), ("html", b"<!doctype html>"), ("json", b"{")):
        (report,) = home.glob(f"reports/*/report.{suffix}")
        assert report.read_bytes().startswith(head)
        assert str(report) in first.stderr
    received = [json.loads(line) for line in Path(lab["received"]).read_text().splitlines()]
    assert [each["verified"] for each in received] == [True]
    assert json.loads(received[0]["body"])["type"] == "campaign.ended"

    second = purple(home, "demo")
    assert second.returncode == 0, second.stderr[-3000:]
    again = client.get("/vulnerabilities", params={"limit": 200}).json()["items"]
    changing = {"last_seen", "observation_ids"}
    assert [{k: v for k, v in each.items() if k not in changing} for each in again] == [
        {k: v for k, v in each.items() if k not in changing} for each in found
    ]
    client.close()

    status = purple(home, "status", "-o", "json")
    states = {part["name"]: part["state"] for part in json.loads(status.stdout)}
    assert {states[name] for name in ("postgres", "temporal", "elasticsearch", "valkey", "api", "relay")} == {"ready"}
    stopped = purple(home, "down")
    assert stopped.returncode == 0
    assert marked(home) == []


def api_of(home: Path) -> tuple[str, str]:
    offered = dict(
        line.strip().split("=", 1)
        for line in (home / "stack.env").read_text().splitlines()
        if line.startswith("PURPLE")
    )
    return offered["PURPLE_API__URL"].strip("'"), (home / "admin.token").read_text().strip()


def missing(lab: dict[str, str], found: list[dict[str, object]]) -> list[str]:
    """What the lab's list names and the campaign did not find."""
    seen = {
        (each["weakness"], each["port"], tool, urlsplit(str(each["url"])).path, each["parameter"])
        for each in found
        for tool in each["tools"]
    }
    gone = []
    for service, flaws in EXPECTED.items():
        port = int(lab[service].strip("/").rpartition(":")[2])
        for flaw in flaws:
            wanted = (flaw["weakness"], port, flaw["tool"], flaw.get("path", ""), flaw.get("parameter", ""))
            if wanted not in seen:
                gone.append(f"{service}: {wanted}")
    return gone
