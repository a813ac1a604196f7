"""What the tests of this room start from: somebody with a key; an issuer of ID tokens, mails, payment providers."""

from tests.accounts.conftest import customer, issuer, other, signing_in
from tests.payments.conftest import packages, providers, sandboxes, shop, wakes

__all__ = ["customer", "issuer", "other", "packages", "providers", "sandboxes", "shop", "signing_in", "wakes"]
