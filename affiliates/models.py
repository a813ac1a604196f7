"""Affiliates, their codes, whom they brought, what they earned and what they are paid."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from affiliates import transitions
from core import clock, ids

DEFAULT_BASIS_POINTS = 2_000
"""20 % of each settled deposit."""
NOT_APPROVED, SELF_REFERRAL = "not_approved", "self_referral"
"""Why a commission is withheld: what stood so when its deposit was heard of."""


class Affiliate(models.Model):
    """An account that applied to bring customers."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    account = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    status = models.TextField(default=transitions.PENDING)
    display_name = models.CharField(max_length=120)
    contact_email = models.EmailField(max_length=254)
    country_code = models.CharField(max_length=2, blank=True, default="")
    payout_address = models.CharField(max_length=320, blank=True, default="")
    terms_version = models.CharField(max_length=64, blank=True, default="")
    basis_points = models.PositiveIntegerField(default=DEFAULT_BASIS_POINTS)
    """Of a deposit; what a commission was made with stays on the commission."""
    applied_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(status__in=transitions.AFFILIATE_STATUSES), name="affiliates_affiliate_status"
            ),
            models.CheckConstraint(condition=Q(basis_points__lte=10_000), name="affiliates_affiliate_basis_points"),
        )

    def __str__(self) -> str:
        return f"{self.display_name} ({self.status})"


class AffiliateCode(models.Model):
    """A referral code, in capitals; an affiliate has one that is active."""

    id = models.BigAutoField(primary_key=True)
    affiliate = models.ForeignKey(Affiliate, on_delete=models.PROTECT, related_name="codes")
    code = models.CharField(max_length=32, unique=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(code=Upper("code")), name="affiliates_code_is_upper_case"),
            models.CheckConstraint(condition=Q(code__regex=r"^[A-Z0-9_-]{4,32}$"), name="affiliates_code_form"),
            models.UniqueConstraint(
                fields=("affiliate",), condition=Q(retired_at=None), name="affiliates_code_one_active"
            ),
        )

    def __str__(self) -> str:
        return self.code


class CodeDay(models.Model):
    """How often a code was followed and captured on one day (UTC)."""

    id = models.BigAutoField(primary_key=True)
    code = models.ForeignKey(AffiliateCode, on_delete=models.PROTECT, related_name="days", db_index=False)
    day = models.DateField()
    clicks = models.PositiveBigIntegerField(default=0, db_default=0)
    captures = models.PositiveBigIntegerField(default=0, db_default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("code", "day"), name="affiliates_codeday_once"),)

    def __str__(self) -> str:
        return f"{self.code_id} {self.day}"


class Attribution(models.Model):
    """Who brought an account: decided once, at the latest by its first settled deposit.

    That deposit writes a row without an affiliate if there is none yet, so that whichever comes first wins and
    nothing is bound too late.
    """

    account = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    affiliate = models.ForeignKey(Affiliate, on_delete=models.PROTECT, null=True, related_name="attributions")
    code = models.ForeignKey(AffiliateCode, on_delete=models.PROTECT, null=True, related_name="+")
    source = models.TextField()
    """`code`, `token`, `cookie`; `deposit` where it came first."""
    at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(source__in=("code", "token", "cookie"), affiliate__isnull=False, code__isnull=False)
                | Q(source="deposit", affiliate__isnull=True, code__isnull=True),
                name="affiliates_attribution_source",
            ),
        )

    def __str__(self) -> str:
        return f"{self.account_id} by {self.affiliate_id}"


