"""What the tests of this room start from: somebody with a key; an issuer of ID tokens, and mails that are kept."""

from tests.accounts.conftest import customer, issuer, other, signing_in

__all__ = ["customer", "issuer", "other", "signing_in"]
