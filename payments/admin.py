"""Payments at the operator's desk: packages on sale, purchases, deposits, reversals, what providers said."""

from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.micros import usd
from core import clock, ids
from core.desk import Answers, BigTableAdmin, DeskAdmin, DeskInline, action, display, one_of, staff_id
from payments.desk import CLOSE, CREDIT, CREDIT_RECEIVED, DISMISS, GIVE_UP, REPLAY
from payments.models import (
    COINBASE,
    PROVIDERS,
    STRIPE,
    Checkout,
    Deposit,
    Package,
    ProviderEvent,
    Reversal,
    X402Payment,
)
from payments.services.decide_checkout import decide_checkout
from payments.services.decide_x402 import decide_payment
from payments.services.process_events import dismiss_event, replay_event
from payments.transitions import (
    CHECKOUT_STATUSES,
    EVENT_STATUSES,
    REVERSAL_KINDS,
    REVERSAL_STATUSES,
    X402_STATUSES,
)

_EVENT_LABELS = {"received": "info", "processed": "success", "ignored": "default", "flagged": "danger"}
_PURCHASE_LABELS = {
    "pending": "info",
    "open": "info",
    "paid": "success",
    "settled": "success",
    "review": "danger",
    "failed": "warning",
}


def dollars_of_cents(cents: int) -> str:
    """`$5.00`."""
    return f"${cents // 100:,}.{cents % 100:02d}"


def at_provider(provider: str, provider_id: str) -> SafeString | str:
    """A link to the provider's own page about this money: refunds are made there, and come back by webhook."""
    if provider == STRIPE:
        page = f"https://dashboard.stripe.com/payments/{quote(provider_id)}"
        return _link(STRIPE, settings.STRIPE_API_BASE, page, "Open at Stripe.")
    if provider == COINBASE:
        page = "https://commerce.coinbase.com/payments"
        return _link(COINBASE, settings.COINBASE_API_BASE, page, "Open at Coinbase.")
    return "This payment is on the chain."


def _link(provider: str, base: str, page: str, text: str) -> SafeString:
    if provider in settings.PAYMENTS_SANDBOX:  # its own front page has buttons for refunds and disputes
        parts = urlsplit(base)
        page, text = f"{parts.scheme}://{parts.netloc}/", "Open the sandbox."
    return format_html('<a href="{}" target="_blank" rel="noreferrer">{}</a>', page, text)


class PackageForm(ModelForm):  # type: ignore[type-arg]  # generic in the stubs alone
    """What may be written of a package."""

    class Meta:
        model = Package
        fields = ("code", "name", "usd_cents", "position", "retired_at")
        help_texts: ClassVar[dict[str, str]] = {
            "code": "What clients name it by; it never changes.",
            "usd_cents": "What it costs and the credit it gives. Checkouts that are open keep their price.",
            "retired_at": "Since when it is not for sale. Empty: it is.",
        }


@admin.register(Package)
class PackageAdmin(DeskAdmin):
    """What is on sale: the one table that is edited here. Nothing bought before changes with it."""

    form = PackageForm
    list_display = ("code", "name", "price", "position", "retired_at")
    ordering = ("position", "usd_cents")
    fields = ("code", "name", "usd_cents", "position", "retired_at")

    @display(description="Price", ordering="usd_cents")
    def price(self, package: Package) -> str:
        """In dollars."""
        return dollars_of_cents(package.usd_cents)

    def get_readonly_fields(self, request: HttpRequest, obj: Package | None = None) -> tuple[str, ...]:
        """The code, once it is made."""
        return ("code",) if obj is not None else ()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever was given it."""
        return bool(request.user.has_perm("payments.add_package"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever was given it."""
        return bool(request.user.has_perm("payments.change_package"))


class ReversalsOfDeposit(DeskInline):
    """Refunds and disputes of a deposit."""

    model = Reversal
    verbose_name_plural = "Refunds and disputes"
    fields = ("kind", "provider_id", "amount_micros", "status", "reason", "created_at", "restored_at")
    readonly_fields = fields


