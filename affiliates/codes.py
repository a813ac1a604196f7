"""Referral codes: their one form, and those that count."""

import re
import secrets

from affiliates.models import AffiliateCode
from affiliates.transitions import APPROVED

SHORTEST, LONGEST = 4, 32
_FORM = re.compile(r"[A-Za-z0-9_-]{4,32}")
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Nothing that looks like something else, and no U, so that few words come out."""
_CHARACTERS = 8


def normal_code(text: str) -> str | None:
    """The code in capitals, as it is stored; None for what cannot be one."""
    return text.upper() if _FORM.fullmatch(text) else None


def active_code(text: str) -> AffiliateCode | None:
    """The code in use that `text` names, with its affiliate, who is approved and whose account is active; else None."""
    code = normal_code(text)
    if code is None:
        return None
    of_partners = AffiliateCode.objects.filter(affiliate__status=APPROVED, affiliate__account__is_active=True)
    return of_partners.filter(code=code, retired_at=None).select_related("affiliate").first()


def random_code() -> str:
    """A code that nobody could guess from another's."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_CHARACTERS))
