"""Writes of the media room: one verb a module, one transaction a service, no network inside it."""
