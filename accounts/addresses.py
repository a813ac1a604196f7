"""Email addresses in the one form that names an account."""

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

LONGEST_ADDRESS = 254
_SPACE = " \t\r\n"
"""What people copy along with an address; `str.strip()` would take control characters and other scripts' spaces too."""
_valid = EmailValidator()


def normal_address(text: str) -> str:
    """The address without surrounding space and in lower case.

    ASCII only: a letter that merely looks like another, or becomes it in lower case, must not name a second account.
    A domain in another script has an ASCII form (`xn--…`). No quoted local part, control character or IP address
    either: programs disagree about what those mean, and the mailbox that was proven must be the one that is stored.

    Raises:
        ValueError: it is not an address; the message is for people.
    """
    address = text.strip(_SPACE)
    if not address.isascii():
        raise ValueError("must be ASCII; write a domain in another script in its xn-- form")
    if len(address) > LONGEST_ADDRESS:
        raise ValueError(f"must have at most {LONGEST_ADDRESS} characters")
    if any(character < " " or character == "\x7f" for character in address):
        raise ValueError("must not have control characters")
    if '"' in address:
        raise ValueError('must not have a quoted part; write it without "')
    if "[" in address:
        raise ValueError("must have a domain name after the @, not an IP address in brackets")
    try:
        _valid(address)
    except ValidationError:
        raise ValueError("is not a valid email address") from None
    return address.lower()
