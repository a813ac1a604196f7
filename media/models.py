"""Jobs, the attempts to carry them out, their inputs, their events; the nodes that run them."""

from django.conf import settings
from django.db import models

from core import clock, ids
from media import transitions


class Job(models.Model):
    """One paid request: it holds money from its submit until it is terminal."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    api_key_id = models.UUIDField(null=True)
    task = models.CharField(max_length=40)
    status = models.CharField(max_length=12, default=transitions.QUEUED)

    effective_input = models.JSONField()
    """What the client is shown: its input with defaults filled in and mended."""
    params = models.JSONField()
    """What the worker gets: the task's Params model."""
    adjustments = models.JSONField(default=list)
    seed = models.BigIntegerField()
    callback_url = models.TextField(blank=True, default="")

    price_version_id = models.UUIDField()
    price_micros = models.BigIntegerField()
    """The hold, and what is captured on completion where nothing is settled."""
    charged_micros = models.BigIntegerField(null=True)
    """What was captured on completion, where the task settles by its outputs; never more than the hold."""
    pricing_meta = models.JSONField()
    estimated_seconds = models.FloatField()
    duration_meta = models.JSONField(default=dict)
    """Where the estimate comes from."""
    run_limit_seconds = models.PositiveIntegerField()
    has_inputs = models.BooleanField(default=False)
    """Whether it has JobInput rows, so that a claim without them asks nothing."""
    staged_input_count = models.PositiveSmallIntegerField(default=0)

    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)

    outputs = models.JSONField(default=list)
    """Of the winning attempt: key, name, mediaType, bytes, sha256, width, height, seconds."""
    result = models.JSONField(default=dict)
    duration_ms = models.PositiveIntegerField(null=True)
    error_code = models.CharField(max_length=60, blank=True, default="")
    error_message = models.TextField(blank=True, default="")
    swept_at = models.DateTimeField(null=True)
    """When its outputs and staged inputs were deleted."""
    sweep_asked_at = models.DateTimeField(null=True)
    """Since when its files are to go without waiting for their time."""
    taken_down_at = models.DateTimeField(null=True)
    """When the operator took its outputs down (`TakeDown`)."""

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(status__in=transitions.JOB_STATUSES), name="media_job_status"),
            models.CheckConstraint(condition=models.Q(price_micros__gt=0), name="media_job_price_positive"),
        )
        indexes = (
            models.Index(fields=("account", "-id"), name="media_job_of_account"),
            models.Index(
                fields=("created_at",),
                name="media_job_open",
                condition=models.Q(status__in=transitions.OPEN),
            ),
            models.Index(
                fields=("account",),
                name="media_job_open_of_account",
                condition=models.Q(status__in=transitions.OPEN),
            ),
            models.Index(
                fields=("sweep_asked_at",),
                name="media_job_sweep_asked",
                condition=models.Q(swept_at=None, sweep_asked_at__isnull=False),
            ),
            models.Index(
                fields=("finished_at",),
                name="media_job_unswept",
                condition=models.Q(swept_at=None, finished_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.task} {ids.encode(ids.JOB, self.pk)} ({self.status})"


class Attempt(models.Model):
    """One try at a job, by one node."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="attempts", db_index=False)
    account_id = models.UUIDField()
    """The job's account, here for fair share without a join."""
    number = models.PositiveSmallIntegerField()
    task = models.CharField(max_length=40)
    pool = models.CharField(max_length=40)
    priority = models.SmallIntegerField(default=0)
    status = models.CharField(max_length=12)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    published_at = models.DateTimeField(null=True)
    node_id = models.CharField(max_length=60, blank=True, default="")
    delivery_id = models.UUIDField(null=True)
    claimed_at = models.DateTimeField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    fraction = models.FloatField(default=0)
    phase = models.CharField(max_length=80, blank=True, default="")
    finished_at = models.DateTimeField(null=True)
    result_sha256 = models.CharField(max_length=64, blank=True, default="")
    reaper_failures = models.PositiveSmallIntegerField(default=0)
    """How often completing it from its stored result broke down."""
    error_code = models.CharField(max_length=60, blank=True, default="")
    error_message = models.TextField(blank=True, default="")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(status__in=transitions.ATTEMPT_STATUSES), name="media_attempt_status"
            ),
            models.UniqueConstraint(fields=("job", "number"), name="media_attempt_number"),
        )
        indexes = (
            models.Index(
                fields=("pool", "-priority", "id"),
                name="media_attempt_ready",
                condition=models.Q(status=transitions.ATTEMPT_READY),
            ),
            models.Index(
                fields=("pool", "account_id"),
                name="media_attempt_in_flight",
                condition=models.Q(status__in=(transitions.ATTEMPT_PUBLISHED, transitions.ATTEMPT_RUNNING)),
            ),
        )

    def __str__(self) -> str:
        return f"{ids.encode(ids.ATTEMPT, self.pk)} #{self.number} ({self.status})"


