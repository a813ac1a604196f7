"""Affiliates and their payouts at the operator's desk: looked at, and decided. Every decision is a row for good."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from affiliates.models import Affiliate, AffiliateCode, Attribution, Commission, Decision, PayoutRequest
from affiliates.services.decisions import (
    LONGEST_REFERENCE,
    AffiliateAction,
    PayoutAction,
    decide_affiliate,
    decide_payout,
    set_basis_points,
)
from affiliates.transitions import AFFILIATE_STATUSES, COMMISSION_STATUSES, PAYOUT_STATUSES
from billing.micros import usd
from billing.selectors import commission
from core import clock, ids
from core.desk import (
    LONGEST_REASON,
    Answers,
    BigTableAdmin,
    DeskAdmin,
    DeskInline,
    Question,
    ReasonForm,
    action,
    display,
    one_of,
    staff_id,
)


class NoteForm(forms.Form):
    """Anything to add."""

    reason = forms.CharField(
        label="Note", required=False, max_length=LONGEST_REASON, widget=UnfoldAdminTextareaWidget({"rows": 2})
    )


class PaymentForm(NoteForm):
    """How it was paid."""

    payment_reference = forms.CharField(
        max_length=LONGEST_REFERENCE,
        widget=UnfoldAdminTextInputWidget(),
        help_text="What the bank or the chain calls the payment. The affiliate sees it.",
    )
    field_order = ("payment_reference", "reason")


class TermsForm(ReasonForm):
    """A new share."""

    percent = forms.DecimalField(
        min_value=0,
        max_value=100,
        decimal_places=2,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Of each deposit that settles from now on. Earlier commissions stay as they are.",
    )
    field_order = ("percent", "reason")


_AFFILIATE: dict[str, Question] = {
    "approve": Question(
        title="Approve affiliate",
        sentence="The applicant gets a code, and a share of the deposits of whom it brings.",
        button="Approve",
        form=NoteForm,
    ),
    "reject": Question(
        title="Reject affiliate",
        sentence="The application is turned down. The applicant may apply again.",
        button="Reject",
        dangerous=True,
    ),
    "suspend": Question(
        title="Suspend affiliate",
        sentence="The code binds nobody any more, nothing new is earned, and no payout can be approved.",
        button="Suspend",
        dangerous=True,
    ),
    "reinstate": Question(
        title="Reinstate affiliate",
        sentence="The affiliate earns again from now on.",
        button="Reinstate",
        form=NoteForm,
    ),
}
_TERMS = Question(
    title="Change terms",
    sentence="The affiliate's share changes for deposits that settle from now on.",
    button="Change",
    form=TermsForm,
)
_PAYOUT: dict[str, Question] = {
    "approve": Question(
        title="Approve payouts",
        sentence="Each amount stays reserved until it is paid. An affiliate that owes commission is refused.",
        button="Approve",
        form=NoteForm,
    ),
    "reject": Question(
        title="Reject payouts",
        sentence="Each reserved amount goes back to what its affiliate has available.",
        button="Reject",
        dangerous=True,
    ),
    "pay": Question(
        title="Mark payouts as paid",
        sentence="Say so only once the money has left: the reserved amount is booked as paid out, for good.",
        button="Paid",
        form=PaymentForm,
    ),
}


class CodesOfAffiliate(DeskInline):
    """Referral codes."""

    model = AffiliateCode
    verbose_name_plural = "Codes"
    fields = ("code", "created_at", "retired_at")
    readonly_fields = fields
    ordering = ("-id",)


class DecisionsOfAffiliate(DeskInline):
    """What was decided, by whom and why."""

    model = Decision
    verbose_name_plural = "Decisions"
    fields = ("at", "action", "payout", "actor", "reason", "details")
    readonly_fields = fields
    ordering = ("-at",)


@admin.register(Affiliate)
class AffiliateAdmin(DeskAdmin):
    """Who brings customers, and who wants to."""

    id_prefix = ids.AFFILIATE
    list_display = ("display_name", "account", "state", "share", "country_code", "applied_at")
    list_select_related = ("account",)
    list_filter = (one_of("status", AFFILIATE_STATUSES),)
    search_fields = ("account__email", "display_name", "contact_email", "codes__code__iexact")
    ordering = ("-applied_at",)
    fields = (
        "public_id",
        "account",
        "display_name",
        "contact_email",
        "country_code",
        "payout_address",
        "terms_version",
        "state",
        "share",
        "earned",
        "applied_at",
        "updated_at",
    )
    readonly_fields = ("public_id", "state", "share", "earned")
    inlines = (CodesOfAffiliate, DecisionsOfAffiliate)
    actions = ("approve_selected", "reject_selected")
    actions_detail = ("approve", "reject", "suspend", "reinstate", "terms")

    @display(description="Id")
    def public_id(self, affiliate: Affiliate) -> str:
        """As the affiliate sees it."""
        return ids.encode(ids.AFFILIATE, affiliate.pk)

    @display(
        description="Status",
        label={"approved": "success", "pending": "warning", "rejected": "default", "suspended": "danger"},
    )
    def state(self, affiliate: Affiliate) -> str:
        """Coloured."""
        return affiliate.status

    @display(description="Share", ordering="basis_points")
    def share(self, affiliate: Affiliate) -> str:
        """Of deposits."""
        return f"{affiliate.basis_points / 100:g} %"

    @display(description="Commission")
    def earned(self, affiliate: Affiliate) -> str:
        """Where it stands in the ledger."""
        view = commission(affiliate_id=affiliate.account_id)
        return f"${usd(view.pending)} pending, ${usd(view.available)} available, ${usd(view.reserved)} reserved"

    def has_decide_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Who may decide about affiliates."""
        return bool(request.user.has_perm("affiliates.decide_affiliate"))

    def has_terms_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Who may change what affiliates earn: not who lets them in."""
        return bool(request.user.has_perm("affiliates.set_terms"))

    @action(description="Approve", permissions=["decide"], icon="check")
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The application."""
        return self._decide_one(request, object_id, "approve")

    @action(description="Reject", permissions=["decide"], icon="block")
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The application."""
        return self._decide_one(request, object_id, "reject")

    @action(description="Suspend", permissions=["decide"], icon="pause")
    def suspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The affiliate."""
        return self._decide_one(request, object_id, "suspend")

    @action(description="Reinstate", permissions=["decide"], icon="play_arrow")
    def reinstate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The affiliate."""
        return self._decide_one(request, object_id, "reinstate")

    @action(description="Change terms", permissions=["terms"], icon="percent")
    def terms(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The share."""

        def do(affiliate: Affiliate, answers: Answers) -> str:
            set_basis_points(
                affiliate_id=affiliate.pk,
                basis_points=int(answers["percent"] * 100),
                actor_id=staff_id(request),
                reason=answers["reason"],
                now=clock.now(),
            )
            return f"The share is {answers['percent']} % from now on."

        return self.ask(request, object_id, _TERMS, do)

    @admin.action(description="Approve", permissions=["decide"])
    def approve_selected(self, request: HttpRequest, queryset: "QuerySet[Affiliate]") -> HttpResponse | None:
        """The chosen applications."""
        question = _AFFILIATE["approve"]
        return self.ask_for_all(request, queryset, "approve_selected", question, _affiliate(request, "approve"))

    @admin.action(description="Reject", permissions=["decide"])
    def reject_selected(self, request: HttpRequest, queryset: "QuerySet[Affiliate]") -> HttpResponse | None:
        """The chosen applications."""
        question = _AFFILIATE["reject"]
        return self.ask_for_all(request, queryset, "reject_selected", question, _affiliate(request, "reject"))

    def _decide_one(self, request: HttpRequest, object_id: str, what: AffiliateAction) -> HttpResponse:
        return self.ask(request, object_id, _AFFILIATE[what], _affiliate(request, what))


