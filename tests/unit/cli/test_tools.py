"""Which tools `purple tool install --profile` gets."""

from pathlib import Path
from types import SimpleNamespace

from cli.tool import _wanted
from purple.services.profiles import Profiles
from purple.toolkit.tools.catalogue import Catalogue
from purple.toolkit.tools.install import Programs


def test_a_profile_wants_the_tools_that_it_runs_and_no_other(tmp_path: Path) -> None:
    container = SimpleNamespace(profiles=Profiles(), tools=Catalogue(Programs(tmp_path / "tools", tmp_path)))
    standard, every = _wanted(container, "standard"), _wanted(container, "")
    assert {"nmap", "wapiti", "sslyze"} <= set(standard) < set(every)
    assert {"hydra", "gitleaks"} <= set(every) - set(standard)
