"""What the flows start from: prices and a living node."""

from tests.gateway.conftest import node

__all__ = ["node"]