class DecisionsOfPayout(DeskInline):
    """What was decided, by whom and why."""

    model = Decision
    verbose_name_plural = "Decisions"
    fields = ("at", "action", "actor", "reason", "details")
    readonly_fields = fields
    ordering = ("-at",)


@admin.register(PayoutRequest)
class PayoutRequestAdmin(DeskAdmin):
    """Payouts to decide and to pay."""

    id_prefix = ids.PAYOUT
    list_display = ("public_id", "affiliate", "dollars", "state", "payout_address", "created_at", "finished_at")
    list_select_related = ("affiliate",)
    list_filter = (one_of("status", PAYOUT_STATUSES),)
    search_fields = ("affiliate__account__email", "affiliate__display_name", "payment_reference__exact")
    ordering = ("-id",)
    fields = (
        "public_id",
        "affiliate",
        "dollars",
        "state",
        "payout_address",
        "note",
        "payment_reference",
        "created_at",
        "decided_at",
        "finished_at",
        "reference",
    )
    readonly_fields = ("public_id", "dollars", "state", "reference")
    inlines = (DecisionsOfPayout,)
    actions = ("approve_selected", "reject_selected", "pay_selected")
    actions_detail = ("approve", "reject", "pay")

    @display(description="Id", ordering="id")
    def public_id(self, payout: PayoutRequest) -> str:
        """As the affiliate sees it."""
        return ids.encode(ids.PAYOUT, payout.pk)

    @display(description="Amount", ordering="amount_micros")
    def dollars(self, payout: PayoutRequest) -> str:
        """In dollars."""
        return f"${usd(payout.amount_micros)}"

    @display(
        description="Status",
        label={"requested": "warning", "approved": "info", "paid": "success", "rejected": "danger"},
    )
    def state(self, payout: PayoutRequest) -> str:
        """Coloured."""
        return payout.status

    @display(description="Ledger references")
    def reference(self, payout: PayoutRequest) -> str:
        """How they start."""
        return f"payout:{payout.pk}:"

    def has_decide_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Who may approve and reject."""
        return bool(request.user.has_perm("affiliates.decide_payout"))

    def has_pay_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Who may say that it was paid."""
        return bool(request.user.has_perm("affiliates.pay_payout"))

    @action(description="Approve", permissions=["decide"], icon="check")
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To be paid."""
        return self.ask(request, object_id, _PAYOUT["approve"], _payout(request, "approve"))

    @action(description="Reject", permissions=["decide"], icon="block")
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Back to what is available."""
        return self.ask(request, object_id, _PAYOUT["reject"], _payout(request, "reject"))

    @action(description="Mark as paid", permissions=["pay"], icon="paid")
    def pay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The money has left."""
        return self.ask(request, object_id, _PAYOUT["pay"], _payout(request, "pay"))

    @admin.action(description="Approve", permissions=["decide"])
    def approve_selected(self, request: HttpRequest, queryset: "QuerySet[PayoutRequest]") -> HttpResponse | None:
        """The chosen ones."""
        question = _PAYOUT["approve"]
        return self.ask_for_all(request, queryset, "approve_selected", question, _payout(request, "approve"))

    @admin.action(description="Reject", permissions=["decide"])
    def reject_selected(self, request: HttpRequest, queryset: "QuerySet[PayoutRequest]") -> HttpResponse | None:
        """The chosen ones."""
        question = _PAYOUT["reject"]
        return self.ask_for_all(request, queryset, "reject_selected", question, _payout(request, "reject"))

    @admin.action(description="Mark as paid, under one reference", permissions=["pay"])
    def pay_selected(self, request: HttpRequest, queryset: "QuerySet[PayoutRequest]") -> HttpResponse | None:
        """The chosen ones, which one payment paid."""
        question = _PAYOUT["pay"]
        return self.ask_for_all(request, queryset, "pay_selected", question, _payout(request, "pay"))


@admin.register(Commission)
class CommissionAdmin(BigTableAdmin):
    """What affiliates earned, by deposit."""

    list_display = ("settled_at", "affiliate", "dollars", "clawed_back", "status", "matures_at", "matured_at")
    list_select_related = ("affiliate",)
    list_filter = (one_of("status", COMMISSION_STATUSES),)
    search_fields = ("affiliate__account__email__exact",)
    ordering = ("-settled_at",)
    id_prefix = ids.COMMISSION

    @display(description="Amount", ordering="amount_micros")
    def dollars(self, earned: Commission) -> str:
        """In dollars."""
        return f"${usd(earned.amount_micros)}"

    @display(description="Taken back", ordering="clawed_back_micros")
    def clawed_back(self, earned: Commission) -> str:
        """In dollars."""
        return f"${usd(earned.clawed_back_micros)}"


@admin.register(Attribution)
class AttributionAdmin(BigTableAdmin):
    """Who brought whom."""

    list_display = ("at", "account", "affiliate", "code", "source")
    list_select_related = ("account", "affiliate", "code")
    list_filter = (one_of("source", ("code", "token", "cookie", "deposit")),)
    search_fields = ("account__email__exact", "affiliate__account__email__exact")
    ordering = ("-at",)


@admin.register(Decision)
class DecisionAdmin(DeskAdmin):
    """Every decision there was; the database itself refuses to change one."""

    list_display = ("at", "action", "affiliate", "payout", "actor", "reason")
    list_select_related = ("affiliate", "payout", "actor")
    list_filter = (one_of("action", ("approve", "reject", "suspend", "reinstate", "terms", "pay", "cancel")),)
    search_fields = ("affiliate__account__email", "actor__email")
    ordering = ("-at",)


def _affiliate(request: HttpRequest, what: AffiliateAction) -> Any:
    def do(affiliate: Affiliate, answers: Answers) -> str:
        decided = decide_affiliate(
            affiliate_id=affiliate.pk,
            action=what,
            actor_id=staff_id(request),
            reason=answers["reason"],
            now=clock.now(),
        )
        return f"{decided.display_name} is {decided.status}."

    return do


def _payout(request: HttpRequest, what: PayoutAction) -> Any:
    def do(payout: PayoutRequest, answers: Answers) -> str:
        decided = decide_payout(
            payout_id=payout.pk,
            action=what,
            actor_id=staff_id(request),
            reason=answers["reason"],
            payment_reference=answers.get("payment_reference", ""),
            now=clock.now(),
        )
        return f"${usd(decided.amount_micros)} is {decided.status}."

    return do
