"""Trends and metrics on the wire."""

from datetime import date

from pydantic import Field

from api.schemas import Answer
from purple.domain.analytics import By, TargetAnalytics
from purple.domain.metrics import ScanMetrics, ToolMetrics
from purple.domain.severity import Severity
from purple.domain.tools import ScanState
from purple.domain.trends import Trend


class DayAnswer(Answer):
    """One day, in UTC."""

    day: date
    open: dict[Severity, int] = Field(description="Present at its end")
    past_due: int = Field(description="Of those, past their due date at its end")
    found: int
    reopened: int
    returned: int = Field(description="Present again after people had dismissed them")
    fixed: int
    dismissed: int = Field(description="As false positive, accepted risk or out of scope")


class TotalsAnswer(Answer):
    """A whole period; `open`, `past_due` and `mean_age` are at its end."""

    severity: Severity | None = Field(description="null for all")
    open: int
    past_due: int
    mean_age: float | None = Field(description="Days since first seen or reopened; null where none is open")
    found: int
    reopened: int
    returned: int
    fixed: int
    dismissed: int
    days_to_fix: float | None = Field(description="Mean, from first seen or reopened; null where none was fixed")
    in_time: float | None = Field(description="Share fixed by their due date, of those fixed that had one; 0 to 1")
    reopen_rate: float | None = Field(description="Reopened for each that was fixed; null where none was fixed")


class AgeAnswer(Answer):
    """Present ones of an age, at the end of the period."""

    name: str
    open: dict[Severity, int]


class TrendAnswer(Answer):
    """How many vulnerabilities there were, came and went."""

    since: date = Field(description="Not before the first day that is kept")
    until: date
    filter: str
    days: list[DayAnswer]
    total: TotalsAnswer
    severities: list[TotalsAnswer] = Field(description="The worst first")
    ages: list[AgeAnswer] = Field(description="The youngest first")

    @classmethod
    def of(cls, trend: Trend) -> "TrendAnswer":
        """Flatten one."""
        return cls(
            since=trend.period.since,
            until=trend.period.until,
            filter=trend.filter,
            days=[DayAnswer.model_validate(each) for each in trend.days],
            total=TotalsAnswer.model_validate(trend.total),
            severities=[TotalsAnswer.model_validate(each) for each in trend.severities],
            ages=[AgeAnswer.model_validate(each) for each in trend.ages],
        )


class ToolMetricsAnswer(Answer):
    """The scans of one tool."""

    tool: str
    scans: int
    states: dict[ScanState, int] = Field(description="How each ended")
    covered: int = Field(description="Of those skipped, how many a recent scan covers")
    coverage: float = Field(description="Share that is complete, or covered by a recent scan; 0 to 1")
    again: int = Field(description="Attempts beyond the first")
    observations: int
    seconds_p50: float | None = Field(description="In which half of the complete ones ended")
    seconds_p95: float | None = Field(description="In which nineteen of twenty ended")

    @classmethod
    def of(cls, each: ToolMetrics) -> "ToolMetricsAnswer":
        """Read one."""
        return cls.model_validate(each)


class ScanMetricsAnswer(Answer):
    """Scans of campaigns that ended."""

    since: date = Field(description="Not before the first day that is kept")
    until: date
    filter: str
    targets: int = Field(description="In the register now")
    targets_covered: int = Field(description="Of those, how many a complete scan looked at in the period")
    tools: list[ToolMetricsAnswer] = Field(description="By name")

    @classmethod
    def of(cls, metrics: ScanMetrics) -> "ScanMetricsAnswer":
        """Flatten them."""
        return cls(
            since=metrics.period.since,
            until=metrics.period.until,
            filter=metrics.filter,
            targets=metrics.targets,
            targets_covered=metrics.targets_covered,
            tools=[ToolMetricsAnswer.of(each) for each in metrics.tools],
        )


class RegisterPartAnswer(Answer):
    """A part of the register."""

    key: str = Field(description="The value its targets share, of a business unit its id; empty for those without one")
    name: str = Field(description="Of a business unit its path")
    targets: int
    covered: int = Field(description="Of those, how many a complete scan looked at in the period")
    open: dict[Severity, int] = Field(description="Present at the end of the period")
    past_due: int
    mean_age: float | None = Field(description="Days since first seen or reopened; null where none is open")
    found: int
    reopened: int
    fixed: int
    dismissed: int
    days_to_fix: float | None = Field(description="Mean, from first seen or reopened; null where none was fixed")
    risk: int = Field(description="0 to 100, now")


class TargetAnalyticsAnswer(Answer):
    """Parts of the register beside each other."""

    since: date = Field(description="Not before the first day that is kept")
    until: date
    by: By
    filter: str
    parts: list[RegisterPartAnswer] = Field(description="That with the highest risk first")

    @classmethod
    def of(cls, found: TargetAnalytics) -> "TargetAnalyticsAnswer":
        """Flatten them."""
        return cls(
            since=found.period.since,
            until=found.period.until,
            by=found.by,
            filter=found.filter,
            parts=[RegisterPartAnswer.model_validate(each) for each in found.parts],
        )
