"""The page of an account, with what the rooms above `accounts` know of it, and what staff may do to it."""

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.admin import AccountPage
from accounts.services.keys import revoke_all_keys
from accounts.services.security_events import origin_of
from accounts.services.suspension import reinstate_account, suspend_account
from billing.admin import dollars
from billing.micros import LARGEST_AMOUNT, MICROS_PER_USD
from billing.selectors import balance, transfers
from billing.services.adjustments import counted_amount, request_adjustment
from core import clock, ids
from core.desk import LONGEST_REASON, Answers, Question, ReasonForm, action, refusal_sentence, staff_id
from core.errors import ApiError, NotFound

LINES = 25
"""Of a statement's page."""

REVOKE = Question(
    title="Revoke all keys",
    sentence="Every key of the account is refused within a second, for good. Jobs that run go on. The owner can sign "
    "in and make new ones.",
    button="Revoke all",
    dangerous=True,
)


class SuspendForm(ReasonForm):
    """Why, and what becomes of jobs."""

    end_jobs = forms.BooleanField(
        required=False, label="Terminate its jobs, too", help_text="Those that wait and those that run; not billed."
    )


SUSPEND = Question(
    title="Suspend account",
    sentence="Its keys are refused within a second, its sessions end, nobody signs in any more. Nothing is deleted; "
    "jobs that run are finished and their callbacks sent, unless you say otherwise.",
    button="Suspend",
    form=SuspendForm,
    dangerous=True,
)
REINSTATE = Question(
    title="Reinstate account",
    sentence="The account is let in again, with the keys it had.",
    button="Reinstate",
)


class AdjustForm(forms.Form):
    """What to give or take, exactly."""

    amount = forms.DecimalField(
        label="Amount in dollars",
        max_digits=18,
        decimal_places=6,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
        help_text="Above zero is given, below zero is taken; up to six decimals.",
    )
    source = forms.ChoiceField(
        label="Booked as",
        choices=[("adjustment", "Adjustment: a correction"), ("promotion", "Promotion: credit given away")],
        widget=UnfoldAdminSelectWidget(),
    )
    reason = forms.CharField(
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Kept for good, and shown to the customer on the statement.",
    )

    def clean_amount(self) -> Decimal:
        """Not zero, and within the ledger's range."""
        amount: Decimal = self.cleaned_data["amount"]
        if amount == 0 or abs(amount) * MICROS_PER_USD > LARGEST_AMOUNT:
            raise forms.ValidationError("An amount is above or below zero, and no larger than the ledger takes.")
        return amount

    @property
    def micros(self) -> int:
        """Exact: six decimals are micros."""
        return int(self.cleaned_data["amount"] * MICROS_PER_USD)


