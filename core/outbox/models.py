"""The tables of the outbox."""

from django.db import models

from core import clock, ids


class OutboxEvent(models.Model):
    """One event for one subscriber, waiting for its handler. The handler's transaction deletes it."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    topic = models.CharField(max_length=80)
    handler = models.CharField(max_length=160)
    """Dotted path of the subscriber, so that an event survives a restart and names who must see it."""
    payload = models.JSONField()
    due_at = models.DateTimeField(default=clock.now)
    tries = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        indexes = (models.Index(fields=("due_at",), name="core_outbox_due"),)

    def __str__(self) -> str:
        return f"{self.topic} → {self.handler}"


class DeadEvent(models.Model):
    """An event whose handler failed too often; an operator replays it after mending the cause."""

    id = models.UUIDField(primary_key=True, editable=False)
    topic = models.CharField(max_length=80)
    handler = models.CharField(max_length=160)
    payload = models.JSONField()
    tries = models.PositiveSmallIntegerField()
    last_error = models.TextField()
    created_at = models.DateTimeField()
    died_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return f"{self.topic} → {self.handler} (dead)"
