"""Outgoing webhooks: signed, tried on a schedule, every try on record."""
