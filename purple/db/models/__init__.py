"""Tables, one file an entity; every one carries its organisation."""

from purple.db.models.authorisations import authorisations
from purple.db.models.base import metadata
from purple.db.models.campaigns import campaigns, scans
from purple.db.models.compliance import compliance_days
from purple.db.models.events import events, feeds, idempotency_keys
from purple.db.models.false_positives import false_positive_models, false_positive_rules
from purple.db.models.findings import observations, sightings, vulnerabilities, vulnerability_counts
from purple.db.models.gates import gate_breakers, gate_leases
from purple.db.models.identity import api_tokens, organisations, sessions, sign_in_links, users
from purple.db.models.life import sla_rules, triage_operations, vulnerability_changes, vulnerability_comments
from purple.db.models.machines import machine_rulings, target_addresses
from purple.db.models.reference import reference_editions, reference_facts
from purple.db.models.refusals import refusals
from purple.db.models.reports import reports, triages
from purple.db.models.risk import risk_rules
from purple.db.models.risk_history import risk_days
from purple.db.models.rulings import rulings
from purple.db.models.schedules import schedule_runs, schedules
from purple.db.models.searches import saved_searches, search_matches
from purple.db.models.targets import targets
from purple.db.models.trends import scan_metrics, vulnerability_trends
from purple.db.models.undos import undos
from purple.db.models.units import business_units

__all__ = [
    "api_tokens",
    "authorisations",
    "business_units",
    "campaigns",
    "compliance_days",
    "events",
    "false_positive_models",
    "false_positive_rules",
    "feeds",
    "gate_breakers",
    "gate_leases",
    "idempotency_keys",
    "machine_rulings",
    "metadata",
    "observations",
    "organisations",
    "reference_editions",
    "reference_facts",
    "refusals",
    "reports",
    "risk_days",
    "risk_rules",
    "rulings",
    "saved_searches",
    "scan_metrics",
    "scans",
    "schedule_runs",
    "schedules",
    "search_matches",
    "sessions",
    "sightings",
    "sign_in_links",
    "sla_rules",
    "target_addresses",
    "targets",
    "triage_operations",
    "triages",
    "undos",
    "users",
    "vulnerabilities",
    "vulnerability_changes",
    "vulnerability_comments",
    "vulnerability_counts",
    "vulnerability_trends",
]