class AccountAdmin(AccountPage):
    """Accounts."""

    change_form_outer_before_template = "desk/account.html"
    change_form_outer_after_template = "desk/account_statement.html"
    actions_detail = ("adjust", "suspend", "reinstate", "revoke_keys")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page, with the account's money and where to find the rest."""
        row = self.get_object(request, unquote(object_id))
        more = _money(request, row.pk) if row is not None else {}
        answer: HttpResponse = super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})
        return answer

    def has_adjust_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Who may ask for adjustments."""
        return bool(request.user.has_perm("billing.request_adjustment"))

    def has_suspend_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Who may suspend."""
        return bool(request.user.has_perm("accounts.suspend_user"))

    def has_revoke_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Who may revoke keys."""
        return bool(request.user.has_perm("accounts.revoke_keys"))

    @action(description="Adjust balance", permissions=["adjust"], icon="tune")
    def adjust(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask what, show what it means, and only then ask billing for it."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        form = AdjustForm(request.POST if request.method == "POST" else None)
        context = {
            **self.admin_site.each_context(request),
            "title": "Adjust balance",
            "opts": self.opts,
            "account": row,
            "balance": _balance(row.pk),
            "back": self.page_of(row),
            "form": form,
        }
        if request.method != "POST" or not form.is_valid():
            status = 400 if form.is_bound else 200
            return TemplateResponse(request, "desk/adjust.html", context, status=status)
        now, staff = clock.now(), staff_id(request)
        if "confirmed" not in request.POST:
            counted = counted_amount(amount=form.micros, requested_by=staff, now=now)
            facts = {
                "request_id": ids.new(),
                "amount": dollars(form.micros),
                "counted": dollars(counted),
                "threshold": dollars(settings.ADJUSTMENT_APPROVAL_MICROS),
                "waits": counted >= settings.ADJUSTMENT_APPROVAL_MICROS,
            }
            return TemplateResponse(request, "desk/adjust_confirm.html", {**context, **facts})
        try:
            made = request_adjustment(
                request_id=_request_id(request),
                account_id=row.pk,
                amount=form.micros,
                reason=form.cleaned_data["reason"],
                source=form.cleaned_data["source"],
                requested_by=staff,
                now=now,
            )
        except ApiError as refusal:
            form.add_error(None, refusal_sentence(refusal))
            return TemplateResponse(request, "desk/adjust.html", context, status=400)
        if made.needs_second_person:
            self.message_user(request, "It waits for a second person's approval.", messages.WARNING)
        else:
            self.message_user(request, f"{dollars(made.amount_micros)} posted to {row}.", messages.SUCCESS)
        self.log_change(request, row, f"Adjust balance: {dollars(made.amount_micros)}: {made.reason}")
        return redirect("admin:billing_adjustmentrequest_change", made.pk)

    @action(description="Suspend", permissions=["suspend"], icon="pause")
    def suspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Close its doors."""

        def do(row: Any, answers: Answers) -> str:
            done = suspend_account(
                account_id=row.pk,
                actor_id=staff_id(request),
                reason=answers["reason"],
                end_jobs=answers["end_jobs"],
                now=clock.now(),
            )
            return f"{row} is suspended." if done else f"{row} was suspended before."

        return self.ask(request, object_id, SUSPEND, do)

    @action(description="Reinstate", permissions=["suspend"], icon="play_arrow")
    def reinstate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Open them again."""

        def do(row: Any, answers: Answers) -> str:
            done = reinstate_account(
                account_id=row.pk, actor_id=staff_id(request), reason=answers["reason"], now=clock.now()
            )
            return f"{row} is let in again." if done else f"{row} was not suspended."

        return self.ask(request, object_id, REINSTATE, do)

    @action(description="Revoke all keys", permissions=["revoke"], icon="key_off")
    def revoke_keys(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """All at once."""

        def do(row: Any, answers: Answers) -> str:
            prefixes = revoke_all_keys(
                account_id=row.pk,
                now=clock.now(),
                origin=origin_of(request),
                actor_id=staff_id(request),
                reason=answers["reason"],
            )
            return f"{len(prefixes)} keys revoked."

        return self.ask(request, object_id, REVOKE, do)


def _money(request: HttpRequest, account_id: UUID) -> dict[str, Any]:
    """What the page adds, each part to whoever may see its table."""
    user: Any = request.user
    shown: dict[str, Any] = {"links": _links(user, account_id)}
    if user.has_perm("billing.view_balance"):
        shown["balance"] = _balance(account_id)
    if user.has_perm("billing.view_transfer"):
        before = _uuid(request.GET.get("before"))
        lines = transfers(account_id=account_id, limit=LINES + 1, before=before)
        shown["statement"] = [
            {
                "at": line.at,
                "label": line.label,
                "reference": line.reference,
                "reason": line.reason,
                "available": _change(line.available_change),
                "held": _change(line.held_change),
                "debt": _change(line.debt_change),
                "left": dollars(line.available_after),
            }
            for line in lines[:LINES]
        ]
        shown["older"] = str(lines[LINES - 1].id) if len(lines) > LINES else ""
        shown["paged"] = before is not None
    return shown


def _balance(account_id: UUID) -> dict[str, str]:
    view = balance(account_id=account_id)
    return {
        "available": dollars(view.available),
        "held": dollars(view.held),
        "owed": dollars(view.receivable),
        "total": dollars(view.total),
    }


def _links(user: Any, account_id: UUID) -> list[dict[str, str]]:
    tables = (
        ("Open jobs", "media", "job", {"account__id__exact": account_id, "status__in": "queued,processing"}),
        ("All jobs", "media", "job", {"account__id__exact": account_id}),
        ("Deposits", "payments", "deposit", {"account__id__exact": account_id}),
        ("Checkouts", "payments", "checkout", {"account__id__exact": account_id}),
        ("x402 payments", "payments", "x402payment", {"account__id__exact": account_id}),
        ("Adjustments", "billing", "adjustmentrequest", {"account__id__exact": account_id}),
        ("Callbacks", "core", "webhookdelivery", {"account_id__exact": account_id}),
        ("Security events", "accounts", "securityevent", {"user__id__exact": account_id}),
    )
    return [
        {"title": title, "link": f"{reverse(f'admin:{app}_{model}_changelist')}?{urlencode(query)}"}
        for title, app, model, query in tables
        if user.has_perm(f"{app}.view_{model}")
    ]


def _change(amount: int) -> str:
    return "" if not amount else f"{'+' if amount > 0 else ''}{dollars(amount)}"


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Http404 from None


def _request_id(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("request_id", ""))
    except ValueError:
        raise NotFound("This confirmation is not one of ours; start again.") from None
