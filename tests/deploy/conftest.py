"""What tests of rotations and backups start from: prices, a living node."""

from tests.gateway.conftest import node

__all__ = ["node"]
