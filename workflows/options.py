"""Every queue, timeout and retry policy of the workflows, by name."""

from datetime import timedelta

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType, ActivityConfig

from purple.contracts import names

HEARTBEAT = timedelta(seconds=10)
"""A worker that died is noticed after this time."""
FIRST_RETRY = timedelta(milliseconds=200)
SCAN_GRACE = timedelta(minutes=10)
"""Beside the tool's own time-out: reading and recording its output."""

WAITS = 2
HERE = 3
"""See `Begun.engine`, and that of `CampaignInput`."""
LONG_HISTORY = 4_000
"""Events, after which a child workflow goes on in a new run; each scan makes six, and more where it is tried again."""
LONG_OWN_HISTORY = 2_500
"""Events, after which a campaign's own workflow gives all further scans to children."""
ASK_AGAIN = timedelta(minutes=10)
"""A scan that waits at a gate asks again after this time, should nobody tell it."""

_TRY = ActivityCancellationType.TRY_CANCEL
_WAIT = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED

STEADY = RetryPolicy(
    initial_interval=FIRST_RETRY,
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=10),
    non_retryable_error_types=[names.ERROR_REFUSED],
)
"""For steps that only wait for a store: tried until it is back."""

PATIENT = RetryPolicy(
    initial_interval=FIRST_RETRY,
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=10),
    maximum_attempts=60,
    non_retryable_error_types=[names.ERROR_REFUSED],
)
"""For steps whose failure the campaign outlives, ten minutes after a store went away."""

CONTROL = ActivityConfig(
    task_queue=names.QUEUE_CONTROL,
    start_to_close_timeout=timedelta(minutes=5),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=STEADY,
)
SURVEY = ActivityConfig(
    task_queue=names.QUEUE_SCAN,
    start_to_close_timeout=timedelta(hours=1),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=STEADY,
)
"""Reads a file of up to 2 GB, where tools run: reading takes a whole processor."""
ANALYSIS = ActivityConfig(
    task_queue=names.QUEUE_ANALYSIS,
    start_to_close_timeout=timedelta(minutes=30),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=STEADY,
)
AI = ActivityConfig(
    task_queue=names.QUEUE_AI,
    start_to_close_timeout=timedelta(minutes=15),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=PATIENT,
)
REPORT = ActivityConfig(
    task_queue=names.QUEUE_REPORT,
    start_to_close_timeout=timedelta(minutes=10),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=PATIENT,
)
NOTIFY = ActivityConfig(
    task_queue=names.QUEUE_NOTIFY,
    start_to_close_timeout=timedelta(minutes=1),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=PATIENT,
)


def scan(role: str, timeout_s: float, zone: str = "", *, waits: bool = False) -> ActivityConfig:
    """A tool run on its queue; one that is ended may be waited for."""
    return ActivityConfig(
        task_queue=names.tool_queue(role, zone),
        start_to_close_timeout=timedelta(seconds=timeout_s) + SCAN_GRACE,
        heartbeat_timeout=HEARTBEAT,
        retry_policy=STEADY,
        cancellation_type=_WAIT if waits else _TRY,
    )
