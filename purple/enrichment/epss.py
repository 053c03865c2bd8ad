"""FIRST's Exploit Prediction Scoring System, as CSV.

A fact: `score`, the probability of exploitation in the next 30 days, and `percentile`, both 0 to 1.
Format: https://www.first.org/epss/data_stats, a comment line with the model's version and the date, then a header.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from purple.domain.enrichment import About, Fact
from purple.domain.errors import ParseError
from purple.enrichment.words import CVE

_LONGEST = 1_000


def parse(stream: BinaryIO, limit: int) -> Iterator[tuple[str, Fact] | About]:
    """Every score.

    Raises:
        ParseError: no header, a line that is no score, or larger than `limit` bytes.
    """
    read, columns = 0, False
    for number, raw in enumerate(iter(lambda: stream.readline(_LONGEST), b""), start=1):
        read += len(raw)
        if read > limit:
            raise ParseError(f"the scores are larger than {limit} bytes", offset=limit)
        line = raw.decode("ascii", "replace").strip()
        if line.startswith("#"):
            yield _about(line[1:])
        elif not columns:
            if line.lower().split(",") != ["cve", "epss", "percentile"]:
                raise ParseError("the header is not cve,epss,percentile", offset=number, unit="lines")
            columns = True
        elif line:
            yield _score(line, number)
    if not columns:
        raise ParseError("there are no scores", offset=read)


def _score(line: str, number: int) -> tuple[str, Fact]:
    try:
        key, score, percentile = line.split(",")
        fact = {"score": float(score), "percentile": float(percentile)}
    except ValueError:
        fact, key = {}, ""
    if not CVE.fullmatch(key) or not all(0 <= each <= 1 for each in fact.values()):
        raise ParseError("a line is no CVE with two numbers from 0 to 1", offset=number, unit="lines")
    return key, fact


def _about(line: str) -> About:
    """`model_version:v2025.03.14,score_date:2026-11-28T00:00:00+0000`."""
    told = dict(part.split(":", 1) for part in line.split(",") if ":" in part)
    try:
        dated = datetime.fromisoformat(told.get("score_date", ""))
    except ValueError:
        return About(told.get("model_version", "")[:50])
    return About(f"{told.get('model_version', '')[:50]} {dated:%Y-%m-%d}".strip(), dated if dated.tzinfo else None)
