"""Apply to bring customers, and keep the profile up to date."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from affiliates.models import Affiliate
from affiliates.transitions import AFFILIATE
from core.errors import InvalidState, NotFound


class AlreadyApplied(InvalidState):
    """This account has applied already; details.status says how its application stands."""


class NeverApplied(NotFound):
    """This account has not applied to be an affiliate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What somebody says who wants to be an affiliate."""

    display_name: str
    contact_email: str
    """In its normal form."""
    country_code: str = ""
    payout_address: str = ""
    terms_version: str = ""

    def fields(self) -> dict[str, str]:
        """By the columns' names."""
        return {
            "display_name": self.display_name,
            "contact_email": self.contact_email,
            "country_code": self.country_code,
            "payout_address": self.payout_address,
            "terms_version": self.terms_version,
        }


def apply(*, account_id: UUID, application: Application, now: datetime) -> Affiliate:
    """Make the account a pending affiliate; a rejected one may apply again, with everything anew.

    Raises:
        AlreadyApplied: it is pending, approved or suspended; nothing changed.
    """
    with transaction.atomic():
        affiliate, first = Affiliate.objects.get_or_create(
            account_id=account_id, defaults={**application.fields(), "applied_at": now, "updated_at": now}
        )
        if first:
            return affiliate
        own = Affiliate.objects.filter(pk=affiliate.pk)
        if not AFFILIATE.apply("apply_again", own, **application.fields(), applied_at=now, updated_at=now):
            raise AlreadyApplied(details={"status": own.values_list("status", flat=True).get()})
    affiliate.refresh_from_db()
    return affiliate


def update_profile(*, account_id: UUID, changes: dict[str, Any], now: datetime) -> Affiliate:
    """Change what is given of the profile, by the columns' names. A payout asked for before keeps its address.

    Raises:
        NeverApplied: there is no profile.
    """
    with transaction.atomic():
        affiliate = Affiliate.objects.select_for_update(no_key=True).filter(account_id=account_id).first()
        if affiliate is None:
            raise NeverApplied
        if changes:
            Affiliate.objects.filter(pk=affiliate.pk).update(**changes, updated_at=now)
            affiliate.refresh_from_db()
    return affiliate