@admin.register(Deposit)
class DepositAdmin(BigTableAdmin):
    """Money that came in. A refund is made at the provider; its webhook brings it here."""

    id_prefix = ids.DEPOSIT
    list_display = ("public_id", "account", "provider", "dollars", "reversed_dollars", "settled_at", "package_code")
    list_select_related = ("account",)
    list_filter = (one_of("provider", PROVIDERS),)
    search_fields = ("account__email__exact", "provider_id__exact")
    search_help_text = "A deposit's id, the provider's id of the money, or a whole email address"
    ordering = ("-settled_at",)
    fields = (
        "public_id",
        "account",
        "provider",
        "provider_id",
        "refund",
        "package_code",
        "dollars",
        "reversed_dollars",
        "settled_at",
        "reconcile_at",
        "reference",
    )
    readonly_fields = ("public_id", "dollars", "reversed_dollars", "refund", "reference")
    inlines = (ReversalsOfDeposit,)

    @display(description="Id", ordering="id")
    def public_id(self, deposit: Deposit) -> str:
        """As clients see it."""
        return ids.encode(ids.DEPOSIT, deposit.pk)

    @display(description="Amount", ordering="amount_micros")
    def dollars(self, deposit: Deposit) -> str:
        """In dollars."""
        return f"${usd(deposit.amount_micros)}"

    @display(description="Reversed", ordering="reversed_micros")
    def reversed_dollars(self, deposit: Deposit) -> str:
        """What is refunded or disputed now."""
        return f"${usd(deposit.reversed_micros)}"

    @display(description="Refund")
    def refund(self, deposit: Deposit) -> SafeString:
        """Where it is made."""
        return format_html(
            "{} Refunds are made there, not here; each is posted as soon as the provider tells of it.",
            at_provider(deposit.provider, deposit.provider_id),
        )

    @display(description="Ledger references")
    def reference(self, deposit: Deposit) -> str:
        """How they start."""
        return f"deposit:{deposit.pk}:"


