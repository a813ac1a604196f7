"""What an account has bought, for its export."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from core import clock, ids
from payments.models import X402, Checkout, Deposit, X402Payment


def purchases(*, account_id: UUID) -> Iterator[dict[str, Any]]:
    """Every purchase that the account began, however it ended, newest first."""
    for checkout in Checkout.objects.filter(account_id=account_id).order_by("-id").iterator():
        yield {
            "id": ids.encode(ids.CHECKOUT, checkout.pk),
            "provider": checkout.provider,
            "providerId": checkout.provider_id or None,
            "packageCode": checkout.package_code or None,
            "usdCents": checkout.usd_cents,
            "status": checkout.status,
            "createdAt": clock.rfc3339(checkout.created_at),
        }
    for payment in X402Payment.objects.filter(account_id=account_id).order_by("-id").iterator():
        yield {
            "id": ids.encode(ids.X402_PAYMENT, payment.pk),
            "provider": X402,
            "providerId": payment.transaction or None,
            "packageCode": None,
            "usdCents": payment.usd_cents,
            "status": payment.status,
            "createdAt": clock.rfc3339(payment.created_at),
        }


def deposits(*, account_id: UUID) -> Iterator[dict[str, Any]]:
    """Every deposit that was credited, newest first."""
    for deposit in Deposit.objects.filter(account_id=account_id).order_by("-settled_at").iterator():
        yield {
            "id": ids.encode(ids.DEPOSIT, deposit.pk),
            "provider": deposit.provider,
            "amountUsdMicros": deposit.amount_micros,
            "reversedUsdMicros": deposit.reversed_micros,
            "settledAt": clock.rfc3339(deposit.settled_at),
        }