class Commission(models.Model):
    """What an affiliate earned by one deposit. Its ledger references start `commission:<deposit id>:`."""

    deposit_id = models.UUIDField(primary_key=True)
    affiliate = models.ForeignKey(Affiliate, on_delete=models.PROTECT, related_name="commissions", db_index=False)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    """Whose deposit it was."""
    deposit_micros = models.BigIntegerField()
    basis_points = models.PositiveIntegerField()
    amount_micros = models.BigIntegerField()
    """floor(deposit × basis points / 10 000)."""
    reversed_micros = models.BigIntegerField(default=0)
    """What of the deposit is refunded or disputed now."""
    clawed_back_micros = models.BigIntegerField(default=0)
    """What of the amount is taken back now: amount - floor((deposit - reversed) × basis points / 10 000)."""
    status = models.TextField(default=transitions.PENDING)
    settled_at = models.DateTimeField()
    """When the deposit was."""
    matures_at = models.DateTimeField()
    matured_at = models.DateTimeField(null=True)
    withheld = models.TextField(blank=True, default="")
    """Why nothing is earned by this deposit, then with 0 basis points: `not_approved`, `self_referral`; else empty."""

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(withheld="")
                | Q(withheld__in=(NOT_APPROVED, SELF_REFERRAL), basis_points=0, amount_micros=0),
                name="affiliates_commission_withheld",
            ),
            models.CheckConstraint(
                condition=Q(status__in=transitions.COMMISSION_STATUSES), name="affiliates_commission_status"
            ),
            models.CheckConstraint(condition=Q(amount_micros__gte=0), name="affiliates_commission_amount"),
            models.CheckConstraint(
                condition=Q(reversed_micros__gte=0, reversed_micros__lte=F("deposit_micros")),
                name="affiliates_commission_reversed",
            ),
            models.CheckConstraint(
                condition=Q(clawed_back_micros__gte=0, clawed_back_micros__lte=F("amount_micros")),
                name="affiliates_commission_clawed_back",
            ),
        )
        indexes = (
            models.Index(fields=("affiliate", "-settled_at"), name="affiliates_commission_list"),
            models.Index(
                fields=("matures_at",), condition=Q(status=transitions.PENDING), name="affiliates_commission_due"
            ),
        )

    def __str__(self) -> str:
        return f"{ids.encode(ids.COMMISSION, self.pk)} ({self.status})"


class CommissionReversal(models.Model):
    """A refund or dispute that a commission has heard of, so that hearing of it twice counts once."""

    id = models.BigAutoField(primary_key=True)
    commission = models.ForeignKey(Commission, on_delete=models.PROTECT, related_name="reversals")
    reversal_id = models.UUIDField()
    """The payments room's id of it."""
    restored = models.BooleanField(default=False)
    """False: the deposit shrank; True: it grew again (a dispute was won)."""
    amount_micros = models.BigIntegerField()
    """Of the deposit."""
    clawed_back_micros = models.BigIntegerField()
    """Of the commission: above zero was taken, below zero given back."""
    at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("commission", "reversal_id", "restored"), name="affiliates_commissionreversal_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.commission_id} {self.reversal_id}"


class PayoutRequest(models.Model):
    """An affiliate's wish to be paid. Its ledger references are `payout:<id>:reserve` and `payout:<id>:settle`."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    affiliate = models.ForeignKey(Affiliate, on_delete=models.PROTECT, related_name="payout_requests", db_index=False)
    amount_micros = models.BigIntegerField()
    payout_address = models.CharField(max_length=320)
    """As it was when this was asked for."""
    note = models.CharField(max_length=512, blank=True, default="")
    status = models.TextField(default=transitions.REQUESTED)
    payment_reference = models.CharField(max_length=200, blank=True, default="")
    """How the operator paid it."""
    created_at = models.DateTimeField(default=clock.now, editable=False)
    decided_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(status__in=transitions.PAYOUT_STATUSES), name="affiliates_payout_status"
            ),
            models.CheckConstraint(condition=Q(amount_micros__gt=0), name="affiliates_payout_amount"),
            models.UniqueConstraint(
                fields=("affiliate",),
                condition=Q(status__in=transitions.PAYOUT_OPEN),
                name="affiliates_payout_one_open",
            ),
        )
        indexes = (models.Index(fields=("affiliate", "-id"), name="affiliates_payout_list"),)

    def __str__(self) -> str:
        return f"{ids.encode(ids.PAYOUT, self.pk)} ({self.status})"


class Decision(models.Model):
    """What an operator (or, of a cancellation, the affiliate) decided. Only ever inserted."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    affiliate = models.ForeignKey(Affiliate, on_delete=models.PROTECT, related_name="decisions")
    payout = models.ForeignKey(PayoutRequest, on_delete=models.PROTECT, null=True, blank=True, related_name="decisions")
    """Null: it is about the affiliate."""
    action = models.TextField()
    """A transition's name, or `terms` for a change of the basis points."""
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True, default="")
    details = models.JSONField(default=dict)
    at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return f"{self.action} {self.at}"
