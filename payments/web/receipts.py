"""The receipt of a deposit, for whoever is signed in and owns it."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.authentication import signed_in_user
from core.ui.pages import page
from payments.receipt_pdf import receipt_pdf
from payments.receipts import DepositNotFound, Receipt
from payments.receipts import receipt as receipt_of


@page
@require_safe
def receipt(request: HttpRequest, deposit_id: str) -> HttpResponseBase:
    """The receipt as a page that prints well; whoever is not signed in signs in first."""
    found = _own(request, deposit_id)
    return render(request, "payments/receipt.html", {"receipt": found}) if found else _sign_in(request)


@page
@require_safe
def pdf(request: HttpRequest, deposit_id: str) -> HttpResponseBase:
    """The receipt as a file."""
    found = _own(request, deposit_id)
    if found is None:
        return _sign_in(request)
    return HttpResponse(
        receipt_pdf(found),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{found.number}.pdf"'},
    )


def _own(request: HttpRequest, deposit_id: str) -> Receipt | None:
    """The signed-in account's receipt; None when nobody is signed in.

    Raises:
        Http404: it has no such deposit.
    """
    user = signed_in_user(request)
    if user is None:
        return None
    try:
        return receipt_of(account_id=user.pk, public_id=deposit_id)
    except DepositNotFound:
        raise Http404 from None


def _sign_in(request: HttpRequest) -> HttpResponseBase:
    return redirect(f"/sign-in?next={request.path}")
