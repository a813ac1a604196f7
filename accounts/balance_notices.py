"""Whether an account wants to hear that its balance is low, and whether it has been told: the table and its states."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from core import clock
from core.transitions import Transitions

ARMED, WARNED = "armed", "warned"

NOTICE = Transitions(
    {
        "warn": (ARMED, WARNED),  # what is available fell below the threshold: told once
        "rearm": (WARNED, ARMED),  # it is back, or the threshold is another: the next fall is told again
    }
)


class BalanceNotice(models.Model):
    """One account's wish; without a row it has none."""

    account = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    threshold_micros = models.BigIntegerField(null=True)
    """Null: it is not watched."""
    by_mail = models.BooleanField(default=True)
    webhook_url = models.TextField(blank=True, default="")
    status = models.TextField(default=ARMED)
    warned_at = models.DateTimeField(null=True)
    """When it was told last."""
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(status__in=(ARMED, WARNED)), name="accounts_balancenotice_status"),
            models.CheckConstraint(
                condition=Q(threshold_micros=None) | Q(threshold_micros__gt=0),
                name="accounts_balancenotice_threshold_positive",
            ),
        )
        indexes = (
            models.Index(
                fields=("account",),
                condition=Q(threshold_micros__isnull=False),
                name="accounts_balancenotice_watched",
            ),
        )

    def __str__(self) -> str:
        return f"{self.account_id} below {self.threshold_micros} ({self.status})"
