"""An operator's wish to correct an account by hand. It moves money only once it is posted, as a ledger transfer."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Abs

from core import clock, ids
from core.transitions import Transitions

REQUESTED, POSTED, REJECTED = "requested", "posted", "rejected"
STATUSES = (REQUESTED, POSTED, REJECTED)

ADJUSTMENT = Transitions(
    {
        "post": (REQUESTED, POSTED),  # its transfer is in the ledger; by a second person where it is a large one
        "reject": (REQUESTED, REJECTED),  # somebody decided against it; nothing moved
    }
)


class AdjustmentRequest(models.Model):
    """An adjustment that somebody asked for, and what became of it. Its ledger reference is `adjustment:<id>`.

    What it says never changes, a decision is final, and no row is deleted: the database refuses it.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    amount_micros = models.BigIntegerField()
    """Above zero is given, below zero is taken."""
    source = models.TextField()
    """The house account on the other side: `adjustment`, or `promotion` for credit given away."""
    reason = models.TextField()
    status = models.TextField(default=REQUESTED)
    counted_micros = models.BigIntegerField()
    """Its size, and that of what the same person posted alone, to whichever accounts, in the day before."""
    threshold_micros = models.BigIntegerField()
    """From this much on, of what is counted, a second person decides: the setting of the time."""
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(default=clock.now, editable=False)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_note = models.TextField(blank=True, default="")

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(status__in=STATUSES), name="billing_adjustment_status"),
            models.CheckConstraint(
                condition=Q(source__in=("adjustment", "promotion")), name="billing_adjustment_source"
            ),
            models.CheckConstraint(condition=~Q(amount_micros=0), name="billing_adjustment_amount"),
            models.CheckConstraint(condition=~Q(reason=""), name="billing_adjustment_reason"),
            models.CheckConstraint(
                condition=Q(counted_micros__gte=Abs(F("amount_micros"))), name="billing_adjustment_counted"
            ),
            models.CheckConstraint(
                condition=Q(status=REQUESTED, decided_by=None, decided_at=None)
                | Q(~Q(status=REQUESTED), decided_by__isnull=False, decided_at__isnull=False),
                name="billing_adjustment_decided",
            ),
            models.CheckConstraint(
                condition=~Q(status=POSTED)
                | Q(counted_micros__lt=F("threshold_micros"))
                | ~Q(decided_by=F("requested_by")),
                name="billing_adjustment_two_people",
            ),
        )
        indexes = (
            models.Index(fields=("requested_by", "account", "requested_at"), name="billing_adjustment_requester"),
            models.Index(fields=("requested_at",), condition=Q(status=REQUESTED), name="billing_adjustment_waiting"),
        )

    def __str__(self) -> str:
        return f"adjustment {self.pk} ({self.status})"

    @property
    def needs_second_person(self) -> bool:
        """Whether its requester alone may not post it."""
        return self.counted_micros >= self.threshold_micros
