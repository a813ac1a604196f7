"""An affiliate's account is deleted: what it earned and was not paid goes back to the house."""

from uuid import UUID

from django.db import transaction

from affiliates.models import Affiliate
from billing.micros import Micros
from billing.services.claw_back_commission import claw_back_commission


def forfeit_commission(*, account_id: UUID, pending: Micros, available: Micros) -> None:
    """Give up all commission of the account's affiliate: exactly what is pending and what is available, once.

    The caller's transaction holds the affiliate and the ledger's figures locked and deletes the account in it: after
    that none of the affiliate's commissions matures, is taken back or given again, and its commissions' rows stay as
    they were.

    Raises:
        ReferenceReused: another amount was given up before; nothing moved.
    """
    if not pending and not available:
        return
    affiliate_id = Affiliate.objects.values_list("pk", flat=True).get(account_id=account_id)
    with transaction.atomic():
        for name, amount in (("pending", pending), ("available", available)):
            if amount:
                claw_back_commission(
                    affiliate_id=account_id,
                    amount=amount,
                    reference=f"affiliate:{affiliate_id}:forfeited:{name}",
                    matured=name == "available",
                )
