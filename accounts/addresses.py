"""Email addresses in the one form that names an account."""

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

LONGEST_ADDRESS = 254
_valid = EmailValidator()


def normal_address(text: str) -> str:
    """The address without surrounding space and in lower case.

    ASCII only: a letter that merely looks like another, or becomes it in lower case, must not name a second account.
    A domain in another script has an ASCII form (`xn--…`).

    Raises:
        ValueError: it is not an address; the message is for people.
    """
    address = text.strip()
    if not address.isascii():
        raise ValueError("must be ASCII; write a domain in another script in its xn-- form")
    if len(address) > LONGEST_ADDRESS:
        raise ValueError(f"must have at most {LONGEST_ADDRESS} characters")
    try:
        _valid(address)
    except ValidationError:
        raise ValueError("is not a valid email address") from None
    return address.lower()
