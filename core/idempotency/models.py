"""The table of remembered answers."""

from django.db import models

from core import clock


class IdempotencyRecord(models.Model):
    """What was answered to one idempotency key; claimed in the transaction of the effect it guards."""

    id = models.BigAutoField(primary_key=True)
    account_id = models.UUIDField()
    route = models.CharField(max_length=80)
    key = models.CharField(max_length=200)
    fingerprint = models.BinaryField(max_length=32)
    """SHA-256 of the canonical request."""
    subject_id = models.UUIDField()
    """The object that the first request made."""
    status = models.PositiveSmallIntegerField()
    body = models.JSONField(null=True)
    """The stored answer; null where it held a secret."""
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("account_id", "route", "key"), name="core_idempotency_once"),)
        indexes = (models.Index(fields=("created_at",), name="core_idempotency_created"),)

    def __str__(self) -> str:
        return f"{self.route} {self.key}"
