"""Our purchases against what their providers say of them now. It asks over the network: never inside a transaction."""

from billing.audit import Finding
from billing.micros import MICROS_PER_CENT
from core import ids
from payments.models import Checkout, Deposit
from payments.providers.purchase import Purchase, Standing, UnknownPurchase
from payments.providers.registry import provider_of
from payments.services.reconcile_deposit import CLOSED, CREDITED
from payments.transitions import REVIEW

_Figure = tuple[str, int | None, int | None]


def differences() -> list[Finding]:
    """Every checkout that its provider made a page for, read again; what a reconciliation would change or flag.

    What waits for an operator already is not told again, nor what one has closed. Payments by x402 have no provider
    that could be asked: the transaction on the chain is their deposit's name.

    Raises:
        ProviderNotConfigured, ProviderUnavailable: a provider cannot be asked.
    """
    found = []
    for checkout in Checkout.objects.exclude(provider_id="").exclude(status=REVIEW).order_by("pk").iterator():
        if checkout.note.startswith(CLOSED):
            continue
        deposit = Deposit.objects.filter(pk=checkout.pk).first()
        subject = f"{ids.encode(ids.CHECKOUT, checkout.pk)} {checkout.provider} {checkout.provider_id}"
        try:
            purchase = provider_of(checkout.provider).read(checkout.provider_id, thorough=True)
        except UnknownPurchase:
            found.append(Finding(room="payments", subject=subject, figure="at_provider", expected="known", found=None))
            continue
        found += [
            Finding(room="payments", subject=subject, figure=figure, expected=expected, found=at_provider)
            for figure, expected, at_provider in _figures(checkout, deposit, purchase)
            if expected != at_provider
        ]
    return found


def _figures(checkout: Checkout, deposit: Deposit | None, purchase: Purchase) -> list[_Figure]:
    paid = checkout.usd_cents if purchase.standing is Standing.PAID else None
    figures: list[_Figure] = [
        ("price_cents", checkout.usd_cents, purchase.cents),
        ("paid_cents", deposit.usd_cents if deposit is not None else None, paid),
    ]
    if deposit is not None and checkout.note.startswith(CREDITED):  # an operator decided how much, up to what came
        figures = [("paid_cents", deposit.usd_cents, min(deposit.usd_cents, purchase.received_cents or 0))]
    if deposit is not None:
        taken = sum(taking.cents or 0 for taking in purchase.takings if not taking.given_back) * MICROS_PER_CENT
        figures.append(("reversed_micros", deposit.reversed_micros, min(taken, deposit.amount_micros)))
    return figures
