"""Whether an affiliate would earn by its own purchases: the same account, mailbox, payout address or wallet.

What an affiliate says of itself counts against that affiliate. Against a buyer only what is proven counts: else
anybody could write another affiliate's address into an application, and so take the commission of that affiliate, or
learn whose address stands behind a code.
"""

from uuid import UUID

from django.db.models import QuerySet

from accounts.selectors import email_addresses
from affiliates.models import Affiliate, PayoutRequest
from affiliates.transitions import APPROVED, PAID

_DOTS_DO_NOT_COUNT = frozenset({"gmail.com", "googlemail.com"})


def is_self(*, affiliate: Affiliate, account_id: UUID, payer: str = "") -> bool:
    """Whether the account and the affiliate share anything that stands for a person.

    Compared are mailboxes (`mailbox`), payout addresses, those of earlier payouts too, and the wallet that paid
    (`payer`), in one set: many payout addresses are mail addresses or wallets.
    """
    if affiliate.account_id == account_id:
        return True
    emails = email_addresses(account_ids=[affiliate.account_id, account_id])
    theirs = {emails.get(affiliate.account_id, ""), affiliate.contact_email, affiliate.payout_address}
    theirs |= _payout_addresses(PayoutRequest.objects.filter(affiliate=affiliate))
    buyers = {emails.get(account_id, ""), payer} | _proven(account_id)
    return not _comparable(theirs).isdisjoint(_comparable(buyers))


def mailbox(text: str) -> str:
    """What is left of an address when everything is gone that leads to the same mailbox; other texts in lower case.

    Case and what follows a plus; at Google's the dots, and the second name of its domain.
    """
    address = text.strip().casefold()
    local, at, domain = address.rpartition("@")
    if not at:
        return address
    local = local.partition("+")[0] or local
    if domain in _DOTS_DO_NOT_COUNT:
        local, domain = local.replace(".", "") or local, "gmail.com"
    return f"{local}@{domain}"


def _proven(account_id: UUID) -> set[str]:
    """What an operator looked at of the account's own affiliate: it is approved, or was paid there."""
    own = Affiliate.objects.filter(account_id=account_id).first()
    if own is None:
        return set()
    paid = _payout_addresses(PayoutRequest.objects.filter(affiliate=own, status=PAID))
    return paid | {own.contact_email, own.payout_address} if paid or own.status == APPROVED else set()


def _payout_addresses(requests: QuerySet[PayoutRequest]) -> set[str]:
    return set(requests.order_by().values_list("payout_address", flat=True).distinct())


def _comparable(texts: set[str]) -> set[str]:
    return {mailbox(text) for text in texts} - {""}
