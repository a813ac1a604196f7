"""The money page: the balance, what can be bought, and what was."""

from urllib.parse import quote

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.authentication import signed_in_user
from billing.micros import MICROS_PER_CENT, usd
from billing.selectors import balance
from core import ids
from core.ui.pages import page
from payments.receipts import deposits
from payments.selectors import packages_on_sale

DEPOSITS_SHOWN = 50


@page
@require_safe
def billing(request: HttpRequest) -> HttpResponseBase:
    """What the signed-in account has, can buy and bought."""
    user = signed_in_user(request)
    if user is None:
        return redirect(f"/sign-in?next={quote(request.get_full_path())}")
    view = balance(account_id=user.pk)
    shown = deposits(account_id=user.pk, limit=DEPOSITS_SHOWN)
    return render(
        request,
        "payments/billing.html",
        {
            "available": usd(view.available),
            "held": usd(view.held),
            "owed": usd(view.receivable) if view.receivable else "",
            "packages": [{"package": one, "usd": usd(one.usd_cents * MICROS_PER_CENT)} for one in packages_on_sale()],
            "deposits": [
                {
                    "deposit": one,
                    "id": ids.encode(ids.DEPOSIT, one.pk),
                    "usd": usd(one.amount_micros),
                    "reversed": usd(one.reversed_micros) if one.reversed_micros else "",
                }
                for one in shown.deposits
            ],
            "more": shown.following is not None,
        },
    )