@admin.register(Checkout)
class CheckoutAdmin(BigTableAdmin):
    """Purchases with a hosted page; those in review need a look at the provider."""

    id_prefix = ids.CHECKOUT
    list_display = ("public_id", "account", "provider", "package_code", "price", "state", "created_at", "note")
    list_select_related = ("account",)
    list_filter = (one_of("status", CHECKOUT_STATUSES), one_of("provider", (STRIPE, COINBASE)))
    search_fields = ("account__email__exact", "provider_id__exact")
    ordering = ("-id",)
    fields = (
        "public_id",
        "account",
        "provider",
        "provider_id",
        "package_code",
        "price",
        "state",
        "note",
        "created_at",
        "expires_at",
        "finished_at",
        "reconcile_at",
        "reconcile_tries",
    )
    readonly_fields = ("public_id", "price", "state")
    actions_detail = ("credit_received", "close")

    def has_decide_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Who may decide."""
        return bool(request.user.has_perm("payments.decide_checkout"))

    @action(description="Credit what came", permissions=["decide"], icon="check")
    def credit_received(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The provider has money for it."""

        def do(checkout: Checkout, answers: Answers) -> str:
            decide_checkout(
                checkout_id=checkout.pk,
                action="credit",
                cents=answers["cents"],
                reason=answers["reason"],
                actor_id=staff_id(request),
                now=clock.now(),
            )
            return f"{dollars_of_cents(answers['cents'])} credited."

        return self.ask(request, object_id, CREDIT_RECEIVED, do)

    @action(description="Close", permissions=["decide"], icon="block")
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Nothing is to be credited."""

        def do(checkout: Checkout, answers: Answers) -> str:
            decide_checkout(
                checkout_id=checkout.pk,
                action="close",
                cents=None,
                reason=answers["reason"],
                actor_id=staff_id(request),
                now=clock.now(),
            )
            return "Closed; nothing was credited."

        return self.ask(request, object_id, CLOSE, do)

    @display(description="Id", ordering="id")
    def public_id(self, checkout: Checkout) -> str:
        """As clients see it."""
        return ids.encode(ids.CHECKOUT, checkout.pk)

    @display(description="Price", ordering="usd_cents")
    def price(self, checkout: Checkout) -> str:
        """In dollars."""
        return dollars_of_cents(checkout.usd_cents)

    @display(description="Status", label=_PURCHASE_LABELS)
    def state(self, checkout: Checkout) -> str:
        """Coloured."""
        return checkout.status


@admin.register(X402Payment)
class X402PaymentAdmin(BigTableAdmin):
    """Signed payments in USDC; those in review have an outcome that only the chain's explorer tells."""

    id_prefix = ids.X402_PAYMENT
    list_display = ("public_id", "account", "price", "state", "payer", "network", "created_at", "note")
    list_select_related = ("account",)
    list_filter = (one_of("status", X402_STATUSES),)
    search_fields = ("account__email__exact", "payer__exact", "nonce__exact", "transaction__exact")
    ordering = ("-id",)
    fields = (
        "public_id",
        "account",
        "price",
        "state",
        "note",
        "network",
        "asset",
        "payer",
        "nonce",
        "pay_to",
        "transaction",
        "valid_before",
        "created_at",
        "finished_at",
        "reconcile_at",
        "reconcile_tries",
    )
    readonly_fields = ("public_id", "price", "state")
    actions_detail = ("credit", "give_up")

    @display(description="Id", ordering="id")
    def public_id(self, payment: X402Payment) -> str:
        """As clients see it."""
        return ids.encode(ids.X402_PAYMENT, payment.pk)

    @display(description="Amount", ordering="usd_cents")
    def price(self, payment: X402Payment) -> str:
        """In dollars."""
        return dollars_of_cents(payment.usd_cents)

    @display(description="Status", label=_PURCHASE_LABELS)
    def state(self, payment: X402Payment) -> str:
        """Coloured."""
        return payment.status

    def has_decide_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Who may decide."""
        return bool(request.user.has_perm("payments.decide_x402payment"))

    @action(description="Credit", permissions=["decide"], icon="check")
    def credit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The money moved."""

        def do(payment: X402Payment, answers: Answers) -> str:
            decide_payment(
                payment_id=payment.pk,
                decision="settle",
                actor_id=staff_id(request),
                reason=answers["reason"],
                transaction_hash=answers["transaction"],
                now=clock.now(),
            )
            return f"{dollars_of_cents(payment.usd_cents)} credited."

        return self.ask(request, object_id, CREDIT, do)

    @action(description="Give up", permissions=["decide"], icon="block")
    def give_up(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The money did not move."""

        def do(payment: X402Payment, answers: Answers) -> str:
            decide_payment(
                payment_id=payment.pk,
                decision="fail",
                actor_id=staff_id(request),
                reason=answers["reason"],
                now=clock.now(),
            )
            return "Given up; nothing was credited."

        return self.ask(request, object_id, GIVE_UP, do)


@admin.register(Reversal)
class ReversalAdmin(BigTableAdmin):
    """Refunds and disputes of all deposits."""

    list_display = ("created_at", "kind", "deposit", "provider_id", "dollars", "status", "reason", "restored_at")
    list_select_related = ("deposit",)
    list_filter = (one_of("kind", REVERSAL_KINDS), one_of("status", REVERSAL_STATUSES))
    search_fields = ("provider_id__exact", "deposit__account__email__exact")
    ordering = ("-id",)

    @display(description="Taken", ordering="amount_micros")
    def dollars(self, reversal: Reversal) -> str:
        """In dollars."""
        return f"${usd(reversal.amount_micros)}"


@admin.register(ProviderEvent)
class ProviderEventAdmin(BigTableAdmin):
    """What providers said, word for word; flagged ones need somebody's eyes, and their note says why."""

    id_prefix = ids.PROVIDER_EVENT
    list_display = ("received_at", "provider", "type", "object_id", "state", "note", "tries")
    list_filter = (one_of("status", EVENT_STATUSES), one_of("provider", (STRIPE, COINBASE)))
    search_fields = ("event_id__exact", "object_id__exact")
    ordering = ("-id",)
    fields = (
        "id",
        "provider",
        "event_id",
        "type",
        "object_id",
        "state",
        "note",
        "tries",
        "received_at",
        "due_at",
        "finished_at",
        "payload",
    )
    readonly_fields = ("state",)
    actions = ("replay_selected",)
    actions_detail = ("replay", "dismiss")

    @display(description="Status", label=_EVENT_LABELS)
    def state(self, event: ProviderEvent) -> str:
        """Coloured."""
        return event.status

    def has_replay_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Who may have them judged again."""
        return bool(request.user.has_perm("payments.replay_event"))

    @action(description="Judge again", permissions=["replay"], icon="replay")
    def replay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """This one."""
        return self.ask(request, object_id, REPLAY, lambda event, answers: _replay(event, request))

    def has_decide_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Who may close flagged ones."""
        return bool(request.user.has_perm("payments.decide_checkout"))

    @action(description="Close", permissions=["decide"], icon="check")
    def dismiss(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Somebody saw to it."""

        def do(event: ProviderEvent, answers: Answers) -> str:
            dismiss_event(event_id=event.pk, reason=answers["reason"], actor_id=staff_id(request), now=clock.now())
            return "Closed; nothing was posted."

        return self.ask(request, object_id, DISMISS, do)

    @admin.action(description="Judge again", permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: "QuerySet[ProviderEvent]") -> HttpResponse | None:
        """The chosen ones."""
        return self.ask_for_all(
            request, queryset, "replay_selected", REPLAY, lambda event, answers: _replay(event, request)
        )


def _replay(event: ProviderEvent, request: HttpRequest) -> str:
    replay_event(event_id=event.pk, actor_id=staff_id(request), now=clock.now())
    return "It is judged again within a second."
