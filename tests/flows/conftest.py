"""What the flows start from: prices, a living node, an issuer of ID tokens."""

from tests.accounts.conftest import issuer
from tests.gateway.conftest import node

__all__ = ["issuer", "node"]
