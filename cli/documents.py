"""What `-o json` writes of each thing. The fields are documented and stable: they are only added to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from purple.domain.severity import Severity
from purple.domain.target_fields import custom_mapping
from purple.domain.target_files import COLUMNS
from purple.domain.target_imports import Becomes
from purple.domain.targets import endpoint_of

CAMPAIGN = (
    "id", "name", "profile", "profile_version", "state", "phase", "reason", "round", "authorisation_id", "target_ids",
    "created_at", "created_by", "started_at", "ended_at",
)  # fmt: skip
RUN = (
    "id", "campaign_id", "target_id", "phase", "tool", "tool_version", "endpoint", "host", "port", "url", "address",
    "state", "reason", "attempt", "observations", "exit_code", "zone", "options", "created_at", "started_at",
    "ended_at", "output_artifact", "log_artifact", "revision",
)  # fmt: skip
UNDO = (
    "id", "campaign_id", "scan_id", "tool", "title", "endpoint", "state", "attempts", "last_error", "instructions",
    "done_at", "done_by", "done_why",
)  # fmt: skip
TARGET = (
    "id", "kind", "value", "name", "criticality", "tags", "zone", "exposure", "data_class", "controls", "unit_id",
    "environment", "category", "frameworks", "created_at", "retired_at", "machine_id", "version",
)  # fmt: skip
UNIT = ("id", "name", "path", "parent_id", "owner", "created_at", "version")
AUTHORISATION = (
    "id", "name", "signed_by", "include", "exclude", "valid_from", "valid_until", "max_intrusiveness", "digest",
    "revoked_at", "created_at", "forbidden_tools", "document",
)  # fmt: skip
REFUSAL = ("id", "at", "rule", "detail", "target", "tool", "authorisation_id", "campaign_id", "scan_id")
VULNERABILITY = (
    "id", "target_id", "title", "severity", "risk", "risk_reasons", "state", "weakness", "cve", "cwe", "host", "port",
    "url", "parameter", "description", "remediation", "references", "tools", "first_seen", "last_seen",
    "observation_ids", "fingerprint", "owner", "accepted_until", "reopened_at", "due_at", "due_by_hand", "version",
    "cvss_vector", "cause", "false_positive", "twin",
)  # fmt: skip
DOUBT = ("name", "weight", "detail")
CAUSE = (
    "cause", "vulnerabilities", "targets", "severity", "risk", "total", "worst", "title", "remediation",
)  # fmt: skip
CHANGE = (
    "vulnerability_id", "version", "at", "cause", "actor", "why", "campaign_id", "operation_id", "before", "after",
)  # fmt: skip
COMMENT = ("id", "vulnerability_id", "created_at", "author", "body")
WITNESS = ("tool", "rule", "title", "severity", "observations", "campaigns", "last_seen", "observation_id")
RULING = ("id", "tool", "rule", "created_at", "actor", "why", "undone_at", "undone_by")
PAST = ("id", "created_at", "actor", "why", "asked", "undone_at", "undone_by")
LEASE = (
    "scan_id", "campaign_id", "target_id", "host", "tool", "endpoint", "exclusive", "state", "since", "expires_at",
    "reason",
)  # fmt: skip
BREAKER = ("host", "port", "campaign_id", "scan_id", "since", "probes", "probe_at")
REPORT = ("id", "campaign_id", "format", "size", "created_at")
SCHEDULE = (
    "id", "name", "profile", "state", "note", "owner", "target_ids", "authorisation_id", "options", "created_at",
    "paused_at", "version", "told_version",
)  # fmt: skip
SCHEDULE_RUN = ("id", "schedule_id", "due_at", "cause", "outcome", "reason", "campaign_id", "created_at")
EDITION = ("version", "published_at", "brought_at", "source", "sha256", "facts")
DAY = ("day", "open", "past_due", "found", "reopened", "returned", "fixed", "dismissed")
TOTALS = (
    "severity", "open", "past_due", "mean_age", "found", "reopened", "returned", "fixed", "dismissed", "days_to_fix",
    "in_time", "reopen_rate",
)  # fmt: skip
TOOL_METRICS = (
    "tool", "scans", "states", "covered", "coverage", "again", "observations", "seconds_p50", "seconds_p95",
)  # fmt: skip
PART = (
    "key", "name", "targets", "covered", "open", "past_due", "mean_age", "found", "reopened", "fixed", "dismissed",
    "days_to_fix", "risk",
)  # fmt: skip
TOOL = ("name", "title", "usable", "version", "detail", "purpose")


def _document(schema: str, row: object, fields: Sequence[str]) -> dict[str, Any]:
    return {"schema": schema, **{name: getattr(row, name) for name in fields}}


def campaign(row: Any) -> dict[str, Any]:
    """`purple.campaign/1`."""
    counts = row.summary.get("counts", {})
    worst_first = {str(each): counts[each] for each in reversed(Severity) if each in counts}
    return _document("purple.campaign/1", row, CAMPAIGN) | {"counts": worst_first}


def comparison(found: Any) -> dict[str, Any]:
    """`purple.comparison/1`: a campaign beside an earlier one."""
    fields = ("id", "became", "title", "severity", "state", "risk", "target_id", "looked_before")
    items = [
        {name: getattr(each, name) for name in fields} | {"place": endpoint_of(each.host, each.port, each.url)}
        for each in found.items
    ]
    known = _document("purple.comparison/1", found, ("before", "after"))
    return known | {"counts": {str(kind): dict(row) for kind, row in found.counts.items()}, "items": items}


def run(row: Any) -> dict[str, Any]:
    """`purple.run/1`: one tool on one target inside a campaign."""
    return _document("purple.run/1", row, RUN)


def undo(row: Any) -> dict[str, Any]:
    """`purple.undo/1`: how to take back what a tool changed."""
    return _document("purple.undo/1", row, UNDO) | {"registered_at": row.created_at}


def target(row: Any, units: Mapping[UUID, str]) -> dict[str, Any]:
    """`purple.target/1`, with the path of its business unit, of those given."""
    return _document("purple.target/1", row, TARGET) | {
        "unit": units.get(row.unit_id, ""),
        "custom": custom_mapping(row.custom),
    }


def target_row(row: Any, units: Mapping[UUID, str]) -> dict[str, Any]:
    """A target as a file of targets has it; a name that is but its value is left out, as it comes by itself."""
    told = {name: getattr(row, name, "") for name in COLUMNS} | {"unit": units.get(row.unit_id, "")}
    return told | {"name": row.name if row.name != row.value else ""}


def target_import(plan: Any, *, dry_run: bool) -> dict[str, Any]:
    """`purple.target-import/1`: what a file of targets did, or would do; `lines` are those that change something."""
    counts = {str(each): len(plan.of(each)) for each in Becomes}
    lines = [
        {
            "row": line.row,
            "becomes": line.becomes,
            "kind": line.target.kind,
            "value": line.target.value,
            "changes": {each.field: {"before": each.before, "after": each.after} for each in line.changes},
        }
        for line in plan.lines
        if line.becomes is not Becomes.UNCHANGED
    ]
    fields = ("row", "field", "value", "detail", "remedy")
    refused = [{name: getattr(each, name) for name in fields} for each in plan.refused]
    return {"schema": "purple.target-import/1", "dry_run": dry_run, **counts, "lines": lines, "refused": refused}


def unit(row: Any) -> dict[str, Any]:
    """`purple.business-unit/1`."""
    return _document("purple.business-unit/1", row, UNIT)


def standing(row: Any) -> dict[str, Any]:
    """`purple.business-unit-standing/1`: how a unit stands with all that is below it."""
    known = {name: getattr(row.unit, name) for name in ("id", "path", "parent_id", "owner")}
    told = {"targets": row.targets, "present": dict(row.present), "risk": row.risk}
    return {"schema": "purple.business-unit-standing/1", **known, **told}


def gate(row: Any) -> dict[str, Any]:
    """`purple.gate/1`: who runs and waits at a target, over all campaigns."""
    known = _document("purple.gate/1", row, ("target_id", "hosts", "tools_at_once"))
    for name, fields in (("running", LEASE), ("waiting", LEASE), ("breakers", BREAKER)):
        known[name] = [{field: getattr(each, field) for field in fields} for each in getattr(row, name)]
    return known


def authorisation(row: Any, now: datetime) -> dict[str, Any]:
    """`purple.authorisation/1`, with its state at a moment."""
    rules = {name: [rule.text for rule in getattr(row, name)] for name in ("include", "exclude")}
    windows = [str(window) for window in row.windows]
    return (
        _document("purple.authorisation/1", row, AUTHORISATION)
        | rules
        | {
            "windows": windows,
            "state": _state(row, now),
        }
    )


def _state(row: Any, now: datetime) -> str:
    if row.revoked_at is not None and row.revoked_at <= now:
        return "revoked"
    if now < row.valid_from:
        return "not_yet_valid"
    return "expired" if now >= row.valid_until else "valid"


def refusal(row: Any) -> dict[str, Any]:
    """`purple.refusal/1`."""
    return _document("purple.refusal/1", row, REFUSAL)


def vulnerability(row: Any) -> dict[str, Any]:
    """`purple.vulnerability/1`."""
    made = _document("purple.vulnerability/1", row, VULNERABILITY) | {"risk_parts": parts(row.risk_parts)}
    return made | {"doubts": [{name: getattr(each, name) for name in DOUBT} for each in row.doubts]}


def parts(rows: Any) -> list[dict[str, Any]]:
    """What a risk is the sum of."""
    return [{"name": each.name, "points": each.points, "detail": each.detail} for each in rows]


def vulnerability_risk(row: Any) -> dict[str, Any]:
    """`purple.vulnerability-risk/1`: why one has its score."""
    cvss = row.cvss and {name: getattr(row.cvss, name) for name in ("version", "vector", "base", "score", "severity")}
    points = [{"name": each.name, "value": each.value, "why": each.why} for each in row.ssvc.points]
    return {
        "schema": "purple.vulnerability-risk/1",
        "id": row.id,
        "score": row.risk.score,
        "parts": parts(row.risk.parts),
        "cvss": cvss,
        "ssvc": {"decision": row.ssvc.decision, "points": points, "model": row.ssvc.model},
        "cves": row.cves,
        "weaknesses": row.weaknesses,
        "editions": [{"dataset": each.dataset, "version": each.version} for each in row.editions],
    }


def combined_risk(row: Any) -> dict[str, Any]:
    """`purple.risk/1`: one score for many."""
    worst = [{"id": each.id, "name": each.name, "score": each.score} for each in row.worst]
    told = {"score": row.risk.score, "parts": parts(row.risk.parts), "count": row.count, "worst": worst}
    return {"schema": "purple.risk/1", **told}


def weights(row: Any) -> dict[str, Any]:
    """`purple.risk-weights/1`."""
    told = {"weights": row.weights.told(), "own": row.own, "version": row.version}
    return {"schema": "purple.risk-weights/1", **told, "weighed": row.weighed_version == row.version}


def trial(row: Any) -> dict[str, Any]:
    """`purple.risk-trial/1`: what other weights would change."""
    shifts = [
        {"id": each.id, "title": each.title}
        | {side: {"score": risk.score, "parts": parts(risk.parts)} for side, risk in _sides(each)}
        for each in row.shifts
    ]
    bands = [{"scores": scores, "before": before, "after": after} for scores, before, after in row.bands]
    counts = {name: getattr(row, name) for name in ("looked_at", "of", "raised", "lowered")}
    return {"schema": "purple.risk-trial/1", **counts, "bands": bands, "shifts": shifts}


def _sides(shift: Any) -> tuple[tuple[str, Any], ...]:
    return ("before", shift.before), ("after", shift.after)


def trend(row: Any) -> dict[str, Any]:
    """`purple.trend/1`: how many vulnerabilities there were, came and went."""
    days = [{name: getattr(each, name) for name in DAY} for each in row.days]
    ages = [{"name": each.name, "open": each.open} for each in row.ages]
    totals = [{name: getattr(each, name) for name in TOTALS} for each in (row.total, *row.severities)]
    told = {"since": row.period.since, "until": row.period.until, "filter": row.filter}
    return {
        "schema": "purple.trend/1", **told, "days": days, "total": totals[0], "severities": totals[1:], "ages": ages,
    }  # fmt: skip


def target_analytics(row: Any) -> dict[str, Any]:
    """`purple.target-analytics/1`: parts of the register beside each other."""
    told = {"since": row.period.since, "until": row.period.until, "by": row.by, "filter": row.filter}
    parts = [{name: getattr(each, name) for name in PART} for each in row.parts]
    return {"schema": "purple.target-analytics/1", **told, "parts": parts}


def scan_metrics(row: Any) -> dict[str, Any]:
    """`purple.scan-metrics/1`: how the scans of each tool went."""
    told = {"since": row.period.since, "until": row.period.until, "filter": row.filter}
    tools = [{name: getattr(each, name) for name in TOOL_METRICS} for each in row.tools]
    covered = {"targets": row.targets, "targets_covered": row.targets_covered}
    return {"schema": "purple.scan-metrics/1", **told, **covered, "tools": tools}


def report(row: Any, location: str) -> dict[str, Any]:
    """`purple.report/1`."""
    return _document("purple.report/1", row, REPORT) | {"sha256": row.artifact, "location": location}


def schedule(row: Any) -> dict[str, Any]:
    """`purple.schedule/1`."""
    return _document("purple.schedule/1", row, SCHEDULE) | {"timing": timing(row.timing)}


def timing(row: Any) -> dict[str, Any]:
    """When a schedule is due; part of `purple.schedule/1`."""
    return {name: getattr(row, name) for name in row.__dataclass_fields__}


def schedule_run(row: Any) -> dict[str, Any]:
    """`purple.schedule-run/1`: a time at which a schedule was due, and what became of it."""
    return _document("purple.schedule-run/1", row.run, SCHEDULE_RUN) | {"campaign_state": row.campaign_state}


def coming(row: Any) -> dict[str, Any]:
    """`purple.schedule-preview/1`: the next runs, and what the clocks leave out between them."""
    runs = [{"at": each.at, "local": each.local.isoformat(), "note": each.note} for each in row.runs]
    return {"schema": "purple.schedule-preview/1", "runs": runs, "left_out": list(row.left_out)}


def profile(row: Any) -> dict[str, Any]:
    """`purple.profile/1`: a pipeline, as its file says it."""
    return {"schema": "purple.profile/1", **row.model_dump(mode="json")}


def explanation(row: Any) -> dict[str, Any]:
    """`purple.profile-explanation/1`: what a profile would do to a target."""
    made = {name: getattr(row, name) for name in ("profile", "version", "target", "kind", "refused")}
    steps = [{name: getattr(each, name) for name in each.__dataclass_fields__} for each in row.steps]
    contract = str(row.authorisation.id) if row.authorisation else None
    return {"schema": "purple.profile-explanation/1", **made, "authorisation_id": contract, "steps": steps}


def vulnerability_change(row: Any) -> dict[str, Any]:
    """`purple.vulnerability-change/1`: one entry of a history; `change` says it for people."""
    told = [f"{name} {row.before.get(name, '')} → {value}" for name, value in row.after.items()]
    return _document("purple.vulnerability-change/1", row, CHANGE) | {"change": ", ".join(told)}


def vulnerability_comment(row: Any) -> dict[str, Any]:
    """`purple.vulnerability-comment/1`."""
    return _document("purple.vulnerability-comment/1", row, COMMENT)


def causes(row: Any) -> dict[str, Any]:
    """`purple.causes/1`: what one fix each would end."""
    items = [{name: getattr(each, name) for name in CAUSE} for each in row.items]
    return {"schema": "purple.causes/1", "items": items, "number": row.number}


def correlation(vulnerability: object, row: Any) -> dict[str, Any]:
    """`purple.correlation/1`: why all that was seen of a vulnerability is one flaw."""
    return {
        "schema": "purple.correlation/1",
        "vulnerability_id": vulnerability,
        "parts": dict(row.parts),
        "witnesses": [{name: getattr(each, name) for name in WITNESS} for each in row.witnesses],
        "rulings": [ruling(each) for each in row.rulings],
        "duplicate_of": row.duplicate_of,
    }


def ruling(row: Any) -> dict[str, Any]:
    """`purple.ruling/1`; tool and rule are empty where one vulnerability was joined with another."""
    return _document("purple.ruling/1", row, RULING)


def triage(row: Any) -> dict[str, Any]:
    """`purple.triage/1`: what a triage of many did, or would do."""
    return _document("purple.triage/1", row, ("operation_id", "changed", "changes", "refused"))


def past_triage(row: Any) -> dict[str, Any]:
    """`purple.past-triage/1`: a triage of many, as it was done."""
    told = _document("purple.past-triage/1", row, PAST)
    return told | {"changed": row.outcome["changed"], "changes": row.outcome["changes"]}


def triage_undo(operation: object, row: Any) -> dict[str, Any]:
    """`purple.triage-undo/1`."""
    left = [{"id": each.id, "why": each.why} for each in row.left]
    return {"schema": "purple.triage-undo/1", "operation_id": operation, "restored": len(row.restored), "left": left}


def edition(row: Any) -> dict[str, Any]:
    """`purple.edition/1`: a dataset as it is kept; all but its name and age is empty where it is not there."""
    kept = {name: getattr(row.edition, name, None) for name in EDITION}
    return {"schema": "purple.edition/1", "dataset": row.dataset, "age": row.age, "age_days": row.age_days, **kept}


def tool(row: Any) -> dict[str, Any]:
    """`purple.tool/1`."""
    return _document("purple.tool/1", row, TOOL)


def import_format(row: Any) -> dict[str, Any]:
    """`purple.import-format/1`."""
    return _document("purple.import-format/1", row, ("name", "title", "tool", "told_by"))


def setting(row: Any) -> dict[str, Any]:
    """`purple.setting/1`."""
    return _document("purple.setting/1", row, ("name", "value", "source"))


def where(document: Mapping[str, Any]) -> str:
    """Where a vulnerability is, for people."""
    if document["url"]:
        return str(document["url"])
    return f"{document['host']}:{document['port']}" if document["port"] else str(document["host"])
