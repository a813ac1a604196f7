"""The ledger's tables. What may be done to them is guarded by the triggers of migration 0002."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

PREPAID = "prepaid"
"""The one bucket there is today. Credits that expire get buckets of their own, drawn first."""


class CustomerAccount(models.TextChoices):
    """The ledger accounts each customer has in each bucket; each is one column of the balance row."""

    AVAILABLE = "available"
    HELD = "held"
    RECEIVABLE = "receivable"


AFFILIATE = "affiliate"
"""The bucket of an affiliate's commission. It is no credit: nothing can be held or spent from it."""


class CommissionAccount(models.TextChoices):
    """The ledger accounts each affiliate has; each is one column of the commission balance row."""

    PENDING = "pending"
    AVAILABLE = "available"
    RESERVED = "reserved"


REVENUE = "revenue"
PROMOTION = "promotion"
ADJUSTMENT = "adjustment"
COMMISSION = "commission"
"""What commissions cost the house."""


class TransferKind(models.TextChoices):
    """Why money moved; the label is what a customer's statement says."""

    HOLD = "hold", "Held for work"
    CAPTURE = "capture", "Charged"
    RELEASE = "release", "Hold released"
    DEPOSIT = "deposit", "Deposit"
    REPAYMENT = "repayment", "Debt repaid"
    REVERSAL = "reversal", "Deposit reversed"
    DEBT = "debt", "Reversal owed"
    ADJUSTMENT = "adjustment", "Adjustment"
    ACCRUAL = "accrual", "Commission earned"
    MATURITY = "maturity", "Commission available"
    CLAW_BACK = "claw_back", "Commission taken back"
    RESERVATION = "reservation", "Reserved for payout"
    PAYOUT = "payout", "Paid out"
    RETURN = "return", "Payout returned"


RARE_CREDITS = (TransferKind.DEPOSIT, TransferKind.ADJUSTMENT)
RARE_DEBITS = (TransferKind.REVERSAL, TransferKind.ADJUSTMENT)
"""Kinds that a statement's filter would otherwise have to look for among a customer's holds and releases."""


class LedgerAccount(models.Model):
    """One side of transfers: a customer's (with an owner) or the house's (without). It never changes."""

    id = models.BigAutoField(primary_key=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    kind = models.TextField()
    bucket = models.TextField()
    """Empty for the house."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("owner", "kind", "bucket"), nulls_distinct=False, name="billing_ledgeraccount_identity"
            ),
            models.CheckConstraint(
                condition=Q(owner__isnull=False, kind__in=CustomerAccount.values) & ~Q(bucket__in=("", AFFILIATE))
                | Q(owner__isnull=False, kind__in=CommissionAccount.values, bucket=AFFILIATE)
                | Q(owner__isnull=True, bucket="")
                & (Q(kind__in=(REVENUE, PROMOTION, ADJUSTMENT, COMMISSION)) | Q(kind__regex=r"^cash:[a-z0-9_]+$")),
                name="billing_ledgeraccount_kind",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind}:{self.owner_id}" if self.owner_id else self.kind


class Transfer(models.Model):
    """Money moved from one ledger account to another: balanced by its shape, written once, never changed.

    An account's balance is what it was credited less what it was debited, so all of them sum to zero.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    """A UUIDv7 the trigger draws while it holds the balance's lock, so ids follow the order the money moved in."""
    reference = models.TextField()
    leg = models.SmallIntegerField(default=0)
    kind = models.TextField(choices=TransferKind)
    # Without database constraints: their checks would lock the house's rows FOR KEY SHARE in every transfer of
    # every customer, and PostgreSQL keeps such crowds as multixacts. The trigger looks both accounts up anyway
    # and refuses unknown ones; LedgerAccount rows cannot be deleted.
    debit = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    credit = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    amount = models.BigIntegerField()
    available_after = models.BigIntegerField(null=True, editable=False)
    """The customer's (or affiliate's) available balance once this transfer had moved; null between house accounts."""
    reason = models.TextField(db_default="", default="", blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_constraint=False,  # a constraint would queue a check for every transfer, and almost none has an actor
        db_index=False,
    )
    """The operator behind an adjustment; null when the platform itself moved the money."""
    created_at = models.DateTimeField(editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("reference", "leg"), name="billing_transfer_reference"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="billing_transfer_amount_positive"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="billing_transfer_two_accounts"),
            models.CheckConstraint(condition=Q(leg__gte=0), name="billing_transfer_leg"),
            models.CheckConstraint(condition=Q(kind__in=TransferKind.values), name="billing_transfer_kind"),
            models.CheckConstraint(
                condition=~Q(kind=TransferKind.HOLD) | Q(reference__endswith=":hold", leg=0),
                name="billing_transfer_hold_reference",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=(TransferKind.CAPTURE, TransferKind.RELEASE)) | Q(reference__endswith=":settle"),
                name="billing_transfer_settle_reference",
            ),
        )
        indexes = (
            models.Index(fields=("debit", "id"), name="billing_transfer_debit"),
            models.Index(fields=("credit", "id"), name="billing_transfer_credit"),
            # Partial, so that a job's transfers cost nothing here.
            models.Index(fields=("debit", "id"), name="billing_transfer_rare_debit", condition=Q(kind__in=RARE_DEBITS)),
            models.Index(
                fields=("credit", "id"), name="billing_transfer_rare_credit", condition=Q(kind__in=RARE_CREDITS)
            ),
        )

    def __str__(self) -> str:
        return f"{self.reference}/{self.leg}"


class Balance(models.Model):
    """What a customer's transfers in one bucket add up to, kept by the insert trigger alone.

    `receivable` (what the customer owes) is kept here too, so that ONE row lock decides whether money may be
    held. Summing the receivable account inside the same statement would read the snapshot taken before that
    statement waited for the lock, and miss the debt that the transaction it waited for has just booked.
    """

    id = models.BigAutoField(primary_key=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    bucket = models.TextField()
    available = models.BigIntegerField(db_default=0, default=0)
    held = models.BigIntegerField(db_default=0, default=0)
    receivable = models.BigIntegerField(db_default=0, default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("owner", "bucket"), name="billing_balance_owner"),
            models.CheckConstraint(condition=Q(available__gte=0), name="billing_balance_available_not_negative"),
            models.CheckConstraint(condition=Q(held__gte=0), name="billing_balance_held_not_negative"),
            models.CheckConstraint(condition=Q(receivable__gte=0), name="billing_balance_receivable_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.bucket}:{self.owner_id}"


class CommissionBalance(models.Model):
    """What an affiliate's transfers add up to, kept by the insert trigger alone.

    `available` alone may be below zero: a commission that is taken back after it was paid out is owed, and what is
    earned later makes it up. Nothing is paid out until then.
    """

    id = models.BigAutoField(primary_key=True)
    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    pending = models.BigIntegerField(db_default=0, default=0)
    available = models.BigIntegerField(db_default=0, default=0)
    reserved = models.BigIntegerField(db_default=0, default=0)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(pending__gte=0), name="billing_commission_pending_not_negative"),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="billing_commission_reserved_not_negative"),
        )

    def __str__(self) -> str:
        return f"commission:{self.owner_id}"
