"""Makes a scan's observations rows."""

from collections.abc import Callable
from datetime import datetime

from purple.domain.campaigns import Scan
from purple.domain.fingerprints import fingerprint
from purple.domain.observations import Observation, ObservationKind, RecordedObservation, observation_id_of
from purple.domain.targets import TargetKind
from purple.domain.tools import ToolSpec


def recorder(
    scan: Scan, kind: TargetKind, spec: ToolSpec, now: datetime
) -> Callable[[Observation], RecordedObservation]:
    """What makes each observation of a scan a row.

    Args:
        scan: that saw it.
        kind: of its target.
        spec: of its tool.
        now: when it is recorded.
    """

    def record(seen: Observation) -> RecordedObservation:
        is_flaw = seen.kind is ObservationKind.FLAW
        return RecordedObservation(
            id=observation_id_of(scan.id, seen),
            organisation_id=scan.organisation_id,
            campaign_id=scan.campaign_id,
            scan_id=scan.id,
            target_id=scan.target_id,
            tool=scan.tool,
            fingerprint=fingerprint(scan.target_id, seen, spec.fingerprint_fields, kind) if is_flaw else "",
            seen=seen,
            recorded_at=now,
        )

    return record
