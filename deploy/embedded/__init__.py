"""Real servers as the default: PostgreSQL, Valkey and SeaweedFS on loopback, from wheels, without root or apt."""

from deploy.embedded.servers import DataFolderInUse, EmbeddedServers

__all__ = ["DataFolderInUse", "EmbeddedServers"]
