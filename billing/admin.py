"""Money at the operator's desk: to look at, never to touch. Adjustments are asked for and decided, as transfers."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminTextareaWidget

from billing.adjustments import STATUSES
from billing.ledger.models import TransferKind
from billing.micros import Micros, usd
from billing.models import AdjustmentRequest, Balance, LedgerAccount, PriceVersion, Transfer
from billing.services.adjustments import approve_adjustment, reject_adjustment
from core import clock, ids
from core.desk import (
    LONGEST_REASON,
    Answers,
    BigTableAdmin,
    DeskAdmin,
    Question,
    ReasonForm,
    action,
    display,
    one_of,
    staff_id,
)


class NoteForm(forms.Form):
    """Anything to add to an approval."""

    note = forms.CharField(required=False, max_length=LONGEST_REASON, widget=UnfoldAdminTextareaWidget({"rows": 2}))


APPROVE = Question(
    title="Approve adjustment",
    sentence="The amount is posted to the account now, as a ledger transfer under your colleague's name. It cannot be "
    "taken back, only adjusted the other way.",
    button="Approve and post",
    form=NoteForm,
)
REJECT = Question(
    title="Reject adjustment",
    sentence="Nothing is posted. The request stays on record with your reason.",
    button="Reject",
    form=ReasonForm,
    dangerous=True,
)


def dollars(amount: Micros | None) -> str:
    """`$1.50`, exact to the micro; a dash for nothing known."""
    if amount is None:
        return "-"
    whole, _, part = usd(abs(amount)).partition(".")
    return f"{'-' if amount < 0 else ''}${int(whole):,}.{part.ljust(2, '0')}"


class KindFilter(admin.SimpleListFilter):
    """By kind of transfer, without asking the table which there are."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All kinds."""
        return [(kind.value, str(kind.label)) for kind in TransferKind]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Transfer]") -> "QuerySet[Transfer]":
        """Those of one kind."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


class OwesFilter(admin.SimpleListFilter):
    """Accounts that owe."""

    title = "owes"
    parameter_name = "owes"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One choice."""
        return [("yes", "Owes money")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Balance]") -> "QuerySet[Balance]":
        """Those that do."""
        return queryset.filter(receivable__gt=0) if self.value() == "yes" else queryset


@admin.register(Transfer)
class TransferAdmin(BigTableAdmin):
    """Every movement of money, newest first."""

    id_prefix = ids.TRANSFER
    list_display = ("created_at", "reference", "leg", "kind", "dollars", "from_side", "to_side", "left", "actor")
    list_select_related = ("debit__owner", "credit__owner", "actor")
    list_filter = (KindFilter,)
    search_fields = ("reference__startswith",)
    search_help_text = "How a reference starts: job:<uuid>:, deposit:<uuid>:, adjustment:<uuid>, payout:<uuid>:"
    ordering = ("-id",)

    @display(description="Amount", ordering="amount")
    def dollars(self, transfer: Transfer) -> str:
        """In dollars."""
        return dollars(transfer.amount)

    @display(description="From")
    def from_side(self, transfer: Transfer) -> str:
        """The ledger account that is debited."""
        return _side(transfer.debit)

    @display(description="To")
    def to_side(self, transfer: Transfer) -> str:
        """The ledger account that is credited."""
        return _side(transfer.credit)

    @display(description="Available after")
    def left(self, transfer: Transfer) -> str:
        """In dollars."""
        return dollars(transfer.available_after)


@admin.register(Balance)
class BalanceAdmin(DeskAdmin):
    """What each customer has."""

    id_prefix = None
    list_display = ("owner", "bucket", "available_dollars", "held_dollars", "owed_dollars")
    list_select_related = ("owner",)
    list_filter = (OwesFilter,)
    search_fields = ("owner__email",)
    ordering = ("-id",)

    @display(description="Available", ordering="available")
    def available_dollars(self, balance: Balance) -> str:
        """In dollars."""
        return dollars(balance.available)

    @display(description="Held", ordering="held")
    def held_dollars(self, balance: Balance) -> str:
        """In dollars."""
        return dollars(balance.held)

    @display(description="Owed", ordering="receivable")
    def owed_dollars(self, balance: Balance) -> str:
        """In dollars."""
        return dollars(balance.receivable)


@admin.register(LedgerAccount)
class LedgerAccountAdmin(DeskAdmin):
    """The sides that transfers have."""

    list_display = ("id", "kind", "bucket", "owner")
    list_select_related = ("owner",)
    search_fields = ("owner__email", "kind")


@admin.register(PriceVersion)
class PriceVersionAdmin(DeskAdmin):
    """What each task has cost since when; `manage.py sync_prices` publishes."""

    list_display = ("task", "active_from", "formula", "coefficients")
    list_filter = ("task",)
    ordering = ("task", "-active_from")


@admin.register(AdjustmentRequest)
class AdjustmentRequestAdmin(DeskAdmin):
    """Adjustments by hand. They are asked for on the account's page and decided here."""

    list_display = ("requested_at", "account", "dollars", "source", "state", "requested_by", "decided_by", "reason")
    list_select_related = ("account", "requested_by", "decided_by")
    list_filter = (one_of("status", STATUSES), one_of("source", ("adjustment", "promotion")))
    search_fields = ("account__email", "requested_by__email")
    ordering = ("-id",)
    id_prefix = "adj"
    fields = (
        "id",
        "account",
        "dollars",
        "source",
        "reason",
        "state",
        "requested_by",
        "requested_at",
        "decided_by",
        "decided_at",
        "decision_note",
        "counted",
        "reference",
    )
    readonly_fields = ("dollars", "state", "counted", "reference")
    actions_detail = ("approve", "reject")

    @display(description="Amount", ordering="amount_micros")
    def dollars(self, request: AdjustmentRequest) -> str:
        """In dollars."""
        return dollars(request.amount_micros)

    @display(description="Status", label={"requested": "warning", "posted": "success", "rejected": "danger"})
    def state(self, request: AdjustmentRequest) -> str:
        """Coloured."""
        return request.status

    @display(description="Counted")
    def counted(self, request: AdjustmentRequest) -> str:
        """Why it did, or did not, need a second person."""
        verdict = "a second person decides" if request.needs_second_person else "its requester posted it"
        return f"{dollars(request.counted_micros)} of {dollars(request.threshold_micros)}: {verdict}"

    @display(description="Ledger reference")
    def reference(self, request: AdjustmentRequest) -> str:
        """Under which its transfer is found."""
        return f"adjustment:{request.pk}"

    def has_approve_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Who may decide."""
        return bool(request.user.has_perm("billing.approve_adjustment"))

    @action(description="Approve", permissions=["approve"], icon="check")
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Post it."""

        def do(wanted: AdjustmentRequest, answers: Answers) -> str:
            approve_adjustment(
                request_id=wanted.pk, decided_by=staff_id(request), note=answers["note"], now=clock.now()
            )
            return f"{dollars(wanted.amount_micros)} posted to {wanted.account}."

        return self.ask(request, object_id, APPROVE, do)

    @action(description="Reject", permissions=["approve"], icon="block")
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Decide against it."""

        def do(wanted: AdjustmentRequest, answers: Answers) -> str:
            reject_adjustment(
                request_id=wanted.pk, decided_by=staff_id(request), note=answers["reason"], now=clock.now()
            )
            return "Rejected; nothing was posted."

        return self.ask(request, object_id, REJECT, do)


def _side(account: LedgerAccount) -> str:
    return f"{account.kind} of {account.owner}" if account.owner is not None else account.kind
