"""A table of results, one flaw a row, by RFC 4180 with a header line and any delimiter.

Severities are the five words, their usual synonyms, the numbers of CVSS (by the bands of v3.1) in a column of scores,
and words that the options add. A row whose severity or port says nothing that is known is told by its number, and the
others are read.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from purple.domain.errors import ParseError
from purple.domain.observations import FlawClass, Location, Observation, ObservationKind, clip
from purple.domain.severity import Severity
from purple.toolkit.texts import cves, cwes, links, number, plain, score

LIMIT = 2 * 1024**3
MAX_LINE = 1024**2
MAX_ERRORS = 10
"""Rows that are told of one by one."""
_CHUNK = 64 * 1024
_DELIMITERS = ",;\t|"
_HEADINGS: dict[str, tuple[str, ...]] = {
    "title": ("title", "name", "vulnerability", "vulnerability name", "plugin name", "nvt name", "finding", "issue",
              "issue name", "summary"),
    "severity": ("severity", "risk", "risk level", "risk rating", "threat", "level", "priority", "criticality"),
    "host": ("host", "ip", "ip address", "address", "hostname", "host name", "dns name", "asset", "target", "fqdn"),
    "port": ("port", "port number"),
    "protocol": ("protocol", "port protocol", "transport"),
    "url": ("url", "uri", "endpoint", "location url", "affected url"),
    "method": ("method", "http method"),
    "parameter": ("parameter", "param"),
    "path": ("path", "file", "file path", "component", "package"),
    "line": ("line", "line number"),
    "rule": ("rule", "rule id", "plugin id", "plugin", "nvt oid", "id", "check", "check id", "vulnerability id"),
    "cve": ("cve", "cves", "cve id", "cve ids"),
    "cwe": ("cwe", "cwe id", "cwes"),
    "cvss": ("cvss", "cvss score", "cvss base score", "cvss v3.0 base score", "cvss3", "score"),
    "cvss_vector": ("cvss vector", "vector", "cvss v3.0 vector"),
    "description": ("description", "details", "detail", "synopsis", "summary", "impact"),
    "remediation": ("remediation", "solution", "recommendation", "mitigation", "fix"),
    "evidence": ("evidence", "plugin output", "output", "proof", "specific result", "result"),
    "references": ("references", "reference", "see also", "links", "link"),
}  # fmt: skip
_WORDS = {
    "critical": Severity.CRITICAL, "urgent": Severity.CRITICAL,
    "high": Severity.HIGH, "serious": Severity.HIGH, "important": Severity.HIGH, "severe": Severity.HIGH,
    "medium": Severity.MEDIUM, "moderate": Severity.MEDIUM, "warning": Severity.MEDIUM,
    "low": Severity.LOW, "minor": Severity.LOW,
    "info": Severity.INFO, "informational": Severity.INFO, "information": Severity.INFO, "none": Severity.INFO,
    "log": Severity.INFO, "note": Severity.INFO,
}  # fmt: skip
_PORTS = {"http": 80, "https": 443}
_MAX_PORT = 65_535
Row = Mapping[str, str]


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """See `configured`, with the usual headings."""
    return _read(stream, {}, {}, "")


def configured(options: Any) -> Callable[[BinaryIO], Iterator[Observation]]:
    """A parser with a mapping of its own.

    Args:
        options: of `adapter.py`.
    """
    words = {name.strip().lower(): Severity(value) for name, value in options.severities.items()}
    return lambda stream: _read(stream, options.columns, words, options.delimiter)


def _read(
    stream: BinaryIO, columns: Mapping[str, str], words: Mapping[str, Severity], delimiter: str
) -> Iterator[Observation]:
    """One flaw a row.

    Raises:
        ParseError: no header line, a column that is not there, or rows that cannot be read, the first of them by
            their numbers; what could be read has been yielded.
    """
    broken: list[str] = []
    lines = _lines(stream, broken)
    header = next(lines, "")
    divider = delimiter or max(_DELIMITERS, key=header.count)
    headings = next(_rows(iter([header]), divider), [])
    places = _places(headings, columns)
    known = {**_WORDS, **words}
    wrong: list[str] = []
    count = number_of = 0
    for number_of, cells in enumerate(_rows(lines, divider), start=2):
        if not any(cells):
            continue
        if broken and len(cells) < len(headings):
            raise ParseError("the table breaks off in its last row", offset=number_of, unit="rows")
        row = {name: cells[place].strip() for name, place in places.items() if place < len(cells)}
        try:
            yield _flaw(row, known)
        except ValueError as error:
            count += 1
            if len(wrong) < MAX_ERRORS:
                wrong.append(f"row {number_of}: {error}")
    if count:
        more = f" and {count - len(wrong)} more" if count > len(wrong) else ""
        raise ParseError(f"{count} rows cannot be read: {'; '.join(wrong)}{more}", offset=number_of, unit="rows")


def _lines(stream: BinaryIO, broken: list[str]) -> Iterator[str]:
    """Lines with their ends; UTF-8, or where that fails Windows' Western code page. One without an end is `broken`."""
    rest = stream.read(3).removeprefix(b"\xef\xbb\xbf")
    read = 0
    while chunk := stream.read(_CHUNK):
        read += len(chunk)
        if read > LIMIT:
            raise ParseError(f"the table is larger than {LIMIT} bytes", offset=LIMIT)
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield f"{_text(line)}\n"
        if len(rest) > MAX_LINE:
            raise ParseError(f"a line is longer than {MAX_LINE} bytes", offset=read)
    if rest:
        broken.append(_text(rest))
        yield broken[0]


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def _rows(lines: Iterator[str], delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise ParseError(f"the table breaks off: {error}", offset=reader.line_num, unit="lines") from None
        if row is None:
            return
        yield row


def _places(headings: list[str], columns: Mapping[str, str]) -> dict[str, int]:
    """Field to the number of its column.

    Raises:
        ParseError: a column that was named is not there, or none holds a title.
    """
    seen = [" ".join(each.replace("_", " ").lower().split()) for each in headings]
    found: dict[str, int] = {}
    for name, usual in _HEADINGS.items():
        if name in columns:
            wanted = " ".join(columns[name].replace("_", " ").lower().split())
            if wanted and wanted not in seen:
                raise ParseError(f"there is no column {columns[name]!r} for {name}: {_shown(headings)}", offset=0)
            choices: tuple[str, ...] = (wanted,) if wanted else ()
        else:
            choices = usual
        place = next((seen.index(each) for each in choices if each in seen), None)
        if place is not None:
            found[name] = place
    if "title" not in found:
        raise ParseError(f"no column holds a title; name it in columns: {_shown(headings)}", offset=0)
    return found


def _shown(headings: list[str]) -> str:
    return f"the columns are {', '.join(clip(each, 40) for each in headings[:30])}"


def _flaw(row: Row, words: Mapping[str, Severity]) -> Observation:
    title = plain(row.get("title", "")).split("\n")[0]
    if not title:
        raise ValueError("there is no title")
    known = cves((row.get("cve", ""), title))
    place = _place(row)
    points = score(row.get("cvss", ""))
    cwe = row.get("cwe", "")
    return Observation(
        kind=ObservationKind.FLAW,
        rule=clip(f"csv:{row.get('rule') or title}", 300),
        title=clip(title, 200),
        location=place,
        severity=_severity(row, points, words),
        flaw_class=_class(place, known),
        cve=known,
        cwe=cwes((cwe,)) or tuple(filter(None, (number(each) for each in cwe.replace(";", ",").split(",")))),
        cvss_vector=clip(row.get("cvss_vector", ""), 200),
        cvss_score=points,
        description=plain(row.get("description", "")),
        evidence=clip(row.get("evidence", "")),
        remediation=plain(row.get("remediation", "")),
        references=links(row.get("references", "")),
        confidence=0.8,
    )


def _class(place: Location, known: tuple[str, ...]) -> FlawClass:
    if place.url:
        return FlawClass.ENDPOINT
    if place.path:
        return FlawClass.CODE
    return FlawClass.COMPONENT if known else FlawClass.CONFIGURATION


def _severity(row: Row, points: float, words: Mapping[str, Severity]) -> Severity:
    said = row.get("severity", "").lower()
    if said in words:
        return words[said]
    if not said and points:
        return Severity.from_cvss(points)
    if said and said[0].isdigit() and "." in said:
        return Severity.from_cvss(score(said))
    if not said and "severity" not in row:
        return Severity.MEDIUM  # no column says it, so that each is to be looked at
    raise ValueError(f"severity {clip(said, 40)!r} is none of {', '.join(Severity)}")


def _place(row: Row) -> Location:
    url, host, port = row.get("url", ""), row.get("host", ""), row.get("port", "")
    parts = urlsplit(url if "://" in url else "")
    wanted = number(port, -1) if port else parts.port or _PORTS.get(parts.scheme, 0)
    if not 0 <= wanted <= _MAX_PORT:
        raise ValueError(f"port {clip(port, 20)!r} is not a number from 0 to {_MAX_PORT}")
    protocol = row.get("protocol", "").lower()
    line = number(row.get("line", ""))
    return Location(
        clip(host or parts.hostname or "", 300),
        wanted,
        protocol if protocol in {"tcp", "udp"} else "tcp" if wanted else "",
        url=clip(url, 2048) if parts.scheme in _PORTS else "",
        method=clip(row.get("method", ""), 20),
        parameter=clip(row.get("parameter", ""), 300),
        path=clip(row.get("path", ""), 1000),
        line=max(line, 0),
    )
