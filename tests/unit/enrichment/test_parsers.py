"""What is taken of each publication; samples are made, in the publishers' formats."""

import gzip
import io
import json
import zipfile
from datetime import UTC, datetime

import pytest

from purple.domain.enrichment import About, Fact
from purple.domain.errors import ParseError
from purple.enrichment import SHIPPED, attack, capec, cve, cwe, epss, kev
from purple.enrichment.unpacking import unpacked

LIMIT = 400_000
KEV = {
    "title": "CISA Catalog of Known Exploited Vulnerabilities",
    "catalogVersion": "2026.11.28",
    "dateReleased": "2026-11-28T15:00:06.2551Z",
    "count": 2,
    "vulnerabilities": [
        {"cveID": "CVE-2021-44228", "vulnerabilityName": "Log4j2", "dateAdded": "2021-12-10", "dueDate": "2021-12-24",
         "knownRansomwareCampaignUse": "Known"},
        {"cveID": "CVE-2026-10001", "dateAdded": "soon", "knownRansomwareCampaignUse": "Unknown"},
    ],
}  # fmt: skip
EPSS = b"""#model_version:v2025.03.14,score_date:2026-11-28T12:55:00Z
cve,epss,percentile
CVE-2021-44228,0.94358,0.99962
CVE-2026-10001,0.00043,0.10101
"""
V31, V4 = (
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
)
NVD = {
    "format": "NVD_CVE", "totalResults": 3, "timestamp": "2026-11-28T03:00:01.017",
    "vulnerabilities": [
        {"cve": {
            "id": "CVE-2021-44228", "published": "2021-12-10T10:15:09.143", "vulnStatus": "Analyzed",
            "references": [{"url": "https://example.org/", "tags": ["Exploit", "Third Party Advisory"]}],
            "metrics": {
                "cvssMetricV40": [{"type": "Secondary", "cvssData": {"vectorString": "CVSS:4.0/AV:N"}}],
                "cvssMetricV31": [
                    {"type": "Secondary", "cvssData": {"vectorString": V31.replace("AV:N", "AV:L")}},
                    {"type": "Primary", "cvssData": {"vectorString": V31}}],
                "cvssMetricV2": [{"type": "Primary", "cvssData": {"vectorString": "AV:N/AC:M/Au:N/C:C/I:C/A:C"}}]},
            "weaknesses": [{"description": [{"value": "CWE-502"}, {"value": "NVD-CWE-noinfo"}, {"value": "CWE-20"}]}]}},
        {"cve": {"id": "CVE-2026-10001", "vulnStatus": "Received", "metrics": {"cvssMetricV40": [
            {"type": "Secondary", "cvssData": {"vectorString": V4}}]}, "references": [{"url": "x"}]}},
        {"cve": {"id": "CVE-2026-10002", "vulnStatus": "Rejected"}},
    ],
}  # fmt: skip
CAPEC = b"""<?xml version="1.0"?>
<Attack_Pattern_Catalog xmlns="http://capec.mitre.org/capec-3" Name="CAPEC" Version="3.9" Date="2023-01-24">
<Attack_Patterns>
<Attack_Pattern ID="66" Name="SQL Injection" Abstraction="Standard" Status="Draft">
<Likelihood_Of_Attack>High</Likelihood_Of_Attack><Typical_Severity>High</Typical_Severity>
<Taxonomy_Mappings><Taxonomy_Mapping Taxonomy_Name="ATTACK"><Entry_ID>1190</Entry_ID></Taxonomy_Mapping>
<Taxonomy_Mapping Taxonomy_Name="OWASP Attacks"><Entry_ID>2</Entry_ID></Taxonomy_Mapping></Taxonomy_Mappings>
</Attack_Pattern>
<Attack_Pattern ID="1" Name="Old" Status="Deprecated"/>
</Attack_Patterns></Attack_Pattern_Catalog>"""


def _technique(number: str, **more: object) -> dict[str, object]:
    named = [{"source_name": "mitre-attack", "external_id": number}]
    return {"type": "attack-pattern", "name": "Exploit Public-Facing Application", "external_references": named, **more}


ATTACK = {
    "type": "bundle",
    "objects": [
        {"type": "x-mitre-collection", "x_mitre_version": "18.1", "modified": "2026-10-28T14:00:00.188Z"},
        _technique("T1190", kill_chain_phases=[{"kill_chain_name": "mitre-attack", "phase_name": "initial-access"}]),
        _technique("T1001", revoked=True),
        _technique("T1002", x_mitre_deprecated=True),
        {"type": "malware", "name": "x"},
    ],
}


def _read(parse, data: bytes) -> tuple[dict[str, Fact], About]:
    read = list(parse(io.BytesIO(data), LIMIT))
    return dict(each for each in read if isinstance(each, tuple)), next(
        each for each in read if isinstance(each, About)
    )


