"""What a tool wrote, as rows: whole, broken off, or more than one scan may have."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from bench import nmap_xml
from purple.domain.campaigns import Phase, Scan
from purple.domain.observations import FEW
from purple.domain.targets import TargetKind
from purple.domain.tools import ScanState
from purple.services import reading
from purple.services.clearance import Time
from purple.services.reading import How, Reader, Reading
from purple.toolkit.tools.catalogue import Catalogue
from purple.toolkit.world import SystemClock

HOSTS = 2 * FEW + 7
"""Each is a row, so that some are left after the last few."""


@pytest.fixture
def output(tmp_path) -> Path:
    path: Path = tmp_path / "nmap.xml"
    nmap_xml.write(path, HOSTS, ports=0)
    return path


def rows(output: Path) -> tuple[list[str], Reading]:
    """Addresses, and how it went."""
    tools = Catalogue(None)
    scan = Scan(
        id=uuid4(), organisation_id=uuid4(), campaign_id=uuid4(), target_id=uuid4(), key="recon:nmap",
        phase=Phase.RECON, tool="nmap", host="192.0.2.7", port=0, url="", options={}, state=ScanState.RUNNING,
        created_at=datetime.now(UTC),
    )  # fmt: skip
    how = How(TargetKind.HOST, tools.spec("nmap"), Time(scan.created_at))
    went = Reading(ScanState.COMPLETE, "")
    found = Reader(tools, SystemClock()).rows(scan, how, output, went, None)
    return [each.seen.location.host for each in found], went


def test_every_result_is_a_row_in_its_order(output) -> None:
    found, went = rows(output)
    assert found == [f"10.0.0.{host}" for host in range(HOSTS)]
    assert (went.state, went.reason, went.read) == (ScanState.COMPLETE, "", HOSTS)


def test_what_came_before_a_break_is_kept(output) -> None:
    text = output.read_text()
    output.write_text(text[: text.index("10.0.0.40")])
    found, went = rows(output)
    assert found == [f"10.0.0.{host}" for host in range(40)]
    assert (went.state, went.read) == (ScanState.PARTIAL, 40)
    assert "could not be read to the end" in went.reason


@pytest.mark.parametrize("most", [FEW, FEW + 1, HOSTS - 1, HOSTS, HOSTS + 1])
def test_no_scan_has_more_rows_than_it_may_and_one_with_as_many_is_whole(output, most, monkeypatch) -> None:
    monkeypatch.setattr(reading, "MAX_OBSERVATIONS", most)
    found, went = rows(output)
    assert len(found) == went.read == min(most, HOSTS)
    assert went.state is (ScanState.PARTIAL if most < HOSTS else ScanState.COMPLETE)
    assert ("more than" in went.reason) is (most < HOSTS)
