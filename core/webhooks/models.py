"""The tables of outgoing webhooks, and the one table of a delivery's states."""

from django.db import models
from django.db.models import Q

from core import clock, ids
from core.transitions import Transitions

DELIVERY = Transitions(
    {
        "deliver": ("pending", "delivered"),  # the receiver answered 2xx
        "retry": ("pending", "pending"),  # worth another try, and the schedule has one left
        "fail": ("pending", "failed"),  # an answer that ends it, or the schedule is used up
        "resend": (("delivered", "failed"), "pending"),  # the account asked for it; the schedule starts again
    }
)
STATUSES = ("pending", "delivered", "failed")


class WebhookSecret(models.Model):
    """What an account's deliveries are signed with."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    account_id = models.UUIDField(unique=True)
    encrypted = models.JSONField()
    """Newest first: `{"token": <Fernet token of the secret>, "until": <RFC 3339, or null for the newest>}`.

    A rotated secret keeps signing until `until`, beside the newer ones, so that receivers can switch.
    """
    created_at = models.DateTimeField(default=clock.now, editable=False)
    rotated_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"webhook secret of {self.account_id}"


class WebhookDelivery(models.Model):
    """One message to one URL. Its status moves through DELIVERY alone."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    account_id = models.UUIDField()
    topic = models.CharField(max_length=80)
    subject_id = models.UUIDField()
    """The job that the message is about; a test message is about itself."""
    url = models.TextField()
    body = models.TextField()
    """Exactly what is sent, as UTF-8; signatures are over these bytes."""
    status = models.CharField(max_length=12, default="pending")
    tries = models.PositiveSmallIntegerField(default=0)
    """Recorded tries since the schedule (re)started."""
    next_try_at = models.DateTimeField(null=True, blank=True)
    """When it is due; while somebody is at it, when their lease ends."""
    created_at = models.DateTimeField(default=clock.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = (
            models.CheckConstraint(condition=Q(status__in=STATUSES), name="core_webhook_delivery_status"),
            models.CheckConstraint(
                condition=Q(status="pending", next_try_at__isnull=False, finished_at__isnull=True)
                | (~Q(status="pending") & Q(next_try_at__isnull=True, finished_at__isnull=False)),
                name="core_webhook_delivery_times",
            ),
        )
        indexes = (
            models.Index(fields=("next_try_at",), condition=Q(status="pending"), name="core_webhook_due"),
            models.Index(fields=("account_id", "-id"), name="core_webhook_account"),
            models.Index(fields=("subject_id",), name="core_webhook_subject"),
        )

    def __str__(self) -> str:
        return f"{self.topic} about {self.subject_id} ({self.status})"


class WebhookTry(models.Model):
    """What came of one try; rows are only ever added."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="recorded_tries")
    at = models.DateTimeField()
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=40, blank=True, default="")
    """One word (timeout, dns, connect, tls, forbidden_url …) where there was no answer; empty where there was."""
    elapsed_ms = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "webhook tries"

    def __str__(self) -> str:
        return f"{self.http_status or self.error} at {self.at.isoformat()}"
