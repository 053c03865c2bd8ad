"""Tools that say too much or end as nobody knows: a scan with that reason, bounded disk, flat memory."""

from pathlib import Path
from typing import Any

import pytest

from tests.outages.conftest import OUTPUT_MB
from tests.outages.house import House

pytestmark = pytest.mark.timeout(900)

GROWTH_MB = 128
"""Of a worker's highest memory; what it was shown is twice that."""


def scan_of(house: House, address: str, mode: str) -> tuple[dict[str, Any], dict[str, Any]]:
    campaign = house.end(house.start(house.targets(address), mode=mode))
    (scan,) = house.get("/scans", filter=f"campaign_id:{campaign['id']}")["items"]
    return campaign, scan


def highest_mb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024


def kept_mb(folder: Path) -> float:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file()) / 1024**2


@pytest.fixture(scope="module")
def warm(house) -> None:
    """What a worker loads at its first scan is no growth."""
    scan_of(house, "127.60.10.1", "ok")


@pytest.mark.parametrize(
    ("mode", "where", "kept"), [("flood", "its output", OUTPUT_MB), ("shout", "standard output", 2)]
)
def test_a_gibibyte_of_output_is_cut_off(house, warm, tool_worker, mode, where, kept) -> None:
    data = Path(house.environment["PURPLE_STACK__HOME"]) / "data"
    memory, disk = highest_mb(tool_worker), kept_mb(data)
    campaign, scan = scan_of(house, f"127.60.11.{kept % 256 + 1}", mode)
    assert (scan["state"], scan["observations"]) == ("partial", 3), scan["reason"]
    assert f"wrote more than {OUTPUT_MB} MB to {where}" in scan["reason"]
    assert campaign["state"] == "completed_with_gaps"
    assert highest_mb(tool_worker) - memory < GROWTH_MB
    assert kept_mb(data) - disk < kept + 4
    assert list((data / "scratch").iterdir()) == []


def test_an_exit_code_that_the_tool_does_not_know_is_a_failed_scan(house) -> None:
    campaign, scan = scan_of(house, "127.60.12.1", "code")
    assert (scan["state"], scan["exit_code"], scan["observations"]) == ("failed", 77, 3)
    assert "ended with code 77" in scan["reason"]
    assert campaign["state"] == "completed_with_gaps"
