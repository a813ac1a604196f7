"""Where a customer lands after a provider's payment page, with the money sent or not."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.authentication import signed_in_user
from billing.micros import MICROS_PER_CENT, usd
from core import clock, ids
from core.errors import Unavailable
from core.ui.pages import page
from payments.services.claim_deposit import look_again


@page
@require_safe
def done(request: HttpRequest) -> HttpResponse:
    """The customer comes back from paying: a hint to ask the provider, where the owner is signed in.

    Anybody else learns nothing of the purchase; its credit lands all the same.
    """
    user = signed_in_user(request)
    checkout_id = ids.decode(ids.CHECKOUT, request.GET.get("checkout", ""))
    looked = None
    if user is not None and checkout_id is not None:
        try:
            looked = look_again(account_id=user.pk, checkout_id=checkout_id, now=clock.now())
        except Unavailable:
            return render(request, "payments/done.html", {"away": True})
    shown = {}
    if looked is not None:
        shown = {
            "status": looked.checkout.status,
            "amount": usd(looked.usd_cents * MICROS_PER_CENT),
            "balance": usd(looked.available),
        }
    return render(request, "payments/done.html", shown)


@page
@require_safe
def canceled(request: HttpRequest) -> HttpResponse:
    """The customer comes back without paying."""
    return render(request, "payments/canceled.html")
