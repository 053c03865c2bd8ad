"""A file is what it holds, whatever it is called."""

from pathlib import Path

import pytest

from purple.domain.errors import InvalidInputError
from purple.toolkit.formats import Signature, look_at
from purple.toolkit.tools.catalogue import Catalogue
from purple.toolkit.tools.install import Programs

TOOLS = Path(__file__).resolve().parents[3] / "purple/tools"
FORMATS = {"burp", "csv", "cyclonedx", "lynis", "nessus", "nmap", "openvas", "sarif", "zap"}


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory) -> Catalogue:
    folder = tmp_path_factory.mktemp("tools")
    return Catalogue(Programs(folder, folder))


def test_every_sample_is_recognised_as_what_its_folder_is_called(catalogue: Catalogue) -> None:
    known = {each.name for each in catalogue.formats()}
    assert known >= FORMATS
    seen = {name: list((TOOLS / name / "samples").iterdir()) for name in FORMATS}
    assert all(seen.values())
    for name, samples in seen.items():
        for sample in samples:
            assert catalogue.recognise(sample.read_bytes()[:65536]).name == name, sample


def test_the_beginning_is_enough_and_a_mark_before_it_no_trouble(catalogue: Catalogue) -> None:
    for name, sample in (
        ("nmap", "nmap-7.93-lab.xml"), ("nessus", "nessus-10.1.1-testphp.nessus"), ("burp", "burp-2020.12.1.xml"),
    ):  # fmt: skip
        head = (TOOLS / name / "samples" / sample).read_bytes()[:4500]
        if name == "burp":  # its document type comes first
            head = (TOOLS / name / "samples" / sample).read_bytes()[:9000]
        assert catalogue.recognise(head).name == name
        assert catalogue.recognise(b"\xef\xbb\xbf\n " + head.replace(b"<?xml", b"<!-- --><?xml", 0)).name == name


def test_a_tool_that_runs_is_imported_under_a_name_of_its_own(catalogue: Catalogue) -> None:
    wanted = catalogue.recognise(b"", "nmap")
    spec = catalogue.spec(wanted.tool)
    assert (wanted.tool, spec.imports, spec.intrusiveness) == ("import-nmap", True, "passive")
    assert not catalogue.spec("nmap").imports
    assert "import-nmap" not in catalogue.names()
    with pytest.raises(InvalidInputError, match="artifact"):
        catalogue.validate_options("import-nmap", {})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "neither XML, JSON nor text"),
        (bytes(range(256)) * 40, "neither XML, JSON nor text"),
        (b"<html><body/></html>", "XML with the root element <html>"),
        (b'{"dependencies": {}, "name": "x"}', "JSON with dependencies, name"),
        (b"[1, 2]", "JSON with nothing"),
        (b"hello\nworld", 'text that begins with "hello"'),
        (b'<!DOCTYPE nmaprun [<!ENTITY a "b">]><nmaprun/>', "XML with the root element <>"),
        (b"<nmaprun2>", "<nmaprun2>"),
        (b"<?xml version='1.0' encoding='x-unknown'?><nmaprun/>", "XML with the root element <>"),
    ],
)
def test_what_is_unknown_is_refused_with_what_is_known(catalogue: Catalogue, data: bytes, said: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        catalogue.recognise(data)
    assert said in refusal.value.detail
    assert "nessus, nmap, nuclei, openvas" in refusal.value.remedy


def test_what_may_be_two_is_refused_and_a_name_decides(catalogue: Catalogue) -> None:
    both = b'{"bomFormat": "CycloneDX", "runs": [], "version": "2.1.0"}'
    with pytest.raises(InvalidInputError, match="may be cyclonedx or sarif"):
        catalogue.recognise(both)
    assert catalogue.recognise(both, "sarif").tool == "sarif"
    with pytest.raises(InvalidInputError, match="no format 'xlsx'"):
        catalogue.recognise(both, "xlsx")


def test_lines_of_json_and_namespaces() -> None:
    head = look_at(b'{"template-id": "x", "info": {"severity": "high"}}\n{"other": 1}\n')
    assert (head.kind, head.paths) == ("json", {"template-id", "info", "info.severity"})
    assert head.values["info.severity"] == "high"
    signature = Signature.model_validate({"xml": {"root": "bom", "namespace": "cyclonedx"}})
    assert signature.matches(look_at(b'<b:bom xmlns:b="http://cyclonedx.org/schema/bom/1.6">'))
    assert not signature.matches(look_at(b'<bom xmlns="http://example.org/">'))
