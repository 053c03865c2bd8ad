"""Words that several publications share."""

import re
from datetime import date

CVE = re.compile(r"CVE-\d{4}-\d{4,19}")


def day(text: object) -> str:
    """A date as it is kept, or empty where it is none."""
    try:
        return date.fromisoformat(str(text)[:10]).isoformat()
    except ValueError:
        return ""