def test_kev() -> None:
    facts, about = _read(kev.parse, json.dumps(KEV).encode())
    assert facts["CVE-2021-44228"] == {"name": "Log4j2", "added": "2021-12-10", "due": "2021-12-24", "ransomware": True}
    assert facts["CVE-2026-10001"] == {"name": "", "added": "", "due": "", "ransomware": False}
    assert (about.version, about.count, about.published_at.date().isoformat()) == ("2026.11.28", 2, "2026-11-28")


def test_epss() -> None:
    facts, about = _read(epss.parse, EPSS)
    assert facts["CVE-2021-44228"] == {"score": 0.94358, "percentile": 0.99962}
    assert about == About("v2025.03.14 2026-11-28", datetime(2026, 11, 28, 12, 55, tzinfo=UTC))


def test_nvd_takes_its_own_vector_and_leaves_out_what_is_none() -> None:
    facts, about = _read(cve.parse, json.dumps(NVD).encode())
    log4j = {"cvss": V31, "cwe": [20, 502], "exploit": True, "published": "2021-12-10"}
    assert facts == {
        "CVE-2021-44228": log4j,
        "CVE-2026-10001": {"cvss": V4, "cwe": [], "exploit": False, "published": ""},
    }
    assert (about.count, about.published_at) == (2, datetime(2026, 11, 28, 3, 0, 1, 17000, tzinfo=UTC))


def test_capec_and_attack() -> None:
    facts, about = _read(capec.parse, CAPEC)
    assert facts == {
        "CAPEC-66": {"name": "SQL Injection", "likelihood": "High", "severity": "High", "attack": ["T1190"]}
    }
    assert about == About("3.9", datetime(2023, 1, 24, tzinfo=UTC))
    facts, about = _read(attack.parse, json.dumps(ATTACK).encode())
    assert facts == {"T1190": {"name": "Exploit Public-Facing Application", "tactics": ["initial-access"]}}
    assert about.version == "18.1"


def test_the_weaknesses_that_are_shipped() -> None:
    (file,) = SHIPPED.glob("cwec_*.xml.gz")
    with file.open("rb") as packed, unpacked(packed) as stream:
        facts, about = _read(cwe.parse, stream.read())
    assert (about, len(facts) > 900) == (About("4.15", datetime(2024, 7, 16, tzinfo=UTC)), True)
    assert facts["CWE-89"] == {
        "name": "Improper Neutralization of Special Elements used in an SQL Command ('SQL Injection')",
        "abstraction": "Base",
        "parents": [943],
        "capec": [7, 66, 108, 109, 110, 470],
    }


@pytest.mark.parametrize(
    ("parse", "data", "said"),
    [
        (kev.parse, b'{"vulnerabilities": [{"cveID": "x"}]}', "names no CVE"),
        (kev.parse, json.dumps(KEV).encode()[:300], "breaks off"),
        (epss.parse, b"", "no scores"),
        (epss.parse, b"cve,score\n", "the header"),
        (epss.parse, b"cve,epss,percentile\nCVE-2021-44228,1.2,0.5\n", "line 2"),
        (epss.parse, b"cve,epss,percentile\nCVE-2021-44228,nan,0.5\n", "line 2"),
        (epss.parse, b"# more\n" * (LIMIT // 7 + 1), "larger than"),
        (cve.parse, b'{"vulnerabilities": [{"cve": {"id": "GHSA-1"}}]}', "names no CVE"),
        (cwe.parse, CAPEC, "root element"),
        (capec.parse, CAPEC[:-40], "breaks off"),
        (capec.parse, b'<!DOCTYPE a [<!ENTITY b "c">]><Attack_Pattern_Catalog/>', "entity"),
        (attack.parse, b"[", "breaks off"),
    ],
)
def test_what_is_no_publication_is_refused(parse, data: bytes, said: str) -> None:
    with pytest.raises(ParseError, match=said):
        list(parse(io.BytesIO(data), LIMIT))


def _zip(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, b"plain")
    return made.getvalue()


def test_files_are_unpacked_by_how_they_begin() -> None:
    for data in (b"plain", gzip.compress(b"plain"), _zip("one.xml")):
        with unpacked(io.BytesIO(data)) as stream:
            assert stream.read() == b"plain"


DAMAGED = {
    "cut gzip": gzip.compress(b"plain" * 1000)[:-20],
    "no gzip": b"\x1f\x8b...",
    "two in a zip": _zip("a", "b"),
    "no zip": b"PK\x03\x04.",
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_says_so(data: bytes) -> None:
    with pytest.raises(ParseError, match=r"damaged|2 files"), unpacked(io.BytesIO(data)) as stream:  # noqa: PT012 - one read
        while stream.read(100):
            pass
