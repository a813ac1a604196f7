"""Packages, purchases under way, the money that came and went, and what the providers told us."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from core import clock, ids
from payments import transitions

STRIPE, COINBASE, X402 = "stripe", "coinbase", "x402"
PROVIDERS = (STRIPE, COINBASE, X402)
HOSTED = (STRIPE, COINBASE)
"""Those with a payment page of their own."""


class Package(models.Model):
    """Credit on sale. A checkout keeps the price it was begun with, so editing one changes only later purchases."""

    code = models.SlugField(primary_key=True, max_length=40)
    name = models.CharField(max_length=80)
    usd_cents = models.PositiveBigIntegerField()
    """What it costs, and the credit it gives: a dollar for a dollar."""
    position = models.PositiveSmallIntegerField(default=0)
    """Its place in the list."""
    retired_at = models.DateTimeField(null=True, blank=True)
    """Since when it is not for sale."""
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("position", "usd_cents")
        constraints = (models.CheckConstraint(condition=Q(usd_cents__gte=50), name="payments_package_price"),)

    def __str__(self) -> str:
        return self.code


class Checkout(models.Model):
    """A purchase begun with a provider that hosts the payment page."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    """Also the provider's idempotency key, and the id of the deposit that comes of it."""
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    provider = models.TextField()
    package_code = models.CharField(max_length=40)
    usd_cents = models.PositiveBigIntegerField()
    status = models.TextField(default=transitions.PENDING)
    provider_id = models.TextField(blank=True, default="")
    """The Checkout Session's or the charge's id; empty until the provider answered."""
    request = models.JSONField(default=dict)
    """What is sent to the provider, so that a retry after a crash sends the same."""
    url = models.TextField(blank=True, default="")
    """The hosted page."""
    note = models.TextField(blank=True, default="")
    """Why an operator must look, or why it failed."""
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    reconcile_at = models.DateTimeField(null=True, default=clock.now)
    """When the periodic pass asks the provider next; null when nothing can change any more."""
    reconcile_tries = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(provider__in=(STRIPE, COINBASE)), name="payments_checkout_provider"),
            models.CheckConstraint(
                condition=Q(status__in=transitions.CHECKOUT_STATUSES), name="payments_checkout_status"
            ),
            models.UniqueConstraint(
                fields=("provider", "provider_id"), condition=~Q(provider_id=""), name="payments_checkout_provider_id"
            ),
        )
        indexes = (
            models.Index(fields=("account", "-id"), name="payments_checkout_account"),
            models.Index(
                fields=("reconcile_at",), condition=Q(reconcile_at__isnull=False), name="payments_checkout_due"
            ),
        )

    def __str__(self) -> str:
        return f"{self.provider} {ids.encode(ids.CHECKOUT, self.pk)} ({self.status})"


