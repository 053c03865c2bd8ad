"""Which tools `purple tool install --used` gets."""

from pathlib import Path
from types import SimpleNamespace

from cli.tool import _wanted
from purple.services.profiles import Profiles
from purple.toolkit.tools.catalogue import Catalogue
from purple.toolkit.tools.install import Programs


def test_used_are_the_tools_that_profiles_run(tmp_path: Path) -> None:
    container = SimpleNamespace(profiles=Profiles(), tools=Catalogue(Programs(tmp_path / "tools", tmp_path)))
    used, every = _wanted(container, everything=False), _wanted(container, everything=True)
    assert {"nmap", "wapiti", "sslyze"} <= set(used) < set(every)
    assert "hydra" in set(every) - set(used)
