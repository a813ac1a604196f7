"""Whether an affiliate would earn by its own purchases: the same account, mailbox or payout address."""

from uuid import UUID

from accounts.selectors import email_addresses
from affiliates.models import Affiliate, PayoutRequest

_DOTS_DO_NOT_COUNT = frozenset({"gmail.com", "googlemail.com"})


def is_self(*, affiliate: Affiliate, account_id: UUID) -> bool:
    """Whether the account and the affiliate share anything that stands for a person.

    Compared are mailboxes (`mailbox`) and payout addresses of both sides, those of earlier payouts too, in one set:
    many payout addresses are mail addresses.
    """
    if affiliate.account_id == account_id:
        return True
    emails = email_addresses(account_ids=[affiliate.account_id, account_id])
    theirs = _marks(affiliate, emails.get(affiliate.account_id, ""))
    own = Affiliate.objects.filter(account_id=account_id).first()
    return not theirs.isdisjoint(_marks(own, emails.get(account_id, "")))


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


def _marks(affiliate: Affiliate | None, email: str) -> set[str]:
    texts = {email}
    if affiliate is not None:
        texts |= {affiliate.contact_email, affiliate.payout_address}
        earlier = PayoutRequest.objects.filter(affiliate=affiliate).order_by()
        texts.update(earlier.values_list("payout_address", flat=True).distinct())
    return {mailbox(text) for text in texts} - {""}