class X402Payment(models.Model):
    """An EIP-3009 authorisation that somebody signed to us: written before it is settled."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    """Also the id of the deposit that comes of it."""
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    network = models.TextField()
    """CAIP-2: `eip155:8453`."""
    asset = models.TextField()
    payer = models.TextField()
    nonce = models.TextField()
    """With the three above: what the chain lets happen once. Addresses and nonces are kept in lower case."""
    pay_to = models.TextField()
    atomic_units = models.DecimalField(max_digits=40, decimal_places=0)
    """USDC has six decimals: one cent is 10 000."""
    usd_cents = models.PositiveBigIntegerField()
    valid_before = models.DateTimeField()
    payload = models.JSONField()
    """The signed payload: worth nothing to anyone but the payee it names."""
    requirements = models.JSONField()
    status = models.TextField(default=transitions.PENDING)
    transaction = models.TextField(blank=True, default="")
    """Its hash, once settled."""
    note = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    finished_at = models.DateTimeField(null=True)
    reconcile_at = models.DateTimeField(null=True)
    """When the chain is asked next; null when nothing is unknown."""
    reconcile_tries = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("network", "asset", "payer", "nonce"), name="payments_x402_nonce"),
            models.CheckConstraint(condition=Q(status__in=transitions.X402_STATUSES), name="payments_x402_status"),
        )
        indexes = (
            models.Index(fields=("account", "-id"), name="payments_x402_account"),
            models.Index(fields=("reconcile_at",), condition=Q(reconcile_at__isnull=False), name="payments_x402_due"),
        )

    def __str__(self) -> str:
        return f"x402 {self.payer} {self.nonce} ({self.status})"


class Deposit(models.Model):
    """Money that a provider received for an account, credited under `deposit:<id>:paid`. Its id is its purchase's."""

    id = models.UUIDField(primary_key=True, editable=False)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    provider = models.TextField()
    provider_id = models.TextField()
    """What the provider calls the money: a payment intent, a charge, a transaction's hash."""
    package_code = models.CharField(max_length=40, blank=True, default="")
    usd_cents = models.PositiveBigIntegerField()
    amount_micros = models.BigIntegerField()
    reversed_micros = models.BigIntegerField(default=0)
    """What of it is refunded or disputed now."""
    settled_at = models.DateTimeField()
    reconcile_at = models.DateTimeField(null=True)
    """When the provider is next asked for refunds and disputes; null when they can come no more."""

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("provider", "provider_id"), name="payments_deposit_provider_id"),
            models.CheckConstraint(condition=Q(provider__in=PROVIDERS), name="payments_deposit_provider"),
            models.CheckConstraint(condition=Q(amount_micros__gt=0), name="payments_deposit_amount"),
            models.CheckConstraint(
                condition=Q(reversed_micros__gte=0, reversed_micros__lte=models.F("amount_micros")),
                name="payments_deposit_reversed",
            ),
        )
        indexes = (
            models.Index(fields=("account", "-id"), name="payments_deposit_account"),
            models.Index(fields=("settled_at",), name="payments_deposit_settled"),
            models.Index(
                fields=("reconcile_at",), condition=Q(reconcile_at__isnull=False), name="payments_deposit_due"
            ),
        )

    def __str__(self) -> str:
        return f"{ids.encode(ids.DEPOSIT, self.pk)} {self.provider}"


class Reversal(models.Model):
    """A refund or a dispute of a deposit, posted under `deposit:<id>:refund|dispute:<provider_id>:…`."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    deposit = models.ForeignKey(Deposit, on_delete=models.PROTECT, related_name="reversals")
    kind = models.TextField()
    provider_id = models.TextField()
    amount_micros = models.BigIntegerField()
    """What was taken from the account for it: never more than was left of the deposit."""
    status = models.TextField(default=transitions.POSTED)
    reason = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    restored_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("deposit", "kind", "provider_id"), name="payments_reversal_once"),
            models.CheckConstraint(condition=Q(kind__in=transitions.REVERSAL_KINDS), name="payments_reversal_kind"),
            models.CheckConstraint(
                condition=Q(status__in=transitions.REVERSAL_STATUSES), name="payments_reversal_status"
            ),
            models.CheckConstraint(condition=Q(amount_micros__gt=0), name="payments_reversal_amount"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.provider_id} ({self.status})"


class ProviderEvent(models.Model):
    """What a provider's signed webhook said, word for word, before anybody judged it."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    provider = models.TextField()
    event_id = models.TextField()
    type = models.TextField()
    object_id = models.TextField(blank=True, default="")
    """What it is about: the provider's id of a session, charge, refund or dispute."""
    payload = models.JSONField()
    status = models.TextField(default=transitions.RECEIVED)
    note = models.TextField(blank=True, default="")
    tries = models.PositiveSmallIntegerField(default=0)
    received_at = models.DateTimeField(default=clock.now, editable=False)
    due_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("provider", "event_id"), name="payments_event_once"),
            models.CheckConstraint(condition=Q(status__in=transitions.EVENT_STATUSES), name="payments_event_status"),
            models.CheckConstraint(condition=Q(provider__in=(STRIPE, COINBASE)), name="payments_event_provider"),
        )
        indexes = (
            models.Index(fields=("due_at",), condition=Q(status=transitions.RECEIVED), name="payments_event_due"),
            models.Index(fields=("provider", "object_id"), name="payments_event_object"),
        )

    def __str__(self) -> str:
        return f"{self.provider} {self.type} {self.event_id} ({self.status})"
