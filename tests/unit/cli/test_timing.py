"""A timing as options of a command."""

from datetime import UTC, datetime

import pytest

from cli.timing import length, timing_of
from purple.domain.errors import InvalidInputError
from purple.domain.schedules import Overlap, Timing

NOW = datetime(2027, 1, 1, tzinfo=UTC)
NOTHING = dict.fromkeys(("cron", "calendar", "time_zone", "jitter", "overlap", "catch_up", "start_at", "end_at"), None)


def test_lengths_have_units() -> None:
    assert [length(text, "--jitter") for text in ("90", "90s", "10m", "1h", "1d")] == [90, 90, 600, 3600, 86_400]
    for text in ("", "-1", "1w", "1.5h", "m"):
        with pytest.raises(InvalidInputError, match="no length of time"):
            length(text, "--jitter")


def test_what_is_not_named_stays_and_new_expressions_replace_all() -> None:
    known = Timing(cron=("@daily",), calendar=("hour=3",), time_zone="Europe/Berlin", jitter_s=5)
    assert timing_of(known, NOW, NOTHING) == known
    found = timing_of(known, NOW, NOTHING | {"cron": ["@hourly"], "overlap": Overlap.ALLOW_ALL, "end_at": "7d"})
    assert (found.cron, found.calendar, found.time_zone, found.jitter_s) == (("@hourly",), (), "Europe/Berlin", 5)
    assert (found.overlap, found.end_at) == (Overlap.ALLOW_ALL, datetime(2027, 1, 8, tzinfo=UTC))
