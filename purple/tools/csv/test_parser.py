"""Tables.

Samples: `openvas.csv` and `nessus-8.13.1.csv` are DefectDojo/django-DefectDojo
`unittests/scans/openvas/report_using_openVAS.csv` and `unittests/scans/tenable/nessus/nessus_many_vuln2-default.csv` at
7cfa159a (BSD-3-Clause).
"""

import io
from pathlib import Path

import pytest
from pydantic import ValidationError

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Observation
from purple.domain.severity import Severity
from purple.tools.csv.adapter import Options
from purple.tools.csv.parser import configured, parse
from tests.support import hostile
from tests.support.parsers import read

SAMPLES = Path(__file__).parent / "samples"
OPENVAS = (SAMPLES / "openvas.csv").read_bytes()
NESSUS = (SAMPLES / "nessus-8.13.1.csv").read_bytes()


def mapped(data: bytes, **options: object) -> tuple[list[Observation], ParseError | None]:
    return read(configured(Options(artifact="0" * 64, **options)), data)


def test_the_usual_headings_are_found() -> None:
    found, error = read(parse, OPENVAS)
    assert error is None
    first = found[0]
    assert (first.title, first.severity) == ("TCP Timestamps Information Disclosure", Severity.LOW)
    assert (first.location.host, first.cvss_score, first.rule[:12]) == ("45.33.32.156", 2.6, "csv:1.3.6.1.")
    assert first.description.startswith("The remote host implements TCP timestamps")
    found, error = read(parse, NESSUS)
    assert error is None
    assert len(found) == 30
    assert (found[0].title, found[0].rule, found[0].location.port) == ("HTTP Server Type and Version", "csv:10107", 80)


TABLE = """Befund;Stufe;Rechner;Dienst;Seite
Alte Bibliothek CVE-2021-44228;P1;192.0.2.1;8443;
Offene Umleitung;P3;;;https://app.example.org/go?to=x
"""


def test_columns_words_and_delimiter_are_given() -> None:
    columns = {"title": "Befund", "severity": "stufe", "host": "Rechner", "port": "Dienst", "url": "Seite"}
    found, error = mapped(TABLE.encode(), columns=columns, severities={"P1": "critical", "P3": "low"}, delimiter=";")
    assert error is None
    one, two = found
    assert (one.severity, one.cve, one.location.port) == (Severity.CRITICAL, ("CVE-2021-44228",), 8443)
    assert (two.severity, two.flaw_class, two.location.host) == (Severity.LOW, FlawClass.ENDPOINT, "app.example.org")


def test_a_column_that_is_not_there_is_told_with_those_that_are() -> None:
    found, error = mapped(TABLE.encode(), columns={"title": "Name"})
    assert found == []
    assert "no column 'Name' for title: the columns are Befund, Stufe, Rechner" in str(error)
    assert "no column holds a title" in str(read(parse, TABLE.encode())[1])
    with pytest.raises(ValidationError):
        Options(artifact="0" * 64, columns={"titel": "Name"})
    with pytest.raises(ValidationError):
        Options(artifact="0" * 64, delimiter='"')


ROWS = b"title,severity,port\none,high,80\ntwo,awful,80\n,high,1\nthree,low,99999\nfour,7.5,443\nfive,,1\n"


def test_rows_that_are_wrong_are_told_by_their_numbers_and_others_read() -> None:
    found, error = read(parse, ROWS)
    assert [(each.title, each.severity) for each in found] == [("one", Severity.HIGH), ("four", Severity.HIGH)]
    said = str(error)
    assert said.startswith("4 rows cannot be read: row 3: severity 'awful' is none of info, low")
    assert "row 4: there is no title; row 5: port '99999'" in said


def test_a_thousand_wrong_rows_are_counted_and_ten_told() -> None:
    _, error = read(parse, b"title,severity\n" + b"x,awful\n" * 1000)
    assert "1000 rows" in str(error)
    assert str(error).count("severity 'awful'") == 10
    assert "and 990 more" in str(error)


def test_a_row_that_breaks_off_is_not_read() -> None:
    for cut in (b'title,severity,host\none,high,a\n"two,hi', b"title,severity,host\none,high,a\ntwo,hi"):
        found, error = read(parse, cut)
        assert [each.title for each in found] == ["one"]
        assert "breaks off" in str(error)


def test_encodings() -> None:
    for data in ("Titel,x\n".encode("utf-8-sig") + "Übel,1\n".encode(), "Titel,x\nÜbel,1\n".encode("cp1252")):
        (seen,), error = mapped(data, columns={"title": "Titel"})
        assert error is None
        assert (seen.title, seen.severity) == ("Übel", Severity.MEDIUM)


def test_it_survives_whatever_comes() -> None:
    hostile.survives_damage(parse, OPENVAS)
    hostile.survives_damage(parse, ROWS)
    long = io.BytesIO(b"title,severity\n" + b"x" * 3_000_000)
    with pytest.raises(ParseError, match="a line is longer"):
        list(parse(long))


def test_memory_is_flat() -> None:
    row = b"one thing,high,192.0.2.1,%b\n" % (b"what it is " * 40)
    hostile.stays_flat(parse, b"title,severity,host,description\n", row, b"last,low,192.0.2.2,\n")
