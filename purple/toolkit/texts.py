"""What reports write as HTML or in passing: plain text, links, and the ids of CVE and CWE."""

import html
import re
from collections.abc import Iterable

from purple.domain.observations import clip

MAX_REFERENCES = 20
MAX_IDS = 200
_BLOCK = re.compile(r"</?(?:p|br|li|ul|ol|div|tr|h\d)\b[^>]{0,200}>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>")
_URL = re.compile(r"https?://[^\s<>\"')\]|]{3,500}")
_CVE = re.compile(r"\bCVE-\d{4}-\d{4,19}\b", re.IGNORECASE)
_CWE = re.compile(r"\bCWE[-:/ ]?0*(\d{1,6})\b", re.IGNORECASE)


def plain(text: str) -> str:
    """Text without tags and character references, cut as every text is."""
    if "<" in text:
        text = _TAG.sub("", _BLOCK.sub("\n", text))
    if "&" in text:
        text = html.unescape(text)
    lines = (" ".join(line.split()) for line in text.splitlines())
    return clip("\n".join(line for line in lines if line))


def links(*texts: str) -> tuple[str, ...]:
    """Every URL once."""
    found = dict.fromkeys(clip(each.rstrip(".,;"), 500) for text in texts for each in _URL.findall(text))
    return tuple(found)[:MAX_REFERENCES]


def cves(texts: Iterable[str]) -> tuple[str, ...]:
    """Every CVE once, in the order of the texts."""
    return tuple(dict.fromkeys(each.upper() for text in texts for each in _CVE.findall(text)))[:MAX_IDS]


def cwes(texts: Iterable[str]) -> tuple[int, ...]:
    """Every CWE once."""
    return tuple(dict.fromkeys(int(each) for text in texts for each in _CWE.findall(text)))[:MAX_IDS]


def number(text: str, default: int = 0) -> int:
    """A whole number of at most nine digits, else the default."""
    stripped = text.strip()
    digits = stripped.removeprefix("-")
    return int(stripped) if digits.isascii() and digits.isdigit() and len(digits) <= 9 else default  # noqa: PLR2004 - said above


def score(text: str) -> float:
    """A CVSS score from 0 to 10; 0 where it is none."""
    try:
        found = float(text[:20])
    except ValueError:
        return 0.0
    return found if 0 <= found <= 10 else 0.0  # noqa: PLR2004 - the scale of CVSS
