"""Names by which processes find each other in Temporal. Recorded histories hold them: they never change."""

WORKFLOW = "CampaignWorkflow"
BATCH_WORKFLOW = "BatchWorkflow"
GATE_WORKFLOW = "GateWorkflow"
WORKFLOW_UNDO = "UndoWorkflow"

QUEUE_CONTROL = "purple-control"
QUEUE_RECON = "purple-recon"
QUEUE_SCAN = "purple-scan"
QUEUE_ANALYSIS = "purple-analysis"
QUEUE_AI = "purple-ai"
QUEUE_REPORT = "purple-report"
QUEUE_NOTIFY = "purple-notify"

BEGIN = "begin"
PLAN = "plan"
RUN_SCAN = "run_scan"
SETTLE_SCAN = "settle_scan"
ANALYSE = "analyse"
TRIAGE = "triage"
REPORT = "report"
NOTIFY = "notify"
FINISH = "finish"
RETRY_SCANS = "retry_scans"
SURVEY = "survey"
NEXT_SCANS = "next_scans"
GATE_TURN = "gate_turn"
OPEN_UNDOS = "open_undos"
UNDO = "undo"
UNDO_ALARM = "undo_alarm"

SIGNAL_CANCEL = "cancel"
SIGNAL_PAUSE = "pause"
SIGNAL_RESUME = "resume"
SIGNAL_HOLD = "hold"
SIGNAL_GATE_OPEN = "gate_open"
SIGNAL_GATE_WAKE = "wake"
UPDATE_RETRY = "retry_failed"
QUERY_PROGRESS = "progress"

ATTRIBUTE_CAMPAIGN = "PurpleCampaignId"
ATTRIBUTE_ORGANISATION = "PurpleOrganisation"
ATTRIBUTE_PROFILE = "PurpleProfile"
ATTRIBUTE_PHASE = "PurplePhase"
ATTRIBUTE_SEVERITY = "PurpleMaxSeverity"

ERROR_REFUSED = "purple-refused"
"""Type of an application error that trying again does not mend."""


def tool_queue(role: str, zone: str = "") -> str:
    """Where the tools of a role run; each network zone has a queue of its own."""
    queue = QUEUE_RECON if role == "recon" else QUEUE_SCAN
    return f"{queue}-{zone}" if zone else queue
