"""The two state machines of the media room: a job, and each attempt to carry it out."""

from core.transitions import Transitions

QUEUED, PROCESSING, COMPLETED, FAILED, CANCELED, TERMINATED = (
    "queued",
    "processing",
    "completed",
    "failed",
    "canceled",
    "terminated",
)
JOB_STATUSES = (QUEUED, PROCESSING, COMPLETED, FAILED, CANCELED, TERMINATED)
OPEN = (QUEUED, PROCESSING)
TERMINAL = (COMPLETED, FAILED, CANCELED, TERMINATED)

JOB = Transitions(
    {
        "start": (QUEUED, PROCESSING),  # a worker claimed the current attempt
        "retry": (PROCESSING, QUEUED),  # the lease was lost or a failure may pass; the hold stays
        "complete": (PROCESSING, COMPLETED),  # the outputs were seen in the bucket; the hold is captured
        "fail": ((QUEUED, PROCESSING), FAILED),  # input refused at staging, or the last attempt failed; released
        "cancel": ((QUEUED, PROCESSING), CANCELED),  # the client's wish took effect; released
        "terminate": ((QUEUED, PROCESSING), TERMINATED),  # a deadline passed or an operator ended it; released
    }
)

ATTEMPT_STAGING = "staging"
ATTEMPT_READY = "ready"
ATTEMPT_PUBLISHED = "published"
ATTEMPT_RUNNING = "running"
ATTEMPT_SUCCEEDED = "succeeded"
ATTEMPT_FAILED = "failed"
ATTEMPT_CANCELED = "canceled"
ATTEMPT_STATUSES = (
    ATTEMPT_STAGING,
    ATTEMPT_READY,
    ATTEMPT_PUBLISHED,
    ATTEMPT_RUNNING,
    ATTEMPT_SUCCEEDED,
    ATTEMPT_FAILED,
    ATTEMPT_CANCELED,
)
ATTEMPT_LIVE = (ATTEMPT_STAGING, ATTEMPT_READY, ATTEMPT_PUBLISHED, ATTEMPT_RUNNING)

ATTEMPT = Transitions(
    {
        "stage": (ATTEMPT_STAGING, ATTEMPT_READY),  # every input lies in the bucket, checked
        "publish": (ATTEMPT_READY, ATTEMPT_PUBLISHED),  # chosen by the dispatcher; its message is on the way
        "unpublish": (ATTEMPT_PUBLISHED, ATTEMPT_READY),  # the broker refused the message
        "claim": (ATTEMPT_PUBLISHED, ATTEMPT_RUNNING),  # a delivery took the lease
        "succeed": (ATTEMPT_RUNNING, ATTEMPT_SUCCEEDED),  # its outputs were accepted
        "fail": (ATTEMPT_LIVE, ATTEMPT_FAILED),  # the engine, the inputs, the storage or the node gave up
        "cancel": (ATTEMPT_LIVE, ATTEMPT_CANCELED),  # its job ended by wish or deadline
    }
)