class JobInput(models.Model):
    """One media input of a job on its way into, or already in, our bucket."""

    PENDING, STORED, REFUSED = "pending", "stored", "refused"

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="inputs")
    field = models.CharField(max_length=60)
    index = models.PositiveSmallIntegerField()
    path = models.CharField(max_length=80, blank=True, default="")
    """Where it stood in the client's request, for what staging has to say of it: `input.videoUrls.0`."""
    kind = models.CharField(max_length=10)
    """image, video or audio: what staging checks it to be."""
    source_url = models.TextField(blank=True, default="")
    """The client's URL; empty when the bytes came inline or lay in our bucket already."""
    pinned = models.JSONField(default=dict)
    """Facts the price was made from; staging refuses more than them."""
    bucket = models.CharField(max_length=80, blank=True, default="")
    key = models.CharField(max_length=300, blank=True, default="")
    bytes = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    media_type = models.CharField(max_length=80, blank=True, default="")
    status = models.CharField(max_length=10)
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("job", "field", "index"), name="media_input_once"),
            models.CheckConstraint(
                condition=models.Q(status__in=("pending", "stored", "refused")), name="media_input_status"
            ),
        )
        indexes = (models.Index(fields=("due_at",), name="media_input_due", condition=models.Q(status="pending")),)

    def __str__(self) -> str:
        return f"{self.field}[{self.index}] of {self.job_id}"


class JobEvent(models.Model):
    """One line of a job's history; append-only, numbered from 1 within the job."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events", db_index=False)
    seq = models.PositiveSmallIntegerField()
    type = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("job", "seq"), name="media_event_seq"),)

    def __str__(self) -> str:
        return f"{self.seq} {self.type}"


class TakeDown(models.Model):
    """That an operator took a job's outputs down. Only ever inserted."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="take_down")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    """Null: the operator's command line."""
    reason = models.TextField()
    """For operators; the client learns that, not why."""
    at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return f"{ids.encode(ids.JOB, self.job_id)} at {self.at}"


class Node(models.Model):
    """A machine that may run attempts of its pools."""

    id = models.CharField(primary_key=True, max_length=60)
    pools = models.JSONField(default=list)
    secret_version = models.PositiveIntegerField(default=1)
    """Raising it makes the node's old secret worthless."""
    slots = models.PositiveSmallIntegerField(default=0)
    memory_bytes = models.BigIntegerField(default=0)
    version = models.CharField(max_length=60, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    last_seen_at = models.DateTimeField(null=True)
    drain_requested_at = models.DateTimeField(null=True)
    disabled_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.id


class RunTimes(models.Model):
    """How long runs of a task really take in a pool, beside what its formula says: a decaying histogram."""

    task = models.CharField(max_length=40)
    pool = models.CharField(max_length=40)
    weights = models.JSONField(default=dict)
    """Bucket of measured / formula seconds → weight; see media.run_times."""
    samples = models.PositiveBigIntegerField(default=0)
    """How many runs were counted, ever."""
    observed_until = models.DateTimeField()
    """When the last counted run had finished."""

    class Meta:
        constraints = (models.UniqueConstraint(fields=("task", "pool"), name="media_run_times_once"),)

    def __str__(self) -> str:
        return f"{self.task} in {self.pool}"
